"""A whole Shopify order into ours: pure. Money is read from MoneyBags only, which carry both currencies exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from typing import TypeVar

from storebridge.connectors.shopify.books import money_of
from storebridge.connectors.shopify.errors import drift
from storebridge.connectors.shopify.sales_shapes import (
    AddressNode,
    ExchangeNode,
    MoneyBag,
    ReturnNode,
    SalesLine,
    SalesOrder,
    SalesParcel,
    SalesRefund,
    SalesShipping,
    ShipmentNode,
    TaxNode,
    Transaction,
)
from storebridge.connectors.shopify.translate import ORIGIN_ATTRIBUTE, RESTOCKING
from storebridge.model.ids import ConnectionName, ItemId, LocationId, OrderId, VariantId
from storebridge.model.money import Money
from storebridge.model.orders import OrderFacts, OrderLineFacts
from storebridge.model.sales import (
    Address,
    Buyer,
    Charged,
    Delivery,
    Discount,
    LineKind,
    Order,
    OrderLine,
    Parcel,
    ParcelLine,
    Payment,
    PaymentKind,
    PaymentOutcome,
    PaymentState,
    Price,
    Refund,
    RefundLine,
    Return,
    ReturnLine,
    RiskLevel,
    Sale,
    Shipment,
    ShipmentLine,
    ShipmentState,
    ShippingLine,
    Standing,
    TaxLine,
    Totals,
    Tracking,
)

PAYMENT_STATES = {
    "AUTHORIZED": PaymentState.AUTHORISED,
    "EXPIRED": PaymentState.VOIDED,
    "PAID": PaymentState.PAID,
    "PARTIALLY_PAID": PaymentState.PARTLY_PAID,
    "PARTIALLY_REFUNDED": PaymentState.PARTLY_REFUNDED,
    "PENDING": PaymentState.UNPAID,
    "REFUNDED": PaymentState.REFUNDED,
    "VOIDED": PaymentState.VOIDED,
}
PAYMENT_KINDS = {
    "AUTHORIZATION": PaymentKind.AUTHORISATION,
    "EMV_AUTHORIZATION": PaymentKind.AUTHORISATION,
    "CAPTURE": PaymentKind.CAPTURE,
    "SALE": PaymentKind.SALE,
    "CHANGE": PaymentKind.REFUND,
    "REFUND": PaymentKind.REFUND,
    "VOID": PaymentKind.VOID,
}
"""``SUGGESTED_REFUND`` moved no money and is left out."""
OUTCOMES = {"SUCCESS": PaymentOutcome.SUCCESS, "FAILURE": PaymentOutcome.FAILED, "ERROR": PaymentOutcome.FAILED}
"""Everything else (``PENDING``, ``AWAITING_RESPONSE``, ``UNKNOWN``) has not ended."""
SHIPMENT_STATES = {
    "OPEN": ShipmentState.OPEN,
    "ON_HOLD": ShipmentState.ON_HOLD,
    "SCHEDULED": ShipmentState.SCHEDULED,
    "IN_PROGRESS": ShipmentState.IN_PROGRESS,
    "INCOMPLETE": ShipmentState.CLOSED,
    "CLOSED": ShipmentState.CLOSED,
    "CANCELLED": ShipmentState.CANCELLED,
}
DELIVERIES = {
    "SHIPPING": Delivery.SHIPPING,
    "PICKUP_POINT": Delivery.SHIPPING,
    "PICK_UP": Delivery.PICKUP,
    "LOCAL": Delivery.LOCAL,
    "RETAIL": Delivery.NONE,
    "NONE": Delivery.NONE,
}
SHOPIFY_PAYMENTS = "shopify_payments"
"""The gateway whose books Shopify shows (S38)."""
UNDONE_PARCELS = frozenset({"CANCELLED", "ERROR", "FAILURE"})
Word = TypeVar("Word")
RISKS = (RiskLevel.NONE, RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH)


def sale_of(node: SalesOrder, connection: ConnectionName) -> Sale:
    """The whole order and its label."""
    order = sales_order_of(node, connection)
    lines = tuple(
        OrderLineFacts(line.line_id, line.item_id, line.sku, sold=line.ordered, restocked=line.restocked)
        for line in order.lines
    )
    label = OrderFacts(
        order_id=order.order_id,
        name=order.name,
        created_at=_utc(node.created_at),
        updated_at=order.updated_at,
        cancelled=order.standing is Standing.CANCELLED,
        lines=lines,
        origin=order.origin,
    )
    return Sale(order, label)


def sales_order_of(node: SalesOrder, connection: ConnectionName) -> Order:
    """The whole order. Raises CallTrouble (schema drift) for a word that its API version does not have."""
    received = _sum((price_of(t.amount_set) for t in node.transactions if _came_in(t)), node)
    returned = Counter[str]()
    for refund in node.refunds:
        for line in refund.refund_line_items.nodes:
            returned[line.line_item.id] += line.quantity
    restocked = _restocked(node)
    shipped = _shipped(node.fulfillments)
    return Order(
        connection=connection,
        order_id=OrderId(node.id),
        name=node.name,
        placed_at=_utc(node.processed_at),
        updated_at=_utc(node.updated_at),
        currency=node.currency_code,
        presentment_currency=node.presentment_currency_code,
        lines=tuple(
            _line_of(line, node, shipped[line.id], returned[line.id], restocked[line.id])
            for line in node.line_items.nodes
        ),
        totals=_totals_of(node, received),
        standing=Standing.OPEN if node.cancelled_at is None else Standing.CANCELLED,
        payment_state=_payment_state_of(node),
        tax_included=node.taxes_included,
        channel=node.source_name or "",
        origin=origin_of(node),
        buyer=_buyer_of(node),
        shipping_address=_address_of(node.shipping_address),
        billing_address=_address_of(node.billing_address),
        shipping=tuple(_shipping_of(line) for line in node.shipping_lines.nodes),
        discounts=_discounts_of(node),
        payments=tuple(_payment_of(t) for t in node.transactions if t.kind != "SUGGESTED_REFUND"),
        parcels=tuple(_parcel_of(parcel) for parcel in node.fulfillments),
        shipments=tuple(_shipment_of(shipment) for shipment in node.fulfillment_orders.nodes),
        refunds=tuple(_refund_of(refund, node) for refund in node.refunds),
        returns=_returns_of(node),
        note=node.note or "",
        tags=node.tags,
        attributes=tuple((one.key, one.value or "") for one in node.custom_attributes),
        cancelled_at=None if node.cancelled_at is None else _utc(node.cancelled_at),
        cancel_reason=(node.cancel_reason or "").lower(),
        risk=_risk_of(node),
        test=node.test,
        closed=node.closed,
        charged=_charged_of(node),
    )


def _restocked(node: SalesOrder) -> Counter[str]:
    """Units per line that are on sale again. A return's disposition and the refund of the same units are one restock;
    where they were two (S29), the level says so, and the rest is booked as an edit by staff."""
    called_off, came_back = Counter[str](), Counter[str]()
    for refund in node.refunds:
        for line in refund.refund_line_items.nodes:
            if line.restock_type in RESTOCKING:
                counted = came_back if line.restock_type == "RETURN" else called_off
                counted[line.line_item.id] += line.quantity
    return called_off + (came_back | _disposed(node.returns.nodes, "RESTOCKED"))


def _disposed(returns: Iterable[ReturnNode], kind: str) -> Counter[str]:
    """Units per line that returns brought back and that were disposed of so."""
    units = Counter[str]()
    for one in returns:
        for line in (line for order in one.reverse_fulfillment_orders.nodes for line in order.line_items.nodes):
            if line.fulfillment_line_item is not None:
                so = sum(part.quantity for part in line.dispositions if part.type == kind)
                units[line.fulfillment_line_item.line_item.id] += so
    return units


def price_of(bag: MoneyBag) -> Price:
    """Both currencies of a MoneyBag."""
    return Price(money_of(bag.shop_money), money_of(bag.presentment_money))


def origin_of(node: SalesOrder) -> str | None:
    """The stamp of a copy made by us; another app's ``sourceIdentifier`` is not ours."""
    return next((one.value for one in node.custom_attributes if one.key == ORIGIN_ATTRIBUTE), None)


