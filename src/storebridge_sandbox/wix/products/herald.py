"""Events about products, in the words of the catalogue version that the site has."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.generation import CatalogGeneration
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.notices import Notices
from storebridge_sandbox.wix.products.shape import Status, product_payload
from storebridge_sandbox.wix.shelf.state import Product

PRODUCT = "wix.stores.catalog.v3.product"
V1 = "com.wix.ecommerce.catalog.api.v1"


class ProductHerald:
    """Sends the product events of one site."""

    def __init__(self, notices: Notices, generation: CatalogGeneration, status: Status) -> None:
        self._notices = notices
        self._generation = generation
        self._status = status

    def product_created(self, product: Product, actor: Actor) -> None:
        if self._generation.now == "v1":
            self._flat("ProductCreated", {"productId": product.id, "name": product.name}, actor)
        elif self._notices.wants(f"{PRODUCT}_created"):
            self._notices.created(f"{PRODUCT}_created", self._told(product), actor)

    def product_updated(self, product: Product, modified: dict[str, Any], actor: Actor) -> None:
        if self._generation.now == "v1":
            self._flat("ProductChanged", {"productId": product.id, "changedFields": sorted(modified)}, actor)
        elif self._notices.wants(f"{PRODUCT}_updated"):
            self._notices.updated(f"{PRODUCT}_updated", self._told(product), actor, modified)

    def product_deleted(self, product: Product, actor: Actor) -> None:
        if self._generation.now == "v1":
            self._flat("ProductDeleted", {"productId": product.id}, actor)
        elif self._notices.wants(f"{PRODUCT}_deleted"):
            self._notices.deleted(f"{PRODUCT}_deleted", self._told(product), actor)

    def variants_changed(self, product: Product, changed: list[dict[str, Any]], actor: Actor) -> None:
        """V1 only: V3 tells of variants with their product."""
        self._flat("VariantsChanged", {"productId": product.id, "variants": changed}, actor)

    def _flat(self, name: str, body: dict[str, Any], actor: Actor) -> None:
        self._notices.flat(f"{V1}.{name}", body, actor)

    def _told(self, product: Product) -> dict[str, Any]:
        return product_payload(product, self._status, frozenset(), variants=True)
