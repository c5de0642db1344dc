"""How an order reads in answers and webhooks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.orders.amounts import Totals, balance_of, fulfilment_status, totals_of
from storebridge_sandbox.wix.orders.state import ZERO, WixLine, WixOrder
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID, STORES_APP_ID
from storebridge_sandbox.wix.wire import money, wix_date

MILLIONTH = Decimal("0.000001")


def order_payload(order: WixOrder) -> dict[str, Any]:
    """The Order message, as far as this site keeps it."""
    totals = totals_of(order)
    currency = order.currency
    return {
        "id": order.id,
        "number": order.name,
        "createdDate": wix_date(order.created_at),
        "updatedDate": wix_date(order.updated_at),
        "purchasedDate": wix_date(order.purchased_at or order.created_at),
        "lineItems": [line_payload(line, order) for line in order.shown_lines()],
        "buyerInfo": _buyer(order),
        "paymentStatus": order.payment_status,
        "fulfillmentStatus": fulfilment_status(order),
        "buyerLanguage": "en",
        "weightUnit": "KG",
        "currency": currency,
        "taxIncludedInPrices": order.sums.tax_included,
        "siteLanguage": "en",
        "priceSummary": prices_payload(totals, currency),
        "billingInfo": contact(order.customer),
        "recipientInfo": contact(order.customer),
        "status": order.status,
        "archived": False,
        "taxInfo": {"totalTax": money(totals.tax, currency)},
        "appliedDiscounts": [],
        "activities": [dict(activity) for activity in order.activities],
        "channelInfo": {"type": "WEB"},
        "checkoutId": order.checkout_id,
        "seenByAHuman": False,
        "balanceSummary": _balance(order, totals),
        "additionalFees": [],
        "purchaseFlowId": order.purchase_flow_id,
        "imported": order.imported,
        **creator(order.buyer),
        **order.told,
    }


WixOrder.show = staticmethod(order_payload)


def contact(customer: dict[str, Any]) -> dict[str, Any]:
    """An AddressWithContact of what a shopper typed."""
    names = {"firstName": "first_name", "lastName": "last_name", "phone": "phone"}
    details = {wix: customer[ours] for wix, ours in names.items() if customer.get(ours)}
    return {"contactDetails": details}


def catalogue_reference(line: WixLine) -> dict[str, Any]:
    """Where a line comes from: Wix Stores' product, and its variant where it has several."""
    sold = line.variant
    return {
        "catalogItemId": sold.product_id,
        "appId": STORES_APP_ID,
        "options": {"options": {}} if sold.variant_id == DEFAULT_VARIANT_ID else {"variantId": sold.variant_id},
    }


def line_payload(line: WixLine, order: WixOrder) -> dict[str, Any]:
    """The OrderLineItem message."""
    currency = order.currency
    total = line.price * line.shown_quantity
    before_tax = total - line.tax if order.sums.tax_included else total
    full = line.unit_before_discounts
    shown: dict[str, Any] = {
        "id": line.id,
        "productName": {"original": line.variant.title, "translated": line.variant.title},
        "quantity": line.shown_quantity,
        "totalDiscount": money((full - line.price) * line.shown_quantity, currency),
        "descriptionLines": [],
        "physicalProperties": {"sku": line.variant.sku, "shippable": True},
        "itemType": {"preset": "PHYSICAL"},
        "refundQuantity": line.refunded,
        "restockQuantity": line.shown_restocked,
        "price": money(line.price, currency),
        "priceBeforeDiscounts": money(full, currency),
        "totalPriceBeforeTax": money(before_tax, currency),
        "totalPriceAfterTax": money(before_tax + line.tax, currency),
        "lineItemPrice": money(total, currency),
        "paymentOption": "FULL_PAYMENT_ONLINE",
        "taxInfo": _line_tax(line.tax, before_tax, order),
    }
    if line.variant.product_id:
        shown["catalogReference"] = catalogue_reference(line)
    return {**shown, **line.told}


def _line_tax(tax: Decimal, taxable: Decimal, order: WixOrder) -> dict[str, Any]:
    rate = f"{(tax / taxable).quantize(MILLIONTH).normalize():f}" if tax and taxable else "0"
    return {
        "taxAmount": money(tax, order.currency),
        "taxableAmount": money(taxable, order.currency),
        "taxRate": rate,
        "taxIncludedInPrice": order.sums.tax_included,
    }


def _buyer(order: WixOrder) -> dict[str, Any]:
    buyer: dict[str, Any] = {}
    if order.buyer is not None and "anonymousVisitorId" in order.buyer.identity:
        buyer["visitorId"] = order.buyer.identity["anonymousVisitorId"]
    if order.customer.get("email"):
        buyer["email"] = order.customer["email"]
    if order.customer.get("contact_id"):
        buyer["contactId"] = order.customer["contact_id"]
    return buyer


def creator(actor: Actor | None) -> dict[str, Any]:
    """``{"createdBy": {...}}``; empty where nobody is known."""
    if actor is None:
        return {}
    names = {"anonymousVisitorId": "visitorId", "memberId": "memberId", "wixUserId": "userId", "appId": "appId"}
    told = {ours: actor.identity[theirs] for theirs, ours in names.items() if theirs in actor.identity}
    return {"createdBy": told}


def prices_payload(totals: Totals, currency: str) -> dict[str, Any]:
    """The PriceSummary message."""
    return {
        "subtotal": money(totals.subtotal, currency),
        "shipping": money(totals.shipping, currency),
        "tax": money(totals.tax, currency),
        "discount": money(totals.discount, currency),
        "total": money(totals.total, currency),
        "totalAdditionalFees": money(totals.fees, currency),
    }


def _balance(order: WixOrder, totals: Totals) -> dict[str, Any]:
    refunds = order.wix_refunds()
    in_doubt = sum((refund.amount_in("PENDING", "SCHEDULED", "STARTED") for refund in refunds), ZERO)
    back = sum((one.amount for one in order.chargebacks), ZERO)
    reversed_back = sum((one.amount for one in order.chargebacks if one.status == "REVERSED"), ZERO)
    sums = {
        "balance": balance_of(order, totals.total),
        "paid": _stated_paid(order, totals),
        "refunded": order.refunded,
        "authorized": _of_status(order, "AUTHORIZED"),
        "pendingRefund": in_doubt,
        "pending": _of_status(order, "PENDING", "PENDING_MERCHANT"),
        "chargeback": back,
        "chargebackReversal": reversed_back,
    }
    return {name: money(amount, order.currency) for name, amount in sums.items()}


def _stated_paid(order: WixOrder, totals: Totals) -> Decimal:
    """An order that was brought in as paid, without any record of a payment, owes nothing."""
    stated = not order.payments and order.stated_payment in ("PAID", "PARTIALLY_REFUNDED", "FULLY_REFUNDED")
    return totals.total if stated else order.paid


def _of_status(order: WixOrder, *statuses: str) -> Decimal:
    return sum((payment.amount for payment in order.payments if payment.status in statuses), ZERO)
