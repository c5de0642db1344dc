"""The stores' records, put on one timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Truth = Mapping[str, Any]
"""One store's answer to ``GET /_sandbox/truth``."""

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


@dataclass(frozen=True, slots=True)
class Pool:
    """One SKU that every store has: opening levels, levels now, and the moves between, oldest first."""

    sku: str
    system_of_record: str
    opening: Mapping[str, int]
    levels: Mapping[str, int]
    lowest_level: int
    moves: Sequence[Move]


def read_moment(text: str) -> datetime:
    """``2026-11-24T02:16:19.123456Z`` as an aware moment."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def pools_of(records: Records) -> list[Pool]:
    """A pool for every SKU that exactly one variant of every store carries, in order of SKU."""
    moves = _by_sku(_all_moves(records))
    return [_pool(records, sku, moves.get(sku, [])) for sku in _shared_skus(records.truths)]


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
    shown = {store: _levels(truth, sku) for store, truth in records.truths.items()}
    levels = {store: sum(places) for store, places in shown.items()}
    fresh = [move for move in moves if records.since is None or move.at >= records.since]
    opening = dict(levels)
    for move in fresh:
        if move.moves_level:
            opening[move.store] -= move.units
    lowest = min(level for places in shown.values() for level in places)
    return Pool(sku, records.system_of_record, opening, levels, lowest, fresh)


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
    for order in own_orders(truth):
        yield from _voids(store, order)


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


def _voids(store: str, order: Mapping[str, Any]) -> Iterable[Move]:
    """Units called off without goods coming back: they count only against units that never existed."""
    if order["cancelled_at"] is None:
        return
    for line in order["lines"]:
        units = line["cancelled"] - line["restocked"]
        if units > 0:
            yield Move(read_moment(order["cancelled_at"]), store, line["sku"], "voided", units)


def _refs_of_copies(truth: Truth) -> frozenset[str]:
    refs: set[str] = set()
    for order in truth["orders"]:
        if order["origin"] is not None:
            refs.add(order["id"])
            refs.update(refund["id"] for refund in order["refunds"])
            refs.update(parcel["id"] for parcel in order["fulfilments"])
    return frozenset(refs)
