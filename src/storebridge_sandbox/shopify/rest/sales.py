"""Orders written over REST: made, changed, cancelled, closed, opened again, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.products.state import Variant
from storebridge_sandbox.shopify.rest.given import (
    Given,
    address,
    id_of,
    metafields,
    money,
    pairs,
    part,
    renamed,
    rows,
    said,
    tags,
    upper,
    wrapped,
)
from storebridge_sandbox.shopify.rest.lists import RestLists
from storebridge_sandbox.shopify.rest.verbs import Verbs
from storebridge_sandbox.shopify.sales.jobs import Jobs

ORDER = {
    "email": "email",
    "phone": "phone",
    "note": "note",
    "name": "name",
    "po_number": "poNumber",
    "source_name": "sourceName",
    "source_identifier": "sourceIdentifier",
    "source_url": "sourceUrl",
    "processed_at": "processedAt",
    "closed_at": "closedAt",
    "currency": "currency",
    "presentment_currency": "presentmentCurrency",
    "referring_site": "referringSite",
    "taxes_included": "taxesIncluded",
    "test": "test",
    "buyer_accepts_marketing": "buyerAcceptsMarketing",
}
CHANGEABLE = {"email": "email", "phone": "phone", "note": "note", "po_number": "poNumber"}
LINE = {
    "quantity": "quantity",
    "title": "title",
    "variant_title": "variantTitle",
    "sku": "sku",
    "vendor": "vendor",
    "taxable": "taxable",
    "gift_card": "giftCard",
}
PERSON = {"email": "email", "phone": "phone", "first_name": "firstName", "last_name": "lastName"}
TRANSACTION = {
    "gateway": "gateway",
    "processed_at": "processedAt",
    "test": "test",
    "authorization": "authorizationCode",
}
ORDER_ID = "ID!"


class RestSales:
    """Each answers with the order as it is then; raises RestRefused, having changed nothing."""

    def __init__(
        self, verbs: Verbs, lists: RestLists, variants: Mapping[str, Variant], jobs: Jobs, currency: str
    ) -> None:
        self._verbs = verbs
        self._lists = lists
        self._variants = variants
        self._jobs = jobs
        self._currency = currency

    def create(self, content: Given, ref: str) -> dict[str, Any]:
        given = wrapped(content, "order")
        options = {
            **upper(given, "inventory_behaviour", "inventoryBehaviour"),
            **said(given, {"send_receipt": "sendReceipt", "send_fulfillment_receipt": "sendFulfillmentReceipt"}),
        }
        payload = self._verbs.carry_out(
            "orderCreate",
            ref,
            shows="order { id }",
            order=("OrderCreateOrderInput!", self._order(given)),
            options=("OrderCreateOptionsInput", options),
        )
        return self._shown(number_of(payload["order"]["id"]))

    def update(self, number: int, content: Given, ref: str) -> dict[str, Any]:
        self._lists.one("orders", number)
        given = wrapped(content, "order")
        wanted: dict[str, Any] = {**renamed(given, CHANGEABLE), **tags(given), **metafields(given)}
        if "note_attributes" in given:
            wanted["customAttributes"] = pairs(given, "note_attributes", "key")
        if part(given, "shipping_address"):
            wanted["shippingAddress"] = address(given["shipping_address"])
        self._verbs.carry_out("orderUpdate", ref, input=("OrderInput!", {**wanted, "id": gid("Order", number)}))
        return self._shown(number)

    def cancel(self, number: int, content: Given, ref: str) -> dict[str, Any]:
        """Done when the answer comes, whereas the newer API answers with a job."""
        self._lists.one("orders", number)
        payload = self._verbs.carry_out(
            "orderCancel",
            ref,
            shows="job { id }",
            orderId=(ORDER_ID, gid("Order", number)),
            reason=("OrderCancelReason!", str(content.get("reason") or "other").upper()),
            restock=("Boolean!", content.get("restock") in (True, "true")),
            refund=("Boolean", content.get("amount") is not None or content.get("refund") is not None),
        )
        self._jobs.at_once(payload["job"]["id"])
        return self._shown(number)

    def close(self, number: int, _content: Given, ref: str) -> dict[str, Any]:
        return self._put("orderClose", "OrderCloseInput!", number, ref)

    def open(self, number: int, _content: Given, ref: str) -> dict[str, Any]:
        return self._put("orderOpen", "OrderOpenInput!", number, ref)

    def _put(self, mutation: str, kind: str, number: int, ref: str) -> dict[str, Any]:
        self._lists.one("orders", number)
        self._verbs.carry_out(mutation, ref, input=(kind, {"id": gid("Order", number)}))
        return self._shown(number)

    def delete(self, number: int, ref: str) -> dict[str, Any]:
        self._lists.one("orders", number)
        self._verbs.carry_out("orderDelete", ref, orderId=(ORDER_ID, gid("Order", number)))
        return {}

    def _shown(self, number: int) -> dict[str, Any]:
        return {"order": self._lists.one("orders", number)}

    # -- the order as the newer API takes it -------------------------------------------------------------------

    def _order(self, given: Given) -> dict[str, Any]:
        currency = str(given.get("currency") or self._currency)
        wanted: dict[str, Any] = {
            **said(given, ORDER),
            **tags(given),
            **metafields(given),
            **upper(given, "financial_status", "financialStatus"),
            **upper(given, "fulfillment_status", "fulfillmentStatus"),
            "lineItems": [self._line(one, currency) for one in rows(given, "line_items")],
            "customAttributes": pairs(given, "note_attributes", "key"),
            "shippingLines": [_shipping(one, currency) for one in rows(given, "shipping_lines")],
            "taxLines": [_tax(one, currency) for one in rows(given, "tax_lines")],
            "transactions": [_transaction(one, currency) for one in rows(given, "transactions")],
            "shippingAddress": address(part(given, "shipping_address")),
            "billingAddress": address(part(given, "billing_address")),
            "customer": _customer(part(given, "customer")),
            "discountCode": _discount(rows(given, "discount_codes"), currency),
        }
        return {name: value for name, value in wanted.items() if value not in (None, [])}

    def _line(self, given: Given, currency: str) -> dict[str, Any]:
        variant_id, product_id = id_of("ProductVariant", given, "variant_id"), id_of("Product", given, "product_id")
        variant = self._variants.get(variant_id or "")
        ships = given.get("requires_shipping", variant.requires_shipping if variant else True)
        wanted = {
            **said(given, LINE),
            "variantId": variant_id,
            "productId": product_id,
            "requiresShipping": ships,
            "priceSet": None if given.get("price") is None else money(given["price"], currency),
            "properties": pairs(given, "properties", "name"),
            "taxLines": [_tax(one, currency) for one in rows(given, "tax_lines")],
        }
        return {name: value for name, value in wanted.items() if value not in (None, [])}


def _customer(given: Given | None) -> dict[str, Any] | None:
    """Somebody known by a number, else by address; an unknown address makes a customer."""
    known = id_of("Customer", given or {}, "id")
    if known:
        return {"toAssociate": {"id": known}}
    return {"toUpsert": said(given, PERSON)} if given else None


def _shipping(given: Given, currency: str) -> dict[str, Any]:
    plain = said(given, {"title": "title", "code": "code", "source": "source"})
    taxes = [_tax(one, currency) for one in rows(given, "tax_lines")]
    price = money(given.get("price") if given.get("price") is not None else "0", currency)
    return {"title": given.get("code") or "Shipping", **plain, "priceSet": price, "taxLines": taxes}


def _tax(given: Given, currency: str) -> dict[str, Any]:
    price = {} if given.get("price") is None else {"priceSet": money(given["price"], currency)}
    return {**said(given, {"title": "title", "rate": "rate"}), **price}


def _transaction(given: Given, currency: str) -> dict[str, Any]:
    amount = money(given.get("amount") if given.get("amount") is not None else "0", currency)
    words = {**upper(given, "kind", "kind"), **upper(given, "status", "status")}
    return {**said(given, TRANSACTION), **words, "amountSet": amount}


def _discount(codes: list[Given], currency: str) -> dict[str, Any] | None:
    """The first code; an order has one."""
    if not codes:
        return None
    code, amount = str(codes[0].get("code") or ""), codes[0].get("amount", "0")
    match codes[0].get("type"):
        case "percentage":
            return {"itemPercentageDiscountCode": {"code": code, "percentage": amount}}
        case "shipping":
            return {"freeShippingDiscountCode": {"code": code}}
    return {"itemFixedDiscountCode": {"code": code, "amountSet": money(amount, currency)}}
