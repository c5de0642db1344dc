"""Counts that outlive a restart, e.g. duplicates, forged deliveries, calls to a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import tallies

CALLS = "calls/"
"""Before the operation and the answer of a call to a store: ``calls/inventoryLevels/200``."""


def _add(dialect: Any) -> Any:
    insert = dialect.insert(tallies)
    return insert.on_conflict_do_update(
        index_elements=["workspace", "connection", "name"], set_={"count": tallies.c.count + insert.excluded.count}
    )


_ADD = Prepared(_add(sqlite), postgresql=_add(postgresql), columns=("workspace", "connection", "name", "count"))
_CALLS = Prepared(
    select(tallies.c.connection, tallies.c.name, tallies.c.count)
    .where(tallies.c.workspace == bindparam("w"), tallies.c.name.startswith(CALLS))
    .order_by(tallies.c.connection, tallies.c.name)
)


def add_tally(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str, count: int) -> None:
    """Add ``count`` to a tally."""
    add_tallies(tx, workspace, connection, {name: count})


def add_tallies(tx: HasConnection, workspace: Workspace, connection: ConnectionName, counts: Mapping[str, int]) -> None:
    """Add to tallies of one connection, by name."""
    one = {"workspace": workspace, "connection": connection}
    _ADD.run_many(tx, [{**one, "name": name, "count": count} for name, count in counts.items()])


def call_counts(tx: HasConnection, workspace: Workspace) -> list[tuple[str, str, str, int]]:
    """Calls to the stores: (connection, operation, HTTP status or ``unanswered``, how many)."""
    return [
        (connection, *name.removeprefix(CALLS).rsplit("/", 1), count)
        for connection, name, count in _CALLS.all(tx, w=workspace)
    ]
