"""Both stores in a file, so that a restart finds the goods, the orders and the subscriptions that were there.

Plain JSON: things are rows of a table and name each other by number, because a variant and its product, or an
order line and its variant, must stay the same thing after the way there and back. Only the classes listed here
are ever made from a file. Not kept: the logs of calls and deliveries, and deliveries under way, which are lost
as they would be at a vendor's bad moment; the bridge's sweeps find what they told.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storebridge_sandbox import orders, stock
from storebridge_sandbox.shopify.inventory import state as shopify_inventory
from storebridge_sandbox.shopify.products import state as shopify_products
from storebridge_sandbox.shopify.shop import state as shopify_shop
from storebridge_sandbox.shopify.subscriptions import state as shopify_subscriptions
from storebridge_sandbox.wix import identities, orders_state
from storebridge_sandbox.wix.inventory import state as wix_inventory
from storebridge_sandbox.wix.jobs import state as wix_jobs
from storebridge_sandbox.wix.locations import state as wix_locations
from storebridge_sandbox.wix.shelf import state as wix_shelf

if TYPE_CHECKING:
    from storebridge_sandbox.app import Stores

FORM = 1
MODULES = (
    orders,
    stock,
    shopify_inventory,
    shopify_products,
    shopify_shop,
    shopify_subscriptions,
    identities,
    orders_state,
    wix_inventory,
    wix_jobs,
    wix_locations,
    wix_shelf,
)
PACKAGE = __package__ or ""

Parts = Mapping[str, tuple[str, ...]]
BOOK = ("_levels", "_by_item", "movements")
SHOPIFY: Parts = {
    "": ("_chance",),
    "numbers": ("used",),
    "tokens": ("ends_at", "refresh_ends_at", "_chance"),
    "shop": ("created_at", "locations"),
    "shelves": ("products", "variants", "by_item", "by_sku"),
    "stock": BOOK,
    "orders": ("orders", "_next_number"),
    "index": ("_pending", "_shown"),
    "inventory": ("_keys",),
    "subscriptions": ("all", "_chance"),
}
"""Which attributes of which part are the shop's memory; everything else is made anew from seed and options."""
WIX: Parts = {
    "_new_id": ("_rng",),
    "access": ("_tokens", "api_key_valid", "installed"),
    "notices": ("_sequences", "address", "events", "installed"),
    "notices._new_id": ("_rng",),
    "_told": ("_unborn",),
    "shelf": ("products", "by_key", "by_sku", "_numbers", "_variant_numbers"),
    "stock": BOOK,
    "inventory": ("items", "by_variant", "by_product", "_numbers"),
    "jobs": ("jobs",),
    "locations": ("all", "default"),
    "orders": ("orders", "_next_number", "trigger"),
    "_order_answers": ("_settings_changed_at", "_create_invoice"),
}


class StateUnreadable(ValueError):
    """The file holds no state of these stores; the message says why."""


def save_state(stores: Stores, path: Path, *, seed: int) -> None:
    """Write both stores; the file is whole or the old one stays. Raises OSError."""
    content = {
        "storebridge_sandbox_state": FORM,
        "seed": seed,
        "wix_catalog": stores.wix.options.catalog,
        "webhook_url": stores.wix.options.webhook_url,
        "shopify": _put_away(stores.shopify, SHOPIFY),
        "wix": _put_away(stores.wix, WIX),
    }
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
    unfinished.replace(path)


def load_state(stores: Stores, path: Path, *, seed: int) -> None:
    """Fill both empty stores. Raises OSError, and StateUnreadable for a file that is none or of other stores.

    The address of Wix's webhooks is what was typed into its dashboard, unless another one is given now.
    """
    options = stores.wix.options
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _check(content, seed, options.catalog)
        _take_out(stores.shopify, SHOPIFY, content["shopify"])
        _take_out(stores.wix, WIX, content["wix"])
        if content["webhook_url"] != options.webhook_url:
            stores.wix.notices.address = options.webhook_url
    except StateUnreadable:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        raise StateUnreadable(f"it holds no sandbox state ({type(error).__name__}: {error})") from error


