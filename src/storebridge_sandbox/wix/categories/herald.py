"""Events about categories and what is in them, in the words of the catalogue version that the site has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from storebridge_sandbox.wix.generation import CatalogGeneration
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.notices import Notices
from storebridge_sandbox.wix.products.herald import ProductHerald
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import STORES_APP_ID
from storebridge_sandbox.wix.shelf.categories import Category
from storebridge_sandbox.wix.shelf.state import Product
from storebridge_sandbox.wix.wire import wix_date

CATEGORY = "wix.categories.v1.category"
V1 = "com.wix.ecommerce.catalog.api.v1.Collection"
TREE = {"appNamespace": "@wix/stores"}


class CategoryHerald:
    """Sends the events of one site; ``w43_membership_tells`` says which tell that a product came or left."""

    def __init__(
        self, notices: Notices, generation: CatalogGeneration, products: ProductHerald, quirks: WixQuirks
    ) -> None:
        self._notices = notices
        self._generation = generation
        self._products = products
        self._tells = quirks.w43_membership_tells

    def made(self, category: Category, actor: Actor) -> None:
        if self._generation.now == "v1":
            told = {"collectionId": category.id, "name": category.name, "slug": category.slug}
            self._notices.flat(f"{V1}Created", {**told, "visible": category.visible}, actor)
        else:
            self._notices.created(f"{CATEGORY}_created", category_payload(category, 0), actor)

    def changed(self, category: Category, fields: Iterable[str], actor: Actor) -> None:
        if self._generation.now == "v1":
            told = {"collectionId": category.id, "changedFields": sorted(fields)}
            self._notices.flat(f"{V1}Changed", told, actor)
        else:
            payload = category_payload(category, len(category.product_ids))
            self._notices.updated(f"{CATEGORY}_updated", payload, actor, dict.fromkeys(fields))

    def gone(self, category: Category, actor: Actor) -> None:
        if self._generation.now == "v1":
            self._notices.flat(f"{V1}Deleted", {"collectionId": category.id}, actor)
        else:
            self._notices.deleted(f"{CATEGORY}_deleted", category_payload(category, 0), actor)

    def moved(self, category: Category, products: Iterable[Product], slug: str, actor: Actor) -> None:
        """Products were ``added_to`` it or ``removed_from`` it."""
        if self._tells == "product":
            for product in products:
                self._products.product_updated(product, {"directCategoriesInfo": {}}, actor)
        elif self._tells == "category" and self._generation.now == "v1":
            self.changed(category, ["productIds"], actor)
        elif self._tells == "category":
            what = "addedItem" if slug == "added_to" else "removedItem"
            for product in products:
                told = {"categoryId": category.id, what: item_reference(product.id), "treeReference": TREE}
                self._notices.acted(f"{CATEGORY}_item_{slug}_category", category.id, told, actor)


def item_reference(product_id: str) -> dict[str, str]:
    """How categories name a product of Wix Stores."""
    return {"catalogItemId": product_id, "appId": STORES_APP_ID}


def category_payload(category: Category, items: int, fields: Iterable[str] = ()) -> dict[str, Any]:
    """The Category message."""
    told: dict[str, Any] = {
        "id": category.id,
        "revision": str(category.revision),
        "createdDate": wix_date(category.created_at),
        "updatedDate": wix_date(category.updated_at),
        "name": category.name,
        "itemCounter": items,
        "visible": category.visible,
        "slug": category.slug,
        "treeReference": TREE,
    }
    if category.parent_id is not None:
        told["parentCategory"] = {"id": category.parent_id}
    if "DESCRIPTION" in fields and category.description:
        told["description"] = category.description
    return told
