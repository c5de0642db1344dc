"""Writes of stock levels over REST: set, adjust, connect and disconnect. None of them compares with what was there."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.ids import gid
from storebridge_sandbox.shopify.inventory.rows import Outcome, Row
from storebridge_sandbox.shopify.inventory.state import Inventory
from storebridge_sandbox.shopify.rest.lists import level_row
from storebridge_sandbox.shopify.rest.pages import RestRefused
from storebridge_sandbox.stock import Level

ACTOR = "api"


class RestLevels:
    """Each answers with the level as it is then; raises RestRefused, having changed nothing."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def adjust(self, given: dict[str, Any], ref: str) -> dict[str, Any]:
        item, place = _place(given)
        row = Row(item, place, ["inventory_level"], delta=_whole(given, "available_adjustment"))
        return {"inventory_level": self._write(row, ref)}

    def set(self, given: dict[str, Any], ref: str) -> dict[str, Any]:
        item, place = _place(given)
        row = Row(item, place, ["inventory_level"], to=_whole(given, "available"))
        return {"inventory_level": self._write(row, ref)}

    def connect(self, given: dict[str, Any], ref: str) -> dict[str, Any]:
        item, place = _place(given)
        outcome = self._inventory.activate(item, place, ACTOR, ref)
        return {"inventory_level": level_row(self._checked(outcome, item, place))}

    def disconnect(self, given: dict[str, Any], _ref: str) -> None:
        item, place = _place(given)
        level = self._inventory.level(item, place)
        if level is None or not level.active:
            raise RestRefused(404, "Not Found")
        error = self._inventory.deactivate(level)
        if error is not None:
            raise RestRefused(422, [error.message])

    def _write(self, row: Row, ref: str) -> dict[str, Any]:
        outcome = self._inventory.write([row], ACTOR, ref)
        return level_row(self._checked(outcome, row.item_id, row.location_id))

    def _checked(self, outcome: Outcome, item: str, place: str) -> Level:
        level = self._inventory.level(item, place)
        if outcome.errors:
            unknown = any((error.code or "").startswith("INVALID_INVENTORY_ITEM") for error in outcome.errors)
            raise RestRefused(404 if unknown else 422, "Not Found" if unknown else [outcome.errors[0].message])
        if level is None:
            raise RestRefused(422, ["Inventory item does not have inventory tracking enabled"])
        return level


def _place(given: dict[str, Any]) -> tuple[str, str]:
    item, place = _whole(given, "inventory_item_id"), _whole(given, "location_id")
    return gid("InventoryItem", item), gid("Location", place)


def _whole(given: dict[str, Any], name: str) -> int:
    """A whole number, which clients send as text too."""
    value = given.get(name)
    text = str(value)
    if isinstance(value, bool) or not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 19:
        raise RestRefused(400, {name: "Required parameter missing or invalid"})
    return int(text)
