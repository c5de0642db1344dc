"""A whole Wix order into ours: pure. Wix gives amounts without a currency; the order's own is meant.

A Wix order keeps its amounts in one currency (``order.currency``), the buyer's. Where the site prices in another one,
Wix tells which, and the rate; the amounts in it are not kept by Wix and are not worked out here, because they could be
off by a cent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from storebridge.connectors.wix.edit_orders import taken_off_by_us
from storebridge.connectors.wix.errors import drift
from storebridge.connectors.wix.marked_numbers import without_mark
from storebridge.connectors.wix.sales_shapes import (
    AddressWithContact,
    AppliedDiscount,
    ChargebackNode,
    ContactDetails,
    OrderFulfilments,
    OrderTransactions,
    ParcelNode,
    PaymentNode,
    RefundNode,
    SalesLine,
    SalesOrder,
    TaxInfo,
)
from storebridge.connectors.wix.translate import Amount, line_item_of, origin_of
from storebridge.model.ids import ConnectionName, OrderId, VariantId
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
    ShippingLine,
    Standing,
    TaxLine,
    Totals,
    Tracking,
)

STANDINGS = {
    "INITIALIZED": Standing.PENDING,
    "PENDING": Standing.PENDING,
    "APPROVED": Standing.OPEN,
    "CANCELED": Standing.CANCELLED,
    "REJECTED": Standing.CANCELLED,
}
PAYMENT_STATES = {
    "UNSPECIFIED": PaymentState.UNPAID,
    "NOT_PAID": PaymentState.UNPAID,
    "PENDING": PaymentState.UNPAID,
    "PENDING_MERCHANT": PaymentState.UNPAID,
    "AUTHORIZED": PaymentState.AUTHORISED,
    "PARTIALLY_PAID": PaymentState.PARTLY_PAID,
    "PAID": PaymentState.PAID,
    "PARTIALLY_REFUNDED": PaymentState.PARTLY_REFUNDED,
    "FULLY_REFUNDED": PaymentState.REFUNDED,
    "CANCELED": PaymentState.VOIDED,
    "DECLINED": PaymentState.VOIDED,
}
KINDS = {
    "PHYSICAL": LineKind.GOODS,
    "DIGITAL": LineKind.DIGITAL,
    "GIFT_CARD": LineKind.GIFT_CARD,
    "SERVICE": LineKind.SERVICE,
}
CAME_IN = frozenset({"APPROVED", "REFUNDED", "PARTIALLY_REFUNDED"})
PAYMENT_OUTCOMES = {
    **dict.fromkeys((*CAME_IN, "AUTHORIZED", "VOIDED"), PaymentOutcome.SUCCESS),
    **dict.fromkeys(("CANCELED", "DECLINED", "TIMEOUT", "DISPUTE"), PaymentOutcome.FAILED),
}
"""Everything else has not ended."""
SHIPPED = frozenset({"Fulfilled", "In_Delivery", None})
Word = TypeVar("Word")


def sales_order_of(
    node: SalesOrder,
    money: OrderTransactions | None,
    shipped: OrderFulfilments | None,
    connection: ConnectionName,
    our_app_id: str,
) -> Order:
    """The whole order. Raises CallTrouble (schema drift) for a word that the API does not list."""
    parcels = shipped.fulfillments if shipped else ()
    units = Counter[str]()
    for parcel in parcels:
        units.update({line.id: line.quantity or 0 for line in parcel.line_items})
    edits = taken_off_by_us(node)
    off = Counter[str]()
    for line in (line for edit in edits for line in edit.lines):
        off[line.line_id] += line.quantity
    totals = _totals_of(node)
    conversion = node.currency_conversion_details
    standing = _known(STANDINGS, node.status or "INITIALIZED", "order.status")
    return Order(
        connection=connection,
        order_id=OrderId(node.id),
        name=str(node.number) if node.number is not None else node.id,
        placed_at=_utc(node.purchased_date or node.created_date),
        updated_at=_utc(node.updated_date),
        currency=node.currency,
        presentment_currency=node.currency,
        lines=tuple(
            _line_of(line, node, units[line.id], off[line.id], ships=node.shipping_info is not None)
            for line in node.line_items
        ),
        totals=totals,
        standing=standing,
        payment_state=_known(PAYMENT_STATES, node.payment_status or "UNSPECIFIED", "order.paymentStatus"),
        tax_included=node.tax_included_in_prices or False,
        channel=(node.channel_info.type if node.channel_info else None) or "",
        origin=origin_of(node),
        buyer=_buyer_of(node),
        shipping_address=_address_of(_destination(node)),
        billing_address=_address_of(node.billing_info),
        shipping=_shipping_of(node),
        discounts=tuple(_discount_of(one, node.currency) for one in node.applied_discounts),
        payments=_payments_of(money, node),
        parcels=tuple(_parcel_of(parcel, node) for parcel in parcels),
        delivery=_delivery_of(node),
        refunds=(*(_refund_of(refund, node, our_app_id) for refund in (money.refunds if money else ())), *edits),
        note=node.buyer_note or "",
        tags=_tags_of(node),
        attributes=tuple((one.title, one.value or "") for one in node.custom_fields if one.title),
        cancelled_at=_utc(node.updated_date) if standing is Standing.CANCELLED else None,
        cancel_reason="declined" if node.status == "REJECTED" else "",
        closed=node.archived or False,
        charged=Charged(totals.subtotal, totals.shipping, totals.tax, totals.other, totals.total, totals.paid),
        priced_in=_priced_in(node),
        conversion_rate=_number(conversion.conversion_rate if conversion else None, "conversion rate"),
    )


def _priced_in(node: SalesOrder) -> str:
    conversion = node.currency_conversion_details
    original = (conversion.original_currency if conversion else None) or ""
    return "" if original == node.currency else original


def _delivery_of(node: SalesOrder) -> Delivery:
    """Goods for a carrier's pickup point are sent. Local delivery has no word of its own in Wix: it is what a time slot
    was chosen for (W41)."""
    if node.shipping_info is None:
        return Delivery.NONE
    logistics = node.shipping_info.logistics
    if logistics is None:
        return Delivery.SHIPPING
    if logistics.pickup_details is not None:
        point = logistics.pickup_details.pickup_method == "PICKUP_POINT"
        return Delivery.SHIPPING if point else Delivery.PICKUP
    return Delivery.LOCAL if logistics.delivery_time_slot is not None else Delivery.SHIPPING


def _destination(node: SalesOrder) -> AddressWithContact | None:
    logistics = node.shipping_info.logistics if node.shipping_info else None
    return (logistics.shipping_destination if logistics else None) or node.recipient_info


def _price(amount: Amount | None, currency: str) -> Price:
    """An absent amount is nothing; one that is no number is drift."""
    if amount is None or amount.amount is None:
        return Price.none(currency)
    try:
        return Price.of(Decimal(amount.amount), currency)
    except (InvalidOperation, ValueError) as error:
        raise drift(f"Wix gives an amount that is none: {amount.amount!r} {currency!r}") from error


def _line_of(line: SalesLine, order: SalesOrder, fulfilled: int, off: int, *, ships: bool) -> OrderLine:
    """``off``: units that an edit of ours took off it; the line shrank by them, and they count as given back."""
    item_id = line_item_of(line.catalog_reference)
    refunded, restocked = line.refund_quantity or 0, line.restock_quantity or 0
    kind = _kind_of(line)
    before = line.price_before_discounts or line.price
    return OrderLine(
        line_id=line.id,
        title=(line.product_name.original if line.product_name else None) or "",
        ordered=line.quantity + off,
        current=max(0, line.quantity - refunded),
        unit_price=_price(before, order.currency),
        discount=_price(line.total_discount, order.currency),
        kind=kind,
        needs_shipping=kind is LineKind.GOODS and ships,
        fulfilled=fulfilled,
        refunded=refunded + off,
        restocked=restocked,
        item_id=item_id,
        variant_id=VariantId(item_id.partition(":")[2]) if item_id else None,
        sku=((line.physical_properties.sku if line.physical_properties else None) or "").strip() or None,
        taxes=_taxes_of(line.tax_info, order.currency),
    )


def _kind_of(line: SalesLine) -> LineKind:
    preset = line.item_type.preset if line.item_type else None
    if preset is None:
        return LineKind.CUSTOM if line.catalog_reference is None else LineKind.GOODS
    return _known(KINDS, preset, "lineItem.itemType.preset")


def _taxes_of(tax: TaxInfo | None, currency: str) -> tuple[TaxLine, ...]:
    if tax is None:
        return ()
    if tax.tax_breakdown:
        return tuple(
            TaxLine(part.tax_name or "tax", _price(part.tax_amount, currency), _rate(part.rate))
            for part in tax.tax_breakdown
        )
    amount = _price(tax.tax_amount, currency)
    return (TaxLine("tax", amount, _rate(tax.tax_rate)),) if amount.shop.amount else ()


def _rate(rate: str | None) -> Decimal | None:
    return _number(rate, "tax rate")


def _number(text: str | None, what: str) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation as error:
        raise drift(f"Wix gives a {what} that is no number: {text!r}") from error


def _totals_of(node: SalesOrder) -> Totals:
    """Wix's subtotal and shipping are before discounts; ours are after, so the discount is taken off here."""
    summary, currency = node.price_summary, node.currency
    discount, tax = _price(summary.discount, currency), _price(summary.tax, currency)
    subtotal, shipping = _price(summary.subtotal, currency), _price(summary.shipping, currency)
    total = _price(summary.total, currency)
    after = Price.of(subtotal.shop.amount - discount.shop.amount, currency)
    parts = after.shop.amount + shipping.shop.amount + (0 if node.tax_included_in_prices else tax.shop.amount)
    return Totals(
        subtotal=after,
        discount=discount,
        shipping=shipping,
        tax=tax,
        total=total,
        other=Price.of(total.shop.amount - parts, currency),
        refunded=_price(node.balance_summary.refunded, currency),
        paid=_price(node.balance_summary.paid, currency),
        owed=_price(node.balance_summary.balance, currency),
    )


