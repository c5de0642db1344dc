"""Raises that staff typed into a store's admin, as far as they were believed and nobody counted since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select, text

from storebridge.model.ids import Workspace
from storebridge.store.prepared import HasDriver, Prepared
from storebridge.store.tables import EDITS, draws, ledger, order_effects, orders, pools

AROUND = timedelta(minutes=10)
"""An edit is booked when orders and levels have been read since, some minutes after it was typed."""
COUNTED = ("count", "undo")
_EDITS = Prepared(
    select(ledger.c.pool_id, pools.c.sku, ledger.c.connection, ledger.c.kind, ledger.c.units, ledger.c.at)
    .join(pools, (pools.c.workspace == ledger.c.workspace) & (pools.c.pool_id == ledger.c.pool_id))
    .where(
        ledger.c.workspace == bindparam("w"),
        text(f"ledger.{EDITS}"),  # in the words of its index
        ledger.c.at >= bindparam("since"),
    )
    .order_by(ledger.c.seq)
)
_ITEMS = (
    select(draws.c.connection, draws.c.item_id)
    .where(draws.c.workspace == bindparam("w"), draws.c.pool_id == bindparam("pool"))
    .distinct()
    .subquery()
)
_SOLD = Prepared(
    select(func.sum(order_effects.c.sold))
    .join(_ITEMS, (_ITEMS.c.connection == order_effects.c.connection) & (_ITEMS.c.item_id == order_effects.c.item_id))
    .join(
        orders,
        (orders.c.workspace == order_effects.c.workspace)
        & (orders.c.connection == order_effects.c.connection)
        & (orders.c.order_id == order_effects.c.order_id),
    )
    .where(
        order_effects.c.workspace == bindparam("w"),
        orders.c.origin.is_(None),
        orders.c.created_at >= bindparam("since"),
        orders.c.created_at <= bindparam("until"),
    )
)
"""By orders, not by levels: a sale in the moment of typing hides in the raise."""


class TypedRaise(msgspec.Struct, frozen=True):
    """A counter was raised by hand, and the units were believed to have come in."""

    sku: str
    connection: str
    units: int
    at: datetime
    """When it was booked."""
    sold_meanwhile: int
    """Units of the SKU that orders of the ten minutes before took, in any store."""


def typed_raises(tx: HasDriver, workspace: Workspace, since: datetime) -> list[TypedRaise]:
    """The raises since a moment, by SKU and store; a shelf count or an undo of the SKU settles those before it."""
    open_ones: dict[tuple[str, str], list[Any]] = {}
    for pool_id, sku, connection, kind, units, at in _EDITS.all(tx, w=workspace, since=since):
        if kind in COUNTED:
            open_ones = {key: one for key, one in open_ones.items() if key[0] != pool_id}
            continue
        known = open_ones.setdefault((pool_id, connection), [sku, 0, at])
        known[1], known[2] = known[1] + units, at
    return [
        TypedRaise(sku, connection, units, at, _sold(tx, workspace, pool_id, at))
        for (pool_id, connection), (sku, units, at) in open_ones.items()
        if units > 0
    ]


def _sold(tx: HasDriver, workspace: Workspace, pool_id: str, at: datetime) -> int:
    rows = _SOLD.all(tx, w=workspace, pool=pool_id, since=at - AROUND, until=at)
    return int(rows[0][0] or 0)
