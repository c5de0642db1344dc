"""An order of another store as Wix's ``orders/import`` takes it.

An import changes no stock, writes to nobody and fires no order events (W9). Its id is made from the stamp: bringing the
same order in again replaces it, so even a repetition that should not be makes no second order.
"""

from __future__ import annotations

import hashlib
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from storebridge.connectors.wix.translate import DEFAULT_VARIANT, STORES_APP_ID
from storebridge.model.copying import BUYERS_TOTAL, TAGS_OF_ORIGIN, CopiedGoods, buyers_total, tags_of_origin
from storebridge.model.ids import OrderId
from storebridge.model.money import decimals_of
from storebridge.model.order_writes import CreateCopy
from storebridge.model.sales import Address, Buyer, LineKind, Order, OrderLine, TaxLine

LONGEST_TITLE, LONGEST_SKU, LONGEST_NOTE = 200, 40, 1000
LINES_PER_ORDER = 300
"""What the vendor's schema says of an order's ``lineItems``."""
NAME_FIELD = "Order of origin"


def id_of_copy(stamp: str) -> OrderId:
    """A GUID, the same for the same stamp (of the form that RFC 9562 keeps for hashes: version 8)."""
    mark = hashlib.sha256(stamp.encode()).hexdigest()
    return OrderId(f"{mark[:8]}-{mark[8:12]}-8{mark[13:16]}-8{mark[17:20]}-{mark[20:32]}")


def copy_of(write: CreateCopy) -> dict[str, Any]:
    """The Order message of an import; pure."""
    order = write.original
    told: dict[str, Any] = {
        "id": id_of_copy(write.stamp),
        "status": "APPROVED",
        "paymentStatus": "PAID",
        "fulfillmentStatus": "NOT_FULFILLED",
        "currency": order.currency,
        "purchasedDate": order.placed_at.isoformat(),
        "taxIncludedInPrices": order.tax_included,
        "channelInfo": {"type": "OTHER_PLATFORM", "externalOrderId": write.stamp},
        "lineItems": [_line(line, goods, order) for line, goods in zip(order.lines, write.goods, strict=True)],
        "priceSummary": _sums(order),
        "buyerInfo": {"email": order.buyer.email} if order.buyer.email else {},
        "customFields": _fields(order),
        "shippingInfo": _shipping(order),
    }
    destination = order.shipping_address or order.billing_address
    if destination is not None:
        told["recipientInfo"] = place_of(destination, order.buyer)
    told["billingInfo"] = place_of(order.billing_address or destination or Address(), order.buyer)
    if order.note:
        told["buyerNote"] = order.note[:LONGEST_NOTE]
    return told


def _fields(order: Order) -> list[dict[str, str]]:
    """For people: where it comes from. Wix's own tags are ids of its tag catalogue, so names stand here."""
    told = {
        NAME_FIELD: f"{order.connection} {order.name}",
        TAGS_OF_ORIGIN: tags_of_origin(order),
        BUYERS_TOTAL: buyers_total(order),
    }
    return [{"title": title, "value": value} for title, value in told.items() if value]


def _line(line: OrderLine, goods: CopiedGoods | None, order: Order) -> dict[str, Any]:
    whole = line.unit_price.shop.amount * line.current - line.discount.shop.amount
    coin = Decimal(1).scaleb(-decimals_of(order.currency))
    price = (whole / line.current).quantize(coin, ROUND_HALF_UP)
    told: dict[str, Any] = {
        "productName": {"original": (line.title or line.sku or "Item")[:LONGEST_TITLE]},
        "quantity": line.current,
        "price": _amount(price),
        "priceBeforeDiscounts": _amount(line.unit_price.shop.amount),
        "totalDiscount": _amount(line.discount.shop.amount),
        "itemType": {"preset": "PHYSICAL"} if _is_goods(line) else {"custom": line.kind.value},
        "physicalProperties": {"sku": (line.sku or "")[:LONGEST_SKU], "shippable": line.needs_shipping},
        "taxInfo": _tax(line.taxes, included=order.tax_included),
    }
    if goods is not None:
        options: dict[str, Any] = (
            {"options": {}} if goods.variant_id == DEFAULT_VARIANT else {"variantId": goods.variant_id}
        )
        told["catalogReference"] = {
            "appId": STORES_APP_ID,
            "catalogItemId": goods.product_id,
            "options": options,
        }
    return told


def _is_goods(line: OrderLine) -> bool:
    return line.kind is LineKind.GOODS or line.needs_shipping


def _tax(taxes: tuple[TaxLine, ...], *, included: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "taxAmount": _amount(sum((tax.amount.shop.amount for tax in taxes), Decimal(0))),
        "taxIncludedInPrice": included,
    }
    rates = [tax.rate for tax in taxes if tax.rate is not None]
    if rates and len(rates) == len(taxes):
        told["taxRate"] = f"{sum(rates, Decimal(0)):f}"
    return told


def _sums(order: Order) -> dict[str, Any]:
    """Wix's subtotal is before discounts."""
    subtotal = sum((line.unit_price.shop.amount * line.current for line in order.lines), Decimal(0))
    discount = sum((line.discount.shop.amount for line in order.lines), Decimal(0))
    return {
        "subtotal": _amount(subtotal),
        "discount": _amount(discount),
        "shipping": _amount(_shipping_cost(order)),
        "tax": _amount(order.totals.tax.shop.amount),
        "total": _amount(order.totals.total.shop.amount),
    }


def _shipping_cost(order: Order) -> Decimal:
    return sum((one.price.shop.amount - one.discount.shop.amount for one in order.shipping), Decimal(0))


def _shipping(order: Order) -> dict[str, Any]:
    """Without it Wix takes an order for one that ships nothing, and closes it."""
    cost: dict[str, Any] = {"price": _amount(_shipping_cost(order))}
    taxes = tuple(tax for line in order.shipping for tax in line.taxes)
    if taxes:
        cost["taxInfo"] = _tax(taxes, included=order.tax_included)
    title = ", ".join(line.title for line in order.shipping if line.title) or "Shipping"
    code = next((line.code for line in order.shipping if line.code), title)
    told: dict[str, Any] = {"title": title, "code": code, "cost": cost}
    destination = order.shipping_address or order.billing_address
    if destination is not None:
        told["logistics"] = {"shippingDestination": place_of(destination, order.buyer)}
    return told


def place_of(address: Address, buyer: Buyer) -> dict[str, Any]:
    """``AddressWithContact``; the buyer's names stand in where the address has none."""
    told = {
        "country": address.country,
        "subdivision": f"{address.country}-{address.region}" if address.country and address.region else "",
        "city": address.city,
        "postalCode": address.postal_code,
        "addressLine": address.street,
        "addressLine2": address.street_2,
    }
    contact = {
        "firstName": address.first_name or buyer.first_name,
        "lastName": address.last_name or buyer.last_name,
        "phone": address.phone or buyer.phone,
        "company": address.company,
    }
    parts = {"address": told, "contactDetails": contact}
    return {name: {key: value for key, value in part.items() if value} for name, part in parts.items()}


def _amount(amount: Decimal) -> dict[str, str]:
    return {"amount": f"{amount:f}"}
