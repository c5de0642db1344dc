"""How many counters of a store were full and are empty: what the guard against an emptied store asks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.columns import fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import ledger, positions


def count_dropped(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, *, since: datetime, above: int
) -> int:
    """Counters that the store itself took from more than ``above`` units to zero in one step, since then."""
    ((count,),) = _DROPPED.all(tx, w=workspace, c=connection, since=since, above=above)
    return int(count)


def count_stocked(tx: HasConnection, workspace: Workspace, connection: ConnectionName, *, above: int) -> int:
    """Counters that show more than ``above`` units, as last read."""
    ((count,),) = _STOCKED.all(tx, w=workspace, c=connection, above=above)
    return int(count)


_AT = ledger.c
_DROPPED = Prepared(
    select(func.count()).select_from(
        select(_AT.item_id, _AT.location_id)
        .where(
            _AT.workspace == bindparam("w"),
            _AT.connection == bindparam("c"),
            _AT.at > bindparam("since"),
            _AT.kind == fixed("level"),
            _AT.level_after <= 0,
            _AT.level_after - _AT.units > bindparam("above"),
        )
        .distinct()
        .subquery()
    )
)
_STOCKED = Prepared(
    select(func.count()).where(
        positions.c.workspace == bindparam("w"),
        positions.c.connection == bindparam("c"),
        positions.c.level > bindparam("above"),
    )
)
