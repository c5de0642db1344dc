"""Fulfilments and fulfilment orders as webhooks carry them."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.shopify.call import iso
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.sales.rest_lines import line_payload
from storebridge_sandbox.shopify.sales.state import FulfilmentEvent, FulfilmentOrder

Payload = dict[str, Any]


def fulfilment_payload(parcel: Any) -> Payload:
    """``fulfillments/create``, ``fulfillments/update``, and inside of orders."""
    order = parcel.order
    numbers = [one["number"] for one in parcel.trackings if one.get("number")]
    urls = [one["url"] for one in parcel.trackings if one.get("url")]
    return {
        "id": number_of(parcel.id),
        "admin_graphql_api_id": parcel.id,
        "order_id": number_of(order.id),
        "name": parcel.name,
        "status": "cancelled" if parcel.status == "CANCELLED" else "success",
        "shipment_status": parcel.events[-1].status.lower() if parcel.events else None,
        "service": "manual",
        "created_at": iso(parcel.at),
        "updated_at": iso(parcel.updated_at),
        "location_id": number_of(parcel.location_id) if parcel.location_id else None,
        "tracking_company": parcel.trackings[0].get("company") if parcel.trackings else None,
        "tracking_number": numbers[0] if numbers else None,
        "tracking_numbers": numbers,
        "tracking_url": urls[0] if urls else None,
        "tracking_urls": urls,
        "origin_address": parcel.origin_address,
        "email": order.email,
        "destination": None,
        "receipt": {},
        "line_items": [{**line_payload(part.line), "quantity": part.quantity} for part in parcel.parts],
    }


def event_payload(parcel: Any, event: FulfilmentEvent) -> Payload:
    """``fulfillment_events/create``."""
    return {
        "id": number_of(event.id),
        "admin_graphql_api_id": event.id,
        "fulfillment_id": number_of(parcel.id),
        "order_id": number_of(parcel.order.id),
        "status": event.status.lower(),
        "message": event.message,
        "happened_at": iso(event.happened_at),
        "created_at": iso(event.created_at),
        "updated_at": iso(event.created_at),
        "estimated_delivery_at": iso(event.estimated_delivery_at) if event.estimated_delivery_at else None,
        **event.place,
    }


def fulfilment_order_payload(fo: FulfilmentOrder) -> Payload:
    """Most ``fulfillment_orders/*`` topics name the fulfilment order and its state, nothing more."""
    return {"fulfillment_order": {"id": fo.id, "status": fo.status.lower()}}


def hold_payload(fo: FulfilmentOrder) -> Payload:
    """``fulfillment_orders/placed_on_hold``."""
    holds = [{"reason": hold.reason.lower(), "reason_notes": hold.notes} for hold in fo.holds]
    return {"fulfillment_order": {"id": fo.id, "status": fo.status.lower(), "fulfillment_holds": holds}}


def moved_payload(fo: FulfilmentOrder) -> Payload:
    """``fulfillment_orders/moved``."""
    return {
        "original_fulfillment_order": {"id": fo.id, "status": fo.status.lower()},
        "moved_fulfillment_order": {"id": fo.id, "status": fo.status.lower()},
        "destination_location_id": fo.location_id,
        "fulfillment_order_line_items_requested": [{"id": one.id, "quantity": one.total} for one in fo.lines],
    }
