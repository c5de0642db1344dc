"""Orders, their lines and refunds as the Admin API shows them."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.orders import Order, OrderBook, OrderLine, RefundedLine
from storebridge_sandbox.shopify.call import Resolvers, shows, shows_time
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.orders.state import OrderIndex
from storebridge_sandbox.shopify.paging import Page, compile_search, page_of
from storebridge_sandbox.shopify.products.state import Shelves

ORIGIN = "storebridge-origin"


class OrderAnswers:
    """Reads of orders."""

    def __init__(self, book: OrderBook, index: OrderIndex, shelves: Shelves) -> None:
        self._book = book
        self._index = index
        self._shelves = shelves

    def resolvers(self) -> Resolvers:
        return {
            ("QueryRoot", "order"): lambda _s, args, _c: self._book.orders.get(args["id"]),
            ("QueryRoot", "orders"): self._orders,
            **{("Order", name): shows(name) for name in ("id", "name", "tags", "refunds")},
            ("Order", "legacyResourceId"): lambda order, _a, _c: str(number_of(order.id)),
            ("Order", "createdAt"): shows_time("created_at"),
            ("Order", "processedAt"): shows_time("created_at"),
            ("Order", "updatedAt"): shows_time("updated_at"),
            ("Order", "cancelledAt"): shows_time("cancelled_at"),
            ("Order", "currencyCode"): shows("currency"),
            ("Order", "sourceIdentifier"): shows("origin"),
            ("Order", "displayFinancialStatus"): lambda order, _a, _c: order.payment.upper(),
            ("Order", "customAttributes"): _attributes,
            ("Order", "lineItems"): _lines,
            ("Attribute", "key"): lambda pair, _a, _c: pair[0],
            ("Attribute", "value"): lambda pair, _a, _c: pair[1],
            **{("LineItem", name): shows(name) for name in ("id", "quantity")},
            ("LineItem", "currentQuantity"): shows("current_quantity"),
            ("LineItem", "unfulfilledQuantity"): shows("unfulfilled"),
            ("LineItem", "refundableQuantity"): shows("current_quantity"),
            ("LineItem", "title"): lambda line, _a, _c: line.variant.title,
            ("LineItem", "name"): lambda line, _a, _c: line.variant.title,
            ("LineItem", "sku"): lambda line, _a, _c: line.variant.sku or None,
            ("LineItem", "variant"): lambda line, _a, _c: self._shelves.variants.get(line.variant.variant_id),
            ("Refund", "id"): shows("id"),
            ("Refund", "createdAt"): shows_time("at"),
            ("Refund", "refundLineItems"): _refund_lines,
            ("RefundLineItem", "id"): lambda pair, _a, _c: pair[0],
            ("RefundLineItem", "quantity"): lambda pair, _a, _c: pair[1].quantity,
            ("RefundLineItem", "restockType"): lambda pair, _a, _c: restock_type(pair[1]),
            ("RefundLineItem", "restocked"): lambda pair, _a, _c: pair[1].restock,
            ("RefundLineItem", "lineItem"): lambda pair, _a, _c: pair[1].line,
        }

    def _orders(self, _source: Any, args: dict[str, Any], _call: Any) -> Page:
        fields = {
            "updated_at": lambda row: row[0],
            "created_at": lambda row: row[1].created_at,
            "name": lambda row: row[1].name,
            "tag": lambda row: row[1].tags,
            "source_identifier": lambda row: row[1].origin,
        }
        search = compile_search(args.get("query"), fields)
        found = [row for row in self._index.rows() if search.test(row)]
        by_update = args.get("sortKey") == "UPDATED_AT"
        rows = [
            ((updated if by_update else order.created_at).isoformat(), number_of(order.id), order)
            for updated, order in found
        ]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)


def _attributes(order: Order, _args: dict[str, Any], _call: Any) -> list[tuple[str, str]]:
    return [] if order.origin is None else [(ORIGIN, order.origin)]


def _lines(order: Order, args: dict[str, Any], _call: Any) -> Page:
    rows: list[tuple[str, int, OrderLine]] = [(line.id, number_of(line.id), line) for line in order.lines]
    return page_of(sorted(rows, key=lambda row: row[:2]), args)


def _refund_lines(refund: Any, args: dict[str, Any], _call: Any) -> Page:
    base = number_of(refund.id) * 1000
    rows = [
        (f"{place:06d}", base + place, (f"gid://shopify/RefundLineItem/{base + place}", back))
        for place, back in enumerate(refund.lines)
    ]
    return page_of(rows, args)


def restock_type(back: RefundedLine) -> str:
    """How goods came back, if they did."""
    if not back.restock:
        return "NO_RESTOCK"
    return "RETURN" if back.was_fulfilled else "CANCEL"
