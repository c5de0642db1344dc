"""What follows from the state of fulfilment orders: the order's own status, and what may be done next."""

from __future__ import annotations

from storebridge_sandbox.shopify.sales.fulfilment_desk import live
from storebridge_sandbox.shopify.sales.state import FulfilmentOrder, ShopLine, ShopOrder


def order_status(order: ShopOrder) -> str:
    """``displayFulfillmentStatus``."""
    sent = sum(line.fulfilled for line in order.lines)
    waiting = live(order)
    if sent and not any(fo.remaining for fo in waiting) and not _still_open(order):
        return "FULFILLED"
    if sent:
        return "PARTIALLY_FULFILLED"
    statuses = {fo.status for fo in waiting if fo.remaining}
    for status in ("IN_PROGRESS", "INCOMPLETE"):
        if status in statuses:
            return "IN_PROGRESS"
    if statuses == {"ON_HOLD"}:
        return "ON_HOLD"
    return "SCHEDULED" if statuses == {"SCHEDULED"} else "UNFULFILLED"


def _still_open(order: ShopOrder) -> bool:
    return order.cancelled_at is None and any(line.unfulfilled > 0 for line in order.lines)


def fulfillable(order: ShopOrder, line: ShopLine) -> int:
    """Units that could be sent now: those on hold are not among them, those of a cancelled order are (recorded)."""
    return sum(
        one.remaining
        for fo in order.fulfilment_orders
        if fo.status != "ON_HOLD" and (fo.status != "CLOSED" or order.cancelled_at is not None)
        for one in fo.lines
        if one.line is line
    )


def mergeable(fo: FulfilmentOrder) -> list[FulfilmentOrder]:
    """Others of the same order and place that it could be merged with."""
    return [
        other
        for other in fo.order.fulfilment_orders
        if other is not fo and other.status == "OPEN" and other.location_id == fo.location_id
    ]


def supported_actions(fo: FulfilmentOrder, *, of_service: bool) -> list[str]:
    """In the recorded order."""
    if fo.status == "ON_HOLD":
        return ["RELEASE_HOLD", "HOLD", "MOVE"]
    if fo.status == "INCOMPLETE":
        return ["REQUEST_FULFILLMENT", "CREATE_FULFILLMENT", "HOLD", "MOVE"]
    if fo.status == "IN_PROGRESS":
        if fo.request_status == "ACCEPTED":
            return ["CREATE_FULFILLMENT", "REQUEST_CANCELLATION", "HOLD"]
        return ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "HOLD", "MARK_AS_OPEN"]
    if fo.status != "OPEN":
        return ["MARK_AS_OPEN"] if fo.status == "SCHEDULED" else []
    if of_service:
        if fo.request_status == "SUBMITTED":
            return ["CANCEL_FULFILLMENT_ORDER", "HOLD"]
        return ["REQUEST_FULFILLMENT", "CREATE_FULFILLMENT", "MOVE", "HOLD", *_parting(fo)]
    return ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD", *_parting(fo)]


def _parting(fo: FulfilmentOrder) -> list[str]:
    actions = ["SPLIT"] if fo.remaining > 1 else []
    return [*actions, "MERGE"] if mergeable(fo) else actions
