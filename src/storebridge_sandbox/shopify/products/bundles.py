"""Bundles of variants (``productVariantRelationshipBulkUpdate``), and what any bundle is and costs.

A bundle's variant has no stock of its own: its level follows from its components', nobody can write it, and an order
names the components. Refusals are recorded (2025-01) but for those that the schema's own words describe; what is
believed without a recording stands under S40 of the project's list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify.call import Call
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.mutations import Verb, refuse
from storebridge_sandbox.shopify.products.state import Product, Shelves, Variant
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.stock import Stock

MOST_COMPONENTS = 30
MOST_UNITS = 2000
Rows = Sequence[Mapping[str, Any]]
WORDS = {
    "PARENT_REQUIRED": "A parent product variant ID or product ID must be provided.",
    "PRODUCT_VARIANTS_NOT_FOUND": "The product variants were not found.",
    "CIRCULAR_REFERENCE": "A parent product variant cannot contain itself as a component.",
    "NESTED_PARENT_PRODUCT_VARIANT": "Nested parent product variants aren't supported.",
    "PARENT_PRODUCT_VARIANT_CANNOT_BE_GIFT_CARD": "Gift cards cannot be parent product variants.",
    "MUST_SPECIFY_COMPONENTS": (
        "The product variant relationships to remove must be specified if all the parent product variant's components "
        "aren't being removed."
    ),
    "PRODUCT_VARIANTS_NOT_COMPONENTS": (
        "Some of the provided product variants are not components of the specified parent product variant."
    ),
    "EXCEEDED_PRODUCT_VARIANT_RELATIONSHIP_LIMIT": (
        "Exceeded the maximum allowable product variant relationships in a parent product variant."
    ),
    "UPDATE_PARENT_VARIANT_PRICE_REQUIRED": (
        "A price must be provided for a parent product variant if the price calculation is set to fixed."
    ),
}


class BundleWrites:
    """``changed`` announces a product."""

    def __init__(
        self,
        shelves: Shelves,
        stock: Stock,
        shop: ShopState,
        now: Callable[[], datetime],
        changed: Callable[[Product, str], None],
    ) -> None:
        self._shelves = shelves
        self._stock = stock
        self._shop = shop
        self._now = now
        self._changed = changed

    def verbs(self) -> dict[str, Verb]:
        return {"productVariantRelationshipBulkUpdate": self._bulk_update}

    def set_components(self, variant: Variant, components: Mapping[str, int]) -> None:
        """Make a variant up of others (units by variant id), or an ordinary one with nothing in stock."""
        was, variant.components = bool(variant.components), dict(components)
        variant.requires_components = bool(components)
        variant.updated_at = self._now()
        if components and not was:
            self._stock.forget_item(variant.item_id)
        elif was and not components:
            self._stock.connect(variant.item_id, self._shop.locations[0].id, available=0)

    # -- the mutation ------------------------------------------------------------------------------------------

    def _bulk_update(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        """All of it or nothing; several rows of one parent are carried out one after the other (recorded)."""
        rows: Rows = args["input"]
        parent_of_row = [self._parent(row) for row in rows]
        wanted: dict[str, dict[str, int]] = {}
        for row, parent in zip(rows, parent_of_row, strict=True):
            held = wanted.get(parent.variant_id, parent.components)
            wanted[parent.variant_id] = self._components(parent, row, held, call)
            self._check_price(row)
        if any(part in wanted for components in wanted.values() for part in components):
            raise _refused("NESTED_PARENT_PRODUCT_VARIANT")
        parents = [self._shelves.variants[name] for name in wanted]
        for parent in parents:
            self.set_components(parent, wanted[parent.variant_id])
        for row, parent in zip(rows, parent_of_row, strict=True):
            self._put_price(parent, row.get("priceInput") or {})
        for product in {parent.product.id: parent.product for parent in parents}.values():
            product.updated_at = self._now()
            self._changed(product, "products/update")
        return {"parentProductVariants": parents}

    def _parent(self, row: Mapping[str, Any]) -> Variant:
        """The variant counts where both are named (recorded); a product stands for its first variant."""
        if row.get("parentProductVariantId"):
            parent = self._shelves.variants.get(row["parentProductVariantId"])
        elif row.get("parentProductId"):
            product = self._shelves.products.get(row["parentProductId"])
            parent = product.variants[0] if product is not None and product.variants else None
        else:
            raise _refused("PARENT_REQUIRED")
        if parent is None:
            raise _refused("PRODUCT_VARIANTS_NOT_FOUND")
        if parent.product.is_gift_card:
            raise _refused("PARENT_PRODUCT_VARIANT_CANNOT_BE_GIFT_CARD")
        if self.is_component(parent):
            raise _refused("NESTED_PARENT_PRODUCT_VARIANT")
        return parent

    def is_component(self, variant: Variant) -> bool:
        return any(variant.variant_id in one.components for one in self._shelves.variants.values())

    def _components(
        self, parent: Variant, row: Mapping[str, Any], held: Mapping[str, int], call: Call
    ) -> dict[str, int]:
        """What the parent is made of afterwards."""
        create: Rows = row.get("productVariantRelationshipsToCreate") or ()
        update: Rows = row.get("productVariantRelationshipsToUpdate") or ()
        remove: Sequence[str] = row.get("productVariantRelationshipsToRemove") or ()
        everything = bool(row.get("removeAllProductVariantRelationships"))
        if not (create or update or remove or everything):
            raise _refused("MUST_SPECIFY_COMPONENTS")
        self._check_children(parent, [one["id"] for one in (*create, *update)])
        _check_units(parent, (*create, *update), call)
        found = {} if everything else dict(held)
        found |= {one["id"]: one["quantity"] for one in create}
        if any(one["id"] not in found for one in update) or any(one not in found for one in remove):
            raise _refused("PRODUCT_VARIANTS_NOT_COMPONENTS")
        found |= {one["id"]: one["quantity"] for one in update}
        found = {name: units for name, units in found.items() if name not in remove}
        if len(found) > MOST_COMPONENTS:
            raise _refused("EXCEEDED_PRODUCT_VARIANT_RELATIONSHIP_LIMIT")
        return found

    def _check_children(self, parent: Variant, children: Sequence[str]) -> None:
        if parent.variant_id in children:
            raise _refused("CIRCULAR_REFERENCE")
        found = [self._shelves.variants.get(child) for child in children]
        if None in found:
            raise _refused("PRODUCT_VARIANTS_NOT_FOUND")
        if any(child is not None and child.requires_components for child in found):
            raise _refused("NESTED_PARENT_PRODUCT_VARIANT")

    def _check_price(self, row: Mapping[str, Any]) -> None:
        price = row.get("priceInput") or {}
        if price.get("calculation") == "FIXED" and price.get("price") is None:
            raise _refused("UPDATE_PARENT_VARIANT_PRICE_REQUIRED")

    def _put_price(self, parent: Variant, given: Mapping[str, Any]) -> None:
        if given.get("calculation") == "FIXED":
            parent.price = Decimal(str(given["price"]))
        elif given.get("calculation") == "COMPONENTS_SUM":
            parent.price = worth_of(parent.components, self._shelves)


def _check_units(parent: Variant, rows: Rows, call: Call) -> None:
    """Zero breaks Shopify's own server, and far too many is a failure without words (both recorded)."""
    if any(one["quantity"] < 1 for one in rows):
        told = "Internal error. Looks like something went wrong on our end."
        told += f"\nRequest ID: {call.ref} (include this in support requests)."
        raise Refusal(told, "INTERNAL_SERVER_ERROR", requestId=call.ref)
    if any(one["quantity"] > MOST_UNITS for one in rows):
        told = f"Unable to create Parent product variant with ID {parent.variant_id}."
        raise refuse(None, told, "FAILED_TO_CREATE", parentProductVariants=None)


def _refused(code: str) -> Exception:
    return refuse(["input"], WORDS[code], code, parentProductVariants=None)


def worth_of(components: Mapping[str, int], shelves: Shelves) -> Decimal:
    """What components cost when they are bought alone; one whose product was deleted costs nothing."""
    there = [(shelves.variants[part], units) for part, units in components.items() if part in shelves.variants]
    return sum((part.price * units for part, units in there), Decimal(0))
