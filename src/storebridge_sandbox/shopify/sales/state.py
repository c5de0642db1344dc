"""Orders as Shopify keeps them: lines, money that moved, fulfilment orders, parcels, refunds and returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, cast

from storebridge_sandbox.orders import Fulfilment, Order, OrderLine, Refund, Sellable
from storebridge_sandbox.shopify.money import ZERO, Bag, total_of

Pairs = tuple[tuple[str, str], ...]
Address = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RiskAssessment:
    """What an app thinks of an order; ``facts`` are (description, sentiment)."""

    graphql_type: ClassVar[str] = "OrderRiskAssessment"
    level: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class TaxLine:
    """``price`` is the tax on the whole line."""

    title: str
    rate: Decimal
    price: Bag
    channel_liable: bool | None = None


@dataclass(slots=True, eq=False)
class Discount:
    """A discount code or a manual discount; ``value`` is a percentage or an amount of the shop's currency."""

    name: str
    kind: Literal["code", "manual"]
    percentage: bool
    value: Decimal
    on_shipping: bool = False
    id: str = ""


@dataclass(slots=True, eq=False)
class Allocation:
    """What one discount takes off one line."""

    discount: Discount
    amount: Bag


@dataclass(slots=True, eq=False)
class ShippingLine:
    """What the buyer pays for delivery; ``source`` is who offered it."""

    graphql_type: ClassVar[str] = "ShippingLine"
    id: str
    title: str
    code: str | None
    source: str | None
    price: Bag
    tax_lines: tuple[TaxLine, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    order: ShopOrder | None = None

    @property
    def discounted(self) -> Bag:
        return self.price - _sum(self.allocations)


@dataclass(slots=True, eq=False)
class LineItemGroup:
    """The bundle that was bought, of which several lines are the components; ``quantity`` in bundles."""

    graphql_type: ClassVar[str] = "LineItemGroup"
    id: str
    title: str
    quantity: int
    product_id: str | None = None
    variant_id: str | None = None
    variant_sku: str | None = None
    attributes: Pairs = ()


@dataclass(slots=True, eq=False)
class ShopLine(OrderLine):
    """``unit`` is the price of one; ``product_id`` may be given without a variant (custom lines).

    ``back_by_refund`` and ``back_by_return`` units were put on sale again by one of the two and not yet matched by
    the other: the same goods come back once, however often that is told (S29).
    """

    graphql_type: ClassVar[str] = "LineItem"
    title: str = ""
    variant_title: str | None = None
    sku: str | None = None
    vendor: str | None = None
    product_id: str | None = None
    requires_shipping: bool = True
    taxable: bool = True
    gift_card: bool = False
    unit: Bag = ZERO
    attributes: Pairs = ()
    tax_lines: tuple[TaxLine, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    order: ShopOrder | None = None
    group: LineItemGroup | None = None
    """The bundle that it is a component of."""
    parts: list[BundledLine] = field(default_factory=list)
    """What it takes of others' stock, where the line is a bundle itself (S40)."""
    back_by_refund: int = 0
    back_by_return: int = 0

    @property
    def holds_goods(self) -> bool:
        """Units of stock are promised to it or left for it."""
        return bool(self.promises or self.shipped_from) or any(part.line.holds_goods for part in self.parts)

    @property
    def is_custom(self) -> bool:
        """No variant stands behind it, so there is no stock either."""
        return not self.variant.variant_id

    @property
    def original(self) -> Bag:
        return self.unit.times(self.quantity)

    @property
    def discount(self) -> Bag:
        return _sum(self.allocations)

    @property
    def discounted(self) -> Bag:
        return self.original - self.discount

    @property
    def tax(self) -> Bag:
        return total_of(tax.price for tax in self.tax_lines)


@dataclass(slots=True, eq=False)
class BundledLine:
    """One component of a bundle that is a line itself: units of it in one bundle. ``line`` holds its promises; it is no
    line of the order."""

    line: ShopLine
    units: int


@dataclass(slots=True, eq=False)
class Transaction:
    """Money that was authorized, taken or given back."""

    graphql_type: ClassVar[str] = "OrderTransaction"
    id: str
    order: ShopOrder
    kind: str
    status: str
    gateway: str
    amount: Bag
    created_at: datetime
    processed_at: datetime
    parent: Transaction | None = None
    test: bool = False
    authorization_code: str | None = None


@dataclass(slots=True, eq=False)
class Dispute:
    """The buyer's bank took the money of a payment back, and perhaps gave it up again."""

    number: int
    payment: str
    amount: Decimal
    at: datetime
    reversed_at: datetime | None = None


@dataclass(slots=True, eq=False)
class ShopRefund(Refund):
    """``shipping`` is what goes back of the delivery; ``transactions`` are those that paid it out."""

    graphql_type: ClassVar[str] = "Refund"
    order: ShopOrder | None = None
    note: str | None = None
    shipping: Bag = ZERO
    money: Bag = ZERO
    discrepancy: Bag = ZERO
    processed_at: datetime | None = None
    transactions: tuple[Transaction, ...] = ()
    returned: Return | None = None


@dataclass(slots=True, eq=False)
class ShopOrder(Order):
    """``given_status`` is the financial status that orderCreate was told; None and no money moved: it has none."""

    graphql_type: ClassVar[str] = "Order"
    number: int = 0
    presentment_currency: str = ""
    processed_at: datetime | None = None
    closed_at: datetime | None = None
    cancel_reason: str | None = None
    staff_note: str | None = None
    risks: tuple[RiskAssessment, ...] = ()
    note: str | None = None
    email: str | None = None
    phone: str | None = None
    po_number: str | None = None
    test: bool = False
    edited: bool = False
    taxes_included: bool = False
    source_name: str | None = None
    source_url: str | None = None
    given_status: str | None = None
    customer_id: str | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    attributes: Pairs = ()
    metafields: Pairs = ()
    discounts: tuple[Discount, ...] = ()
    tax_lines: tuple[TaxLine, ...] = ()
    shipping_lines: tuple[ShippingLine, ...] = ()
    transactions: list[Transaction] = field(default_factory=list)
    fulfilment_orders: list[FulfilmentOrder] = field(default_factory=list)
    returns: tuple[Return, ...] = ()
    last_edit: tuple[tuple[ShopLine, int], ...] = ()
    disputes: list[Dispute] = field(default_factory=list)
    unbooked: bool = False
    """Shopify Payments has not booked what it shows."""

    def shop_lines(self) -> list[ShopLine]:
        return cast("list[ShopLine]", self.lines)

    def shop_refunds(self) -> list[ShopRefund]:
        return cast("list[ShopRefund]", self.refunds)

    def ships_to(self) -> str:
        place = self.shipping_address or {}
        return ", ".join(filter(None, (place.get("address1"), place.get("city"))))

    def said(self) -> tuple[str, list[str]]:
        return self.note or "", list(self.tags)

    def money(self) -> tuple[Decimal, Decimal]:
        """What an edit took out counts no more; what was refunded does."""
        paid = [one for one in self.transactions if one.kind in ("SALE", "CAPTURE") and one.status == "SUCCESS"]
        edited = [line for line in self.shop_lines() if line.cancelled]
        gone = total_of(line.discounted.share(line.cancelled, line.quantity) for line in edited)
        if not self.taxes_included:
            gone += total_of(line.tax.share(line.cancelled, line.quantity) for line in edited)
        return (self.sold_total - gone).shop, sum((one.amount.shop for one in paid), Decimal(0))

    def truth(self) -> dict[str, Any]:
        """Parcels that were called back are no parcels."""
        shown = Order.truth(self)
        kept = {parcel.id for parcel in self.fulfilments if still_counts(parcel)}
        shown["fulfilments"] = [parcel for parcel in shown["fulfilments"] if parcel["id"] in kept]
        return shown

    @property
    def total(self) -> Decimal:
        """What the buyer was to pay at first, edits included."""
        return self.sold_total.shop

    @property
    def sold_total(self) -> Bag:
        """Goods and delivery after discounts, and taxes that the prices do not hold already."""
        lines = self.shop_lines()
        total = total_of(line.discounted for line in lines) + total_of(one.discounted for one in self.shipping_lines)
        return total if self.taxes_included else total + total_of(line.tax for line in lines) + self.other_taxes

    @property
    def other_taxes(self) -> Bag:
        """Taxes on delivery and on the order as a whole."""
        on_shipping = total_of(tax.price for line in self.shipping_lines for tax in line.tax_lines)
        return on_shipping + total_of(tax.price for tax in self.tax_lines)


FulfilmentStatus = Literal["OPEN", "IN_PROGRESS", "CANCELLED", "INCOMPLETE", "CLOSED", "SCHEDULED", "ON_HOLD"]
MOVES_ON = ("OPEN", "IN_PROGRESS", "INCOMPLETE", "SCHEDULED", "ON_HOLD")
"""The statuses of fulfilment orders that still have something to send."""


@dataclass(slots=True, eq=False)
class FulfilmentOrderLine:
    """``total`` units were assigned here, ``remaining`` are not sent yet."""

    graphql_type: ClassVar[str] = "FulfillmentOrderLineItem"
    id: str
    line: ShopLine
    total: int
    remaining: int
    order: FulfilmentOrder


@dataclass(slots=True, eq=False)
class Hold:
    """Why a fulfilment order waits."""

    graphql_type: ClassVar[str] = "FulfillmentHold"
    id: str
    reason: str
    notes: str | None
    handle: str
    external_id: str | None


@dataclass(slots=True, eq=False)
class MerchantRequest:
    """What a fulfilment service was asked for."""

    graphql_type: ClassVar[str] = "FulfillmentOrderMerchantRequest"
    id: str
    kind: str
    message: str | None
    options: dict[str, Any]
    sent_at: datetime
    order: FulfilmentOrder


@dataclass(slots=True, eq=False)
class FulfilmentOrder:
    """Units of an order that one location is to send; ``rest_of`` is the one that a partial hold took it from."""

    graphql_type: ClassVar[str] = "FulfillmentOrder"
    id: str
    order: ShopOrder
    location_id: str
    created_at: datetime
    updated_at: datetime
    fulfill_at: datetime | None
    fulfill_by: datetime | None = None
    status: FulfilmentStatus = "OPEN"
    request_status: str = "UNSUBMITTED"
    lines: list[FulfilmentOrderLine] = field(default_factory=list)
    holds: tuple[Hold, ...] = ()
    requests: tuple[MerchantRequest, ...] = ()
    rest_of: FulfilmentOrder | None = None
    progress_reported: bool = False
    prepared: bool = False
    """The buyer was told that it can be collected."""

    @property
    def remaining(self) -> int:
        return sum(line.remaining for line in self.lines)


@dataclass(slots=True, eq=False)
class FulfilmentLine:
    """Units of a line in one parcel."""

    graphql_type: ClassVar[str] = "FulfillmentLineItem"
    id: str
    line: ShopLine
    quantity: int
    parcel: ShopFulfilment


@dataclass(slots=True, eq=False)
class FulfilmentEvent:
    """What a carrier said; ``place`` holds city, province, country, zip, address1, latitude, longitude."""

    graphql_type: ClassVar[str] = "FulfillmentEvent"
    id: str
    status: str
    message: str | None
    happened_at: datetime
    created_at: datetime
    estimated_delivery_at: datetime | None
    place: dict[str, Any]


@dataclass(slots=True, eq=False)
class ShopFulfilment(Fulfilment):
    """One parcel; ``drawn`` says how many units came out of which fulfilment order's line."""

    graphql_type: ClassVar[str] = "Fulfillment"
    order: ShopOrder | None = None
    name: str = ""
    status: str = "SUCCESS"
    updated_at: datetime | None = None
    parts: list[FulfilmentLine] = field(default_factory=list)
    drawn: tuple[tuple[FulfilmentOrderLine, int], ...] = ()
    trackings: tuple[dict[str, Any], ...] = ()
    events: tuple[FulfilmentEvent, ...] = ()
    origin_address: dict[str, Any] | None = None

    @property
    def display_status(self) -> str:
        """``displayStatus``: the last event wins over the bare fact that it was sent."""
        if self.status == "CANCELLED":
            return "CANCELED"
        return self.events[-1].status if self.events else "FULFILLED"

    def first_event(self, status: str) -> FulfilmentEvent | None:
        return next((event for event in self.events if event.status == status), None)


ReturnStatus = Literal["REQUESTED", "OPEN", "CLOSED", "CANCELED", "DECLINED"]
LIVE = ("REQUESTED", "OPEN", "CLOSED")
"""Returns that keep their units from being returned once more."""


@dataclass(slots=True, eq=False)
class ReturnLine:
    """``processed`` units were looked at, ``refunded`` of them paid back."""

    graphql_type: ClassVar[str] = "ReturnLineItem"
    id: str
    sent: FulfilmentLine
    quantity: int
    reason: str
    reason_note: str = ""
    definition_id: str | None = None
    customer_note: str | None = None
    restocking_fee: Decimal | None = None
    processed: int = 0
    refunded: int = 0


@dataclass(slots=True, eq=False)
class Disposition:
    """What became of units that came back."""

    id: str
    kind: str
    quantity: int
    location_id: str | None
    created_at: datetime


@dataclass(slots=True, eq=False)
class ReverseLine:
    """Units of a return on their way back."""

    graphql_type: ClassVar[str] = "ReverseFulfillmentOrderLineItem"
    id: str
    line: ReturnLine
    total: int
    order: ReverseOrder
    dispositions: tuple[Disposition, ...] = ()

    @property
    def disposed(self) -> int:
        return sum(one.quantity for one in self.dispositions)


@dataclass(slots=True, eq=False)
class ReverseDelivery:
    """A parcel on its way back; ``parts`` are (id, line, quantity)."""

    graphql_type: ClassVar[str] = "ReverseDelivery"
    id: str
    order: ReverseOrder
    parts: list[DeliveredLine] = field(default_factory=list)
    tracking: dict[str, Any] = field(default_factory=dict)
    label_url: str | None = None


@dataclass(slots=True, eq=False)
class DeliveredLine:
    """Units of a return in a parcel on its way back."""

    graphql_type: ClassVar[str] = "ReverseDeliveryLineItem"
    id: str
    line: ReverseLine
    quantity: int


@dataclass(slots=True, eq=False)
class ReverseOrder:
    """``ReverseFulfillmentOrder``."""

    graphql_type: ClassVar[str] = "ReverseFulfillmentOrder"
    id: str
    returned: Return
    status: str = "OPEN"
    lines: list[ReverseLine] = field(default_factory=list)
    deliveries: tuple[ReverseDelivery, ...] = ()


@dataclass(slots=True, eq=False)
class ExchangeLine:
    """Goods that the buyer gets instead; a line of the order once they are processed."""

    graphql_type: ClassVar[str] = "ExchangeLineItem"
    id: str
    variant: Sellable
    quantity: int
    line: ShopLine | None = None
    processed: int = 0


@dataclass(slots=True, eq=False)
class Return:
    """``fee`` is what the buyer bears of the way back; ``decline`` is (reason, note)."""

    graphql_type: ClassVar[str] = "Return"
    id: str
    name: str
    order: ShopOrder
    created_at: datetime
    status: ReturnStatus
    lines: list[ReturnLine]
    fee: Bag = ZERO
    fee_id: str = ""
    approved_at: datetime | None = None
    closed_at: datetime | None = None
    decline: tuple[str, str | None] | None = None
    reverse_orders: tuple[ReverseOrder, ...] = ()
    refunds: tuple[ShopRefund, ...] = ()
    exchanges: tuple[ExchangeLine, ...] = ()

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.lines)


def still_counts(parcel: Fulfilment) -> bool:
    """Whether a parcel was not cancelled."""
    return getattr(parcel, "status", "SUCCESS") != "CANCELLED"


def _sum(allocations: tuple[Allocation, ...]) -> Bag:
    return total_of(one.amount for one in allocations)
