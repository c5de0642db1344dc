"""Writes to orders: planned once per purpose, claimed before they are sent, settled by an answer or by a read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import CallId, ConnectionName, OrderKey, Workspace, WriteId
from storebridge.model.order_writes import OrderWrite, PlannedOrderWrite
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import calls, order_writes

OPEN = ("planned", "sent", "unclear", "applied")
"""States of a write that is not proven yet: a read must still show what it did."""


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
    code: str
    message: str
    result: dict[str, str]


def plan_order_writes(
    tx: HasConnection,
    workspace: Workspace,
    order_key: OrderKey,
    planned: Sequence[tuple[WriteId, PlannedOrderWrite]],
    *,
    priority: int,
) -> list[WriteId]:
    """Write plans down; a purpose that was planned before is left alone. Returns the new ones."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    new: list[WriteId] = []
    for write_id, plan in planned:
        payload = msgspec.to_builtins(plan.write)
        done = tx.conn.execute(
            dialect.insert(order_writes)
            .values(
                write_id=write_id,
                workspace=workspace,
                order_key=order_key,
                connection=plan.connection,
                kind=payload["type"],
                purpose=plan.purpose,
                payload=payload,
                priority=priority,
                state="planned",
                reason=plan.reason,
                created_at=tx.now,
                due_at=tx.now,
            )
            .on_conflict_do_nothing(index_elements=["workspace", "purpose"])
        )
        if done.rowcount:
            new.append(write_id)
    return new


def get_write(tx: HasConnection, write_id: WriteId) -> StoredWrite | None:
    """One write."""
    row = tx.conn.execute(select(order_writes).where(order_writes.c.write_id == write_id)).first()
    return None if row is None else _stored(row)


def writes_of_orders(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey], *, states: Collection[str] | None = None
) -> dict[OrderKey, list[StoredWrite]]:
    """All writes of these orders, oldest first."""
    query = select(order_writes).where(order_writes.c.workspace == workspace, order_writes.c.order_key.in_(keys))
    if states is not None:
        query = query.where(order_writes.c.state.in_(states))
    grouped: dict[OrderKey, list[StoredWrite]] = {key: [] for key in keys}
    for row in tx.conn.execute(query.order_by(order_writes.c.created_at, order_writes.c.write_id)):
        grouped[OrderKey(row.order_key)].append(_stored(row))
    return grouped


def claim_write(tx: HasConnection, write_id: WriteId, call_id: CallId) -> bool:
    """From ``planned`` to ``sent``, before it goes on the wire; False when somebody else has it."""
    done = tx.conn.execute(
        update(order_writes)
        .where(order_writes.c.write_id == write_id, order_writes.c.state == "planned")
        .values(
            state="sent",
            call_id=call_id,
            attempts=order_writes.c.attempts + 1,
            first_sent_at=tx.now,
        )
    )
    return bool(done.rowcount)


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
    tx.conn.execute(
        insert(calls).values(
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
    """What became of a write: applied | unclear | refused | confirmed | superseded."""
    values: dict[str, Any] = {"state": state, "code": code[:200], "message": message[:500], "settled_at": tx.now}
    if result is not None:
        values["result"] = result
    tx.conn.execute(update(order_writes).where(order_writes.c.write_id == write_id).values(**values))


def replan_write(tx: HasConnection, write_id: WriteId, due_at: datetime) -> None:
    """It surely changed nothing: it may be sent again from ``due_at`` on."""
    tx.conn.execute(
        update(order_writes)
        .where(order_writes.c.write_id == write_id)
        .values(state="planned", call_id=None, due_at=due_at)
    )


def renew_write(tx: HasConnection, write_id: WriteId, write: OrderWrite) -> None:
    """What is to be written changed before it was sent, or while it is refused: an address was put right."""
    waiting = (order_writes.c.write_id == write_id) & order_writes.c.state.in_(("planned", "refused"))
    tx.conn.execute(update(order_writes).where(waiting).values(payload=msgspec.to_builtins(write)))


def replan_refused(tx: HasConnection, workspace: Workspace, purpose: str) -> WriteId | None:
    """A person wants a refused write sent once more; None when it is not refused."""
    whose = (order_writes.c.workspace == workspace) & (order_writes.c.purpose == purpose)
    write_id = tx.conn.execute(select(order_writes.c.write_id).where(whose, order_writes.c.state == "refused")).scalar()
    if write_id is None:
        return None
    replan_write(tx, WriteId(write_id), tx.now)
    return WriteId(write_id)


def _stored(row: Any) -> StoredWrite:
    return StoredWrite(
        write_id=row.write_id,
        order_key=row.order_key,
        connection=row.connection,
        purpose=row.purpose,
        write=msgspec.convert(row.payload, OrderWrite),
        state=row.state,
        attempts=row.attempts,
        call_id=row.call_id,
        created_at=row.created_at,
        first_sent_at=row.first_sent_at,
        code=row.code,
        message=row.message,
        result=row.result or {},
    )
