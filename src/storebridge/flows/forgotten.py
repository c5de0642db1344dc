"""Of an order that is over and whose time has come no person is kept, however often it is read again. Pure.

Without this a refund after a year brought the buyer back until the next round, the order's history said that buyer and
address had changed, and its copy was told so: a note that the warehouse had written there was lost. Of a copy that was
read again the buyer stayed for good.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from storebridge.model.sales import Buyer, Order


def is_forgotten(order: Order, before: datetime) -> bool:
    """Whether nobody may be named any more, when buyers of orders placed ``before`` are forgotten."""
    return order.placed_at < before and order.units_to_ship == 0


def without_person(order: Order) -> Order:
    """The order as it is kept from then on: goods, money and parcels."""
    return replace(order, buyer=Buyer(), shipping_address=None, billing_address=None, note="", attributes=())
