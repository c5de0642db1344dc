"""How long what is kept: each kind of data, what remains of it, and its end.

Personal data stands in deliveries (whole orders of the vendor's) and in the orders that are kept; journal, stage
results, ledger and audit hold none. What has a digest keeps it as proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, delete, select, type_coerce, update

from storebridge.model.ids import Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.store.lanes import HasConnection
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
AT_ONCE = 500
"""Orders in one transaction; the next round of the janitor takes the next."""


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


def empty_deliveries(tx: HasConnection, workspace: Workspace, before: datetime) -> int:
    """Empty the bodies and headers of deliveries."""
    old = (deliveries.c.workspace == workspace) & (deliveries.c.received_at < before) & deliveries.c.body.is_not(None)
    return tx.conn.execute(update(deliveries).where(old).values(body=None, headers={})).rowcount


def forget_buyers(tx: HasConnection, workspace: Workspace, before: datetime) -> int:
    """Take the person out of orders that need nothing any more."""
    found = tx.conn.execute(
        select(sales.c.order_key, sales.c.document)
        .where(
            sales.c.workspace == workspace,
            sales.c.placed_at < before,
            sales.c.units_to_ship == 0,
            type_coerce(sales.c.document, Text).like('%"buyer":{"%'),
        )
        .order_by(sales.c.placed_at)
        .limit(AT_ONCE)
    ).all()
    rows = [{"k": key, "d": without_person(document)} for key, document in found]
    for row in rows:
        mine = (sales.c.workspace == workspace) & (sales.c.order_key == row["k"])
        tx.conn.execute(update(sales).where(mine).values(document=row["d"]))
        _forget_in_copies(tx, workspace, row["k"])
    return len(rows)


def _forget_in_copies(tx: HasConnection, workspace: Workspace, order_key: str) -> None:
    """The same person stands in the copy as it was read, and in the write that made it."""
    mine = (copies.c.workspace == workspace) & (copies.c.order_key == order_key) & copies.c.document.is_not(None)
    for connection, document in tx.conn.execute(select(copies.c.connection, copies.c.document).where(mine)).all():
        one = mine & (copies.c.connection == connection)
        tx.conn.execute(update(copies).where(one).values(document=without_person(document)))
    made = (order_writes.c.workspace == workspace) & (order_writes.c.order_key == order_key)
    query = select(order_writes.c.write_id, order_writes.c.payload).where(made, order_writes.c.kind == "create_copy")
    for write_id, payload in tx.conn.execute(query).all():
        told = {**payload, "original": without_person(payload["original"])}
        tx.conn.execute(update(order_writes).where(order_writes.c.write_id == write_id).values(payload=told))


def without_person(document: Mapping[str, Any]) -> dict[str, Any]:
    """An order's document without whoever bought it; the field defaults say that nothing is known."""
    return {name: value for name, value in document.items() if name not in PERSONAL_FIELDS}


def empty_calls(tx: HasConnection, workspace: Workspace, before: datetime) -> int:
    """Empty what was sent and answered; an open call keeps its bytes, because they may have to go out again."""
    old = (calls.c.workspace == workspace) & (calls.c.state != "open") & (calls.c.first_sent_at < before)
    return tx.conn.execute(update(calls).where(old, calls.c.body != b"").values(body=b"", answer=None)).rowcount


def drop_stages(tx: HasConnection, workspace: Workspace, before: datetime) -> int:
    """Forget the results of stages, and how long changes took."""
    old = tx.conn.execute(delete(passes).where(passes.c.workspace == workspace, passes.c.at < before)).rowcount
    return (
        old
        + tx.conn.execute(
            delete(spreads).where(spreads.c.workspace == workspace, spreads.c.written_at < before)
        ).rowcount
    )
