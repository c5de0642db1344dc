"""Typed names. An id is only unique together with its workspace, and an external id with its connection."""

from __future__ import annotations

from typing import NewType

Workspace = NewType("Workspace", str)
"""A merchant."""
ConnectionName = NewType("ConnectionName", str)
"""One store with its credentials, as the merchant's configuration calls it, e.g. ``shopify``."""
ItemId = NewType("ItemId", str)
"""The vendor's stock item of one variant. Shopify: ``gid://shopify/InventoryItem/1``. Wix V3: ``productId:variantId``
(a Wix variant id alone is not promised to be unique across products)."""
LocationId = NewType("LocationId", str)
VariantId = NewType("VariantId", str)
ProductId = NewType("ProductId", str)
OrderId = NewType("OrderId", str)
PoolId = NewType("PoolId", str)
LaneKey = NewType("LaneKey", str)
"""All planning of one connected set of pools happens in one lane, in order."""
IntentId = NewType("IntentId", str)
CallId = NewType("CallId", str)
CaseId = NewType("CaseId", str)
OrderKey = NewType("OrderKey", str)
"""Our own name of an order, the same for ever: the store that sold it, and a digest of its id there."""
WriteId = NewType("WriteId", str)
"""One planned write to an order."""
