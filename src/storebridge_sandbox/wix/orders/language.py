"""What can be filtered and sorted in a search of orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from storebridge_sandbox.wix.orders.state import WixOrder
from storebridge_sandbox.wix.query import EQUALITY, LISTS, ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.wire import read_date


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as the search index tells it."""

    order: WixOrder
    shown: dict[str, Any]


def _told(name: str, operators: frozenset[str] = EQUALITY, *, sortable: bool = False) -> Field:
    return Field(lambda row: row.shown.get(name), "text", operators, sortable)


@lru_cache(200_000)
def _moment(text: str) -> int:
    """Kept, because every sweep looks at the dates of all orders, and they seldom change."""
    return read_date(text)


def _date(name: str) -> Field:
    return Field(lambda row: _moment(row.shown[name]), "moment", ORDERING, sortable=True)


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
        "id": _told("id"),
        "checkoutId": _told("checkoutId"),
        "purchaseFlowId": _told("purchaseFlowId"),
        "status": _told("status", sortable=True),
        "paymentStatus": _told("paymentStatus", sortable=True),
        "fulfillmentStatus": _told("fulfillmentStatus", sortable=True),
        "number": _told("number", ORDERING, sortable=True),
        "currency": _told("currency", sortable=True),
        "createdDate": _date("createdDate"),
        "updatedDate": _date("updatedDate"),
        "purchasedDate": _date("purchasedDate"),
        "archived": Field(lambda row: row.shown["archived"], "flag"),
        "imported": Field(lambda row: row.shown["imported"], "flag"),
        "seenByAHuman": Field(lambda row: row.shown["seenByAHuman"], "flag"),
        "channelInfo.type": _inner("channelInfo", "type"),
        "channelInfo.externalOrderId": _inner("channelInfo", "externalOrderId"),
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