def _line_of(line: SalesLine, order: SalesOrder, shipped: int, refunded: int, restocked: int) -> OrderLine:
    discount = _sum((price_of(one.allocated_amount_set) for one in line.discount_allocations), order)
    edited_out = max(0, line.quantity - line.current_quantity - refunded)
    return OrderLine(
        line_id=line.id,
        title=line.title,
        variant_title=line.variant_title or "",
        ordered=line.quantity,
        current=line.current_quantity,
        unit_price=price_of(line.original_unit_price_set),
        discount=discount,
        kind=_kind_of(line),
        needs_shipping=line.requires_shipping,
        fulfilled=shipped,
        refunded=refunded,
        restocked=min(line.quantity, restocked + edited_out),
        item_id=ItemId(line.variant.inventory_item.id) if line.variant else None,
        variant_id=VariantId(line.variant.id) if line.variant else None,
        sku=(line.sku or "").strip() or None,
        taxes=tuple(_tax_of(tax) for tax in line.tax_lines),
    )


def _kind_of(line: SalesLine) -> LineKind:
    if line.is_gift_card:
        return LineKind.GIFT_CARD
    if line.variant is None and line.title == "Tip" and not line.requires_shipping:
        return LineKind.TIP
    if line.variant is None and not (line.sku or "").strip():
        return LineKind.CUSTOM
    return LineKind.GOODS if line.requires_shipping else LineKind.DIGITAL


