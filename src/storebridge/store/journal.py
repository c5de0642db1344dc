"""The journal: intents planned by lanes, and calls written down before they go on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update

from storebridge.model.ids import CallId, ConnectionName, IntentId, ItemId, LaneKey, LocationId, Workspace
from storebridge.model.stock import PositionKey
from storebridge.store.columns import fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import calls, intents


class WaitingIntent(msgspec.Struct, frozen=True):
    """An intent that may be sent."""

    intent_id: IntentId
    lane: LaneKey
    item_id: ItemId
    location_id: LocationId
    kind: str
    from_level: int
    to_level: int
    version: str | None
    native_id: str | None
    priority: int
    due_at: datetime


class JournaledCall(msgspec.Struct, frozen=True):
    """A call as it was, or will be, sent."""

    call_id: CallId
    connection: ConnectionName
    operation: str
    method: str
    path: str
    body: bytes
    idempotency_key: str
    intents: tuple[IntentId, ...]
    sends: int
    first_sent_at: datetime | None
    due_at: datetime | None


class SettledRow(msgspec.Struct, frozen=True):
    """What became of one intent."""

    intent_id: IntentId
    state: str
    code: str = ""
    evidence: Mapping[str, Any] | None = None


INTENT_COLUMNS = (
    "intent_id",
    "workspace",
    "lane",
    "connection",
    "item_id",
    "location_id",
    "kind",
    "from_level",
    "to_level",
    "version",
    "native_id",
    "priority",
    "state",
    "reason",
    "created_at",
    "due_at",
)
_PLAN_INTENT = Prepared(insert(intents).inline(), columns=INTENT_COLUMNS)
_SUPERSEDE = Prepared(
    update(intents)
    .where(one_of(intents.c.intent_id, "ids"), intents.c.state == fixed("planned"))
    .values(state="superseded", settled_at=bindparam("now"))
)


def plan_intents(tx: HasConnection, rows: Sequence[Mapping[str, object]]) -> None:
    """New intents in state ``planned``; each row with ``INTENT_COLUMNS``."""
    _PLAN_INTENT.run_many(tx, rows)


def supersede_intents(tx: HasConnection, intent_ids: Sequence[IntentId]) -> None:
    """Take back intents that were never sent: a newer plan replaces them."""
    if intent_ids:
        _SUPERSEDE.run(tx, ids=intent_ids, now=tx.now)


_SELECT_WAITING = (
    select(
        intents.c.intent_id,
        intents.c.lane,
        intents.c.item_id,
        intents.c.location_id,
        intents.c.kind,
        intents.c.from_level,
        intents.c.to_level,
        intents.c.version,
        intents.c.native_id,
        intents.c.priority,
        intents.c.due_at,
    )
    .where(
        intents.c.workspace == bindparam("w"),
        intents.c.connection == bindparam("c"),
        intents.c.state == fixed("planned"),
        intents.c.due_at <= bindparam("now"),
    )
    .order_by(intents.c.priority, intents.c.due_at, intents.c.intent_id)
    .limit(bindparam("n"))
)
_WAITING_INTENTS = Prepared(_SELECT_WAITING, postgresql=_SELECT_WAITING.with_for_update(skip_locked=True))


def waiting_intents(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, limit: int
) -> list[WaitingIntent]:
    """Intents that are due, most urgent first; locked on PostgreSQL so that no second courier takes them."""
    found = _WAITING_INTENTS.all(tx, w=workspace, c=connection, now=tx.now, n=limit)
    return [WaitingIntent(*row) for row in found]


_JOURNAL_CALL = Prepared(
    insert(calls).inline(),
    columns=(
        "call_id",
        "workspace",
        "connection",
        "operation",
        "method",
        "path",
        "body",
        "idempotency_key",
        "intents",
        "state",
        "sends",
        "first_sent_at",
        "last_sent_at",
    ),
)
_MARK_SENT = Prepared(
    update(intents).where(one_of(intents.c.intent_id, "ids")).values(state="sent", call_id=bindparam("call"))
)


def journal_call(tx: HasConnection, workspace: Workspace, call: JournaledCall) -> None:
    """Write a call down, and mark its intents as sent, before it goes on the wire (I3)."""
    _JOURNAL_CALL.run(
        tx,
        call_id=call.call_id,
        workspace=workspace,
        connection=call.connection,
        operation=call.operation,
        method=call.method,
        path=call.path,
        body=call.body,
        idempotency_key=call.idempotency_key,
        intents=list(call.intents),
        state="open",
        sends=1,
        first_sent_at=tx.now,
        last_sent_at=tx.now,
    )
    _MARK_SENT.run(tx, ids=call.intents, call=call.call_id)


_DUE_CALLS = Prepared(
    select(
        calls.c.call_id,
        calls.c.connection,
        calls.c.operation,
        calls.c.method,
        calls.c.path,
        calls.c.body,
        calls.c.idempotency_key,
        calls.c.intents,
        calls.c.sends,
        calls.c.first_sent_at,
        calls.c.due_at,
    )
    .where(
        calls.c.workspace == bindparam("w"),
        calls.c.connection == bindparam("c"),
        calls.c.state == fixed("open"),
        calls.c.flow == "stock",
        calls.c.due_at <= bindparam("now"),
    )
    .order_by(calls.c.first_sent_at, calls.c.call_id)
    .limit(1)
)


def due_call(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> JournaledCall | None:
    """The oldest call without an answer that is due to be sent again; those of a process that died are among them."""
    row = _DUE_CALLS.first(tx, w=workspace, c=connection, now=tx.now)
    if row is None:
        return None
    call = JournaledCall(*row)
    return msgspec.structs.replace(call, intents=tuple(call.intents))


def count_resend(tx: HasConnection, call_id: CallId) -> None:
    """Note that the same bytes go out once more."""
    tx.conn.execute(
        update(calls)
        .where(calls.c.call_id == call_id)
        .values(sends=calls.c.sends + 1, last_sent_at=tx.now, due_at=None)
    )


def postpone_call(tx: HasConnection, call_id: CallId, pause: timedelta, trouble: str) -> None:
    """The outcome is unknown: the same bytes are due again after ``pause``."""
    due_at = tx.now + pause
    tx.conn.execute(update(calls).where(calls.c.call_id == call_id).values(due_at=due_at, trouble=trouble[:500]))


def make_open_calls_due(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> int:
    """After a start or takeover every unanswered call is in doubt, and due at once."""
    return _MAKE_DUE.run(tx, w=workspace, c=connection, now=tx.now)


_OPEN_STOCK_CALLS = (
    calls.c.workspace == bindparam("w"),
    calls.c.connection == bindparam("c"),
    calls.c.state == fixed("open"),
    calls.c.flow == fixed("stock"),
)
_MAKE_DUE = Prepared(update(calls).where(*_OPEN_STOCK_CALLS, calls.c.due_at.is_(None)).values(due_at=bindparam("now")))


def hasten_calls(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> None:
    """The store answers again: calls whose answer was lost need not wait any longer to be sent again."""
    _HASTEN.run(tx, w=workspace, c=connection, now=tx.now)


_HASTEN = Prepared(
    update(calls).where(*_OPEN_STOCK_CALLS, calls.c.due_at > bindparam("now")).values(due_at=bindparam("now"))
)


_CLOSE_CALL = Prepared(
    update(calls)
    .where(calls.c.call_id == bindparam("id"))
    .values(
        state=bindparam("s"),
        answered_at=bindparam("now"),
        status=bindparam("code"),
        answer=bindparam("said"),
        due_at=None,
        trouble=bindparam("why"),
    )
)
_SETTLE_INTENT = Prepared(
    update(intents)
    .where(intents.c.intent_id == bindparam("i"))
    .values(state=bindparam("s"), code=bindparam("k"), settled_at=bindparam("now"), evidence=bindparam("e"))
)
_LANES_OF_INTENTS = Prepared(
    select(intents.c.intent_id, intents.c.lane, intents.c.connection, intents.c.item_id, intents.c.location_id).where(
        one_of(intents.c.intent_id, "ids")
    )
)


def close_call(
    tx: HasConnection, call_id: CallId, state: str, *, status: int | None, answer: bytes, trouble: str = ""
) -> None:
    """The call is answered (or given up, with the reason)."""
    _CLOSE_CALL.run(tx, id=call_id, s=state, now=tx.now, code=status, said=answer[:65536], why=trouble[:500])


def give_up_call(tx: HasConnection, call_id: CallId, trouble: str) -> None:
    """Nobody waits for the answer of this call any more; one that was answered is left alone."""
    _GIVE_UP_CALL.run(tx, id=call_id, now=tx.now, why=trouble[:500])


_GIVE_UP_CALL = Prepared(
    update(calls)
    .where(calls.c.call_id == bindparam("id"), calls.c.state == fixed("open"))
    .values(state="unclear", answered_at=bindparam("now"), due_at=None, trouble=bindparam("why"))
)


def settle_intents(tx: HasConnection, rows: Sequence[SettledRow]) -> None:
    """Write what became of intents."""
    _SETTLE_INTENT.run_many(
        tx,
        [
            {
                "i": row.intent_id,
                "s": row.state,
                "k": row.code[:200],
                "now": tx.now,
                "e": None if row.evidence is None else dict(row.evidence),
            }
            for row in rows
        ],
    )


def replan_intents(tx: HasConnection, intent_ids: Sequence[IntentId], pause: timedelta) -> None:
    """The call surely changed nothing: its rows wait again for ``pause``, and may be replaced."""
    if intent_ids:
        due_at = tx.now + pause
        tx.conn.execute(
            update(intents)
            .where(intents.c.intent_id.in_(intent_ids), intents.c.state == "sent")
            .values(state="planned", call_id=None, due_at=due_at)
        )


def save_evidence(tx: HasConnection, intent_id: IntentId, evidence: Mapping[str, Any]) -> None:
    """Keep what was seen while an outcome was unclear."""
    tx.conn.execute(update(intents).where(intents.c.intent_id == intent_id).values(evidence=dict(evidence)))


def lanes_of_intents(tx: HasConnection, intent_ids: Sequence[IntentId]) -> dict[IntentId, tuple[LaneKey, PositionKey]]:
    found = _LANES_OF_INTENTS.all(tx, ids=intent_ids)
    return {row[0]: (LaneKey(row[1]), PositionKey(row[2], row[3], row[4])) for row in found}


def doubted_lanes(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> list[LaneKey]:
    """Lanes with a write whose outcome is not known."""
    return sorted({LaneKey(lane) for (lane,) in _DOUBTED.all(tx, w=workspace, c=connection)})


_DOUBTED = Prepared(
    select(intents.c.lane).where(
        intents.c.workspace == bindparam("w"),
        intents.c.connection == bindparam("c"),
        intents.c.state == fixed("unclear"),
    )
)
