"""The store's book: what is where, and every movement with its cause.

``available`` is what the storefront may sell; ``committed`` is promised to orders not yet shipped. Levels
keep a short history, so that a read may be answered from an older snapshot; writes always see the present.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Literal

from storebridge_sandbox.sleeping import Records
from storebridge_sandbox.state_columns import KEPT, SHARED

Cause = Literal["sale", "cancel", "refund", "return", "edit", "transfer", "revert", "fulfil", "manual", "api"]

HISTORY_SECONDS = 180.0
ON_HAND_PARTS = ("available", "committed", "damaged", "quality_control", "reserved", "safety_stock")
STATES = (*ON_HAND_PARTS, "incoming")


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of an available quantity; ``ref`` names the order, refund or call behind it."""

    n: int
    at: datetime
    sku: str
    item_id: str
    location_id: str
    delta: int
    cause: Cause
    actor: str
    ref: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A level as it stood since ``since``; ``changed`` says when each state last moved. Neither is changed in place."""

    since: datetime
    quantities: dict[str, int] = field(metadata={SHARED: True})
    changed: dict[str, datetime]
    active: bool

    def quantity(self, name: str) -> int:
        if name == "on_hand":
            return sum(self.quantities.get(part, 0) for part in ON_HAND_PARTS)
        return self.quantities.get(name, 0)

    def changed_at(self, name: str) -> datetime | None:
        """None for the sum, as recorded: only a state of its own has a time."""
        return self.changed.get(name)


@dataclass(slots=True)
class Level:
    """One counter: an item at a location."""

    item_id: str
    location_id: str
    created_at: datetime
    now: Snapshot
    older: tuple[Snapshot, ...] = field(default=(), metadata={KEPT: False})

    @property
    def available(self) -> int:
        return self.now.quantities.get("available", 0)

    @property
    def active(self) -> bool:
        return self.now.active

    @property
    def updated_at(self) -> datetime:
        return self.now.since

    def as_of(self, moment: datetime | None) -> Snapshot:
        """The level as a replica that lags until ``moment`` shows it."""
        if moment is None or self.now.since <= moment or not self.older:
            return self.now
        for snapshot in reversed(self.older):
            if snapshot.since <= moment:
                return snapshot
        return self.older[0]


class Stock:
    """All levels and all movements of one store."""

    def __init__(self, now: Callable[[], datetime], sku_of: Callable[[str], str]) -> None:
        self._now = now
        self._sku_of = sku_of
        self._by_item: dict[str, list[Level]] = {}
        self.movements: Records[Movement] = Records()
        self.heard_of_connection: Callable[[Level], None] = lambda _level: None
        """Told of each level that was opened, opened again or closed; ``active`` says which."""

    @property
    def levels(self) -> list[Level]:
        """All of them, item by item; set when they come from a file."""
        return list(self.all_levels())

    @levels.setter
    def levels(self, levels: list[Level]) -> None:
        self._by_item = {}
        for level in levels:
            self._by_item.setdefault(level.item_id, []).append(level)

    def level(self, item_id: str, location_id: str) -> Level | None:
        return next((one for one in self._by_item.get(item_id, ()) if one.location_id == location_id), None)

    def levels_of(self, item_id: str) -> list[Level]:
        """In the order in which the locations were connected."""
        return self._by_item.get(item_id, [])

    def all_levels(self) -> Iterator[Level]:
        """Item by item, each in the order in which its locations were connected."""
        return chain.from_iterable(self._by_item.values())

    def connect(self, item_id: str, location_id: str, *, available: int = 0, damaged: int = 0) -> Level:
        """Open a level with its first quantity; an opening is no movement. An inactive one opens again."""
        moment = self._now()
        level = self.level(item_id, location_id)
        if level is not None:
            was_active = level.active
            self._replace(level, dict(level.now.quantities), (), active=True)
            if not was_active:
                self.heard_of_connection(level)
            return level
        quantities = {"available": available, "damaged": damaged}
        first = Snapshot(moment, quantities, {"available": moment}, active=True)
        level = Level(item_id, location_id, moment, first)
        self._by_item.setdefault(item_id, []).append(level)
        self.heard_of_connection(level)
        return level

    def disconnect(self, level: Level) -> None:
        """The row stays, inactive, with its quantities."""
        self._replace(level, dict(level.now.quantities), (), active=False)
        self.heard_of_connection(level)

    def drop(self, level: Level) -> None:
        """One level is gone; its movements stay."""
        self._by_item[level.item_id].remove(level)

    def forget_item(self, item_id: str) -> None:
        """The item was deleted with all its levels; its movements stay."""
        self._by_item.pop(item_id, None)

    def move(
        self, level: Level, cause: Cause, actor: str, ref: str, *, available: int = 0, **others: int
    ) -> Movement | None:
        """Change a level by deltas of its states; records a movement when ``available`` changed.

        Nothing is clamped: a quantity may become negative, as at both vendors.
        """
        deltas = {name: delta for name, delta in {"available": available, **others}.items() if delta}
        if not deltas:
            return None
        quantities = dict(level.now.quantities)
        for name, delta in deltas.items():
            quantities[name] = quantities.get(name, 0) + delta
        self._replace(level, quantities, tuple(deltas), active=level.active)
        if not available:
            return None
        return self._record(level, available, cause, actor, ref)

    def _record(self, level: Level, delta: int, cause: Cause, actor: str, ref: str) -> Movement:
        movement = Movement(
            n=len(self.movements) + 1,
            at=self._now(),
            sku=self._sku_of(level.item_id),
            item_id=level.item_id,
            location_id=level.location_id,
            delta=delta,
            cause=cause,
            actor=actor,
            ref=ref,
        )
        self.movements.append(movement)
        return movement

    def _replace(self, level: Level, quantities: dict[str, int], names: tuple[str, ...], *, active: bool) -> None:
        moment = self._now()
        older = (*level.older, level.now)
        changed = {**level.now.changed, **dict.fromkeys(names, moment)}
        level.now = Snapshot(moment, quantities, changed, active)
        horizon = moment - timedelta(seconds=HISTORY_SECONDS)
        while len(older) > 1 and older[1].since <= horizon:
            older = older[1:]
        level.older = older
