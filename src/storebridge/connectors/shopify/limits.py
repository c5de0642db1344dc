"""Shopify's cost bucket, learnt from what each answer says about it (``extensions.cost.throttleStatus``; S23).

A call is admitted when the requested cost is available; afterwards the difference to the actual cost is given back.
Until an operation has been seen its cost is guessed high.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

MOST_PER_COUNTER = 1_000_000_000
"""Available units at one location; more is INVALID_QUANTITY_TOO_HIGH (recorded)."""
FIRST_GUESS = 100.0
SPARE = 20.0
"""Left in the bucket for a call that another process of ours sends meanwhile."""
SHORTEST_WAIT_SECONDS = 1e-6
"""Less than this is rounding: a clock might not move by it, and the wait would never end."""
SHORTEST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0


class CostBudget:
    """What is known about the bucket between two answers."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._size = 1000.0
        self._rate = 50.0
        self._available = self._size
        self._at = monotonic()
        self._cost: dict[str, float] = {}
        self._blocked_until = float("-inf")
        self._under_way = 0.0
        """What calls cost that are sent and not answered: an answer to another call may not count them yet."""
        self._used_seconds = 0.0

    def wait_seconds(self, operation: str, rows: int) -> float:  # noqa: ARG002 - the last cost of its kind is asked for
        """How long until the bucket admits such a call; 0.0 when now. No operation: any call at all."""
        now = self._refill()
        need = min(self._cost.get(operation, FIRST_GUESS) if operation else SPARE, self._size)
        short = max(0.0, need - self._available) / self._rate
        wait = max(short, self._blocked_until - now)
        return wait if wait > SHORTEST_WAIT_SECONDS else 0.0

    def spend(self, operation: str, rows: int) -> None:  # noqa: ARG002 - see wait_seconds
        """Take the expected cost out; the answer corrects it."""
        self._take(operation)

    def send(self, operation: str) -> float:
        """Take the expected cost of a call out until ``answered`` gets it back."""
        cost = self._take(operation)
        self._under_way += cost
        return cost

    def answered(self, cost: float) -> None:
        """A call that was sent is answered or lost: what is learnt from now on counts it."""
        self._under_way = max(0.0, self._under_way - cost)

    def _take(self, operation: str) -> float:
        self._refill()
        cost = min(self._cost.get(operation, FIRST_GUESS), self._size)
        self._available -= cost
        return cost

    def learn(self, operation: str, cost: dict[str, Any] | None) -> None:
        """Take over what an answer says about the bucket, less what other calls under way will take out of it."""
        status = (cost or {}).get("throttleStatus")
        if not isinstance(status, dict):
            return
        self._size = _positive(status.get("maximumAvailable"), self._size)
        self._rate = _positive(status.get("restoreRate"), self._rate)
        available = status.get("currentlyAvailable")
        if isinstance(available, (int, float)) and math.isfinite(available):
            self._available, self._at = float(available) - self._under_way, self._monotonic()
        self._used_seconds += _positive((cost or {}).get("actualQueryCost"), 0.0) / self._rate
        requested = (cost or {}).get("requestedQueryCost")
        if isinstance(requested, (int, float)) and math.isfinite(requested):
            self._cost[operation] = float(requested)

    def throttled(self, operation: str, retry_after_seconds: float | None) -> float:
        """Note a refusal for the rate and return the pause that it starts."""
        now = self._refill()
        short = min(self._cost.get(operation, FIRST_GUESS), self._size) - self._available
        pause = (
            retry_after_seconds if retry_after_seconds is not None else max(SHORTEST_PAUSE_SECONDS, short / self._rate)
        )
        self._blocked_until = max(self._blocked_until, now + min(pause, LONGEST_PAUSE_SECONDS))
        return self._blocked_until - now

    def ratio(self) -> float:
        """Share of the bucket that is free."""
        self._refill()
        return min(1.0, max(0.0, self._available / self._size))

    def used_seconds(self) -> float:
        """What answered calls cost, in seconds of the bucket's refill."""
        return self._used_seconds

    def _refill(self) -> float:
        now = self._monotonic()
        self._available = min(self._size, self._available + (now - self._at) * self._rate)
        self._at = now
        return now


def _positive(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, (int, float)) and 0 < value < math.inf else otherwise
