"""Orders of the past that are to be read: one row for each request and store, from which a dead process is resumed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, OrderKey, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import copies
from storebridge.store.tables_backfills import backfills

ASKED = "asked"
"""State of a copy that was asked for by a backfill: its order may be older than copying."""


class BackfillState(StrEnum):
    """How far a backfill of one store is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    """The store refuses; ``note`` says why."""


class BackfillStage(StrEnum):
    """What a backfill reads now; the books of a payment provider come after all orders."""

    ORDERS = "orders"
    PAYOUTS = "payouts"
    PAYOUT_ENTRIES = "payout_entries"
    ENTRIES = "entries"


class Backfill(msgspec.Struct, frozen=True):
    """One store's part of a request."""

    number: int
    connection: ConnectionName
    state: BackfillState
    since: datetime
    until: datetime
    copy: bool
    asked_by: str
    page: str | None
    reached: datetime | None
    listed: int
    read: int
    note: str
    ended_at: datetime | None
    stage: BackfillStage
    booked: int
    """Entries of the provider's books that were new, or said something else than before."""


_COLUMNS = tuple(backfills.c[name] for name in Backfill.__struct_fields__)
_OPEN = Prepared(
    select(*_COLUMNS)
    .where(
        backfills.c.workspace == bindparam("w"),
        backfills.c.connection == bindparam("c"),
        backfills.c.ended_at.is_(None),
    )
    .order_by(backfills.c.number)
    .limit(1)
)


def insert_backfill(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime, *, copy: bool, asked_by: str
) -> None:
    """Ask for one store's orders from ``since`` until now."""
    values = {"workspace": workspace, "connection": connection, "since": since, "copy": copy, "asked_by": asked_by}
    state = BackfillState.WAITING.value
    tx.conn.execute(insert(backfills).values(**values, until=tx.now, state=state, listed=0, read=0, note=""))


def open_backfill(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> Backfill | None:
    """The one that is not ended, of this store."""
    row = _OPEN.first(tx, w=workspace, c=connection)
    return None if row is None else _backfill(row)


def latest_backfills(tx: HasConnection, workspace: Workspace) -> list[Backfill]:
    """The last one of each store, by the stores' names."""
    mine = backfills.c.workspace == workspace
    found = tx.conn.execute(select(*_COLUMNS).where(mine).order_by(backfills.c.number))
    newest = {one.connection: one for one in map(_backfill, found)}
    return [newest[name] for name in sorted(newest)]


def _backfill(row: Iterable[Any]) -> Backfill:
    values = dict(zip(Backfill.__struct_fields__, row, strict=True))
    told = {"state": BackfillState(values["state"]), "stage": BackfillStage(values["stage"])}
    return Backfill(**{**values, **told})


def advance_backfill(
    tx: HasConnection, before: Backfill, *, page: str | None, reached: datetime | None, listed: int, read: int
) -> bool:
    """One page further; False when it was cancelled, or somebody else took this page, meanwhile."""
    same = backfills.c.page.is_(None) if before.page is None else backfills.c.page == before.page
    mine = (backfills.c.number == before.number) & backfills.c.ended_at.is_(None) & same
    values = {
        "page": page,
        "reached": reached or before.reached,
        "listed": backfills.c.listed + listed,
        "read": backfills.c.read + read,
        "state": BackfillState.RUNNING.value,
    }
    still = mine & (backfills.c.listed == before.listed)
    return tx.conn.execute(update(backfills).where(still).values(**values)).rowcount == 1


def begin_books(tx: HasConnection, number: int) -> None:
    """All orders were read; what a payment provider booked for them comes next."""
    mine = (backfills.c.number == number) & backfills.c.ended_at.is_(None)
    tx.conn.execute(update(backfills).where(mine).values(stage=BackfillStage.PAYOUTS.value, page=None))


def advance_books(
    tx: HasConnection, before: Backfill, *, stage: BackfillStage, page: str | None, booked: int = 0
) -> bool:
    """One step further in the provider's books; False when it was cancelled, or somebody else took it, meanwhile."""
    same = backfills.c.page.is_(None) if before.page is None else backfills.c.page == before.page
    mine = (backfills.c.number == before.number) & backfills.c.ended_at.is_(None) & same
    still = mine & (backfills.c.stage == before.stage.value) & (backfills.c.booked == before.booked)
    values = {"stage": stage.value, "page": page, "booked": backfills.c.booked + booked}
    return tx.conn.execute(update(backfills).where(still).values(**values)).rowcount == 1


def end_backfill(tx: HasConnection, number: int, state: BackfillState, note: str = "") -> bool:
    """It is over; False when it was already."""
    mine = (backfills.c.number == number) & backfills.c.ended_at.is_(None)
    values = {"state": state.value, "ended_at": tx.now} | ({"note": note} if note else {})
    return tx.conn.execute(update(backfills).where(mine).values(**values)).rowcount == 1


def note_of_backfill(tx: HasConnection, number: int, since: datetime, note: str) -> None:
    """Less than was asked for can be had."""
    tx.conn.execute(update(backfills).where(backfills.c.number == number).values(since=since, note=note))


def ask_for_copies(
    tx: HasConnection, workspace: Workspace, target: ConnectionName, stamps: Collection[tuple[OrderKey, str]]
) -> None:
    """These orders (key and stamp) may be copied, however old they are; what is known of their copies stays."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    statement = dialect.insert(copies).on_conflict_do_nothing(index_elements=["workspace", "order_key", "connection"])
    rows = [
        {"workspace": workspace, "order_key": key, "connection": target, "stamp": stamp, "state": ASKED}
        for key, stamp in stamps
    ]
    if rows:
        tx.conn.execute(statement, rows)
