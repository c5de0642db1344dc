"""What is used of Shopify's whole orders: the JSON shapes of ``read_sales.py``'s documents."""

from __future__ import annotations

from datetime import datetime

from storebridge.connectors.shopify.client import Shape
from storebridge.connectors.shopify.translate import Attribute, LineRef, LocationRef, Rows


class MoneyNode(Shape, frozen=True):
    """An exact decimal in a string, and its currency."""

    amount: str
    currency_code: str


class MoneyBag(Shape, frozen=True):
    """One amount in the shop's currency and in the buyer's."""

    shop_money: MoneyNode
    presentment_money: MoneyNode


class AddressNode(Shape, frozen=True):
    """An address."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province_code: str | None = None
    zip: str | None = None
    country_code_v2: str | None = None
    phone: str | None = None


class TaxNode(Shape, frozen=True):
    """One tax."""

    title: str
    price_set: MoneyBag
    rate: float | None = None


class Allocation(Shape, frozen=True):
    """A line's share of a discount."""

    allocated_amount_set: MoneyBag


class SalesVariant(Shape, frozen=True):
    """The variant that a line sells, if it is still there."""

    id: str
    inventory_item: LineRef


class SalesLine(Shape, frozen=True):
    """A line of an order."""

    id: str
    title: str
    quantity: int
    current_quantity: int
    unfulfilled_quantity: int
    original_unit_price_set: MoneyBag
    requires_shipping: bool = True
    is_gift_card: bool = False
    variant_title: str | None = None
    sku: str | None = None
    discount_allocations: tuple[Allocation, ...] = ()
    tax_lines: tuple[TaxNode, ...] = ()
    variant: SalesVariant | None = None


class SalesShipping(Shape, frozen=True):
    """A shipping line."""

    title: str
    original_price_set: MoneyBag
    discounted_price_set: MoneyBag
    code: str | None = None
    tax_lines: tuple[TaxNode, ...] = ()


class Transaction(Shape, frozen=True):
    """A transaction of money."""

    id: str
    kind: str
    status: str
    created_at: datetime
    amount_set: MoneyBag
    gateway: str | None = None
    manual_payment_gateway: bool = False
    payment_id: str | None = None
    parent_transaction: LineRef | None = None


class TrackingNode(Shape, frozen=True):
    """Tracking of a parcel."""

    company: str | None = None
    number: str | None = None
    url: str | None = None


class SalesParcelLine(Shape, frozen=True):
    """Units in a parcel."""

    line_item: LineRef
    quantity: int | None = None


class SalesParcel(Shape, frozen=True):
    """A fulfilment."""

    id: str
    status: str
    created_at: datetime
    display_status: str | None = None
    delivered_at: datetime | None = None
    location: LocationRef | None = None
    tracking_info: tuple[TrackingNode, ...] = ()
    fulfillment_line_items: Rows[SalesParcelLine] = Rows()


class AssignedLocation(Shape, frozen=True):
    """Where a fulfilment order is to be shipped from; the location may be gone."""

    location: LocationRef | None = None


class Hold(Shape, frozen=True):
    """Why a fulfilment order waits."""

    reason: str


class ShipmentLineNode(Shape, frozen=True):
    """Units that wait."""

    id: str
    remaining_quantity: int
    line_item: LineRef


class DeliveryMethod(Shape, frozen=True):
    """How a fulfilment order gets to the buyer."""

    method_type: str


class ShipmentNode(Shape, frozen=True):
    """A fulfilment order."""

    id: str
    status: str
    delivery_method: DeliveryMethod | None = None
    assigned_location: AssignedLocation = AssignedLocation()
    fulfill_by: datetime | None = None
    fulfillment_holds: tuple[Hold, ...] = ()
    line_items: Rows[ShipmentLineNode] = Rows()


class SalesRefundLine(Shape, frozen=True):
    """A refunded line."""

    quantity: int
    restock_type: str
    line_item: LineRef
    subtotal_set: MoneyBag
    total_tax_set: MoneyBag
    restocked: bool = False
    location: LocationRef | None = None


