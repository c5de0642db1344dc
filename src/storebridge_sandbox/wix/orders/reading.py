"""Reads what callers say: amounts, moments, and the Order message of a create or an import."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.wix.orders.goods import Goods
from storebridge_sandbox.wix.orders.state import ZERO, Sums, WixLine, WixOrder
from storebridge_sandbox.wix.settings import STORES_APP_ID
from storebridge_sandbox.wix.wire import validation_error

MOST_LINES = 300
MOST_QUANTITY = 100_000
DEAREST = Decimal(10) ** 15
CHANNELS = frozenset(
    (
        *("WEB", "POS", "EBAY", "AMAZON", "OTHER_PLATFORM", "WIX_APP_STORE", "WIX_INVOICES", "BACKOFFICE_MERCHANT"),
        *("WISH", "CLASS_PASS", "GLOBAL_E", "FACEBOOK", "ETSY", "TIKTOK", "FAIRE_COM"),
        *("PAYPAL_AGENTIC_CHECKOUT", "STRIPE_AGENTIC_CHECKOUT"),
    )
)
PRESETS = frozenset(("PHYSICAL", "DIGITAL", "GIFT_CARD", "SERVICE"))
PAYMENT_STATUSES = frozenset(
    (
        *("UNSPECIFIED", "NOT_PAID", "PAID", "PARTIALLY_REFUNDED", "FULLY_REFUNDED"),
        *("PENDING", "PARTIALLY_PAID", "PENDING_MERCHANT", "CANCELED", "DECLINED"),
    )
)
FULFILMENT_STATUSES = frozenset(("NOT_FULFILLED", "FULFILLED", "PARTIALLY_FULFILLED"))
STATUSES = frozenset(("INITIALIZED", "APPROVED", "CANCELED", "PENDING", "REJECTED"))
KEPT = (
    "buyerInfo",
    "buyerLanguage",
    "weightUnit",
    "currencyConversionDetails",
    "billingInfo",
    "shippingInfo",
    "buyerNote",
    "archived",
    "taxInfo",
    "appliedDiscounts",
    "attributionSource",
    "channelInfo",
    "seenByAHuman",
    "customFields",
    "additionalFees",
    "extendedFields",
    "recipientInfo",
    "tags",
    "businessLocation",
)
"""Parts of the Order message that the site takes as they come."""
KEPT_OF_LINES = (
    "productName",
    "catalogReference",
    "descriptionLines",
    "image",
    "itemType",
    "fulfillerId",
    "paymentOption",
    "taxInfo",
    "digitalFile",
    "priceDescription",
    "locations",
    "taxableAddress",
    "extendedFields",
    "modifierGroups",
    "priceUndetermined",
    "fixedQuantity",
    "physicalProperties",
)


def amount_in(part: Any, field: str) -> Decimal:
    """A Price's amount; raises WixRefusal for one that is none, or is out of the declared bounds."""
    text = part.get("amount") if isinstance(part, dict) else part
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        raise validation_error(f"{field}.amount", "must be a decimal number", "DECIMAL_VALUE") from None
    if not amount.is_finite() or not 0 <= amount <= DEAREST:
        raise validation_error(f"{field}.amount", "must be between 0 and 1000000000000000", "DECIMAL_GTE")
    return amount


def amount_or(part: Any, field: str, otherwise: Decimal) -> Decimal:
    """The same, where an absent one has a meaning."""
    return otherwise if part is None else amount_in(part, field)


def moment_in(text: Any, field: str) -> datetime:
    """An aware moment; raises WixRefusal."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise validation_error(field, "must be an ISO-8601 date", "FORMAT") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def guid_in(value: Any, field: str) -> str:
    """A GUID in lower case; raises WixRefusal."""
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise validation_error(field, "is not a valid GUID", "FORMAT", {"type": "GUID"}) from None


def quantity_in(value: Any, field: str, most: int = MOST_QUANTITY) -> int:
    """A whole number from 1; raises WixRefusal."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise validation_error(field, "must be a whole number", "FORMAT")
    if not 1 <= value <= most:
        raise validation_error(field, f"must be between 1 and {most}", "MIN" if value < 1 else "MAX")
    return value


def one_of(value: Any, allowed: frozenset[Any], field: str) -> str:
    """An enum's value; raises WixRefusal."""
    if not isinstance(value, str | bool) or value not in allowed:
        raise validation_error(field, "is not a known value", "INVALID_ENUM_VALUE")
    return str(value)


def text_in(value: Any, field: str, most: int) -> str:
    """Text of at most so many characters; raises WixRefusal."""
    if not isinstance(value, str):
        raise validation_error(field, "must be text", "FORMAT")
    if len(value) > most:
        raise validation_error(field, f"must not be longer than {most}", "MAX_LENGTH", {"threshold": most})
    return value


def object_in(value: Any, field: str) -> dict[str, Any]:
    """An object that must be there; raises WixRefusal."""
    if value is None:
        raise validation_error(field, "must not be empty", "REQUIRED_FIELD")
    if not isinstance(value, dict):
        raise validation_error(field, "must be an object", "FORMAT")
    return value


