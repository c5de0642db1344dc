"""An order of another store as Shopify's ``orderCreate`` takes it, and the search for one by its stamp.

``BYPASS`` leaves stock alone (S13), no receipt goes to the buyer, and the stamp stands twice: in ``sourceIdentifier``,
which is searched (S14), and in a custom attribute, which comes back in every read.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from storebridge.connectors.shopify.client import Operation, Shape, ShopifyClient
from storebridge.connectors.shopify.translate import ORIGIN_ATTRIBUTE, Attribute, Rows
from storebridge.model.copying import BUYERS_TOTAL, CopiedGoods, buyers_total
from storebridge.model.ids import OrderId
from storebridge.model.money import Money
from storebridge.model.order_writes import ChangeDetails, CreateCopy
from storebridge.model.sales import (
    Address,
    Order,
    OrderLine,
    Payment,
    PaymentKind,
    PaymentOutcome,
    Price,
    ShippingLine,
    TaxLine,
)

COPY_OPTIONS = {"inventoryBehaviour": "BYPASS", "sendReceipt": False, "sendFulfillmentReceipt": False}
LINES_PER_ORDER = 250
"""Shopify refuses any call with a longer list in its input (https://shopify.dev/docs/api/usage/limits)."""
SOURCE = "storebridge"
NAME_ATTRIBUTE = "Order of origin"
FIND_COPY = Operation(
    "findCopy",
    "query findCopy($query: String!) { page: orders(first: 5, query: $query) {"
    " nodes { id customAttributes { key value } } } }",
)


class Found(Shape, frozen=True):
    """An order that the search shows."""

    id: str
    custom_attributes: tuple[Attribute, ...] = ()


class FoundCopies(Shape, frozen=True):
    """What the search shows; a field that it does not know it ignores, and shows anything (S14)."""

    page: Rows[Found] = Rows()


async def find_copy(client: ShopifyClient, stamp: str) -> OrderId | None:
    """The order that bears this stamp. Raises CallTrouble."""
    quoted = stamp.replace("\\", "\\\\").replace("'", "\\'")
    answer = await client.ask(FIND_COPY, {"query": f"source_identifier:'{quoted}'"}, FoundCopies)
    return next((OrderId(node.id) for node in answer.page.nodes if _bears(node, stamp)), None)


def _bears(node: Found, stamp: str) -> bool:
    return any(one.key == ORIGIN_ATTRIBUTE and one.value == stamp for one in node.custom_attributes)


def copy_of(write: CreateCopy) -> dict[str, Any]:
    """``OrderCreateOrderInput``; pure."""
    order = write.original
    told: dict[str, Any] = {
        "currency": order.currency,
        "processedAt": order.placed_at.isoformat(),
        "sourceIdentifier": write.stamp,
        "sourceName": SOURCE,
        "customAttributes": [
            {"key": ORIGIN_ATTRIBUTE, "value": write.stamp},
            {"key": NAME_ATTRIBUTE, "value": f"{order.connection} {order.name}"},
            *([{"key": BUYERS_TOTAL, "value": buyers_total(order)}] if buyers_total(order) else []),
        ],
        "tags": [*order.tags, f"from-{order.connection}"],
        "taxesIncluded": order.tax_included,
        "financialStatus": "PAID",
        "lineItems": [_line(line, goods) for line, goods in zip(order.lines, write.goods, strict=True)],
        "shippingLines": [_shipping(line) for line in order.shipping],
        "transactions": [_payment(payment, order) for payment in _payments(order)],
        "discountCode": _discount(order),
        "note": order.note,
        "email": order.buyer.email,
        "customer": _customer(order),
        "shippingAddress": _address(order.shipping_address),
        "billingAddress": _address(order.billing_address),
    }
    return {name: value for name, value in told.items() if value not in ("", None)}


def details_of(write: ChangeDetails) -> dict[str, Any]:
    """``OrderInput`` with what changed only; an e-mail or an address that was taken out stays, Shopify keeps one."""
    details = write.details
    told: dict[str, tuple[str, Any]] = {
        "email": ("email", details.email or None),
        "note": ("note", details.note),
        "tags": ("tags", list(write.tags)),
        "shipping_address": ("shippingAddress", _address(details.shipping_address)),
    }
    changed = dict(told[name] for name in write.changed)
    return {"id": write.order_id, **{name: value for name, value in changed.items() if value is not None}}


def _line(line: OrderLine, goods: CopiedGoods | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "title": line.title or line.sku or "Item",
        "quantity": line.current,
        "priceSet": _bag(line.unit_price),
        "requiresShipping": line.needs_shipping,
        "taxable": bool(line.taxes),
        "taxLines": _taxes(line.taxes, line.unit_price.shop.amount * line.current - line.discount.shop.amount),
    }
    if line.sku:
        told["sku"] = line.sku
    if goods is not None:
        told["variantId"] = goods.variant_id
    return told


def _shipping(line: ShippingLine) -> dict[str, Any]:
    """What the buyer pays for it: Shopify takes no discount on a shipping line here."""
    net = Price.of(line.price.shop.amount - line.discount.shop.amount, line.price.shop.currency)
    told = {"title": line.title or "Shipping", "priceSet": _bag(net), "taxLines": _taxes(line.taxes, net.shop.amount)}
    return {**told, "code": line.code} if line.code else told


def _discount(order: Order) -> dict[str, Any] | None:
    """All discounts on goods as one code: the input takes one, and Shopify shares it out over the lines."""
    off = sum((line.discount.shop.amount for line in order.lines), Decimal(0))
    if not off:
        return None
    names = [one.code or one.title for one in order.discounts]
    code = ", ".join(name for name in names if name)[:255] or "discount"
    return {"itemFixedDiscountCode": {"code": code, "amountSet": _bag(Price.of(off, order.currency))}}


def _taxes(taxes: tuple[TaxLine, ...], base: Decimal) -> list[dict[str, Any]]:
    return [
        {"title": tax.title, "rate": f"{_rate(tax, base):f}", "priceSet": _bag(tax.amount)}
        for tax in taxes
        if tax.amount.shop.amount
    ]


def _rate(tax: TaxLine, base: Decimal) -> Decimal:
    """Shopify refuses a tax without a rate (``TAX_LINE_RATE_MISSING``)."""
    if tax.rate is not None:
        return tax.rate
    return (tax.amount.shop.amount / base).quantize(Decimal("0.000001")) if base else Decimal(0)


def _payments(order: Order) -> list[Payment]:
    """Money that came in; one payment of the whole where the store lists it otherwise."""
    came = [
        one
        for one in order.payments
        if one.kind in (PaymentKind.SALE, PaymentKind.CAPTURE) and one.outcome is PaymentOutcome.SUCCESS
    ]
    paid = order.totals.paid
    if sum((one.amount.shop.amount for one in came), Decimal(0)) == paid.shop.amount:
        return came
    return [Payment("", PaymentKind.SALE, PaymentOutcome.SUCCESS, paid, order.placed_at, gateway=SOURCE)]


def _payment(payment: Payment, order: Order) -> dict[str, Any]:
    """Under a name that no provider of the shop has, so that a refund calls none (S35)."""
    return {
        "kind": "SALE",
        "status": "SUCCESS",
        "amountSet": _bag(payment.amount),
        "gateway": " ".join(filter(None, (order.connection, payment.gateway))),
        "processedAt": payment.at.isoformat(),
    }


def _customer(order: Order) -> dict[str, Any] | None:
    """The shop's customer of that address, made when it knows none; nobody without an address."""
    buyer = order.buyer
    if not buyer.email:
        return None
    told = {"email": buyer.email, "firstName": buyer.first_name, "lastName": buyer.last_name}
    return {"toUpsert": {name: value for name, value in told.items() if value}}


def _address(address: Address | None) -> dict[str, str] | None:
    if address is None:
        return None
    told = {
        "firstName": address.first_name,
        "lastName": address.last_name,
        "company": address.company,
        "address1": address.street,
        "address2": address.street_2,
        "city": address.city,
        "provinceCode": address.region,
        "zip": address.postal_code,
        "countryCode": address.country,
        "phone": address.phone,
    }
    return {name: value for name, value in told.items() if value} or None


def _bag(price: Price) -> dict[str, Any]:
    return {"shopMoney": _money(price.shop)}


def _money(money: Money) -> dict[str, str]:
    return {"amount": f"{money.amount:f}", "currencyCode": money.currency}
