"""The guards of checkouts, as stored: whether the store asks, how soon it is answered, what went past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.checkouts import GuardMode
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables_checkouts import checkout_guards


class StoredGuard(msgspec.Struct, frozen=True):
    """One store's guard."""

    connection: ConnectionName
    mode: str
    since: datetime
    why: str
    proven_at: datetime | None
    past_at: datetime | None
    orders_past: int
    units_past: int
    probes: list[int]
    """Milliseconds of the latest own probes, oldest first; -1 for one that failed."""
    probed_at: datetime | None


_GUARDS = Prepared(
    select(*(checkout_guards.c[name] for name in StoredGuard.__struct_fields__))
    .where(checkout_guards.c.workspace == bindparam("w"))
    .order_by(checkout_guards.c.connection)
)


def guards_of(tx: HasConnection, workspace: Workspace) -> list[StoredGuard]:
    """Every guard that was ever looked at."""
    return [StoredGuard(*row) for row in _GUARDS.all(tx, w=workspace)]


def guard_of(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> StoredGuard | None:
    return next((guard for guard in guards_of(tx, workspace) if guard.connection == connection), None)


def begin_guard(tx: HasConnection, workspace: Workspace, connection: ConnectionName, why: str) -> None:
    """Note a guard that was not looked at before; until it is proven, shares hold."""
    insert = (postgresql if tx.dialect == "postgresql" else sqlite).insert(checkout_guards)
    row = {
        "workspace": workspace,
        "connection": connection,
        "mode": GuardMode.SHARES.value,
        "since": tx.now,
        "why": why,
        "orders_past": 0,
        "units_past": 0,
        "probes": [],
    }
    tx.conn.execute(insert.values(**row).on_conflict_do_nothing())


def note_asked(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> bool:
    """The store asked for the first time; False when that is no news."""
    mine = _mine(workspace, connection) & checkout_guards.c.proven_at.is_(None)
    return tx.conn.execute(update(checkout_guards).where(mine).values(proven_at=tx.now)).rowcount == 1


def note_past(tx: HasConnection, workspace: Workspace, connection: ConnectionName, orders: int, units: int) -> None:
    """Orders went past the guard."""
    tx.conn.execute(
        update(checkout_guards)
        .where(_mine(workspace, connection))
        .values(
            past_at=tx.now,
            orders_past=checkout_guards.c.orders_past + orders,
            units_past=checkout_guards.c.units_past + units,
        )
    )


def save_probes(tx: HasConnection, workspace: Workspace, connection: ConnectionName, probes: Sequence[int]) -> None:
    _set(tx, workspace, connection, probes=list(probes), probed_at=tx.now)


def save_mode(tx: HasConnection, workspace: Workspace, connection: ConnectionName, mode: GuardMode, why: str) -> None:
    """The mode has changed, and why."""
    _set(tx, workspace, connection, mode=mode.value, why=why, since=tx.now)


def _set(tx: HasConnection, workspace: Workspace, connection: ConnectionName, **values: Any) -> None:
    tx.conn.execute(update(checkout_guards).where(_mine(workspace, connection)).values(**values))


def _mine(workspace: Workspace, connection: ConnectionName) -> Any:
    return (checkout_guards.c.workspace == workspace) & (checkout_guards.c.connection == connection)
