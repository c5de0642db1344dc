"""``/stores/v1/products``: writing Catalog V1. There is no revision: the last writer wins."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import product as every
from typing import Any

from storebridge_sandbox.wix import bulk
from storebridge_sandbox.wix.calls import Call, Handler, Operation
from storebridge_sandbox.wix.identities import Actor, Guids
from storebridge_sandbox.wix.inventory.items import api_change
from storebridge_sandbox.wix.inventory.state import Change, Inventory, Preorder, Terms
from storebridge_sandbox.wix.products.herald import ProductHerald
from storebridge_sandbox.wix.products.v1_reads import MANAGE, PACKAGE, ProductReadsV1, chosen
from storebridge_sandbox.wix.products.v1_shape import choices_of, variant_payload
from storebridge_sandbox.wix.products.workshop import Workshop
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID
from storebridge_sandbox.wix.shelf.state import Choice, Option, OptionValue, Product, Shelf, Variant, sellable_of
from storebridge_sandbox.wix.wire import application_error, validation_error

BASE = "/stores/v1/products"
ONE = BASE + "/{id}"
BULK = "/stores/v1/bulk/products"
MOST_VARIANTS = 1000

Told = dict[str, Any]


class ProductWritesV1:
    """Answers to writes on a V1 site."""

    def __init__(
        self,
        reads: ProductReadsV1,
        shelf: Shelf,
        inventory: Inventory,
        workshop: Workshop,
        herald: ProductHerald,
        new_id: Guids,
        default_location: str,
    ) -> None:
        self._reads = reads
        self._shelf = shelf
        self._inventory = inventory
        self._workshop = workshop
        self._herald = herald
        self._new_id = new_id
        self._default_location = default_location

    def operations(self) -> list[Operation]:
        def write(name: str, method: str, path: str, handler: Handler, message: str) -> Operation:
            return Operation(name, (method,), path, handler, MANAGE, "v1", takes=f"{PACKAGE}:{message}Request")

        return [
            write("createProductV1", "POST", BASE, self.create, "CreateProduct"),
            write("updateProductV1", "PATCH", ONE, self.update, "UpdateProduct"),
            write("deleteProductV1", "DELETE", ONE, self.delete, "DeleteProduct"),
            write("updateProductVariants", "PATCH", f"{ONE}/variants", self.update_variants, "UpdateVariants"),
            write(
                "resetAllProductVariantData",
                "POST",
                f"{ONE}/variants/resetToDefault",
                self.reset_variants,
                "ResetAllVariantData",
            ),
            write("deleteProductOptions", "DELETE", f"{ONE}/options", self.delete_options, "DeleteProductOptions"),
            write("removeBrand", "POST", f"{ONE}/remove-brand", self.remove_brand, "RemoveProductBrand"),
            write("removeRibbon", "POST", f"{ONE}/remove-ribbon", self.remove_ribbon, "RemoveProductRibbon"),
            write("bulkUpdateProductsProperty", "POST", f"{BULK}/update", self.update_many, "BulkUpdateProducts"),
            write(
                "bulkAdjustProductProperty",
                "POST",
                f"{BULK}/adjust-properties",
                self.adjust_many,
                "BulkAdjustProductProperties",
            ),
        ]

    def create(self, call: Call) -> Told:
        asked = call.part("product")
        for name in ("name", "priceData", "productType"):
            if asked.get(name) in (None, ""):
                raise validation_error(f"product.{name}", "must not be empty", "REQUIRED_FIELD")
        if asked["productType"] != "physical":
            raise application_error(400, "INVALID_ARGUMENT", "Only physical products can be created by the API")
        options = self._options(asked)
        self._check_slug(asked, None)
        product = self._shelf.new_product(str(asked["name"]))
        product.slug = asked.get("slug") or self._shelf.free_slug(product.name)
        product.handle = product.slug
        product.options = options
        managed = bool(asked.get("manageVariants")) and bool(options)
        price = Decimal(str(asked["priceData"].get("price") or 0))
        for choices in _combinations(options) if managed else [()]:
            self._add(product, choices, price, managed=managed)
        self._shelf.put(product)
        self._write(product, asked)
        self._workshop.refresh(product)
        self._stock(product, call.actor)
        self._herald.product_created(product, call.actor)
        return self._told(product, call)

    def update(self, call: Call) -> Told:
        product, asked = self._reads.find(call.params["id"]), call.part("product")
        self._check_slug(asked, product)
        if asked.get("productOptions") is not None or _switches(product, asked):
            self._rebuild(product, asked, api_change(call))
        if asked.get("name"):
            product.name = asked["name"]
        if asked.get("slug"):
            self._shelf.rename_slug(product, asked["slug"])
        price = (asked.get("priceData") or {}).get("price")
        if price is not None:
            for variant in product.variants:
                variant.price = Decimal(str(price))
        self._write(product, asked)
        self._workshop.touch(product, {name: True for name in asked if name != "id"}, call.actor)
        return self._told(product, call)

    def delete(self, call: Call) -> Told:
        self._workshop.delete(self._reads.find(call.params["id"]), api_change(call))
        call.wrote = True
        return {}

    def update_variants(self, call: Call) -> Told:
        product = self._managed(call)
        changed: list[Told] = []
        plans = [(row, self._chosen(product, row)) for row in call.arguments.get("variants") or []]
        for row, variants in plans:
            for variant in variants:
                fields = self._set_variant(variant, row)
                told = {"variantId": variant.variant_id, "choices": choices_of(variant), "changedFields": fields}
                changed.append(told)
        self._workshop.touched(product)
        self._herald.variants_changed(product, changed, call.actor)
        call.wrote = True
        return {"variants": [variant_payload(one, self._reads.item) for one in product.variants]}

    def reset_variants(self, call: Call) -> Told:
        """Every variant is as the product again: its price and weight, no SKU, visible."""
        product = self._managed(call)
        first = product.variants[0]
        price = Decimal(str(product.details.get("basePrice", first.price)))
        for variant in product.variants:
            self._shelf.rename_sku(variant, "")
            variant.price, variant.visible, variant.weight = price, True, 0.0
        self._workshop.touched(product)
        fields = ["price", "sku", "visible", "weight"]
        self._herald.variants_changed(
            product, [{"variantId": one.variant_id, "changedFields": fields} for one in product.variants], call.actor
        )
        call.wrote = True
        return {}

    def delete_options(self, call: Call) -> Told:
        product = self._reads.find(call.params["id"])
        if product.manages_variants:
            raise application_error(400, "INVALID_ARGUMENT", "A product with managed variants keeps its options")
        product.options = []
        self._workshop.touch(product, {"productOptions": True}, call.actor)
        call.wrote = True
        return {}

    def remove_brand(self, call: Call) -> Told:
        product = self._reads.find(call.params["id"])
        product.brand = ""
        self._workshop.touch(product, {"brand": True}, call.actor)
        call.wrote = True
        return {}

    def remove_ribbon(self, call: Call) -> Told:
        product = self._reads.find(call.params["id"])
        product.details.pop("ribbon", None)
        self._workshop.touch(product, {"ribbon": True}, call.actor)
        call.wrote = True
        return {}

    def update_many(self, call: Call) -> Told:
        given = call.part("set")
        names = ("price", "cost", "weight", "ribbon", "brand")
        wanted = {name: given[name] for name in names if given.get(name) is not None}
        if not wanted:
            raise validation_error("set", "must not be empty", "REQUIRED_FIELD")
        fields: dict[str, Any] = {
            "price": {"priceData": {"price": wanted.get("price")}},
            "cost": {"costAndProfitData": {"itemCost": wanted.get("cost")}},
        }
        asked = {key: value for name, held in wanted.items() for key, value in fields.get(name, {name: held}).items()}
        return self._each(call, lambda product: self._property(product, asked, call))

    def adjust_many(self, call: Call) -> Told:
        adjust = call.part("adjust")
        wanted = {name: adjust[name] for name in ("price", "cost", "weight") if adjust.get(name)}
        if not wanted:
            raise validation_error("adjust", "must not be empty", "REQUIRED_FIELD")

        def apply(product: Product) -> None:
            for variant in product.variants:
                _adjust(variant, wanted)
            self._workshop.touch(product, dict.fromkeys(wanted, True), call.actor)

        return self._each(call, apply)

    def _property(self, product: Product, asked: Told, call: Call) -> None:
        price = (asked.get("priceData") or {}).get("price")
        if price is not None:
            for variant in product.variants:
                variant.price = Decimal(str(price))
        self._write(product, asked)
        self._workshop.touch(product, dict.fromkeys(asked, True), call.actor)

    def _each(self, call: Call, work: Callable[[Product], None]) -> Told:
        def apply(product_id: str) -> Told:
            work(self._reads.find(product_id))
            return {"id": product_id}

        call.wrote = True
        return bulk.carry_out(call.arguments["ids"], apply, str)

    # -- parts of a product --------------------------------------------------------------------------------

    def _write(self, product: Product, asked: Told) -> None:
        if asked.get("visible") is not None:
            product.visible = asked["visible"]
        if asked.get("description") is not None:
            product.html = asked["description"]
        if asked.get("brand") is not None:
            product.brand = asked["brand"]
        if asked.get("ribbon") is not None:
            name = asked["ribbon"]
            product.details["ribbon"] = (
                {"id": self._shelf.ribbons.setdefault(name, self._new_id()), "name": name} if name else None
            )
        discount = asked.get("discount")
        if discount is not None:
            product.discount = (discount.get("type") or "NONE", Decimal(str(discount.get("value") or 0)))
        price = (asked.get("priceData") or {}).get("price")
        if price is not None:
            product.details["basePrice"] = str(price)
        self._write_only_variant(product, asked)

    def _write_only_variant(self, product: Product, asked: Told) -> None:
        """What stands on the product while variants are not managed."""
        cost = (asked.get("costAndProfitData") or {}).get("itemCost")
        for variant in product.variants:
            if cost is not None:
                variant.cost = Decimal(str(cost))
            if asked.get("weight") is not None:
                variant.weight = float(asked["weight"])
        if asked.get("sku") is not None and not product.manages_variants:
            self._shelf.rename_sku(product.variants[0], asked["sku"])

    def _set_variant(self, variant: Variant, row: Told) -> list[str]:
        changed = [name for name in ("price", "cost", "weight", "sku", "visible") if row.get(name) is not None]
        if row.get("price") is not None:
            variant.price = Decimal(str(row["price"]))
        if row.get("cost") is not None:
            variant.cost = Decimal(str(row["cost"]))
        if row.get("weight") is not None:
            variant.weight = float(row["weight"])
        if row.get("sku") is not None:
            self._shelf.rename_sku(variant, row["sku"])
        if row.get("visible") is not None:
            variant.visible = row["visible"]
        return changed

    def _chosen(self, product: Product, row: Told) -> list[Variant]:
        found = chosen(product, row.get("choices"), row.get("variantIds"))
        if not found or not (row.get("choices") or row.get("variantIds")):
            raise application_error(404, "VARIANT_NOT_FOUND", "The product has no such variant")
        return found

    def _managed(self, call: Call) -> Product:
        product = self._reads.find(call.params["id"])
        if not product.manages_variants:
            raise application_error(400, "INVALID_ARGUMENT", "The product does not manage variants")
        return product

    def _options(self, asked: Told) -> list[Option]:
        made = []
        for row in asked.get("productOptions") or []:
            values = [choice.get("description") or choice.get("value") or "" for choice in row.get("choices") or []]
            if not row.get("name") or not values or len(set(values)) < len(values) or not all(values):
                raise validation_error("product.productOptions", "need a name and different choices", "OTHER")
            option = Option(self._new_id(), row["name"])
            option.choices = [OptionValue(self._new_id(), value) for value in values]
            made.append(option)
        if len(_combinations(made, most=MOST_VARIANTS + 1)) > MOST_VARIANTS:
            raise application_error(400, "TOO_MANY_VARIANTS", f"A product has at most {MOST_VARIANTS} variants")
        return made

    def _rebuild(self, product: Product, asked: Told, change: Change) -> None:
        """Other options, or variants managed from now on: the variants are made anew, with the stock of new ones."""
        options = self._options(asked) if asked.get("productOptions") is not None else product.options
        wanted = asked.get("manageVariants")
        managed = bool(options) and (product.manages_variants if wanted is None else bool(wanted))
        if not managed and not product.manages_variants:
            product.options = options
            return
        price = product.variants[0].price
        gone = list(product.variants)
        for variant in gone:
            self._inventory.forget(variant, change)
            self._shelf.remove_variant(variant)
        product.options = options
        for choices in _combinations(options) if managed else [()]:
            self._add(product, choices, price, managed=managed)
        product.manages_variants = managed
        self._stock(product, change.actor)

    def _add(self, product: Product, choices: tuple[Choice, ...], price: Decimal, *, managed: bool) -> None:
        variant_id = self._new_id() if managed else DEFAULT_VARIANT_ID
        self._shelf.add_variant(
            product,
            variant_id,
            sellable_of(product, variant_id, "", price),
            barcode="",
            choices=choices,
            price=price,
            compare_at_price=None,
            weight=0.0,
            visible=True,
        )

    def _stock(self, product: Product, actor: Actor) -> None:
        """New products are in stock and not counted."""
        change = Change("api", actor, product.id, "MANUAL")
        for variant in product.variants:
            self._inventory.create(variant, self._default_location, 0, Terms(False, True, Preorder()), change)

    def _check_slug(self, asked: Told, product: Product | None) -> None:
        slug = asked.get("slug")
        if slug and self._shelf.by_slug.get(slug, product) is not product:
            raise application_error(409, "DUPLICATE_SLUG_ERROR", f"Another product has the slug {slug!r}")

    def _told(self, product: Product, call: Call) -> Told:
        call.wrote = True
        return {"product": self._reads.told(product)}


def _switches(product: Product, asked: Told) -> bool:
    wanted = asked.get("manageVariants")
    return wanted is not None and bool(product.options) and bool(wanted) != product.manages_variants


def _combinations(options: list[Option], most: int | None = None) -> list[tuple[Choice, ...]]:
    """Every variant that the options allow; with ``most`` no more than so many are made."""
    made: list[tuple[Choice, ...]] = []
    for values in every(*(option.choices for option in options)):
        made.append(tuple(option.choice(value) for option, value in zip(options, values, strict=True)))
        if most is not None and len(made) >= most:
            break
    return made


def _adjust(variant: Variant, wanted: Told) -> None:
    """Raises WixRefusal when a value would leave its range."""
    for name, how in wanted.items():
        held = _held(variant, name)
        share = how.get("percentage")
        if share is not None:
            moved = held * (100 + Decimal(str(share.get("rate") or 0))) / 100
            moved = round(moved, 0) if share.get("roundToInt") else moved
        else:
            moved = held + Decimal(str(how.get("amount") or 0))
        if moved < 0:
            raise application_error(400, "INVALID_ARGUMENT", f"The {name} would become {moved}")
        if name == "price":
            variant.price = round(moved, 2)
        elif name == "cost":
            variant.cost = round(moved, 2)
        else:
            variant.weight = float(moved)


def _held(variant: Variant, name: str) -> Decimal:
    return {"price": variant.price, "cost": variant.cost or Decimal(0), "weight": Decimal(str(variant.weight))}[name]
