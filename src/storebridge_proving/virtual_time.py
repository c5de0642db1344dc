"""Virtual time: an event loop that jumps to the next timer instead of waiting for it.

Two virtual hours cost only the work done in them, and the same work always happens in the same order. Nothing
on such a loop may wait for a socket, a thread or a process: whatever waits for something that no timer and no
ready task will ever bring raises ``NothingCanHappen`` instead of hanging.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

FIRST_MOMENT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""A Monday morning; any moment would do, as long as it is always the same."""

STANDSTILL = 2_000_000
"""So many passes of the loop without a tick of the clock are a livelock, not work."""


class NothingCanHappen(RuntimeError):
    """Every task waits for something that will never come: a deadlock, found instead of endured."""


class _Jump(selectors.BaseSelector):
    """Remembers what is registered, never asks the system, and hands every wait to the loop's clock."""

    def __init__(self, advance: Callable[[float | None], None]) -> None:
        self._advance = advance
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = selectors.SelectorKey(fileobj, number, events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._advance(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose ``time()`` moves only when every task waits."""

    def __init__(self) -> None:
        self._virtual_seconds = 0.0
        self._passes = 0
        super().__init__(_Jump(self._advance))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_seconds

    def run_in_executor(self, *wanted: Any) -> Any:  # type: ignore[override]
        """Refused: what a thread does takes real time, and no seed replays it."""
        raise RuntimeError(f"{wanted!r} wants a thread, which virtual time cannot wait for")

    def _advance(self, timeout: float | None) -> None:
        if timeout is None:
            raise NothingCanHappen(_waiting_tasks(self))
        if timeout > 0:
            self._virtual_seconds += timeout
            self._passes = 0
            return
        self._passes += 1
        if self._passes > STANDSTILL:
            raise NothingCanHappen(f"time stands still: {_waiting_tasks(self)}")


def _waiting_tasks(loop: asyncio.AbstractEventLoop) -> str:
    names = sorted(f"{task.get_name()} in {_where(task)}" for task in asyncio.all_tasks(loop))
    return "nothing can ever happen; waiting: " + ("; ".join(names) or "nobody")


def _where(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    if not frames:
        return "no frame"
    return f"{frames[-1].f_code.co_qualname}:{frames[-1].f_lineno}"


class VirtualClock:
    """Wall time, elapsed time and waiting on the running loop's virtual time; fits both packages' seams."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime = FIRST_MOMENT) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> datetime:
        """Aware, in UTC, to the microsecond."""
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_virtually(play: Callable[[VirtualClock], Coroutine[Any, Any, T]], *, start: datetime = FIRST_MOMENT) -> T:
    """Run ``play(clock)`` to its end on a fresh virtual loop; tasks left over are cancelled.

    Raises what ``play`` raises, or NothingCanHappen when it waits for what cannot come.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(play(VirtualClock(runner.get_loop(), start)))


async def within(seconds: float, awaitable: Awaitable[T]) -> T:
    """The result, or TimeoutError once so many (virtual) seconds have passed."""
    async with asyncio.timeout(seconds):
        return await awaitable
