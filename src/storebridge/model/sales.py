"""Orders whole: what was sold, to whom, for how much, what was shipped, refunded and paid. Frozen, without I/O.

``model/orders.py`` beside this file holds only the label that an order puts on movements of stock. Here is the
document: what the fulfilment queue shows, what a copy in another store repeats, and what money is reconciled from.
Amounts are in the shop's currency; what the buyer saw in another currency stands beside it (``Price``).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from storebridge.model.ids import ConnectionName, ItemId, LocationId, OrderId, VariantId
from storebridge.model.money import Money
from storebridge.model.orders import OrderFacts


class Price(msgspec.Struct, frozen=True):
    """One amount in the shop's currency, and as the buyer saw it; the same where there is one currency only."""

    shop: Money
    presentment: Money

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Price:
        """An amount that was agreed in the shop's own currency."""
        money = Money(amount, currency)
        return cls(money, money)

    @classmethod
    def none(cls, currency: str, presentment: str | None = None) -> Price:
        """Nothing, in this currency."""
        return cls(Money(Decimal(0), currency), Money(Decimal(0), presentment or currency))

    def plus(self, other: Price) -> Price:
        """The sum; raises ValueError when currencies differ."""
        return Price(self.shop.plus(other.shop), self.presentment.plus(other.presentment))


class Standing(StrEnum):
    """Whether an order stands."""

    PENDING = "pending"
    """A checkout whose payment is under way: it may hold stock, but is not to be shipped yet."""
    OPEN = "open"
    CANCELLED = "cancelled"


class PaymentState(StrEnum):
    """What was paid of an order."""

    UNPAID = "unpaid"
    AUTHORISED = "authorised"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class LineKind(StrEnum):
    """What a line sells; only goods that are shipped are picked."""

    GOODS = "goods"
    DIGITAL = "digital"
    SERVICE = "service"
    GIFT_CARD = "gift_card"
    TIP = "tip"
    CUSTOM = "custom"
    """Typed in by a person; names no variant."""


class Address(msgspec.Struct, frozen=True):
    """Where to. ``country`` is ISO 3166-1 alpha-2, ``region`` the part after the dash of ISO 3166-2, where known."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    street: str = ""
    street_2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""


class Buyer(msgspec.Struct, frozen=True):
    """Who bought; ``customer_id`` is the store's own."""

    customer_id: str = ""
    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""


class TaxLine(msgspec.Struct, frozen=True):
    """One tax on a line or on shipping; ``rate`` is a fraction (``Decimal("0.19")``), None where only the amount is
    told."""

    title: str
    amount: Price
    rate: Decimal | None = None


class OrderLine(msgspec.Struct, frozen=True):
    """One line. ``ordered`` never shrinks where the vendor keeps it; ``current`` is what the buyer keeps or is to get.

    ``unit_price`` is before discounts; ``discount`` is the line's whole share of all discounts.
    """

    line_id: str
    title: str
    ordered: int
    current: int
    unit_price: Price
    discount: Price
    kind: LineKind = LineKind.GOODS
    needs_shipping: bool = True
    fulfilled: int = 0
    refunded: int = 0
    restocked: int = 0
    item_id: ItemId | None = None
    variant_id: VariantId | None = None
    sku: str | None = None
    variant_title: str = ""
    taxes: tuple[TaxLine, ...] = ()

    @property
    def to_ship(self) -> int:
        """Units that still have to leave the house."""
        return max(0, self.current - self.fulfilled) if self.needs_shipping else 0


class ShippingLine(msgspec.Struct, frozen=True):
    """How the goods travel, and what the buyer pays for it; ``discount`` is taken off ``price``."""

    title: str
    price: Price
    discount: Price
    code: str = ""
    taxes: tuple[TaxLine, ...] = ()


class Discount(msgspec.Struct, frozen=True):
    """A discount as the store names it. What it took off stands on the lines already; this is for people."""

    title: str
    amount: Price
    code: str = ""


