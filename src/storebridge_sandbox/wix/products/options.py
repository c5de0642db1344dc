"""Options of a product and the choices of its variants, as callers write them: by id or by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix.products.media import linked_in
from storebridge_sandbox.wix.shelf.state import Choice, Option, OptionValue
from storebridge_sandbox.wix.wire import application_error, broken_rule

Asked = dict[str, Any]
Find = Callable[[str], Option | None]


def read_options(rows: list[Asked], find: Find, new_id: Callable[[], str]) -> list[Option]:
    """The options of a product; raises WixRefusal. ``find`` knows those that the site has already."""
    made = [_option(row, find, new_id) for row in rows]
    names = [option.name.casefold() for option in made]
    ids = [option.id for option in made]
    if len(set(names)) < len(names) or len(set(ids)) < len(ids):
        raise application_error(400, "DUPLICATE_PRODUCT_OPTIONS", "Two options of the product are the same")
    return made


def _option(row: Asked, find: Find, new_id: Callable[[], str]) -> Option:
    known = find(row["id"]) if row.get("id") else None
    if row.get("id") and known is None:
        raise application_error(404, "CUSTOMIZATION_NOT_EXIST", f"There is no option {row['id']!r}")
    name, render = row.get("name"), row.get("optionRenderType")
    if known is not None:
        name, render = name or known.name, render or known.render
    if not name or not render:
        raise application_error(400, "PRODUCT_OPTION_NAME_AND_TYPE_REQUIRED", "An option needs a name and a type")
    option = Option(known.id if known else new_id(), str(name), str(render))
    held = {value.id: value for value in known.choices} if known else {}
    by_name = {value.name.casefold(): value for value in held.values()}
    for choice in (row.get("choicesSettings") or {}).get("choices") or []:
        option.choices.append(_value(choice, held, by_name, new_id))
    if len({value.name.casefold() for value in option.choices}) < len(option.choices):
        raise application_error(400, "DUPLICATE_PRODUCT_OPTIONS", f"Two choices of {name!r} are the same")
    return option


def _value(
    row: Asked, held: dict[str, OptionValue], by_name: dict[str, OptionValue], new_id: Callable[[], str]
) -> OptionValue:
    known = held.get(row.get("choiceId") or "")
    if row.get("choiceId") and known is None:
        raise application_error(404, "CHOICE_NOT_EXIST", f"There is no choice {row['choiceId']!r}")
    name, kind = row.get("name"), row.get("choiceType")
    linked = linked_in(row)
    if known is not None:
        colour = row.get("colorCode") or known.colour
        return OptionValue(known.id, name or known.name, kind or known.kind, colour, linked or known.linked)
    if not name or not kind:
        raise application_error(400, "PRODUCT_OPTION_CHOICE_NAME_AND_TYPE_REQUIRED", "A choice needs a name and a type")
    same = by_name.get(str(name).casefold())
    return OptionValue(same.id if same else new_id(), str(name), str(kind), row.get("colorCode") or "", linked)


def read_choices(rows: list[Asked], options: list[Option], path: str) -> tuple[Choice, ...]:
    """The choices of one variant, in the order of the options; raises WixRefusal."""
    found = [_choice(row, options, f"{path}.choices[{number}]") for number, row in enumerate(rows)]
    order = [option.id for option in options]
    return tuple(sorted(found, key=lambda choice: order.index(choice.option_id)))


def _choice(row: Asked, options: list[Option], path: str) -> Choice:
    ids, names = row.get("optionChoiceIds"), row.get("optionChoiceNames")
    if not ids and not names:
        raise broken_rule(path, "MISSING_VARIANT_OPTION_CHOICE", "needs ids or names")
    if ids and (ids.get("optionId") or ids.get("choiceId")):
        option = next((one for one in options if one.id == ids.get("optionId")), None)
        value = next((one for one in option.choices if one.id == ids.get("choiceId")), None) if option else None
    else:
        wanted = names or {}
        option = next((one for one in options if _same(one.name, wanted.get("optionName"))), None)
        chosen = wanted.get("choiceName")
        value = next((one for one in option.choices if _same(one.name, chosen)), None) if option else None
    if option is None:
        raise broken_rule(path, "MISSING_VARIANT_OPTION", "names an option that the product does not have")
    if value is None:
        raise broken_rule(path, "MISSING_VARIANT_OPTION_CHOICE", f"names no choice of {option.name!r}")
    return option.choice(value)


def _same(name: str, asked: Any) -> bool:
    return isinstance(asked, str) and name.casefold() == asked.casefold()
