"""What the screens list: events, cases, orders, the audit. Newest first, in pages. Reads only."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import or_, select, tuple_

from storebridge.model.ids import Workspace
from storebridge.store.cases import COLUMNS, StoredCase
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import audit, cases, deliveries, order_effects, orders, seals, signals

MOST_BODY = 16_384
"""Characters of a delivery's body that are shown."""


class EventRow(msgspec.Struct, frozen=True):
    """A signal and how far it has come."""

    seq: int
    stored_at: datetime
    connection: str
    source: str
    flow: str
    entity: str
    topic: str
    delivery_id: str | None
    stage: str
    state: str
    lane: str | None
    closed_at: datetime | None
    note: str | None


class DeliveryRow(msgspec.Struct, frozen=True):
    """What the vendor sent."""

    connection: str
    delivery_id: str
    topic: str
    received_at: datetime
    headers: dict[str, str]
    digest: str
    problem: str
    copies: int
    body: str | None
    """None once its retention has ended."""


class AuditEntry(msgspec.Struct, frozen=True):
    """One line of the audit."""

    number: int
    at: datetime
    kind: str
    subject: str
    actor: str
    record: str
    """Canonical JSON, exactly as digested."""
    digest: str
    position: int | None
    """Its place in the chain; None until the sealer has passed."""
    link: str | None


class OrderLine(msgspec.Struct, frozen=True):
    """What one line did to stock."""

    line_id: str
    sku: str | None
    sold: int
    restocked: int


class OrderRow(msgspec.Struct, frozen=True):
    """An order of any store, as far as stock knows it."""

    connection: str
    order_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    cancelled: bool
    origin: str | None
    lines: tuple[OrderLine, ...]


def list_events(
    tx: HasConnection,
    workspace: Workspace,
    *,
    before: int | None = None,
    state: str | None = None,
    connection: str | None = None,
    event: str | None = None,
    limit: int = 100,
) -> list[EventRow]:
    """Signals, newest first; ``event`` is a delivery id or the number of a signal."""
    query = select(*(signals.c[name] for name in EventRow.__struct_fields__)).where(signals.c.workspace == workspace)
    if before is not None:
        query = query.where(signals.c.seq < before)
    if state is not None:
        query = query.where(signals.c.state == state)
    if connection is not None:
        query = query.where(signals.c.connection == connection)
    if event is not None:
        named = signals.c.delivery_id == event
        query = query.where(or_(named, signals.c.seq == int(event)) if event.isdigit() else named)
    found = tx.conn.execute(query.order_by(signals.c.seq.desc()).limit(limit))
    return [EventRow(*tuple(row)) for row in found]


def get_delivery(tx: HasConnection, workspace: Workspace, delivery_id: str) -> DeliveryRow | None:
    """What was delivered under an id."""
    names = [deliveries.c[name] for name in DeliveryRow.__struct_fields__]
    row = tx.conn.execute(
        select(*names).where(deliveries.c.workspace == workspace, deliveries.c.delivery_id == delivery_id).limit(1)
    ).first()
    if row is None:
        return None
    body = None if row.body is None else row.body.decode("utf-8", "replace")[:MOST_BODY]
    return DeliveryRow(**{**row._mapping, "body": body})


def list_cases(
    tx: HasConnection,
    workspace: Workspace,
    *,
    state: str | None = "open",
    reason: str | None = None,
    sku: str | None = None,
    connection: str | None = None,
    whose_move: str | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[StoredCase]:
    """Cases, newest first."""
    filters = {"state": state, "reason": reason, "sku": sku, "connection": connection}
    query = select(*COLUMNS).where(cases.c.workspace == workspace)
    for name, value in {**filters, "whose_move": whose_move}.items():
        if value is not None:
            query = query.where(cases.c[name] == value)
    if before is not None:
        query = query.where(
            or_(
                cases.c.opened_at < before[0],
                (cases.c.opened_at == before[0]) & (cases.c.case_id < before[1]),
            )
        )
    found = tx.conn.execute(query.order_by(cases.c.opened_at.desc(), cases.c.case_id.desc()).limit(limit))
    return [StoredCase(*tuple(row)) for row in found]


def list_audit(
    tx: HasConnection,
    workspace: Workspace,
    *,
    before: int | None = None,
    after: int | None = None,
    subject: str | None = None,
    kind: str | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """Audit rows, newest first; with ``after`` oldest first from there, for an export."""
    same = (seals.c.workspace == audit.c.workspace) & (seals.c.audit_number == audit.c.number)
    names = [audit.c[name] for name in AuditEntry.__struct_fields__[:-2]]
    query = select(*names, seals.c.position, seals.c.link).outerjoin(seals, same)
    query = query.where(audit.c.workspace == workspace)
    if before is not None:
        query = query.where(audit.c.number < before)
    if after is not None:
        query = query.where(audit.c.number > after)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    if kind is not None:
        query = query.where(audit.c.kind == kind)
    order = audit.c.number if after is not None else audit.c.number.desc()
    return [AuditEntry(*tuple(row)) for row in tx.conn.execute(query.order_by(order).limit(limit))]


def list_orders(
    tx: HasConnection,
    workspace: Workspace,
    *,
    connection: str | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[OrderRow]:
    """Orders of every store, newest first; copies that we made are left out."""
    query = select(orders).where(orders.c.workspace == workspace, orders.c.origin.is_(None))
    if connection is not None:
        query = query.where(orders.c.connection == connection)
    if before is not None:
        query = query.where(
            or_(
                orders.c.created_at < before[0],
                (orders.c.created_at == before[0]) & (orders.c.order_id < before[1]),
            )
        )
    rows = tx.conn.execute(query.order_by(orders.c.created_at.desc(), orders.c.order_id.desc()).limit(limit)).all()
    lines = _lines(tx, workspace, [(row.connection, row.order_id) for row in rows])
    return [_order(row, lines) for row in rows]


def _order(row: Any, lines: dict[tuple[str, str], list[OrderLine]]) -> OrderRow:
    return OrderRow(
        connection=row.connection,
        order_id=row.order_id,
        name=row.name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        cancelled=row.cancelled,
        origin=row.origin,
        lines=tuple(lines.get((row.connection, row.order_id), ())),
    )


def _lines(
    tx: HasConnection, workspace: Workspace, keys: list[tuple[str, str]]
) -> dict[tuple[str, str], list[OrderLine]]:
    effect = order_effects.c
    found = tx.conn.execute(
        select(effect.connection, effect.order_id, effect.line_id, effect.sku, effect.sold, effect.restocked)
        .where(effect.workspace == workspace, tuple_(effect.connection, effect.order_id).in_(keys))
        .order_by(effect.connection, effect.order_id, effect.line_id)
    )
    lines: defaultdict[tuple[str, str], list[OrderLine]] = defaultdict(list)
    for connection, order_id, *values in found:
        lines[connection, order_id].append(OrderLine(*values))
    return dict(lines)