class Totals(msgspec.Struct, frozen=True):
    """What the store says the order comes to, after edits, before refunds: ``total`` = ``subtotal`` (after discounts) +
    ``shipping`` + ``tax`` (0 where prices include it) + ``other`` (tips, fees, duties)."""

    subtotal: Price
    discount: Price
    shipping: Price
    tax: Price
    total: Price
    other: Price
    refunded: Price
    paid: Price
    """Money that came in, refunds not taken off."""
    owed: Price | None = None
    """What the buyer still owes after edits, exchanges and refunds; below zero: what is to be paid back. None: not
    told (an order that was stored before this was read)."""


class Charged(msgspec.Struct, frozen=True):
    """What the store says the order was charged, before anything went back; ``goods`` after discounts. Stays when money
    or goods are given back; an edit changes it."""

    goods: Price
    shipping: Price
    """After discounts on shipping, where the store tells them apart."""
    tax: Price
    """Of it, tax: within the other sums where prices include it."""
    other: Price
    """Tips, fees, duties."""
    total: Price
    received: Price
    """Money that came in so far, in the store's own sum."""


class PaymentKind(StrEnum):
    """What a payment did."""

    AUTHORISATION = "authorisation"
    CAPTURE = "capture"
    SALE = "sale"
    REFUND = "refund"
    VOID = "void"
    CHARGEBACK = "chargeback"
    """The buyer's bank took the money back."""
    CHARGEBACK_REVERSAL = "chargeback_reversal"


class PaymentOutcome(StrEnum):
    """Whether it did."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


class Payment(msgspec.Struct, frozen=True):
    """One transaction of money."""

    payment_id: str
    kind: PaymentKind
    outcome: PaymentOutcome
    amount: Price
    at: datetime
    gateway: str = ""
    parent_id: str = ""
    offline: bool = False
    """Cash, bank transfer, or recorded from outside: the store's provider moved nothing."""
    provider_id: str = ""
    """The payment provider's own number; on a copy it carries where the money really moved."""
    in_books: bool = False
    """Went through the store's own provider, whose books tell its fee and its payout (Shopify Payments)."""
    fee: Money | None = None
    """What the provider kept of it, where the order itself tells (Wix)."""


class Tracking(msgspec.Struct, frozen=True):
    """How to follow a parcel; ``company`` in the originating store's words."""

    company: str = ""
    number: str = ""
    url: str = ""


class ParcelLine(msgspec.Struct, frozen=True):
    """Units of one order line in a parcel."""

    line_id: str
    quantity: int


class Parcel(msgspec.Struct, frozen=True):
    """A fulfilment: what left together. Cancelled parcels stay, so that their undoing can be told."""

    parcel_id: str
    lines: tuple[ParcelLine, ...]
    created_at: datetime
    tracking: tuple[Tracking, ...] = ()
    location_id: LocationId | None = None
    cancelled: bool = False
    delivered_at: datetime | None = None
    mark: int = 0
    """In a store that takes a tracking number once: which of the parcels under it this is, from 2 on; 0 without one."""


class ShipmentState(StrEnum):
    """What may be done with units that wait at a location."""

    OPEN = "open"
    ON_HOLD = "on_hold"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Delivery(StrEnum):
    """How goods get to their buyer."""

    SHIPPING = "shipping"
    """A parcel leaves, to the buyer or to a carrier's pickup point."""
    PICKUP = "pickup"
    """The buyer collects them where they are."""
    LOCAL = "local"
    """The merchant brings them, without a carrier."""
    NONE = "none"
    """Nothing is sent: handed over at the till, or digital."""


class ShipmentLine(msgspec.Struct, frozen=True):
    """Units of one order line that wait at a location; ``shipment_line_id`` is the vendor's own."""

    shipment_line_id: str
    line_id: str
    remaining: int


