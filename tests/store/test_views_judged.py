"""What status, overview and metrics judge by is what the stock page shows, on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, insert

from builders.databases import NOON, Database
from builders.rows import MAIN
from storebridge.store.database import Tx
from storebridge.store.tables import draws, pools, positions
from storebridge.store.tables_checkouts import reservations
from storebridge.store.views_judged import JudgedCounter, JudgedPool, pools_to_judge
from storebridge.store.views_stock import StoredPool, list_pools

PLACES = (("shopify", "shop"), ("shopify", "depot"), ("wix", "main"))


def add(tx: Tx, table: Table, **values: Any) -> None:
    tx.conn.execute(insert(table).values(workspace=values.pop("workspace", MAIN), **values))


def stock(tx: Tx) -> None:
    """A mug alone, a cup and a saucer that a set draws on, and the neighbour's mug."""
    for number, (sku, lane) in enumerate((("CUP", "set"), ("MUG", "mug"), ("SAUCER", "set"))):
        goods = {"goods": 20 + number, "frozen": sku == "MUG", "guaranteed_since": NOON if number else None}
        add(tx, pools, pool_id=f"p{number}", lane=lane, sku=sku, location_group="main", **goods)
        for connection, place in PLACES:
            counter = {"connection": connection, "item_id": sku, "location_id": place}
            levels = {"granted": 6, "level": 5 - number, "opening": 6, "held": number % 2}
            add(tx, positions, **counter, lane=lane, **levels)
            add(tx, draws, **counter, pool_id=f"p{number}", weight=1)
    of_set = {"connection": "wix", "item_id": "SET", "location_id": "main"}
    add(tx, positions, **of_set, lane="set", granted=2, level=1, opening=2, bundle="SET", leaving=True)
    add(tx, draws, **of_set, pool_id="p0", weight=2)
    add(tx, draws, **of_set, pool_id="p2", weight=1)
    add(tx, pools, workspace="other", pool_id="p1", lane="mug", sku="MUG", location_group="main", goods=99)
    hold = {"connection": "wix", "pool_id": "p1", "covered": 0, "wanted": 3, "seen": 0}
    times = {"made_at": NOON, "asked_at": NOON, "ends_at": NOON}
    add(tx, reservations, flow="cart", units=3, **hold, **times)
    add(tx, reservations, flow="gone", units=4, **hold, **times, over_at=NOON)


def as_judged(pool: StoredPool) -> JudgedPool:
    counters = sorted(pool.counters, key=lambda one: (one.connection, one.item_id, one.location_id))
    return JudgedPool(
        sku=pool.sku,
        group=pool.group,
        goods=pool.goods,
        frozen=pool.frozen,
        guaranteed=pool.guaranteed_since is not None,
        counters=tuple(
            JudgedCounter(*(getattr(one, name) for name in JudgedCounter.__struct_fields__)) for one in counters
        ),
        on_hold=pool.on_hold,
        together=pool.together,
    )


def test_every_pool_is_judged_by_what_the_stock_page_shows_of_it(database: Database) -> None:
    database.run(stock)
    shown, judged = database.run(list_pools, MAIN), database.run(pools_to_judge, MAIN)
    assert judged == [as_judged(pool) for pool in shown]
    assert [pool.left for pool in judged] == [pool.left for pool in shown] == [15, 12, 12]


def test_holds_bundles_and_guarantees_are_told_as_they_are(database: Database) -> None:
    database.run(stock)
    cup, mug, saucer = database.run(pools_to_judge, MAIN)
    assert (cup.sku, cup.guaranteed, cup.frozen, cup.on_hold, cup.together) == (
        "CUP",
        False,
        False,
        0,
        ("CUP", "SAUCER"),
    )
    assert (mug.sku, mug.guaranteed, mug.frozen, mug.on_hold, mug.together) == ("MUG", True, True, 3, ())
    assert saucer.counters[-1] == JudgedCounter(
        connection="wix", item_id="SET", granted=2, level=1, held=0, weight=1, bundle="SET", leaving=True
    )
