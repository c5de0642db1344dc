"""The groups that staff put products into: categories of Catalog V3, collections of V1.

A variant of V3 does not name its categories, its product does: they are read page by page before the variants, where
the site has any. A product is in the categories above its own as well, as a shopper finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from storebridge.connectors.port import CallTrouble
from storebridge.connectors.wix.client import Operation, WixClient
from storebridge.connectors.wix.errors import CATALOGUE_MISMATCH, drift
from storebridge.connectors.wix.pages import MOST_PAGES, Paged, pages_of
from storebridge.connectors.wix.translate import Shape

QUERY_CATEGORIES = Operation("queryCategories", "POST", "/categories/v1/categories/query")
ALL_PRODUCTS = Operation("getAllProductsCategory", "GET", "/stores/v3/all-products-category")
QUERY_PRODUCTS = Operation("queryProducts", "POST", "/stores/v3/products/query")
QUERY_COLLECTIONS = Operation("queryCollections", "POST", "/stores-reader/v1/collections/query")
TREE = {"appNamespace": "@wix/stores"}
CATEGORIES_PER_PAGE = 1000
"""As many as a site can have."""
PRODUCTS_PER_PAGE = 100
COLLECTIONS_PER_PAGE = 100

Names = tuple[str, ...]


class Group(Shape, frozen=True):
    """A category or a collection, with what people call it."""

    id: str
    name: str | None = None
    slug: str | None = None

    @property
    def names(self) -> Names:
        return tuple(dict.fromkeys(name for name in (self.name, self.slug) if name))


class CategoriesPage(Paged, frozen=True):
    """Categories of the site's tree."""

    categories: tuple[Group, ...] = ()

    def rows(self) -> Sequence[Group]:
        return self.categories


class AllProductsAnswer(Shape, frozen=True):
    """Which category holds every product."""

    category_id: str | None = None


class _Named(Shape, frozen=True):
    id: str


class _Categories(Shape, frozen=True):
    categories: tuple[_Named, ...] = ()


class _Product(Shape, frozen=True):
    id: str
    all_categories_info: _Categories | None = None

    @property
    def groups(self) -> tuple[str, ...] | None:
        told = self.all_categories_info
        return None if told is None else tuple(one.id for one in told.categories)


class ProductsPage(Paged, frozen=True):
    """Products, of which only the categories are read; each is read by itself."""

    products: tuple[msgspec.Raw, ...] = ()

    def rows(self) -> Sequence[msgspec.Raw]:
        return self.products


class CollectionsPage(Shape, frozen=True):
    """Collections of V1."""

    collections: tuple[Group, ...] = ()


class Memberships(msgspec.Struct, frozen=True):
    """What the products' groups are called."""

    by_product: Mapping[str, Names] = msgspec.field(default_factory=dict)
    of_others: Names | None = ()
    """Of a product that ``by_product`` does not name; None where the site does not let it be read."""

    def of(self, product_id: str) -> Names | None:
        return self.by_product.get(product_id, self.of_others)


NOT_TOLD = Memberships(of_others=None)


class CategoryReader:
    """Reads the categories of a Catalog V3 site."""

    def __init__(self, client: WixClient) -> None:
        self._client = client

    async def read(self) -> Memberships:
        """One call where the site has no category, two where it only has the one of all products; else a page of
        products more for each hundred. Raises CallTrouble; without the permission nothing is told."""
        try:
            known = await self._categories()
            if not known:
                return Memberships()
            if len(known) == 1 and await self._of_everything() in known:
                return Memberships(of_others=next(iter(known.values())))
        except CallTrouble as trouble:
            if not may_not_be_read(trouble):
                raise
            return NOT_TOLD
        return await self._of_products(known)

    async def _of_products(self, known: Mapping[str, Names]) -> Memberships:
        """A site that shows no product's categories tells of none; beside others, one without any is in none."""
        extra, found, told = {"fields": ["ALL_CATEGORIES_INFO"]}, dict[str, Names](), False
        async for page in pages_of(self._client, QUERY_PRODUCTS, ProductsPage, {}, PRODUCTS_PER_PAGE, extra):
            for product in self._client.drift.readable_rows(QUERY_PRODUCTS.name, "products", page, _Product):
                told = told or product.groups is not None
                found[product.id] = names_of_groups(known, product.groups or ())
        return Memberships(found, None) if told else NOT_TOLD

    async def _categories(self) -> dict[str, Names]:
        extra: dict[str, Any] = {"treeReference": TREE, "returnNonVisibleCategories": True}
        pages = pages_of(self._client, QUERY_CATEGORIES, CategoriesPage, {}, CATEGORIES_PER_PAGE, extra)
        return {one.id: one.names async for page in pages for one in page}

    async def _of_everything(self) -> str | None:
        return (await self._client.read(ALL_PRODUCTS, AllProductsAnswer)).category_id


class CollectionReaderV1:
    """Reads the collections of a Catalog V1 site, whose products name theirs."""

    def __init__(self, client: WixClient) -> None:
        self._client = client

    async def read(self) -> dict[str, Names] | None:
        """Names by id; None where the site does not let them be read. Raises CallTrouble."""
        found: dict[str, Names] = {}
        for page in range(MOST_PAGES):
            paging = {"limit": COLLECTIONS_PER_PAGE, "offset": page * COLLECTIONS_PER_PAGE}
            try:
                answer = await self._client.read(QUERY_COLLECTIONS, CollectionsPage, {"query": {"paging": paging}})
            except CallTrouble as trouble:
                if not may_not_be_read(trouble):
                    raise
                return None
            found.update((one.id, one.names) for one in answer.collections)
            if len(answer.collections) < COLLECTIONS_PER_PAGE:
                return found
        raise drift("queryCollections never comes to its last page")


def names_of_groups(known: Mapping[str, Names], ids: Iterable[str]) -> Names:
    """What these groups are called, each name once."""
    return tuple(dict.fromkeys(name for one in ids for name in known.get(one, ())))


def may_not_be_read(trouble: CallTrouble) -> bool:
    """A missing permission is no reason to list no goods."""
    return trouble.status in (403, 404) and trouble.code != CATALOGUE_MISMATCH
