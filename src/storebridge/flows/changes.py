"""What changed between two readings of one order, in words without personal data. Pure; the order's history is made of
these, so everything that is named here must be true of money and goods, not of people."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from storebridge.model.sales import Order, OrderLine, ParcelLine, ReturnLine, Standing


class Change(msgspec.Struct, frozen=True):
    """One thing that happened to an order: a kind of the list below, and what is worth keeping of it."""

    kind: str
    detail: dict[str, Any]


def changes_between(before: Order | None, after: Order) -> list[Change]:
    """In the order in which a person would tell them; empty when both say the same."""
    if before is None:
        return [
            Change("placed", {"name": after.name, "channel": after.channel, "total": _total(after)}),
            *_so_far(after),
        ]
    found = [
        *_lines(before, after),
        *_money(before, after),
        *_parcels(before, after),
        *_refunds(before, after),
        *_exchanges(before, after),
        *_standing(before, after),
    ]
    found += [
        Change(kind, {})
        for kind, old, new in (
            ("address_changed", before.shipping_address, after.shipping_address),
            ("buyer_changed", before.buyer, after.buyer),
            ("note_changed", before.note, after.note),
        )
        if old != new
    ]
    if before.tags != after.tags:
        found.append(Change("tags_changed", {"to": list(after.tags)}))
    return found


def _so_far(order: Order) -> list[Change]:
    """What had happened already when it was read for the first time."""
    blank = msgspec.structs.replace(order, parcels=(), refunds=(), standing=Standing.OPEN)
    return [*_parcels(blank, order), *_refunds(blank, order), *_standing(blank, order)]


def _total(order: Order) -> str:
    money = order.totals.total.shop
    return f"{money.amount} {money.currency}"


def _standing(before: Order, after: Order) -> list[Change]:
    if before.standing is after.standing:
        return []
    if after.standing is Standing.CANCELLED:
        return [Change("cancelled", {"reason": after.cancel_reason})]
    return [Change("confirmed" if after.standing is Standing.OPEN else "pending", {})]


def _money(before: Order, after: Order) -> list[Change]:
    found = []
    if before.payment_state is not after.payment_state:
        found.append(Change("payment", {"from": before.payment_state.value, "to": after.payment_state.value}))
    if before.totals.total != after.totals.total:
        found.append(Change("total_changed", {"from": _total(before), "to": _total(after)}))
    owed = after.totals.owed
    if before.totals.owed is not None and owed is not None and owed != before.totals.owed:
        found.append(Change("balance", {"told": balance_of(after) or "nothing is owed"}))
    return found


def balance_of(order: Order) -> str:
    """Money that is still to move, in words; empty when none is."""
    owed = order.totals.owed
    if owed is None or not owed.shop.amount:
        return ""
    if owed.shop.amount > 0:
        return f"the buyer owes {_figure(owed.shop.amount)} {owed.shop.currency}"
    return f"{_figure(-owed.shop.amount)} {owed.shop.currency} are to be paid back"


def _figure(amount: Decimal) -> str:
    """Whole amounts without decimals, others with two at least: vendors leave zeros out."""
    if amount == amount.to_integral_value():
        return f"{amount:.0f}"
    exponent = amount.as_tuple().exponent
    return f"{amount:.2f}" if exponent == -1 else f"{amount:f}"


def _exchanges(before: Order, after: Order) -> list[Change]:
    """What came back and what is sent instead, once the store has taken it in."""
    known = {one.return_id: one.replaced_by for one in before.returns}
    return [
        Change("exchanged", {"back": _goods(after, one.lines), "instead": _goods(after, one.replaced_by)})
        for one in after.returns
        if one.replaced_by and known.get(one.return_id, ()) != one.replaced_by
    ]


def _goods(order: Order, lines: Sequence[ReturnLine | ParcelLine]) -> str:
    found = ((order.line(one.line_id), one.quantity) for one in lines)
    return ", ".join(f"{units} x {line.sku or line.title}" for line, units in found if line is not None)


def _lines(before: Order, after: Order) -> list[Change]:
    old = {line.line_id: line for line in before.lines}
    new = {line.line_id: line for line in after.lines}
    found = [Change("line_added", _line(line, line.current)) for key, line in new.items() if key not in old]
    found += [Change("line_removed", _line(line, line.current)) for key, line in old.items() if key not in new]
    for key, line in new.items():
        was = old.get(key)
        if was is None:
            continue
        refunded = line.refunded - was.refunded
        edited = line.current - was.current + max(0, refunded)
        if edited:
            found.append(Change("line_edited", _line(line, edited)))
        if line.restocked > was.restocked:
            found.append(Change("restocked", _line(line, line.restocked - was.restocked)))
    return found


def _line(line: OrderLine, units: int) -> dict[str, Any]:
    return {"sku": line.sku, "title": line.title, "units": units}


def _parcels(before: Order, after: Order) -> list[Change]:
    old = {parcel.parcel_id: parcel for parcel in before.parcels}
    found = []
    for parcel in after.parcels:
        was = old.get(parcel.parcel_id)
        tracking = [{"company": t.company, "number": t.number} for t in parcel.tracking]
        units = sum(line.quantity for line in parcel.lines)
        if was is None and not parcel.cancelled:
            found.append(Change("shipped", {"parcel": parcel.parcel_id, "units": units, "tracking": tracking}))
        if was is not None and parcel.cancelled and not was.cancelled:
            found.append(Change("parcel_cancelled", {"parcel": parcel.parcel_id, "units": units}))
        elif was is not None and parcel.tracking != was.tracking:
            found.append(Change("tracking_changed", {"parcel": parcel.parcel_id, "tracking": tracking}))
        if parcel.delivered_at is not None and (was is None or was.delivered_at is None):
            found.append(Change("delivered", {"parcel": parcel.parcel_id}))
    gone = [key for key in old if key not in {parcel.parcel_id for parcel in after.parcels}]
    return found + [Change("parcel_cancelled", {"parcel": key}) for key in gone if not old[key].cancelled]


def _refunds(before: Order, after: Order) -> list[Change]:
    known = {refund.refund_id for refund in before.refunds}
    return [
        Change(
            "refunded",
            {
                "refund": refund.refund_id,
                "amount": f"{refund.amount.shop.amount} {refund.amount.shop.currency}",
                "units": sum(line.quantity for line in refund.lines),
                "restocked": sum(line.restocked for line in refund.lines),
            },
        )
        for refund in after.refunds
        if refund.refund_id not in known
    ]
