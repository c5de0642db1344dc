"""The stores' records, put on one timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

Truth = Mapping[str, Any]
"""One store's answer to ``GET /_sandbox/truth``."""

MOST_PER_COUNTER: Mapping[str, int] = MappingProxyType({"shopify": 1_000_000_000, "wix": 99_999})
"""What a counter of each vendor takes (Wix: declared for Catalog V3; Shopify: told when more is written)."""

Kind = Literal["sold", "restocked", "manual", "booked", "voided", "written", "moved"]

_TRADE = frozenset({"sale", "edit", "cancel", "refund", "return", "revert"})


@dataclass(frozen=True, slots=True)
class Move:
    """One change; ``store`` is empty for goods booked with the bridge, ``units`` are signed as the pool
    sees them.

    ``written`` are the levels that an API client wrote, ``moved`` what left the pool as it was (a transfer, a
    copy's doing): both changed a store's level without any goods coming or going.
    """

    at: datetime
    store: str
    sku: str
    kind: Kind
    units: int
    bundle: str = ""
    """The SKU of the bundle whose counter moved; ``units`` are those of the component, whose own counter did not."""

    @property
    def moves_goods(self) -> bool:
        return self.kind in ("sold", "restocked", "manual", "booked")

    @property
    def moves_level(self) -> bool:
        return self.kind not in ("booked", "voided")


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that the judgement rests on.

    ``since`` is the moment of the baseline: what happened earlier is part of the opening levels. None:
    nothing did.
    """

    truths: Mapping[str, Truth]
    system_of_record: str
    goods: Sequence[Mapping[str, Any]] = ()
    safety_stock: int = 0
    since: datetime | None = None
    bundles: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What bundles are made of: units of each component, by SKU. They have no goods of their own."""


@dataclass(frozen=True, slots=True)
class Pool:
    """One SKU that every store has, or that a bundle is made of: opening levels, levels now, and the moves between,
    oldest first. ``packed``: its units that each counter of a bundle shows."""

    sku: str
    system_of_record: str
    opening: Mapping[str, int]
    levels: Mapping[str, int]
    lowest_level: int
    moves: Sequence[Move]
    packed: Sequence[int] = ()
    room: Mapping[str, int] = field(default_factory=dict)
    """The most that the counters of a store can show; a store that is not named has no limit."""
    exposed_since: datetime | None = None
    """When it was first sold past the guard of a checkout; None where it never was."""

    def shown_of(self, store: str, units: int) -> int:
        """What a store shows of so many units when it shows all that it can."""
        return min(units, self.room.get(store, units))

    @property
    def is_full(self) -> bool:
        """Whether no store can show a unit more."""
        return all(level >= self.room.get(store, level + 1) for store, level in self.levels.items())


def read_moment(text: str) -> datetime:
    """``2026-11-24T02:16:19.123456Z`` as an aware moment."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def pools_of(records: Records) -> list[Pool]:
    """A pool for every SKU that exactly one variant of every store carries, or that a bundle is made of, by SKU."""
    moves = _by_sku(_unpacked(records, _all_moves(records)))
    parts = {part for recipe in records.bundles.values() for part in recipe}
    skus = (set(_shared_skus(records.truths)) | parts) - set(records.bundles)
    return [_pool(records, sku, moves.get(sku, [])) for sku in sorted(skus)]


def _unpacked(records: Records, moves: Iterable[Move]) -> Iterable[Move]:
    """What a bundle's counter moved, as moves of its components."""
    for move in moves:
        recipe = records.bundles.get(move.sku)
        if recipe is None:
            yield move
            continue
        for sku, units in recipe.items():
            yield replace(move, sku=sku, units=move.units * units, bundle=move.sku)


def own_orders(truth: Truth) -> list[Mapping[str, Any]]:
    """Orders that shoppers of this store made; copies made by a client are not counted twice."""
    return [order for order in truth["orders"] if order["origin"] is None]


def _shared_skus(truths: Mapping[str, Truth]) -> list[str]:
    shared: set[str] | None = None
    for truth in truths.values():
        variants: dict[str, set[str]] = {}
        for level in truth["levels"]:
            if level["sku"]:
                variants.setdefault(level["sku"], set()).add(level["variant_id"])
        single = {sku for sku, ids in variants.items() if len(ids) == 1}
        shared = single if shared is None else shared & single
    return sorted(shared or ())


def _by_sku(moves: Iterable[Move]) -> dict[str, list[Move]]:
    by_sku: dict[str, list[Move]] = {}
    for move in moves:
        by_sku.setdefault(move.sku, []).append(move)
    return by_sku


def _pool(records: Records, sku: str, moves: list[Move]) -> Pool:
    shown = {store: places for store, truth in records.truths.items() if (places := _levels(truth, sku))}
    levels = {store: sum(places) for store, places in shown.items()}
    fresh = [move for move in moves if records.since is None or move.at >= records.since]
    opening = dict(levels)
    for move in fresh:
        if move.moves_level and not move.bundle:
            opening[move.store] -= move.units
    packed = [
        sum(places) * recipe[sku]
        for bundle, recipe in records.bundles.items()
        if sku in recipe
        for truth in records.truths.values()
        if (places := _levels(truth, bundle))
    ]
    lowest = min(0, *packed, *(level for places in shown.values() for level in places))
    room = {store: most * len(shown[store]) for store, most in MOST_PER_COUNTER.items() if store in shown}
    exposed = _exposed_since(records, sku)
    return Pool(sku, records.system_of_record, opening, levels, lowest, fresh, packed, room, exposed)


