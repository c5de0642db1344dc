"""The data of an inventory item: what is refused, and how it is taken over."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.products.state import Shelves, Variant

OUT_OF_USE = frozenset(("ZZ", "XX"))
UNITS = {"KILOGRAMS": ("kg", 1000), "GRAMS": ("g", 1), "POUNDS": ("lb", 453.59237), "OUNCES": ("oz", 28.349523125)}


def item_errors(given: dict[str, Any], path: list[str]) -> list[UserError]:
    """What is wrong with the data of an inventory item."""
    errors = []
    cost = given.get("cost")
    if cost is not None and Decimal(str(cost)) < 0:
        errors.append(UserError([*path, "cost"], "Cost must be greater than or equal to 0"))
    weight = (given.get("measurement") or {}).get("weight")
    if weight and weight["value"] < 0:
        shown = f"{weight['value']:g} {UNITS[weight['unit']][0]}"
        told = f"Measurement weight value {shown} must be >= 0 kg"
        errors.append(UserError([*path, "measurement", "weight"], told))
    if given.get("countryCodeOfOrigin") in OUT_OF_USE:
        errors.append(UserError([*path, "countryCodeOfOrigin"], "Country code of origin is invalid"))
    code = given.get("harmonizedSystemCode")
    if code and not re.fullmatch(r"\d{6,13}", re.sub(r"[.\s]", "", code)):
        told = "Harmonized system code must be a number between six and thirteen digits"
        errors.append(UserError([*path, "harmonizedSystemCode"], told))
    return errors


def apply_item(shelves: Shelves, variant: Variant, given: dict[str, Any]) -> None:
    """Take over what was given of an inventory item's data."""
    if given.get("tracked") is not None:
        variant.tracked = given["tracked"]
    if given.get("requiresShipping") is not None:
        variant.requires_shipping = given["requiresShipping"]
    if "sku" in given:
        shelves.rename(variant, given["sku"] or "")
    if "cost" in given:
        variant.cost = None if given["cost"] is None else Decimal(str(given["cost"]))
    weight = (given.get("measurement") or {}).get("weight")
    if weight:
        variant.weight, variant.weight_unit = float(weight["value"]), weight["unit"]
        variant.grams = round(variant.weight * UNITS[variant.weight_unit][1])
    for name, attribute in (
        ("countryCodeOfOrigin", "country_of_origin"),
        ("provinceCodeOfOrigin", "province_of_origin"),
        ("harmonizedSystemCode", "harmonized_system_code"),
    ):
        if name in given:
            setattr(variant, attribute, given[name])
