"""The groups that staff put products into. V3 calls them categories and hangs them into a tree; V1's collections are
the same groups without one, and stay what they are when the site moves to V3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storebridge_sandbox.wix.generation import CatalogGeneration
from storebridge_sandbox.wix.identities import Guids
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.shelf.state import Product, Shelf

ALL_PRODUCTS_V1 = "00000000-000000-000000-000000000001"
ALL_PRODUCTS_V3 = "00000000-0000-4000-8000-000000000001"


@dataclass(slots=True)
class Category:
    """One group; ``product_ids`` in the order in which they were put in."""

    id: str
    number: int
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime
    description: str = ""
    visible: bool = True
    parent_id: str | None = None
    revision: int = 1
    product_ids: list[str] = field(default_factory=list)


def id_v1(category: Category) -> str:
    """V1's id; that of all products has the vendor's own form."""
    return category.id if category.number else ALL_PRODUCTS_V1


class Categories:
    """All groups of the site. One holds every product and is nobody's to change; it is not among ``all``."""

    def __init__(
        self, now: Callable[[], datetime], new_id: Guids, shelf: Shelf, quirks: WixQuirks, generation: CatalogGeneration
    ) -> None:
        self._now = now
        self._new_id = new_id
        self._shelf = shelf
        self._quirks = quirks
        self._generation = generation
        self._numbers = 0
        self.all: dict[str, Category] = {}
        opened = now()
        self.of_everything = Category(ALL_PRODUCTS_V3, 0, "All Products", "all-products", opened, opened)

    def make(self, name: str, slug: str | None = None) -> Category:
        self._numbers += 1
        moment = self._now()
        made = Category(self._new_id(), self._numbers, name, self.free_slug(slug or name), moment, moment)
        self.all[made.id] = made
        return made

    def free_slug(self, wanted: str) -> str:
        """The slug itself, or with the first number that makes it unique."""
        stem = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")[:90] or "category"
        taken = {one.slug for one in (*self.all.values(), self.of_everything)}
        return next(
            slug for number in range(len(taken) + 1) if (slug := stem + f"-{number}" * (number > 0)) not in taken
        )

    def listed(self) -> list[Category]:
        """All that a query finds. V1 lists that of everything among the others, V3 perhaps (W44)."""
        everything = self._generation.now == "v1" or self._quirks.w44_all_products_is_listed
        return [*([self.of_everything] if everything else ()), *self.all.values()]

    def changed(self, category: Category) -> None:
        category.revision += 1
        category.updated_at = self._now()

    def remove(self, category: Category) -> list[Category]:
        """The category is gone, and with it those below it; returns all of them."""
        gone = [category, *(one for below in self._below(category) for one in self.remove(below))]
        self.all.pop(category.id, None)
        return gone

    def put_in(self, category: Category, product_ids: Iterable[str]) -> list[Product]:
        """Returns those that were not in it yet; unknown ones are left out."""
        known = [self._shelf.products[name] for name in product_ids if name in self._shelf.products]
        came = [product for product in known if product.id not in category.product_ids]
        category.product_ids.extend(product.id for product in came)
        return came

    def take_out(self, category: Category, product_ids: Iterable[str]) -> list[Product]:
        """Returns those that were in it."""
        left = [name for name in product_ids if name in category.product_ids]
        category.product_ids = [name for name in category.product_ids if name not in left]
        return [self._shelf.products[name] for name in left if name in self._shelf.products]

    def products_of(self, category: Category) -> list[str]:
        """What is in it by itself, without what is in those below it; a product that is gone is in none."""
        held = self._shelf.products if category is self.of_everything else category.product_ids
        return [name for name in held if name in self._shelf.products]

    def holding(self, product_id: str) -> list[Category]:
        """Those that the product is in by itself."""
        return [one for one in self.listed() if one is self.of_everything or product_id in one.product_ids]

    def told(self, product_id: str, fields: frozenset[str]) -> dict[str, Any]:
        """What a V3 product says of its categories where it is asked for them."""
        direct = self.holding(product_id)
        told: dict[str, Any] = {}
        if "DIRECT_CATEGORIES_INFO" in fields:
            told["directCategoriesInfo"] = {"categories": [{"id": one.id} for one in direct]}
        if "ALL_CATEGORIES_INFO" in fields:
            names = dict.fromkeys(above.id for one in direct for above in self.around(one))
            told["allCategoriesInfo"] = {"categories": [{"id": name} for name in names]}
        return told

    def ids_v1(self, product_id: str) -> list[str]:
        """The ``collectionIds`` of a V1 product."""
        return [id_v1(one) for one in self.holding(product_id)]

    def around(self, category: Category) -> Iterator[Category]:
        """The category and those above it."""
        while True:
            yield category
            if category.parent_id is None or category.parent_id not in self.all:
                return
            category = self.all[category.parent_id]

    def _below(self, category: Category) -> list[Category]:
        return [one for one in self.all.values() if one.parent_id == category.id]
