"""The cost bucket: admission needs the requested cost, the difference to the actual cost is given back (S23)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

UNLIMITED = 1_000_000.0


class Bucket:
    """One app's bucket in one shop; a size of 0 admits everything."""

    def __init__(self, now: Callable[[], datetime], size: float, restore_rate: float) -> None:
        self._now = now
        self._on = size > 0
        self._size = size if self._on else UNLIMITED
        self._rate = restore_rate
        self._available = self._size
        self._at = now()

    def take(self, cost: float) -> bool:
        """Whether a call of this cost is admitted; if so it is charged."""
        self._refill()
        if self._on and cost > self._available:
            return False
        self._available -= cost
        return True

    def give_back(self, cost: float) -> None:
        self._available = min(self._size, self._available + cost)

    def status(self) -> dict[str, Any]:
        """``throttleStatus``."""
        self._refill()
        available = int(self._available) if self._on else int(self._size)
        return {"maximumAvailable": self._size, "currentlyAvailable": available, "restoreRate": self._rate}

    def _refill(self) -> None:
        now = self._now()
        self._available = min(self._size, self._available + (now - self._at).total_seconds() * self._rate)
        self._at = now
