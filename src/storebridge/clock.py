"""The seams for time, identity and chance. Nothing else in the product may reach for them.

``bootstrap.py`` hands out the real ones; the simulation hands out virtual ones, so that a seed
replays byte for byte.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["UTC", "Clock", "ForwardClock", "Ids", "RandomIds", "SeededIds", "SystemClock", "datetime", "timedelta"]

CATCHING_UP = 0.5
"""Seconds of ours in a second, while the machine's clock is behind."""
TOLERANCE = timedelta(seconds=1)
"""Two clocks that differ by less are taken as one: asking alone may take as long."""


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


class ForwardClock:
    """Another clock, whose time is never seen to go back.

    A machine's clock may be set back while the process runs. Every reading would then seem older than what is known,
    and would be set aside until the old time came again. So time goes on at half speed until the machine has caught up.

    Where several machines share a database they go by its clock (``follow``): otherwise a worker whose clock is an hour
    behind would take what it reads for an hour old, and one that is ahead would try again an hour late. From then on
    the machine's own time is not asked any more, only how much has passed: what it is set to changes nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # the database's threads ask too
        self._last, self._asked_at = clock.now(), clock.monotonic()
        self._told: tuple[datetime, float] | None = None
        """What the followed clock said, and when we heard it."""

    def follow(self, told: datetime) -> timedelta:
        """Show another clock's time from now on, which is ``told``; returns by how much that changes, zero mostly. The
        first time this may go back: nobody has seen the time yet."""
        heard_at = self._clock.monotonic()
        with self._lock:
            change = told - self._time_at(heard_at)
            if abs(change) < TOLERANCE:
                change = timedelta(0)
            elif self._told is None:
                self._last, self._asked_at = told, heard_at
            if change or self._told is None:
                self._told = told, heard_at
        return change

    def _time_at(self, asked_at: float) -> datetime:
        if self._told is None:
            return self._clock.now()
        told, heard_at = self._told
        return told + timedelta(seconds=asked_at - heard_at)

    def now(self) -> datetime:
        asked_at = self._clock.monotonic()
        with self._lock:
            told = self._time_at(asked_at)
            elapsed = max(0.0, asked_at - self._asked_at)
            self._last = max(told, self._last + timedelta(seconds=elapsed * CATCHING_UP))
            self._asked_at += elapsed
            return self._last

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


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
