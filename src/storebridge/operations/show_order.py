"""One order, whole: the document, what happened to it, its copies, and what is being written about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from storebridge.errors import NotFoundError, RefusedError
from storebridge.model.ids import OrderKey, Workspace
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.list_orders import QueuedOrder, as_queued, refuse_unkept
from storebridge.operations.pending_parcels import pending_parcels
from storebridge.store.cases import StoredCase, open_cases_of_order
from storebridge.store.database import Store, Tx
from storebridge.store.order_writes import writes_of_orders
from storebridge.store.oversold import losers_of_orders
from storebridge.store.sales import OurParcel, StoredCopy, load_files
from storebridge.store.views_sales import HistoryEntry, find_orders, order_history
from storebridge.store.whereabouts import list_whereabouts

MOST_HISTORY = 200


class WriteView(msgspec.Struct, frozen=True):
    """A write to an order, and what became of it."""

    connection: str
    purpose: str
    kind: str
    state: str
    attempts: int
    code: str
    message: str
    first_sent_at: datetime | None


class OrderView(msgspec.Struct, frozen=True):
    """Everything that is known of one order."""

    queued: QueuedOrder
    order: Order
    revision: int
    read_at: datetime
    copies: tuple[StoredCopy, ...]
    parcels: tuple[OurParcel, ...]
    writes: list[WriteView]
    cases: list[StoredCase]
    """Open ones: about the order itself, and about goods that it was sold and that do not exist."""
    history: list[HistoryEntry]


async def show_order(store: Store, terms: WorkspaceTerms, name: str) -> OrderView:
    """``name`` is our key, the store's id, or what people call it. Raises NotFoundError, RefusedError (two orders of
    that name), ConfigurationError (orders are not kept)."""
    refuse_unkept(terms)
    return await store.read(_view, terms.workspace, name)


def find_order(tx: Tx, workspace: Workspace, name: str) -> OrderKey:
    """The one order that is meant. Raises NotFoundError, RefusedError."""
    keys = find_orders(tx, workspace, [name])[name]
    if not keys:
        raise NotFoundError(
            f"No order {name!r} is known: name it by its key, its store's id or its name, such as '#1001'. If it is "
            "new, it will be here once its store was read."
        )
    if len(keys) > 1:
        raise RefusedError(f"{name!r} names {len(keys)} orders: say which by its key: {', '.join(keys)}.")
    return keys[0]


def _view(tx: Tx, workspace: Workspace, name: str) -> OrderView:
    key = find_order(tx, workspace, name)
    file = load_files(tx, workspace, [key], lock=False)[key]
    writes = [
        WriteView(
            connection=one.connection,
            purpose=one.purpose,
            kind=_kind(one.write),
            state=one.state,
            attempts=one.attempts,
            code=one.code,
            message=one.message,
            first_sent_at=one.first_sent_at,
        )
        for one in writes_of_orders(tx, workspace, [key])[key]
    ]
    return OrderView(
        queued=as_queued(file, list_whereabouts(tx, workspace), (), pending_parcels(tx, workspace, [file])[key]),
        order=file.order,
        revision=file.revision,
        read_at=file.read_at,
        copies=file.copies,
        parcels=file.parcels,
        writes=writes,
        cases=_cases(tx, workspace, key),
        history=order_history(tx, workspace, key, MOST_HISTORY),
    )


def _cases(tx: Tx, workspace: Workspace, key: OrderKey) -> list[StoredCase]:
    pools = [loser.pool_id for loser in losers_of_orders(tx, workspace, [key])]
    return open_cases_of_order(tx, workspace, key, pools)


def _kind(write: Any) -> str:
    return str(msgspec.to_builtins(write)["type"])
