"""Writes to orders: planned once per purpose, claimed before they are sent, settled by an answer or by a read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, type_coerce, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import CallId, ConnectionName, OrderKey, Workspace, WriteId
from storebridge.model.order_writes import CreateCopy, OrderWrite, PlannedOrderWrite, ReplaceCopy
from storebridge.store.columns import Typed, UtcTime
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import calls, order_writes

OPEN = ("planned", "sent", "unclear", "applied")
"""States of a write that is not proven yet: a read must still show what it did."""
DONE = ("applied", "confirmed")
"""States of a write that took effect."""
STOPPED = ("planned", "refused", "undone")
"""States of a write that waits: for its turn, or for a person who has it sent (once more)."""
DROPPED = "superseded"


class StoredWrite(msgspec.Struct, frozen=True):
    """A write as it stands. ``result`` holds the ids that the vendor named in its answer."""

    write_id: WriteId
    order_key: OrderKey
    connection: ConnectionName
    purpose: str
    write: OrderWrite
    state: str
    attempts: int
    call_id: CallId | None
    created_at: datetime
    first_sent_at: datetime | None
    settled_at: datetime | None
    code: str
    message: str
    result: dict[str, str]


_WRITE = type_coerce(order_writes.c.payload, Typed(OrderWrite)).label("write")
_COLUMNS = tuple(_WRITE if name == "write" else order_writes.c[name] for name in StoredWrite.__struct_fields__)
_OF_ORDERS = Prepared(
    select(*_COLUMNS)
    .where(order_writes.c.workspace == bindparam("w"), one_of(order_writes.c.order_key, "keys"))
    .order_by(order_writes.c.created_at, order_writes.c.write_id)
)


_BY_ID = Prepared(select(*_COLUMNS).where(one_of(order_writes.c.write_id, "ids")))
_BUSY = Prepared(
    select(order_writes.c.order_key)
    .where(
        order_writes.c.workspace == bindparam("w"),
        one_of(order_writes.c.order_key, "keys"),
        one_of(order_writes.c.state, "states"),
        order_writes.c.connection == bindparam("c"),
    )
    .distinct()
)
_PLANNED = (
    "write_id",
    "workspace",
    "order_key",
    "connection",
    "kind",
    "purpose",
    "payload",
    "priority",
    "state",
    "reason",
    "created_at",
    "due_at",
)


def _plan_once(insert_into: Any) -> Any:
    once = insert_into(order_writes).on_conflict_do_nothing(index_elements=["workspace", "purpose"])
    return once.returning(order_writes.c.write_id)


_PLAN = Prepared(_plan_once(sqlite.insert), columns=_PLANNED, postgresql=_plan_once(postgresql.insert))
_CLAIM = Prepared(
    update(order_writes)
    .where(order_writes.c.write_id == bindparam("id"), order_writes.c.state == "planned")
    .values(
        state="sent",
        call_id=bindparam("call"),
        attempts=order_writes.c.attempts + 1,
        first_sent_at=bindparam("now", type_=UtcTime),
    )
)
_SETTLED: dict[str, Any] = {
    "state": bindparam("to"),
    "code": bindparam("said"),
    "message": bindparam("words"),
    "settled_at": bindparam("now", type_=UtcTime),
}
_SETTLE = Prepared(update(order_writes).where(order_writes.c.write_id == bindparam("id")).values(**_SETTLED))
_SETTLE_WITH_RESULT = Prepared(
    update(order_writes)
    .where(order_writes.c.write_id == bindparam("id"))
    .values(**_SETTLED, result=bindparam("made", type_=order_writes.c.result.type))
)
_CALLED = (
    "call_id",
    "workspace",
    "connection",
    "flow",
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
)
_CALL = Prepared(insert(calls), columns=_CALLED)


def plan_order_writes(
    tx: HasConnection,
    workspace: Workspace,
    order_key: OrderKey,
    planned: Sequence[tuple[WriteId, PlannedOrderWrite]],
    *,
    priority: int,
) -> list[WriteId]:
    """Write plans down; a purpose that was planned before is left alone. Returns the new ones."""
    new: list[WriteId] = []
    for write_id, plan in planned:
        row = _PLAN.first(
            tx,
            write_id=write_id,
            workspace=workspace,
            order_key=order_key,
            connection=plan.connection,
            kind=type(plan.write).__struct_config__.tag,
            purpose=plan.purpose,
            payload=plan.write,
            priority=priority,
            state="planned",
            reason=plan.reason,
            created_at=tx.now,
            due_at=tx.now,
        )
        if row is not None:
            new.append(write_id)
    return new


def get_writes(tx: HasConnection, write_ids: Collection[WriteId]) -> dict[WriteId, StoredWrite]:
    """These writes, as far as there are."""
    return {WriteId(row[0]): _stored(row) for row in _BY_ID.all(tx, ids=write_ids)}


def writes_of_orders(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey], *, states: Collection[str] | None = None
) -> dict[OrderKey, list[StoredWrite]]:
    """All writes of these orders, oldest first."""
    grouped: dict[OrderKey, list[StoredWrite]] = {key: [] for key in keys}
    for row in _OF_ORDERS.all(tx, w=workspace, keys=keys) if keys else ():
        write = _stored(row)
        if states is None or write.state in states:
            grouped[OrderKey(write.order_key)].append(write)
    return grouped


def content_of_copy(writes: Sequence[StoredWrite], stamp: str) -> CreateCopy | ReplaceCopy | None:
    """Of an order's writes the one that gave the copy with this stamp the lines that it has."""
    made = creation_of(writes, stamp)
    again = [one.write for one in writes if isinstance(one.write, ReplaceCopy) and may_have_changed(one)]
    if again:
        return again[-1]
    return made.write if made is not None and isinstance(made.write, CreateCopy) else None