def _tax_of(tax: TaxNode) -> TaxLine:
    return TaxLine(tax.title, price_of(tax.price_set), None if tax.rate is None else Decimal(str(tax.rate)))


def _shipping_of(line: SalesShipping) -> ShippingLine:
    price, after = price_of(line.original_price_set), price_of(line.discounted_price_set)
    return ShippingLine(
        title=line.title,
        code=line.code or "",
        price=price,
        discount=_less(price, after),
        taxes=tuple(_tax_of(tax) for tax in line.tax_lines),
    )


def _totals_of(node: SalesOrder, received: Price) -> Totals:
    subtotal, shipping = price_of(node.current_subtotal_price_set), price_of(node.current_shipping_price_set)
    tax, total = price_of(node.current_total_tax_set), price_of(node.current_total_price_set)
    parts = [subtotal, shipping] if node.taxes_included else [subtotal, shipping, tax]
    return Totals(
        subtotal=subtotal,
        discount=price_of(node.current_total_discounts_set),
        shipping=shipping,
        tax=tax,
        total=total,
        other=_less(total, _sum(parts, node)),
        refunded=price_of(node.total_refunded_set),
        paid=received,
        owed=_owed(total, price_of(node.total_outstanding_set), price_of(node.net_payment_set)),
    )


def _charged_of(node: SalesOrder) -> Charged | None:
    """The sums before returns. ``totalShippingPriceSet`` may or may not have discounts on shipping taken off, so the
    lines are believed, which tell both."""
    goods, tax = node.subtotal_price_set, node.total_tax_set
    if goods is None or tax is None or node.total_price_set is None:
        return None
    shipping = _sum((price_of(line.discounted_price_set) for line in node.shipping_lines.nodes), node)
    sold, taxed, total = price_of(goods), price_of(tax), price_of(node.total_price_set)
    parts = [sold, shipping] if node.taxes_included else [sold, shipping, taxed]
    received = price_of(node.total_received_set)
    return Charged(sold, shipping, taxed, _less(total, _sum(parts, node)), total, received)


