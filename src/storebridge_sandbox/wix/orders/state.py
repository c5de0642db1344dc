"""What an eCommerce order holds: lines, payments, refunds, parcels, sums, and its earlier faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, cast

from storebridge_sandbox.orders import Fulfilment, Order, OrderLine, Refund
from storebridge_sandbox.wix.identities import Actor

Status = Literal["INITIALIZED", "APPROVED", "CANCELED", "PENDING", "REJECTED"]
ZERO = Decimal("0.00")
MONEY_IN = ("APPROVED", "REFUNDED", "PARTIALLY_REFUNDED")
"""Statuses of payments whose money arrived, whatever went back since."""
UNDER_WAY = ("PENDING", "SCHEDULED", "STARTED")


@dataclass(slots=True)
class WixLine(OrderLine):
    """``edited_out`` units left the line by an edit, ``edited_away`` of them without going back to stock;
    ``reverted`` ones left by a failed payment; ``held`` are taken from stock and not given back. ``full_price`` is the
    unit price before discounts, ``tax`` that of the whole line. ``told`` is what a caller said about the line and the
    site merely keeps."""

    edited_out: int = 0
    edited_away: int = 0
    reverted: int = 0
    held: int = 0
    full_price: Decimal | None = None
    tax: Decimal = ZERO
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def shown_quantity(self) -> int:
        return self.quantity - self.edited_out

    @property
    def shown_restocked(self) -> int:
        return self.restocked - (self.edited_out - self.edited_away) - self.reverted

    @property
    def refundable(self) -> int:
        """How many units no refund has covered yet."""
        return self.shown_quantity - self.refunded

    @property
    def unit_before_discounts(self) -> Decimal:
        return self.price if self.full_price is None else self.full_price


@dataclass(slots=True)
class Payment:
    """One payment; ``details`` is its ``regularPaymentDetails`` without the status."""

    id: str
    created_at: datetime
    updated_at: datetime
    amount: Decimal
    status: str
    details: dict[str, Any]
    kind: str = "regularPaymentDetails"
    refund_disabled: bool = False
    correlation_id: str | None = None
    captured_at: datetime | None = None
    voided_at: datetime | None = None

    @property
    def offline(self) -> bool:
        return bool(self.details.get("offlinePayment"))

    @property
    def came_in(self) -> Decimal:
        return self.amount if self.status in MONEY_IN else ZERO


@dataclass(slots=True)
class RefundTransaction:
    """Money of one payment that goes back; ``external`` says that a person sent it elsewhere."""

    payment_id: str
    amount: Decimal
    status: str
    external: bool
    provider_refund_id: str | None = None
    status_info: dict[str, Any] | None = None


@dataclass(slots=True)
class WixRefund(Refund):
    """``restocked`` counts units per line id; ``fees`` are amounts per additional fee's id."""

    transactions: list[RefundTransaction] = field(default_factory=list)
    restocked: dict[str, int] = field(default_factory=dict)
    fees: dict[str, Decimal] = field(default_factory=dict)
    shipping: Decimal | None = None
    reason: str | None = None
    app_id: str | None = None
    emailed: bool = False
    message: str | None = None
    completed: bool = False

    def amount_in(self, *statuses: str) -> Decimal:
        return sum((one.amount for one in self.transactions if one.status in statuses), ZERO)


@dataclass(slots=True)
class WixFulfilment(Fulfilment):
    """``status`` is the vendor's word for people; the order's own status counts quantities."""

    status: str | None = None
    completed: bool | None = None
    custom: dict[str, str] | None = None


@dataclass(slots=True)
class Sums:
    """What is added to the lines; ``subtotal`` and ``total`` are set where a caller stated them.

    ``discount`` is the whole of it, also what the lines' own prices already lack."""

    shipping: Decimal = ZERO
    tax: Decimal = ZERO
    discount: Decimal = ZERO
    fees: Decimal = ZERO
    subtotal: Decimal | None = None
    total: Decimal | None = None
    tax_included: bool = False


@dataclass(slots=True)
class Chargeback:
    """A buyer's bank took the money of a payment back."""

    id: str
    payment_id: str
    at: datetime
    updated_at: datetime
    amount: Decimal
    status: str = "APPROVED"


