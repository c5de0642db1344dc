"""The seams for time, identity and chance. Nothing else in the product may reach for them.

``bootstrap.py`` hands out the real ones; the simulation hands out virtual ones, so that a seed
replays byte for byte.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["UTC", "Clock", "Ids", "RandomIds", "SeededIds", "SystemClock", "datetime", "timedelta"]


class Clock(Protocol):
    """Wall time, elapsed time and waiting."""

    def now(self) -> datetime:
        """The wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; on a virtual clock this costs nothing."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Ids(Protocol):
    """Makes names that were never used before."""

    def new(self, prefix: str) -> str:
        """``prefix_`` followed by 20 characters, e.g. ``call_01hx...``."""
        ...


class RandomIds:
    """Ids from the operating system's randomness."""

    def new(self, prefix: str) -> str:
        return f"{prefix}_{secrets.token_hex(10)}"


class SeededIds:
    """Ids that a seed reproduces; only for simulations and tests."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def new(self, prefix: str) -> str:
        return f"{prefix}_{self._chance.getrandbits(80):020x}"
