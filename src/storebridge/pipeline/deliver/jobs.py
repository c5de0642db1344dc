"""What a courier does next: one small transaction that looks at everything waiting and picks the most urgent.

A write is journaled by the same transaction that picks it, so nothing goes on the wire that is not written down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from storebridge.connectors.port import EncodedCall, StockWrite
from storebridge.model.ids import CallId, ConnectionName, Workspace
from storebridge.store.database import Tx
from storebridge.store.due import Earliest, earliest_due
from storebridge.store.journal import (
    JournaledCall,
    WaitingIntent,
    count_resend,
    due_call,
    journal_call,
    make_open_calls_due,
    waiting_intents,
)
from storebridge.store.leases import demand, take
from storebridge.store.marks import load_mark
from storebridge.store.waiting import ClaimedLook, gathering_looks, oldest_by_urgency, waiting_looks
from storebridge.work.urgency import Urgency, turn_comes_at

WRITING_LOOKS = frozenset({"order_write"})
"""Kinds whose errand writes to the store."""
GATHERED = "orders"
"""The kind of look that waits for a beat (normalize/dispatch.py), so that one read serves many."""
HEAD = 32
"""Waiting looks that are read first; of a long list that is often all that a pick needs."""
SHORTEST_PAUSE = timedelta(milliseconds=20)
HEARD_SOON = timedelta(seconds=30)
"""A write waits for a read to be answered only where one is due within this time."""
Encode = Callable[[Sequence[StockWrite], str, str], EncodedCall]


class Send(msgspec.Struct, frozen=True):
    """Put a journaled call on the wire; ``resent`` when the same bytes may have been there before."""

    call: JournaledCall
    resent: bool
    taken_at: datetime
    """On the clock by which the call was sent first, which is the database's."""


class Read(msgspec.Struct, frozen=True):
    """Read what these looks ask for; all of one kind."""

    kind: str
    looks: tuple[ClaimedLook, ...]


class Idle(msgspec.Struct, frozen=True):
    """Nothing may be done for ``pause``; None when nothing waits at all. Not a moment: this process's clock may be
    another than the database's, and one that was ahead would look for work without a pause."""

    pause: timedelta | None


Job = Send | Read | Idle


class Limits(msgspec.Struct, frozen=True):
    """How much one call may carry now, and what this courier must leave alone."""

    rows_per_write: int
    rows_per_read: dict[str, int]
    may_write: bool
    in_flight_looks: frozenset[tuple[str, str]] = frozenset()
    marked_since: datetime | None = None
    """Nothing is written before a store's mark was compared after this moment; None: no store of ours bears one."""
    plenty: bool = False
    """The store has so much budget to spare that a full read need not wait for its beat."""
    reads_first: bool = False
    """The store left the last call unanswered, and a write that is lost there may become a person's question: nothing
    new is written before the store answers anything."""


class Desk(msgspec.Struct, frozen=True):
    """Whose courier it is, by what lease."""

    workspace: Workspace
    connection: ConnectionName
    owner: str
    epoch: int

    @property
    def lease(self) -> str:
        return f"courier/{self.connection}"


def take_desk(
    tx: Tx, workspace: Workspace, connection: ConnectionName, owner: str, seconds: float, *, held: Desk | None
) -> Desk | None:
    """Take or renew a connection's lease; None while another worker holds it. Whoever comes anew does not know which
    open calls still go on: all are due, to be asked about."""
    epoch = take(tx, workspace, f"courier/{connection}", owner, seconds)
    if epoch is None:
        return None
    desk = Desk(workspace, connection, owner, epoch)
    if desk != held:
        make_open_calls_due(tx, workspace, connection)
    return desk


