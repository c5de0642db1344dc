"""``orders(query:)`` and its kin: the search fields that matter, sort keys, counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from storebridge_sandbox.shopify import candidates
from storebridge_sandbox.shopify.call import Call
from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.paging import Page, Row, Search, Term, compile_search, page_of
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.fulfilment_status import order_status
from storebridge_sandbox.shopify.sales.index import KEPT, FoundOrder, OrderIndex, bare_name
from storebridge_sandbox.shopify.sales.return_status import order_return_status
from storebridge_sandbox.shopify.sales.state import ShopOrder

REACH = timedelta(days=60)
Field = Callable[[FoundOrder], Any]
MOMENTS = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at"}
"""The search field that a sort key goes by."""


def _status(row: FoundOrder) -> list[str]:
    order = row[1]
    states = ["any"]
    if order.cancelled_at is not None:
        return [*states, "cancelled"]
    return [*states, "closed" if order.closed_at else "open", "not_closed" if order.closed_at is None else "closed"]


def _fulfilment(row: FoundOrder) -> list[str]:
    """``unshipped`` and ``unfulfilled`` both name what has nothing sent; ``shipped`` and ``fulfilled`` the rest."""
    status = order_status(row[1])
    if status == "FULFILLED":
        return ["fulfilled", "shipped"]
    if status == "PARTIALLY_FULFILLED":
        return ["partial", "partially_fulfilled"]
    return ["unfulfilled", "unshipped", status.lower()]


FIELDS: dict[str, Field] = {
    "cancelled_at": lambda row: row[1].cancelled_at,
    "closed_at": lambda row: row[1].closed_at,
    "created_at": lambda row: row[1].created_at,
    "current_total_price": lambda row: totals.current_total(row[1]).shop,
    "customer_id": lambda row: number_of(row[1].customer_id) if row[1].customer_id else None,
    "discount_code": lambda row: [one.name for one in row[1].discounts if one.kind == "code"],
    "email": lambda row: row[1].email,
    "financial_status": lambda row: (totals.financial_status(row[1]) or "PENDING").lower(),
    "fulfillment_location_id": lambda row: [number_of(fo.location_id) for fo in row[1].fulfilment_orders],
    "fulfillment_status": _fulfilment,
    "gateway": lambda row: totals.gateways(row[1]),
    "id": lambda row: number_of(row[1].id),
    "location_id": lambda row: [number_of(fo.location_id) for fo in row[1].fulfilment_orders],
    "name": lambda row: [row[1].name, row[1].name.lstrip("#")],
    "payment_id": lambda row: [number_of(one.id) for one in row[1].transactions],
    "po_number": lambda row: row[1].po_number,
    "processed_at": lambda row: row[1].processed_at,
    "product_id": lambda row: [number_of(line.product_id) for line in row[1].shop_lines() if line.product_id],
    "reference_location_id": lambda _row: None,
    "return_status": lambda row: order_return_status(row[1]).lower(),
    "sku": lambda row: [line.sku for line in row[1].shop_lines() if line.sku],
    "source_identifier": lambda row: row[1].origin,
    "source_name": lambda row: row[1].source_name,
    "status": _status,
    "tag": lambda row: row[1].tags,
    "test": lambda row: str(row[1].test).lower(),
    "total_weight": lambda _row: 0,
    "updated_at": lambda row: row[0],
}
"""Fields that a search tests; ``tag_not`` is handled apart."""

SORTS: dict[str, Field] = {
    "CREATED_AT": lambda row: row[1].created_at.isoformat(),
    "UPDATED_AT": lambda row: row[0].isoformat(),
    "PROCESSED_AT": lambda row: (row[1].processed_at or row[1].created_at).isoformat(),
    "CURRENT_TOTAL_PRICE": lambda row: f"{totals.current_total(row[1]).shop:020.2f}",
    "TOTAL_PRICE": lambda row: f"{totals.total_price(row[1]).shop:020.2f}",
    "CUSTOMER_NAME": lambda row: str(row[1].customer.get("last_name", "")),
    "DESTINATION": lambda row: str((row[1].shipping_address or {}).get("city", "")),
    "FINANCIAL_STATUS": lambda row: totals.financial_status(row[1]) or "",
    "FULFILLMENT_STATUS": lambda row: order_status(row[1]),
    "ID": lambda row: f"{number_of(row[1].id):020d}",
    "ORDER_NUMBER": lambda row: f"{row[1].number:012d}",
    "PO_NUMBER": lambda row: row[1].po_number or "",
    "RELEVANCE": lambda row: row[1].created_at.isoformat(),
    "TOTAL_ITEMS_QUANTITY": lambda row: f"{sum(line.quantity for line in row[1].lines):012d}",
}


class OrderSearch:
    """Searches see orders as the index knows them, a little late (S26)."""

    def __init__(self, index: OrderIndex, options: ShopifyOptions) -> None:
        self._index = index
        self._fields = dict(FIELDS)
        scopes = options.granted_scopes
        self._sees_all = scopes is None or "read_all_orders" in scopes
        if not options.source_identifier_is_searchable:
            del self._fields["source_identifier"]

    def orders(self, _source: Any, args: dict[str, Any], call: Call) -> Page:
        search = self._read(args, call, "orders")
        rows = self._in_order(search, args.get("sortKey") or "PROCESSED_AT")
        page = page_of(rows, args, self._test(search, call))
        return replace(page, nodes=[order for _, order in page.nodes])

    def count(self, _source: Any, args: dict[str, Any], call: Call) -> Any:
        """At most ``limit``, and then it says that there may be more (recorded)."""
        search, limit = self._read(args, call, "ordersCount"), args.get("limit")
        found = self._in_order(search, "UPDATED_AT")
        if (test := self._test(search, call)) is not None:
            passing = (row for row in found if test(row[2]))
            found = list(islice(passing, None if limit is None else limit + 1))
        if limit is not None and len(found) > limit:
            return {"count": limit, "precision": "AT_LEAST"}
        return {"count": len(found), "precision": "EXACT"}

    def shows(self, order: ShopOrder, call: Call) -> bool:
        """``read_orders`` alone shows orders of the last 60 days."""
        return self._sees_all or call.now - order.created_at <= REACH

    def _test(self, search: Search, call: Call) -> Callable[[FoundOrder], bool] | None:
        """What a row must pass; None: anything does."""
        if self._sees_all:
            return None if search.is_open else search.test
        return lambda row: self.shows(row[1], call) and (search.is_open or search.test(row))

    def returns_of(self, order: ShopOrder, args: dict[str, Any], call: Call) -> Page:
        fields = {
            "status": lambda one: one.status,
            "created_at": lambda one: one.created_at,
            "name": lambda one: one.name,
        }
        search = compile_search(args.get("query"), fields)
        call.ignored("returns", args.get("query"), search)
        rows = [(str(number_of(one.id)), number_of(one.id), one) for one in order.returns if search.test(one)]
        return page_of(rows, args)

    def _read(self, args: dict[str, Any], call: Call, name: str) -> Search:
        search: Search = compile_search(args.get("query"), self._fields, _words)
        call.ignored(name, args.get("query"), search)
        return search

    def _in_order(self, search: Search, sort_key: str) -> Sequence[Row]:
        """Rows among which all that the search finds are, in the order of the sort key."""
        found = self._candidates(search)
        if found is None and sort_key in KEPT:
            rows, field = self._index.kept(sort_key).rows(), MOMENTS.get(sort_key)
            return rows if field is None else candidates.since(rows, field, search)
        if found is None:
            found = [row[2] for row in self._index.kept("ID").rows()]
        sort = SORTS[sort_key]
        return sorted(((sort(one), number_of(one[1].id), one) for one in found), key=lambda row: row[:2])

    def _candidates(self, search: Search) -> list[FoundOrder] | None:
        """What an index finds for one of the terms; None: all are to be gone through."""
        for term in search.terms:
            number = term.value.rpartition("/")[2]
            if term.field == "id" and term.equals and number.isdecimal():
                one = self._index.find(gid("Order", int(number)))
                return [] if one is None else [one]
        names = [name for name in KEPT if name in self._fields]
        kept = {name: self._index.kept(name) for name in names}
        found = candidates.of_value(search, kept, _word)
        if found is not None:
            return found
        moments = {field: self._index.kept(sort_key) for sort_key, field in MOMENTS.items()}
        return candidates.fewest_since(search, moments) if search.terms else None


def _word(term: Term) -> str:
    return bare_name(term.value) if term.field == "name" else term.value.lower()


def _words(row: FoundOrder) -> str:
    """What a bare word is looked for in."""
    order = row[1]
    customer = " ".join(str(value) for value in order.customer.values())
    lines = " ".join(f"{line.title} {line.sku or ''}" for line in order.shop_lines())
    return f"{order.name} {order.email or ''} {order.note or ''} {customer} {lines}"
