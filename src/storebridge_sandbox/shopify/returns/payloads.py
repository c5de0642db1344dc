"""Returns as webhooks carry them."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.call import iso
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.sales.state import Return


def return_payload(returned: Return) -> dict[str, Any]:
    """``returns/request``, ``returns/approve``, ``returns/close`` and so on."""
    decline = returned.decline
    return {
        "id": number_of(returned.id),
        "admin_graphql_api_id": returned.id,
        "name": returned.name,
        "status": returned.status.lower(),
        "created_at": iso(returned.created_at),
        "closed_at": iso(returned.closed_at) if returned.closed_at else None,
        "decline": {"reason": decline[0].lower(), "note": decline[1]} if decline else None,
        "total_return_line_items": returned.quantity,
        "order": {"id": number_of(returned.order.id), "admin_graphql_api_id": returned.order.id},
        "return_line_items": [
            {
                "id": number_of(line.id),
                "admin_graphql_api_id": line.id,
                "quantity": line.quantity,
                "refunded_quantity": line.refunded,
                "return_reason": line.reason.lower(),
                "return_reason_note": line.reason_note,
                "customer_note": line.customer_note,
                "fulfillment_line_item": {
                    "id": number_of(line.sent.id),
                    "admin_graphql_api_id": line.sent.id,
                    "line_item": {"id": number_of(line.sent.line.id), "admin_graphql_api_id": line.sent.line.id},
                },
            }
            for line in returned.lines
        ],
    }