def _check(content: Any, seed: int, catalog: str) -> None:
    if content.get("storebridge_sandbox_state") != FORM:
        raise StateUnreadable("it holds no sandbox state of this version")
    if content["seed"] != seed:
        raise StateUnreadable(f"its stores were made with --seed {content['seed']}, which their credentials come from")
    if content["wix_catalog"] != catalog:
        raise StateUnreadable(f"its Wix site has --wix-catalog {content['wix_catalog']}")


def _put_away(store: object, parts: Parts) -> dict[str, Any]:
    writer = _Writer()
    kept = {
        part: {name: writer.write(getattr(_part(store, part), name)) for name in names} for part, names in parts.items()
    }
    return {"parts": kept, "things": writer.things}


def _take_out(store: object, parts: Parts, content: Mapping[str, Any]) -> None:
    """Containers are filled in place: other parts of the store hold the same ones."""
    reader = _Reader(content["things"])
    for part, names in parts.items():
        owner = _part(store, part)
        for name in names:
            value = reader.read(content["parts"][part][name])
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


class _Writer:
    """Values into JSON; dataclasses become rows of ``things`` and references to them."""

    def __init__(self) -> None:
        self.things: list[list[Any]] = []
        self._numbers: dict[int, int] = {}
        self._forms: dict[type, Callable[[Any], dict[str, Any]]] = {
            datetime: lambda value: {"time": value.isoformat()},
            Decimal: lambda value: {"decimal": str(value)},
            random.Random: lambda value: {"chance": self.write(value.getstate())},
            dict: lambda value: {"dict": self._pairs(value)},
            Counter: lambda value: {"counter": self._pairs(value)},
            tuple: lambda value: {"tuple": self._all(value)},
            deque: lambda value: {"deque": self._all(value)},
            set: lambda value: {"set": self._all(sorted(value))},
            frozenset: lambda value: {"frozenset": self._all(sorted(value))},
        }

    def write(self, value: Any) -> Any:
        """Raises TypeError for what has no form here: then a store keeps something that this file must learn."""
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list):
            return self._all(value)
        form = self._forms.get(type(value))
        return self._refer(value) if form is None else form(value)

    def _all(self, values: Iterable[Any]) -> list[Any]:
        return [self.write(value) for value in values]

    def _pairs(self, value: Mapping[Any, Any]) -> list[Any]:
        return [[self.write(key), self.write(held)] for key, held in value.items()]

    def _refer(self, value: Any) -> dict[str, Any]:
        name = _name_of(type(value))
        if name not in KINDS:
            raise TypeError(f"{name} has no form in a state file")
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self.things)
            row: list[Any] = [name, {}]
            self.things.append(row)
            row[1] = {field.name: self.write(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"thing": number}


class _Reader:
    """The way back: all things are there, empty, before the first is filled."""

    def __init__(self, things: list[list[Any]]) -> None:
        self._things: list[Any] = [object.__new__(KINDS[name]) for name, _ in things]
        self._forms: dict[str, Callable[[Any], Any]] = {
            "thing": lambda held: self._things[held],
            "time": datetime.fromisoformat,
            "decimal": Decimal,
            "chance": self._chance,
            "dict": self._pairs,
            "counter": lambda held: Counter(self._pairs(held)),
            "tuple": lambda held: tuple(self._all(held)),
            "deque": lambda held: deque(self._all(held)),
            "set": lambda held: set(self._all(held)),
            "frozenset": lambda held: frozenset(self._all(held)),
        }
        for thing, (_, fields) in zip(self._things, things, strict=True):
            for name in (field.name for field in dataclasses.fields(thing)):
                object.__setattr__(thing, name, self.read(fields[name]))

    def read(self, held: Any) -> Any:
        if isinstance(held, dict):
            ((form, value),) = held.items()
            return self._forms[form](value)
        return self._all(held) if isinstance(held, list) else held

    def _all(self, held: list[Any]) -> list[Any]:
        return [self.read(value) for value in held]

    def _pairs(self, held: list[Any]) -> dict[Any, Any]:
        return {self.read(key): self.read(value) for key, value in held}

    def _chance(self, held: Any) -> random.Random:
        chance = random.Random()
        chance.setstate(self.read(held))
        return chance
