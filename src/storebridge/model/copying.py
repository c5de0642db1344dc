"""Copies of orders: whose goods they name, and the stamp that says they are ours. Pure."""

from __future__ import annotations

import hashlib

import msgspec

from storebridge.model.ids import ConnectionName, ItemId, OrderId, VariantId, Workspace

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


def is_stamp(text: str | None) -> bool:
    """Whether an order's origin was written by storebridge, here or in another installation."""
    return text is not None and text.startswith(STAMP)
