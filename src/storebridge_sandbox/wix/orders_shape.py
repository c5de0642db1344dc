"""How an order reads in answers and webhooks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from storebridge_sandbox.orders import Refund
from storebridge_sandbox.wix.orders_state import WixLine, WixOrder
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID, STORES_APP_ID
from storebridge_sandbox.wix.wire import money, wix_date

ZERO = Decimal("0.00")
TRACKING = {"number": "trackingNumber", "company": "shippingProvider", "url": "trackingLink"}


def order_payload(order: WixOrder) -> dict[str, Any]:
    """The Order message, as far as this store keeps it."""
    lines = [line for line in order.wix_lines() if line.shown_quantity > 0]
    total = sum((line.price * line.shown_quantity for line in lines), ZERO)
    return {
        "id": order.id,
        "number": str(order.number),
        "createdDate": wix_date(order.created_at),
        "updatedDate": wix_date(order.updated_at),
        "purchasedDate": wix_date(order.created_at),
        "lineItems": [_line(line, order.currency) for line in lines],
        "buyerInfo": _buyer(order),
        "paymentStatus": order.payment_status,
        "fulfillmentStatus": _fulfilment_status(lines),
        "buyerLanguage": "en",
        "weightUnit": "KG",
        "currency": order.currency,
        "taxIncludedInPrices": False,
        "siteLanguage": "en",
        "priceSummary": _prices(total, order.currency),
        "billingInfo": _contact(order),
        "recipientInfo": _contact(order),
        "status": order.status,
        "archived": False,
        "appliedDiscounts": [],
        "activities": [],
        "channelInfo": {"type": "WEB"},
        "checkoutId": order.checkout_id,
        "seenByAHuman": False,
        "balanceSummary": _balance(order, total),
        "additionalFees": [],
        "imported": False,
    }


def refund_payload(refund: Refund, order: WixOrder) -> dict[str, Any]:
    """The Refund message of the order's transactions."""
    amount = money(refund.amount, order.currency)
    return {
        "id": refund.id,
        "transactions": [
            {
                "paymentId": order.checkout_id,
                "amount": amount,
                "refundStatus": "SUCCEEDED",
                "externalRefund": False,
            }
        ],
        "details": {
            "lineItems": [{"lineItemId": back.line.id, "quantity": back.quantity} for back in refund.lines],
            "shippingIncluded": False,
        },
        "createdDate": wix_date(refund.at),
    }


def parcels_payload(order: WixOrder) -> dict[str, Any]:
    """Every parcel of the order, as the fulfilments entity tells them."""
    return {
        "orderId": order.id,
        "fulfillments": [
            {
                "id": parcel.id,
                "createdDate": wix_date(parcel.at),
                "lineItems": [{"id": line.id, "quantity": quantity} for line, quantity in parcel.lines],
                "trackingInfo": {
                    name: parcel.tracking[ours] for ours, name in TRACKING.items() if parcel.tracking.get(ours)
                },
            }
            for parcel in order.fulfilments
        ],
    }


def refund_completed(refund: Refund, order: WixOrder) -> dict[str, Any]:
    """Body of ``wix.ecom.v1.order_transactions_refund_completed``."""
    restocked = [{"lineItemId": back.line.id, "quantity": back.quantity} for back in refund.lines if back.restock]
    restock: dict[str, Any] = {"type": "SOME_ITEMS", "items": restocked} if restocked else {"type": "NO_ITEMS"}
    return {
        "orderId": order.id,
        "refund": refund_payload(refund, order),
        "sideEffects": {"restockInfo": restock, "sendOrderRefundedEmail": False},
        "orderTransactions": {
            "orderId": order.id,
            "payments": [],
            "refunds": [refund_payload(earlier, order) for earlier in order.refunds],
        },
    }


def _line(line: WixLine, currency: str) -> dict[str, Any]:
    price = money(line.price, currency)
    total = money(line.price * line.shown_quantity, currency)
    sold = line.variant
    return {
        "id": line.id,
        "productName": {"original": sold.title, "translated": sold.title},
        "catalogReference": {
            "catalogItemId": sold.product_id,
            "appId": STORES_APP_ID,
            "options": {"options": {}} if sold.variant_id == DEFAULT_VARIANT_ID else {"variantId": sold.variant_id},
        },
        "quantity": line.shown_quantity,
        "totalDiscount": money(ZERO, currency),
        "descriptionLines": [],
        "physicalProperties": {"sku": sold.sku, "shippable": True},
        "itemType": {"preset": "PHYSICAL"},
        "refundQuantity": line.refunded,
        "restockQuantity": line.shown_restocked,
        "price": price,
        "priceBeforeDiscounts": price,
        "totalPriceBeforeTax": total,
        "totalPriceAfterTax": total,
        "lineItemPrice": total,
        "paymentOption": "FULL_PAYMENT_ONLINE",
    }


def _buyer(order: WixOrder) -> dict[str, Any]:
    buyer: dict[str, Any] = {}
    if order.buyer is not None and "anonymousVisitorId" in order.buyer.identity:
        buyer["visitorId"] = order.buyer.identity["anonymousVisitorId"]
    if order.customer.get("email"):
        buyer["email"] = order.customer["email"]
    return buyer


def _contact(order: WixOrder) -> dict[str, Any]:
    names = {"firstName": "first_name", "lastName": "last_name", "phone": "phone"}
    details = {wix: order.customer[ours] for wix, ours in names.items() if order.customer.get(ours)}
    return {"contactDetails": details}


def _fulfilment_status(lines: list[WixLine]) -> str:
    if not any(line.fulfilled for line in lines):
        return "NOT_FULFILLED"
    whole = all(line.fulfilled >= line.shown_quantity for line in lines)
    return "FULFILLED" if whole else "PARTIALLY_FULFILLED"


def _prices(total: Decimal, currency: str) -> dict[str, Any]:
    nothing = money(ZERO, currency)
    return {
        "subtotal": money(total, currency),
        "shipping": nothing,
        "tax": nothing,
        "discount": nothing,
        "total": money(total, currency),
        "totalAdditionalFees": nothing,
    }


def _balance(order: WixOrder, total: Decimal) -> dict[str, Any]:
    was_paid = order.payment in ("paid", "partially_refunded", "refunded")
    refunded = sum((refund.amount for refund in order.refunds), ZERO) if was_paid else ZERO
    paid = total if was_paid else ZERO
    return {
        "balance": money(total - paid, order.currency),
        "paid": money(paid, order.currency),
        "refunded": money(refunded, order.currency),
    }
