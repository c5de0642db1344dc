"""Cursors: how far a changed-since listing is stored. Advanced only after all pages are stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.orders import ChangeCursor
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import cursors


def read_cursor(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str) -> ChangeCursor | None:
    """Where the last complete listing ended; None before the first."""
    row = tx.conn.execute(
        select(cursors.c.updated_at, cursors.c.last_id).where(
            cursors.c.workspace == workspace, cursors.c.connection == connection, cursors.c.name == name
        )
    ).first()
    return None if row is None else ChangeCursor(row.updated_at, row.last_id)


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
    insert = (postgresql if tx.dialect == "postgresql" else sqlite).insert(cursors)
    values = {"updated_at": cursor.updated_at, "last_id": cursor.last_id, "checked_at": checked_at}
    tx.conn.execute(
        insert.values(workspace=workspace, connection=connection, name=name, **values).on_conflict_do_update(
            index_elements=["workspace", "connection", "name"], set_=values
        )
    )
