"""Both stores in a file, so that a restart finds the goods, the orders and the subscriptions that were there.

Lines of JSON: a head, then things and attributes in turn (``state_columns.py`` has their form). To keep something new,
make it a dataclass in one of ``MODULES``; only the classes in them are ever made from a file. Not kept: the logs of
calls and deliveries, and deliveries under way, which are lost as they would be at a vendor's bad moment; the bridge's
sweeps find what they told.
"""

from __future__ import annotations

import dataclasses
import gc
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from storebridge_sandbox import orders, stock
from storebridge_sandbox.shopify import money as shopify_money
from storebridge_sandbox.shopify.bulk import state as shopify_bulk
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
from storebridge_sandbox.shopify.shop import state as shopify_shop
from storebridge_sandbox.shopify.subscriptions import state as shopify_subscriptions
from storebridge_sandbox.state_columns import ColumnReader, ColumnWriter
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
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.shelf import state as wix_shelf

if TYPE_CHECKING:
    from storebridge_sandbox.app import Stores

FORM = 3
"""Raised when a field means something else than before: a file of an earlier form is refused, not misread."""
END = {"end": True}
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
    wix_shelf,
)
PACKAGE = __package__ or ""

Parts = Mapping[str, tuple[str, ...]]
BOOK = ("_levels", "_by_item", "movements")
SHOPIFY: Parts = {
    "": ("_chance",),
    "numbers": ("used",),
    "tokens": ("ends_at", "refresh_ends_at", "_chance"),
    "shop": ("created_at", "locations", "services"),
    "shelves": ("products", "variants", "by_item", "by_sku"),
    "stock": BOOK,
    "metafields": ("held", "definitions"),
    "orders": ("orders", "_next_number"),
    "index": ("_pending", "_shown"),
    "office.jobs": ("waiting", "known", "_chance"),
    "office.buyers": ("known",),
    "office.edits": ("open",),
    "inventory": ("_keys",),
    "bulk": ("all", "uploads"),
    "customer_merge": ("jobs",),
    "product_writes": ("operations",),
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
    "jobs": ("jobs",),
    "contacts": ("contacts", "deleted", "by_email", "by_phone", "by_external_id"),
    "contacts.new_id": ("_rng",),
    "members": ("members",),
    "labels": ("keys",),
    "extended_fields": ("keys",),
    "generation": ("now", "migrations"),
    "locations": ("all", "default"),
    "orders": ("orders", "_next_number", "_serials", "trigger"),
    "checkouts": ("open_ones",),
    "drafts": ("drafts",),
    "guard": ("plugin",),
    "_order_settings": ("_opened_at", "_changed_at", "_create_invoice"),
}


class StateUnreadable(ValueError):
    """The file holds no state of these stores; the message says why."""


def save_state(stores: Stores, path: Path, *, seed: int) -> None:
    """Write both stores; the file is whole or the old one stays. Raises OSError."""
    head = {
        "storebridge_sandbox_state": FORM,
        "seed": seed,
        "wix_catalog": stores.wix.options.catalog,
        "wix_currency": stores.wix.options.currency,
        "webhook_url": stores.wix.options.webhook_url,
    }
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        for line in (head, *_told("shopify", stores.shopify, SHOPIFY), *_told("wix", stores.wix, WIX), END):
            file.write(msgspec.json.encode(line) + b"\n")
    unfinished.replace(path)


def load_state(stores: Stores, path: Path, *, seed: int) -> None:
    """Fill both empty stores. Raises OSError, and StateUnreadable for a file that is none or of other stores.

    The address of Wix's webhooks is what was typed into its dashboard, unless another one is given now.
    """
    options = stores.wix.options
    try:
        with path.open("rb") as file, _without_collecting():
            lines = (msgspec.json.decode(line) for line in file)
            head: Any = next(lines, {})
            _check(head, seed, options)
            _take_out({"shopify": (stores.shopify, SHOPIFY), "wix": (stores.wix, WIX)}, lines)
        if head["webhook_url"] != options.webhook_url:
            stores.wix.notices.address = options.webhook_url
    except StateUnreadable:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        raise StateUnreadable(f"it holds no sandbox state ({type(error).__name__}: {error})") from error


def _check(head: Any, seed: int, options: WixOptions) -> None:
    if not isinstance(head, dict) or head.get("storebridge_sandbox_state") != FORM:
        raise StateUnreadable("it holds no sandbox state of this version")
    if head["seed"] != seed:
        raise StateUnreadable(f"its stores were made with --seed {head['seed']}, which their credentials come from")
    if head["wix_catalog"] != options.catalog:
        raise StateUnreadable(f"its Wix site has --wix-catalog {head['wix_catalog']}")
    if head["wix_currency"] != options.currency:
        raise StateUnreadable(f"its Wix site has --wix-currency {head['wix_currency']}")


def _told(store_name: str, store: object, parts: Parts) -> Iterator[dict[str, Any]]:
    """The lines of one store: after each attribute the things that it named."""
    writer = ColumnWriter(KINDS)
    for part, names in parts.items():
        for name in names:
            value = writer.write(getattr(_part(store, part), name))
            yield {"store": store_name, "part": part, "name": name, "value": value}
            for line in writer.lines():
                yield {"store": store_name, **line}


def _take_out(stores: Mapping[str, tuple[object, Parts]], lines: Iterator[dict[str, Any]]) -> None:
    readers = {name: ColumnReader(KINDS) for name in stores}
    missing = {(name, part, one) for name, (_, parts) in stores.items() for part in parts for one in parts[part]}
    ended = False
    for line in lines:
        if line == END:
            ended = True
            continue
        store, reader = stores[line["store"]][0], readers[line["store"]]
        if "kind" in line:
            reader.fill(line)
        else:
            missing.remove((line["store"], line["part"], line["name"]))
            _put(_part(store, line["part"]), line["name"], reader.read(line["value"]))
    if missing or not ended:
        raise ValueError("it ends too early")
    for reader in readers.values():
        reader.check_whole()


def _put(owner: object, name: str, value: Any) -> None:
    """Containers are filled in place: other parts of the store hold the same ones."""
    old = getattr(owner, name)
    if isinstance(old, dict | set):
        old.clear()
        old.update(value)
    elif isinstance(old, list):
        old[:] = value
    elif isinstance(old, random.Random):
        old.setstate(value.getstate())
    else:
        setattr(owner, name, value)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Millions of things are made and none is garbage: looking for some would take longer than making them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def _part(store: object, path: str) -> Any:
    return attrgetter(path)(store) if path else store


def _name_of(kind: type) -> str:
    """``orders:Order``: the module tells two vendors' products apart."""
    return f"{kind.__module__.removeprefix(PACKAGE + '.')}:{kind.__qualname__}"


KINDS: dict[str, type] = {
    _name_of(kind): kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind)
}
