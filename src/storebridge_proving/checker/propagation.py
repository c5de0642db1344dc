"""How long a change in one store took to reach another, over the changes that called for a write there.

mirror, guarded: every store is to show what is left. A change elsewhere calls for a write when the level
that a store should show moves away from what was written there; it has arrived when the written units reach
it. A change that was taken back before anything was written called for nothing. escrow, hybrid: most
changes call for no write. Each write answers the latest change in another store since the last write to
this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from storebridge_proving.checker.records import Move, Pool


@dataclass(frozen=True, slots=True)
class _Waiting:
    since: datetime
    wanted: int
    direction: int


def delays_of(pool: Pool, policy: str, safety_stock: int, after: datetime | None) -> list[timedelta]:
    """The delays into every store of a pool; ``after``: only changes from then on count."""
    delays: list[timedelta] = []
    for store in pool.levels:
        if policy == "mirror" or (policy == "guarded" and not pool.packed):
            delays += _Follower(pool, store, safety_stock, after).run()
        else:
            delays += _answered(pool, store, after)
    return delays


class _Follower:
    """Walks a pool's moves as one store should follow them."""

    def __init__(self, pool: Pool, store: str, safety_stock: int, after: datetime | None) -> None:
        self._pool = pool
        self._store = store
        self._safety_stock = safety_stock
        self._after = after
        self._left = pool.opening[pool.system_of_record]
        self._own = 0
        self._written = 0
        self._waiting: list[_Waiting] = []
        self._delays: list[timedelta] = []

    def run(self) -> list[timedelta]:
        for move in self._pool.moves:
            if move.kind == "written" and move.store == self._store and not move.bundle:
                self._write(move)
            elif move.moves_goods or (move.store == self._store and not move.bundle):
                self._change(move)
        return self._delays

    def _wanted(self) -> int:
        """How many units must have been written here in all, for the store to show what is left."""
        level = self._pool.shown_of(self._store, max(0, self._left - self._safety_stock))
        return level - self._pool.opening[self._store] - self._own

    def _change(self, move: Move) -> None:
        before = self._wanted()
        if move.moves_goods:
            self._left += move.units
        if move.store == self._store and move.moves_level and not move.bundle:
            self._own += move.units
        wanted = self._wanted()
        if wanted == self._written:
            self._waiting.clear()
        elif self._calls_for_write(move, before, wanted):
            self._waiting.append(_Waiting(move.at, wanted, 1 if wanted > before else -1))

    def _calls_for_write(self, move: Move, before: int, wanted: int) -> bool:
        own = move.store == self._store and not move.bundle
        if own or (self._after is not None and move.at < self._after):
            return False
        return (wanted - before) * (wanted - self._written) > 0

    def _write(self, move: Move) -> None:
        self._written += move.units
        wanted = self._wanted()
        for waiting in list(self._waiting):
            reached = (self._written - waiting.wanted) * waiting.direction >= 0
            settled = self._written == wanted and waiting.direction * move.units > 0
            if reached or settled:
                self._delays.append(move.at - waiting.since)
                self._waiting.remove(waiting)
        if self._written == wanted:
            self._waiting.clear()


def _answered(pool: Pool, store: str, after: datetime | None) -> list[timedelta]:
    delays = []
    latest: datetime | None = None
    for move in pool.moves:
        if move.kind == "written" and move.store == store and not move.bundle:
            if latest is not None:
                delays.append(move.at - latest)
            latest = None
        elif move.moves_goods and move.store != store and (after is None or move.at >= after):
            latest = move.at
    return delays


def spread_of(delays: list[timedelta]) -> dict[str, Any]:
    """Count and percentiles (nearest rank) in whole milliseconds; None where nothing was measured."""
    ordered = sorted(delays)
    spread: dict[str, Any] = {"n": len(ordered)}
    for name, share in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99)):
        spread[name] = _milliseconds(ordered[ceil(share * len(ordered)) - 1]) if ordered else None
    return spread


def _milliseconds(delay: timedelta) -> int:
    return round(delay / timedelta(milliseconds=1))
