"""The course of one pool: what was left and what each store showed after every movement. Pure.

It is walked back from what is known now: every row of the ledger says by how much something changed. Steps stand side
by side whatever time lies between them, so that a burst of a second can be read as well as a quiet week.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from storebridge.store.views_stock import MovementRow, StoredPool

MOST_STEPS = 60
BY_PEOPLE = frozenset({"baseline", "receive", "count", "correction", "void", "undo", "moved"})
"""Kinds of movement that change how many units exist."""
BARS = "▁▂▃▄▅▆▇█"


class Step(msgspec.Struct, frozen=True):
    """How things stood after one movement."""

    at: datetime
    kind: str
    seq: int
    connection: str | None
    units: int
    left: int
    """What could still be sold."""
    shown: dict[str, int]
    """What each store showed over all its locations; empty where a bundle draws on the pool too."""
    in_doubt: bool = False
    """A write whose answer was lost: that it applied was concluded from reads, or decided by a person."""


class Timeline(msgspec.Struct, frozen=True):
    """Steps, oldest first; ``lowest`` and ``highest`` of all that is drawn."""

    steps: tuple[Step, ...]
    lowest: int
    highest: int


def timeline_of(pool: StoredPool, rows: Sequence[MovementRow]) -> Timeline:
    """The course of ``pool`` over its newest movements; ``rows`` is newest first and ends at what is known now."""
    walk = _Walk(pool)
    steps = [walk.back_over(row) for row in rows if row.group == pool.group][:MOST_STEPS]
    numbers = [0, *(n for step in steps for n in (step.left, *step.shown.values()))]
    return Timeline(tuple(reversed(steps)), min(numbers), max(numbers))


class _Walk:
    """Where the pool stood, from now backwards."""

    def __init__(self, pool: StoredPool) -> None:
        plain = all(counter.bundle is None for counter in pool.counters)
        self._left = pool.left
        self._levels = {(c.connection, c.location_id): c.level for c in pool.counters} if plain else {}
        self._weights = {(c.connection, c.location_id): c.weight for c in pool.counters}
        self._not_goods = sum(c.held * c.weight for c in pool.counters)
        """Units that staff typed and that were never goods: nobody accepted them, or somebody refused them."""

    def back_over(self, row: MovementRow) -> Step:
        in_doubt = row.kind == "write" and bool(row.note)
        step = Step(row.at, row.kind, row.seq, row.connection, row.units, self._left, self._shown(), in_doubt)
        self._left -= self._change_of_left(row)
        place = (row.connection or "", row.location_id or "")
        if row.kind in ("level", "write") and place in self._levels and row.level_after is not None:
            self._levels[place] = row.level_after - row.units // self._weights[place]
        return step

    def _shown(self) -> dict[str, int]:
        shown: dict[str, int] = {}
        for (connection, _), level in self._levels.items():
            shown[connection] = shown.get(connection, 0) + level
        return shown

    def _change_of_left(self, row: MovementRow) -> int:
        if row.kind == "level":
            never_goods = min(max(0, row.units), self._not_goods)
            self._not_goods -= never_goods
            return row.units - never_goods
        if row.kind == "correction" and row.units < 0 and (row.cause or "").startswith("case_"):
            self._not_goods -= row.units
            return 0
        if row.kind == "copy":
            return -row.units * self._weights.get((row.connection or "", row.location_id or ""), 1)
        return row.units if row.kind in BY_PEOPLE else 0


def as_bars(numbers: Iterable[int], highest: int) -> str:
    """A line of text that draws numbers; what is below zero stands as ``-``."""
    most = max(1, highest)
    return "".join("-" if n < 0 else BARS[min(len(BARS) - 1, n * len(BARS) // (most + 1))] for n in numbers)
