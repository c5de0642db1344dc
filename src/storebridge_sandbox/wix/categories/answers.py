"""``/categories/v1``: the tree of categories of a Catalog V3 site, and what is put into them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.wix import bulk
from storebridge_sandbox.wix.calls import Call, Handler, Lag, Operation
from storebridge_sandbox.wix.categories.herald import CategoryHerald, category_payload
from storebridge_sandbox.wix.query import ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.settings import STORES_APP_ID
from storebridge_sandbox.wix.shelf.categories import Categories, Category
from storebridge_sandbox.wix.wire import WixRefusal, application_error, millis, validation_error

READ = "SCOPE.CATEGORIES.CATEGORY_READ"
WRITE = "SCOPE.DC-STORES.MANAGE-PRODUCTS"
BASE = "/categories/v1/categories"
BULK = "/categories/v1/bulk/categories/{categoryId}"
PACKAGE = "categories_categories"
NAMESPACE = "@wix/stores"
STORES_PRODUCTS = "/stores/v3/all-products-category"
DEEPEST = 5

Told = dict[str, Any]

LANGUAGE = Language(
    {
        "id": Field(lambda one: one.id),
        "name": Field(lambda one: one.name, "text", TEXT, sortable=True),
        "slug": Field(lambda one: one.slug, "text", TEXT, sortable=True),
        "visible": Field(lambda one: one.visible, "flag"),
        "parentCategory.id": Field(lambda one: one.parent_id),
        "createdDate": Field(lambda one: millis(one.created_at), "moment", ORDERING, sortable=True),
        "updatedDate": Field(lambda one: millis(one.updated_at), "moment", ORDERING, sortable=True),
    },
    tie=lambda one: one.number,
    default_limit=100,
    most=1000,
)


class CategoryAnswers:
    """Answers about categories of Catalog V3."""

    def __init__(self, categories: Categories, herald: CategoryHerald) -> None:
        self._categories = categories
        self._herald = herald

    def operations(self) -> list[Operation]:
        one = BASE + "/{categoryId}"

        def offer(
            name: str, method: str, path: str, handler: Handler, scope: str = WRITE, lag: Lag = None, takes: str = ""
        ) -> Operation:
            message = takes or name[0].upper() + name[1:]
            return Operation(name, (method,), path, handler, scope, "v3", lag, takes=f"{PACKAGE}:{message}Request")

        return [
            offer("queryCategories", "POST", f"{BASE}/query", self.query, READ, "query"),
            offer("createCategory", "POST", BASE, self.create),
            offer("getCategory", "GET", one, self.get, READ, "get"),
            offer("updateCategory", "PATCH", one, self.update),
            offer("deleteCategory", "DELETE", one, self.delete),
            offer("bulkAddItemsToCategory", "POST", f"{BULK}/add-items", self.add),
            offer("bulkRemoveItemsFromCategory", "POST", f"{BULK}/remove-items", self.remove),
            Operation("getAllProductsCategory", ("GET",), STORES_PRODUCTS, self.everything, READ, "v3", "get"),
        ]

    def query(self, call: Call) -> Told:
        """Hidden ones only when asked for."""
        _check_tree(call)
        hidden = call.flag("returnNonVisibleCategories")
        moment = call.read_moment
        rows = [one for one in self._categories.listed() if one.visible or hidden]
        seen = [one for one in rows if moment is None or one.created_at <= moment]
        page = LANGUAGE.page(LANGUAGE.read(call.part("query")), seen)
        return {"categories": [self._told(one, call) for one in page.rows], "pagingMetadata": page.metadata()}

    def get(self, call: Call) -> Told:
        return {"category": self._told(self._found(call), call)}

    def everything(self, _call: Call) -> Told:
        tree = {"appNamespace": NAMESPACE}
        return {"categoryId": self._categories.of_everything.id, "treeReference": tree}

    def create(self, call: Call) -> Told:
        _check_tree(call)
        asked = call.part("category")
        if not asked.get("name"):
            raise validation_error("category.name", "must not be empty", "REQUIRED_FIELD")
        parent = (asked.get("parentCategory") or {}).get("id")
        if parent is not None:
            above = self._categories.all.get(parent)
            if above is None:
                raise application_error(404, "PARENT_CATEGORY_NOT_IN_TREE", f"No category {parent!r}")
            if len(list(self._categories.around(above))) >= DEEPEST:
                raise validation_error("category.parentCategory", "is too deep in the tree", "OTHER")
        made = self._categories.make(asked["name"], asked.get("slug"))
        made.description, made.parent_id = asked.get("description") or "", parent
        made.visible = asked.get("visible") is not False
        call.wrote = True
        self._herald.made(made, call.actor)
        return {"category": self._told(made, call)}

    def update(self, call: Call) -> Told:
        found, asked = self._found(call), call.part("category")
        if asked.get("name"):
            found.name = asked["name"]
        if asked.get("slug"):
            if any(one.slug == asked["slug"] for one in self._categories.all.values() if one is not found):
                raise application_error(409, "DUPLICATE_SLUG", f"Another category has the slug {asked['slug']!r}")
            found.slug = asked["slug"]
        if asked.get("description") is not None:
            found.description = asked["description"]
        self._categories.changed(found)
        call.wrote = True
        self._herald.changed(found, [name for name in asked if name not in ("id", "revision")], call.actor)
        return {"category": self._told(found, call)}

    def delete(self, call: Call) -> Told:
        for one in self._categories.remove(self._found(call)):
            self._herald.gone(one, call.actor)
        call.wrote = True
        return {}

    def add(self, call: Call) -> Told:
        """Words of refusals are ours (W43)."""
        found = self._found(call)

        def apply(item: Told) -> None:
            came = self._categories.put_in(found, [_product_of(item)])
            if not came and _product_of(item) not in found.product_ids:
                raise _no_item()
            self._herald.moved(found, came, "added_to", call.actor)

        return _in_bulk(call, apply)

    def remove(self, call: Call) -> Told:
        found = self._found(call)

        def apply(item: Told) -> None:
            left = self._categories.take_out(found, [_product_of(item)])
            if not left:
                raise application_error(404, "ITEM_NOT_IN_CATEGORY", "The item is not in the category")
            self._herald.moved(found, left, "removed_from", call.actor)

        return _in_bulk(call, apply)

    def _found(self, call: Call) -> Category:
        """One that staff made; raises WixRefusal (404)."""
        _check_tree(call)
        found = self._categories.all.get(call.params["categoryId"])
        if found is None:
            raise application_error(404, "CATEGORY_NOT_FOUND", f"Category {call.params['categoryId']!r} not found")
        return found

    def _told(self, category: Category, call: Call) -> Told:
        fields = call.arguments.get("fields") or []
        return category_payload(category, len(self._categories.products_of(category)), fields)


def _check_tree(call: Call) -> None:
    """Each call names the tree; Wix Stores has one (documentation)."""
    namespace = call.part("treeReference").get("appNamespace")
    if not namespace:
        raise validation_error("treeReference.appNamespace", "must not be empty", "REQUIRED_FIELD")
    if namespace != NAMESPACE:
        raise application_error(404, "NAMESPACE_NOT_FOUND_IN_DEV_CENTER", f"No category tree {namespace!r}")


def _product_of(item: Told) -> str:
    """Raises WixRefusal for an item of another catalogue."""
    if item.get("appId") != STORES_APP_ID:
        raise _no_item()
    return str(item.get("catalogItemId"))


def _no_item() -> WixRefusal:
    return application_error(404, "ITEM_NOT_FOUND", "There is no such item in the catalog")


def _in_bulk(call: Call, apply: Callable[[Told], None]) -> Told:
    """As other bulk calls, but a row is known by its item."""

    def carried_out(item: Told) -> Told:
        apply(item)
        return {"id": ""}

    items = call.rows("items", 1000)
    told = bulk.carry_out(items, carried_out, lambda _item: "")
    for item, result in zip(items, told["results"], strict=True):
        result["itemMetadata"].pop("id", None)
        result["itemMetadata"]["item"] = item
    call.wrote = True
    return told
