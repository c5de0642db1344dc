"""Orders as both vendors keep them: what the control calls and the truth know of an order.

What an order does to stock, how a vendor words it, and which webhooks follow, stands in the vendor's own folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.world import stamp


class OutOfStock(Exception):
    """The storefront does not show so many."""

    def __init__(self, sku: str) -> None:
        super().__init__(sku)
        self.sku = sku


class Refused(Exception):
    """The store's admin does not allow this; ``status`` is the control call's answer (404, 409 or 422), ``details``
    stand in it beside the error."""

    def __init__(self, error: str, status: int = 422, **details: str) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.details = details


@dataclass(frozen=True, slots=True)
class Wish:
    """So many of one SKU; ``restock`` matters in refunds and returns only."""

    sku: str
    quantity: int
    restock: bool = True


@dataclass(slots=True)
class Sellable:
    """What the order book must know of a variant; ``item_id`` names it in the book of stock."""

    item_id: str
    variant_id: str
    product_id: str
    sku: str
    title: str
    price: Decimal
    tracked: bool = True
    continue_selling: bool = False
    for_sale: bool = True
    requires_components: bool = False
    components: dict[str, int] = field(default_factory=dict)
    """Of what a bundle is made up: units by variant id. Its own stock is nobody's to write."""


@dataclass(slots=True)
class Promise:
    """Units of a line taken from one location and not yet shipped or given back."""

    location_id: str
    quantity: int


@dataclass(slots=True)
class OrderLine:
    """``cancelled`` counts units called off before shipping, ``refunded`` those refunded (of which
    ``refunded_unshipped`` never left), ``returned`` those that came back, ``restocked`` those on sale again
    (all in units)."""

    id: str
    variant: Sellable
    quantity: int
    price: Decimal
    cancelled: int = 0
    refunded: int = 0
    refunded_unshipped: int = 0
    returned: int = 0
    restocked: int = 0
    fulfilled: int = 0
    promises: list[Promise] = field(default_factory=list)
    shipped_from: list[Promise] = field(default_factory=list)

    @property
    def current_quantity(self) -> int:
        """What the buyer keeps or is to get."""
        return self.quantity - self.cancelled - self.refunded

    @property
    def unfulfilled(self) -> int:
        """What is still to be shipped."""
        return self.quantity - self.cancelled - self.refunded_unshipped - self.fulfilled


@dataclass(slots=True)
class Fulfilment:
    """One parcel; ``lines`` are (line, quantity)."""

    id: str
    at: datetime
    location_id: str
    tracking: dict[str, str]
    lines: list[tuple[OrderLine, int]]


@dataclass(slots=True)
class RefundedLine:
    """``location_id`` is where the goods went back to, when they did."""

    line: OrderLine
    quantity: int
    restock: bool
    location_id: str | None
    was_fulfilled: bool


@dataclass(slots=True)
class Refund:
    """Money back, and perhaps goods."""

    id: str
    at: datetime
    amount: Decimal
    lines: list[RefundedLine]


@dataclass(slots=True)
class Order:
    """``takes_stock`` is false for copies made by a client that must not touch stock."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    currency: str
    customer: dict[str, Any]
    lines: list[OrderLine]
    payment: str
    origin: str | None = None
    origin_name: str | None = None
    takes_stock: bool = True
    cancelled_at: datetime | None = None
    fulfilments: list[Fulfilment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    as_of_movement: int = 0
    tags: list[str] = field(default_factory=list)
    past_guard: bool = False
    """Whether units of it were sold although an app guards the checkout and did not let them through."""

    @property
    def total(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal("0.00"))

    def find_line(self, sku: str) -> OrderLine:
        for line in self.lines:
            if line.variant.sku == sku:
                return line
        raise Refused(f"order {self.name} has no line with SKU {sku!r}")

    def ships_to(self) -> str:
        """Street and city of where it goes, as the store keeps them; empty when nobody said."""
        return ""

    def said(self) -> tuple[str, list[str]]:
        """Its note, and its tags by name or id, with what an app wrote beside them for people."""
        return "", list(self.tags)

    def money(self) -> tuple[Decimal, Decimal]:
        """What it comes to after edits and before refunds, and what came in of it."""
        return self.total, Decimal(0)

    def refunded_unshipped(self, line: OrderLine) -> int:
        """Units of a line that were refunded and never left."""
        return line.refunded_unshipped

    def truth(self) -> dict[str, Any]:
        """The order as ``GET /_sandbox/truth`` shows it."""
        (note, tags), (comes_to, received) = self.said(), self.money()
        return {
            "id": self.id,
            "name": self.name,
            "created_at": stamp(self.created_at),
            "cancelled_at": stamp(self.cancelled_at) if self.cancelled_at else None,
            "origin": self.origin,
            "payment": self.payment,
            "currency": self.currency,
            "ships_to": self.ships_to(),
            "total": f"{self.total:.2f}",
            "comes_to": f"{comes_to:.2f}",
            "received": f"{received:.2f}",
            "note": note,
            "tags": tags,
            "lines": [_line_truth(line, self.refunded_unshipped(line)) for line in self.lines],
            "past_guard": self.past_guard,
            "fulfilments": [_fulfilment_truth(parcel) for parcel in self.fulfilments],
            "refunds": [_refund_truth(refund) for refund in self.refunds],
        }


def _line_truth(line: OrderLine, refunded_unshipped: int) -> dict[str, Any]:
    return {
        "sku": line.variant.sku,
        "quantity": line.quantity,
        "cancelled": line.cancelled,
        "refunded": line.refunded,
        "refunded_unshipped": refunded_unshipped,
        "restocked": line.restocked,
        "fulfilled": line.fulfilled,
    }


def _fulfilment_truth(parcel: Fulfilment) -> dict[str, Any]:
    lines = [{"sku": line.variant.sku, "quantity": quantity} for line, quantity in parcel.lines]
    return {"id": parcel.id, "at": stamp(parcel.at), "tracking": parcel.tracking, "lines": lines}


def _refund_truth(refund: Refund) -> dict[str, Any]:
    lines = [
        {"sku": back.line.variant.sku, "quantity": back.quantity, "restock": back.restock} for back in refund.lines
    ]
    return {"id": refund.id, "at": stamp(refund.at), "amount": f"{refund.amount:.2f}", "lines": lines}
