"""What orders do to the book of stock: claim, ship, give back, move between locations.

``available`` falls and ``committed`` rises when an order claims units; shipping lowers ``committed``, and with it
what is on hand. Every movement of ``available`` carries its cause and the order, refund or parcel behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from storebridge_sandbox.orders import Promise
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales.state import ShopLine
from storebridge_sandbox.stock import Cause, Level, Stock

Claim = Literal["routed", "first_fit"]
"""``routed`` may take from several locations (checkouts); ``first_fit`` from one (recorded for orderCreate)."""


class Goods:
    """The orders' side of the book. ``selling_locations(item_id)`` are those that sell online, in routing order."""

    def __init__(
        self, stock: Stock, options: ShopifyOptions, selling_locations: Callable[[str], Sequence[str]]
    ) -> None:
        self._stock = stock
        self._options = options
        self._selling_locations = selling_locations

    def selling_levels(self, item_id: str) -> list[Level]:
        """Active levels at the locations that sell online."""
        levels = (self._stock.level(item_id, place) for place in self._selling_locations(item_id))
        return [level for level in levels if level is not None and level.active]

    def sellable(self, item_id: str) -> int:
        """All units that are free to be sold; never below zero."""
        return max(0, sum(level.available for level in self.selling_levels(item_id)))

    def likely_location(self, item_id: str, quantity: int) -> str | None:
        """Where units would be taken from, without taking them."""
        levels = self.selling_levels(item_id)
        return _first_fit(levels, quantity)[0][0].location_id if levels else None

    def claim(self, line: ShopLine, quantity: int, cause: Cause, actor: str, ref: str, how: Claim = "routed") -> None:
        """Take units for an order; below zero at the first location where nobody has enough."""
        for part in line.parts:
            self.claim(part.line, quantity * part.units, cause, actor, ref, how)
        if line.parts or not line.variant.tracked:
            return
        levels = self.selling_levels(line.variant.item_id)
        if not levels:
            return
        for level, units in (_split if how == "routed" else _first_fit)(levels, quantity):
            committed = units if self._options.orders_commit else 0
            self._stock.move(level, cause, actor, ref, available=-units, committed=committed)
            line.promises.append(Promise(level.location_id, units))

    def release(
        self, line: ShopLine, quantity: int, cause: Cause, actor: str, ref: str, *, restock: bool, at: str | None = None
    ) -> str | None:
        """Units are no longer promised; with ``restock`` they can be sold again, else they leave the book.

        Returns where they can be sold again: where they were committed, or ``at`` (a refund's own location).
        """
        first: str | None = None
        for part in line.parts:
            back_at = self.release(part.line, quantity * part.units, cause, actor, ref, restock=restock, at=at)
            first = first or back_at
        for place, units in _draw(line.promises, quantity):
            level = self._stock.level(line.variant.item_id, place)
            if level is None:
                continue
            back = self._restocking_level(line, at, level) if restock else None
            committed = units if self._options.orders_commit else 0
            here = units if back is level else 0
            self._stock.move(level, cause, actor, ref, available=here, committed=-committed)
            if back is not None and back is not level:
                self._stock.move(back, cause, actor, ref, available=units)
            first = first or (back.location_id if back else None)
        return first

    def ship(self, line: ShopLine, quantity: int, location_id: str, actor: str, ref: str) -> None:
        """Units leave the house from one location."""
        for part in line.parts:
            self._ship(part.line, quantity * part.units, location_id, actor, ref, promised_at=None)
        if not line.parts:
            self._ship(line, quantity, location_id, actor, ref, promised_at=location_id)

    def _ship(
        self, line: ShopLine, quantity: int, location_id: str, actor: str, ref: str, *, promised_at: str | None
    ) -> None:
        """Of what is promised there; of a bundle's component, wherever that is."""
        drawn = _draw(line.promises, quantity, promised_at)
        for place, units in drawn:
            level = self._stock.level(line.variant.item_id, place)
            if level is not None:
                committed = units if self._options.orders_commit else 0
                self._stock.move(level, "fulfil", actor, ref, committed=-committed)
            line.shipped_from.append(Promise(place, units))
        rest = quantity - sum(units for _, units in drawn)
        if rest and line.variant.tracked and self._options.fulfilling_bypassed_moves_stock:
            level = self._stock.level(line.variant.item_id, location_id)
            if level is not None:
                self._stock.move(level, "fulfil", actor, ref, available=-rest)
                line.shipped_from.append(Promise(location_id, rest))

    def unship(self, line: ShopLine, quantity: int, actor: str, ref: str) -> None:
        """A parcel is called back: its units are promised again where they lay."""
        for part in line.parts:
            self.unship(part.line, quantity * part.units, actor, ref)
        for place, units in _draw(line.shipped_from, quantity):
            level = self._stock.level(line.variant.item_id, place)
            if level is not None and self._options.orders_commit:
                self._stock.move(level, "fulfil", actor, ref, committed=units)
            line.promises.append(Promise(place, units))

    def take_back(
        self, line: ShopLine, quantity: int, cause: Cause, actor: str, ref: str, *, at: str | None = None
    ) -> str | None:
        """Shipped units go back on the shelf they came from, or at ``at``.

        Units that never came from a shelf of ours (copied orders) go on sale only where a person names the place.
        """
        first: str | None = None
        for part in line.parts:
            back_at = self.take_back(part.line, quantity * part.units, cause, actor, ref, at=at)
            first = first or back_at
        left = 0 if line.parts else quantity
        for place, units in _draw(line.shipped_from, quantity):
            left -= units
            level = self._stock.level(line.variant.item_id, at or place)
            if level is not None:
                self._stock.move(level, cause, actor, ref, available=units)
                first = first or level.location_id
        named = self._stock.level(line.variant.item_id, at) if at and left and line.variant.tracked else None
        if named is not None:
            self._stock.move(named, cause, actor, ref, available=left)
            first = first or named.location_id
        return first

    def move(self, line: ShopLine, quantity: int, origin: str, target: str, actor: str, ref: str) -> None:
        """The promise of units goes over to another location: freed at one, claimed at the other."""
        for part in line.parts:
            self.move(part.line, quantity * part.units, origin, target, actor, ref)
        for place, units in _draw(line.promises, quantity, origin):
            old = self._stock.level(line.variant.item_id, place)
            new = self._stock.level(line.variant.item_id, target) or self._stock.connect(line.variant.item_id, target)
            committed = units if self._options.orders_commit else 0
            if old is not None:
                self._stock.move(old, "transfer", actor, ref, available=units, committed=-committed)
            self._stock.move(new, "transfer", actor, ref, available=-units, committed=committed)
            line.promises.append(Promise(target, units))

    def promised_at(self, line: ShopLine) -> dict[str, int]:
        """Units claimed and not yet shipped, by location; of a bundle where its first component lies."""
        if line.parts:
            first = line.parts[0]
            return {place: units // first.units for place, units in self.promised_at(first.line).items()}
        places: dict[str, int] = {}
        for promise in line.promises:
            places[promise.location_id] = places.get(promise.location_id, 0) + promise.quantity
        return places

    def _restocking_level(self, line: ShopLine, at: str | None, committed_at: Level) -> Level:
        wanted = at
        if wanted is None and self._options.restocks_at == "first_location":
            levels = self.selling_levels(line.variant.item_id)
            return levels[0] if levels else committed_at
        level = self._stock.level(line.variant.item_id, wanted) if wanted else None
        return level or committed_at


def _first_fit(levels: Sequence[Level], quantity: int) -> list[tuple[Level, int]]:
    fitting = next((level for level in levels if level.available >= quantity), levels[0])
    return [(fitting, quantity)]


def _split(levels: Sequence[Level], quantity: int) -> list[tuple[Level, int]]:
    """The first location that has enough, else several, else below zero at the first."""
    parts = _first_fit(levels, quantity)
    if parts[0][0].available >= quantity or sum(max(0, level.available) for level in levels) < quantity:
        return parts
    parts, left = [], quantity
    for level in levels:
        units = min(left, max(0, level.available))
        if units:
            parts.append((level, units))
            left -= units
    return parts


def _draw(promises: list[Promise], quantity: int, location_id: str | None = None) -> list[tuple[str, int]]:
    """Take ``quantity`` units out of promises (of one location), oldest first."""
    parts: list[tuple[str, int]] = []
    for promise in promises:
        if location_id is not None and promise.location_id != location_id:
            continue
        units = min(quantity, promise.quantity)
        if units:
            parts.append((promise.location_id, units))
            promise.quantity -= units
            quantity -= units
    promises[:] = [promise for promise in promises if promise.quantity]
    return parts