def may_have_changed(write: StoredWrite) -> bool:
    """Whether a write may have changed its order. One that its store took once, and did not show, keeps that code also
    when it is dropped: staff may have taken back a part of it only."""
    return write.state in ("unclear", "applied", "confirmed", "undone") or write.code == "undone"


def creation_of(writes: Sequence[StoredWrite], stamp: str) -> StoredWrite | None:
    """The last write that was to make the copy: those before it were given up."""
    found = creations_of(writes, stamp)
    return found[-1] if found else None


def creations_of(writes: Sequence[StoredWrite], stamp: str) -> list[StoredWrite]:
    """Every write that was to make the copy with this stamp, oldest first."""
    return [one for one in writes if isinstance(one.write, CreateCopy) and one.write.stamp == stamp]


def busy_orders(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey], connection: ConnectionName
) -> set[OrderKey]:
    """Those of these orders of which something is still to be proven in a store."""
    found = _BUSY.all(tx, w=workspace, keys=keys, states=OPEN, c=connection) if keys else ()
    return {OrderKey(key) for (key,) in found}


def claim_write(tx: HasConnection, write_id: WriteId, call_id: CallId) -> bool:
    """From ``planned`` to ``sent``, before it goes on the wire; False when somebody else has it."""
    return bool(_CLAIM.run(tx, id=write_id, call=call_id, now=tx.now))


def journal_order_call(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    call_id: CallId,
    *,
    write_id: WriteId,
    operation: str,
    method: str,
    path: str,
    body: bytes,
    key: str,
) -> None:
    """Write the call down before it goes on the wire. Calls of this flow are never resent by themselves."""
    _CALL.run(
        tx,
        call_id=call_id,
        workspace=workspace,
        connection=connection,
        flow="orders",
        operation=operation,
        method=method,
        path=path,
        body=body,
        idempotency_key=key,
        intents=[write_id],
        state="open",
        sends=1,
        first_sent_at=tx.now,
        last_sent_at=tx.now,
    )


def doubt_write(tx: HasConnection, write_id: WriteId) -> None:
    """It was on the wire when its process died; when it can no longer land counts from this takeover on."""
    tx.conn.execute(
        update(order_writes)
        .where(order_writes.c.write_id == write_id, order_writes.c.state == "sent")
        .values(state="unclear", first_sent_at=tx.now, message="the process that sent it died")
    )


def settle_write(
    tx: HasConnection,
    write_id: WriteId,
    state: str,
    *,
    code: str = "",
    message: str = "",
    result: dict[str, str] | None = None,
) -> None:
    """What became of a write: applied | unclear | refused | confirmed | superseded | undone."""
    told = {"id": write_id, "to": state, "said": code[:200], "words": message[:500], "now": tx.now}
    if result is None:
        _SETTLE.run(tx, **told)
    else:
        _SETTLE_WITH_RESULT.run(tx, **told, made=result)


def settled(
    tx: HasConnection, write: StoredWrite, state: str, *, message: str = "", result: dict[str, str] | None = None
) -> StoredWrite:
    """``settle_write``, and the write as it stands then."""
    settle_write(tx, write.write_id, state, message=message, result=result)
    known = write.result if result is None else result
    return msgspec.structs.replace(write, state=state, code="", message=message[:500], result=known)


def applied_writes(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> list[StoredWrite]:
    """Writes that a store took and that no read has shown yet, oldest first."""
    mine = (order_writes.c.workspace == workspace) & (order_writes.c.connection == connection)
    query = select(*_COLUMNS).where(mine, order_writes.c.state == "applied")
    found = tx.conn.execute(query.order_by(order_writes.c.created_at, order_writes.c.write_id))
    return [_stored(row) for row in found]


def take_back_write(tx: HasConnection, write_id: WriteId, message: str) -> bool:
    """It is not to be sent any more; False when it is on the wire by now. What the store said of it stays known."""
    waiting = (order_writes.c.write_id == write_id) & order_writes.c.state.in_(STOPPED)
    told = {"state": DROPPED, "message": message, "settled_at": tx.now}
    return bool(tx.conn.execute(update(order_writes).where(waiting).values(**told)).rowcount)


def replan_write(tx: HasConnection, write_id: WriteId, due_at: datetime) -> None:
    """It surely changed nothing: it may be sent again from ``due_at`` on."""
    tx.conn.execute(
        update(order_writes)
        .where(order_writes.c.write_id == write_id)
        .values(state="planned", call_id=None, due_at=due_at)
    )


def renew_write(tx: HasConnection, write_id: WriteId, write: OrderWrite) -> None:
    """What is to be written changed before it was sent (once more): an address was put right."""
    waiting = (order_writes.c.write_id == write_id) & order_writes.c.state.in_(STOPPED)
    tx.conn.execute(update(order_writes).where(waiting).values(payload=write))


def stopped_write(tx: HasConnection, workspace: Workspace, purpose: str) -> StoredWrite | None:
    """The write of this purpose if a store refused it or does not show it, so that a person may have it sent once
    more; None when it is neither."""
    whose = (order_writes.c.workspace == workspace) & (order_writes.c.purpose == purpose)
    stopped = order_writes.c.state.in_(("refused", "undone"))
    row = tx.conn.execute(select(*_COLUMNS).where(whose, stopped)).first()
    return None if row is None else _stored(row)


def _stored(row: Sequence[Any]) -> StoredWrite:
    return StoredWrite(*(*row[:-1], row[-1] or {}))