class Shipment(msgspec.Struct, frozen=True):
    """Units that wait to be shipped from one location (Shopify: a fulfilment order; Wix keeps none)."""

    shipment_id: str
    state: ShipmentState
    lines: tuple[ShipmentLine, ...]
    location_id: LocationId | None = None
    hold_reasons: tuple[str, ...] = ()
    ship_by: datetime | None = None
    delivery: Delivery = Delivery.SHIPPING


class RefundLine(msgspec.Struct, frozen=True):
    """Units whose money went back. ``restocked`` of them are on sale again at ``location_id``."""

    line_id: str
    quantity: int
    restocked: int
    amount: Price
    location_id: LocationId | None = None


class Refund(msgspec.Struct, frozen=True):
    """Money back, and perhaps goods. ``amount`` is what really went back, goodwill included."""

    refund_id: str
    created_at: datetime
    amount: Price
    lines: tuple[RefundLine, ...] = ()
    shipping: Price | None = None
    note: str = ""
    ours: bool = False
    """Recorded by our own app: the copy's side of a refund, never a new one."""


class ReturnLine(msgspec.Struct, frozen=True):
    """Goods that the buyer sends back. ``restocked`` and ``discarded`` are decided by the disposition when they are
    there."""

    line_id: str
    quantity: int
    restocked: int = 0
    discarded: int = 0


class Return(msgspec.Struct, frozen=True):
    """A return as the store keeps it; money goes back in refunds. ``replaced_by`` are the order's own lines that the
    buyer gets instead (an exchange)."""

    return_id: str
    state: str
    lines: tuple[ReturnLine, ...]
    created_at: datetime
    replaced_by: tuple[ParcelLine, ...] = ()


class RiskLevel(StrEnum):
    """How likely an order is fraud, as the store judges."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Order(msgspec.Struct, frozen=True):
    """One order as one store tells it. ``origin`` is the stamp of a copy made by us; None for a native order."""

    connection: ConnectionName
    order_id: OrderId
    name: str
    """What people call it: ``#1001``, ``10045``."""
    placed_at: datetime
    updated_at: datetime
    currency: str
    lines: tuple[OrderLine, ...]
    totals: Totals
    standing: Standing = Standing.OPEN
    payment_state: PaymentState = PaymentState.UNPAID
    presentment_currency: str = ""
    tax_included: bool = False
    channel: str = ""
    """Where it was sold in that store's words: ``web``, ``pos``, ``WEB``, an app's name."""
    origin: str | None = None
    buyer: Buyer = Buyer()
    shipping_address: Address | None = None
    billing_address: Address | None = None
    shipping: tuple[ShippingLine, ...] = ()
    discounts: tuple[Discount, ...] = ()
    payments: tuple[Payment, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    delivery: Delivery = Delivery.SHIPPING
    """Where the store tells it of the whole order (Wix); else its shipments do (``flows/queue.deliveries_of``)."""
    refunds: tuple[Refund, ...] = ()
    returns: tuple[Return, ...] = ()
    note: str = ""
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    risk: RiskLevel = RiskLevel.NONE
    test: bool = False
    closed: bool = False
    """Archived by staff; nothing is left to do."""
    charged: Charged | None = None
    """None: it was read before this was kept."""
    priced_in: str = ""
    """The currency that the shop prices in, where the order was placed in another one and only that was kept (Wix)."""
    conversion_rate: Decimal | None = None
    """Units of the order's currency for one of ``priced_in``."""
    was_paid: bool = False
    """Not paid in full now, but an earlier reading showed that it was. Set where readings are compared: no store tells
    it."""

    def line(self, line_id: str) -> OrderLine | None:
        """The line of that id."""
        return next((line for line in self.lines if line.line_id == line_id), None)

    @property
    def units_to_ship(self) -> int:
        """Units that still have to leave the house; none of a cancelled order."""
        return 0 if self.standing is Standing.CANCELLED else sum(line.to_ship for line in self.lines)


class Sale(msgspec.Struct, frozen=True):
    """One read of an order: the document, and the label that it puts on movements of stock."""

    order: Order
    label: OrderFacts
