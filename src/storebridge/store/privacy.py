"""What is kept of a person or a whole store, found and forgotten on a vendor's request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, bindparam, or_, select, type_coerce, update

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.signals import Flow, SignalState
from storebridge.store.columns import fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.retention import forget_in_writes, without_person
from storebridge.store.sales import DOCUMENTS_AT_ONCE
from storebridge.store.search import forget_words
from storebridge.store.tables import calls, copies, deliveries, sales, signals


class PrivacyRequest(msgspec.Struct, frozen=True):
    """One delivery that asks about a person or a store, and its waiting signals."""

    connection: ConnectionName
    topic: str
    delivery_id: str
    entities: tuple[str, ...]
    seqs: tuple[int, ...]


class KeptOrder(msgspec.Struct, frozen=True):
    """An order that is kept whole."""

    order_key: str
    name: str


def waiting_privacy_requests(tx: HasConnection, workspace: Workspace) -> list[PrivacyRequest]:
    """Requests that nobody has answered yet, oldest first."""
    found = _WAITING.all(tx, w=workspace)
    grouped: defaultdict[tuple[str, str, str], list[tuple[str, int]]] = defaultdict(list)
    for connection, topic, delivery_id, entity, seq in found:
        grouped[connection, topic, delivery_id].append((entity, seq))
    return [
        PrivacyRequest(ConnectionName(c), topic, delivery, tuple(e for e, _ in rows), tuple(s for _, s in rows))
        for (c, topic, delivery), rows in grouped.items()
    ]


_WAITING = Prepared(
    select(signals.c.connection, signals.c.topic, signals.c.delivery_id, signals.c.entity, signals.c.seq)
    .where(
        signals.c.workspace == bindparam("w"),
        signals.c.flow == Flow.PRIVACY.value,
        signals.c.state == fixed(SignalState.WAITING.value),
    )
    .order_by(signals.c.seq)
)


def orders_of_person(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, ids: Sequence[str]
) -> list[KeptOrder]:
    """Kept orders that are among ``ids``, or whose buyer is: the vendor's ids of orders and customers."""
    kept: dict[str, KeptOrder] = {}
    for some in _by(100, ids):
        theirs = [
            type_coerce(sales.c.document, Text).contains(f'"customer_id":"{one}"', autoescape=True) for one in some
        ]
        mine = (sales.c.workspace == workspace) & (sales.c.connection == connection)
        named = or_(sales.c.order_id.in_(some), *theirs)
        for key, name in tx.conn.execute(select(sales.c.order_key, sales.c.name).where(mine, named)):
            kept[key] = KeptOrder(key, name)
    return sorted(kept.values(), key=lambda one: one.order_key)


def forget_buyers_of(tx: HasConnection, workspace: Workspace, keys: Sequence[str]) -> None:
    """Take the person out of these orders and of their copies in other stores; goods, money and parcels remain."""
    for key in keys:
        forget_in_writes(tx, workspace, key)
    for some in _by(DOCUMENTS_AT_ONCE, keys):
        for table in (sales, copies):
            mine = (table.c.workspace == workspace) & table.c.order_key.in_(some)
            found = tx.conn.execute(select(table.c.order_key, table.c.connection, table.c.document).where(mine)).all()
            for key, store, document in found:
                if document is not None:
                    row = (table.c.workspace == workspace) & (table.c.order_key == key) & (table.c.connection == store)
                    forgotten = without_person(document)
                    tx.conn.execute(update(table).where(row).values(document=forgotten))
                    if table is sales:
                        forget_words(tx, workspace, key, forgotten)


def orders_with_buyers(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> list[str]:
    """Some orders of a store that still name their buyer."""
    mine = (sales.c.workspace == workspace) & (sales.c.connection == connection)
    named = type_coerce(sales.c.document, Text).like('%"buyer":{"%')
    return list(tx.conn.execute(select(sales.c.order_key).where(mine, named).limit(DOCUMENTS_AT_ONCE)).scalars())


def empty_deliveries_about(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, ids: Sequence[str]
) -> int:
    """Empty the bodies of deliveries that spoke of these orders; topic, times and digest remain."""
    emptied = 0
    for some in _by(DOCUMENTS_AT_ONCE, ids):
        spoke = select(signals.c.delivery_id).where(
            signals.c.workspace == workspace, signals.c.connection == connection, signals.c.entity.in_(some)
        )
        emptied += _empty(tx, workspace, connection, deliveries.c.delivery_id.in_(spoke))
    return emptied


def empty_delivery(tx: HasConnection, workspace: Workspace, connection: ConnectionName, delivery_id: str) -> None:
    """Empty one delivery: the request itself names the person."""
    _empty(tx, workspace, connection, deliveries.c.delivery_id == delivery_id)


def empty_store(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> int:
    """Empty every delivery of a store and every settled call; how many deliveries."""
    settled = (calls.c.workspace == workspace) & (calls.c.connection == connection) & (calls.c.state != "open")
    tx.conn.execute(update(calls).where(settled).values(body=b"", answer=None))
    return _empty(tx, workspace, connection, deliveries.c.received_at <= tx.now)


def forget_entities(tx: HasConnection, seqs: Sequence[int]) -> None:
    """Signals of an answered request do not name the person any more."""
    for some in _by(DOCUMENTS_AT_ONCE, seqs):
        tx.conn.execute(update(signals).where(signals.c.seq.in_(some)).values(entity="forgotten"))


def _empty(tx: HasConnection, workspace: Workspace, connection: ConnectionName, which: ColumnElement[bool]) -> int:
    mine = (deliveries.c.workspace == workspace) & (deliveries.c.connection == connection)
    filled = mine & deliveries.c.body.is_not(None)
    return tx.conn.execute(update(deliveries).where(filled, which).values(body=None, headers={})).rowcount


def _by(size: int, things: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for at in range(0, len(things), size):
        yield things[at : at + size]
