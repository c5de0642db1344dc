"""What is used of Wix's whole orders, their payments and their fulfilments: the JSON shapes of ``read_sales.py``."""

from __future__ import annotations

from datetime import datetime

from storebridge.connectors.wix.translate import Amount, Order, OrderLine, Shape


class Names(Shape, frozen=True):
    """A name in the site's language."""

    original: str | None = None


class ItemType(Shape, frozen=True):
    """What kind of thing a line sells."""

    preset: str | None = None
    custom: str | None = None


class TaxPart(Shape, frozen=True):
    """One authority's tax on a line."""

    tax_name: str | None = None
    rate: str | None = None
    tax_amount: Amount | None = None


class TaxInfo(Shape, frozen=True):
    """The tax of a line, of shipping, or of a fee; ``taxRate`` is a fraction (``0.19``)."""

    tax_amount: Amount | None = None
    tax_rate: str | None = None
    tax_included_in_price: bool | None = None
    tax_breakdown: tuple[TaxPart, ...] = ()


class SalesLine(OrderLine, frozen=True):
    """A line of an order. ``quantity`` is what is left after edits; refunds do not lower it."""

    product_name: Names | None = None
    item_type: ItemType | None = None
    price: Amount | None = None
    price_before_discounts: Amount | None = None
    total_discount: Amount | None = None
    tax_info: TaxInfo | None = None
    refund_quantity: int | None = None


class BuyerInfo(Shape, frozen=True):
    """Who bought."""

    contact_id: str | None = None
    email: str | None = None


class StreetAddress(Shape, frozen=True):
    """Street and number apart, where the site asks for them so."""

    number: str | None = None
    name: str | None = None


class AddressNode(Shape, frozen=True):
    """An address; ``subdivision`` is ISO 3166-2 (``US-NY``)."""

    country: str | None = None
    subdivision: str | None = None
    city: str | None = None
    postal_code: str | None = None
    street_address: StreetAddress | None = None
    address_line: str | None = None
    address_line2: str | None = None


class ContactDetails(Shape, frozen=True):
    """Who lives there."""

    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    company: str | None = None


class AddressWithContact(Shape, frozen=True):
    """An address and who lives there."""

    address: AddressNode | None = None
    contact_details: ContactDetails | None = None


class PickupDetails(Shape, frozen=True):
    """Where the buyer collects the goods."""

    pickup_method: str | None = None


class TimeSlot(Shape, frozen=True):
    """When the goods are brought."""


class Logistics(Shape, frozen=True):
    """Where the goods go."""

    shipping_destination: AddressWithContact | None = None
    pickup_details: PickupDetails | None = None
    delivery_time_slot: TimeSlot | None = None


class ShippingCost(Shape, frozen=True):
    """What shipping costs."""

    price: Amount | None = None
    discount: Amount | None = None
    tax_info: TaxInfo | None = None


class ShippingInfo(Shape, frozen=True):
    """How the goods travel."""

    code: str | None = None
    title: str | None = None
    logistics: Logistics | None = None
    cost: ShippingCost | None = None


class PriceSummary(Shape, frozen=True):
    """The order's own sums; ``subtotal`` and ``shipping`` are before discounts and tax."""

    subtotal: Amount | None = None
    shipping: Amount | None = None
    tax: Amount | None = None
    discount: Amount | None = None
    total: Amount | None = None
    total_additional_fees: Amount | None = None


class BalanceSummary(Shape, frozen=True):
    """What came in and went back; ``paid`` keeps what was refunded since."""

    paid: Amount | None = None
    refunded: Amount | None = None
    balance: Amount | None = None
    """What is left to pay; below zero where an edit made the order cheaper than what was paid."""


class Coupon(Shape, frozen=True):
    """A coupon."""

    code: str | None = None
    name: str | None = None
    amount: Amount | None = None


class MerchantDiscount(Shape, frozen=True):
    """A discount typed in by staff."""

    amount: Amount | None = None
    description: str | None = None


class RuleDiscount(Shape, frozen=True):
    """An automatic discount."""

    name: Names | None = None
    amount: Amount | None = None


class AppliedDiscount(Shape, frozen=True):
    """One of these."""

    coupon: Coupon | None = None
    merchant_discount: MerchantDiscount | None = None
    discount_rule: RuleDiscount | None = None


class TagNames(Shape, frozen=True):
    """Tags by who may see them."""

    tag_ids: tuple[str, ...] = ()


class Tags(Shape, frozen=True):
    """An order's tags."""

    tags: TagNames | None = None
    private_tags: TagNames | None = None


class CustomField(Shape, frozen=True):
    """A field of the checkout form."""

    title: str | None = None
    value: str | None = None


class Conversion(Shape, frozen=True):
    """In which currency the site prices, where the order was placed in another; the rate is told when one rate made
    every amount."""

    original_currency: str | None = None
    conversion_rate: str | None = None


