"""Orders of the past: asked for once, carried out by the workers when nothing else is to be done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.errors import NotFoundError, OutOfRangeError, RefusedError
from storebridge.model.ids import ConnectionName
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.list_orders import refuse_unkept
from storebridge.reconcile.backfill import ask_backfill
from storebridge.store.backfills import (
    Backfill,
    BackfillStage,
    BackfillState,
    end_backfill,
    insert_backfill,
    latest_backfills,
    open_backfill,
)
from storebridge.store.books import count_payouts
from storebridge.store.database import Store, Tx

MOST_DAYS = 3650


class BackfillView(msgspec.Struct, frozen=True):
    """How far the last backfill of one store is."""

    connection: ConnectionName
    state: str
    """waiting | running | done | cancelled | stopped"""
    since: datetime
    asked_at: datetime
    asked_by: str
    copy: bool
    reached: datetime | None
    """When the oldest order listed so far was placed; the newest come first."""
    percent: int
    """Of the period, by ``reached``; 99 while books are read."""
    listed: int
    read: int
    """Orders of these that were not known, or not as they are now."""
    booked: int
    """Entries of the payment provider's books, read after the orders, that were not known, or not as they are now."""
    stage: str
    """What is read, or was last: orders | payouts | payout_entries | entries"""
    payouts: int
    """While books are read: payouts of the period that are known by now; else 0."""
    payouts_read: int
    """Of these, those whose entries were read."""
    note: str
    ended_at: datetime | None


class Backfills(msgspec.Struct, frozen=True):
    """The last backfill of every store that had one."""

    stores: list[BackfillView]
    wake: frozenset[ConnectionName] = frozenset()


def start_backfill(
    tx: Tx, terms: WorkspaceTerms, days: int, *, copy: bool, connection: str | None, actor: str
) -> Backfills:
    """Ask for the last ``days`` days of orders of every store, or of one. Raises RefusedError, NotFoundError,
    ConfigurationError; then nothing was changed."""
    refuse_unkept(terms)
    if not 0 < days <= MOST_DAYS:
        raise OutOfRangeError(f"{days} days of orders cannot be read: give 1 to {MOST_DAYS}. Nothing was begun.")
    if copy and terms.copy_to is None:
        raise RefusedError("There is nowhere to copy to: set copy_to under orders first, or leave out --copy.")
    if connection is not None and connection not in terms.connections:
        raise NotFoundError(f"{connection!r} is not one of the stores ({', '.join(terms.connections)}).")
    chosen = terms.connections if connection is None else (ConnectionName(connection),)
    busy = [name for name in chosen if open_backfill(tx, terms.workspace, name) is not None]
    if busy:
        raise RefusedError(f"A backfill of {', '.join(busy)} is not ended yet: wait for it, or cancel it first.")
    since = tx.now - timedelta(days=days)
    for name in chosen:
        insert_backfill(tx, terms.workspace, name, since, copy=copy, asked_by=actor)
        ask_backfill(tx, terms, name, tx.now)
    _audit(tx, terms, "backfill_asked", chosen, actor, {"days": days, "copy": copy})
    return Backfills(read_backfills(tx, terms), frozenset(chosen))


def cancel_backfill(tx: Tx, terms: WorkspaceTerms, *, actor: str) -> Backfills:
    """Read no more; what was read stays, and what was asked to be copied is. Raises NotFoundError when none runs."""
    found = [open_backfill(tx, terms.workspace, name) for name in terms.connections]
    ended = [one for one in found if one is not None and end_backfill(tx, one.number, BackfillState.CANCELLED)]
    if not ended:
        raise NotFoundError("No backfill is under way.")
    _audit(tx, terms, "backfill_cancelled", [one.connection for one in ended], actor, {})
    return Backfills(read_backfills(tx, terms))


def read_backfills(tx: Tx, terms: WorkspaceTerms) -> list[BackfillView]:
    """The last one of each store, inside a transaction."""
    return [_as_view(one, _payouts_of(tx, terms, one)) for one in latest_backfills(tx, terms.workspace)]


def _payouts_of(tx: Tx, terms: WorkspaceTerms, one: Backfill) -> tuple[int, int]:
    """Read and known, while the books are read."""
    if one.stage is BackfillStage.ORDERS or one.ended_at is not None:
        return 0, 0
    return count_payouts(tx, terms.workspace, one.connection, one.since)


async def list_backfills(store: Store, terms: WorkspaceTerms) -> Backfills:
    """The last one of each store."""
    return Backfills(await store.read(read_backfills, terms))


def _percent(one: Backfill) -> int:
    if one.state is BackfillState.DONE:
        return 100
    if one.stage is not BackfillStage.ORDERS:
        return 99
    whole, gone = one.until - one.since, one.until - (one.reached or one.until)
    return min(99, int(100 * gone / whole)) if whole else 0


def _as_view(one: Backfill, payouts: tuple[int, int]) -> BackfillView:
    return BackfillView(
        connection=one.connection,
        state=one.state.value,
        since=one.since,
        asked_at=one.until,
        asked_by=one.asked_by,
        copy=one.copy,
        reached=one.reached,
        percent=_percent(one),
        listed=one.listed,
        read=one.read,
        booked=one.booked,
        stage=one.stage.value,
        payouts=payouts[1],
        payouts_read=payouts[0],
        note=one.note,
        ended_at=one.ended_at,
    )


def is_open(one: BackfillView) -> bool:
    """Whether there is still something to read."""
    return one.ended_at is None


def backfill_line(one: BackfillView) -> str:
    """A backfill as a person reads it."""
    copied = ", to be copied" if one.copy else ""
    note = f" {one.note}" if one.note else ""
    return (
        f"Backfill of {one.connection} since {one.since:%Y-%m-%d}{copied}: {one.state}, {one.percent} %, "
        f"{one.listed} orders listed, {one.read} of them read{_books_line(one)}.{note}"
    )


def _books_line(one: BackfillView) -> str:
    """How far the books are: they are read after the orders."""
    entries = f"{one.booked} {'entry' if one.booked == 1 else 'entries'}"
    if one.stage == BackfillStage.ORDERS or not is_open(one):
        return f", {entries} of its provider's books" if one.booked else ""
    reading = "; now its provider's books are being read"
    if one.stage == BackfillStage.PAYOUTS:
        return f"{reading}: {one.payouts} payouts listed"
    return f"{reading}: {one.payouts_read} of {one.payouts} payouts, {entries}"


def _audit(
    tx: Tx, terms: WorkspaceTerms, kind: str, stores: Iterable[str], actor: str, record: dict[str, object]
) -> None:
    subject = ", ".join(stores)
    append(tx, [AuditRow(workspace=terms.workspace, kind=kind, subject=subject, actor=actor, record=record)])
