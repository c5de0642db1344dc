"""Whether a read shows what a write to an order did; and what becomes of one that no read shows.

A store may take a change and not show it: somebody changed it again before we read, the store's own job failed, or
the order is gone. Nothing may wait for that read for ever. A read that was stored so late that the change must be in
it, and has it not, ends the wait: the write is undone, with that read as evidence, and a person is told. A later read
that shows it after all proves it.

A write that waits, for its turn or for a person, is dropped with its case once a later one says the same thing anew:
sent after that one, it would bring the old address, number or units back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from storebridge.audit.record import AuditRow, append
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.flows.confirm import is_there, left_of, shows
from storebridge.model.ids import ConnectionName, OrderId, OrderKey, Workspace
from storebridge.model.order_writes import CreateCopy, OrderWrite
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.store.database import Tx
from storebridge.store.order_writes import (
    DONE,
    DROPPED,
    OPEN,
    STOPPED,
    StoredWrite,
    applied_writes,
    renew_write,
    settle_write,
    settled,
    take_back_write,
)
from storebridge.store.sales import OrderFile, add_history, named
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

AGAIN = "a later write changed it again"
BY_OTHERS = "the store shows it without this write"
SHOWN_WITHIN = timedelta(seconds=150)
"""Where a connector does not say (see ``WorkspaceTerms.shown_within``)."""
MOMENT = timedelta(seconds=1)


class ProveWrites:
    """The proofs of one turn. ``wake``: connections whose courier has something to read."""

    def __init__(self, tx: Tx, terms: WorkspaceTerms) -> None:
        self._tx = tx
        self._terms = terms
        self.wake: set[ConnectionName] = set()

    def prove(self, file: OrderFile, writes: Sequence[StoredWrite]) -> list[StoredWrite]:
        """A write is confirmed by a document that was read after it was answered and shows what it did; the writes as
        they are then."""
        documents: dict[ConnectionName, tuple[Order | None, datetime | None]] = {
            copy.connection: (copy.order, copy.read_at) for copy in file.copies
        }
        documents[file.order.connection] = (file.order, file.read_at)
        proven = list(writes)
        for number, write in enumerate(proven):
            shown, read_at = documents.get(write.connection, (None, None))
            if shown is None or read_at is None:
                continue
            if write.state == "refused":
                proven[number] = self._done_by_others(write, shown, read_at)
            if write.state not in ("applied", "undone"):
                continue
            later = [one.write for one in proven[number + 1 :] if one.state in DONE]
            proven[number] = self._judged(write, later, shown, read_at)
        return self.drop_said_anew(proven)

    def _done_by_others(self, write: StoredWrite, shown: Order, read_at: datetime) -> StoredWrite:
        """A refused write that asks for what is there already, read after the refusal: nobody has to decide on it."""
        later = write.settled_at is not None and read_at > write.settled_at
        if not later or not is_there(shown, write.write):
            return write
        return dropped(self._tx, self._terms.workspace, write, BY_OTHERS)

    def drop_said_anew(self, writes: Sequence[StoredWrite], planned: Sequence[OrderWrite] = ()) -> list[StoredWrite]:
        """Of one order's writes those that wait, less what later ones say anew. ``planned``: what this turn wrote down
        beside them. The writes as they are then."""
        return [
            self._less_said_anew(one, [*said_since(writes, one), *planned]) if one.state in STOPPED else one
            for one in writes
        ]

    def _less_said_anew(self, write: StoredWrite, later: Sequence[OrderWrite]) -> StoredWrite:
        left = left_of(write.write, later)
        if left is None:
            return dropped(self._tx, self._terms.workspace, write, AGAIN)
        if left == write.write:
            return write
        renew_write(self._tx, write.write_id, left)
        return replace(write, write=left)

    def _judged(self, write: StoredWrite, later: Sequence[OrderWrite], shown: Order, read_at: datetime) -> StoredWrite:
        if shows(shown, write.write, write.result):
            close_undone(self._tx, self._terms.workspace, write)
            return settled(self._tx, write, "confirmed", result=write.result)
        if write.state == "undone":
            return write
        if left_of(write.write, later) is None:
            return settled(self._tx, write, DROPPED, message=AGAIN)
        ended = self._ended(write, shown.order_id, read_at, "the order was read and does not show it", shown)
        return replace(write, state="undone") if ended else write

    def missing(self, connection: ConnectionName, order_ids: Collection[OrderId]) -> list[OrderKey]:
        """A store was asked for these orders and knows none of them; returns the orders whose writes that ended."""
        if not order_ids:
            return []
        ended = []
        for write in applied_writes(self._tx, self._terms.workspace, connection):
            wanted = write.result.get("order_id") if isinstance(write.write, CreateCopy) else write.write.order_id
            if wanted is None or wanted not in order_ids:
                continue
            if self._ended(write, OrderId(wanted), self._tx.now, "the store does not know this order any more", None):
                ended.append(write.order_key)
        return sorted(set(ended))

    def _ended(self, write: StoredWrite, order_id: OrderId, read_at: datetime, found: str, shown: Order | None) -> bool:
        """Whether what was read is late enough to say that the change is not there; else it is read once more then."""
        taken_at, due = write.settled_at or write.created_at, shown_at(self._terms, write)
        if read_at < due:
            ask = Ask("orders", order_id, int(Urgency.ORDERS), max(due + MOMENT, self._tx.now + MOMENT))
            ask_looks(self._tx, self._terms.workspace, write.connection, [ask])
            self.wake.add(write.connection)
            return False
        changed = "" if shown is None else shown.updated_at.isoformat()
        evidence = {"taken at": taken_at.isoformat(), "read at": read_at.isoformat(), "last changed": changed}
        self._undone(write, found, {name: value for name, value in evidence.items() if value})
        return True

    def _undone(self, write: StoredWrite, found: str, evidence: dict[str, Any]) -> None:
        workspace, actor = self._terms.workspace, str(write.connection)
        settle_write(self._tx, write.write_id, "undone", code="undone", message=found, result=write.result)
        detail = {"what": _kind_of(write), "purpose": write.purpose, **evidence}
        add_history(self._tx, workspace, [(write.order_key, "write_undone", actor, detail)])
        row = AuditRow(
            workspace=workspace, kind="order_write_undone", subject=write.order_key, actor=actor, record=detail
        )
        append(self._tx, [row])
        opening = CaseOpening(
            workspace=workspace,
            reason=Reason.ORDER_WRITE_UNDONE,
            subject=_subject(write),
            connection=write.connection,
            details={**named(self._tx, workspace, write.order_key), **detail, "found": found},
        )
        raise_cases(self._tx, [opening])


def shown_at(terms: WorkspaceTerms, write: StoredWrite) -> datetime:
    """From when on a read shows what a write did, if it did anything."""
    within = terms.shown_within.get(write.connection)
    return (write.settled_at or write.created_at) + (SHOWN_WITHIN if within is None else timedelta(seconds=within))


def close_undone(tx: Tx, workspace: Workspace, write: StoredWrite) -> None:
    """The store shows what this write did: a case that it was undone is over, whether it was sent once more or not."""
    if write.state in ("undone", "planned") or write.attempts > 1:
        settle_by_proof(tx, workspace, [(Reason.ORDER_WRITE_UNDONE, _subject(write), "the store shows it")])


def said_since(writes: Sequence[StoredWrite], write: StoredWrite) -> list[OrderWrite]:
    """Of an order's writes, oldest first, those after this one that took effect or still may."""
    ids = [one.write_id for one in writes]
    later = writes[ids.index(write.write_id) + 1 :]
    return [one.write for one in later if one.state in (*OPEN, "confirmed")]


def dropped(tx: Tx, workspace: Workspace, write: StoredWrite, why: str) -> StoredWrite:
    """A write that waits is given up, and its cases are over; as it is where it went out meanwhile."""
    if not take_back_write(tx, write.write_id, why):
        return write
    close_stopped(tx, workspace, write, why)
    return replace(write, state=DROPPED, message=why)


def close_stopped(tx: Tx, workspace: Workspace, write: StoredWrite, proof: str) -> None:
    """Nobody has to decide any more whether a write is sent once more."""
    reasons = (Reason.ORDER_WRITE_REFUSED, Reason.ORDER_WRITE_UNDONE)
    settle_by_proof(tx, workspace, [(reason, _subject(write), proof) for reason in reasons])


def _subject(write: StoredWrite) -> str:
    return f"{write.order_key}/{write.purpose}"


def _kind_of(write: StoredWrite) -> str:
    return str(write.write.__struct_config__.tag)
