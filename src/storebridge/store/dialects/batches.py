"""Items that wait for the same function and get their results together.

The event loop is woken once for a whole batch: waking it for every caller cost more than storing what each brought.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any


class Batch:
    """Items of callers on one event loop, each with the future its caller waits for."""

    __slots__ = ("_futures", "_loop", "items")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._futures: list[asyncio.Future[Any]] = []
        self.items: list[Any] = []

    def add(self, item: Any) -> asyncio.Future[Any]:
        """Join; await the answer for a result of one's own, or the error that all of them share."""
        future = self._loop.create_future()
        self.items.append(item)
        self._futures.append(future)
        return future

    def set_result(self, results: Sequence[Any]) -> None:
        """Hand the results out, in the order of ``items``; from any thread, once."""
        self._wake(results, None)

    def set_exception(self, error: BaseException) -> None:
        """All of them failed; from any thread, once."""
        self._wake((), error)

    def _wake(self, results: Sequence[Any], error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._settle, results, error)

    def _settle(self, results: Sequence[Any], error: BaseException | None) -> None:
        for number, future in enumerate(self._futures):
            if future.done():
                continue  # whoever asked has gone; the others still wait
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(results[number])
