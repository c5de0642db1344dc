"""Orders and refunds as webhooks carry them (REST shapes, numeric ids)."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.orders import Order, OrderLine, Refund
from storebridge_sandbox.shopify.call import iso
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.orders.answers import restock_type


def order_payload(order: Order) -> dict[str, Any]:
    """``orders/create``, ``orders/updated``, ``orders/cancelled``."""
    customer = order.customer
    return {
        "id": number_of(order.id),
        "admin_graphql_api_id": order.id,
        "name": order.name,
        "created_at": iso(order.created_at),
        "updated_at": iso(order.updated_at),
        "cancelled_at": iso(order.cancelled_at) if order.cancelled_at else None,
        "currency": order.currency,
        "email": customer.get("email", ""),
        "phone": customer.get("phone"),
        "financial_status": order.payment,
        "fulfillment_status": None,
        "tags": ", ".join(order.tags),
        "total_price": f"{order.total:.2f}",
        "source_identifier": order.origin,
        "line_items": [_line(line) for line in order.lines],
        "refunds": [refund_payload(order, refund) for refund in order.refunds],
    }


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "id": number_of(line.id),
        "admin_graphql_api_id": line.id,
        "variant_id": number_of(line.variant.variant_id),
        "product_id": number_of(line.variant.product_id),
        "title": line.variant.title,
        "sku": line.variant.sku,
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "fulfillable_quantity": line.unfulfilled,
        "price": f"{line.price:.2f}",
    }


def refund_payload(order: Order, refund: Refund) -> dict[str, Any]:
    """``refunds/create``."""
    return {
        "id": number_of(refund.id),
        "admin_graphql_api_id": refund.id,
        "order_id": number_of(order.id),
        "created_at": iso(refund.at),
        "refund_line_items": [
            {
                "line_item_id": number_of(back.line.id),
                "quantity": back.quantity,
                "restock_type": restock_type(back).lower(),
                "location_id": number_of(back.location_id) if back.location_id else None,
            }
            for back in refund.lines
        ],
        "transactions": [{"amount": f"{refund.amount:.2f}", "kind": "refund", "status": "success"}],
    }
