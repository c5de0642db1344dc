"""``/stores/v3/products``: single products, queries, and the catalogue's version. Hidden products need a
permission of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from storebridge_sandbox.wix.aggregations import aggregate
from storebridge_sandbox.wix.calls import Call, Handler, Lag, Operation
from storebridge_sandbox.wix.generation import CatalogGeneration
from storebridge_sandbox.wix.inventory.items import api_change
from storebridge_sandbox.wix.inventory.shape import ItemRow, availability
from storebridge_sandbox.wix.inventory.state import Inventory
from storebridge_sandbox.wix.products.drafts import Drafting
from storebridge_sandbox.wix.products.fields import PRODUCT_SEARCH, PRODUCTS, VARIANT_SEARCH, VARIANTS
from storebridge_sandbox.wix.products.shape import product_payload, read_only_variant
from storebridge_sandbox.wix.products.workshop import Workshop
from storebridge_sandbox.wix.query import Language, Page, Question
from storebridge_sandbox.wix.query_in_order import TIE, page_in_order
from storebridge_sandbox.wix.shelf.categories import Categories
from storebridge_sandbox.wix.shelf.state import Product, Shelf, Variant
from storebridge_sandbox.wix.wire import WixRefusal, application_error, validation_error

READ = "SCOPE.STORES.PRODUCT_READ"
READ_ADMIN = "SCOPE.STORES.PRODUCT_READ_ADMIN"
WRITE = "SCOPE.STORES.PRODUCT_WRITE"
BASE = "/stores/v3/products"
PRODUCT_PACKAGE = "stores_products-v-3"

Told = dict[str, Any]


class ProductAnswers:
    """Answers about single products of Catalog V3, and about what is on the shelf."""

    def __init__(
        self,
        shelf: Shelf,
        inventory: Inventory,
        generation: CatalogGeneration,
        default_location: str,
        categories: Categories,
        *,
        may: Callable[[str], bool],
    ) -> None:
        self._shelf = shelf
        self._inventory = inventory
        self._generation = generation
        self._default_location = default_location
        self._categories = categories
        self._may = may

    def operations(self) -> list[Operation]:
        both, variants = ("POST", "GET"), "stores_read-only-variants-v-3"

        def read(
            name: str,
            path: str,
            handler: Handler,
            message: str,
            methods: tuple[str, ...] = both,
            lag: Lag = "query",
            package: str = PRODUCT_PACKAGE,
        ) -> Operation:
            return Operation(name, methods, BASE + path, handler, READ, "v3", lag, takes=f"{package}:{message}Request")

        return [
            Operation("getCatalogVersion", ("GET",), "/stores/v3/provision/version", self.version),
            read("queryProducts", "/query", self.query, "V3QueryProducts"),
            read("searchProducts", "/search", self.search, "V3SearchProducts"),
            read("countProducts", "/count", self.count, "V3CountProducts"),
            read("queryVariants", "/query-variants", self.variants, "QueryVariants", package=variants),
            read("searchVariants", "/search-variants", self.search_variants, "SearchVariants", package=variants),
            read("getProductBySlug", "/slug/{slug}", self.by_slug, "V3GetProductBySlug", ("GET",), "get"),
            read("getProduct", "/{productId}", self.get, "V3GetProduct", ("GET",), "get"),
        ]

    def version(self, _call: Call) -> Told:
        return {"catalogVersion": "V3_CATALOG" if self._generation.now == "v3" else "V1_CATALOG"}

    def query(self, call: Call) -> Told:
        """Products without their variants."""
        fields = self.fields(call)
        page = self._page(PRODUCTS, PRODUCTS.read(call.part("query")), call)
        return {
            "products": [self.told(product, fields, variants=False) for product in page.rows],
            "pagingMetadata": page.metadata(),
        }

    def search(self, call: Call) -> Told:
        fields, asked = self.fields(call), call.part("search")
        page = self._page(PRODUCT_SEARCH, PRODUCT_SEARCH.read(asked), call, whole=bool(asked.get("aggregations")))
        told: Told = {
            "products": [self.told(product, fields, variants=False) for product in page.rows],
            "pagingMetadata": page.metadata(),
        }
        if asked.get("aggregations"):
            told["aggregationData"] = aggregate(PRODUCT_SEARCH, asked["aggregations"], page.found)
        return told

    def count(self, call: Call) -> Told:
        hidden = call.flag("returnNonVisibleProducts")
        if hidden and not self._may(READ_ADMIN):
            raise _no_permission("NO_PERMISSION_TO_INCLUDE_NOT_VISIBLE_PRODUCTS")
        rows = (product for product in self._seen(call) if product.visible or hidden)
        question = PRODUCT_SEARCH.read({"filter": call.arguments.get("filter"), "search": call.arguments.get("search")})
        return {"count": PRODUCT_SEARCH.count(question, rows)}

    def matching(self, call: Call) -> list[Product]:
        """The products that ``filter`` and ``search`` of a call by filter find; raises WixRefusal."""
        question = PRODUCT_SEARCH.read({"filter": call.arguments.get("filter"), "search": call.arguments.get("search")})
        return [product for product in self._shelf.products.values() if question.matches(product)]

    def get(self, call: Call) -> Told:
        product = self._shelf.products.get(call.params["productId"])
        return self._shown(product, call, call.params["productId"])

    def by_slug(self, call: Call) -> Told:
        return self._shown(self._shelf.by_slug.get(call.params["slug"]), call, call.params["slug"])

    def variants(self, call: Call) -> Told:
        fields = self.fields(call)
        page = self._variant_page(VARIANTS, VARIANTS.read(call.part("query")), call)
        return {
            "variants": [read_only_variant(variant, self.status, fields) for variant in page.rows],
            "pagingMetadata": page.metadata(),
        }

    def search_variants(self, call: Call) -> Told:
        fields, asked = self.fields(call), call.part("search")
        question = VARIANT_SEARCH.read(asked)
        page = self._variant_page(VARIANT_SEARCH, question, call, whole=bool(asked.get("aggregations")))
        told: Told = {
            "variants": [read_only_variant(variant, self.status, fields) for variant in page.rows],
            "pagingMetadata": page.metadata(),
        }
        if asked.get("aggregations"):
            told["aggregationData"] = aggregate(VARIANT_SEARCH, asked["aggregations"], page.found)
        return told

    def status(self, variant: Variant) -> tuple[bool, bool]:
        """(in stock, preorder enabled) at the default location, which is all that products reflect."""
        item = self._inventory.at(variant, self._default_location)
        if item is None:
            return False, False
        return availability(ItemRow(item, item.level.now)) == "IN_STOCK", item.preorder.enabled

    def told(self, product: Product, fields: frozenset[str], *, variants: bool = True) -> Told:
        told = product_payload(product, self.status, fields, variants=variants)
        return told | self._categories.told(product.id, fields)

    def fields(self, call: Call) -> frozenset[str]:
        """The RequestedFields of a call; raises WixRefusal for those that need a permission."""
        fields = call.arguments.get("fields") or []
        if "MERCHANT_DATA" in fields and not self._may(READ_ADMIN):
            raise _no_permission("NO_PERMISSION_TO_READ_MERCHANT_DATA")
        return frozenset(fields)

    def _shown(self, product: Product | None, call: Call, name: str) -> Told:
        fields = self.fields(call)
        if product is None or not (product.visible or self._may(READ_ADMIN)):
            raise product_missing(name)
        return {"product": self.told(product, fields)}

    def _page(self, language: Language, question: Question, call: Call, *, whole: bool = False) -> Page:
        """``whole`` where all that was found is needed, not only the page."""
        sees, wanted = self._sight(call), question.wanted.get("id")
        if wanted is not None:
            named = (self._shelf.products.get(str(one)) for one in dict.fromkeys(wanted))
            return language.page(question, [product for product in named if product is not None and sees(product)])
        make = _if_seen(sees)
        page = None if whole else page_in_order(language, question, {TIE: self._shelf.products_in_order}, make)
        return page or language.page(question, self._seen(call))

    def _variant_page(self, language: Language, question: Question, call: Call, *, whole: bool = False) -> Page:
        sees, wanted = self._sight(call), question.wanted.get("sku")
        if wanted is not None:
            named = [one for sku in dict.fromkeys(wanted) for one in self._shelf.with_sku(sku or "")]
            return language.page(question, [variant for variant in named if sees(variant.product)])
        make = _if_seen(lambda variant: sees(variant.product))
        page = None if whole else page_in_order(language, question, {TIE: self._shelf.variants_in_order}, make)
        return page or language.page(question, self._seen_variants(call))

    def _sight(self, call: Call) -> Callable[[Product], bool]:
        """What the caller may see; an index that lags does not know the newest yet."""
        hidden, moment = self._may(READ_ADMIN), call.read_moment
        return lambda product: (product.visible or hidden) and (moment is None or product.created_at <= moment)

    def _seen(self, call: Call) -> Iterator[Product]:
        return filter(self._sight(call), self._shelf.products.values())

    def _seen_variants(self, call: Call) -> Iterator[Variant]:
        return (variant for product in self._seen(call) for variant in product.variants)


class ProductWrites:
    """Create, update and delete one product."""

    def __init__(self, reads: ProductAnswers, shelf: Shelf, drafting: Drafting, workshop: Workshop) -> None:
        self._reads = reads
        self._shelf = shelf
        self._drafting = drafting
        self._workshop = workshop

    def operations(self) -> list[Operation]:
        one, takes = BASE + "/{productId}", f"{PRODUCT_PACKAGE}:"

        def write(name: str, method: str, path: str, handler: Handler, message: str) -> Operation:
            return Operation(name, (method,), path, handler, WRITE, "v3", takes=takes + message)

        return [
            write("createProduct", "POST", BASE, self.create, "CreateProductRequest"),
            write("updateProduct", "PATCH", one, self.update, "UpdateProductRequest"),
            write("deleteProduct", "DELETE", one, self.delete, "V3DeleteProductRequest"),
        ]

    def create(self, call: Call) -> Told:
        fields = self._reads.fields(call)
        draft = self._drafting.for_creation(call.part("product"))
        product = self._workshop.create(draft, call.actor)
        call.wrote = True
        return {"product": self._reads.told(product, fields)}

    def update(self, call: Call) -> Told:
        fields, asked = self._reads.fields(call), call.part("product")
        product = self.guarded(call.params["productId"], asked)
        draft = self._drafting.for_update(asked, product)
        self._workshop.update(product, draft, modified_of(asked), api_change(call))
        call.wrote = True
        return {"product": self._reads.told(product, fields)}

    def delete(self, call: Call) -> Told:
        self._workshop.delete(self.find(call.params["productId"]), api_change(call))
        call.wrote = True
        return {}

    def find(self, product_id: str) -> Product:
        """Raises WixRefusal (404)."""
        product = self._shelf.products.get(product_id)
        if product is None:
            raise product_missing(product_id)
        return product

    def guarded(self, product_id: str, asked: Told) -> Product:
        """The product, if the caller knows its current revision; raises WixRefusal."""
        product = self.find(product_id)
        revision = asked.get("revision")
        if revision is None or revision == "":
            raise validation_error("product.revision", "must not be empty", "REQUIRED_FIELD")
        if str(revision) != str(product.revision):
            raise application_error(409, "REVISION_MISMATCH", "entity has already changed since the requested revision")
        return product


def _if_seen(sees: Callable[[Any], bool]) -> Callable[[Any], Any]:
    return lambda thing: thing if sees(thing) else None


def modified_of(asked: Told) -> Told:
    """What the caller sent, as an event tells it."""
    return {name: value for name, value in asked.items() if name not in ("id", "revision")}


def product_missing(name: str) -> WixRefusal:
    return application_error(404, "PRODUCT_NOT_FOUND", f"Product {name!r} not found")


def _no_permission(code: str) -> WixRefusal:
    return application_error(403, code, f"Permission denied: {READ_ADMIN} is missing")
