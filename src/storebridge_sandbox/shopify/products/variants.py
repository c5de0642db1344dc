"""The mutations of variants: bulk create, update, delete, reorder, and what productSet says of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, refused
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.products.answers import has_only_default, options_of
from storebridge_sandbox.shopify.products.items import apply_item
from storebridge_sandbox.shopify.products.media import (
    Shelf,
    add_media,
    media_errors,
    set_picture,
    variant_media_errors,
)
from storebridge_sandbox.shopify.products.state import OptionValue, Product, Shelves, Variant
from storebridge_sandbox.shopify.products.variant_checks import (
    already_there,
    cost_errors,
    data_errors,
    long_value,
    naming_error,
)
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.shopify.versions import told_from_is_demanded
from storebridge_sandbox.stock import Level, Stock

DEFAULT = "Default Title"
NOT_THERE = "Product does not exist", "PRODUCT_DOES_NOT_EXIST"


class MostVariants:
    """Limits of one product, and how long an operation on its own takes."""

    VARIANTS = 2048
    QUANTITIES = 50_000
    PAUSE = timedelta(seconds=1)


class VariantWrites:
    """``changed`` announces a product, ``level_changed`` a counter, ``item`` one that came or went with a variant."""

    def __init__(
        self,
        shelves: Shelves,
        stock: Stock,
        shop: ShopState,
        numbers: Numbers,
        now: Callable[[], datetime],
        changed: Callable[[Product, str], None],
        level_changed: Callable[[Level], None],
        item: Callable[[Variant, str], None],
        set_metafields: Callable[[Any, list[dict[str, Any]]], list[UserError]],
    ) -> None:
        self._shelves = shelves
        self._stock = stock
        self._shop = shop
        self._numbers = numbers
        self._now = now
        self._changed = changed
        self._level_changed = level_changed
        self._item = item
        self._set_metafields = set_metafields

    def resolvers(self) -> Resolvers:
        return {
            ("Mutation", "productVariantsBulkCreate"): self._bulk_create,
            ("Mutation", "productVariantsBulkUpdate"): self._bulk_update,
            ("Mutation", "productVariantsBulkDelete"): self._bulk_delete,
            ("Mutation", "productVariantsBulkReorder"): self._bulk_reorder,
        }

    # -- making ----------------------------------------------------------------------------------------------------

    def make(self, product: Product, options: tuple[str, ...]) -> Variant:
        """A variant with its item, not yet on the shelves."""
        moment = self._now()
        return Variant(
            item_id=self._numbers.new("InventoryItem"),
            variant_id=self._numbers.new("ProductVariant"),
            product_id=product.id,
            sku="",
            title=product.title,
            price=Decimal("0.00"),
            tracked=False,
            for_sale=product.status == "active",
            product=product,
            options=options or (DEFAULT,),
            position=len(product.variants) + 1,
            barcode="",
            compare_at_price=None,
            grams=0,
            created_at=moment,
            updated_at=moment,
        )

    def stock_up(self, variant: Variant, quantities: list[tuple[str, str, int]]) -> None:
        """Open a level at each (location, state, quantity); without any, at the shop's first location."""
        self._item(variant, "inventory_items/create")
        places = quantities or [(self._shop.locations[0].id, "available", 0)]
        for place, _name, quantity in places:
            level = self._stock.connect(variant.item_id, place, available=quantity)
            if quantity:
                self._level_changed(level)

    def replace_all(self, product: Product, given: list[dict[str, Any]]) -> None:
        """productSet: the variants are these and no others."""
        held = {variant.variant_id: variant for variant in product.variants}
        by_options = {variant.options: variant for variant in product.variants}
        chosen: list[Variant] = []
        for one in given:
            names = self._names(product, one)
            variant = held.get(one.get("id") or "") or by_options.get(names)
            if variant is None:
                variant = self.make(product, names)
                self._apply(variant, one)
                self._shelves.add_variant(variant)
                self.stock_up(variant, _set_quantities(one))
            else:
                variant.options = names
                self._apply(variant, one)
            chosen.append(variant)
            self._set_metafields(variant, one.get("metafields") or [])
        for variant in held.values():
            if variant not in chosen:
                self.drop(variant)
        product.variants = chosen
        self.number(product)

    def set_errors(self, product: Product | None, given: dict[str, Any]) -> list[UserError]:
        """What productSet refuses of its variants."""
        variants = given["variants"]
        if len(variants) > MostVariants.VARIANTS:
            told = f"The number of variants can't be over {MostVariants.VARIANTS}."
            return [UserError(["input", "variants"], told, "VARIANTS_OVER_LIMIT")]
        known = {option.name for option in options_of(product)} if product else set()
        known |= {one.get("name") for one in given.get("productOptions") or []}
        known_ids = {option.id for option in options_of(product)} if product else set()
        errors = []
        seen: set[tuple[str, ...]] = set()
        for place, one in enumerate(variants):
            path = ["input", "variants", str(place)]
            names = tuple(value.get("name") or "" for value in one["optionValues"])
            for value in one["optionValues"]:
                stranger = value.get("optionName") and value["optionName"] not in known
                if stranger or (value.get("optionId") and value["optionId"] not in known_ids):
                    errors.append(UserError([*path, "optionValues"], "Option does not exist", "OPTION_DOES_NOT_EXIST"))
            if names in seen:
                errors.append(already_there(names, path, "INVALID_VARIANT"))
            seen.add(names)
            errors += [UserError(wrong.field, wrong.message, "INVALID_VARIANT") for wrong in data_errors(one, path)]
            for location, _name, _quantity in _set_quantities(one):
                if self._shop.location(location) is None:
                    told = f"Quantity for {' / '.join(names)} couldn't be set because the location was deleted."
                    errors.append(UserError([*path, "inventoryQuantities"], told, "INVALID_INPUT"))
        return errors

    # -- bulk ------------------------------------------------------------------------------------------------------

    def _bulk_create(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        product = self._shelves.products.get(args["productId"])
        if product is None:
            return {**refused(["productId"], *NOT_THERE), "productVariants": []}
        chosen: list[tuple[str, ...]] = []
        for place, one in enumerate(args["variants"]):
            errors = self._creation_errors(product, one, ["variants", str(place)], chosen)
            if errors:
                return {"product": None, "productVariants": [], "userErrors": errors}
        wrong = media_errors(args.get("media") or [], ["media"], "INVALID_INPUT")
        if wrong:
            return {"product": None, "productVariants": [], "userErrors": wrong}
        self._add_media(product, args)
        standalone = args["variants"] and self._drops_default(product, args.get("strategy"))
        made = []
        for one in args["variants"]:
            variant = self.make(product, self._names(product, one))
            self._apply(variant, one)
            set_picture(variant, one, Shelf(self._numbers, self._now()))
            product.variants.append(variant)
            self._shelves.add_variant(variant)
            rows = one.get("inventoryQuantities") or []
            self.stock_up(variant, [(row["locationId"], "available", row["availableQuantity"]) for row in rows])
            self._set_metafields(variant, one.get("metafields") or [])
            made.append(variant)
        if standalone:
            first = product.variants.pop(0)
            self.drop(first)
        self.number(product)
        if made:
            self._changed(product, "products/update")
        return {"product": product, "productVariants": made, "userErrors": []}

    def _drops_default(self, product: Product, strategy: str | None) -> bool:
        """The one variant without options goes when real ones come."""
        return (bool(product.variants) and strategy == "REMOVE_STANDALONE_VARIANT") or (
            strategy in (None, "DEFAULT") and has_only_default(product)
        )

    def _creation_errors(
        self, product: Product, given: dict[str, Any], path: list[str], chosen: list[tuple[str, ...]]
    ) -> list[UserError]:
        """``chosen`` are the option values of the rows before, and gets those of this one."""
        if given.get("id"):
            return [UserError([*path, "id"], "On create, this key cannot be used.", "NO_KEY_ON_CREATE")]
        error = self._creation_error(product, given, path)
        if error is not None:
            return [error]
        names = self._names(product, given, adds=False)
        if names in chosen:
            return [already_there(names, path)]
        chosen.append(names)
        return [*data_errors(given, path), *cost_errors(given, path), *variant_media_errors(product, given, path)]

    def _creation_error(self, product: Product, given: dict[str, Any], path: list[str]) -> UserError | None:
        known = {option.id: option.name for option in options_of(product)}
        chosen_values = given.get("optionValues") or []
        names = [one.get("optionName") or known.get(one.get("optionId") or "") for one in chosen_values]
        names = [
            name or known.get(one.get("optionId") or "")
            for name, one in zip(names, given.get("optionValues") or [], strict=True)
        ]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            return UserError([*path, "optionValues"], f"Duplicated option name '{twice}'", "INVALID_INPUT")
        for place, name in enumerate(names):
            if name not in known.values():
                return UserError([*path, "optionValues", str(place)], "Option does not exist", "INVALID_INPUT")
        missing = [name for name in known.values() if name not in names]
        if missing and not (names == [] and has_only_default(product)):
            told = f"You need to add option values for {', '.join(missing)}"
            return UserError(path, told, "NEED_TO_ADD_OPTION_VALUES")
        too_long = long_value(given)
        if too_long is not None:
            here = [*path, "optionValues", str(too_long), "name"]
            return UserError(here, "Option value name is too long.", "INVALID_INPUT")
        chosen = self._names(product, given, adds=False)
        if any(variant.options == chosen for variant in product.variants) and not has_only_default(product):
            return already_there(chosen, path)
        for row in given.get("inventoryQuantities") or []:
            if self._shop.location(row["locationId"]) is None:
                told = f"Quantity for {' / '.join(chosen)} couldn't be set because the location was deleted."
                return UserError([*path, "inventoryQuantities"], told, "TRACKED_VARIANT_LOCATION_NOT_FOUND")
        return None

    def _bulk_update(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        _check_told_from(args["variants"], call)
        product = self._shelves.products.get(args["productId"])
        if product is None:
            return refused(["productId"], *NOT_THERE)
        errors, good, ranges = media_errors(args.get("media") or [], ["media"], "INVALID_INPUT"), [], []
        if errors:
            return {"product": product, "productVariants": None, "userErrors": errors}
        for place, one in enumerate(args["variants"]):
            path = ["variants", str(place)]
            error = self._update_error(product, one, path)
            costly = cost_errors(one, path)
            ranges += costly
            if error is not None:
                errors.append(error)
            elif not costly:
                good.append(one)
        if errors and not args.get("allowPartialUpdates"):
            return {"product": product, "productVariants": None, "userErrors": errors}
        if ranges:
            held, named = self._shelves.variants, [one.get("id") for one in args["variants"]]
            shown = [held[one] for one in named if one in held]
            return {"product": product, "productVariants": shown, "userErrors": ranges}
        if good:
            self._add_media(product, args)
        updated = [self._update(product, one) for one in good]
        if updated:
            product.updated_at = self._now()
            self._changed(product, "products/update")
        return {"product": product, "productVariants": updated, "userErrors": errors}

    def _update(self, product: Product, given: dict[str, Any]) -> Variant:
        variant = self._shelves.variants[given["id"]]
        if given.get("optionValues"):
            variant.options = self._names(product, given, variant)
        self._apply(variant, given)
        for row in given.get("quantityAdjustments") or []:
            level = self._stock.connect(variant.item_id, row["locationId"])
            self._stock.move(level, "api", "api", variant.item_id, available=row["adjustment"])
            self._level_changed(level)
        set_picture(variant, given, Shelf(self._numbers, self._now()))
        self._set_metafields(variant, given.get("metafields") or [])
        return variant

    def _add_media(self, product: Product, args: dict[str, Any]) -> None:
        add_media(product, args.get("media") or [], Shelf(self._numbers, self._now()))

    def _update_error(self, product: Product, given: dict[str, Any], path: list[str]) -> UserError | None:
        if not given.get("id"):
            told = "Product variant is missing ID attribute"
            return UserError([*path, "id"], told, "PRODUCT_VARIANT_ID_MISSING")
        variant = self._shelves.variants.get(given["id"])
        if variant is None or variant.product is not product:
            return UserError([*path, "id"], "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST")
        if given.get("inventoryQuantities"):
            told = (
                "Inventory quantities can only be provided during create. To update inventory for existing "
                "variants, use inventoryAdjustQuantities."
            )
            return UserError([*path, "inventoryQuantities"], told, "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE")
        known = {option.name for option in options_of(product)} | {option.id for option in options_of(product)}
        for place, one in enumerate(given.get("optionValues") or []):
            if (one.get("optionName") or one.get("optionId") or next(iter(known))) not in known:
                return UserError([*path, "optionValues", str(place)], "Option does not exist", "OPTION_DOES_NOT_EXIST")
        unclear = naming_error(given, path)
        if unclear is not None:
            return unclear
        too_long = long_value(given)
        if too_long is not None:
            here = [*path, "optionValues", str(too_long), "name"]
            return UserError(here, "Option value name is too long.", "OPTION_VALUE_NAME_TOO_LONG")
        names = self._names(product, given, variant, adds=False)
        if any(one.options == names for one in product.variants if one is not variant):
            return already_there(names, path)
        for row in given.get("quantityAdjustments") or []:
            if self._shop.location(row["locationId"]) is None:
                here = [*path, "quantityAdjustments"]
                return UserError(here, "The specified location could not be found.", "INVALID_INPUT")
        return next(chain(data_errors(given, path), variant_media_errors(product, given, path)), None)

    def _bulk_delete(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        product = self._shelves.products.get(args["productId"])
        if product is None:
            return refused(["productId"], *NOT_THERE)
        held = {variant.variant_id: variant for variant in product.variants}
        for place, one in enumerate(args["variantsIds"]):
            if one not in held:
                told = "At least one variant does not belong to the product"
                code = "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT"
                return refused(["variantsIds", str(place)], told, code)
        if args["variantsIds"] and len(set(args["variantsIds"])) == len(held):
            return refused(["variantsIds"], "Cannot delete the last variant", "CANNOT_DELETE_LAST_VARIANT")
        for one in args["variantsIds"]:
            if one in held:
                product.variants.remove(held[one])
                self.drop(held.pop(one))
        self.number(product)
        if args["variantsIds"]:
            self._changed(product, "products/update")
        return {"product": product, "userErrors": []}

    def _bulk_reorder(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        product = self._shelves.products.get(args["productId"])
        if product is None:
            return refused(["productId"], *NOT_THERE)
        held = {variant.variant_id: variant for variant in product.variants}
        ids = [one["id"] for one in args["positions"]]
        for place, one in enumerate(args["positions"]):
            if one["position"] < 1:
                told = "Position can not be zero or negative number"
                return refused(["positions", str(place), "position"], told, "INVALID_POSITION")
        if len(set(ids)) < len(ids):
            return refused(["positions"], "Product variant IDs must be unique", "DUPLICATED_VARIANT_ID")
        for place, one in enumerate(ids):
            if one not in held:
                told = "Product variant does not exist"
                return refused(["positions", str(place), "id"], told, "MISSING_VARIANT")
        rest = [variant for variant in product.variants if variant.variant_id not in ids]
        for one in sorted(args["positions"], key=lambda row: row["position"]):
            rest.insert(one["position"] - 1, held[one["id"]])
        product.variants[:] = rest
        self.number(product)
        self._changed(product, "products/update")
        return {"product": product, "userErrors": []}

    # -- the variant's own data --------------------------------------------------------------------------------------

    def _names(
        self, product: Product, given: dict[str, Any], held: Variant | None = None, *, adds: bool = True
    ) -> tuple[str, ...]:
        """The chosen values in the order of the options; with ``adds``, unknown ones are added to their option."""
        options = options_of(product)
        names = list(held.options if held else ("",) * len(options))
        for place, one in enumerate(given.get("optionValues") or []):
            index = next(
                (n for n, o in enumerate(options) if o.name == one.get("optionName") or o.id == one.get("optionId")),
                place,
            )
            if index >= len(options):
                continue
            known = next((value for value in options[index].values if value.id == one.get("id")), None)
            name = known.name if known else one.get("name") or one.get("linkedMetafieldValue") or ""
            if adds and all(value.name != name for value in options[index].values):
                options[index].values.append(OptionValue(self._numbers.new("ProductOptionValue"), name))
            names[index] = name
        return tuple(name or DEFAULT for name in names)

    def _apply(self, variant: Variant, given: dict[str, Any]) -> None:
        if given.get("sku") is not None:
            self._shelves.rename(variant, given["sku"])
        if given.get("price") is not None:
            variant.price = Decimal(str(given["price"]))
        if "compareAtPrice" in given:
            price = given["compareAtPrice"]
            variant.compare_at_price = None if price is None else Decimal(str(price))
        if "barcode" in given:
            variant.barcode = given["barcode"] or ""
        if given.get("inventoryPolicy"):
            variant.continue_selling = given["inventoryPolicy"] == "CONTINUE"
        for name, attribute in (
            ("taxable", "taxable"),
            ("taxCode", "tax_code"),
            ("requiresComponents", "requires_components"),
            ("showUnitPrice", "show_unit_price"),
            ("unitPriceMeasurement", "unit_price_measurement"),
        ):
            if given.get(name) is not None:
                setattr(variant, attribute, given[name])
        apply_item(self._shelves, variant, given.get("inventoryItem") or {})
        variant.updated_at = self._now()

    def drop(self, variant: Variant) -> None:
        self._shelves.remove_variant(variant)
        self._stock.forget_item(variant.item_id)
        self._item(variant, "inventory_items/delete")

    def number(self, product: Product) -> None:
        for place, variant in enumerate(product.variants, 1):
            variant.position = place
        product.updated_at = self._now()


def _check_told_from(rows: list[dict[str, Any]], call: Call) -> None:
    """Since 2026-04 an adjustment says what the level was; null opts out."""
    adjustments = [one for row in rows for one in row.get("quantityAdjustments") or []]
    if told_from_is_demanded(call.version) and any("changeFromQuantity" not in one for one in adjustments):
        told = "InventoryAdjustmentInput must include the following argument: changeFromQuantity."
        raise Refusal(told, "INVALID_FIELD_ARGUMENTS")


def _set_quantities(given: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(row["locationId"], row["name"], row["quantity"]) for row in given.get("inventoryQuantities") or []]
