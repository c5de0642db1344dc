"""The losing orders of an ``oversold`` case: who they are, which of them a person means, what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from storebridge.errors import RefusedError
from storebridge.flows.take_off import nothing_else_left
from storebridge.inventory.claims import missing_of, units_beside
from storebridge.model.ids import OrderKey, PoolId, Workspace
from storebridge.model.sales import Order, ParcelLine
from storebridge.store.cases import StoredCase
from storebridge.store.database import Tx
from storebridge.store.oversold import Item, StoredLoser, losers_of_pools, weights_in_pool
from storebridge.store.sales import known_orders


class LosingOrder(msgspec.Struct, frozen=True):
    """An order that cannot be met, and what a person can decide about."""

    order_key: OrderKey
    name: str
    connection: str
    units: int
    """Units of the pool that are missing for it."""
    choice: str
    """``wait``, ``substitute`` or ``cancel``; empty while nothing was decided."""
    beside: dict[str, int]
    """What it waits for besides, by SKU or title: stays, unless the whole order is called off."""
    takes_whole: bool
    """Nothing else is left in it: ``cancel`` calls the order off."""


class Loser(msgspec.Struct, frozen=True):
    """One of them with its document; ``missing`` are the units of its lines that are missing."""

    stored: StoredLoser
    order: Order
    missing: tuple[ParcelLine, ...]
    beside: dict[str, int]

    @property
    def order_key(self) -> OrderKey:
        return self.stored.order_key

    @property
    def name(self) -> str:
        """For people: two stores may have an order of one name."""
        return f"{self.order.name} of {self.order.connection}"


def losers_of_case(tx: Tx, workspace: Workspace, case: StoredCase) -> list[Loser]:
    """All of them, by key."""
    pool_id = PoolId(case.subject)
    stored = losers_of_pools(tx, workspace, [pool_id])
    known = known_orders(tx, workspace, [one.order_key for one in stored])
    weights = weights_in_pool(tx, workspace, pool_id)
    return [_loser(one, known[one.order_key].order, weights) for one in stored if one.order_key in known]


def _loser(stored: StoredLoser, order: Order, weights: Mapping[Item, int]) -> Loser:
    mine = {item: weight for (store, item), weight in weights.items() if store == order.connection}
    return Loser(stored, order, missing_of(order, mine, stored.units), units_beside(order, mine, stored.units))


def losing_orders(tx: Tx, workspace: Workspace, case: StoredCase) -> list[LosingOrder]:
    """As screens and commands show them."""
    return [
        LosingOrder(
            order_key=one.order_key,
            name=one.order.name,
            connection=one.order.connection,
            units=one.stored.units,
            choice=one.stored.choice,
            beside=one.beside,
            takes_whole=nothing_else_left(one.order, one.missing),
        )
        for one in losers_of_case(tx, workspace, case)
    ]


def chosen_losers(tx: Tx, workspace: Workspace, case: StoredCase, orders: Sequence[str]) -> list[Loser]:
    """Those that are meant: by key, store's id or name; all of them where none is named. Raises RefusedError where
    there is none, or one that is named does not lose or is two."""
    losers = losers_of_case(tx, workspace, case)
    if not losers:
        raise RefusedError(
            f"No order that waits to be shipped is known for {case.sku}; nothing was changed. Its orders are read "
            "within a minute; if there are none, count the shelf (storebridge count)."
        )
    if not orders:
        return losers
    meant = {one.order_key: one for name in orders for one in [_named(losers, name, case)]}
    return [meant[key] for key in sorted(meant)]


def _named(losers: Sequence[Loser], name: str, case: StoredCase) -> Loser:
    found = [one for one in losers if name in (one.order_key, one.order.order_id, one.order.name)]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(f"{one.order_key} ({one.order.connection})" for one in found)
        raise RefusedError(f"{name!r} names {len(found)} losing orders: say which by its key: {keys}. Nothing changed.")
    names = ", ".join(one.name for one in losers)
    raise RefusedError(
        f"Order {name!r} is none of those that cannot be met for {case.sku}: those are {names}. Nothing was changed."
    )
