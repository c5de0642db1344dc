"""``/stores/v1/collections`` and its reader: the same groups on a Catalog V1 site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix.calls import Call, Handler, Lag, Operation
from storebridge_sandbox.wix.categories.herald import CategoryHerald
from storebridge_sandbox.wix.products.v1_reads import MANAGE, PACKAGE, READ, READER
from storebridge_sandbox.wix.query import TEXT, Field, Language
from storebridge_sandbox.wix.query_v1 import page_metadata, read_legacy
from storebridge_sandbox.wix.shelf.categories import Categories, Category, id_v1
from storebridge_sandbox.wix.wire import WixRefusal, application_error, validation_error

WRITER = "/stores/v1/collections"

Told = dict[str, Any]

LANGUAGE = Language(
    {
        "id": Field(id_v1),
        "name": Field(lambda one: one.name, "text", TEXT, sortable=True),
        "slug": Field(lambda one: one.slug, "text", TEXT, sortable=True),
    },
    tie=lambda one: one.number,
    default_limit=100,
    most=100,
)


class CollectionAnswersV1:
    """Answers about collections of Catalog V1."""

    def __init__(self, categories: Categories, herald: CategoryHerald) -> None:
        self._categories = categories
        self._herald = herald

    def operations(self) -> list[Operation]:
        reader, one = f"{READER}/collections", WRITER + "/{id}"

        def offer(
            name: str, method: str, path: str, handler: Handler, message: str, scope: str = MANAGE, lag: Lag = None
        ) -> Operation:
            return Operation(name, (method,), path, handler, scope, "v1", lag, takes=f"{PACKAGE}:{message}Request")

        return [
            offer("queryCollections", "POST", f"{reader}/query", self.query, "QueryCollections", READ, "query"),
            offer(
                "getCollectionBySlug", "GET", reader + "/slug/{slug}", self.by_slug, "GetCollectionBySlug", READ, "get"
            ),
            offer("createCollection", "POST", WRITER, self.create, "CreateCollection"),
            offer("updateCollection", "PATCH", one, self.update, "UpdateCollection"),
            offer("deleteCollection", "DELETE", one, self.delete, "DeleteCollection"),
            offer("addProductsToCollection", "POST", f"{one}/productIds", self.add, "AddProductsToCollection"),
            offer(
                "removeProductsFromCollection",
                "POST",
                f"{one}/productIds/delete",
                self.remove,
                "RemoveProductsFromCollection",
            ),
        ]

    def query(self, call: Call) -> Told:
        question = read_legacy(LANGUAGE, call.part("query"))
        page = LANGUAGE.page(question, self._categories.listed())
        counted = call.flag("includeNumberOfProducts")
        told = [self._told(one, counted=counted, described=call.flag("includeDescription")) for one in page.rows]
        return {"collections": told, **page_metadata(page, question)}

    def by_slug(self, call: Call) -> Told:
        found = next((one for one in self._categories.listed() if one.slug == call.params["slug"]), None)
        if found is None:
            raise _missing(call.params["slug"])
        return {"collection": self._told(found, counted=True, described=True)}

    def create(self, call: Call) -> Told:
        asked = call.part("collection")
        if not asked.get("name"):
            raise validation_error("collection.name", "must not be empty", "REQUIRED_FIELD")
        made = self._categories.make(asked["name"], asked.get("slug"))
        made.description, made.visible = asked.get("description") or "", asked.get("visible") is not False
        call.wrote = True
        self._herald.made(made, call.actor)
        return {"collection": self._told(made, counted=True, described=True)}

    def update(self, call: Call) -> Told:
        found, asked = self._found(call), call.part("collection")
        if asked.get("name"):
            found.name = asked["name"]
        if asked.get("slug"):
            found.slug = asked["slug"]
        if asked.get("description") is not None:
            found.description = asked["description"]
        if asked.get("visible") is not None:
            found.visible = asked["visible"]
        self._categories.changed(found)
        call.wrote = True
        self._herald.changed(found, [name for name in asked if name != "id"], call.actor)
        return {"collection": self._told(found, counted=True, described=True)}

    def delete(self, call: Call) -> Told:
        for one in self._categories.remove(self._found(call)):
            self._herald.gone(one, call.actor)
        call.wrote = True
        return {}

    def add(self, call: Call) -> Told:
        return self._move(call, self._categories.put_in, "added_to")

    def remove(self, call: Call) -> Told:
        return self._move(call, self._categories.take_out, "removed_from")

    def _move(self, call: Call, move: Callable[[Category, list[str]], Any], slug: str) -> Told:
        found = self._found(call)
        moved = move(found, call.arguments.get("productIds") or [])
        call.wrote = True
        if moved:
            self._herald.moved(found, moved, slug, call.actor)
        return {}

    def _found(self, call: Call) -> Category:
        """One that staff made; raises WixRefusal (404)."""
        found = self._categories.all.get(call.params["id"])
        if found is None:
            raise _missing(call.params["id"])
        return found

    def _told(self, category: Category, *, counted: bool, described: bool) -> Told:
        return {
            "id": id_v1(category),
            "name": category.name,
            "slug": category.slug,
            "visible": category.visible,
            "numberOfProducts": len(self._categories.products_of(category)) if counted else 0,
            **({"description": category.description} if described else {}),
        }


def _missing(name: str) -> WixRefusal:
    return application_error(404, "COLLECTION_NOT_FOUND", f"Collection {name!r} not found")
