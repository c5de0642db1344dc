"""A vendor's schema that changes under its callers: fields come, go, are renamed or retyped, enums get new values.

Changes are made to what goes out, API answers and webhook payloads alike; what the store knows stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

NewType = Literal["string", "number", "boolean", "list", "object", "null"]


class SchemaChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change of one field.

    ``type`` picks the objects (``Order``, ``inventoryItem``; by ``__typename``, by global id, or by the name that they
    stand under), ``path`` too (``data.orders.nodes``; ``*`` is any one name, ``**`` any number of them, lists are
    looked through). Without either, every object that has the field is meant.
    """

    change: Literal["add_field", "remove_field", "rename_field", "retype_field", "new_value"]
    field: str
    type: str = ""
    path: str = ""
    to: str = ""
    """The new name of a renamed field."""
    value: Any = "new"
    """What an added field holds; what stands in an enum's field from now on."""
    new_type: NewType = "string"


def check_change(change: SchemaChange) -> None:
    """Raises ValueError for a change that says too little."""
    if not change.field:
        raise ValueError("field: must be named")
    if change.change == "add_field" and not (change.type or change.path):
        raise ValueError("add_field needs a type or a path: else every object would get the field")
    if change.change == "rename_field" and not change.to:
        raise ValueError("rename_field needs `to`, the new name")


def reshape(raw: bytes, changes: Iterable[SchemaChange], root: str = "") -> bytes:
    """A JSON text after the changes; other texts stay as they are. ``root`` names the type of the outermost object."""
    try:
        content = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw
    for change in changes:
        wanted = change.path.split(".") if change.path else []
        for found, names, name in list(_objects(content, (), root)):
            if _is_meant(found, names, name, change, wanted):
                _change(found, change)
    return msgspec.json.encode(content)


def _objects(node: Any, names: tuple[str, ...], name: str) -> Iterator[tuple[dict[str, Any], tuple[str, ...], str]]:
    """Every object with the names that lead to it and the one that it stands under."""
    if isinstance(node, dict):
        yield node, names, name
        for key, value in node.items():
            yield from _objects(value, (*names, key), key)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value, names, name)


def _is_meant(
    found: dict[str, Any], names: tuple[str, ...], name: str, change: SchemaChange, wanted: list[str]
) -> bool:
    if change.change != "add_field" and change.field not in found:
        return False
    if wanted and not _fits(list(names), wanted):
        return False
    return not change.type or _is_of(found, name, change.type)


def _is_of(found: dict[str, Any], name: str, kind: str) -> bool:
    if found.get("__typename") == kind:
        return True
    for key in ("id", "admin_graphql_api_id"):
        if str(found.get(key, "")).startswith(f"gid://shopify/{kind}/"):
            return True
    if "nodes" in found or "edges" in found:
        return False  # a page of them, not one of them
    plain, asked = (text.replace("_", "").lower() for text in (name, kind))
    return plain in (asked, f"{asked}s")


def _fits(names: list[str], wanted: list[str]) -> bool:
    if not wanted:
        return not names
    if wanted[0] == "**":
        return any(_fits(names[skipped:], wanted[1:]) for skipped in range(len(names) + 1))
    return bool(names) and wanted[0] in ("*", names[0]) and _fits(names[1:], wanted[1:])


def _change(found: dict[str, Any], change: SchemaChange) -> None:
    if change.change == "add_field":
        found[change.field] = change.value
    elif change.change == "remove_field":
        del found[change.field]
    elif change.change == "rename_field":
        found[change.to] = found.pop(change.field)
    elif change.change == "retype_field":
        found[change.field] = _retyped(found[change.field], change.new_type)
    elif found[change.field] is not None:
        found[change.field] = change.value


def _retyped(value: Any, kind: NewType) -> Any:
    if kind == "string":
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if kind == "number":
        digits = str(value).replace(".", "", 1).removeprefix("-")
        return float(value) if digits.isdigit() else 0
    return {"boolean": bool(value), "list": [value], "object": {"value": value}, "null": None}[kind]
