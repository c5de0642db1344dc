"""Movements of goods that can be taken back, from the ledger."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, String, cast, func, literal, select

from storebridge.model.ids import LaneKey, PoolId, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import ledger, pools

UNDOABLE = ("manual", "receive", "count", "correction", "void", "moved")
"""Kinds that made or took goods by somebody's word. What shoppers and orders did is none of them, nor is
an undo: the same command given twice must not turn itself round."""
CAUSE = "undo:"


class GoodsMoved(msgspec.Struct, frozen=True):
    """A line of the ledger that made or took goods."""

    seq: int
    at: datetime
    pool_id: PoolId
    lane: LaneKey
    sku: str
    group: str
    kind: str
    units: int
    connection: str | None
    actor: str
    note: str


def _taken_back() -> ColumnElement[bool]:
    """Of a row of the ledger: an undo names it."""
    undone = ledger.alias()
    same = undone.c.cause == literal(CAUSE) + cast(ledger.c.seq, String)
    return select(undone.c.seq).where(undone.c.workspace == ledger.c.workspace, same).correlate(ledger).exists()


def units_voided(tx: HasConnection, workspace: Workspace, pool_ids: Collection[PoolId]) -> dict[PoolId, int]:
    """Units that never existed, were sold, called off and credited; pools without any are left out."""
    found = tx.conn.execute(
        select(ledger.c.pool_id, func.sum(ledger.c.units))
        .where(ledger.c.workspace == workspace, ledger.c.pool_id.in_(pool_ids), ledger.c.kind == "void")
        .where(~_taken_back())
        .group_by(ledger.c.pool_id)
    )
    return {PoolId(pool_id): int(units) for pool_id, units in found if units}


def goods_moved(
    tx: HasConnection, workspace: Workspace, since: datetime, until: datetime, *, connection: str | None, limit: int
) -> list[GoodsMoved]:
    """Movements of a period that were not taken back yet, oldest first."""
    columns = {name: ledger.c[name] for name in GoodsMoved.__struct_fields__ if name in ledger.c}
    columns |= {"lane": pools.c.lane, "sku": pools.c.sku, "group": pools.c.location_group}
    query = (
        select(*(columns[name].label(name) for name in GoodsMoved.__struct_fields__))
        .join(pools, (pools.c.workspace == ledger.c.workspace) & (pools.c.pool_id == ledger.c.pool_id))
        .where(
            ledger.c.workspace == workspace,
            ledger.c.kind.in_(UNDOABLE),
            ledger.c.at >= since,
            ledger.c.at <= until,
            ledger.c.units != 0,
            ~_taken_back(),
        )
        .order_by(ledger.c.seq)
        .limit(limit)
    )
    if connection is not None:
        query = query.where(ledger.c.connection == connection)
    return [GoodsMoved(*tuple(row)) for row in tx.conn.execute(query)]


def units_written(
    tx: HasConnection, workspace: Workspace, pool_ids: Collection[PoolId], since: datetime, until: datetime
) -> dict[PoolId, dict[str, int]]:
    """What we wrote of these pools in a period, store by store."""
    found = tx.conn.execute(
        select(ledger.c.pool_id, ledger.c.connection, func.sum(ledger.c.units))
        .where(
            ledger.c.workspace == workspace,
            ledger.c.kind == "write",
            ledger.c.pool_id.in_(pool_ids),
            ledger.c.at >= since,
            ledger.c.at <= until,
        )
        .group_by(ledger.c.pool_id, ledger.c.connection)
        .order_by(ledger.c.pool_id, ledger.c.connection)
    )
    written: dict[PoolId, dict[str, int]] = {}
    for pool_id, connection, units in found:
        written.setdefault(PoolId(pool_id), {})[connection] = int(units)
    return written