def read_lines(message: dict[str, Any], goods: Goods, new_id: Any, field: str = "order.lineItems") -> list[WixLine]:
    """The lines of an Order message; raises WixRefusal."""
    rows = message.get("lineItems")
    if not isinstance(rows, list) or not rows:
        raise validation_error(field, "must not be empty", "REQUIRED_FIELD")
    if len(rows) > MOST_LINES:
        raise validation_error(field, f"must have a size less than or equal to {MOST_LINES}", "MAX_SIZE")
    lines = [_read_line(object_in(row, field), goods, new_id, f"{field}[{n}]") for n, row in enumerate(rows)]
    if len({line.id for line in lines}) < len(lines):
        raise validation_error(field, "ids must be unique", "OTHER")
    return lines


def _read_line(row: dict[str, Any], goods: Goods, new_id: Any, field: str) -> WixLine:
    quantity = quantity_in(row.get("quantity"), f"{field}.quantity")
    price = amount_in(object_in(row.get("price"), f"{field}.price"), f"{field}.price")
    name = object_in(row.get("productName"), f"{field}.productName").get("original")
    if not name:
        raise validation_error(f"{field}.productName.original", "must not be empty", "REQUIRED_FIELD")
    kind = object_in(row.get("itemType"), f"{field}.itemType")
    if "custom" not in kind:
        one_of(kind.get("preset"), PRESETS, f"{field}.itemType.preset")
    if kind.get("preset") == "DIGITAL" and not row.get("digitalFile"):
        raise validation_error(f"{field}.digitalFile", "is needed for a digital item", "REQUIRED_FIELD")
    line_id = guid_in(row["id"], f"{field}.id") if row.get("id") else new_id()
    properties = object_in(row.get("physicalProperties") or {}, f"{field}.physicalProperties")
    sku = text_in(properties.get("sku") or "", f"{field}.physicalProperties.sku", 40)
    sold = sellable_of(row.get("catalogReference"), goods, f"{field}.catalogReference")
    sellable = sold or Sellable(
        "", "", "", sku, text_in(name, f"{field}.productName.original", 200), price, tracked=False
    )
    full = row.get("priceBeforeDiscounts")
    tax = object_in(row.get("taxInfo") or {}, f"{field}.taxInfo").get("taxAmount")
    line = WixLine(line_id, sellable, quantity, price)
    line.full_price = None if full is None else amount_in(full, f"{field}.priceBeforeDiscounts")
    line.tax = amount_or(tax, f"{field}.taxInfo.taxAmount", ZERO)
    line.told = {name: row[name] for name in KEPT_OF_LINES if row.get(name) is not None}
    return line


def sellable_of(reference: Any, goods: Goods, field: str) -> Sellable | None:
    """What a catalogue reference names; None for another app's goods, for none, and for what is not on the shelf."""
    if reference is None:
        return None
    reference = object_in(reference, field)
    for name in ("catalogItemId", "appId"):
        if not isinstance(reference.get(name), str) or not reference[name]:
            raise validation_error(f"{field}.{name}", "must not be empty", "REQUIRED_FIELD")
    if reference["appId"] != STORES_APP_ID:
        return None
    variant_id = object_in(reference.get("options") or {}, f"{field}.options").get("variantId")
    return goods.sellable(reference["catalogItemId"], None if variant_id is None else str(variant_id))


def read_sums(message: dict[str, Any]) -> Sums:
    """The price summary as it was stated; raises WixRefusal."""
    summary = object_in(message.get("priceSummary"), "order.priceSummary")
    stated = {
        name: amount_in(summary[name], f"order.priceSummary.{name}") for name in summary if summary[name] is not None
    }
    return Sums(
        shipping=stated.get("shipping", ZERO),
        tax=stated.get("tax", ZERO),
        discount=stated.get("discount", ZERO),
        fees=stated.get("totalAdditionalFees", ZERO),
        subtotal=stated.get("subtotal"),
        total=stated.get("total"),
        tax_included=bool(message.get("taxIncludedInPrices")),
    )


def keep_parts(order: WixOrder, message: dict[str, Any]) -> None:
    """Put the free parts of an Order message into the order; raises WixRefusal for a channel that is none."""
    channel = object_in(message.get("channelInfo"), "order.channelInfo")
    one_of(channel.get("type"), CHANNELS, "order.channelInfo.type")
    external = channel.get("externalOrderId")
    if external is not None:
        order.origin = text_in(external, "order.channelInfo.externalOrderId", 100)
    if channel.get("externalOrderUrl") is not None:
        text_in(channel["externalOrderUrl"], "order.channelInfo.externalOrderUrl", 300)
    conversion = message.get("currencyConversionDetails")
    if conversion is not None and not {"originalCurrency", "conversionRate"} <= object_in(conversion, "order").keys():
        raise validation_error("order.currencyConversionDetails", "needs currency and rate", "REQUIRED_FIELD")
    if message.get("buyerNote"):
        text_in(message["buyerNote"], "order.buyerNote", 1000)
    order.told.update({name: message[name] for name in KEPT if message.get(name) is not None})
    if message.get("currency"):
        order.currency = text_in(message["currency"], "order.currency", 3)
    order.sums = read_sums(message)
    if message.get("paymentStatus") is not None:
        order.stated_payment = one_of(message["paymentStatus"], PAYMENT_STATUSES, "order.paymentStatus")
