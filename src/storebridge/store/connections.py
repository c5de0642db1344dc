"""Connections as stored: how each store is, and what it said about itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.columns import UtcTime
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import connections


def note_health(tx: HasConnection, workspace: Workspace, connection: ConnectionName, health: str, detail: str) -> None:
    """``health`` is ok | slow | down | refusing | unauthorized | read_only | unknown; ``since`` moves only when it
    changes."""
    values: dict[str, Any] = {"health": health, "detail": detail[:500]}
    if health == "ok":
        values["last_answer_at"] = tx.now
    _upsert(tx, workspace, connection, "unknown", values)


def was_looked_at(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> bool:
    """Whether a probe of the store was ever kept."""
    mine = (connections.c.workspace == workspace) & (connections.c.connection == connection)
    return (
        tx.conn.execute(select(connections.c.last_answer_at).where(mine, connections.c.facts.is_not(None))).first()
        is not None
    )


def save_facts(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    kind: str,
    facts: dict[str, Any],
    can_write: bool,
) -> None:
    """Keep what a probe found."""
    health = "ok" if can_write else "read_only"
    values = {
        "kind": kind,
        "facts": facts,
        "can_write": can_write,
        "health": health,
        "last_answer_at": tx.now,
    }
    _upsert(tx, workspace, connection, kind, values)


def note_promise(tx: HasConnection, workspace: Workspace, connection: ConnectionName, why_not: str | None) -> None:
    """Why zero oversell cannot be promised with this store at all; None when nothing of the store stands against it."""
    tx.conn.execute(
        update(connections)
        .where(connections.c.workspace == workspace, connections.c.connection == connection)
        .values(not_guaranteed_because=why_not)
    )


def broken_promises(tx: HasConnection, workspace: Workspace) -> str | None:
    """What stands against the guarantee in any store of the workspace; None when nothing does."""
    found = tx.conn.execute(
        select(connections.c.connection, connections.c.not_guaranteed_because)
        .where(connections.c.workspace == workspace, connections.c.not_guaranteed_because.is_not(None))
        .order_by(connections.c.connection)
        .limit(1)
    ).first()
    return None if found is None else f"{found.connection} {found.not_guaranteed_because}"


def note_budget(tx: HasConnection, workspace: Workspace, connection: ConnectionName, percent: int) -> None:
    """The share of the API budget that is free, in percent."""
    tx.conn.execute(
        update(connections)
        .where(connections.c.workspace == workspace, connections.c.connection == connection)
        .values(budget_ratio=percent)
    )


def _upsert(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, kind: str, values: dict[str, Any]
) -> None:
    insert = (postgresql if tx.dialect == "postgresql" else sqlite).insert(connections)
    key = {"workspace": workspace, "connection": connection}
    first = {"kind": kind, "detail": "", "since": tx.now, **values}
    changed = connections.c.health != values["health"]
    tx.conn.execute(
        insert.values(**key, **first).on_conflict_do_update(
            index_elements=list(key),
            set_={**values, "since": case((changed, literal(tx.now, UtcTime())), else_=connections.c.since)},
        )
    )
