"""Everything about bundles that a shop needs: the mutations, the operations that are polled, and the basket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from storebridge_sandbox.shopify.call import Resolvers
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.mutations import Verb
from storebridge_sandbox.shopify.products.bundle_products import BundleProducts
from storebridge_sandbox.shopify.products.bundles import BundleWrites
from storebridge_sandbox.shopify.products.state import BundleOperation, Product, Shelves, Variant
from storebridge_sandbox.shopify.products.variants import VariantWrites
from storebridge_sandbox.shopify.products.writes import ProductWrites
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales.bundled import Bought, unpacked
from storebridge_sandbox.shopify.sales.jobs import Jobs
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.stock import Stock


class Bundling:
    """``changed`` announces a product."""

    def __init__(
        self,
        shelves: Shelves,
        stock: Stock,
        shop: ShopState,
        numbers: Numbers,
        now: Callable[[], datetime],
        changed: Callable[[Product, str], None],
        variants: VariantWrites,
        products: ProductWrites,
        jobs: Jobs,
        options: ShopifyOptions,
    ) -> None:
        self._whole = options.bundle_lines == "bundle"
        self._shelves = shelves
        self._numbers = numbers
        self._changed = changed
        self._other_operations = products.operations
        self._writes = BundleWrites(shelves, stock, shop, now, changed)

        def later(operation: BundleOperation) -> None:
            jobs.later(options.bundle_seconds, "bundle", operation)

        self._products = BundleProducts(
            shelves, variants, self._writes, numbers, products.begin, products.redo_options, changed, later
        )
        self.operations = self._products.operations
        jobs.workers["bundle"] = lambda job: self._products.carry_out(job.subject)

    def verbs(self) -> dict[str, Verb]:
        return {**self._writes.verbs(), **self._products.verbs()}

    def resolvers(self) -> Resolvers:
        find: Resolvers = {("QueryRoot", "productOperation"): lambda _s, args, _c: self.find(args["id"])}
        return {**self._products.resolvers(), **find}

    def find(self, global_id: str) -> Any:
        """An operation on a product, of a bundle or not."""
        return self.operations.get(global_id) or self._other_operations.get(global_id)

    def make(self, variant: Variant, components: Mapping[str, int]) -> None:
        """Staff make a variant up of others (units by variant id)."""
        self._writes.set_components(variant, components)
        self._changed(variant.product, "products/update")

    def unpack(self, basket: Iterable[tuple[Variant, int]]) -> list[Bought]:
        """The lines of a basket. Raises OutOfStock for a bundle that lacks a component."""

        def new_group() -> str:
            return self._numbers.new("LineItemGroup")

        return [
            bought
            for variant, units in basket
            for bought in unpacked(variant, units, self._shelves.variants, new_group, whole=self._whole)
        ]
