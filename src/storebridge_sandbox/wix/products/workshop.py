"""Makes, changes and takes away products on the shelf, with the stock and the events that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.inventory.state import Change, Inventory
from storebridge_sandbox.wix.products.drafts import Draft, VariantDraft
from storebridge_sandbox.wix.shelf.state import Product, Shelf, Variant, sellable_of
from storebridge_sandbox.wix.wire import application_error


class Herald(Protocol):
    """Told of every change of a product after it happened."""

    def product_created(self, product: Product, actor: Actor) -> None: ...

    def product_updated(self, product: Product, modified: dict[str, Any], actor: Actor) -> None: ...

    def product_deleted(self, product: Product, actor: Actor) -> None: ...


class Workshop:
    """The verbs; what may be done was decided before (``drafts.py``)."""

    def __init__(self, shelf: Shelf, inventory: Inventory, herald: Herald, new_id: Callable[[], str]) -> None:
        self._shelf = shelf
        self._inventory = inventory
        self._herald = herald
        self._new_id = new_id

    def create(self, draft: Draft, actor: Actor) -> Product:
        product = self._shelf.new_product(draft.name or "")
        product.kind = draft.kind or "PHYSICAL"
        product.slug = draft.slug or self._shelf.free_slug(product.name)
        product.handle = draft.handle or product.slug
        product.visible_in_pos = product.kind == "PHYSICAL"
        self._write(product, draft)
        for wanted in draft.variants or []:
            self._add(product, wanted)
        self._shelf.put(product)
        self._herald.product_created(product, actor)
        return product

    def update(self, product: Product, draft: Draft, modified: dict[str, Any], change: Change) -> None:
        """``modified`` is what the caller sent, for the event."""
        self._write(product, draft)
        if draft.slug is not None:
            self._shelf.rename_slug(product, draft.slug)
        if draft.variants is not None:
            self._replace(product, draft.variants, change)
        self.touched(product)
        self._herald.product_updated(product, modified, change.actor)

    def touch(self, product: Product, modified: dict[str, Any], actor: Actor) -> None:
        """Something about the product was changed by whoever calls."""
        self.touched(product)
        self._herald.product_updated(product, modified, actor)

    def touched(self, product: Product) -> None:
        """The product has another revision, and what shoppers see follows it."""
        self.refresh(product)
        self._shelf.changed(product)

    def refresh(self, product: Product) -> None:
        """What shoppers see follows the product."""
        if not product.options and product.variants:
            product.variants[0].visible = product.visible
        for variant in product.variants:
            variant.sellable.title = product.name
            variant.sellable.price = variant.selling_price
            variant.sellable.for_sale = product.visible and variant.visible

    def delete(self, product: Product, change: Change) -> None:
        for variant in product.variants:
            self._inventory.forget(variant, change)
        variants = list(product.variants)
        self._shelf.remove(product)
        product.variants = variants
        self._herald.product_deleted(product, change.actor)

    def _write(self, product: Product, draft: Draft) -> None:
        if draft.name is not None:
            product.name = draft.name
        if draft.visible is not None:
            product.visible = draft.visible
        if draft.visible_in_pos is not None:
            product.visible_in_pos = draft.visible_in_pos
        if draft.html is not None:
            product.html = draft.html
        if draft.brand is not None:
            product.brand = draft.brand
            self._shelf.brands.setdefault(draft.brand, self._new_id())
        if draft.options is not None:
            product.options = draft.options
        product.details.update(draft.details)
        for ribbon in (draft.details.get("ribbon"), *draft.details.get("additionalRibbons", ())):
            if ribbon:
                self._shelf.ribbons.setdefault(ribbon["name"], ribbon["id"])
        for part in ("modifiers", "infoSections"):
            for row in draft.details.get(part) or ():
                row.setdefault("id", self._new_id())

    def _replace(self, product: Product, wanted: list[VariantDraft], change: Change) -> None:
        """Arrays are overwritten: a variant that is not sent is gone, with its stock."""
        kept = {id(draft.existing) for draft in wanted if draft.existing}
        for variant in [variant for variant in product.variants if id(variant) not in kept]:
            self._inventory.forget(variant, change)
            self._shelf.remove_variant(variant)
        for draft in wanted:
            if draft.existing is not None:
                self._shelf.rename_sku(draft.existing, "")
        for draft in wanted:
            if draft.existing is None:
                draft.existing = self._add(product, draft)
            else:
                self._overwrite(draft.existing, draft)
        order = {id(draft.existing): place for place, draft in enumerate(wanted)}
        product.variants.sort(key=lambda variant: order[id(variant)])

    def _overwrite(self, variant: Variant, draft: VariantDraft) -> None:
        self._shelf.rename_sku(variant, draft.sku)
        variant.barcode = draft.barcode
        variant.choices = draft.choices
        variant.price = draft.price
        variant.compare_at_price = draft.compare_at_price
        variant.cost = draft.cost
        variant.weight = draft.weight
        variant.visible = draft.visible
        variant.details = draft.details

    def _add(self, product: Product, draft: VariantDraft) -> Variant:
        sellable = sellable_of(product, draft.variant_id, draft.sku, draft.price)
        sellable.for_sale = product.visible and draft.visible
        draft.existing = self._shelf.add_variant(
            product,
            draft.variant_id,
            sellable,
            barcode=draft.barcode,
            choices=draft.choices,
            price=draft.price,
            compare_at_price=draft.compare_at_price,
            weight=draft.weight,
            visible=draft.visible,
            cost=draft.cost,
            details=draft.details,
        )
        return draft.existing

    def adjust(self, variant: Variant, prices: dict[str, Decimal | None]) -> None:
        """New prices of one variant; raises WixRefusal when the price before would be the lower one."""
        actual = prices.get("actualPrice", variant.price)
        before = prices.get("compareAtPrice", variant.compare_at_price)
        if actual is not None and before is not None and before < actual:
            raise application_error(
                400, "COMPARE_AT_PRICE_LOWER_THAN_ACTUAL_PRICE", "The price before is lower than the actual price"
            )
        variant.price = variant.price if actual is None else actual
        variant.compare_at_price = before
        variant.cost = prices.get("cost", variant.cost)
