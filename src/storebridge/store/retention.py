"""How long what is kept: each kind of data, what remains of it, and its end.

Personal data stands in deliveries (whole orders of the vendor's) and in the orders that are kept; journal, stage
results, ledger and audit hold none. What has a digest keeps it as proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, bindparam, delete, func, literal_column, select, type_coerce, update

from storebridge.model.ids import Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.sales import DOCUMENTS_AT_ONCE
from storebridge.store.search import forget_words
from storebridge.store.tables import calls, copies, deliveries, order_writes, passes, sales, spreads


class DataKind(StrEnum):
    """What ends when its time has come."""

    DELIVERIES = "deliveries"
    """Bodies and headers as vendors sent them, personal data among them; the digest remains."""
    BUYERS = "buyers"
    """Who bought, and where to; goods, money and parcels of the order remain."""
    CALLS = "calls"
    """Bodies of settled calls and of their answers; what was called, when and how it ended remains."""
    STAGES = "stages"
    """Results of stages and measured delays; the ledger and the audit say what came of them."""


PERSONAL_FIELDS = ("buyer", "shipping_address", "billing_address", "note", "attributes")
"""Fields of a kept order that speak of a person."""
PERSONAL_WRITES = ("create_copy", "replace_copy", "change_details")


def end_retention(tx: HasConnection, terms: WorkspaceTerms) -> dict[DataKind, int]:
    """End what is older than the workspace's terms; how many rows of each kind were touched."""
    ends: Mapping[DataKind, tuple[int, Callable[[HasConnection, Workspace, datetime], int]]] = {
        DataKind.DELIVERIES: (terms.payload_retention_days, empty_deliveries),
        DataKind.BUYERS: (terms.buyer_retention_days, forget_buyers),
        DataKind.CALLS: (terms.payload_retention_days, empty_calls),
        DataKind.STAGES: (terms.history_retention_days, drop_stages),
    }
    ended = {kind: end(tx, terms.workspace, tx.now - timedelta(days=days)) for kind, (days, end) in ends.items()}
    return {kind: count for kind, count in ended.items() if count}


def is_cut_off(ended: Mapping[DataKind, int]) -> bool:
    """Whether more may be left to be ended."""
    return ended.get(DataKind.BUYERS, 0) >= DOCUMENTS_AT_ONCE


def empty_deliveries(tx: HasConnection, workspace: Workspace, before: datetime) -> int:
    """Empty the bodies and headers of deliveries."""
    return _EMPTY_DELIVERIES.run(tx, w=workspace, before=before)


_EMPTY_DELIVERIES = Prepared(
    update(deliveries)
    .where(
        deliveries.c.workspace == bindparam("w"),
        deliveries.c.received_at < bindparam("before"),
        deliveries.c.body.is_not(None),
    )
    .values(body=None, headers={})
)


def forget_buyers(tx: HasConnection, workspace: Workspace, before: datetime) -> int:
    """Take the person out of orders that need nothing any more."""
    found = _WITH_BUYER.all(tx, w=workspace, before=before, n=DOCUMENTS_AT_ONCE)
    rows = [{"k": key, "d": without_person(document)} for key, document in found]
    for row in rows:
        mine = (sales.c.workspace == workspace) & (sales.c.order_key == row["k"])
        tx.conn.execute(update(sales).where(mine).values(document=row["d"]))
        forget_words(tx, workspace, row["k"], row["d"])
        _forget_in_copies(tx, workspace, row["k"])
    return len(rows)


_WITH_BUYER = Prepared(
    select(sales.c.order_key, sales.c.document)
    .where(
        sales.c.workspace == bindparam("w"),
        sales.c.placed_at < bindparam("before"),
        sales.c.units_to_ship == 0,
        type_coerce(sales.c.document, Text).like('%"buyer":{"%'),
    )
    .order_by(sales.c.placed_at)
    .limit(bindparam("n"))
)


def _forget_in_copies(tx: HasConnection, workspace: Workspace, order_key: str) -> None:
    """The same person stands in the copy as it was read, and in the write that made it."""
    mine = (copies.c.workspace == workspace) & (copies.c.order_key == order_key) & copies.c.document.is_not(None)
    for connection, document in tx.conn.execute(select(copies.c.connection, copies.c.document).where(mine)).all():
        one = mine & (copies.c.connection == connection)
        tx.conn.execute(update(copies).where(one).values(document=without_person(document)))
    forget_in_writes(tx, workspace, order_key)


def forget_in_writes(tx: HasConnection, workspace: Workspace, order_key: str) -> None:
    """The same person stands in the writes that made the copy and changed it."""
    made = (order_writes.c.workspace == workspace) & (order_writes.c.order_key == order_key)
    query = select(order_writes.c.write_id, order_writes.c.payload).where(
        made, order_writes.c.kind.in_(PERSONAL_WRITES)
    )
    for write_id, payload in tx.conn.execute(query).all():
        told = dict(payload)
        if "original" in told:
            told["original"] = without_person(told["original"])
        if "details" in told:
            told["details"] = {**told["details"], "email": "", "note": "", "shipping_address": None}
        tx.conn.execute(update(order_writes).where(order_writes.c.write_id == write_id).values(payload=told))


def without_person(document: Mapping[str, Any]) -> dict[str, Any]:
    """An order's document without whoever bought it; the field defaults say that nothing is known."""
    return {name: value for name, value in document.items() if name not in PERSONAL_FIELDS}


def empty_calls(tx: HasConnection, workspace: Workspace, before: datetime) -> int:
    """Empty what was sent and answered; an open call keeps its bytes, because they may have to go out again."""
    return _EMPTY_CALLS.run(tx, w=workspace, before=before)


_EMPTY_CALLS = Prepared(
    update(calls)
    .where(
        calls.c.workspace == bindparam("w"),
        calls.c.state != "open",
        calls.c.first_sent_at < bindparam("before"),
        func.length(calls.c.body) > literal_column("0"),
    )
    .values(body=b"", answer=None)
)


def drop_stages(tx: HasConnection, workspace: Workspace, before: datetime) -> int:
    """Forget the results of stages, and how long changes took."""
    return sum(one.run(tx, w=workspace, before=before) for one in _DROP_STAGES)


_DROP_STAGES = (
    Prepared(delete(passes).where(passes.c.workspace == bindparam("w"), passes.c.at < bindparam("before"))),
    Prepared(delete(spreads).where(spreads.c.workspace == bindparam("w"), spreads.c.written_at < bindparam("before"))),
)
