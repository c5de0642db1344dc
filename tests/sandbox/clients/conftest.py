"""The vendors' clients for tests: downloaded once, skipped loudly on a laptop that cannot have them, demanded in CI."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from vendor_clients import Unavailable, node_clients, node_program, python_clients


def _demand(clients: Callable[[], Path]) -> Path:
    try:
        return clients()
    except Unavailable as error:
        reason = f"The vendors' own clients are not run: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> Path:
    """Where the clients for Node are; a Node to run them is there too."""
    return _demand(lambda: (node_program(), node_clients())[1])


@pytest.fixture(autouse=True)
def _say_which_node(request: pytest.FixtureRequest) -> None:
    """Said at the end of the run: an older Node may have been replaced for it."""
    if "node" in request.fixturenames:
        request.getfixturevalue("node")
        said = "The vendors' own clients ran on Node {1}, {0}.".format(*node_program())
        request.node.user_properties.append(("said at the end", said))


@pytest.fixture(scope="session")
def python() -> Path:
    """Where the clients for Python are."""
    return _demand(python_clients)
