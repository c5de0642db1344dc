"""Pretend stores in a few lines: a counter for each listing, orders, and an API of one of four kinds.

Shoppers and staff change counters without asking anybody. What the API did is written down with the name of the
intent, where only the checks and the person at the review desk look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

KEY_LIFETIME_SECONDS = 24 * 3600.0


class Kind(StrEnum):
    """What makes a repeated write safe in this store."""

    KEYED = "keyed"
    """An idempotency key and a compare value (Shopify)."""
    STAMPED = "stamped"
    """A revision, and a mark that names the last writer (Wix V3 with an extended field)."""
    REVISION = "revision"
    """A revision only (Wix V3)."""
    BLIND = "blind"
    """Differences without key or revision (Wix V1)."""


class Result(StrEnum):
    """What the store did with a write."""

    APPLIED = "applied"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(slots=True)
class Goods:
    """What lies on the shelf, and what was sold without being there."""

    left: int
    sold: int = 0
    oversold: int = 0
    deepest: int = 0
    """The most units that were ever missing at one time: one that comes back and is sold again is one unit."""
    refused_falsely: int = 0
    receipts: int = 0
    voided: dict[str, int] = field(default_factory=dict)
    """Units that came back by calling an order off, or by an undo, by cause."""
    refused_held: int = 0
    """Refused because live checkouts held the units."""
    on_hold: Callable[[], int] = lambda: 0
    """Units that live checkouts hold."""
    pool: str = "pool"
    """What the bridge calls them."""

    def take(self, units: int) -> None:
        """Sold, whether they are there or not."""
        before = min(0, self.left)
        self.left -= units
        self.sold += units
        self.oversold += before - min(0, self.left)
        self.deepest = max(self.deepest, -self.left)


Recipe = tuple[tuple[Goods, int], ...]
"""What one sale of a listing takes: one unit of one kind of goods, or the components of a bundle."""


@dataclass(frozen=True, slots=True)
class State:
    """One counter at one moment."""

    at: float
    level: int
    revision: int
    changed_at: float
    stamp: str | None


@dataclass(slots=True)
class Order:
    """A sale that may be cancelled later."""

    number: int
    listing: str
    units: int
    at: float
    cancelled: bool = False
    restocked: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """An order as a listing shows it."""

    number: int
    units: int
    at: float
    cancelled: bool
    restocked: bool


@dataclass(slots=True)
class Store:
    """One store with its listings: of the same goods, unless a listing has a recipe of its own."""

    name: str
    kind: Kind
    goods: Goods
    clock: Callable[[], float]
    refuses_below_zero: bool
    announce: Callable[[str, str, int, str | None], None]
    """Tell (store, listing, revision, author) to whoever subscribed."""
    states: dict[str, list[State]] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    written: dict[str, dict[str, int]] = field(default_factory=dict)
    """Per listing: what each intent really moved."""
    changes: int = 0
    answers_late: bool = False
    """Its answers to writes show what is there when they leave, not what the write made (W38)."""
    recipes: dict[str, Recipe] = field(default_factory=dict)
    _answers: dict[str, tuple[float, tuple[str, int, int], Result]] = field(default_factory=dict)

    def open(self, listing: str, level: int, recipe: Recipe | None = None) -> None:
        """List the goods with an opening level."""
        self.recipes[listing] = recipe or ((self.goods, 1),)
        self.states[listing] = [State(-1.0, level, 1, -1.0, None)]
        self.written[listing] = {}

    def level(self, listing: str) -> int:
        return self.states[listing][-1].level

    # shoppers and staff
    def sell(self, listing: str, units: int) -> bool:
        """A checkout: the storefront refuses what it does not show."""
        recipe = self.recipes[listing]
        if self.level(listing) < units:
            if all(goods.left - goods.on_hold() >= units * each for goods, each in recipe):
                self.goods.refused_falsely += 1
            elif all(goods.left >= units * each for goods, each in recipe):
                self.goods.refused_held += 1
            return False
        for goods, each in recipe:
            goods.take(units * each)
        self.orders.append(Order(len(self.orders), listing, units, self.clock()))
        self._change(listing, -units, "")
        return True

    def cancel(self, order: Order, *, restock: bool) -> None:
        """A customer's or a merchant's cancellation."""
        if order.cancelled:
            return
        order.cancelled, order.restocked = True, restock
        if restock:
            self._bring(order.listing, order.units)
            self._change(order.listing, order.units, "")

    def call_off(self, number: int) -> bool:
        """The API cancels an order without restock, once: its units were never there, or lie on the shelf again."""
        order = self.orders[number]
        if order.cancelled:
            return False
        order.cancelled = True
        self.goods.left += order.units
        self.goods.voided[f"void:{self.name}/{number}"] = order.units
        self.changes += 1
        return True

    def list_orders(self) -> tuple[Listed, ...]:
        """Every order, as a listing shows it."""
        return tuple(Listed(one.number, one.units, one.at, one.cancelled, one.restocked) for one in self.orders)

    def edit(self, listing: str, units: int) -> None:
        """Staff correct the count in the store's admin, never below zero."""
        units = max(units, -max(0, self.level(listing)))
        if units:
            self._bring(listing, units)
            self._change(listing, units, "staff")

    def _bring(self, listing: str, units: int) -> None:
        for goods, each in self.recipes[listing]:
            goods.left += units * each

    # the API
    def read(self, lag_seconds: float) -> dict[str, State]:
        """Every listing's counter, as a replica shows it that is so far behind."""
        return {listing: self._as_of(listing, self.clock() - lag_seconds) for listing in self.states}

    def _as_of(self, listing: str, moment: float) -> State:
        past = self.states[listing]
        place = len(past) - 1
        while place > 0 and past[place].at > moment:
            place -= 1
        return past[place]

    def compare_and_set(self, intent: str, key: str, listing: str, compare: int | None, delta: int) -> Result:
        """A keyed write: the answer of the first one is given to every repetition for a day."""
        body = (listing, -1 if compare is None else compare, delta)
        known = self._answers.get(key)
        if known is not None and self.clock() - known[0] < KEY_LIFETIME_SECONDS:
            return known[2] if known[1] == body else Result.REFUSED
        matches = compare is None or self.level(listing) == compare
        result = Result.APPLIED if matches else Result.STALE
        if matches:
            self._write(intent, listing, delta)
        self._answers[key] = (self.clock(), body, result)
        return result

    def update(self, intent: str, listing: str, revision: int, level: int) -> Result:
        """A write guarded by a revision."""
        now = self.states[listing][-1]
        if now.revision != revision:
            return Result.STALE
        self._write(intent, listing, level - now.level, intent if self.kind is Kind.STAMPED else None)
        return Result.APPLIED

    def adjust(self, intent: str, listing: str, delta: int) -> Result:
        """A blind difference: every repetition counts."""
        if delta < 0 and self.level(listing) + delta < 0 and self.refuses_below_zero:
            return Result.REFUSED
        self._write(intent, listing, delta)
        return Result.APPLIED

    def _write(self, intent: str, listing: str, delta: int, stamp: str | None = None) -> None:
        self.written[listing][intent] = self.written[listing].get(intent, 0) + delta
        self._change(listing, delta, "bridge", stamp)

    def _change(self, listing: str, delta: int, author: str, stamp: str | None = None) -> None:
        self.changes += 1
        past, now = self.states[listing], self.clock()
        last = past[-1]
        state = State(now, last.level + delta, last.revision + 1, now, stamp or last.stamp)
        past.append(state)
        self.announce(self.name, listing, state.revision, author)
