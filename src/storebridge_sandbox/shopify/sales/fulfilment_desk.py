"""What happens to fulfilment orders: routing, holds, moves, splits, merges, and sending.

The status machine and every shape of its results are those of the recorded exchanges. Verbs take what was checked
(``fulfilments/writes.py`` words the refusals) and change state; nothing here is half done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales.carriers import with_links
from storebridge_sandbox.shopify.sales.goods import Goods
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.sales.state import (
    MOVES_ON,
    FulfilmentLine,
    FulfilmentOrder,
    FulfilmentOrderLine,
    Hold,
    ShopFulfilment,
    ShopLine,
    ShopOrder,
)

Picks = Sequence[tuple[FulfilmentOrderLine, int]]


class FulfilmentDesk:
    """All changes of fulfilment orders and parcels. ``things`` is the store's register by global id."""

    def __init__(
        self,
        goods: Goods,
        numbers: Numbers,
        now: Callable[[], datetime],
        options: ShopifyOptions,
        things: Register,
        news: News,
        default_location: Callable[[], str],
    ) -> None:
        self._goods = goods
        self._numbers = numbers
        self._now = now
        self._options = options
        self._things = things
        self._news = news
        self._default_location = default_location

    # -- routing -------------------------------------------------------------------------------------------

    def route(self, order: ShopOrder, lines: Sequence[ShopLine]) -> None:
        """Every unit to be sent goes to a fulfilment order of the location that holds it."""
        places: dict[str, list[tuple[ShopLine, int]]] = {}
        for line in lines:
            for place, units in self._places_of(line, places).items():
                places.setdefault(place, []).append((line, units))
        for place, parts in places.items():
            self._open(order, place, parts)

    def _places_of(self, line: ShopLine, taken: dict[str, Any]) -> dict[str, int]:
        places = self._goods.promised_at(line)
        rest = line.unfulfilled - sum(places.values())
        if rest > 0:
            item_id = line.variant.item_id
            likely = self._goods.likely_location(item_id, rest) if item_id else None
            place = likely or next(iter(places or taken), None) or self._default_location()
            places[place] = places.get(place, 0) + rest
        return places

    def _open(self, order: ShopOrder, location_id: str, parts: Sequence[tuple[ShopLine, int]]) -> FulfilmentOrder:
        made = self._blank(order, location_id)
        for line, units in parts:
            self._add(made, line, units)
        self._news.add("fulfillment_orders/order_routing_complete", made)
        return made

    def _blank(self, order: ShopOrder, location_id: str) -> FulfilmentOrder:
        moment = self._now()
        made = FulfilmentOrder(
            self._numbers.new("FulfillmentOrder"),
            order,
            location_id,
            moment,
            moment,
            moment.replace(minute=0, second=0, microsecond=0),
        )
        self._things[made.id] = made
        order.fulfilment_orders.append(made)
        return made

    def _add(self, target: FulfilmentOrder, line: ShopLine, units: int) -> FulfilmentOrderLine:
        known = next((one for one in target.lines if one.line is line), None)
        if known is None:
            known = FulfilmentOrderLine(self._numbers.new("FulfillmentOrderLineItem"), line, 0, 0, target)
            self._things[known.id] = known
            target.lines.append(known)
        known.total += units
        known.remaining += units
        return known

    def extend(self, order: ShopOrder, line: ShopLine) -> None:
        """Units that an edit added join an open fulfilment order of their location, or get one."""
        assigned = {fo.location_id: fo for fo in reversed(order.fulfilment_orders) if fo.status == "OPEN"}
        waiting = sum(one.remaining for fo in live(order) for one in fo.lines if one.line is line)
        added = line.unfulfilled - waiting
        for place, units in self._new_places(line, added, order).items():
            known = assigned.get(place)
            if known is None:
                self._open(order, place, [(line, units)])
            else:
                self._add(known, line, units)
                known.updated_at = self._now()

    def _new_places(self, line: ShopLine, added: int, order: ShopOrder) -> dict[str, int]:
        promised = self._goods.promised_at(line)
        for fo in live(order):
            for one in fo.lines:
                if one.line is line and fo.location_id in promised:
                    promised[fo.location_id] -= one.remaining
        fresh = {place: units for place, units in promised.items() if units > 0}
        rest = added - sum(fresh.values())
        if rest > 0:
            first = next((fo.location_id for fo in live(order)), None) or self._default_location()
            fresh[first] = fresh.get(first, 0) + rest
        return fresh

    def reduce(self, order: ShopOrder, line: ShopLine, quantity: int) -> None:
        """Units that are not to be sent any more leave their fulfilment orders."""
        for fo in live(order):
            for one in fo.lines:
                units = min(quantity, one.remaining) if one.line is line else 0
                if units:
                    one.remaining -= units
                    one.total -= units
                    quantity -= units
                    self._touch(fo)
            if not fo.remaining:
                fo.status = "CLOSED"

    def close_all(self, order: ShopOrder) -> None:
        """The order is cancelled: nothing of it is sent any more; the quantities stay, as recorded."""
        for fo in live(order):
            fo.status = "CLOSED"
            fo.holds = ()
            self._touch(fo)
            self._news.add("fulfillment_orders/cancelled", fo)

    # -- sending -------------------------------------------------------------------------------------------

    def send(
        self,
        picks: Picks,
        trackings: Sequence[dict[str, Any]],
        actor: str,
        *,
        origin_address: dict[str, Any] | None = None,
    ) -> ShopFulfilment:
        """One parcel from one location."""
        first = picks[0][0].order
        parcel = self._parcel(first, trackings, origin_address)
        for one, units in picks:
            one.remaining -= units
            self._goods.ship(one.line, units, first.location_id, actor, parcel.id)
            one.line.fulfilled += units
            self._pack(parcel, one.line, units)
        parcel.drawn = tuple(picks)
        parcel.lines = [(part.line, part.quantity) for part in parcel.parts]
        for fo in dict.fromkeys(one.order for one, _ in picks):
            self._after_sending(fo)
        self._news.add("fulfillments/create", parcel)
        return parcel

    def _parcel(
        self, fo: FulfilmentOrder, trackings: Sequence[dict[str, Any]], origin_address: dict[str, Any] | None
    ) -> ShopFulfilment:
        order, moment = fo.order, self._now()
        parcel = ShopFulfilment(
            id=self._numbers.new("Fulfillment"),
            at=moment,
            location_id=fo.location_id,
            tracking={},
            lines=[],
            order=order,
            name=f"{order.name}.{len(order.fulfilments) + 1}",
            updated_at=moment,
            origin_address=origin_address,
        )
        self.track(parcel, trackings)
        self._things[parcel.id] = parcel
        order.fulfilments.append(parcel)
        return parcel

    def track(self, parcel: ShopFulfilment, trackings: Sequence[dict[str, Any]]) -> None:
        """The parcel travels under these numbers."""
        parcel.trackings = tuple(with_links(trackings, builds=self._options.builds_tracking_links))
        parcel.tracking = _plain(parcel.trackings)

    def _pack(self, parcel: ShopFulfilment, line: ShopLine, units: int) -> None:
        known = next((part for part in parcel.parts if part.line is line), None)
        if known is not None:
            known.quantity += units
            return
        part = FulfilmentLine(self._numbers.new("FulfillmentLineItem"), line, units, parcel)
        self._things[part.id] = part
        parcel.parts.append(part)

    def _after_sending(self, fo: FulfilmentOrder) -> None:
        self._touch(fo)
        if fo.remaining and self._options.partial_fulfilment == "splits":
            self._carve(fo, [(one, one.remaining) for one in fo.lines if one.remaining])
        fo.status = "IN_PROGRESS" if fo.remaining else "CLOSED"

    def call_back(self, parcel: ShopFulfilment, actor: str) -> None:
        """A parcel is cancelled: its units wait again, in a fulfilment order of their own when theirs is closed."""
        parcel.status, parcel.updated_at = "CANCELLED", self._now()
        again: dict[FulfilmentOrder, list[tuple[ShopLine, int]]] = {}
        for one, units in parcel.drawn:
            one.remaining += units
            one.line.fulfilled -= units
            self._goods.unship(one.line, units, actor, parcel.id)
            if one.order.status == "CLOSED":
                again.setdefault(one.order, []).append((one.line, units))
        for fo, parts in again.items():
            self._open(fo.order, fo.location_id, parts)
        self._news.add("fulfillments/update", parcel)

    # -- holds ---------------------------------------------------------------------------------------------

    def hold(self, fo: FulfilmentOrder, hold: Hold, picks: Picks) -> FulfilmentOrder | None:
        """Returns the fulfilment order that took the units which are not held, if only some are."""
        rest = self._rest(fo, picks) if picks else []
        remaining = self._carve(fo, rest) if rest else None
        if remaining is not None:
            remaining.rest_of = fo
        fo.holds = (*fo.holds, hold)
        fo.status = "ON_HOLD"
        self._things[hold.id] = hold
        self._touch(fo)
        self._news.add("fulfillment_orders/placed_on_hold", fo)
        return remaining

    def release(self, fo: FulfilmentOrder, holds: Sequence[Hold]) -> None:
        """With the last hold gone it is open again, and what a partial hold took out comes back."""
        gone = {hold.id for hold in holds}
        for hold_id in gone:
            self._things.pop(hold_id)
        fo.holds = tuple(hold for hold in fo.holds if hold.id not in gone)
        self._touch(fo)
        if fo.holds:
            return
        fo.status = "IN_PROGRESS" if fo.progress_reported else "OPEN"
        for other in fo.order.fulfilment_orders:
            if other.rest_of is fo and other.status == "OPEN" and other.location_id == fo.location_id:
                self._pour(other, fo)
        self._news.add("fulfillment_orders/hold_released", fo)

    # -- moving about --------------------------------------------------------------------------------------

    def move(self, fo: FulfilmentOrder, location_id: str, picks: Picks, actor: str) -> FulfilmentOrder:
        """Returns the fulfilment order at the new location: a new one when only some units move."""
        partial = bool(picks) and bool(self._rest(fo, picks))
        moved = self._carve(fo, picks) if partial else fo
        for one in moved.lines:
            self._goods.move(one.line, one.remaining, fo.location_id, location_id, actor, moved.id)
        moved.location_id = location_id
        self._touch(moved)
        self._news.add("fulfillment_orders/moved", moved)
        return moved

    def split(self, fo: FulfilmentOrder, picks: Picks) -> FulfilmentOrder:
        """The picked units go to a new fulfilment order at the same location."""
        made = self._carve(fo, picks)
        self._news.add("fulfillment_orders/split", fo)
        return made

    def merge(self, target: FulfilmentOrder, others: Sequence[FulfilmentOrder]) -> None:
        for other in others:
            self._pour(other, target)
        self._touch(target)
        self._news.add("fulfillment_orders/merged", target)

    def replace(self, fo: FulfilmentOrder) -> FulfilmentOrder:
        """Cancelling a fulfilment order closes it, and another takes its lines over."""
        made = self._blank(fo.order, fo.location_id)
        made.lines, fo.lines = fo.lines, []
        for one in made.lines:
            one.order = made
        fo.status = "CLOSED"
        self._touch(fo)
        self._news.add("fulfillment_orders/cancelled", fo)
        return made

    def _rest(self, fo: FulfilmentOrder, picks: Picks) -> list[tuple[FulfilmentOrderLine, int]]:
        picked = {one.id: units for one, units in picks}
        rest = [(one, one.remaining - picked.get(one.id, 0)) for one in fo.lines]
        return [(one, units) for one, units in rest if units > 0]

    def _carve(self, fo: FulfilmentOrder, picks: Picks) -> FulfilmentOrder:
        made = self._blank(fo.order, fo.location_id)
        made.fulfill_at, made.fulfill_by = fo.fulfill_at, fo.fulfill_by
        for one, units in picks:
            one.total -= units
            one.remaining -= units
            self._add(made, one.line, units)
        fo.lines = [one for one in fo.lines if one.total]
        self._touch(fo)
        return made

    def _pour(self, source: FulfilmentOrder, target: FulfilmentOrder) -> None:
        for one in source.lines:
            if one.remaining:
                self._add(target, one.line, one.remaining)
            one.total = one.remaining = 0
        source.status = "CLOSED"
        self._touch(source)

    def _touch(self, fo: FulfilmentOrder) -> None:
        fo.updated_at = self._now()


def live(order: ShopOrder) -> list[FulfilmentOrder]:
    """The fulfilment orders that still have something to send."""
    return [fo for fo in order.fulfilment_orders if fo.status in MOVES_ON]


def _plain(trackings: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The first number, as the control calls show it."""
    first: dict[str, Any] = trackings[0] if trackings else {}
    return {name: first.get(name) or "" for name in ("company", "number", "url")}
