"""The bucket of REST calls: 40 at once and 2 a second on the standard plan, twice and ten times that on dearer ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

STANDARD_RATE = 100.0
CALLS_PER_SECOND = 2.0
SECONDS_TO_DRAIN = 20.0


class CallBucket:
    """One app's bucket in one shop; off, it admits everything and counts all the same."""

    def __init__(self, now: Callable[[], datetime], restore_rate: float, *, on: bool) -> None:
        """``restore_rate`` is that of the GraphQL costs, by which the plan is known."""
        self._now = now
        self._on = on
        self.rate = CALLS_PER_SECOND * max(1.0, restore_rate / STANDARD_RATE)
        self.size = int(self.rate * SECONDS_TO_DRAIN)
        self._used = 0.0
        self._at = now()

    def take(self) -> bool:
        """Whether a call is let in; a refused one costs nothing."""
        moment = self._now()
        self._used = max(0.0, self._used - (moment - self._at).total_seconds() * self.rate)
        self._at = moment
        if self._used + 1 > self.size:
            return not self._on
        self._used += 1
        return True

    def shown(self) -> str:
        """``X-Shopify-Shop-Api-Call-Limit``: calls in the bucket and its size."""
        return f"{int(-(-self._used // 1))}/{self.size}"
