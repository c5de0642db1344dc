"""The ledger and what else tells the story of a number: stage results, spreads, measured sales."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from sqlalchemy import BigInteger, ColumnElement, bindparam, func, insert, literal_column, select, type_coerce

from storebridge.model.ids import ConnectionName, LaneKey, PoolId, Workspace
from storebridge.model.stock import PositionKey
from storebridge.store.columns import fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import ledger, passes, pools, spreads

UNEXPLAINED = "no order explains this part of the counters' change"
EXPLAINED_LATER = "an order explains what was booked as an edit by staff"
"""Notes of ``manual`` rows: a store may show an order after the stock that it took (a checkout not paid yet)."""
VELOCITY_WINDOW = timedelta(hours=24)


class NewMovement(msgspec.Struct, frozen=True):
    """Goods or rights moved; ``cause`` counts once for ever (I5)."""

    pool_id: PoolId
    kind: str
    """baseline | level | write | receive | count | correction | manual | copy | remade | renamed"""
    units: int
    position: PositionKey | None = None
    connection: ConnectionName | None = None
    level_after: int | None = None
    cause: str | None = None
    actor: str = ""
    note: str = ""


class MeasuredSpread(Protocol):
    """From a signal in one store to the answered write in another."""

    @property
    def lane(self) -> LaneKey: ...

    @property
    def signalled_at(self) -> datetime: ...

    @property
    def written_at(self) -> datetime: ...


_ADD_MOVEMENT = Prepared(
    insert(ledger).inline(),
    columns=(
        "workspace",
        "pool_id",
        "connection",
        "item_id",
        "location_id",
        "kind",
        "units",
        "level_after",
        "cause",
        "at",
        "actor",
        "note",
    ),
)
_ADD_PASS = Prepared(
    insert(passes).inline(), columns=("workspace", "lane", "at", "trigger", "normalized", "validated", "planned")
)
_ADD_SPREAD = Prepared(insert(spreads).inline(), columns=("workspace", "lane", "signalled_at", "written_at"))


def _sales() -> tuple[ColumnElement[bool], ...]:
    """Constants, so that the databases see that the index ``ledger_of_sales`` holds them."""
    return ledger.c.workspace == bindparam("w"), ledger.c.kind == fixed("level"), ledger.c.units < literal_column("0")


_LAST_SALES = (
    select(
        pools.c.pool_id,
        select(ledger.c.at)
        .where(*_sales(), ledger.c.pool_id == pools.c.pool_id)
        .order_by(ledger.c.at.desc())
        .limit(1)
        .scalar_subquery()
        .label("at"),
    )
    .where(pools.c.workspace == bindparam("w"), one_of(pools.c.pool_id, "pools"))
    .cte("last_sales")
    .prefix_with("MATERIALIZED")  # found once for each pool, not for each of its rows
)
_VELOCITY = Prepared(
    select(ledger.c.pool_id, ledger.c.connection, func.sum(-ledger.c.units))
    .join(_LAST_SALES, ledger.c.pool_id == _LAST_SALES.c.pool_id)
    .where(*_sales(), ledger.c.at > type_coerce(_LAST_SALES.c.at, BigInteger) - bindparam("window", type_=BigInteger))
    .group_by(ledger.c.pool_id, ledger.c.connection)
)


def add_movements(tx: HasConnection, workspace: Workspace, rows: Sequence[NewMovement]) -> None:
    """Append to the ledger; a cause that is there already raises an integrity error and the whole turn with it."""
    _ADD_MOVEMENT.run_many(tx, [_as_row(tx, workspace, row) for row in rows])


def _as_row(tx: HasConnection, workspace: Workspace, row: NewMovement) -> dict[str, Any]:
    position = row.position
    return {
        "workspace": workspace,
        "pool_id": row.pool_id,
        "connection": position.connection if position else row.connection,
        "item_id": position.item_id if position else None,
        "location_id": position.location_id if position else None,
        "kind": row.kind,
        "units": row.units,
        "level_after": row.level_after,
        "cause": row.cause,
        "at": tx.now,
        "actor": row.actor,
        "note": row.note,
    }


def add_passes(tx: HasConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the result of each stage of a turn."""
    _ADD_PASS.run_many(tx, rows)


def add_spreads(tx: HasConnection, workspace: Workspace, rows: Sequence[MeasuredSpread]) -> None:
    _ADD_SPREAD.run_many(
        tx,
        [
            {
                "workspace": workspace,
                "lane": row.lane,
                "signalled_at": row.signalled_at,
                "written_at": row.written_at,
            }
            for row in rows
        ],
    )


def sales_velocity(
    tx: HasConnection, workspace: Workspace, lane_of: Mapping[PoolId, LaneKey]
) -> dict[LaneKey, dict[ConnectionName, float]]:
    """Units per hour that left each store's counters by themselves over the day that ended with the pool's last sale,
    by lane of the given pools. Time alone changes nothing, so no share moves in a night in which nobody buys (I6)."""
    found = _VELOCITY.all(tx, w=workspace, pools=lane_of, window=VELOCITY_WINDOW // timedelta(microseconds=1))
    hours = VELOCITY_WINDOW / timedelta(hours=1)
    velocity: defaultdict[LaneKey, defaultdict[ConnectionName, float]] = defaultdict(lambda: defaultdict(float))
    for pool_id, connection, units in found:
        velocity[lane_of[pool_id]][connection] += float(units) / hours
    return {lane: dict(stores) for lane, stores in velocity.items()}
