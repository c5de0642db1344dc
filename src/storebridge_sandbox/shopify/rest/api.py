"""The REST paths that read, the bucket and the errors. What is not here is 404, like a path that is not Shopify's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from storebridge_sandbox.shopify.rest.after_sale import AfterSale
from storebridge_sandbox.shopify.rest.call_bucket import CallBucket
from storebridge_sandbox.shopify.rest.lists import RestLists
from storebridge_sandbox.shopify.rest.pages import RestRefused, Wish, cut, link_header, page_of
from storebridge_sandbox.shopify.rest.writes import RestWrites
from storebridge_sandbox.shopify.shop.scopes import allows
from storebridge_sandbox.sleeping import only_looking

PATH = re.compile(r"/admin/api/[\w-]+/([\w/]+)\.json")
SCOPES_PATH = "/admin/oauth/access_scopes.json"
RESOURCES = {
    "products": "products", "variants": "products", "orders": "orders", "customers": "customers",
    "locations": "locations", "inventory_items": "inventory", "inventory_levels": "inventory",
    "fulfillments": "fulfillments",
}  # fmt: skip
CALL_LIMIT = b"X-Shopify-Shop-Api-Call-Limit"
"""In the vendor's own letters: Python's client looks for just these."""
NOT_FOUND = "Not Found"
Headers = list[tuple[bytes, bytes]]
Told = tuple[int, Any, Headers]


def is_rest(path: str) -> bool:
    return path == SCOPES_PATH or (PATH.fullmatch(path) is not None and not path.endswith("/graphql.json"))


class RestApi:
    """``answer`` gives status, content and headers of one call by an app that was let in."""

    def __init__(
        self,
        lists: RestLists,
        writes: RestWrites,
        after: AfterSale,
        bucket: CallBucket,
        scopes: Callable[[], tuple[str, ...]],
        *,
        denies: bool,
    ) -> None:
        self._lists = lists
        self._writes = writes
        self._inners: dict[tuple[str, str], Callable[[int], dict[str, Any]]] = {
            ("orders", "transactions"): after.transactions,
            ("orders", "refunds"): after.refunds,
            ("orders", "fulfillments"): after.fulfilments,
            ("orders", "fulfillment_orders"): after.fulfilment_orders,
            ("customers", "orders"): lists.orders_of,
            ("customers", "addresses"): lists.addresses_of,
        }
        self._bucket = bucket
        self._scopes = scopes
        self._denies = denies

    def answer(self, method: str, address: str, path: str, query: bytes, body: bytes, ref: str) -> Told:
        """``address`` is the whole of it without the query, for links to other pages."""
        if not self._bucket.take():
            rate = int(self._bucket.rate)
            told = f"Exceeded {rate} calls per second for api client. Reduce request rates to resume uninterrupted"
            return 429, {"errors": f"{told} service."}, [(b"retry-after", b"2.0")]
        limit = [(CALL_LIMIT, self._bucket.shown().encode())]
        asked = dict(parse_qsl(query.decode("latin-1")))
        try:
            if path == SCOPES_PATH:
                return 200, {"access_scopes": [{"handle": one} for one in self._scopes()]}, limit
            found = PATH.fullmatch(path)
            parts = found[1].split("/") if found else []
            self._check_scope(method, parts[0] if parts else "")
            with only_looking(yes=method == "GET"):
                status, content, headers = (
                    self._read(parts, asked, address)
                    if method == "GET"
                    else self._write(method, parts, asked, body, ref)
                )
        except RestRefused as refused:
            return refused.status, {"errors": refused.errors}, limit
        return status, content, limit + headers

    def _check_scope(self, method: str, name: str) -> None:
        resource = RESOURCES.get(name)
        scope = f"{'read' if method == 'GET' else 'write'}_{resource}"
        if resource is not None and self._denies and not allows(self._scopes(), (scope,)):
            raise RestRefused(403, f"[API] This action requires merchant approval for {scope} scope.")

    def _read(self, parts: list[str], asked: dict[str, str], address: str) -> Told:
        lists, fields = self._lists, asked.get("fields")
        match parts:
            case ["shop"]:
                return 200, {"shop": cut(lists.shop(), fields)}, []
            case [name] if name in lists.names:
                return self._page(name, lambda filters: lists.rows(name, filters), asked, address)
            case [name, "count"] if name in lists.names:
                return 200, {"count": len(lists.rows(name, asked))}, []
            case ["customers", "search"]:
                return self._page("customers", lambda filters: lists.searched(filters), asked, address)
            case ["inventory_items"]:
                return 200, {"inventory_items": [cut(row, fields) for row in lists.items(asked)]}, []
            case ["inventory_levels"]:
                rows = [{"id": place, **row} for place, row in enumerate(lists.levels(_filters(asked)))]
                return self._page("inventory_levels", lambda _filters: rows, asked, address)
            case ["locations", number, "inventory_levels"]:
                lists.one("locations", _number(number))
                return 200, {"inventory_levels": lists.levels({"location_ids": number})}, []
            case ["products", number, "variants"]:
                numbered = _number(number)
                return self._page("variants", lambda filters: lists.variants_of(numbered, filters), asked, address)
            case ["products", number, "variants", "count"]:
                return 200, {"count": len(lists.variants_of(_number(number), asked))}, []
            case ["products", number, "variants", inner_number]:
                lists.one("products", _number(number))
                return 200, {"variant": cut(lists.one("variants", _number(inner_number)), fields)}, []
            case ["orders" | "customers" as name, number, inner]:
                return 200, self._inner(name, _number(number), inner), []
            case ["orders" | "customers" as name, number, inner, inner_number]:
                (held,) = self._inner(name, _number(number), inner).values()
                found = next((one for one in held if one["id"] == _number(inner_number)), None)
                if found is not None:
                    return 200, {singular(inner): cut(found, fields)}, []
            case [name, number] if name in lists.names or name == "inventory_items":
                return 200, {name[:-1]: cut(lists.one(name, _number(number)), fields)}, []
        raise RestRefused(404, NOT_FOUND)

    def _inner(self, name: str, number: int, inner: str) -> dict[str, Any]:
        """What belongs to one order or one customer."""
        read = self._inners.get((name, inner))
        if read is None:
            raise RestRefused(404, NOT_FOUND)
        return read(number)

    def _page(
        self, name: str, rows: Callable[[Mapping[str, str]], list[dict[str, Any]]], asked: dict[str, str], address: str
    ) -> Told:
        wish = Wish.read(asked)
        page = page_of(rows(wish.filters), wish)
        link = link_header(page, address, wish.limit, asked.get("fields"))
        shown = [cut(_without_place(name, row), asked.get("fields")) for row in page.rows]
        return 200, {name: shown}, [(b"link", link.encode())] if link else []

    def _write(self, method: str, parts: list[str], asked: dict[str, str], body: bytes, ref: str) -> Told:
        found = self._writes.find(method, parts)
        if found is None:
            raise RestRefused(404, NOT_FOUND)
        status, numbers, write = found
        content = {**asked, **(_content(body) if body else {})}  # clients use either
        return status, write(*numbers, content, ref), []


def singular(name: str) -> str:
    return "address" if name == "addresses" else name[:-1]


def _filters(asked: dict[str, str]) -> Mapping[str, str]:
    return Wish.read(asked).filters


def _without_place(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A level has no number of its own; its place in the list stood in for it."""
    return {key: value for key, value in row.items() if key != "id"} if name == "inventory_levels" else row


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 19:
        raise RestRefused(404, NOT_FOUND)
    return int(text)


def _content(body: bytes) -> dict[str, Any]:
    try:
        held = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RestRefused(400, {"base": "invalid JSON"}) from None
    if not isinstance(held, dict):
        raise RestRefused(400, {"base": "Required parameter missing or invalid"})
    return held
