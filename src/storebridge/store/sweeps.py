"""Which counters were not read for too long."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select

from storebridge.model.ids import ConnectionName, ItemId, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import looks, positions

_WAITED_FOR = (
    select(looks.c.key)
    .where(
        looks.c.workspace == bindparam("w"),
        looks.c.connection == bindparam("c"),
        looks.c.kind == "levels",
        looks.c.asked > looks.c.answered,
    )
    .scalar_subquery()
)
_IS_HOT = (positions.c.level <= bindparam("hot_below")) & (positions.c.read_at < bindparam("hot_before"))
_UNREAD_ITEMS = Prepared(
    select(positions.c.item_id)
    .where(
        positions.c.workspace == bindparam("w"),
        positions.c.connection == bindparam("c"),
        (positions.c.read_at < bindparam("before")) | positions.c.read_at.is_(None) | _IS_HOT,
        positions.c.item_id.not_in(_WAITED_FOR),
    )
    .group_by(positions.c.item_id)
    .limit(bindparam("n"))
)


def unread_items(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    *,
    read_before: datetime,
    hot_read_before: datetime,
    hot_below_units: int,
    limit: int,
) -> list[ItemId]:
    """Items whose last read is too old, hot ones sooner, that no look already waits for."""
    found = _UNREAD_ITEMS.all(
        tx,
        w=workspace,
        c=connection,
        before=read_before,
        hot_before=hot_read_before,
        hot_below=hot_below_units,
        n=limit,
    )
    return [ItemId(item) for (item,) in found]
