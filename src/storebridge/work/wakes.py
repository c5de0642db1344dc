"""In-process bells: whoever stores something rings, whoever waits for it wakes at once.

A bell is only a shortcut. Everything also looks at the database by itself from time to time, so a lost ring (another
process, a crash) costs a moment, never a signal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable


class Bell:
    """One waiter, any number of ringers; rings that come together wake once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self, at_most_seconds: float) -> bool:
        """True when it rang, False when the time passed."""
        try:
            async with asyncio.timeout(at_most_seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Gong:
    """Any number of waiters; a stroke wakes all that wait at that moment."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def ring(self) -> None:
        for event in self._waiting:
            event.set()

    async def wait(self, at_most_seconds: float) -> None:
        """Until it is struck, or the time has passed."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(at_most_seconds):
                await event.wait()
        except TimeoutError:
            return
        finally:
            self._waiting.discard(event)


class Bells:
    """Bells by name, made when first named."""

    def __init__(self) -> None:
        self._bells: dict[Hashable, Bell] = {}

    def __getitem__(self, name: Hashable) -> Bell:
        return self._bells.setdefault(name, Bell())
