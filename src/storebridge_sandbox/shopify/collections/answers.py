"""Collections as the Admin API and the webhooks show them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, iso, shows, shows_time
from storebridge_sandbox.shopify.collections.state import Collection, Collections
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.paging import Page, Row, Search, compile_search, page_of
from storebridge_sandbox.shopify.products.state import Product, Shelves

FIELDS: dict[str, Callable[[Any], Any]] = {
    "id": lambda one: number_of(one.id),
    "title": lambda one: one.title,
    "handle": lambda one: one.handle,
    "updated_at": lambda one: one.updated_at,
    "collection_type": lambda _one: "custom",
}
SORT: dict[str, Callable[[Collection], str]] = {
    "TITLE": lambda one: one.title.lower(),
    "UPDATED_AT": lambda one: one.updated_at.isoformat(),
}
SORT_OF_PRODUCTS: dict[str, Callable[[Product], str]] = {
    "TITLE": lambda one: one.title.lower(),
    "CREATED": lambda one: one.created_at.isoformat(),
    "ID": lambda _one: "",
}
"""Every other sort key is the order in which staff put them in."""
MOST_COUNTED = 10_000
PUBLISHED = ("publishedOnChannel", "publishedOnCurrentChannel", "publishedOnCurrentPublication",
             "publishedOnPublication")  # fmt: skip


class CollectionAnswers:
    """Reads of collections, and of the collections of a product."""

    def __init__(self, collections: Collections, shelves: Shelves) -> None:
        self._collections = collections
        self._shelves = shelves

    def resolvers(self) -> Resolvers:
        known = self._collections
        return {
            **_fields(),
            ("QueryRoot", "collection"): lambda _s, args, _c: known.all.get(args["id"]),
            ("QueryRoot", "collectionByHandle"): lambda _s, args, _c: known.by_handle(args["handle"]),
            ("QueryRoot", "collectionByIdentifier"): lambda _s, args, _c: self._identified(args["identifier"]),
            ("QueryRoot", "collections"): lambda _s, args, call: _listed(known.all.values(), args, call),
            ("QueryRoot", "collectionsCount"): self._count,
            ("Collection", "products"): lambda one, args, _c: page_of(self._product_rows(one, args), args),
            ("Product", "collections"): lambda one, args, call: _listed(known.holding(one.id), args, call),
            ("Product", "inCollection"): lambda one, args, _c: self._holds(args["id"], one),
            ("Product", "variantsInCollection"): lambda one, args, _c: page_of(
                [("", number_of(v.variant_id), v) for v in self._variants_in(one, args["collectionId"])], args
            ),
            ("Product", "variantsInCollectionCount"): lambda one, args, _c: len(
                self._variants_in(one, args["collectionId"])
            ),
        }

    def _identified(self, identifier: dict[str, Any]) -> Collection | None:
        if identifier.get("id"):
            return self._collections.all.get(identifier["id"])
        return self._collections.by_handle(identifier.get("handle") or "")

    def _count(self, _source: Any, args: dict[str, Any], call: Call) -> int:
        search = _read(args, call)
        return min(sum(map(search.test, self._collections.all.values())), args.get("limit") or MOST_COUNTED)

    def _holds(self, collection_id: str, product: Product) -> bool:
        return any(one.id == collection_id for one in self._collections.holding(product.id))

    def _variants_in(self, product: Product, collection_id: str) -> list[Any]:
        return list(product.variants) if self._holds(collection_id, product) else []

    def _product_rows(self, collection: Collection, args: dict[str, Any]) -> list[Row]:
        products = [self._shelves.products[name] for name in collection.product_ids]
        key = SORT_OF_PRODUCTS.get(args.get("sortKey") or "")
        if key is None:
            return [(f"{place:06d}", number_of(one.id), one) for place, one in enumerate(products)]
        return sorted(((key(one), number_of(one.id), one) for one in products), key=lambda row: row[:2])


def _fields() -> Resolvers:
    return {
        **{("Collection", name): _published for name in PUBLISHED},
        ("Collection", "publicationCount"): lambda _o, _a, _c: 1,
        **{("Collection", name): shows(name) for name in ("id", "title", "handle")},
        ("Collection", "legacyResourceId"): lambda one, _a, _c: str(number_of(one.id)),
        ("Collection", "updatedAt"): shows_time("updated_at"),
        ("Collection", "descriptionHtml"): shows("description_html"),
        ("Collection", "description"): lambda one, args, _c: _plain(one.description_html)[: args.get("truncateAt")],
        ("Collection", "sortOrder"): shows("sort_order"),
        ("Collection", "templateSuffix"): shows("template_suffix"),
        ("Collection", "seo"): lambda one, _a, _c: {
            "title": one.seo.get("title"),
            "description": one.seo.get("description"),
        },
        ("Collection", "hasProduct"): lambda one, args, _c: args["id"] in one.product_ids,
        ("Collection", "productsCount"): lambda one, _a, _c: len(one.product_ids),
    }


def _published(_collection: Collection, _args: dict[str, Any], _call: Call) -> bool:
    """The shop's one channel shows every collection."""
    return True


def _listed(found: Iterable[Collection], args: dict[str, Any], call: Call) -> Page:
    search = _read(args, call)
    key = SORT.get(args.get("sortKey") or "", _unsorted)
    rows = sorted(((key(one), number_of(one.id), one) for one in found), key=lambda row: row[:2])
    return page_of(rows, args, None if search.is_open else search.test)


def _unsorted(_collection: Collection) -> str:
    return ""


def _read(args: dict[str, Any], call: Call) -> Search:
    return compile_search(args.get("query"), FIELDS, lambda one: one.title, call=call)


def _plain(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html).strip()


def collection_payload(one: Collection) -> dict[str, Any]:
    """``collections/create`` and ``collections/update``: the collection, and not what is in it."""
    return {
        "id": number_of(one.id),
        "admin_graphql_api_id": one.id,
        "handle": one.handle,
        "title": one.title,
        "updated_at": iso(one.updated_at),
        "body_html": one.description_html,
        "published_at": iso(one.updated_at),
        "sort_order": one.sort_order.lower().replace("_", "-"),
        "template_suffix": one.template_suffix,
        "published_scope": "web",
    }