class QuantityChange(Shape, frozen=True):
    """Units of a line before and after an edit."""

    original_quantity: int = 0
    new_quantity: int = 0


class ChangedLine(Shape, frozen=True):
    """A line that an edit changed."""

    id: str = ""
    quantity: QuantityChange | None = None


class RemovedLine(Shape, frozen=True):
    """A line that an edit took out whole."""

    id: str = ""
    quantity: int = 0


class DraftChange(Shape, frozen=True):
    """One change that an edit made."""

    line_item_changed: ChangedLine | None = None
    line_item_removed: RemovedLine | None = None


class DraftChanges(Shape, frozen=True):
    """An edit that was committed."""

    reason: str | None = None
    changes: tuple[DraftChange, ...] = ()


class Activity(Shape, frozen=True):
    """An entry of the order's log; only edits are looked at."""

    id: str | None = None
    created_date: datetime | None = None
    draft_order_changes_applied: DraftChanges | None = None


class SalesOrder(Order, frozen=True, kw_only=True):
    """``ecom/v1/orders``, whole."""

    currency: str
    purchased_date: datetime | None = None
    line_items: tuple[SalesLine, ...] = ()
    buyer_info: BuyerInfo | None = None
    price_summary: PriceSummary = PriceSummary()
    balance_summary: BalanceSummary = BalanceSummary()
    tax_included_in_prices: bool | None = None
    billing_info: AddressWithContact | None = None
    recipient_info: AddressWithContact | None = None
    shipping_info: ShippingInfo | None = None
    applied_discounts: tuple[AppliedDiscount, ...] = ()
    buyer_note: str | None = None
    tags: Tags | None = None
    custom_fields: tuple[CustomField, ...] = ()
    archived: bool | None = None
    activities: tuple[Activity, ...] = ()
    currency_conversion_details: Conversion | None = None


class ChargebackNode(Shape, frozen=True):
    """Money that the buyer's bank took back; a reversal gives it up again, in part perhaps."""

    id: str
    amount: Amount | None = None
    created_date: datetime | None = None
    updated_date: datetime | None = None
    status: str | None = None
    reversal_amount: Amount | None = None


class PaymentDetails(Shape, frozen=True):
    """A payment by card, transfer or cash."""

    offline_payment: bool | None = None
    payment_method: str | None = None
    provider_transaction_id: str | None = None
    gateway_transaction_id: str | None = None
    status: str | None = None
    chargebacks: tuple[ChargebackNode, ...] = ()
    platform_fee: Amount | None = None


class PaymentNode(Shape, frozen=True):
    """Money that came in, or will."""

    id: str
    amount: Amount | None = None
    created_date: datetime | None = None
    status: str | None = None
    regular_payment_details: PaymentDetails | None = None


class RefundTransaction(Shape, frozen=True):
    """Money that went back over one payment."""

    payment_id: str | None = None
    amount: Amount | None = None
    refund_status: str | None = None
    external_refund: bool | None = None
    provider_refund_id: str | None = None


class RefundedLine(Shape, frozen=True):
    """Units whose money went back."""

    line_item_id: str
    quantity: int = 0


class RefundedShipping(Shape, frozen=True):
    """Shipping that was paid back."""

    amount: Amount | None = None


class RefundDetails(Shape, frozen=True):
    """What a refund was for."""

    line_items: tuple[RefundedLine, ...] = ()
    items: tuple[RefundedLine, ...] = ()
    shipping: RefundedShipping | None = None
    reason: str | None = None


class RefundNode(Shape, frozen=True):
    """A refund."""

    id: str
    transactions: tuple[RefundTransaction, ...] = ()
    details: RefundDetails = RefundDetails()
    created_date: datetime | None = None
    requesting_service_app_id: str | None = None


class OrderTransactions(Shape, frozen=True):
    """``ecom/v1/payments``: all money of one order."""

    order_id: str
    payments: tuple[PaymentNode, ...] = ()
    refunds: tuple[RefundNode, ...] = ()


class ParcelLineNode(Shape, frozen=True):
    """Units in a parcel."""

    id: str
    quantity: int | None = None


class TrackingNode(Shape, frozen=True):
    """How to follow a parcel."""

    tracking_number: str | None = None
    shipping_provider: str | None = None
    tracking_link: str | None = None


class ParcelNode(Shape, frozen=True):
    """A fulfilment."""

    id: str
    created_date: datetime | None = None
    line_items: tuple[ParcelLineNode, ...] = ()
    tracking_info: TrackingNode | None = None
    status: str | None = None


class OrderFulfilments(Shape, frozen=True):
    """``ecom/v1/fulfillments``: all parcels of one order."""

    order_id: str
    fulfillments: tuple[ParcelNode, ...] = ()
