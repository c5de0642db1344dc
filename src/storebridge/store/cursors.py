"""Cursors: how far a changed-since listing is stored. Advanced only after all pages are stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.orders import ChangeCursor
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import cursors
from storebridge.store.upserts import upsert


def read_cursor(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str) -> ChangeCursor | None:
    """Where the last complete listing ended; None before the first."""
    row = _READ.first(tx, w=workspace, c=connection, n=name)
    return None if row is None else ChangeCursor(*row)


_READ = Prepared(
    select(cursors.c.updated_at, cursors.c.last_id).where(
        cursors.c.workspace == bindparam("w"), cursors.c.connection == bindparam("c"), cursors.c.name == bindparam("n")
    )
)


def advance_cursor(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    name: str,
    cursor: ChangeCursor,
    *,
    checked_at: datetime,
) -> None:
    """Move a cursor to the last row that was stored; ``checked_at`` is when that listing began."""
    _ADVANCE.run(
        tx,
        workspace=workspace,
        connection=connection,
        name=name,
        updated_at=cursor.updated_at,
        last_id=cursor.last_id,
        checked_at=checked_at,
    )


_KEYS = ("workspace", "connection", "name")
_ADVANCE = upsert(cursors, _KEYS, (*_KEYS, "updated_at", "last_id", "checked_at"))