def next_job(tx: Tx, desk: Desk, limits: Limits, encode: Encode, call_id: CallId, key: str) -> Job:
    """Pick the next job; for a new write, journal it. ``call_id`` and ``key`` are used only then."""
    demand(tx, desk.workspace, desk.lease, desk.owner, desk.epoch)
    due = earliest_due(tx, desk.workspace, desk.connection)
    looks = _readable(tx, desk, limits) if _has_come(due.look, tx.now) else []
    writes = _has_come(due.call, tx.now) or _has_come(due.intent, tx.now)
    if (writes or any(look.kind in WRITING_LOOKS for look in looks)) and not _is_marked(tx, desk, limits):
        looks = [look for look in looks if look.kind not in WRITING_LOOKS]
        return _group(limits, looks) if looks else Idle(None)
    resend = _due_resend(tx, desk) if _has_come(due.call, tx.now) else None
    if resend is not None:
        return resend
    may_begin = _has_come(due.intent, tx.now) and not (limits.reads_first and _has_come(due.look, tx.now + HEARD_SOON))
    intents = _writable(tx, desk, limits) if may_begin else []
    if intents and (not looks or _write_goes_first(intents, looks)):
        return _journal(tx, desk, limits, encode, intents, call_id, key)
    if looks:
        return _group(limits, looks)
    full = _full_read(tx, desk, limits) if limits.plenty and due.look is not None else None
    return full or Idle(_until_due(tx, desk, due))


def _has_come(due_at: datetime | None, now: datetime) -> bool:
    return due_at is not None and due_at <= now


def _is_marked(tx: Tx, desk: Desk, limits: Limits) -> bool:
    """Whether our books are known to be as new as what we wrote, and nobody else keeps these stores in step."""
    if limits.marked_since is None:
        return True
    mark = load_mark(tx, desk.workspace)
    return mark is not None and mark.allows_writing(limits.marked_since)


def _due_resend(tx: Tx, desk: Desk) -> Send | None:
    """The oldest call in doubt that is due; a call on the wire has no due time."""
    call = due_call(tx, desk.workspace, desk.connection)
    if call is None:
        return None
    count_resend(tx, call.call_id)
    return Send(call, resent=True, taken_at=tx.now)


def _writable(tx: Tx, desk: Desk, limits: Limits) -> list[WaitingIntent]:
    if not limits.may_write:
        return []
    return waiting_intents(tx, desk.workspace, desk.connection, limits.rows_per_write)


def _readable(tx: Tx, desk: Desk, limits: Limits) -> list[ClaimedLook]:
    """Looks that are due and that nobody reads, most urgent first: of a long list as many as the pick depends on."""
    found, whole = _due_looks(tx, desk, limits, HEAD)
    if whole:
        return found
    picked = _group(limits, found)
    if len(picked.looks) < limits.rows_per_read[picked.kind]:
        found, whole = _due_looks(tx, desk, limits, max(limits.rows_per_read.values()))
    return found if whole else [*found, *_passed_over(tx, desk, limits, found)]


def _due_looks(
    tx: Tx, desk: Desk, limits: Limits, several: int, *, beyond: int | None = None
) -> tuple[list[ClaimedLook], bool]:
    """The first of them, ``several`` at least where so many wait, and whether these are all."""
    room = several + len(limits.in_flight_looks)
    found = waiting_looks(tx, desk.workspace, desk.connection, limit=room, beyond=beyond)
    return [look for look in found if (look.kind, look.key) not in limits.in_flight_looks], len(found) < room


def _passed_over(tx: Tx, desk: Desk, limits: Limits, found: Sequence[ClaimedLook]) -> list[ClaimedLook]:
    """Less urgent looks behind a long list, where one of them has waited so long that its turn comes first."""
    turn, last = min(_turn_of(look) for look in found), found[-1].urgency
    oldest = oldest_by_urgency(tx, desk.workspace, desk.connection, beyond=last)
    if all(turn_comes_at(due_at, Urgency(urgency)) > turn for urgency, due_at in oldest.items()):
        return []
    return _due_looks(tx, desk, limits, max(limits.rows_per_read.values()), beyond=last)[0]


def _turn_of(look: ClaimedLook) -> datetime:
    return turn_comes_at(look.due_at, Urgency(look.urgency))