class RefundedShipping(Shape, frozen=True):
    """Shipping that was paid back."""

    subtotal_amount_set: MoneyBag
    tax_amount_set: MoneyBag


class SalesRefund(Shape, frozen=True):
    """A refund."""

    id: str
    total_refunded_set: MoneyBag
    created_at: datetime | None = None
    note: str | None = None
    refund_shipping_lines: Rows[RefundedShipping] = Rows()
    refund_line_items: Rows[SalesRefundLine] = Rows()


class ReturnedLine(Shape, frozen=True):
    """Goods on their way back; a line of an unverified return names no fulfilment line."""

    quantity: int
    fulfillment_line_item: SalesParcelLine | None = None


class ExchangeNode(Shape, frozen=True):
    """What the buyer gets instead; its lines are those of the order, once it was processed."""

    processed_quantity: int = 0
    line_items: tuple[LineRef, ...] | None = None


class Disposition(Shape, frozen=True):
    """What became of units that came back: RESTOCKED, NOT_RESTOCKED, MISSING, PROCESSING_REQUIRED."""

    type: str
    quantity: int


class ReverseLine(Shape, frozen=True):
    """Units of a return as they arrive; without a line of a parcel it is not known what they are."""

    dispositions: tuple[Disposition, ...] = ()
    fulfillment_line_item: SalesParcelLine | None = None


class ReverseOrder(Shape, frozen=True):
    """What a return brings back to one location."""

    id: str
    line_items: Rows[ReverseLine] = Rows()


class ReturnNode(Shape, frozen=True):
    """A return."""

    id: str
    status: str
    created_at: datetime
    return_line_items: Rows[ReturnedLine] = Rows()
    exchange_line_items: Rows[ExchangeNode] = Rows()
    reverse_fulfillment_orders: Rows[ReverseOrder] = Rows()


class Assessment(Shape, frozen=True):
    """One judgement of an order's risk."""

    risk_level: str


class RiskNode(Shape, frozen=True):
    """All judgements of an order's risk."""

    assessments: tuple[Assessment, ...] = ()


class CustomerNode(Shape, frozen=True):
    """Who bought."""

    id: str
    first_name: str | None = None
    last_name: str | None = None


class SalesOrder(Shape, frozen=True):
    """A whole order."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    processed_at: datetime
    currency_code: str
    presentment_currency_code: str
    current_subtotal_price_set: MoneyBag
    current_total_discounts_set: MoneyBag
    current_shipping_price_set: MoneyBag
    current_total_tax_set: MoneyBag
    current_total_price_set: MoneyBag
    total_refunded_set: MoneyBag
    total_received_set: MoneyBag
    total_outstanding_set: MoneyBag
    net_payment_set: MoneyBag
    subtotal_price_set: MoneyBag | None = None
    total_tax_set: MoneyBag | None = None
    total_price_set: MoneyBag | None = None
    taxes_included: bool = False
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed: bool = False
    test: bool = False
    note: str | None = None
    tags: tuple[str, ...] = ()
    email: str | None = None
    phone: str | None = None
    source_name: str | None = None
    source_identifier: str | None = None
    display_financial_status: str | None = None
    custom_attributes: tuple[Attribute, ...] = ()
    discount_codes: tuple[str, ...] = ()
    customer: CustomerNode | None = None
    shipping_address: AddressNode | None = None
    billing_address: AddressNode | None = None
    risk: RiskNode = RiskNode()
    line_items: Rows[SalesLine] = Rows()
    shipping_lines: Rows[SalesShipping] = Rows()
    transactions: tuple[Transaction, ...] = ()
    fulfillments: tuple[SalesParcel, ...] = ()
    fulfillment_orders: Rows[ShipmentNode] = Rows()
    refunds: tuple[SalesRefund, ...] = ()
    returns: Rows[ReturnNode] = Rows()
