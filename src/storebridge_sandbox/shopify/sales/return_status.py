"""What an order's returns amount to."""

from __future__ import annotations

from storebridge_sandbox.shopify.sales.state import ShopOrder


def order_return_status(order: ShopOrder) -> str:
    """``returnStatus`` (recorded): declined and cancelled returns do not count, a request comes before the rest."""
    statuses = {one.status for one in order.returns}
    if "REQUESTED" in statuses:
        return "RETURN_REQUESTED"
    if "OPEN" in statuses:
        return "IN_PROGRESS"
    return "RETURNED" if "CLOSED" in statuses else "NO_RETURN"
