"""The recordings and the vendor's full schema lie beside the repository, not in it; what needs them says so aloud."""

from __future__ import annotations

import pytest
from recordings import recorded_folder

_MISSED: list[str] = []


@pytest.fixture
def shared_shopify_data(request: pytest.FixtureRequest) -> None:
    """Skips, loudly, where ../shared/data/shopify is absent."""
    if recorded_folder() is None:
        _MISSED.append(request.node.name)
        pytest.skip("NOT TESTED AGAINST RECORDED ANSWERS: ../shared/data/shopify is absent")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A skip that nobody reads is a test that nobody has."""
    if _MISSED:
        terminalreporter.section("The sandbox was not held against Shopify's recorded answers", red=True, bold=True)
        terminalreporter.line(f"{len(_MISSED)} tests did not run: ../shared/data/shopify is absent.")
