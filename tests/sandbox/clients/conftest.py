"""The vendors' clients for tests: downloaded once, skipped loudly on a laptop that cannot have them, demanded in CI."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from vendor_clients import Unavailable, node_clients, python_clients

_MISSED: list[str] = []


def _demand(clients: Callable[[], Path]) -> Path:
    try:
        return clients()
    except Unavailable as error:
        reason = f"The vendors' own clients are not run: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        _MISSED.append(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> Path:
    """Where the clients for Node are."""
    return _demand(node_clients)


@pytest.fixture(scope="session")
def python() -> Path:
    """Where the clients for Python are."""
    return _demand(python_clients)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A skip that nobody notices is a hole; this one is said at the end of the run."""
    if _MISSED:
        terminalreporter.section("The vendors' own clients were skipped", red=True, bold=True)
        for reason in dict.fromkeys(_MISSED):
            terminalreporter.line(reason)