@dataclass(slots=True)
class WixOrder(Order):
    """``took`` says whether the order has lowered stock; ``versions`` are its earlier faces, oldest first.

    ``serial`` counts all orders of the site; the number that people see is the name. ``told`` holds the parts of the
    Order message that the site merely keeps. A stated status counts until a payment or a parcel is recorded.
    """

    serial: int = 0
    status: Status = "APPROVED"
    payment_status: str = "NOT_PAID"
    stated_payment: str | None = None
    stated_fulfilment: str | None = None
    took: bool = False
    imported: bool = False
    checkout_id: str = ""
    purchase_flow_id: str = ""
    purchased_at: datetime | None = None
    buyer: Actor | None = None
    owner_apps: tuple[str, ...] = ()
    approval: str = "DEFAULT"
    sums: Sums = field(default_factory=Sums)
    payments: list[Payment] = field(default_factory=list)
    chargebacks: list[Chargeback] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    versions: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list, metadata={"kept": False})
    show: ClassVar[Callable[[WixOrder], dict[str, Any]]]
    """How an order is told; the shape sets it. Faces are large, so those of a state file are made when asked for."""

    def refunded_unshipped(self, line: OrderLine) -> int:
        """The site does not ask which units a refund is about: those that had been sent by then go first. Where units
        of the line came back, nobody can tell, and none counts as sent."""
        if isinstance(line, WixLine) and line.shown_restocked:
            return line.refunded
        had_been_sent = 0
        for refund in self.refunds:
            earlier = [parcel for parcel in self.fulfilments if parcel.at <= refund.at]
            sent = sum(units for parcel in earlier for one, units in parcel.lines if one.id == line.id)
            units = sum(back.quantity for back in refund.lines if back.line.id == line.id)
            had_been_sent += max(0, min(units, sent - had_been_sent))
        return line.refunded - had_been_sent

    def ships_to(self) -> str:
        place: Any = self.told.get("shippingInfo") or {}
        for name in ("logistics", "shippingDestination", "address"):
            place = place.get(name) or {}
        street = place.get("addressLine") or place.get("addressLine1")
        return ", ".join(filter(None, (street, place.get("city"))))

    def said(self) -> tuple[str, list[str]]:
        """Tags are ids of the site's catalogue of tags; names stand in the order's custom fields."""
        kinds = self.told.get("tags") or {}
        ids = [one for kind in ("tags", "privateTags") for one in (kinds.get(kind) or {}).get("tagIds") or ()]
        fields = [str(one.get("value", "")) for one in self.told.get("customFields") or ()]
        return str(self.told.get("buyerNote") or ""), [*ids, *fields]

    def money(self) -> tuple[Decimal, Decimal]:
        """An order that is merely stated as paid lists no payment."""
        comes_to = Decimal(self.shown["priceSummary"]["total"]["amount"])
        stated = comes_to if self.stated_payment == "PAID" and not self.payments else ZERO
        return comes_to, self.paid or stated

    def wix_lines(self) -> list[WixLine]:
        return cast("list[WixLine]", self.lines)

    def shown_lines(self) -> list[WixLine]:
        return [line for line in self.wix_lines() if line.shown_quantity > 0]

    def wix_refunds(self) -> list[WixRefund]:
        return cast("list[WixRefund]", self.refunds)

    def parcels(self) -> list[WixFulfilment]:
        return cast("list[WixFulfilment]", self.fulfilments)

    @property
    def shown(self) -> dict[str, Any]:
        """The order as it is told now."""
        return self.versions[-1][1] if self.versions else type(self).show(self)

    def shown_as_of(self, moment: datetime | None) -> dict[str, Any] | None:
        """The order as it was told at that moment; None: it did not exist yet."""
        if moment is None or not self.versions:
            return self.shown
        oldest = self.versions[0][1] if self.created_at <= moment else None
        return next((shown for since, shown in reversed(self.versions) if since <= moment), oldest)

    def forget_faces(self) -> None:
        """What it looked like is forgotten; what it looks like is made when asked for."""
        self.versions.clear()

    def line(self, line_id: object) -> WixLine | None:
        return next((line for line in self.wix_lines() if line.id == line_id), None)

    def payment_of(self, payment_id: object) -> Payment | None:
        return next((payment for payment in self.payments if payment.id == payment_id), None)

    @property
    def paid(self) -> Decimal:
        """All money that arrived, also what went back since."""
        return sum((payment.came_in for payment in self.payments), ZERO)

    @property
    def refunded(self) -> Decimal:
        return sum((refund.amount_in("SUCCEEDED") for refund in self.wix_refunds()), ZERO)

    def refunded_of(self, payment: Payment) -> Decimal:
        """What went back of one payment or is on its way."""
        transactions = (one for refund in self.wix_refunds() for one in refund.transactions)
        return sum(
            (one.amount for one in transactions if one.payment_id == payment.id and one.status != "FAILED"), ZERO
        )