def _exposed_since(records: Records, sku: str) -> datetime | None:
    """Only goods of orders that went past the guard, by themselves or in a bundle: nobody else's units were taken."""
    drawing = {sku, *(bundle for bundle, recipe in records.bundles.items() if sku in recipe)}
    moments = [
        read_moment(order["created_at"])
        for truth in records.truths.values()
        for order in own_orders(truth)
        if order.get("past_guard") and any(line["sku"] in drawing for line in order["lines"])
    ]
    return min(moments, default=None)


def _levels(truth: Truth, sku: str) -> list[int]:
    return [level["available"] for level in truth["levels"] if level["sku"] == sku]


def _all_moves(records: Records) -> list[Move]:
    moves = [move for store, truth in records.truths.items() for move in _moves(store, truth)]
    moves += [Move(read_moment(goods["at"]), "", goods["sku"], "booked", goods["quantity"]) for goods in records.goods]
    return sorted(moves, key=lambda move: move.at)


def _moves(store: str, truth: Truth) -> Iterable[Move]:
    copies = _refs_of_copies(truth)
    for movement in truth["movements"]:
        if movement["delta"]:
            kind = _kind(movement, copies)
            yield Move(read_moment(movement["at"]), store, movement["sku"], kind, movement["delta"])
    came_back = _back_in_stock(truth)
    for order in own_orders(truth):
        yield from _voids(store, order, came_back)
        yield from _refunded_away(store, order, came_back)


def _kind(movement: Mapping[str, Any], copies: frozenset[str]) -> Kind:
    if movement["cause"] == "api":
        return "written"
    if movement["ref"] in copies:
        return "moved"
    if movement["cause"] == "manual":
        return "manual"
    if movement["cause"] in _TRADE:
        return "sold" if movement["delta"] < 0 else "restocked"
    return "moved"


def _voids(store: str, order: Mapping[str, Any], came_back: Mapping[tuple[str, str], int]) -> Iterable[Move]:
    """Units called off without goods coming back: they count only against units that never existed.

    What was sent existed, whatever is called off later (Wix calls off the whole order); refunds tell of what they take
    out themselves, and of that only what never left is no part of what was sent.
    """
    if order["cancelled_at"] is None:
        return
    for sku in {line["sku"]: None for line in order["lines"]}:
        lines = [line for line in order["lines"] if line["sku"] == sku]
        called_off = sum(line["cancelled"] for line in lines)
        never_left = sum(line["quantity"] - line["fulfilled"] - _refunded_unshipped(line) for line in lines)
        units = min(called_off, never_left - came_back.get((order["id"], sku), 0))
        if units > 0:
            yield Move(read_moment(order["cancelled_at"]), store, sku, "voided", units)


def _refunded_unshipped(line: Mapping[str, Any]) -> int:
    """Of a store that does not tell them apart: as if nothing refunded had been sent, so that no unit is made up."""
    units: int = line.get("refunded_unshipped", line["refunded"])
    return units


def _refunded_away(store: str, order: Mapping[str, Any], came_back: Mapping[tuple[str, str], int]) -> Iterable[Move]:
    """Units that refunds took off a standing order before they were sent, without goods coming back. Neither store
    tells which units a refund is about: those that had been sent by then go first. A cancellation's own refund is part
    of it.
    """
    ended = None if order["cancelled_at"] is None else read_moment(order["cancelled_at"])
    had_been_sent: Counter[str] = Counter()
    for refund in sorted((one for one in order["refunds"] if "at" in one), key=lambda one: read_moment(one["at"])):
        at = read_moment(refund["at"])
        for sku in {line["sku"]: None for line in refund["lines"]}:
            units = sum(line["quantity"] for line in refund["lines"] if line["sku"] == sku)
            sent = max(0, min(units, _sent_until(order, sku, at) - had_been_sent[sku]))
            had_been_sent[sku] += sent
            lost = units - sent - came_back.get((refund["id"], sku), 0)
            if lost > 0 and (ended is None or at < ended):
                yield Move(at, store, sku, "voided", lost)


def _sent_until(order: Mapping[str, Any], sku: str, moment: datetime) -> int:
    parcels = [parcel for parcel in order["fulfilments"] if read_moment(parcel["at"]) <= moment]
    return sum(line["quantity"] for parcel in parcels for line in parcel["lines"] if line["sku"] == sku)


def _back_in_stock(truth: Truth) -> Counter[tuple[str, str]]:
    """Units by order and SKU that its cancellation or an edit put back, and by refund and SKU."""
    found: Counter[tuple[str, str]] = Counter()
    for movement in truth["movements"]:
        if movement["cause"] in ("cancel", "edit", "revert", "refund") and movement["delta"] > 0:
            found[movement["ref"], movement["sku"]] += movement["delta"]
    return found


def _refs_of_copies(truth: Truth) -> frozenset[str]:
    refs: set[str] = set()
    for order in truth["orders"]:
        if order["origin"] is not None:
            refs.add(order["id"])
            refs.update(refund["id"] for refund in order["refunds"])
            refs.update(parcel["id"] for parcel in order["fulfilments"])
    return frozenset(refs)
