"""A wall clock that is set ahead or back while elapsed time goes on."""

from __future__ import annotations

from datetime import datetime, timedelta

from storebridge.clock import Clock


class JumpingClock:
    """Like ``clock``, until somebody sets it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong_by = timedelta(0)

    def jump(self, by: timedelta) -> None:
        self._wrong_by += by

    def now(self) -> datetime:
        return self._clock.now() + self._wrong_by

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
