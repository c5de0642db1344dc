"""Shoppers of a store whose checkout asks: they open one, type for a while, and place the order or walk away."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from storebridge.model.checkouts import GuardMode
from storebridge_proving.simulate.core.bridge import Bridge
from storebridge_proving.simulate.core.stores import Store
from storebridge_proving.simulate.core.timeline import Timeline
from storebridge_proving.simulate.core.wire import POOL

UNANSWERED_SECONDS = 5.0
THINKING_SECONDS = (5.0, 120.0)
WALKS_AWAY = 0.1
PATIENCE = 3
"""So often a shopper tries again who is told to try again in a moment."""


@dataclass(slots=True)
class Habits:
    """What is not known of the vendor (G1, G2, G3), drawn per seed."""

    asks_at_placement: bool = True
    passes_without_answer: bool = False
    bypass: float = 0.0
    """The part of the orders that no plugin is asked about: express wallets, the till, orders that staff type in."""


class Checkouts:
    """Checkouts of guarded stores, and the orders that come of them."""

    def __init__(
        self, timeline: Timeline, bridge: Bridge, chance: random.Random, habits: Habits, deliver: Callable[[str], None]
    ) -> None:
        self._timeline, self._bridge, self._chance = timeline, bridge, chance
        self._habits = habits
        self._deliver = deliver
        self._opened = 0
        self.past = 0
        """Units of orders that were placed although the guard had not answered."""

    def shop(self, store: Store, listing: str, units: int) -> None:
        """Somebody opens a checkout."""
        self._opened += 1
        flow = f"flow{self._opened}"
        if self._habits.bypass and self._chance.random() < self._habits.bypass:
            self._sell(store, listing, flow, units, None)
            return
        self._ask(store, flow, units, lambda said: self._type(store, listing, flow, units, said))

    def _ask(self, store: Store, flow: str, units: int, then: Callable[[bool | None], None]) -> None:
        """``then`` gets the answer, or None when none came."""
        answered = False

        def hear(said: bool | None) -> None:
            nonlocal answered
            if not answered:
                answered = True
                then(said)

        self._timeline.at(UNANSWERED_SECONDS, hear, None)
        if self._bridge.alive:
            self._bridge.guard.ask(store.name, flow, units, hear)

    def _type(self, store: Store, listing: str, flow: str, units: int, said: bool | None) -> None:
        if self._chance.random() < WALKS_AWAY:
            return
        self._timeline.at(self._chance.uniform(*THINKING_SECONDS), self._place, store, listing, flow, units, said, 1)

    def _place(self, store: Store, listing: str, flow: str, units: int, said: bool | None, tries: int) -> None:
        if not self._habits.asks_at_placement and said:
            self._sell(store, listing, flow, units, said)
            return

        def hear(said: bool | None) -> None:
            may = self._habits.passes_without_answer if said is None else said
            if may:
                self._sell(store, listing, flow, units, said)
            elif tries < PATIENCE and self._there_is(units, flow):
                self._timeline.at(5.0, self._place, store, listing, flow, units, None, tries + 1)
            else:
                self._turned_away(store, units, flow)

        self._ask(store, flow, units, hear)

    def _sell(self, store: Store, listing: str, flow: str, units: int, said: bool | None) -> None:
        """The store's own look at its stock comes last in any case."""
        before = self.past
        if said is None:
            self.past += units
        own = self._bridge.lane.reservations.get((flow, POOL))
        held = own is not None and own.covered >= units
        if said and not self._habits.asks_at_placement and not held and self._bridge.guard.mode is GuardMode.GUARDED:
            self.past += units  # its hold was over: the order is later than the guarantee reaches
        if store.sell(listing, units):
            self._bridge.guard.orders[flow] = (store.name, self._timeline.now)
            self._deliver(flow)
        else:
            self.past = before

    def _there_is(self, units: int, flow: str) -> bool:
        held = sum(r.units for r in self._bridge.lane.reservations.values() if r.flow != flow)
        return self._bridge.stores[next(iter(self._bridge.stores))].goods.left - held >= units

    def _turned_away(self, store: Store, units: int, flow: str) -> None:
        """Falsely, when the units were there and no live checkout held them."""
        if self._there_is(units, flow):
            store.goods.refused_falsely += 1
        elif store.goods.left >= units:
            store.goods.refused_held += 1