def _shipping_of(node: SalesOrder) -> tuple[ShippingLine, ...]:
    info = node.shipping_info
    if info is None:
        return ()
    cost, currency = info.cost, node.currency
    return (
        ShippingLine(
            title=info.title or "",
            code=info.code or "",
            price=_price(cost.price if cost else None, currency),
            discount=_price(cost.discount if cost else None, currency),
            taxes=_taxes_of(cost.tax_info if cost else None, currency),
        ),
    )


def _discount_of(one: AppliedDiscount, currency: str) -> Discount:
    if one.coupon is not None:
        return Discount(one.coupon.name or "coupon", _price(one.coupon.amount, currency), one.coupon.code or "")
    if one.merchant_discount is not None:
        described = one.merchant_discount.description
        return Discount(described or "discount by staff", _price(one.merchant_discount.amount, currency))
    rule = one.discount_rule
    name = rule.name.original if rule and rule.name else None
    return Discount(name or "discount", _price(rule.amount if rule else None, currency))


def _payments_of(money: OrderTransactions | None, node: SalesOrder) -> tuple[Payment, ...]:
    if money is None:
        return ()
    came = [_payment_of(payment, node) for payment in money.payments]
    went = [
        Payment(
            payment_id=f"{refund.id}/{number}",
            kind=PaymentKind.REFUND,
            outcome=_refund_outcome(one.refund_status),
            amount=_price(one.amount, node.currency),
            at=_utc(refund.created_date or node.updated_date),
            parent_id=one.payment_id or "",
            offline=one.external_refund or False,
            provider_id=one.provider_refund_id or "",
        )
        for refund in money.refunds
        for number, one in enumerate(refund.transactions)
    ]
    taken = [
        move
        for payment in money.payments
        for one in (payment.regular_payment_details.chargebacks if payment.regular_payment_details else ())
        for move in _chargeback(one, payment, node)
    ]
    return (*came, *went, *taken)


