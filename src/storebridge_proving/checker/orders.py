"""Orders and their copies, judged from the two stores' own records alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate
from typing import Any
from urllib.parse import quote

from storebridge_proving.checker.records import Truth, own_orders

Row = Mapping[str, Any]
ROOM_FOR_NOTES = 1000
MARK = re.compile(r"(?<=\S) \(\d+\)$")


Name = tuple[str, str]
"""An order as (store, id)."""
Fault = tuple[str, str]
"""The kind of a difference, and the difference in words."""


@dataclass(frozen=True, slots=True)
class OrderClaim:
    """What the bridge knows of one order: money that went back, units that are on sale again, units that left, what it
    comes to, what came in, its note."""

    refunded: Decimal
    restocked: int
    sent: int
    comes_to: Decimal
    received: Decimal
    note: str


@dataclass(frozen=True, slots=True)
class OrderClaims:
    """What the bridge says: orders that it keeps, and of which it told a person that their copy differs or cannot be
    made, with the kinds of difference (those of ``_faults``) that it told them of. ``known``: what it knows of those
    that it keeps."""

    kept: tuple[Name, ...]
    told: Mapping[Name, frozenset[str]] = field(default_factory=dict)
    known: Mapping[Name, OrderClaim] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderVerdict:
    """``findings`` are empty when everything holds; the numbers say how much was looked at."""

    orders: int
    copies: int
    refunds: int
    parcels: int
    told: int
    findings: tuple[str, ...]


def judge_orders(truths: Mapping[str, Truth], target: str, claims: OrderClaims) -> OrderVerdict:
    """Every order known once, every copy made once, and what happened to either the same on both sides, unless a
    person was told of that very difference."""
    kept = Counter(claims.kept)
    copies = _copies_by_origin(truths[target])
    findings, seen, told, refunds, parcels = [], 0, 0, 0, 0
    for store, truth in truths.items():
        edited = {movement["ref"] for movement in truth["movements"] if movement["cause"] == "edit"}
        for order in own_orders(truth):
            seen += 1
            if kept[store, order["id"]] != 1 and not (_is_checkout(order) and not kept[store, order["id"]]):
                findings.append(f"{store} {order['name']} is kept {kept[store, order['id']]} times")
            known = claims.known.get((store, order["id"]))
            wrong = _unknown(order, known, edited=order["id"] in edited)
            findings += [f"{store} {order['name']}: {what}" for what in wrong]
            if store == target:
                continue
            mine = copies.pop((store, order["id"]), [])
            refunds, parcels = refunds + len(order["refunds"]), parcels + len(order["fulfilments"])
            found = list(_faults(order, mine))
            excused = claims.told.get((store, order["id"]), frozenset()) if len(mine) < 2 else frozenset()
            told += any(kind in excused for kind, _ in found)
            findings += [f"{store} {order['name']}: {what}" for kind, what in found if kind not in excused]
    findings += [f"a copy of nothing: {origin}" for origin in copies]
    made = sum(1 for order in truths[target]["orders"] if order["origin"] is not None)
    return OrderVerdict(seen, made, refunds, parcels, told, tuple(findings))


def _unknown(order: Row, known: OrderClaim | None, *, edited: bool) -> Iterable[str]:
    """What the store's record says of an order and the bridge does not. What an edit puts back, only some stores tell;
    of a payment that never came nothing goes back."""
    if known is None or order["payment"] in ("pending", "voided"):
        return
    lines = [line for parcel in order["fulfilments"] for line in parcel["lines"]]
    pairs = (
        ("went back", _refunded(order), known.refunded),
        ("units are on sale again", sum(line["restocked"] for line in order["lines"]), known.restocked),
        ("units left", sum(line["quantity"] for line in lines), known.sent),
        ("came in", Decimal(order["received"]), known.received),
        ("is its note", order["note"], known.note),
    )
    for what, truth, claim in pairs:
        told_as_one = what.endswith("again") and (edited or claim == known_as_one(order))
        if truth != claim and not told_as_one:
            yield f"{truth} {what}, the bridge knows {claim}"
    if not _moved_on(order) and Decimal(order["comes_to"]) != known.comes_to:
        yield f"it comes to {order['comes_to']}, the bridge knows {known.comes_to}"


def known_as_one(order: Row) -> int:
    """Units on sale again where what a refund and what a return put back are taken to be the same units: a store may
    put them back twice (S29), and an order does not tell; the level does, and it is judged by itself."""
    known = 0
    for sku in {line["sku"]: None for line in order["lines"]}:
        units = sum(line["restocked"] for line in order["lines"] if line["sku"] == sku)
        lines = (line for refund in order["refunds"] for line in refund["lines"] if line["sku"] == sku)
        refunded = sum(line["quantity"] for line in lines if line.get("restock"))
        known += max(refunded, units - refunded) if refunded < units else units
    return known


def _copies_by_origin(truth: Truth) -> dict[tuple[str, str], list[Row]]:
    """Stamps name workspace, store and order, in this order."""
    found: dict[tuple[str, str], list[Row]] = {}
    for order in truth["orders"]:
        if order["origin"] is not None:
            _, _, store, order_id = str(order["origin"]).split(":", 3)
            found.setdefault((store, order_id), []).append(order)
    return found


def _faults(order: Row, copies: list[Row]) -> Iterable[Fault]:
    """The kind of each difference, and a sentence. Totals are compared to the cent until money or goods went back: what
    refunds do to them stores tell in different ways."""
    if not copies and _should_be_copied(order):
        yield "missing", "it has no copy"
    if len(copies) > 1:
        yield "copies", f"it has {len(copies)} copies"
    for copy in copies:
        yield from _differences(order, copy)
        if not _moved_on(order) and not copy["refunds"] and _total(order) != _total(copy):
            told = f"it comes to {order['comes_to']} {order['currency']}"
            yield "total", f"{told}, its copy to {copy['comes_to']} {copy['currency']}"


def _moved_on(order: Row) -> bool:
    return bool(order["refunds"] or order["cancelled_at"])


def _should_be_copied(order: Row) -> bool:
    """Paid, standing, and nothing left yet, nor went back but units with their money: those may have happened before it
    could be copied."""
    untouched = all(refund["lines"] for refund in order["refunds"]) and not order["fulfilments"]
    paid = order["payment"] in ("paid", "partially_refunded")
    return paid and untouched and not order["cancelled_at"] and bool(_units(order))


def _never_copied(order: Row, copy: Row) -> Decimal:
    """Money of units that were refunded before the copy was made: it repeats what was left, so it lacks both what came
    in for them and what went back, in the same refund or in one of its own. None where the copy was made whole and
    followed."""
    came_in_less = Decimal(order["received"]) - Decimal(copy["received"])
    before = sorted((one for one in order["refunds"] if one["at"] < copy["created_at"]), key=lambda one: str(one["at"]))
    units = [one for one in before if one["lines"]]
    apart = before if units else []
    sums = {total for ones in (units, apart) for total in accumulate(Decimal(one["amount"]) for one in ones)}
    return came_in_less if came_in_less in sums else Decimal(0)


def _differences(order: Row, copy: Row) -> Iterable[Fault]:
    if order["cancelled_at"] and not copy["cancelled_at"]:
        yield "standing", "it was cancelled, its copy was not"
    if copy["cancelled_at"] and not order["cancelled_at"]:
        yield "standing", "its copy was cancelled, it was not"
    if not order["cancelled_at"] and _units(order) != _units(copy):
        yield "units", f"it holds {dict(_units(order))}, its copy {dict(_units(copy))}"
    if parcels_by_number(order) != parcels_by_number(copy):
        yield "parcels", f"its parcels are {parcels_by_number(order)}, its copy's {parcels_by_number(copy)}"
    if links_astray(order):
        yield "links", f"its parcels' links lead elsewhere: {links_astray(order)}"
    never = _never_copied(order, copy)
    if _refunded(order) - never != _refunded(copy):
        yield "refunded", f"{_refunded(order)} went back, of its copy {_refunded(copy)}"
    if not order["cancelled_at"] and order["ships_to"] != copy["ships_to"]:
        yield "address", f"it goes to {order['ships_to']!r}, its copy to {copy['ships_to']!r}"
    if Decimal(order["received"]) - never != Decimal(copy["received"]):
        yield "paid", f"{order['received']} came in, of its copy {copy['received']}"
    yield from _said(order, copy)
    if any(line["restocked"] for line in copy["lines"]) and not copy["cancelled_at"]:
        yield "restocked", "its copy put goods back on sale"


def _said(order: Row, copy: Row) -> Iterable[Fault]:
    """Notes as they are, as far as the other store has room; each tag somewhere among the copy's."""
    if order["cancelled_at"] or copy["cancelled_at"]:
        return
    if order["note"][:ROOM_FOR_NOTES] != copy["note"][:ROOM_FOR_NOTES]:
        yield "note", f"its note is {order['note']!r}, its copy's {copy['note']!r}"
    there = {tag.strip() for text in copy["tags"] for tag in text.split(",")}
    missing = sorted(set(order["tags"]) - there)
    if missing:
        yield "tags", f"its copy lacks the tags {missing}"