def _owed(total: Price, outstanding: Price, kept: Price) -> Price:
    """Shopify tells only what the buyer owes; what is kept beyond the current total is to be paid back."""
    if outstanding.shop.amount > 0 or kept.shop.amount <= total.shop.amount:
        return outstanding
    return _less(total, kept)


def _discounts_of(node: SalesOrder) -> tuple[Discount, ...]:
    whole = price_of(node.current_total_discounts_set)
    if not node.discount_codes:
        return (Discount("discount", whole),) if whole.shop.amount else ()
    return tuple(Discount(code, whole, code) for code in node.discount_codes[:1]) + tuple(
        Discount(code, Price.none(node.currency_code, node.presentment_currency_code), code)
        for code in node.discount_codes[1:]
    )


def _payment_state_of(node: SalesOrder) -> PaymentState:
    status = node.display_financial_status
    return PaymentState.UNPAID if status is None else _known(PAYMENT_STATES, status, "displayFinancialStatus")


def _came_in(transaction: Transaction) -> bool:
    return transaction.status == "SUCCESS" and transaction.kind in ("SALE", "CAPTURE")


def _payment_of(transaction: Transaction) -> Payment:
    parent = transaction.parent_transaction
    return Payment(
        payment_id=transaction.id,
        kind=_known(PAYMENT_KINDS, transaction.kind, "OrderTransaction.kind"),
        outcome=OUTCOMES.get(transaction.status, PaymentOutcome.PENDING),
        amount=price_of(transaction.amount_set),
        at=_utc(transaction.created_at),
        gateway=transaction.gateway or "",
        parent_id=parent.id if parent else "",
        offline=transaction.manual_payment_gateway,
        provider_id=transaction.payment_id or "",
        in_books=transaction.gateway == SHOPIFY_PAYMENTS,
    )


def _shipped(parcels: Iterable[SalesParcel]) -> Counter[str]:
    units = Counter[str]()
    for parcel in parcels:
        if parcel.status not in UNDONE_PARCELS:
            for line in parcel.fulfillment_line_items.nodes:
                units[line.line_item.id] += line.quantity or 0
    return units


def _parcel_of(parcel: SalesParcel) -> Parcel:
    lines = parcel.fulfillment_line_items.nodes
    return Parcel(
        parcel_id=parcel.id,
        lines=tuple(ParcelLine(line.line_item.id, line.quantity or 0) for line in lines),
        created_at=_utc(parcel.created_at),
        tracking=tuple(Tracking(t.company or "", t.number or "", t.url or "") for t in parcel.tracking_info),
        location_id=LocationId(parcel.location.id) if parcel.location else None,
        cancelled=parcel.status in UNDONE_PARCELS,
        delivered_at=None if parcel.delivered_at is None else _utc(parcel.delivered_at),
    )


def _shipment_of(shipment: ShipmentNode) -> Shipment:
    location = shipment.assigned_location.location
    return Shipment(
        shipment_id=shipment.id,
        state=_known(SHIPMENT_STATES, shipment.status, "FulfillmentOrder.status"),
        lines=tuple(
            ShipmentLine(line.id, line.line_item.id, line.remaining_quantity) for line in shipment.line_items.nodes
        ),
        location_id=LocationId(location.id) if location else None,
        hold_reasons=tuple(hold.reason.lower() for hold in shipment.fulfillment_holds),
        ship_by=None if shipment.fulfill_by is None else _utc(shipment.fulfill_by),
        delivery=_delivery_of(shipment),
    )


def _delivery_of(shipment: ShipmentNode) -> Delivery:
    """A fulfilment order that tells none is sent (the field may be null)."""
    method = shipment.delivery_method
    return Delivery.SHIPPING if method is None else _known(DELIVERIES, method.method_type, "DeliveryMethod.methodType")


