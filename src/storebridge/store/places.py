"""What lies at the locations of a store, and counters at a location that is closed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, func, select, update

from storebridge.model.ids import ConnectionName, LocationId, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import positions


class StockAtLocation(msgspec.Struct, frozen=True):
    """What one location of a store holds of the goods that are kept in step."""

    location_id: LocationId
    items: int
    units: int


def stock_by_location(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> list[StockAtLocation]:
    """Every location at which a store's counters are kept in step."""
    found = _BY_LOCATION.all(tx, w=workspace, c=connection)
    return [StockAtLocation(LocationId(location), count, int(units)) for location, count, units in found]


_BY_LOCATION = Prepared(
    select(positions.c.location_id, func.count(), func.sum(positions.c.level))
    .where(positions.c.workspace == bindparam("w"), positions.c.connection == bindparam("c"))
    .group_by(positions.c.location_id)
    .order_by(positions.c.location_id)
)


def close_counters(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, places: Sequence[LocationId]
) -> None:
    """Nothing is written at these locations until a read shows a counter there again."""
    if places:
        mine = (positions.c.workspace == workspace) & (positions.c.connection == connection)
        tx.conn.execute(update(positions).where(mine, positions.c.location_id.in_(places)).values(gone=True))
