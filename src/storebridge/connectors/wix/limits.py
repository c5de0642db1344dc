"""Wix's rate limit: 200 calls a minute per app and site, told only by a 429 without Retry-After (W14)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from storebridge.connectors.wix.settings import CALLS_PER_MINUTE

MOST_PER_COUNTER = 99_999
"""Units of an inventory item: Catalog V3 declares ``quantity`` from -99,999 to 99,999 (MAX_QUANTITY_LIMIT_REACHED). V1
declares none and is taken to be the same (docs/assumptions.md, W40)."""
MINUTE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 600.0
STRAY_PAUSE_SECONDS = 2.0
RESERVATION_SECONDS = 10.0
_NEARLY = 1e-6


class CallBudget:
    """A token bucket that never lets more than ``calls_per_minute`` calls go within any 60 seconds.

    ``burst`` calls may go at once; after that they are spread: bucket size plus a minute's refill is the
    limit. One call costs the same whatever it carries. A call that the courier announces with ``spend`` is a
    reservation, used up by the next request that the client sends, so that it is counted once. Needs
    ``calls_per_minute`` >= 2.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        calls_per_minute: int = CALLS_PER_MINUTE,
        burst: int | None = None,
        stray_pause_seconds: float = STRAY_PAUSE_SECONDS,
    ) -> None:
        self._monotonic = monotonic
        self._limit = calls_per_minute
        self._burst = min(calls_per_minute - 1, burst if burst is not None else max(1, calls_per_minute // 10))
        self._per_second = (calls_per_minute - self._burst) / MINUTE_SECONDS
        self._tokens = float(self._burst)
        self._filled_at = monotonic()
        self._recent: deque[float] = deque()
        self._reserved: deque[float] = deque()
        self._blocked_until = float("-inf")
        self._strikes = 0
        self._stray_pause_seconds = stray_pause_seconds
        self._counted = 0

    def wait_seconds(self, operation: str, rows: int) -> float:  # noqa: ARG002 - every Wix call costs one
        """How long until a call may be sent; 0.0 when now."""
        now = self._refill()
        return max(self._blocked_until - now, self._until_token())

    def spend(self, operation: str, rows: int) -> None:  # noqa: ARG002 - every Wix call costs one
        """Reserve a call that is about to be sent."""
        self._count(self._refill())
        self._reserved.append(self._recent[-1])

    def charge(self) -> None:
        """Count a request that cannot wait (a token), so that later ones wait for it."""
        self._count(self._refill())

    def take(self) -> float:
        """Count one request that is going on the wire and return 0.0, or return how long it has to wait."""
        now = self._refill()
        if self._blocked_until > now:
            return self._blocked_until - now
        while self._reserved and self._reserved[0] < now - RESERVATION_SECONDS:
            self._reserved.popleft()
        if self._reserved:
            self._reserved.popleft()
            return 0.0
        wait = self._until_token()
        if wait == 0.0:
            self._count(now)
        return wait

    def throttled(self, retry_after_seconds: float | None) -> float:
        """Note a 429 and return the pause that it starts.

        Wix documents "wait a minute". That is kept whenever our own calls explain the refusal; a stray 429,
        far below the limit, is met with a growing pause (2 s, 4 s, ... up to the minute). Retry-After wins
        where given.
        """
        now = self._refill()
        if now >= self._blocked_until:
            self._strikes += 1
        if retry_after_seconds is not None:
            pause = min(max(retry_after_seconds, 0.0), LONGEST_PAUSE_SECONDS)
        elif len(self._recent) * 2 >= self._limit:
            pause = MINUTE_SECONDS
        else:
            pause = min(MINUTE_SECONDS, self._stray_pause_seconds * 2.0 ** (min(self._strikes, 16) - 1))
        self._blocked_until = max(self._blocked_until, now + pause)
        return self._blocked_until - now

    def answered(self) -> None:
        """Note an answer that was not a 429: the next one starts the pauses from the beginning."""
        if self._monotonic() >= self._blocked_until:
            self._strikes = 0

    def ratio(self) -> float:
        """Share of the minute's calls that is free; 0.0 while Wix refuses calls."""
        if self._blocked_until > self._refill():
            return 0.0
        return max(0.0, 1.0 - len(self._recent) / self._limit)

    def used_seconds(self) -> float:
        """What calls cost so far, in seconds of the minute's limit."""
        return self._counted * MINUTE_SECONDS / self._limit

    def _refill(self) -> float:
        now = self._monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        while self._recent and self._recent[0] <= now - MINUTE_SECONDS:
            self._recent.popleft()
        return now

    def _until_token(self) -> float:
        if self._tokens >= 1.0 - _NEARLY:
            return 0.0
        return (1.0 - self._tokens) / self._per_second

    def _count(self, now: float) -> None:
        self._tokens -= 1.0
        self._counted += 1
        self._recent.append(now)
