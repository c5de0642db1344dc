"""The declared error codes of the eCommerce calls, with the status that each is given here.

The packages declare codes but no statuses; those follow the vendor's general page: 404 for what is not there, 409 for
what is already there, 400 for amounts and quantities that cannot be, 428 for a business rule.
"""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.wire import WixRefusal, application_error

MISSING = 404
EXISTS = 409
WRONG = 400
RULE = 428
STATUSES = {
    "ORDER_NOT_FOUND": MISSING,
    "PAYMENT_NOT_FOUND": MISSING,
    "PAYMENTS_NOT_FOUND": MISSING,
    "REFUND_NOT_FOUND": MISSING,
    "REFUND_TRANSACTION_NOT_FOUND": MISSING,
    "ORDER_TRANSACTIONS_NOT_FOUND": MISSING,
    "LINE_ITEM_NOT_FOUND": MISSING,
    "LINE_ITEM_DOES_NOT_EXIST": MISSING,
    "ADDITIONAL_FEE_NOT_FOUND": MISSING,
    "SHIPPING_NOT_FOUND": MISSING,
    "DISCOUNT_NOT_FOUND": MISSING,
    "DRAFT_ORDER_DOES_NOT_EXIST": MISSING,
    "CATALOG_ITEM_NOT_FOUND": MISSING,
    "FULFILLMENT_NOT_FOUND": MISSING,
    "ACTIVITY_NOT_FOUND": MISSING,
    "TRACKING_NUMBER_ALREADY_EXISTS": EXISTS,
    "DUPLICATED_LINE_ITEM_IDS": EXISTS,
    "PURCHASED_DATE_CANNOT_BE_IN_FUTURE": WRONG,
    "INVALID_AMOUNT": WRONG,
    "INVALID_CURRENCY": WRONG,
    "INVALID_PAYMENT_REFUND_AMOUNT": WRONG,
    "INVALID_ADDITIONAL_FEE_REFUND_AMOUNT": WRONG,
    "INVALID_SHIPPING_REFUND_AMOUNT": WRONG,
    "INVALID_LINE_ITEM_REFUND_QUANTITY": WRONG,
    "INVALID_LINE_ITEM_RESTOCK_QUANTITY": WRONG,
    "DISCOUNTS_AMOUNT_EXCEED_ITEM_TOTALS": WRONG,
    "DISCOUNTS_AMOUNT_EXCEED_ORDER_TOTALS": WRONG,
    "DISCOUNTS_AMOUNT_EXCEED_SHIPPING_TOTAL": WRONG,
    "STATUS_NOT_SUPPORTED": WRONG,
    "PAYMENT_INTENT_ID_REQUIRED": WRONG,
    "MULTIPLE_CHANGES_FOR_SAME_LINE_ITEM": WRONG,
    "EMPTY_CHANGE_REQUEST": WRONG,
    "MAX_ITEMS_REACHED": WRONG,
}


def refusal(code: str, description: str, data: dict[str, Any] | None = None) -> WixRefusal:
    """A declared error; codes that the table does not list are business rules."""
    return application_error(STATUSES.get(code, RULE), code, description, data)


def order_missing(order_id: object) -> WixRefusal:
    return refusal("ORDER_NOT_FOUND", f"Order {order_id!r} was not found")
