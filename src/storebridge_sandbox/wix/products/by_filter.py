"""Bulk calls on products that a filter names: a job each, which tells what every product said; and tags."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from storebridge_sandbox.wix import bulk
from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.inventory.items import api_change
from storebridge_sandbox.wix.jobs.answers import work_through
from storebridge_sandbox.wix.jobs.state import Jobs
from storebridge_sandbox.wix.products.answers import (
    PRODUCT_PACKAGE,
    WRITE,
    ProductAnswers,
    ProductWrites,
    modified_of,
)
from storebridge_sandbox.wix.products.drafts import Drafting
from storebridge_sandbox.wix.products.fields import VARIANT_SEARCH
from storebridge_sandbox.wix.products.with_inventory import BULK
from storebridge_sandbox.wix.products.workshop import Workshop
from storebridge_sandbox.wix.shelf.state import Product, Shelf, Variant
from storebridge_sandbox.wix.wire import application_error, broken_rule

Told = dict[str, Any]
HIGHEST_PRICE = Decimal("999999999.99")
ROUNDINGS = {
    "NO_ROUNDING": Decimal("0.001"),
    "CURRENCY_PRECISION": Decimal("0.01"),
    "NEAREST_WHOLE_NUMBER": Decimal(1),
}
SETTABLE = ("price", "visible", "sku", "barcode", "physicalProperties", "revenueDetails")


class ProductsByFilterAnswers:
    """Many products or variants at once."""

    def __init__(
        self,
        reads: ProductAnswers,
        writes: ProductWrites,
        drafting: Drafting,
        workshop: Workshop,
        jobs: Jobs,
        shelf: Shelf,
    ) -> None:
        self._reads = reads
        self._writes = writes
        self._drafting = drafting
        self._workshop = workshop
        self._jobs = jobs
        self._shelf = shelf

    def operations(self) -> list[Operation]:
        handlers: list[tuple[str, str, Callable[[Call], Told], str]] = [
            ("bulkUpdateProductsByFilter", "update-by-filter", self.update, "V3BulkUpdateProductsByFilter"),
            ("bulkDeleteProductsByFilter", "delete-by-filter", self.delete, "V3BulkDeleteProductsByFilter"),
            ("bulkUpdateProductTags", "update-tags", self.tag, "V3BulkUpdateProductTags"),
            (
                "bulkUpdateProductTagsByFilter",
                "update-tags-by-filter",
                self.tag_by_filter,
                "V3BulkUpdateProductTagsByFilter",
            ),
            (
                "bulkUpdateProductVariantsByFilter",
                "update-variants-by-filter",
                self.update_variants,
                "BulkUpdateProductVariantsByFilter",
            ),
            (
                "bulkAdjustProductVariantsByFilter",
                "adjust-variants-by-filter",
                self.adjust_variants,
                "V3BulkAdjustProductVariantsByFilter",
            ),
        ]
        return [
            Operation(
                name, ("POST",), f"{BULK}/{path}", handler, WRITE, "v3", takes=f"{PRODUCT_PACKAGE}:{message}Request"
            )
            for name, path, handler, message in handlers
        ]

    def update(self, call: Call) -> Told:
        asked, change = call.part("product"), api_change(call)

        def apply(product: Product) -> None:
            draft = self._drafting.for_update(asked, product)
            self._workshop.update(product, draft, modified_of(asked), change)

        return self._started(call, "bulkUpdateProductsByFilter", apply)

    def delete(self, call: Call) -> Told:
        change = api_change(call)
        return self._started(call, "bulkDeleteProductsByFilter", lambda product: self._workshop.delete(product, change))

    def tag(self, call: Call) -> Told:
        _check_tags(call)

        def apply(product_id: str) -> Told:
            self._tagged(self._writes.find(product_id), call)
            return {"id": product_id}

        call.wrote = True
        return bulk.carry_out(call.arguments["productIds"], apply, str)

    def tag_by_filter(self, call: Call) -> Told:
        _check_tags(call)
        return self._started(call, "bulkUpdateProductTagsByFilter", lambda product: self._tagged(product, call))

    def update_variants(self, call: Call) -> Told:
        asked = call.part("variant")
        if not any(asked.get(name) is not None for name in SETTABLE):
            raise broken_rule("variant", "EMPTY_FIELD_MASK", "says nothing that could be changed")

        def apply(variant: Variant) -> None:
            self._set_variant(variant, asked, call.actor)

        return self._started_on_variants(call, "bulkUpdateProductVariantsByFilter", apply)

    def adjust_variants(self, call: Call) -> Told:
        wanted = {name: call.part(name) for name in ("actualPrice", "compareAtPrice", "cost") if call.part(name)}
        discount = call.part("compareAtPriceDiscount")
        if not wanted and not discount:
            raise broken_rule("actualPrice", "NO_VARIANT_ADJUSTMENTS_PASSED", "or another amount must be given")
        rounding = str(call.arguments.get("rounding") or "NO_ROUNDING")

        def apply(variant: Variant) -> None:
            held = {"actualPrice": variant.price, "compareAtPrice": variant.compare_at_price, "cost": variant.cost}
            prices = {name: _adjusted(name, held[name], how, rounding) for name, how in wanted.items()}
            if discount:
                before = prices.get("compareAtPrice") or variant.compare_at_price or variant.price
                prices["compareAtPrice"] = before
                prices["actualPrice"] = _adjusted("actualPrice", before, _negative(discount), rounding)
            self._workshop.adjust(variant, prices)
            self._workshop.touch(variant.product, {"variantsInfo": {}}, call.actor)

        return self._started_on_variants(call, "bulkAdjustProductVariantsByFilter", apply)

    def _set_variant(self, variant: Variant, asked: Told, actor: Actor) -> None:
        price = asked.get("price") or {}
        cost = (asked.get("revenueDetails") or {}).get("cost")
        named = {**price, **({"cost": cost} if cost else {})}
        prices = {
            name: Decimal(named[name]["amount"])
            for name in ("actualPrice", "compareAtPrice", "cost")
            if (named.get(name) or {}).get("amount")
        }
        sku = asked.get("sku")
        if sku is not None and self._shelf.by_sku.get(sku, variant) is not variant:
            raise application_error(409, "SKU_ALREADY_EXIST_ERROR", f"Another variant has the SKU {sku!r}")
        self._workshop.adjust(variant, dict(prices))
        if sku is not None:
            self._shelf.rename_sku(variant, sku)
        if asked.get("barcode") is not None:
            variant.barcode = asked["barcode"]
        if asked.get("visible") is not None:
            variant.visible = asked["visible"]
        weight = (asked.get("physicalProperties") or {}).get("weight")
        if weight is not None:
            variant.weight = float(weight)
        self._workshop.touch(variant.product, {"variantsInfo": {}}, actor)

    def _tagged(self, product: Product, call: Call) -> None:
        tags = product.details.get("tags") or {}
        told: Told = {}
        for part in ("privateTags", "publicTags"):
            gone = (call.part("unassignTags").get(part) or {}).get("tagIds") or []
            more = (call.part("assignTags").get(part) or {}).get("tagIds") or []
            held = [tag for tag in (tags.get(part) or {}).get("tagIds") or [] if tag not in gone]
            told[part] = {"tagIds": list(dict.fromkeys([*held, *more]))}
        product.details["tags"] = told
        self._workshop.touch(product, {"tags": told}, call.actor)

    def _started(self, call: Call, operation: str, apply: Callable[[Product], None]) -> Told:
        found = [(product.id, product) for product in self._reads.matching(call)]
        call.wrote = True
        return work_through(self._jobs, operation, found, apply)

    def _started_on_variants(self, call: Call, operation: str, apply: Callable[[Variant], None]) -> Told:
        asked = {"filter": call.arguments.get("filter"), "search": call.arguments.get("search")}
        question = VARIANT_SEARCH.read(asked)
        found = [(one.variant_id, one) for one in self._shelf.variants() if question.matches(one)]
        call.wrote = True
        return work_through(self._jobs, operation, found, apply)


def _check_tags(call: Call) -> None:
    parts = ("privateTags", "publicTags")
    named = [call.part(name).get(part) for name in ("assignTags", "unassignTags") for part in parts]
    if not any(part and part.get("tagIds") for part in named):
        raise application_error(400, "EMPTY_ASSIGN_AND_UNASSIGN_LISTS", "There is no tag to assign or unassign")


def _negative(discount: Told) -> Told:
    if discount.get("amount") is not None:
        return {"amount": f"-{discount['amount']}"}
    return {"percentage": -(discount.get("percentage") or 0)}


def _adjusted(name: str, held: Decimal | None, how: Told, rounding: str) -> Decimal | None:
    """A price moved by an amount or by a share of itself; raises WixRefusal when it leaves the range."""
    if held is None:
        return None
    if how.get("amount") is not None:
        moved = held + Decimal(how["amount"])
    else:
        moved = held * (100 + Decimal(str(how.get("percentage") or 0))) / 100
    moved = moved.quantize(ROUNDINGS[rounding], ROUND_HALF_UP)
    if not 0 <= moved <= HIGHEST_PRICE:
        codes = {"actualPrice": "ACTUAL_PRICE", "compareAtPrice": "COMPARE_AT_PRICE", "cost": "COST"}
        raise application_error(428, f"ADJUSTED_{codes[name]}_OUT_OF_RANGE", f"The price would become {moved}")
    return moved
