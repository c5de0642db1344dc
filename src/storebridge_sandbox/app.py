"""Both pretend stores in one world: built, stocked with the same goods, served, and written into a
configuration."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from storebridge_sandbox.catalogue import Catalogue, Skipped, read_catalogue
from storebridge_sandbox.config_file import write_config
from storebridge_sandbox.faults import FaultPlan, FaultSettings
from storebridge_sandbox.seed_catalogue import PRODUCTS, make_catalogue
from storebridge_sandbox.serve import ServedStores, serve_stores
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.timeline import Timeline, skewed
from storebridge_sandbox.wix.inventory.state import HIGHEST as WIX_HIGHEST
from storebridge_sandbox.wix.inventory.state import LOWEST as WIX_LOWEST
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.store import WixStore
from storebridge_sandbox.world import HttpPost, World, real_world

if TYPE_CHECKING:
    from storebridge_sandbox.shopify.store import ShopifyStore

__all__ = [
    "Loaded",
    "ServedStores",
    "Stores",
    "build_stores",
    "load_both",
    "serve_stores",
    "write_config",
]

SHIFTS = (-3, -2, -1, 1, 2, 5)


@dataclass(slots=True)
class Stores:
    """The two stores and the world that they share; ``post`` is their own way out, to be closed with them."""

    shopify: ShopifyStore
    wix: WixStore
    world: World
    post: HttpPost | None = None
    timelines: tuple[Timeline, ...] = ()

    async def stop(self) -> None:
        """Everything under way in the stores ends here."""
        for timeline in self.timelines:
            timeline.stop()
        await self.shopify.stop()
        await self.wix.stop()
        if self.post is not None:
            await self.post.close()


class Stockable(Protocol):
    """A store as far as its catalogue goes."""

    def load_catalogue(self, catalogue: Catalogue) -> Catalogue: ...


class StockablePair(Protocol):
    """Two stores as far as their catalogue goes."""

    @property
    def shopify(self) -> Stockable: ...

    @property
    def wix(self) -> Stockable: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """What both stores now sell, and the lines of the catalogue that one of them could not use."""

    products: int
    variants: int
    skipped: tuple[Skipped, ...]


def build_stores(
    *,
    seed: int,
    fault_seed: int | None = None,
    world: World | None = None,
    shopify_options: ShopifyOptions | None = None,
    wix_options: WixOptions | None = None,
    faults: FaultSettings | None = None,
    now: Callable[[], datetime] | None = None,
) -> Stores:
    """Two empty stores. Without a ``world`` they live on the machine's clock, or on ``now``, and deliver over HTTP.

    Each store throws its own dice for its faults, so that what one is asked does not change what happens to the other;
    with a ``fault_seed`` the same stores have other faults.
    """
    from storebridge_sandbox.shopify.store import ShopifyStore

    post = None
    if world is None:
        post = HttpPost()
        world = real_world(seed, post)
        world.now = now or world.now
    settings, dice = faults or FaultSettings(), seed if fault_seed is None else fault_seed

    def plan(name: str) -> FaultPlan:
        return FaultPlan(settings, world.now, random.Random(f"{name}-faults-{dice}"), store=name)

    for_shopify, for_wix = plan("shopify"), plan("wix")
    shopify = ShopifyStore(
        skewed(world, for_shopify), seed=seed, options=shopify_options or ShopifyOptions(), faults=for_shopify
    )
    wix = WixStore(skewed(world, for_wix), seed=seed, options=wix_options or WixOptions(), faults=for_wix)
    both: tuple[tuple[ShopifyStore | WixStore, FaultPlan], ...] = ((shopify, for_shopify), (wix, for_wix))
    timelines = tuple(
        Timeline(world, faults, {"revoke_tokens": one.revoke_tokens, "drop_subscriptions": one.drop_subscriptions})
        for one, faults in both
    )
    return Stores(shopify, wix, world, post, timelines)


def load_both(
    stores: StockablePair,
    csv_text: str | bytes | None = None,
    *,
    seed: int = 1,
    products: int = PRODUCTS,
    opening_levels_differ: bool = True,
) -> Loaded:
    """The same products into both stores: those of a Shopify export, or so many made up from the seed.

    With ``opening_levels_differ`` most Wix levels are a few units off, as between two stores that nobody kept
    in step; without it they are the sum of what Shopify has. Raises CatalogueUnreadable for text that is no
    product export.
    """
    catalogue = make_catalogue(seed, products=products) if csv_text is None else read_catalogue(csv_text)
    _leave_out_uncountable(catalogue)
    _open_levels(catalogue, random.Random(f"opening-{seed}"), differ=opening_levels_differ)
    into_shopify = stores.shopify.load_catalogue(catalogue)
    into_wix = stores.wix.load_catalogue(catalogue)
    skipped = dict.fromkeys([*into_shopify.skipped, *into_wix.skipped])
    return Loaded(
        products=min(len(into_shopify.products), len(into_wix.products)),
        variants=min(into_shopify.variants, into_wix.variants),
        skipped=tuple(sorted(skipped, key=lambda row: (row.line, row.reason))),
    )


def _leave_out_uncountable(catalogue: Catalogue) -> None:
    """No level for which one of the two stores has no room: nobody could bring the other to show the same."""
    for product in catalogue.products:
        for variant in tuple(product.variants):
            whole = variant.quantity + variant.outlet_quantity
            if not WIX_LOWEST <= whole <= WIX_HIGHEST:
                product.variants.remove(variant)
                reason = f"{whole} units of {variant.sku}: Wix counts from {WIX_LOWEST} to {WIX_HIGHEST}"
                catalogue.skipped.append(Skipped(variant.line, reason))
    catalogue.products = [product for product in catalogue.products if product.variants]


def _open_levels(catalogue: Catalogue, chance: random.Random, *, differ: bool) -> None:
    for product in catalogue.products:
        for variant in product.variants:
            whole = variant.quantity + variant.outlet_quantity
            variant.wix_quantity = max(0, whole + chance.choice(SHIFTS)) if differ else whole
