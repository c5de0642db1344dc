"""The mutations of collections that staff fill by hand; rules, sources and pictures are not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from storebridge_sandbox.shopify.call import Call, Resolvers
from storebridge_sandbox.shopify.collections.answers import CollectionAnswers, collection_payload
from storebridge_sandbox.shopify.collections.state import Collection, Collections
from storebridge_sandbox.shopify.engine import load_schema
from storebridge_sandbox.shopify.ids import Numbers, number_of
from storebridge_sandbox.shopify.mutations import Verb, mutation_resolvers, refuse
from storebridge_sandbox.shopify.products.payloads import product_payload
from storebridge_sandbox.shopify.products.state import Product, Shelves
from storebridge_sandbox.shopify.products.writes import handle_of
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales.news import Notice
from storebridge_sandbox.shopify.subscriptions.state import Subscriptions

COPIED = {"title": "title", "descriptionHtml": "description_html", "templateSuffix": "template_suffix",
          "sortOrder": "sort_order"}  # fmt: skip
LONGEST = 255
MOST_PRODUCTS = 250
NOT_THERE = "Collection does not exist"


@dataclass(frozen=True, slots=True)
class DoneAtOnce:
    """The job that an answer names; its work is done when the answer goes out."""

    graphql_type: ClassVar[str] = "Job"
    id: str
    done: bool = True


class CollectionDesk:
    """Everything about collections; ``subscriptions`` are told of changes."""

    def __init__(
        self,
        collections: Collections,
        shelves: Shelves,
        numbers: Numbers,
        options: ShopifyOptions,
        subscriptions: Subscriptions,
        shop: object,
        now: Callable[[], datetime],
    ) -> None:
        self._collections = collections
        self._shelves = shelves
        self._numbers = numbers
        self._options = options
        self._announce = subscriptions.announce
        self._shop = shop
        self._now = now

    def resolvers(self) -> Resolvers:
        verbs: dict[str, Verb] = {
            "collectionCreate": self._create,
            "collectionUpdate": self._update,
            "collectionDelete": self._delete,
            "collectionAddProducts": self._add,
            "collectionAddProductsV2": self._add_later,
            "collectionRemoveProducts": self._remove_products,
        }
        reads = CollectionAnswers(self._collections, self._shelves)
        return {**mutation_resolvers(load_schema(), verbs), **reads.resolvers()}

    def _create(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        given = args.get("collection") or args.get("input") or {}
        self._check(given, None, needs_title=True)
        products = self._known_products(given.get("products") or [], ["products"])
        wanted = given.get("handle") or handle_of(given["title"])
        made = Collection(self._numbers.new("Collection"), given["title"], self._free_handle(wanted), call.now)
        self._apply(made, given, call)
        self._collections.all[made.id] = made
        self._collections.put_in(made, products)
        self._announce([("collections/create", lambda: collection_payload(made))])
        return {"collection": made}

    def _update(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        given = args.get("collection") or args.get("input") or {}
        found = self._found(given.get("id") or "")
        self._check(given, found, needs_title=False)
        products = None if given.get("products") is None else self._known_products(given["products"], ["products"])
        self._apply(found, given, call)
        if given.get("handle"):
            found.handle = given["handle"]
        moved: list[str] = []
        if products is not None:
            moved = [name for name in {*products, *found.product_ids} if (name in products) != self._holds(found, name)]
            self._collections.take_out(found, [name for name in list(found.product_ids) if name not in products])
            self._collections.put_in(found, products)
        self._tell([("collections/update", lambda: collection_payload(found))], moved)
        return {"collection": found, "job": None}

    def _delete(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        found = self._found(args["input"]["id"], shop=self._shop)
        self._collections.remove(found)
        gone = {"id": number_of(found.id), "admin_graphql_api_id": found.id}
        self._announce([("collections/delete", lambda: gone)])
        return {"deletedCollectionId": found.id, "shop": self._shop}

    def _add(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        found = self._found(args["id"])
        products = self._known_products(args["productIds"], ["productIds"])
        if any(self._holds(found, name) for name in products):
            raise refuse(["productIds"], "Product is already in the collection", collection=found)
        self._move_in(found, products, call)
        return {"collection": found}

    def _add_later(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        """Products that are in it already, or that nobody knows, are passed over."""
        found = self._found(args["id"], "COLLECTION_DOES_NOT_EXIST")
        known = [name for name in args["productIds"] if name in self._shelves.products]
        self._move_in(found, [name for name in known if not self._holds(found, name)], call)
        return {"job": DoneAtOnce(self._numbers.new("Job"))}

    def _remove_products(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        found = self._found(args["id"])
        moved = [name for name in args["productIds"] if self._holds(found, name)]
        self._collections.take_out(found, moved)
        self._moved(found, moved, call)
        return {"job": DoneAtOnce(self._numbers.new("Job"))}

    # -- told by products ------------------------------------------------------------------------------------------

    def knows(self, collection_id: str) -> bool:
        """Whether there is such a collection."""
        return collection_id in self._collections.all

    def rejoin(self, product: Product, *, join: Sequence[str], leave: Sequence[str] = ()) -> None:
        """The product comes into some collections and leaves others."""
        for name in leave:
            if self._holds(self._collections.all[name], product.id):
                self._collections.take_out(self._collections.all[name], [product.id])
                self._moved_at(self._collections.all[name], [product.id], self._now())
        for name in join:
            if not self._holds(self._collections.all[name], product.id):
                self._collections.put_in(self._collections.all[name], [product.id])
                self._moved_at(self._collections.all[name], [product.id], self._now())

    def set_of(self, product: Product, collection_ids: Sequence[str]) -> None:
        """The product is in these collections and in no others."""
        held = [one.id for one in self._collections.holding(product.id)]
        self.rejoin(product, join=collection_ids, leave=[name for name in held if name not in collection_ids])

    # -- what they share -------------------------------------------------------------------------------------------

    def _found(self, collection_id: str, code: str | None = None, **shown: Any) -> Collection:
        found = self._collections.all.get(collection_id)
        if found is None:
            raise refuse(["id"], NOT_THERE, code, **shown)
        return found

    def _holds(self, collection: Collection, product_id: str) -> bool:
        return collection.id in self._collections.of_product.get(product_id, ())

    def _known_products(self, names: Sequence[str], path: list[str]) -> list[str]:
        if len(names) > MOST_PRODUCTS:
            raise refuse(path, f"The input array size of {len(names)} is greater than the maximum of {MOST_PRODUCTS}")
        if any(name not in self._shelves.products for name in names):
            raise refuse(path, "Product does not exist")
        return list(dict.fromkeys(names))

    def _check(self, given: dict[str, Any], known: Collection | None, *, needs_title: bool) -> None:
        title = given.get("title")
        if (needs_title or title is not None) and not (title or "").strip():
            raise refuse(["title"], "Title can't be blank")
        if len(title or "") > LONGEST:
            raise refuse(["title"], f"Title is too long (maximum is {LONGEST} characters)")
        handle = given.get("handle")
        if handle and self._collections.by_handle(handle) not in (None, known):
            raise refuse(["handle"], "Handle has already been taken")

    def _apply(self, collection: Collection, given: dict[str, Any], call: Call) -> None:
        for name, attribute in COPIED.items():
            if given.get(name) is not None:
                setattr(collection, attribute, given[name])
        collection.seo = {**collection.seo, **(given.get("seo") or {})}
        collection.updated_at = call.now

    def _free_handle(self, wanted: str) -> str:
        handle, number = wanted, 1
        while self._collections.by_handle(handle) is not None:
            handle, number = f"{wanted}-{number}", number + 1
        return handle

    def _move_in(self, collection: Collection, products: Sequence[str], call: Call) -> None:
        self._collections.put_in(collection, products)
        self._moved(collection, products, call)

    def _moved(self, collection: Collection, products: Sequence[str], call: Call) -> None:
        self._moved_at(collection, products, call.now)

    def _moved_at(self, collection: Collection, products: Sequence[str], moment: datetime) -> None:
        """Which webhook tells that products went in or out (S41)."""
        if products:
            collection.updated_at = moment
            update: list[Notice] = [("collections/update", lambda: collection_payload(collection))]
            self._tell(update if self._options.membership_tells == "collection" else [], products)

    def _tell(self, notices: list[Notice], moved: Sequence[str]) -> None:
        if self._options.membership_tells == "product":
            notices += [self._notice_of(self._shelves.products[name]) for name in moved]
        self._announce(notices)

    def _notice_of(self, product: Product) -> Notice:
        return "products/update", lambda: product_payload(product)
