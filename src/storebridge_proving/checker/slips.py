"""Parcels that the warehouse sent from the queue: its own book, held against what the stores show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storebridge_proving.checker.orders import Name, OrderClaims, links_astray, parcels_by_number
from storebridge_proving.checker.records import Truth, own_orders

Row = Mapping[str, Any]


@dataclass(slots=True)
class Slip:
    """One parcel as the warehouse has it in its book; ``units`` per SKU. One without a number has not got it yet, or
    was fetched by the buyer."""

    order: Name
    parcel_key: str
    units: Counter[str]
    number: str = ""
    withdrawn: bool = False
    handed_over: bool = False
    """The buyer has it from the merchant's own hand, so no carrier does, and nothing follows it."""


def judge_slips(truths: Mapping[str, Truth], slips: Sequence[Slip], claims: OrderClaims) -> tuple[str, ...]:
    """Every parcel of the book stands in the store that sold the goods, with its units and its number, and nothing
    else does, unless a person was told; nothing was sent from the queue and from a copy as well."""
    packed_as_copy = _packed_as_copies(truths)
    by_order: dict[Name, list[Slip]] = {}
    for slip in slips:
        by_order.setdefault(slip.order, []).append(slip)
    findings: list[str] = []
    for store, truth in truths.items():
        for order in own_orders(truth):
            mine = by_order.pop((store, order["id"]), [])
            if not mine:
                continue
            if (store, order["id"]) in packed_as_copy:
                if _standing(mine):
                    findings.append(f"{store} {order['name']} was sent from the queue, and its copy as well")
            elif "parcels" not in claims.told.get((store, order["id"]), frozenset()):
                findings += [f"{store} {order['name']}: {what}" for what in _differences(order, mine)]
    findings += [f"a parcel of an order that does not exist: {order}" for order in by_order]
    return tuple(findings)


def offered_again(order: Row, slips: Iterable[Slip], offered: Mapping[str, int]) -> list[str]:
    """SKUs that the queue wants sent although the book says that they left: ``offered`` units per SKU."""
    sold: Counter[str] = Counter()
    for line in order["lines"]:
        sold[line["sku"]] += line["quantity"]
    left = sum((slip.units for slip in _standing(slips)), Counter[str]())
    return [sku for sku, units in offered.items() if left[sku] and units + left[sku] > sold[sku]]


def _standing(slips: Iterable[Slip]) -> list[Slip]:
    return [slip for slip in slips if not slip.withdrawn]


def _differences(order: Row, slips: Sequence[Slip]) -> Iterable[str]:
    book: dict[str, Counter[str]] = {}
    for slip in _standing(slips):
        book.setdefault(slip.number, Counter()).update(slip.units)
    shown = parcels_by_number(order)
    if book != shown:
        yield f"the warehouse sent {book}, the store shows {shown}"
    by_hand = sum((slip.units for slip in _standing(slips) if slip.handed_over), Counter[str]())
    if by_hand - _untracked(order):
        yield f"{dict(by_hand)} were handed over, and a carrier's name or number stands on them"
    if astray := links_astray(order):
        yield f"its parcels' links lead elsewhere: {astray}"


def _untracked(order: Row) -> Counter[str]:
    """Units that left in parcels of which nothing is said but what they hold."""
    bare = [parcel for parcel in order["fulfilments"] if not any(parcel["tracking"].values())]
    units: Counter[str] = Counter()
    for line in (line for parcel in bare for line in parcel["lines"]):
        units[line["sku"]] += line["quantity"]
    return units


def _packed_as_copies(truths: Mapping[str, Truth]) -> set[Name]:
    """Orders of whose copy something left."""
    found = set()
    for truth in truths.values():
        for order in truth["orders"]:
            if order["origin"] is not None and order["fulfilments"]:
                _, _, store, order_id = str(order["origin"]).split(":", 3)
                found.add((store, order_id))
    return found
