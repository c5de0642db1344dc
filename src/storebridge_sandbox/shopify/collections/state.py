"""Collections that staff fill by hand, and which of them each product is in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar


@dataclass(slots=True)
class Collection:
    """One collection; ``product_ids`` in the order in which they were put in."""

    graphql_type: ClassVar[str] = "Collection"
    id: str
    title: str
    handle: str
    updated_at: datetime
    description_html: str = ""
    sort_order: str = "BEST_SELLING"
    template_suffix: str | None = None
    seo: dict[str, str | None] = field(default_factory=dict)
    product_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Collections:
    """All collections, with the index that a product's own list goes by."""

    all: dict[str, Collection] = field(default_factory=dict)
    of_product: dict[str, list[str]] = field(default_factory=dict)

    def by_handle(self, handle: str) -> Collection | None:
        return next((one for one in self.all.values() if one.handle == handle), None)

    def holding(self, product_id: str) -> list[Collection]:
        return [self.all[name] for name in self.of_product.get(product_id, ())]

    def put_in(self, collection: Collection, product_ids: Iterable[str]) -> None:
        for product_id in product_ids:
            if product_id not in collection.product_ids:
                collection.product_ids.append(product_id)
                self.of_product.setdefault(product_id, []).append(collection.id)

    def take_out(self, collection: Collection, product_ids: Iterable[str]) -> None:
        for product_id in product_ids:
            if product_id in collection.product_ids:
                collection.product_ids.remove(product_id)
                self.of_product[product_id].remove(collection.id)

    def remove(self, collection: Collection) -> None:
        self.take_out(collection, list(collection.product_ids))
        del self.all[collection.id]

    def forget(self, product_id: str) -> None:
        """A product that is gone is in no collection."""
        for name in self.of_product.pop(product_id, ()):
            self.all[name].product_ids.remove(product_id)
