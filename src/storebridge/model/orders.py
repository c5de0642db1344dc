"""Orders as far as stock needs them: they label movements; they never move a number (design, section 3)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from storebridge.model.ids import ItemId, OrderId


class OrderLineFacts(msgspec.Struct, frozen=True):
    """Cumulative counts of one line; counts only grow, so applying them twice changes nothing."""

    line_id: str
    item_id: ItemId | None
    """None for a line without a catalogue item (tip, custom line, deleted variant)."""
    sku: str | None
    sold: int
    """Units that left stock for this line."""
    restocked: int = 0
    """Units that the store put back by itself: cancelled or refunded with restock, failed payment."""
    uncertain: int = 0
    """Units of which the order does not tell whether they left stock (a checkout whose payment is under way)."""


class OrderFacts(msgspec.Struct, frozen=True):
    """The label that one order puts on movements of stock."""

    order_id: OrderId
    name: str
    created_at: datetime
    updated_at: datetime
    cancelled: bool
    lines: tuple[OrderLineFacts, ...]
    origin: str | None = None
    """The stamp of a copied order; None for a native one."""
    purchase_flow: str | None = None
    """What ties it to the checkout it was placed in (Wix ``purchaseFlowId``)."""


class ChangeCursor(msgspec.Struct, frozen=True):
    """How far a changed-since listing was stored: the last row's time and id."""

    updated_at: datetime
    last_id: str = ""


class OrdersPage(msgspec.Struct, frozen=True):
    """One page of orders changed since a cursor, oldest change first."""

    orders: tuple[OrderFacts, ...]
    next_page: str | None
    """The vendor's page token; None on the last page."""


class PlacedOrder(msgspec.Struct, frozen=True):
    """One row of a listing by age: which order, since when, last changed when."""

    order_id: OrderId
    placed_at: datetime
    updated_at: datetime


class PlacedPage(msgspec.Struct, frozen=True):
    """One page of the orders of a period, the newest first."""

    orders: tuple[PlacedOrder, ...]
    next_page: str | None
    """The vendor's page token; None on the last page."""
