"""Deliveries: what a vendor sent, byte for byte, once per delivery id, until its retention ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import bindparam, insert, select, tuple_, update

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import deliveries

Name = tuple[str, str, str]


class NewDelivery(msgspec.Struct, frozen=True):
    """A verified delivery as it arrived."""

    workspace: Workspace
    connection: ConnectionName
    delivery_id: str
    topic: str
    received_at: datetime
    headers: Mapping[str, str]
    body: bytes
    digest: str
    """SHA-256 of the body; stays after the body is emptied."""
    problem: str

    @property
    def name(self) -> Name:
        return self.workspace, self.connection, self.delivery_id


def accept_deliveries(tx: HasConnection, rows: Sequence[NewDelivery]) -> list[bool]:
    """Store deliveries; says for each whether it is new. A copy of a known one is only counted."""
    known = _known(tx, {row.name for row in rows})
    new: list[bool] = []
    fresh: list[NewDelivery] = []
    copies: Counter[Name] = Counter()
    for row in rows:
        new.append(row.name not in known)
        if row.name in known:
            copies[row.name] += 1
        else:
            known.add(row.name)
            fresh.append(row)
    if fresh:
        tx.conn.execute(insert(deliveries), [_as_row(row) for row in fresh])
    _count_copies(tx, copies)
    return new


def _known(tx: HasConnection, names: Iterable[Name]) -> set[Name]:
    columns = (deliveries.c.workspace, deliveries.c.connection, deliveries.c.delivery_id)
    found = tx.conn.execute(select(*columns).where(tuple_(*columns).in_(sorted(names))))
    return {(workspace, connection, delivery) for workspace, connection, delivery in found}


def _as_row(row: NewDelivery) -> dict[str, object]:
    return {**msgspec.structs.asdict(row), "headers": dict(row.headers), "copies": 1}


def _count_copies(tx: HasConnection, copies: Mapping[Name, int]) -> None:
    if copies:
        tx.conn.execute(
            update(deliveries)
            .where(
                deliveries.c.workspace == bindparam("w"),
                deliveries.c.connection == bindparam("c"),
                deliveries.c.delivery_id == bindparam("d"),
            )
            .values(copies=deliveries.c.copies + bindparam("n")),
            [{"w": w, "c": c, "d": d, "n": count} for (w, c, d), count in sorted(copies.items())],
        )


def topics_received(tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime) -> set[str]:
    """The topics of which a delivery came lately."""
    found = tx.conn.execute(
        select(deliveries.c.topic)
        .where(
            deliveries.c.workspace == workspace,
            deliveries.c.connection == connection,
            deliveries.c.received_at >= since,
        )
        .distinct()
    )
    return {topic for (topic,) in found}


def redact_deliveries(tx: HasConnection, workspace: Workspace, days: int) -> int:
    """Empty the bodies of deliveries older than ``days``: they hold personal data. Digests stay as proof."""
    return tx.conn.execute(
        update(deliveries)
        .where(
            deliveries.c.workspace == workspace,
            deliveries.c.received_at < tx.now - timedelta(days=days),
            deliveries.c.body.is_not(None),
        )
        .values(body=None, headers={})
    ).rowcount
