"""Deliveries: what a vendor sent, byte for byte, once per delivery id, until its retention ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import deliveries


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


def accept_deliveries(tx: HasConnection, rows: Sequence[NewDelivery]) -> list[bool]:
    """Store deliveries; says for each whether it is new. A copy of a known one is only counted."""
    copies = _ACCEPT.each(tx, [_as_row(row) for row in rows])
    return [count == 1 for (count,) in copies]


def _accept(dialect: Any) -> Any:
    """Insert, or count one more copy; answers with the number of copies."""
    return (
        dialect.insert(deliveries)
        .on_conflict_do_update(
            index_elements=[deliveries.c.workspace, deliveries.c.connection, deliveries.c.delivery_id],
            set_={"copies": deliveries.c.copies + 1},
        )
        .returning(deliveries.c.copies)
    )


_ACCEPT = Prepared(_accept(sqlite), postgresql=_accept(postgresql), columns=(*NewDelivery.__struct_fields__, "copies"))


def _as_row(row: NewDelivery) -> dict[str, object]:
    return {**msgspec.structs.asdict(row), "headers": dict(row.headers), "copies": 1}


def topics_received(tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime) -> set[str]:
    """The topics of which a delivery came lately."""
    return {topic for (topic,) in _TOPICS.all(tx, w=workspace, c=connection, since=since)}


_TOPICS = Prepared(
    select(deliveries.c.topic)
    .where(
        deliveries.c.workspace == bindparam("w"),
        deliveries.c.connection == bindparam("c"),
        deliveries.c.received_at >= bindparam("since"),
    )
    .distinct()
)


def was_ever_told(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> bool:
    """Whether a delivery of a store ever came."""
    return _EVER.first(tx, w=workspace, c=connection) is not None


_EVER = Prepared(
    select(deliveries.c.number)
    .where(deliveries.c.workspace == bindparam("w"), deliveries.c.connection == bindparam("c"))
    .limit(1)
)
