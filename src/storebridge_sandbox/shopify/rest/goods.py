"""Products, variants and inventory items written over REST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storebridge_sandbox.shopify.ids import gid
from storebridge_sandbox.shopify.products.answers import options_of
from storebridge_sandbox.shopify.products.state import Product, Shelves, Variant
from storebridge_sandbox.shopify.rest.given import (
    MISSING,
    Given,
    id_of,
    metafields,
    renamed,
    rows,
    said,
    tags,
    upper,
    wrapped,
)
from storebridge_sandbox.shopify.rest.lists import RestLists
from storebridge_sandbox.shopify.rest.pages import RestRefused
from storebridge_sandbox.shopify.rest.verbs import Verbs

PRODUCT = {
    "title": "title",
    "body_html": "descriptionHtml",
    "vendor": "vendor",
    "product_type": "productType",
    "handle": "handle",
    "template_suffix": "templateSuffix",
}
VARIANT = {"price": "price", "taxable": "taxable"}
CLEARED_BY_NULL = {"compare_at_price": "compareAtPrice", "barcode": "barcode"}
ITEM = {"sku": "sku", "cost": "cost", "requires_shipping": "requiresShipping", "tracked": "tracked"}
UNITS = {"kg": "KILOGRAMS", "g": "GRAMS", "lb": "POUNDS", "oz": "OUNCES"}
PLACES = ("option1", "option2", "option3")
ID, PRODUCT_SET, VARIANTS = "ID!", "ProductSetInput!", "[ProductVariantsBulkInput!]!"


class RestGoods:
    """Each answers with the thing as it is then; raises RestRefused, having changed nothing."""

    def __init__(self, verbs: Verbs, lists: RestLists, shelves: Shelves) -> None:
        self._verbs = verbs
        self._lists = lists
        self._shelves = shelves

    # -- products --------------------------------------------------------------------------------------------

    def create(self, content: Given, ref: str) -> dict[str, Any]:
        given = wrapped(content, "product")
        variants = rows(given, "variants")
        names = _option_names(given, variants)
        wanted = {**_product(given), "title": given.get("title") or ""}
        if names:
            firsts = [_chosen(names, one) for one in variants or [_first_values(given, names)]]
            wanted["productOptions"] = _options(names, firsts)
            made = zip(variants or [{}], firsts, strict=True)
            wanted["variants"] = [{**_variant(one), "optionValues": _values(names, chosen)} for one, chosen in made]
        elif variants:
            wanted["productOptions"] = [{"name": "Title", "values": [{"name": "Default Title"}]}]
            wanted["variants"] = [
                {**_variant(one), "optionValues": _values(["Title"], ["Default Title"])} for one in variants
            ]
        payload = self._verbs.carry_out("productSet", ref, shows="product { id }", input=(PRODUCT_SET, wanted))
        return self._product(payload["product"]["id"])

    def update(self, number: int, content: Given, ref: str) -> dict[str, Any]:
        """Variants that are not named any more are deleted, as ever; without variants none is touched."""
        product = self._held(number)
        given = wrapped(content, "product")
        wanted = {**_product(given), "id": product.id}
        if given.get("variants") is not None:
            wanted["variants"] = [self._kept(product, one) for one in rows(given, "variants")]
            if not wanted["variants"]:
                raise RestRefused(422, {"variants": ["can't be blank"]})
        self._verbs.carry_out("productSet", ref, shows="product { id }", input=(PRODUCT_SET, wanted))
        return self._product(product.id)

    def delete(self, number: int, ref: str) -> dict[str, Any]:
        product = self._held(number)
        self._verbs.carry_out("productDelete", ref, input=("ProductDeleteInput!", {"id": product.id}))
        return {}

    def _kept(self, product: Product, given: Given) -> dict[str, Any]:
        """A variant of an update: a known one keeps what is not said."""
        names = [option.name for option in options_of(product)]
        known = self._variant_of(product, given)
        chosen = list(known.options if known else ()) or ["Default Title"] * len(names)
        chosen = [str(given.get(place) or old) for place, old in zip(PLACES, chosen, strict=False)]
        own = {"id": known.variant_id} if known else {}
        return {**own, **_variant(given), "optionValues": _values(names, chosen)}

    def _variant_of(self, product: Product, given: Given) -> Variant | None:
        wanted = id_of("ProductVariant", given, "id")
        found = next((one for one in product.variants if one.variant_id == wanted), None)
        if wanted is not None and found is None:
            raise RestRefused(404, "Not Found")
        return found

    # -- variants and items ----------------------------------------------------------------------------------

    def add_variant(self, number: int, content: Given, ref: str) -> dict[str, Any]:
        product, given = self._held(number), wrapped(content, "variant")
        names = [option.name for option in options_of(product)]
        row = {**_variant(given), "optionValues": _values(names, _chosen(names, given))}
        payload = self._verbs.carry_out(
            "productVariantsBulkCreate",
            ref,
            shows="productVariants { id }",
            productId=(ID, product.id),
            variants=(VARIANTS, [row]),
        )
        return self._variant(payload["productVariants"][0]["id"])

    def update_variant(self, number: int, content: Given, ref: str) -> dict[str, Any]:
        variant = self._shelves.variants.get(gid("ProductVariant", number))
        if variant is None:
            raise RestRefused(404, "Not Found")
        given = wrapped(content, "variant")
        row = {**_variant(given), "id": variant.variant_id}
        names = [option.name for option in options_of(self._shelves.products[variant.product_id])]
        told = [(name, str(given[place])) for name, place in zip(names, PLACES, strict=False) if given.get(place)]
        if told and [value for _, value in told] != list(variant.options):
            row["optionValues"] = [{"optionName": name, "name": value} for name, value in told]
        self._verbs.carry_out(
            "productVariantsBulkUpdate", ref, productId=(ID, variant.product_id), variants=(VARIANTS, [row])
        )
        return self._variant(variant.variant_id)

    def delete_variant(self, number: int, variant_number: int, ref: str) -> dict[str, Any]:
        product = self._held(number)
        variant_id = gid("ProductVariant", variant_number)
        if all(one.variant_id != variant_id for one in product.variants):
            raise RestRefused(404, "Not Found")
        self._verbs.carry_out(
            "productVariantsBulkDelete", ref, productId=(ID, product.id), variantsIds=("[ID!]!", [variant_id])
        )
        return {}

    def update_item(self, number: int, content: Given, ref: str) -> dict[str, Any]:
        self._lists.one("inventory_items", number)
        given = wrapped(content, "inventory_item")
        names = {"country_code_of_origin": "countryCodeOfOrigin", "province_code_of_origin": "provinceCodeOfOrigin"}
        names |= {"harmonized_system_code": "harmonizedSystemCode", **ITEM}
        self._verbs.carry_out(
            "inventoryItemUpdate",
            ref,
            id=(ID, gid("InventoryItem", number)),
            input=("InventoryItemInput!", renamed(given, names)),
        )
        return {"inventory_item": self._lists.one("inventory_items", number)}

    # -- what is answered ------------------------------------------------------------------------------------

    def _held(self, number: int) -> Product:
        found = self._shelves.products.get(gid("Product", number))
        if found is None:
            raise RestRefused(404, "Not Found")
        return found

    def _product(self, product_id: str) -> dict[str, Any]:
        return {"product": self._lists.one("products", int(product_id.rpartition("/")[2]))}

    def _variant(self, variant_id: str) -> dict[str, Any]:
        return {"variant": self._lists.one("variants", int(variant_id.rpartition("/")[2]))}


def _product(given: Given) -> dict[str, Any]:
    return {**said(given, PRODUCT), **tags(given), **upper(given, "status", "status"), **metafields(given)}


def _variant(given: Given) -> dict[str, Any]:
    """Of ``ProductVariantSetInput``; the SKU stands on the inventory item, which both inputs have."""
    item = said(given, {name: newer for name, newer in ITEM.items() if name != "tracked"})
    if "inventory_management" in given:
        item["tracked"] = given["inventory_management"] == "shopify"
    weight = given.get("weight") if given.get("weight") is not None else given.get("grams")
    if weight is not None:
        unit = "GRAMS" if given.get("weight") is None else UNITS.get(str(given.get("weight_unit") or "kg"))
        item["measurement"] = {"weight": {"value": weight, "unit": unit}}
    wanted = {**said(given, VARIANT), **renamed(given, CLEARED_BY_NULL), **metafields(given)}
    wanted |= upper(given, "inventory_policy", "inventoryPolicy")
    return {**wanted, "inventoryItem": item} if item else wanted


def _option_names(given: Given, variants: Sequence[Given]) -> list[str]:
    """As given; without names, ``option1`` and so on make options by that many values."""
    options = given.get("options")
    if isinstance(options, list):
        return [str(one.get("name") if isinstance(one, dict) else one) for one in options][:3]
    many = max((sum(one.get(place) is not None for place in PLACES) for one in variants), default=0)
    only_default = many == 1 and all(one.get("option1") == "Default Title" for one in variants)
    return [] if only_default else ["Title", "Option 2", "Option 3"][:many]


def _first_values(given: Given, names: Sequence[str]) -> dict[str, Any]:
    """A product with options and no variants has one variant, of the first values."""
    values = [(one.get("values") if isinstance(one, dict) else None) or [None] for one in given["options"]]
    first = [held[0] if isinstance(held, list) and held else None for held in values]
    return dict(zip(PLACES, first[: len(names)], strict=False))


def _chosen(names: Sequence[str], given: Given) -> list[str]:
    chosen = [given.get(place) for place in PLACES[: len(names)]]
    for place, one in zip(PLACES, chosen, strict=False):
        if one is None and not (len(names) == 1 and names[0] == "Title"):
            raise RestRefused(422, {place: ["can't be blank"]} if names else {place: MISSING})
    return [str(one or "Default Title") for one in chosen]


def _options(names: Sequence[str], rows_of_values: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    columns = zip(*rows_of_values, strict=True)
    return [
        {"name": name, "position": place, "values": [{"name": one} for one in dict.fromkeys(column)]}
        for place, (name, column) in enumerate(zip(names, columns, strict=True), 1)
    ]


def _values(names: Sequence[str], chosen: Sequence[str]) -> list[dict[str, str]]:
    return [{"optionName": name, "name": value} for name, value in zip(names, chosen, strict=False)]
