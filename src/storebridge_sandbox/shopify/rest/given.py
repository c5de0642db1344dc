"""What REST bodies hold, read into inputs of the Admin API. Whatever has the wrong form is refused with 400."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storebridge_sandbox.shopify.ids import gid
from storebridge_sandbox.shopify.rest.pages import RestRefused

Given = Mapping[str, Any]
MISSING = "Required parameter missing or invalid"
ADDRESS = {
    "first_name": "firstName", "last_name": "lastName", "company": "company", "address1": "address1",
    "address2": "address2", "city": "city", "zip": "zip", "province": "province", "province_code": "provinceCode",
    "country": "country", "country_code": "countryCode", "phone": "phone",
}  # fmt: skip


def wrapped(content: Given, name: str) -> Given:
    """``{"product": {...}}``: what stands under the resource's name."""
    held = content.get(name)
    if not isinstance(held, dict):
        raise RestRefused(400, {name: MISSING})
    return held


def rows(given: Given, name: str) -> list[Given]:
    """A list of objects; none where nothing was said."""
    held = given.get(name)
    if held is None:
        return []
    if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
        raise RestRefused(400, {name: "expected Array of Hashes"})
    return held


def part(given: Given, name: str) -> Given | None:
    """An object, or nothing."""
    held = given.get(name)
    if held is not None and not isinstance(held, dict):
        raise RestRefused(400, {name: "expected Hash"})
    return held


def renamed(given: Given, names: Mapping[str, str]) -> dict[str, Any]:
    """What was said, null included, under its newer name."""
    return {newer: given[older] for older, newer in names.items() if older in given}


def said(given: Given, names: Mapping[str, str]) -> dict[str, Any]:
    """The same without what is null."""
    return {name: value for name, value in renamed(given, names).items() if value is not None}


def tags(given: Given) -> dict[str, Any]:
    """Tags come as one text with commas, or as a list."""
    held = given.get("tags")
    if held is None:
        return {}
    if isinstance(held, str):
        return {"tags": [one.strip() for one in held.split(",") if one.strip()]}
    return {"tags": held}


def upper(given: Given, name: str, newer: str) -> dict[str, Any]:
    """A word of a closed list, which the newer API writes in capitals."""
    held = given.get(name)
    return {newer: held.upper()} if isinstance(held, str) and held else {}


def number(value: Any, name: str) -> int:
    """A number of an id, which clients send as text too."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal()) or len(text) > 19:
        raise RestRefused(400, {name: MISSING})
    return int(text)


def id_of(kind: str, given: Given, name: str) -> str | None:
    """A global id from a number; None where there is none."""
    return None if given.get(name) is None else gid(kind, number(given[name], name))


def address(given: Given | None) -> dict[str, Any] | None:
    return None if given is None else said(given, ADDRESS)


def money(amount: Any, currency: str) -> dict[str, Any]:
    """``MoneyBagInput``. What is no amount is told by the newer API."""
    return {"shopMoney": {"amount": str(amount), "currencyCode": currency}}


def pairs(given: Given, name: str, key: str) -> list[dict[str, Any]]:
    """``[{"name", "value"}]`` with the name under ``key``; a value is a text whatever was sent."""
    return [{key: str(one.get("name")), "value": str(one.get("value") or "")} for one in rows(given, name)]


def metafields(given: Given) -> dict[str, Any]:
    names = {one: one for one in ("namespace", "key", "type", "value")}
    shown = [said(one, names) for one in rows(given, "metafields")]
    return {"metafields": [{**one, "value": str(one.get("value", ""))} for one in shown]} if shown else {}
