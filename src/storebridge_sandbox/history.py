"""A past for stores that were just opened: orders of the last months, as they were placed, shipped and given back.

Every order goes through the same verbs as one of today, so levels, movements and orders agree.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from storebridge_sandbox.orders import Order, OutOfStock, Wish
from storebridge_sandbox.wix.orders.state import WixOrder

if TYPE_CHECKING:
    from storebridge_sandbox.app import Stores
    from storebridge_sandbox.control import Store

SPAN = timedelta(days=90)
REGULARS = 2_000
"""So many people buy, again and again."""
RESTOCKED_UNITS = 60
PER_STEP = 500
FIRST_NAMES = ("Ada", "Ben", "Chloé", "Dilan", "Eva", "Finn", "Grażyna", "Hana", "Ivo", "Jonas", "Katrin", "Léo")
LAST_NAMES = ("Abel", "Brandt", "Costa", "Demir", "Eriksen", "Fischer", "Novak", "O’Brien", "Peeters", "Rossi")


class Clock:
    """Time that can be told to be in the past, until it is let go."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._held: datetime | None = None

    def __call__(self) -> datetime:
        return self._now() if self._held is None else self._held

    def hold(self, moment: datetime) -> None:
        self._held = moment

    def let_go(self) -> None:
        self._held = None


def make_history(stores: Stores, clock: Clock, *, orders: int, seed: int) -> Iterator[int]:
    """Give each store so many orders of the last 90 days; yields the number made, now and then.

    ``clock`` must be the clock that the stores were built with. Nobody is told of these orders.
    """
    chance = random.Random(f"history-{seed}")
    end = clock()
    address, stores.wix.notices.address = stores.wix.notices.address, None
    places = tuple((store, sorted(store.goods())) for store in (stores.shopify, stores.wix))
    try:
        for number in range(orders):
            clock.hold(end - SPAN + SPAN * number / orders)
            stores.shopify.office.jobs.catch_up()
            for store, skus in places:
                _trade(store, skus, chance)
            if number % PER_STEP == PER_STEP - 1:
                yield number + 1
    finally:
        clock.let_go()
        stores.wix.notices.address = address
    stores.shopify.office.jobs.catch_up()
    stores.shopify.index.catch_up()


def _trade(store: Store, skus: list[str], chance: random.Random) -> None:
    wishes = [Wish(sku, 1 + (chance.random() < 0.15)) for sku in chance.sample(skus, min(len(skus), _size(chance)))]
    paid = chance.random() < 0.95
    order = _place(store, wishes, _customer(chance), paid=paid)
    fate = chance.random()
    if not paid:
        if fate < 0.5:
            store.pay(order)
    elif fate < 0.86:
        store.fulfil(order, (), {"company": "Parcel Post", "number": f"PP{chance.getrandbits(40):012d}", "url": ""})
        if fate < 0.04:
            store.refund(order, [Wish(wishes[0].sku, 1, restock=fate < 0.03)], None)
    elif fate < 0.88:
        store.cancel(order, restock=True)
    if isinstance(order, WixOrder):
        order.forget_faces()


def _place(store: Store, wishes: list[Wish], customer: dict[str, str], *, paid: bool) -> Order:
    while True:
        try:
            return store.checkout(wishes, customer, paid=paid)
        except OutOfStock as short:
            store.adjust(short.sku, None, delta=RESTOCKED_UNITS, to=None)


def _size(chance: random.Random) -> int:
    return chance.choices((1, 2, 3), weights=(6, 3, 1))[0]


def _customer(chance: random.Random) -> dict[str, str]:
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    return {
        "email": f"shopper{chance.randrange(40_000) % REGULARS}@example.org",
        "first_name": first,
        "last_name": last,
    }
