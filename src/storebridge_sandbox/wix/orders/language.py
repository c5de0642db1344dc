"""What can be filtered and sorted in a search of orders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.orders.amounts import fulfilment_status
from storebridge_sandbox.wix.orders.state import WixOrder
from storebridge_sandbox.wix.query import EQUALITY, LISTS, ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.wire import millis, read_date


@dataclass(slots=True)
class OrderRow:
    """An order as the search index tells it: with an earlier face, or as it is now, when its face is made if needed."""

    order: WixOrder
    earlier: dict[str, Any] | None = None

    @property
    def shown(self) -> dict[str, Any]:
        return self.order.shown if self.earlier is None else self.earlier


def _told(name: str, operators: frozenset[str] = EQUALITY, *, sortable: bool = False) -> Field:
    return Field(lambda row: row.shown.get(name), "text", operators, sortable)


def _own(
    name: str, read: Callable[[WixOrder], Any], operators: frozenset[str] = EQUALITY, *, sortable: bool = False
) -> Field:
    """What the order itself knows, so that a search need not make the faces of all orders."""
    return Field(
        lambda row: read(row.order) if row.earlier is None else row.earlier.get(name), "text", operators, sortable
    )


def _date(name: str, read: Callable[[WixOrder], datetime]) -> Field:
    return Field(
        lambda row: millis(read(row.order)) if row.earlier is None else read_date(row.earlier[name]),
        "moment",
        ORDERING,
        sortable=True,
    )


def external_id(order: WixOrder) -> str | None:
    """The id that the order has elsewhere."""
    told: str | None = (order.told.get("channelInfo") or {}).get("externalOrderId")
    return told


def _external_id(row: OrderRow) -> Any:
    if row.earlier is None:
        return external_id(row.order)
    return (row.earlier.get("channelInfo") or {}).get("externalOrderId")


def _inner(outer: str, name: str, operators: frozenset[str] = EQUALITY, *, sortable: bool = False) -> Field:
    return Field(lambda row: (row.shown.get(outer) or {}).get(name), "text", operators, sortable)


def _name(outer: str, name: str) -> Field:
    """A name in the contact details of a part of the order."""
    return Field(
        lambda row: ((row.shown.get(outer) or {}).get("contactDetails") or {}).get(name), "text", TEXT, sortable=True
    )


def _address(outer: str, name: str) -> Field:
    return Field(lambda row: ((row.shown.get(outer) or {}).get("address") or {}).get(name), "text", TEXT, sortable=True)


def _amount(name: str) -> Field:
    """Amounts are compared as numbers."""
    return Field(lambda row: float(Decimal(row.shown["priceSummary"][name]["amount"])), "number", ORDERING, True)


def _of_lines(name: str) -> Field:
    return Field(
        lambda row: {(line.get("catalogReference") or {}).get(name) for line in row.shown["lineItems"]}, "list", LISTS
    )


def _tags(kind: str) -> Field:
    return Field(lambda row: set(((row.shown.get("tags") or {}).get(kind) or {}).get("tagIds") or ()), "list", LISTS)


LANGUAGE = Language(
    {
        "id": _own("id", lambda order: order.id),
        "checkoutId": _own("checkoutId", lambda order: order.checkout_id),
        "purchaseFlowId": _own("purchaseFlowId", lambda order: order.purchase_flow_id),
        "status": _own("status", lambda order: order.status, sortable=True),
        "paymentStatus": _own("paymentStatus", lambda order: order.payment_status, sortable=True),
        "fulfillmentStatus": _own("fulfillmentStatus", fulfilment_status, sortable=True),
        "number": _own("number", lambda order: order.name, ORDERING, sortable=True),
        "currency": _own("currency", lambda order: order.currency, sortable=True),
        "createdDate": _date("createdDate", lambda order: order.created_at),
        "updatedDate": _date("updatedDate", lambda order: order.updated_at),
        "purchasedDate": _date("purchasedDate", lambda order: order.purchased_at or order.created_at),
        "archived": Field(lambda row: row.shown["archived"], "flag"),
        "imported": Field(lambda row: row.shown["imported"], "flag"),
        "seenByAHuman": Field(lambda row: row.shown["seenByAHuman"], "flag"),
        "channelInfo.type": _inner("channelInfo", "type"),
        "channelInfo.externalOrderId": Field(_external_id),
        "buyerInfo.email": _inner("buyerInfo", "email", TEXT, sortable=True),
        "buyerInfo.contactId": _inner("buyerInfo", "contactId"),
        "buyerInfo.memberId": _inner("buyerInfo", "memberId"),
        "buyerInfo.visitorId": _inner("buyerInfo", "visitorId"),
        "billingInfo.contactDetails.firstName": _name("billingInfo", "firstName"),
        "billingInfo.contactDetails.lastName": _name("billingInfo", "lastName"),
        "billingInfo.contactDetails.company": _name("billingInfo", "company"),
        "billingInfo.address.country": _address("billingInfo", "country"),
        "recipientInfo.contactDetails.firstName": _name("recipientInfo", "firstName"),
        "recipientInfo.contactDetails.lastName": _name("recipientInfo", "lastName"),
        "shippingInfo.title": _inner("shippingInfo", "title", TEXT, sortable=True),
        "priceSummary.total.amount": _amount("total"),
        "tags.tags.tagIds": _tags("tags"),
        "tags.privateTags.tagIds": _tags("privateTags"),
        "lineItems.catalogReference.catalogItemId": _of_lines("catalogItemId"),
        "lineItems.catalogReference.appId": _of_lines("appId"),
    },
    tie=lambda row: row.order.serial,
    default_limit=100,
    most=100,
    default_sort=(("createdDate", True),),
    name="search",
)
MOST_SORTS = 4