def _refund_of(refund: SalesRefund, order: SalesOrder) -> Refund:
    shipping = [
        price_of(line.subtotal_amount_set).plus(price_of(line.tax_amount_set))
        for line in refund.refund_shipping_lines.nodes
    ]
    return Refund(
        refund_id=refund.id,
        created_at=_utc(refund.created_at or order.updated_at),
        amount=price_of(refund.total_refunded_set),
        lines=tuple(
            RefundLine(
                line_id=line.line_item.id,
                quantity=line.quantity,
                restocked=line.quantity if line.restock_type in RESTOCKING else 0,
                amount=price_of(line.subtotal_set).plus(price_of(line.total_tax_set)),
                location_id=LocationId(line.location.id) if line.location else None,
            )
            for line in refund.refund_line_items.nodes
        ),
        shipping=_sum(shipping, order) if shipping else None,
        note=refund.note or "",
    )


def _returns_of(node: SalesOrder) -> tuple[Return, ...]:
    ordered = {line.id: line.quantity for line in node.line_items.nodes}
    return tuple(
        Return(
            return_id=one.id,
            state=one.status.lower(),
            created_at=_utc(one.created_at),
            lines=_returned_lines(one),
            replaced_by=replaced_by(one.exchange_line_items.nodes, ordered),
        )
        for one in node.returns.nodes
    )


def replaced_by(exchanges: Iterable[ExchangeNode], ordered: Mapping[str, int]) -> tuple[ParcelLine, ...]:
    """The order's lines that are sent instead; ``ordered``: units of each of them. An exchange tells one number for all
    of its lines: where it made several (a bundle's components), each line's own counts."""
    found = []
    for exchange in exchanges:
        lines = (exchange.line_items or ()) if exchange.processed_quantity else ()
        alone = len(lines) == 1
        for line in lines:
            units = exchange.processed_quantity if alone else ordered.get(line.id, exchange.processed_quantity)
            found.append(ParcelLine(line.id, units))
    return tuple(found)


def _returned_lines(node: ReturnNode) -> tuple[ReturnLine, ...]:
    restocked, units = _disposed([node], "RESTOCKED"), Counter[str]()
    discarded = _disposed([node], "NOT_RESTOCKED") + _disposed([node], "MISSING")
    for line in node.return_line_items.nodes:
        if line.fulfillment_line_item is not None:
            units[line.fulfillment_line_item.line_item.id] += line.quantity
    return tuple(ReturnLine(line_id, count, restocked[line_id], discarded[line_id]) for line_id, count in units.items())


def _buyer_of(node: SalesOrder) -> Buyer:
    customer = node.customer
    return Buyer(
        customer_id=customer.id if customer else "",
        email=node.email or "",
        phone=node.phone or "",
        first_name=(customer.first_name if customer else None) or "",
        last_name=(customer.last_name if customer else None) or "",
    )


def _address_of(node: AddressNode | None) -> Address | None:
    if node is None:
        return None
    return Address(
        first_name=node.first_name or "",
        last_name=node.last_name or "",
        company=node.company or "",
        street=node.address1 or "",
        street_2=node.address2 or "",
        city=node.city or "",
        region=node.province_code or "",
        postal_code=node.zip or "",
        country=node.country_code_v2 or "",
        phone=node.phone or "",
    )


def _risk_of(node: SalesOrder) -> RiskLevel:
    levels = [level for level in RISKS if any(a.risk_level == level.name for a in node.risk.assessments)]
    return levels[-1] if levels else RiskLevel.NONE


def _known(words: dict[str, Word], word: str, field: str) -> Word:
    try:
        return words[word]
    except KeyError:
        raise drift(f"Shopify's {field} has a word that API version 2026-10 does not list: {word!r}") from None


def _sum(prices: Iterable[Price], order: SalesOrder) -> Price:
    plus: Callable[[Price, Price], Price] = Price.plus
    return reduce(plus, prices, Price.none(order.currency_code, order.presentment_currency_code))


def _less(price: Price, other: Price) -> Price:
    return Price(
        Money(price.shop.amount - other.shop.amount, price.shop.currency),
        Money(price.presentment.amount - other.presentment.amount, price.presentment.currency),
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