def _chargeback(one: ChargebackNode, payment: PaymentNode, node: SalesOrder) -> list[Payment]:
    """Taken back by the buyer's bank, and given up again when it was reversed: two moves of money."""
    made = _utc(one.created_date or node.updated_date)
    taken = Payment(
        payment_id=one.id,
        kind=PaymentKind.CHARGEBACK,
        outcome=PaymentOutcome.SUCCESS,
        amount=_price(one.amount, node.currency),
        at=made,
        parent_id=payment.id,
    )
    if one.status != "REVERSED":
        return [taken]
    back = Payment(
        payment_id=f"{one.id}/reversal",
        kind=PaymentKind.CHARGEBACK_REVERSAL,
        outcome=PaymentOutcome.SUCCESS,
        amount=_price(one.reversal_amount or one.amount, node.currency),
        at=_utc(one.updated_date or made),
        parent_id=payment.id,
    )
    return [taken, back]


def _payment_of(payment: PaymentNode, node: SalesOrder) -> Payment:
    details = payment.regular_payment_details
    status = payment.status or (details.status if details else None) or ""
    taken_back = bool(details and details.chargebacks)
    return Payment(
        payment_id=payment.id,
        kind=PaymentKind.AUTHORISATION if status in ("AUTHORIZED", "VOIDED") else PaymentKind.SALE,
        outcome=PaymentOutcome.SUCCESS if taken_back else PAYMENT_OUTCOMES.get(status, PaymentOutcome.PENDING),
        amount=_price(payment.amount, node.currency),
        at=_utc(payment.created_date or node.created_date),
        gateway=(details.payment_method if details else None) or "",
        offline=(details.offline_payment if details else None) or False,
        provider_id=(details.provider_transaction_id if details else None) or "",
        fee=_price(details.platform_fee, node.currency).shop if details and details.platform_fee else None,
    )


