"""What a person books, each cause once: orders that are called off because their goods never existed, and what an undo
takes back.

A saga of an oversold order: its loser is chosen by the product's rule, the call to cancel it is repeated until it is
answered, and the listing that shows it cancelled without restock books the units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from storebridge.inventory.oversell import Claim, choose_losers
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName, OrderKey
from storebridge.store.lanes import StoredLane
from storebridge_proving.simulate.core.guard_desk import moment
from storebridge_proving.simulate.core.stores import Listed, Store
from storebridge_proving.simulate.core.timeline import Network, Timeline, Trouble

LISTED_EVERY_SECONDS = 30.0
LOOKED_EVERY_SECONDS = 30.0
SHORT_FOR_SECONDS = 90.0
AGAIN_SECONDS = 10.0


@dataclass(slots=True)
class Books:
    """Causes that were booked, with their units; a cause stands there once."""

    causes: dict[str, int] = field(default_factory=dict)

    def enter(self, cause: str, units: int) -> bool:
        """False when it was booked before."""
        if cause in self.causes:
            return False
        self.causes[cause] = units
        return True


@dataclass(slots=True)
class Void:
    """An order that a person had called off, and the units that were missing for it."""

    store: str
    number: int
    allotted: int
    due: float | None = None
    """When the call goes out (again); None while it is on the wire or answered."""


class Owner(Protocol):
    """The bridge, as far as this desk needs it."""

    lane: StoredLane
    stores: dict[str, Store]
    network: Network
    books: Books

    def book(self, cause: str, units: int) -> None: ...

    def mine(self, act: Callable[..., None]) -> Callable[..., None]: ...


class OversoldDesk:
    """Orders that cannot be met."""

    def __init__(self, bridge: Owner, timeline: Timeline) -> None:
        self._bridge, self._timeline = bridge, timeline
        self.voids: dict[str, Void] = {}
        self._listed: dict[str, tuple[Listed, ...]] = {}
        self._listed_at, self._looked_at = 0.0, 0.0
        self._short_since: float | None = None

    def tick(self) -> None:
        """Notice that a pool is short; list orders while it is, or while one is being called off; send what is due."""
        now = self._timeline.now
        if now - self._looked_at >= LOOKED_EVERY_SECONDS:
            self._looked_at = now
            self._short_since = (self._short_since or now) if self._short() else None
        for void in self.voids.values():
            if void.due is not None and void.due <= now:
                self._call_off(void)
        if (self.voids or self._short_since is not None) and now - self._listed_at > LISTED_EVERY_SECONDS:
            self._listed_at = now
            for name, store in self._bridge.stores.items():
                there = store.list_orders
                self._bridge.network.call(name, there, self._bridge.mine(lambda told, n=name: self._told(n, told)))

    def restart(self) -> None:
        """What a dead process waited for is due again."""
        for void in self.voids.values():
            void.due = self._timeline.now if void.due is None else void.due

    def settle(self) -> None:
        """A person has the orders called off that lose."""
        now = self._timeline.now
        waiting = self._short_since is None or now - self._short_since < SHORT_FOR_SECONDS or self.is_busy
        if waiting or self._bridge.lane.on_the_wire:
            return
        claims = [claim for name, listed in self._listed.items() for claim in _claims(name, listed)]
        for loser in choose_losers(claims, self._short()):
            store, _, number = loser.claim.order_key.partition("/")
            self.voids.setdefault(loser.claim.order_key, Void(store, int(number), loser.units, due=now))

    def is_handled(self, store: str, number: int) -> bool:
        """Whether somebody has this order called off: others leave it alone."""
        return f"{store}/{number}" in self.voids

    def _short(self) -> int:
        state = self._bridge.lane.state({})
        return max(0, -goods_left(state, state.pools[0]))

    @property
    def is_busy(self) -> bool:
        """An order is being called off and is not booked yet."""
        return any(f"void:{key}" not in self._bridge.books.causes for key in self.voids)

    def _call_off(self, void: Void) -> None:
        void.due = None
        store = self._bridge.stores[void.store]

        def back(answer: bool | Trouble) -> None:
            if isinstance(answer, Trouble):
                void.due = self._timeline.now + AGAIN_SECONDS

        self._bridge.network.call(void.store, lambda: store.call_off(void.number), self._bridge.mine(back))

    def _told(self, name: str, told: tuple[Listed, ...] | Trouble) -> None:
        """Every listing that shows a void books it; its cause lets it count once."""
        if isinstance(told, Trouble):
            return
        self._listed[name] = told
        for order in told:
            void = self.voids.get(f"{name}/{order.number}")
            if void is not None and order.cancelled:
                called_off = 0 if order.restocked else order.units
                missing = min(void.allotted, called_off)
                self._bridge.book(f"void:{name}/{order.number}", missing)
                self._bridge.book(f"void:{name}/{order.number}/rest", called_off - missing)


def _claims(name: str, listed: tuple[Listed, ...]) -> list[Claim]:
    return [
        Claim(
            OrderKey(f"{name}/{one.number}"),
            ConnectionName(name),
            str(one.number),
            moment(one.at),
            moment(one.at),
            one.units,
        )
        for one in listed
        if not one.cancelled
    ]
