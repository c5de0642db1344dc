"""What a poll asks costs the same after a year as on the first day: counted in the steps of SQLite's own machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from builders.databases import NOON
from builders.rows import MAIN
from storebridge.model.ids import ConnectionName, ItemId
from storebridge.store.copies import copies_of_items
from storebridge.store.database import Tx
from storebridge.store.dialects.sqlite import sqlite_engine
from storebridge.store.labels import items_to_be_told, pools_moved_after, residuals_since
from storebridge.store.migrate import migrate
from storebridge.store.reservations import orders_past
from storebridge.store.tables import copies, draws, ledger, looks, order_effects, orders, pools, positions

SHOP = ConnectionName("shopify")
LATELY = NOON - timedelta(hours=1)
Ask = Callable[[Tx], Any]
ASKED: dict[str, Ask] = {
    "what moved or was sold lately": lambda tx: residuals_since(tx, MAIN, SHOP, LATELY),
    "what moves now": lambda tx: pools_moved_after(tx, MAIN, SHOP, LATELY),
    "what is about to be read whole": lambda tx: items_to_be_told(tx, MAIN, SHOP),
    "what went past the guard": lambda tx: orders_past(
        tx, MAIN, SHOP, created_after=NOON - timedelta(days=900), read_after=LATELY
    ),
    "copies of goods": lambda tx: copies_of_items(tx, MAIN, SHOP, [ItemId("bought often")], LATELY),
}


def _history(tx: Tx, several: int) -> None:
    """So many orders and copies of one item, each of another day; and one order of another item, read just now."""
    whose = {"workspace": MAIN, "connection": SHOP}
    for item in ("bought often", "bought today"):
        counter = {**whose, "item_id": item, "location_id": "l"}
        tx.conn.execute(
            insert(pools).values(workspace=MAIN, pool_id=item, lane=item, sku=item, location_group="g", goods=0)
        )
        tx.conn.execute(insert(positions).values(**counter, lane=item, granted=5, level=5, opening=5, read_at=NOON))
        tx.conn.execute(insert(draws).values(**counter, pool_id=item))
    for number in range(several + 1):
        at, item = NOON - timedelta(days=several - number), "bought often" if number < several else "bought today"
        times = {"created_at": at, "updated_at": at, "read_at": at}
        for order_id, origin in ((f"o{number}", None), (f"c{number}", f"s{number}")):
            row = {**whose, **times, "order_id": order_id, "name": "#1", "cancelled": False, "origin": origin}
            tx.conn.execute(insert(orders).values(**row))
            sold = {"item_id": item, "sku": item, "sold": 1, "restocked": 0, "at": at}
            tx.conn.execute(insert(order_effects).values(**whose, order_id=order_id, line_id="1", **sold))
            look = {"kind": "orders", "key": order_id, "asked": 1, "answered": 1, "priority": 1, "due_at": at}
            tx.conn.execute(insert(looks).values(**whose, **look))
        tx.conn.execute(
            insert(copies).values(**whose, order_key=f"k{number}", stamp="s", state="made", order_id=f"c{number}")
        )
        moved = {"kind": "level", "units": -1, "item_id": item, "location_id": "l", "at": at}
        tx.conn.execute(insert(ledger).values(**whose, pool_id=item, **moved))


def _steps(path: Path, several: int, ask: Ask) -> int:
    engine = sqlite_engine(str(path / f"{several}.sqlite3"), shared=True)
    migrate(engine)
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    with engine.begin() as conn:
        tx = Tx(conn, NOON, "sqlite")
        _history(tx, several)
        tx.driver.set_progress_handler(step, 1)
        ask(tx)
        tx.driver.set_progress_handler(None, 1)
    engine.dispose()
    return steps


@pytest.mark.parametrize("what", ASKED)
def test_a_year_of_orders_costs_a_poll_nothing(what: str, tmp_path: Path) -> None:
    few, many = (_steps(tmp_path, several, ASKED[what]) for several in (20, 400))
    assert 0 < many < few * 1.5
