"""How the parcels of an order read, and the carriers whose tracking links the site makes by itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from storebridge_sandbox.wix.orders.state import WixFulfilment, WixOrder
from storebridge_sandbox.wix.wire import wix_date

TRACKING = {"number": "trackingNumber", "company": "shippingProvider", "url": "trackingLink"}
CARRIERS = {
    "fedex": "https://www.fedex.com/apps/fedextrack/?action=track&trackingnumber={}",
    "ups": "https://www.ups.com/track?tracknum={}",
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    "dhl": "https://www.dhl.com/en/express/tracking.html?AWB={}",
    "canadaPost": "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={}",
}
"""The predefined providers; the links' exact form is the carriers', not declared by the vendor."""


def link_of(company: str, number: str) -> str | None:
    """The tracking link of a predefined provider; None for any other."""
    form = CARRIERS.get(company)
    return form.format(quote(number)) if form and number else None


def parcels_payload(order: WixOrder) -> dict[str, Any]:
    """Every parcel of the order, as the fulfilments entity tells them."""
    return {"orderId": order.id, "fulfillments": [_parcel(parcel) for parcel in order.parcels()]}


def _parcel(parcel: WixFulfilment) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": parcel.id,
        "createdDate": wix_date(parcel.at),
        "lineItems": [{"id": line.id, "quantity": quantity} for line, quantity in parcel.lines],
    }
    tracking = {name: parcel.tracking[ours] for ours, name in TRACKING.items() if parcel.tracking.get(ours)}
    if tracking:
        shown["trackingInfo"] = tracking
    elif parcel.custom is not None:
        shown["customInfo"] = {"fieldsData": dict(parcel.custom)}
    if parcel.status is not None:
        shown["status"] = parcel.status
    if parcel.completed is not None:
        shown["completed"] = parcel.completed
    return shown
