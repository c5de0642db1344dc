"""What Shopify refuses of a variant's own data; the codes' meanings are those of the vendor's error code pages."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify.mutations import UserError

LONGEST = 255
TOO_MUCH = Decimal(10) ** 18
SHORT = "must be greater than or equal to 0"
LARGE = f"must be less than {TOO_MUCH}"


def data_errors(given: dict[str, Any], path: list[str]) -> Iterator[UserError]:
    """Prices out of range and texts that are too long."""
    for name, shown in (("price", "Price"), ("compareAtPrice", "Compare at price")):
        wrong = _out_of_range(given.get(name))
        if wrong:
            told, code = wrong
            yield UserError([*path, name], f"{shown} {told}", code)
    sku = given.get("sku") or (given.get("inventoryItem") or {}).get("sku")
    place = ["sku"] if given.get("sku") else ["inventoryItem", "sku"]
    for part, text, shown in ((place, sku, "SKU"), (["barcode"], given.get("barcode"), "Barcode")):
        if len(text or "") > LONGEST:
            told = f"{shown} is too long (maximum is {LONGEST} characters)"
            yield UserError([*path, *part], told, "INVALID_INPUT")


def cost_errors(given: dict[str, Any], path: list[str]) -> list[UserError]:
    """Both the variant and its cost are told, as recorded."""
    wrong = _out_of_range((given.get("inventoryItem") or {}).get("cost"))
    if wrong is None:
        return []
    told, code = wrong
    return [UserError(path, told), UserError([*path, "inventoryItem", "cost"], f"Cost per item {told}", code)]


def _out_of_range(value: Any) -> tuple[str, str] | None:
    if value is None or 0 <= Decimal(str(value)) < TOO_MUCH:
        return None
    negative = Decimal(str(value)) < 0
    return (SHORT, "GREATER_THAN_OR_EQUAL_TO") if negative else (LARGE, "INVALID_INPUT")


def long_value(given: dict[str, Any]) -> int | None:
    """The place of an option value whose name is too long."""
    names = [one.get("name") or "" for one in given.get("optionValues") or []]
    return next((place for place, name in enumerate(names) if len(name) > LONGEST), None)


def naming_error(given: dict[str, Any], path: list[str]) -> UserError | None:
    """An option is named by its id or by its name."""
    for place, one in enumerate(given.get("optionValues") or []):
        here = [*path, "optionValues", str(place)]
        if one.get("optionName") and one.get("optionId"):
            return UserError(here, "Mutually exclusive input fields provided.", "CANNOT_SPECIFY_BOTH")
        if not one.get("optionName") and not one.get("optionId"):
            return UserError(here, "Mandatory field input field missing.", "MUST_SPECIFY_ONE_OF_PAIR")
    return None


def already_there(names: tuple[str, ...], path: list[str], code: str = "VARIANT_ALREADY_EXISTS") -> UserError:
    """Two variants of a product cannot have the same option values."""
    told = f"The variant '{' / '.join(names)}' already exists. Please change at least one option value."
    return UserError(path, told, code)
