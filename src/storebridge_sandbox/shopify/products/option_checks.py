"""What Shopify refuses of a product's options."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.products.state import Option, Product

MOST_OPTIONS = 3
LONGEST_NAME = 255


def creation_errors(
    held: list[Option], given: list[dict[str, Any]], at: tuple[str, ...] = ("options",)
) -> list[UserError]:
    """Of options that are to be added to the ones held; ``at`` is where they stand in the input."""
    if len(held) + len(given) > MOST_OPTIONS:
        told = f"Can only specify a maximum of {MOST_OPTIONS} options"
        return [UserError([*at], told, "OPTIONS_OVER_LIMIT")]
    errors = []
    taken = {option.name.casefold() for option in held}
    seen: set[str] = set()
    for place, one in enumerate(given):
        path, name = [*at, str(place)], (one.get("name") or "").strip()
        if not name:
            errors.append(UserError([*path, "name"], "Each option must have a name specified", "OPTION_NAME_MISSING"))
        elif len(name) > LONGEST_NAME:
            errors.append(UserError([*path, "name"], "Option name is too long", "OPTION_NAME_TOO_LONG"))
        elif name.casefold() in taken:
            errors.append(UserError(path, f"Option '{name}' already exists.", "OPTION_ALREADY_EXISTS"))
        elif name.casefold() in seen:
            errors.append(UserError(path, f"Duplicated option name '{name}'", "DUPLICATED_OPTION_NAME"))
        seen.add(name.casefold())
        errors += _value_errors(one, path)
    return errors


def _value_errors(given: dict[str, Any], path: list[str]) -> list[UserError]:
    names = [one.get("name") or "" for one in given.get("values") or []]
    if not any(names):
        told = f"Option '{given.get('name') or ''}' must specify at least one option value"
        return [UserError([*path, "values"], told, "OPTION_VALUES_MISSING")]
    if len({name.casefold() for name in names}) < len(names):
        return [UserError([*path, "values"], "Duplicated option value", "DUPLICATED_OPTION_VALUE")]
    if any(len(name) > LONGEST_NAME for name in names):
        return [UserError([*path, "values"], "Option value name is too long", "OPTION_VALUE_NAME_TOO_LONG")]
    return []


def update_errors(product: Product, option: Option, args: dict[str, Any], *, manages: bool) -> list[UserError]:
    """Of a change of one option; values that variants have go only with MANAGE, which deletes those variants."""
    name, position = args["option"].get("name"), args["option"].get("position")
    others = {one.name.casefold() for one in product.options if one is not option}
    errors = []
    if name is not None and not name.strip():
        errors.append(UserError(["option", "name"], "Option name can't be blank", "INVALID_NAME"))
    elif name and name.casefold() in others:
        errors.append(UserError(["option", "name"], f"Option '{name}' already exists.", "OPTION_ALREADY_EXISTS"))
    if position is not None and not 1 <= position <= len(product.options):
        errors.append(UserError(["option", "position"], "Position is out of bounds", "INVALID_POSITION"))
    return errors + _changed_values(option, args) + _deleted_values(product, option, args, manages=manages)


def _changed_values(option: Option, args: dict[str, Any]) -> list[UserError]:
    names = {value.id: value.name for value in option.values}
    errors = []
    for place, one in enumerate(args.get("optionValuesToUpdate") or []):
        if one["id"] not in names:
            path = ["optionValuesToUpdate", str(place), "id"]
            errors.append(UserError(path, "Option value does not exist", "OPTION_VALUE_DOES_NOT_EXIST"))
        elif one.get("name"):
            names[one["id"]] = one["name"]
    added = [one.get("name") or "" for one in args.get("optionValuesToAdd") or []]
    for place, name in enumerate(added):
        if not name:
            told = "Option value name can't be blank"
            errors.append(UserError(["optionValuesToAdd", str(place), "name"], told, "INVALID_NAME"))
        elif name in names.values() or name in added[:place]:
            told = f"Option value '{name}' already exists."
            errors.append(UserError(["optionValuesToAdd", str(place)], told, "OPTION_VALUE_ALREADY_EXISTS"))
    return errors


def _deleted_values(product: Product, option: Option, args: dict[str, Any], *, manages: bool) -> list[UserError]:
    wanted = args.get("optionValuesToDelete") or []
    names = {value.id: value.name for value in option.values}
    errors = []
    place_of_option = product.options.index(option)
    for place, one in enumerate(wanted):
        path = ["optionValuesToDelete", str(place)]
        if one not in names:
            errors.append(UserError(path, "Option value does not exist", "OPTION_VALUE_DOES_NOT_EXIST"))
        elif not manages and any(v.options[place_of_option] == names[one] for v in product.variants):
            told = "Cannot delete an option value that has variants."
            errors.append(UserError(path, told, "OPTION_VALUE_HAS_VARIANTS"))
    if not errors and wanted and set(wanted) >= names.keys() and not args.get("optionValuesToAdd"):
        told = "Cannot delete all option values of an option."
        errors.append(UserError(["optionValuesToDelete"], told, "CANNOT_DELETE_ALL_OPTION_VALUES_IN_OPTION"))
    return errors
