"""What of the two stores is kept in a state file, and which classes may be made from one.

To keep something new, make it a dataclass in one of ``MODULES``; only the classes in them are ever made from a file.
Not kept: the logs of calls and deliveries, and deliveries under way, which are lost as they would be at a vendor's bad
moment; the bridge's sweeps find what they told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from storebridge_sandbox import orders, stock
from storebridge_sandbox.rows_in_order import RowsInOrder
from storebridge_sandbox.shopify import money as shopify_money
from storebridge_sandbox.shopify.bulk import state as shopify_bulk
from storebridge_sandbox.shopify.collections import state as shopify_collections
from storebridge_sandbox.shopify.customers import merging as shopify_merging
from storebridge_sandbox.shopify.inventory import rows as shopify_rows
from storebridge_sandbox.shopify.inventory import state as shopify_inventory
from storebridge_sandbox.shopify.metafields import state as shopify_metafields
from storebridge_sandbox.shopify.products import state as shopify_products
from storebridge_sandbox.shopify.products import writes as shopify_product_writes
from storebridge_sandbox.shopify.sales import buyers as shopify_buyers
from storebridge_sandbox.shopify.sales import edits as shopify_edits
from storebridge_sandbox.shopify.sales import jobs as shopify_jobs
from storebridge_sandbox.shopify.sales import state as shopify_sales
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.shop import state as shopify_shop
from storebridge_sandbox.shopify.subscriptions import state as shopify_subscriptions
from storebridge_sandbox.state_columns import Elsewhere
from storebridge_sandbox.wix import identities
from storebridge_sandbox.wix.checkout import guard as wix_guard
from storebridge_sandbox.wix.checkout import state as wix_checkout
from storebridge_sandbox.wix.contacts import keys as wix_keys
from storebridge_sandbox.wix.contacts import members as wix_members
from storebridge_sandbox.wix.contacts import state as wix_contacts
from storebridge_sandbox.wix.drafts import state as wix_drafts
from storebridge_sandbox.wix.inventory import state as wix_inventory
from storebridge_sandbox.wix.jobs import state as wix_jobs
from storebridge_sandbox.wix.locations import state as wix_locations
from storebridge_sandbox.wix.orders import state as wix_orders
from storebridge_sandbox.wix.shelf import categories as wix_categories
from storebridge_sandbox.wix.shelf import state as wix_shelf

if TYPE_CHECKING:
    from storebridge_sandbox.shopify.store import ShopifyStore
    from storebridge_sandbox.wix.store import WixStore

MODULES = (
    orders,
    stock,
    shopify_inventory,
    shopify_money,
    shopify_sales,
    shopify_buyers,
    shopify_edits,
    shopify_jobs,
    shopify_rows,
    shopify_bulk,
    shopify_collections,
    shopify_merging,
    shopify_product_writes,
    shopify_metafields,
    shopify_products,
    shopify_shop,
    shopify_subscriptions,
    identities,
    wix_checkout,
    wix_drafts,
    wix_guard,
    wix_orders,
    wix_contacts,
    wix_inventory,
    wix_jobs,
    wix_keys,
    wix_locations,
    wix_members,
    wix_categories,
    wix_shelf,
)
PACKAGE = __package__ or ""

Parts = Mapping[str, tuple[str, ...]]
BOOK = ("levels",)
SHOPIFY: Parts = {
    "": ("_chance",),
    "numbers": ("used",),
    "tokens": ("ends_at", "refresh_ends_at", "_chance"),
    "shop": ("created_at", "locations", "services"),
    "shelves": ("products", "variants", "by_item", "by_sku"),
    "collections": ("all", "of_product"),
    "stock": BOOK,
    "metafields": ("held", "definitions"),
    "orders": ("_next_number",),
    "index": ("_pending", "_shown"),
    "office.jobs": ("waiting", "known", "_chance"),
    "office.buyers": ("known",),
    "office.edits": ("open",),
    "office.payments": ("sent_back", "again_at", "adjustments"),
    "inventory": ("_keys",),
    "bulk": ("all", "uploads"),
    "customer_merge": ("jobs",),
    "product_writes": ("operations",),
    "bundles": ("operations",),
    "subscriptions": ("all", "_chance"),
}
"""Which attributes of which part are the shop's memory; everything else is made anew from seed and options."""
WIX: Parts = {
    "_new_id": ("_rng",),
    "access": ("_tokens", "_codes", "_refresh_tokens", "api_key_valid", "installed"),
    "notices": ("_sequences", "address", "events", "installed"),
    "notices._new_id": ("_rng",),
    "news": ("_unborn",),
    "shelf": (
        "products",
        "by_key",
        "by_sku",
        "by_slug",
        "brands",
        "ribbons",
        "_numbers",
        "_variant_numbers",
        "_catalog",
    ),
    "stock": BOOK,
    "inventory": ("items", "by_variant", "by_product", "_numbers"),
    "categories": ("all", "_numbers"),
    "categories._new_id": ("_rng",),
    "jobs": ("jobs",),
    "contacts": ("contacts", "deleted", "by_email", "by_phone", "by_external_id"),
    "contacts.new_id": ("_rng",),
    "members": ("members",),
    "labels": ("keys",),
    "extended_fields": ("keys",),
    "generation": ("now", "migrations"),
    "locations": ("all", "default"),
    "orders": ("_next_number", "_serials", "trigger"),
    "checkouts": ("open_ones",),
    "drafts": ("drafts",),
    "guard": ("plugin",),
    "_order_settings": ("_opened_at", "_changed_at", "_create_invoice"),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """How one store lies in a file: ``parts`` as they are, ``asleep`` in blocks, ``rows`` the orders that lists go by.

    ``of_sleepers`` and ``of_parts`` name the things that blocks and parts hold and that are kept elsewhere, by class;
    ``find`` gives such a thing by its name; ``register`` knows which order a thing belongs to.
    """

    store: Any
    parts: Parts
    asleep: tuple[str, ...]
    rows: tuple[str, ...]
    of_sleepers: Elsewhere
    of_parts: Elsewhere
    find: Callable[[str], Any]
    register: Register | None = None

    def part(self, path: str) -> Any:
        return attrgetter(path)(self.store) if path else self.store

    def all_rows(self) -> dict[str, RowsInOrder]:
        """By path; a dict of several counts as one for each."""
        found: dict[str, RowsInOrder] = {}
        for path in self.rows:
            rows = self.part(path)
            if isinstance(rows, RowsInOrder):
                found[path] = rows
            else:
                found.update({f"{path}/{name}": one for name, one in rows.items()})
        return found


def kept_of_shopify(shop: ShopifyStore) -> Kept:
    shelves, things = shop.shelves, shop.office.things

    def variant(one: Any) -> str | None:
        name: str = one.item_id
        return name if shelves.by_item.get(name) is one else None

    def product(one: Any) -> str | None:
        name: str = one.id
        return name if shelves.products.get(name) is one else None

    def of_order(one: Any) -> str | None:
        name: str = one.id
        return name if things.get(name) is one else None

    def find(name: str) -> Any:
        held = next((held[name] for held in (shelves.by_item, shelves.products) if name in held), None)
        return held or things[name]

    kinds = (kind for kind in KINDS.values() if kind.__module__ == shopify_sales.__name__)
    return Kept(
        shop,
        SHOPIFY,
        ("orders.orders", "stock.movements"),
        ("index._kept", "orders.by_name", "orders.by_movement", "shelves.rows.products", "shelves.rows.variants"),
        {shopify_products.Variant: variant, shopify_products.Product: product},
        {kind: of_order for kind in kinds if any(field.name == "id" for field in dataclasses.fields(kind))},
        find,
        things,
    )


def kept_of_wix(site: WixStore) -> Kept:
    def sellable(one: Any) -> str | None:
        name: str = one.item_id
        variant = site.shelf.by_key.get(name)
        return name if variant is not None and variant.sellable is one else None

    return Kept(
        site,
        WIX,
        ("orders.orders", "stock.movements"),
        (
            "orders.kept",
            "orders.by_name",
            "orders.by_movement",
            "shelf.products_in_order",
            "shelf.variants_in_order",
            "shelf.variants_by_sku",
            "inventory.in_order",
        ),
        {orders.Sellable: sellable},
        {},
        lambda key: site.shelf.by_key[key].sellable,
    )


def name_of(kind: type) -> str:
    """``orders:Order``: the module tells two vendors' products apart."""
    return f"{kind.__module__.removeprefix(PACKAGE + '.')}:{kind.__qualname__}"


KINDS: dict[str, type] = {
    name_of(kind): kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind)
}
