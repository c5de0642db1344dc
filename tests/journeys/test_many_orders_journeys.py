"""Many orders at once: what is asked of the database for them grows with the reads, not with the orders."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from builders.copying import copying, stamps
from builders.databases import inline_store
from builders.journeys import Goods, Journey, travel
from storebridge.store.dialects import sqlite

ORDERS = 12
GOODS = "coalesce(positions.bundle"
"""What the other store knows goods as is asked in two statements."""
FILES = "sales.document AS document, sales.queue"
"""A turn of orders begins with their files."""
CASES = "SELECT cases.workspace, cases.reason, cases.subject FROM"
"""Which cases are open."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each statement was carried out."""
    counted: Counter[str] = Counter()

    class Listening(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            counted[sql] += 1
            return super().execute(sql, *values)

    def connect(path: str, read_only: bool) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Listening)

    monkeypatch.setattr(sqlite, "_connect", connect)
    with inline_store.afresh():
        yield counted


def _times(asked: Counter[str], beginning: str) -> int:
    return sum(count for sql, count in asked.items() if beginning in sql)


def test_a_dozen_orders_at_once_are_copied_with_the_questions_of_a_few(asked: Counter[str]) -> None:
    found: dict[str, int] = {}

    async def play(journey: Journey) -> None:
        await journey.begin()
        asked.clear()
        for number in range(ORDERS):
            await journey.buy("wix", 1, f"S{number}")
        await journey.pass_time(120.0)
        found.update({name: _times(asked, name) for name in (GOODS, FILES, CASES)})
        assert len(await stamps(journey, "shopify")) == ORDERS
        assert await journey.reasons() == []

    travel(play, *(Goods(f"S{number}") for number in range(ORDERS)), **copying("shopify"))
    turns = found[FILES]
    assert turns < ORDERS
    assert found[GOODS] <= 2 * turns
    assert found[CASES] <= 2 * turns + ORDERS, "one for each turn of orders and of lanes, one for each answer to a copy"