def _refund_outcome(status: str | None) -> PaymentOutcome:
    if status == "FAILED":
        return PaymentOutcome.FAILED
    return PaymentOutcome.SUCCESS if status == "SUCCEEDED" else PaymentOutcome.PENDING


def _refund_of(refund: RefundNode, node: SalesOrder, our_app_id: str) -> Refund:
    """Which of the refunded units went back on sale stands on the order's lines only (``restockQuantity``)."""
    nothing = Price.none(node.currency)
    moved = [t.amount for t in refund.transactions if t.refund_status != "FAILED"]
    amount = sum((_price(one, node.currency).shop.amount for one in moved), Decimal(0))
    details = refund.details
    return Refund(
        refund_id=refund.id,
        created_at=_utc(refund.created_date or node.updated_date),
        amount=Price.of(amount, node.currency),
        lines=tuple(
            RefundLine(line.line_item_id, line.quantity, 0, nothing) for line in details.line_items or details.items
        ),
        shipping=_price(details.shipping.amount, node.currency) if details.shipping else None,
        note=details.reason or "",
        ours=bool(our_app_id) and refund.requesting_service_app_id == our_app_id,
    )


def _parcel_of(parcel: ParcelNode, node: SalesOrder) -> Parcel:
    tracking = parcel.tracking_info
    number, mark = without_mark((tracking.tracking_number if tracking else None) or "")
    found = Tracking(tracking.shipping_provider or "", number, tracking.tracking_link or "") if tracking else None
    return Parcel(
        parcel_id=parcel.id,
        lines=tuple(ParcelLine(line.id, line.quantity or 0) for line in parcel.line_items),
        created_at=_utc(parcel.created_date or node.updated_date),
        tracking=(found,) if found else (),
        mark=mark,
    )


def _buyer_of(node: SalesOrder) -> Buyer:
    info = node.buyer_info
    contact = _contact(node.billing_info) or _contact(node.recipient_info) or ContactDetails()
    return Buyer(
        customer_id=(info.contact_id if info else None) or "",
        email=(info.email if info else None) or "",
        phone=contact.phone or "",
        first_name=contact.first_name or "",
        last_name=contact.last_name or "",
    )


def _contact(place: AddressWithContact | None) -> ContactDetails | None:
    return place.contact_details if place else None


def _address_of(place: AddressWithContact | None) -> Address | None:
    if place is None or place.address is None:
        return None
    address, contact = place.address, place.contact_details or ContactDetails()
    street = address.street_address
    apart = f"{street.name or ''} {street.number or ''}".strip() if street else ""
    return Address(
        first_name=contact.first_name or "",
        last_name=contact.last_name or "",
        company=contact.company or "",
        street=address.address_line or apart,
        street_2=address.address_line2 or "",
        city=address.city or "",
        region=(address.subdivision or "").rpartition("-")[2],
        postal_code=address.postal_code or "",
        country=address.country or "",
        phone=contact.phone or "",
    )


def _tags_of(node: SalesOrder) -> tuple[str, ...]:
    kept: Iterable[str] = ()
    if node.tags is not None:
        kept = [*(node.tags.tags.tag_ids if node.tags.tags else ())]
        kept += [*(node.tags.private_tags.tag_ids if node.tags.private_tags else ())]
    return tuple(kept)


def _known(words: dict[str, Word], word: str, field: str) -> Word:
    try:
        return words[word]
    except KeyError:
        raise drift(f"Wix's {field} has a word that the API does not list: {word!r}") from None


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
