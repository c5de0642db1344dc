"""Connections as stored: how each store is, and what it said about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, case, func, select, update

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import connections
from storebridge.store.tallies import CALLS, add_tallies
from storebridge.store.upserts import upsert


def note_health(tx: HasConnection, workspace: Workspace, connection: ConnectionName, health: str, detail: str) -> None:
    """``health`` is ok | slow | down | refusing | unauthorized | read_only | unknown; ``since`` moves only when it
    changes."""
    row = {
        "workspace": workspace,
        "connection": connection,
        "kind": "unknown",
        "health": health,
        "detail": detail[:500],
        "since": tx.now,
        "last_answer_at": tx.now if health == "ok" else None,
    }
    _NOTE_HEALTH.run_many(tx, [row])


_NOTE_HEALTH = upsert(
    connections,
    ("workspace", "connection"),
    ("workspace", "connection", "kind", "health", "detail", "since", "last_answer_at"),
    lambda new: {
        "health": new.health,
        "detail": new.detail,
        "since": case((connections.c.health != new.health, new.since), else_=connections.c.since),
        "last_answer_at": func.coalesce(new.last_answer_at, connections.c.last_answer_at),
    },
)


def was_looked_at(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> bool:
    """Whether a probe of the store was ever kept."""
    return _LOOKED_AT.first(tx, w=workspace, c=connection) is not None


_MINE = (connections.c.workspace == bindparam("w")) & (connections.c.connection == bindparam("c"))
_LOOKED_AT = Prepared(select(connections.c.last_answer_at).where(_MINE, connections.c.facts.is_not(None)))


def save_facts(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    kind: str,
    facts: dict[str, Any],
    can_write: bool,
) -> None:
    """Keep what a probe found."""
    _SAVE_FACTS.run(
        tx,
        workspace=workspace,
        connection=connection,
        kind=kind,
        facts=facts,
        can_write=can_write,
        health="ok" if can_write else "read_only",
        last_answer_at=tx.now,
        since=tx.now,
        detail="",
    )


_FOUND = ("kind", "facts", "can_write", "health", "last_answer_at")
_SAVE_FACTS = upsert(
    connections,
    ("workspace", "connection"),
    ("workspace", "connection", *_FOUND, "since", "detail"),
    lambda new: {
        **{name: new[name] for name in _FOUND},
        "since": case((connections.c.health != new.health, new.since), else_=connections.c.since),
    },
)


def note_promise(tx: HasConnection, workspace: Workspace, connection: ConnectionName, why_not: str | None) -> None:
    """Why zero oversell cannot be promised with this store at all; None when nothing of the store stands against it."""
    _NOTE_PROMISE.run(tx, w=workspace, c=connection, why=why_not)


_NOTE_PROMISE = Prepared(update(connections).where(_MINE).values(not_guaranteed_because=bindparam("why")))


def broken_promises(tx: HasConnection, workspace: Workspace) -> str | None:
    """What stands against the guarantee in any store of the workspace; None when nothing does."""
    found = _BROKEN_PROMISES.first(tx, w=workspace)
    return None if found is None else f"{found[0]} {found[1]}"


_BROKEN_PROMISES = Prepared(
    select(connections.c.connection, connections.c.not_guaranteed_because)
    .where(connections.c.workspace == bindparam("w"), connections.c.not_guaranteed_because.is_not(None))
    .order_by(connections.c.connection)
)


def note_calls(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    counts: Mapping[tuple[str, str], int],
    percent: int,
) -> None:
    """How often a store was called since the last time, and the share of its call budget that is free, in percent."""
    names = {f"{CALLS}{operation}/{outcome}": count for (operation, outcome), count in sorted(counts.items())}
    add_tallies(tx, workspace, connection, names)
    _NOTE_BUDGET.run(tx, w=workspace, c=connection, percent=percent)


_NOTE_BUDGET = Prepared(update(connections).where(_MINE).values(budget_ratio=bindparam("percent")))
