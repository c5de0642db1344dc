"""What a courier does next: one small transaction that looks at everything waiting and picks the most urgent.

A write is journaled by the same transaction that picks it, so nothing goes on the wire that is not written down.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from storebridge.connectors.port import EncodedCall, StockWrite
from storebridge.model.ids import CallId, ConnectionName, Workspace
from storebridge.store.database import Tx
from storebridge.store.journal import (
    JournaledCall,
    WaitingIntent,
    count_resend,
    due_call,
    journal_call,
    next_due,
    waiting_intents,
)
from storebridge.store.leases import demand
from storebridge.store.waiting import ClaimedLook, next_look_due, waiting_looks
from storebridge.work.urgency import Urgency, turn_comes_at

Encode = Callable[[Sequence[StockWrite], str, str], EncodedCall]


class Send(msgspec.Struct, frozen=True):
    """Put a journaled call on the wire; ``resent`` when the same bytes may have been there before."""

    call: JournaledCall
    resent: bool


class Read(msgspec.Struct, frozen=True):
    """Read what these looks ask for; all of one kind."""

    kind: str
    looks: tuple[ClaimedLook, ...]


class Idle(msgspec.Struct, frozen=True):
    """Nothing may be done before ``until``; None when nothing waits at all."""

    until: datetime | None


Job = Send | Read | Idle


class Limits(msgspec.Struct, frozen=True):
    """How much one call may carry now, and what this courier must leave alone."""

    rows_per_write: int
    rows_per_read: dict[str, int]
    may_write: bool
    in_flight_looks: frozenset[tuple[str, str]] = frozenset()


class Desk(msgspec.Struct, frozen=True):
    """Whose courier it is, by what lease."""

    workspace: Workspace
    connection: ConnectionName
    owner: str
    epoch: int

    @property
    def lease(self) -> str:
        return f"courier/{self.connection}"


def next_job(tx: Tx, desk: Desk, limits: Limits, encode: Encode, call_id: CallId, key: str) -> Job:
    """Pick the next job; for a new write, journal it. ``call_id`` and ``key`` are used only then."""
    demand(tx, desk.workspace, desk.lease, desk.owner, desk.epoch)
    resend = _due_resend(tx, desk)
    if resend is not None:
        return resend
    intents = _writable(tx, desk, limits)
    looks = _readable(tx, desk, limits)
    if intents and (not looks or _write_goes_first(intents, looks)):
        return _journal(tx, desk, limits, encode, intents, call_id, key)
    if looks:
        return _group(limits, looks)
    return Idle(_next_due(tx, desk))


def _due_resend(tx: Tx, desk: Desk) -> Send | None:
    """The oldest call in doubt that is due; a call on the wire has no due time."""
    call = due_call(tx, desk.workspace, desk.connection)
    if call is None:
        return None
    count_resend(tx, call.call_id)
    return Send(call, resent=True)


def _writable(tx: Tx, desk: Desk, limits: Limits) -> list[WaitingIntent]:
    if not limits.may_write:
        return []
    return waiting_intents(tx, desk.workspace, desk.connection, limits.rows_per_write)


def _readable(tx: Tx, desk: Desk, limits: Limits) -> list[ClaimedLook]:
    room = max(limits.rows_per_read.values()) + len(limits.in_flight_looks)
    found = waiting_looks(tx, desk.workspace, desk.connection, limit=room)
    return [look for look in found if (look.kind, look.key) not in limits.in_flight_looks]


def _write_goes_first(intents: Sequence[WaitingIntent], looks: Sequence[ClaimedLook]) -> bool:
    """Both kinds of job age: where calls are scarce, reads that had waited for longer than their handicap once passed
    every write, and a lower waited for seconds."""
    write_turn = min(turn_comes_at(intent.due_at, Urgency(intent.priority)) for intent in intents)
    return write_turn <= min(turn_comes_at(look.due_at, Urgency(look.urgency)) for look in looks)


def _group(limits: Limits, looks: Sequence[ClaimedLook]) -> Read:
    """All waiting looks of the most urgent one's kind, as many as one read carries."""
    first = min(looks, key=lambda look: (turn_comes_at(look.due_at, Urgency(look.urgency)), look.key))
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
    kind = intents[0].kind
    chosen = _one_row_per_item([i for i in intents if i.kind == kind], limits.rows_per_write)
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
    return Send(call, resent=False)


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


def _next_due(tx: Tx, desk: Desk) -> datetime | None:
    times: Collection[datetime | None] = (
        *next_due(tx, desk.workspace, desk.connection),
        next_look_due(tx, desk.workspace, desk.connection),
    )
    known = [time for time in times if time is not None]
    return max(min(known), tx.now + timedelta(milliseconds=20)) if known else None
