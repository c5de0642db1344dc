"""What a shop did last year costs nothing today: no statement of the daily work walks through a table that grows."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from builders.databases import inline_store
from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.operations.backfill_orders import start_backfill
from storebridge.operations.show_settlement import list_settlements, show_settlements
from storebridge.store.dialects import sqlite
from storebridge.store.settlements import ask_statements
from storebridge.store.tables import metadata

GROWING = frozenset(
    {
        "audit",
        "calls",
        "cases",
        "copies",
        "deliveries",
        "intents",
        "ledger",
        "order_effects",
        "order_writes",
        "orders",
        "parcels",
        "passes",
        "picks",
        "provider_entries",
        "provider_payouts",
        "provider_shares",
        "sales",
        "sales_history",
        "seals",
        "settlement_days",
        "settlements",
        "signals",
        "spreads",
    }
)
PARTIAL = {
    index.name
    for table in metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None
}
"""They hold only what is open, so walking through one is no work."""
STEP = re.compile(r"(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?INDEX (\w+))?(?: \((.*)\))?")
TOO_WIDE = ("workspace=?", "workspace=? AND connection=?", "workspace=? AND connection=? AND item_id>?")
"""The last is how SQLite takes ``item_id IS NOT NULL``: every line of every order, at each poll."""


def _walks(step: str) -> bool:
    found = STEP.match(step)
    if found is None:
        return False
    how, table, index, by = found.groups()
    return table in GROWING and index not in PARTIAL and (how == "SCAN" or by in TOO_WIDE)


def _stops_early(sql: str, plan: list[str]) -> bool:
    """The rows come in the order asked for, and only the first are wanted."""
    return "LIMIT" in sql and not any("TEMP B-TREE" in step for step in plan)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Everything that is asked of SQLite, as the driver gets it: parameters unseen, as the planner finds them."""
    asked: set[str] = set()

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            asked.add(sql)
            return super().execute(sql, *values)

        def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
            asked.add(sql)
            return super().executemany(sql, *values)

    class Listening(sqlite3.Connection):
        def cursor(self, *given: Any) -> Any:
            return super().cursor(Cursor)

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            asked.add(sql)
            return super().execute(sql, *values)

    def connect(path: str, read_only: bool) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Listening)

    monkeypatch.setattr(sqlite, "_connect", connect)
    with inline_store.afresh():
        yield asked


def test_no_statement_of_a_working_day_walks_through_a_table_that_grows(statements: set[str]) -> None:
    found: dict[str, list[str]] = {}

    async def play(journey: Journey) -> None:
        statements.clear()  # migrations may walk
        await journey.begin()
        await journey.buy("shopify", 2)
        await journey.pass_time(120.0)
        await journey.faults("wix", proxy_5xx=1.0)
        await journey.buy("shopify", 1)
        await journey.pass_time(120.0)
        await journey.faults("wix", proxy_5xx=0.0)
        await journey.pass_time(2 * 3600.0)
        found.update(await _walking(journey, statements))

    travel(play, policy="escrow")
    assert found == {}
    assert len(statements) > 100


def test_neither_do_copies_statements_of_days_nor_orders_of_the_past(statements: set[str]) -> None:
    found: dict[str, list[str]] = {}

    async def play(journey: Journey) -> None:
        statements.clear()
        await journey.begin()
        await journey.buy("shopify", 2)
        await journey.buy("wix", 1)
        await journey.pass_time(120.0)
        terms = journey.bridge.workspaces[MAIN].terms
        asked = await journey.store.run(start_backfill, terms, 30, copy=True, connection=None, actor="ann")
        journey.bridge.wake(MAIN, asked.wake)
        await journey.pass_time(600.0)
        today = journey.clock.now().date()
        await journey.store.run(ask_statements, terms, [today - timedelta(days=1)])
        await journey.pass_time(2 * 3600.0)
        await show_settlements(journey.store, terms, today - timedelta(days=1), today)
        await list_settlements(journey.store, terms, limit=10)
        found.update(await _walking(journey, statements))

    travel(play, policy="escrow", orders={"copy_to": "wix"})
    assert found == {}
    assert len(statements) > 100


def test_polls_and_listings_find_the_few_counters_of_bundles_by_their_index(statements: set[str]) -> None:
    plans: dict[str, list[str]] = {}

    async def play(journey: Journey) -> None:
        statements.clear()
        await journey.begin()
        await journey.buy("wix", 1, "SET")
        await journey.sandbox("wix", "POST", "adjust", {"sku": "SET", "delta": -1})
        await journey.pass_time(1200.0)
        await journey.bridge.baseline(MAIN, sign_off=True, actor="ann")
        for sql in sorted(statements):
            if "positions.bundle IS NOT NULL" in sql:
                plans[sql] = [step for step in await _plan(journey, sql) if " positions" in step]

    travel(play, Goods("A"), Goods("SET", {"wix": 1}), bundles=[{"sku": "SET", "components": {"A": 2}}])
    assert len(plans) == 3
    found_by = ("positions_of_bundles", "sqlite_autoindex_positions_1 (workspace=? AND connection=? AND item_id=?")
    assert [steps for steps in plans.values() if not any(way in steps[0] for way in found_by)] == []


async def _walking(journey: Journey, statements: set[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for sql in sorted(statements):
        plan = await _plan(journey, sql)
        walks = [step for step in plan if _walks(step)]
        if walks and not _stops_early(sql, plan):
            found[sql] = walks
    return found


async def _plan(journey: Journey, sql: str) -> list[str]:
    if not sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
        return []

    def ask(tx: Any) -> list[str]:
        return [row[3] for row in tx.driver.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))]

    return await journey.store.read(ask)


def test_what_another_store_calls_an_orders_goods_is_found_without_walking_through_all_that_it_sells(
    statements: set[str],
) -> None:
    found: list[str] = []

    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 2)
        await journey.pass_time(120.0)
        for sql in sorted(statements):
            if "coalesce(positions.bundle" in sql:
                found.extend(await _plan(journey, sql))

    travel(play, orders={"copy_to": "wix"})
    steps = [match.groups() for step in found if (match := STEP.match(step)) is not None]
    used = sorted((table, by) for _, table, _, by in steps if table != "json_each")
    counter = "workspace=? AND connection=? AND item_id=?"
    assert used == [
        ("draws", counter),
        ("draws", "workspace=? AND pool_id=?"),
        ("positions", f"{counter} AND location_id=?"),
        ("positions", f"{counter} AND location_id=?"),
        ("variants", counter),
    ]
