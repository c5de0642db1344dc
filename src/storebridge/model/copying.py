"""Copies of orders: whose goods they name, and the stamp that says they are ours. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec

from storebridge.model.ids import ConnectionName, ItemId, OrderId, VariantId, Workspace
from storebridge.model.sales import Order


class CopiesTake(StrEnum):
    """When a store lowers stock for a copy, although the call asks it not to (S13, S36, W8, W9)."""

    NEVER = "never"
    WHEN_MADE = "when_made"
    WHEN_SHIPPED = "when_shipped"


STAMP = "storebridge:"
LONGEST_STAMP = 100
"""Wix keeps ``channelInfo.externalOrderId`` up to this length (facts of the vendor, section 6)."""


class CopiedGoods(msgspec.Struct, frozen=True):
    """The variant of the copying store that holds the same goods as a line of the original."""

    item_id: ItemId
    variant_id: VariantId
    product_id: str


def stamp_of(workspace: Workspace, connection: ConnectionName, order_id: OrderId) -> str:
    """What a copy carries: which order it repeats. The same for ever, at most 100 characters, hashed when longer."""
    plain = f"{STAMP}{workspace}:{connection}:{order_id}"
    if len(plain) <= LONGEST_STAMP:
        return plain
    return f"{STAMP}#{hashlib.sha256(plain.encode()).hexdigest()}"


BUYERS_TOTAL = "Total in the buyer's currency"


def buyers_total(order: Order) -> str:
    """What the buyer saw as the total, where that was another currency than the shop's; empty where it was not. A copy
    has the shop's amounts, in which refunds and sums are kept; this stands beside them, for people."""
    seen = order.totals.total.presentment
    return f"{seen.amount:f} {seen.currency}" if seen.currency != order.currency else ""


TAGS_OF_ORIGIN = "Tags of origin"
LONGEST_FIELD = 200


def tags_of_origin(order: Order) -> str:
    """An order's tags in one text, for a store that gives an app no tags by name (Wix: a custom field of the copy)."""
    return ", ".join(order.tags)[:LONGEST_FIELD]


def is_stamp(text: str | None) -> bool:
    """Whether an order's origin was written by storebridge, here or in another installation."""
    return text is not None and text.startswith(STAMP)


class Deed(StrEnum):
    """What may make a store move stock for a copy, and with it every other copy to which the same is done."""

    MADE = "made"
    SHIPPED = "shipped"
    CHANGED = "changed"
    GIVEN_BACK = "given_back"


class CopyDeed(msgspec.Struct, frozen=True):
    """Something that was done to a copy, from ``at`` on (it may show in levels later), and to which items. ``sure``:
    units of each of them were surely touched."""

    deed: Deed
    order_id: str
    at: datetime
    items: frozenset[ItemId]
    sure: bool = True


class BookedByStaff(msgspec.Struct, frozen=True):
    """Units that no order explained when they were booked, at ``at``; ``moved_at``: the last movement that was seen by
    then."""

    units: int
    at: datetime
    moved_at: datetime


class LateOrder(msgspec.Struct, frozen=True):
    """An order that was placed some time before it was known: units that it took, or may have taken."""

    placed_at: datetime
    known_at: datetime
    units: int