def _full_read(tx: Tx, desk: Desk, limits: Limits) -> Read | None:
    """As many looks as a read carries, though their beat is still to come: waiting longer would save no call."""
    rows = limits.rows_per_read[GATHERED]
    flying = {key for kind, key in limits.in_flight_looks if kind == GATHERED}
    found = gathering_looks(
        tx, desk.workspace, desk.connection, GATHERED, int(Urgency.ORDERS), limit=rows + len(flying)
    )
    free = [look for look in found if look.key not in flying]
    return Read(GATHERED, tuple(free[:rows])) if len(free) >= rows else None


def _write_goes_first(intents: Sequence[WaitingIntent], looks: Sequence[ClaimedLook]) -> bool:
    """Both kinds of job age: where calls are scarce, reads that had waited for longer than their handicap once passed
    every write, and a lower waited for seconds."""
    write_turn = min(turn_comes_at(intent.due_at, Urgency(intent.priority)) for intent in intents)
    return write_turn <= min(_turn_of(look) for look in looks)


def _group(limits: Limits, looks: Sequence[ClaimedLook]) -> Read:
    """All waiting looks of the most urgent one's kind, as many as one read carries. ``looks`` are in the order of their
    urgency and time, so the first of each urgency stands for it."""
    oldest: dict[int, ClaimedLook] = {}
    for look in looks:
        oldest.setdefault(look.urgency, look)
    first = min(oldest.values(), key=lambda look: (_turn_of(look), look.key))
    same = [look for look in looks if look.kind == first.kind]
    return Read(first.kind, tuple(same[: limits.rows_per_read[first.kind]]))


def _journal(
    tx: Tx,
    desk: Desk,
    limits: Limits,
    encode: Encode,
    intents: Sequence[WaitingIntent],
    call_id: CallId,
    key: str,
) -> Send:
    chosen = _one_row_per_item([i for i in intents if _goes_with(i, intents[0])], limits.rows_per_write)
    encoded = encode([_as_write(intent) for intent in chosen], key, call_id)
    call = JournaledCall(
        call_id=call_id,
        connection=desk.connection,
        operation=encoded.operation,
        method=encoded.method,
        path=encoded.path,
        body=encoded.body,
        idempotency_key=encoded.key,
        intents=encoded.intents,
        sends=1,
        first_sent_at=tx.now,
        due_at=None,
    )
    journal_call(tx, desk.workspace, call)
    return Send(call, resent=False, taken_at=tx.now)


def _goes_with(intent: WaitingIntent, first: WaitingIntent) -> bool:
    """A row that somebody waits for at a checkout is not put at risk by a stale row of other work (S2)."""
    waited_for = Urgency.CHECKOUT in (intent.priority, first.priority)
    return intent.kind == first.kind and (not waited_for or intent.priority == first.priority)


def _one_row_per_item(intents: Sequence[WaitingIntent], limit: int) -> list[WaitingIntent]:
    """At most one row per counter: vendors refuse a call that names one twice."""
    chosen: dict[tuple[str, str], WaitingIntent] = {}
    for intent in intents:
        chosen.setdefault((intent.item_id, intent.location_id), intent)
    return list(chosen.values())[:limit]


def _as_write(intent: WaitingIntent) -> StockWrite:
    return StockWrite(
        intent_id=intent.intent_id,
        item_id=intent.item_id,
        location_id=intent.location_id,
        from_level=intent.from_level,
        to_level=intent.to_level,
        version=intent.version,
        native_id=intent.native_id,
        as_adjustment=intent.kind == "adjust",
        activate=intent.kind == "activate",
    )


def _until_due(tx: Tx, desk: Desk, due: Earliest) -> timedelta | None:
    """What is due already waits for a free hand, or is being read: its end is what counts, not the time."""
    if _has_come(due.first, tx.now):
        due = earliest_due(tx, desk.workspace, desk.connection, after=tx.now)
    return None if due.first is None else max(due.first - tx.now, SHORTEST_PAUSE)
