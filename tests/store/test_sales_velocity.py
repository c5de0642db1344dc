"""How fast each store sells: measured up to the last sale, so that time alone moves no shares."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from builders.databases import NOON, Database
from builders.lanes import lane, position
from builders.rows import MAIN, OTHER, SHOPIFY, WIX, add_lane
from storebridge.inventory.planner import plan
from storebridge.model.ids import ConnectionName, LaneKey, PoolId
from storebridge.model.stock import Policy
from storebridge.store.database import Tx
from storebridge.store.story import sales_velocity
from storebridge.store.tables import ledger

LANE, POOL = LaneKey("A@main"), PoolId("A@main")


def moved(store: ConnectionName, units: int, hours_ago: float, **changes: Any) -> dict[str, Any]:
    at = NOON - timedelta(hours=hours_ago)
    row = {"workspace": MAIN, "pool_id": POOL, "connection": store, "kind": "level", "units": units, "at": at}
    return {**row, **changes}


def velocity(database: Database, *rows: dict[str, Any]) -> dict[ConnectionName, float]:
    """What is measured of these movements, in the order in which they came."""

    def play(tx: Tx) -> dict[LaneKey, dict[ConnectionName, float]]:
        add_lane(tx)
        for row in rows:
            tx.conn.execute(insert(ledger).values(row))
        return sales_velocity(tx, MAIN, {POOL: LANE})

    return database.run(play).get(LANE, {})


def test_the_day_ends_with_the_pools_last_sale_however_long_ago_that_was(database: Database) -> None:
    measured = velocity(
        database,
        moved(SHOPIFY, -100, 1000 + 24.0),  # a day before the last sale
        moved(SHOPIFY, -48, 1000 + 23.9),
        moved(WIX, -12, 1000.0),
        moved(WIX, 7, 3.0),  # restocked
        moved(SHOPIFY, -30, 2.0, kind="write"),
        moved(SHOPIFY, -5, 1.0, workspace=OTHER),
        moved(SHOPIFY, -5, 1.0, pool_id="B@main"),
    )
    assert measured == {SHOPIFY: 2.0, WIX: 0.5}


def test_where_nothing_was_ever_sold_nothing_is_measured(database: Database) -> None:
    assert velocity(database, moved(SHOPIFY, -9, 1.0, kind="write"), moved(WIX, 9, 1.0)) == {}


def test_a_night_without_buyers_moves_no_shares(database: Database) -> None:
    """Shopify sold a hundred units in an evening and shows nine tenths of what is left. A day later it has sold nothing
    "for a day", and neither has Wix: that is no reason to halve its share before the next evening."""
    measured = velocity(database, moved(SHOPIFY, -100, 30.0))
    state = lane(position("shopify", 54), position("wix", 6), goods=60, policy=Policy.ESCROW)
    state = type(state)(state.pools, state.positions, state.draws, measured)
    assert plan(state).writes == ()
    forgotten = type(state)(state.pools, state.positions, state.draws, {})
    assert [(w.position.connection, w.from_level, w.to_level) for w in plan(forgotten).writes] == [("shopify", 54, 30)]
