"""Counts that outlive a restart, e.g. duplicates and forged deliveries."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import tallies


def add_tally(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str, count: int) -> None:
    """Add ``count`` to a tally."""
    insert = (postgresql if tx.dialect == "postgresql" else sqlite).insert(tallies)
    tx.conn.execute(
        insert.values(workspace=workspace, connection=connection, name=name, count=count).on_conflict_do_update(
            index_elements=["workspace", "connection", "name"],
            set_={"count": tallies.c.count + insert.excluded.count},
        )
    )