def _units(order: Row) -> Counter[str]:
    """Units per SKU that the buyer keeps or is to get."""
    kept: Counter[str] = Counter()
    for line in order["lines"]:
        kept[line["sku"]] += line["quantity"] - line["cancelled"] - line["refunded"]
    return +kept


def _is_checkout(order: Row) -> bool:
    """A checkout without its payment is no order yet: stores show it to nobody."""
    return order["payment"] in ("pending", "voided") and not order["fulfilments"]


def parcels_by_number(order: Row) -> dict[str, Counter[str]]:
    """Units per SKU by tracking number: a store that keeps what waits by location makes one parcel for each, and one
    that takes a number once shows the others with a mark, as ``1Z9 (2)``."""
    sent: dict[str, Counter[str]] = {}
    for parcel in order["fulfilments"]:
        units = sent.setdefault(_number(parcel), Counter())
        for line in parcel["lines"]:
            units[line["sku"]] += line["quantity"]
    return sent


def _number(parcel: Row) -> str:
    """What the parcel is followed by."""
    return MARK.sub("", parcel["tracking"].get("number") or "")


def links_astray(order: Row) -> list[str]:
    """Links of an order's parcels that do not lead to their number."""
    links = [(parcel["tracking"].get("url") or "", quote(_number(parcel), safe="")) for parcel in order["fulfilments"]]
    return [link for link, number in links if link and not link.endswith(number)]


def _refunded(order: Row) -> Decimal:
    return sum((Decimal(refund["amount"]) for refund in order["refunds"]), Decimal(0))


def _total(order: Row) -> tuple[Decimal, str]:
    return Decimal(order["comes_to"]), order["currency"]
