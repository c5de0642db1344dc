"""The trees of all files are kept for the tests of this folder, and no longer: they are hundreds of megabytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from repository import tree_of


@pytest.fixture(scope="module", autouse=True)
def _trees_are_let_go_of() -> Iterator[None]:
    yield
    tree_of.cache_clear()
