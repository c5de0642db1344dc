"""The sandbox's own seams: time, chance, tasks, the way out. Virtual ones make a seed replay."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import aiohttp

LONGEST_ANSWER = 1_000_001


class Unreachable(Exception):
    """A webhook got no answer: no connection, a broken one, or nothing within its time."""


class Post(Protocol):
    """Delivers one webhook and returns the HTTP status; raises ``Unreachable`` when no answer came."""

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> int: ...


class Ask(Protocol):
    """Asks an app something and returns status and body; raises ``Unreachable`` when no answer came."""

    async def __call__(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> tuple[int, bytes]: ...


async def nobody(url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> tuple[int, bytes]:  # noqa: ARG001
    """A world in which no app can be asked."""
    raise Unreachable(f"nobody listens at {url}")


@dataclass(slots=True)
class World:
    """Everything that a pretend store needs from outside.

    ``now`` is aware UTC; ``rng`` is the only chance; ``spawn`` starts a background task; ``ask`` is the way to an app
    whose answer the store waits for.
    """

    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    rng: random.Random
    post: Post
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    ask: Ask = nobody


class HttpPost:
    """The real way out; one connection pool, opened on first use, as its library is loaded: not every store tells
    anybody anything."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> int:
        status, _ = await self._send(url, headers, body, timeout_seconds, longest=0)
        return status

    async def ask(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> tuple[int, bytes]:
        """The same where the answer's body matters; raises ``Unreachable``."""
        return await self._send(url, headers, body, timeout_seconds, longest=LONGEST_ANSWER)

    async def _send(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float, *, longest: int
    ) -> tuple[int, bytes]:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        try:
            async with self._session.post(
                url, data=body, headers=dict(headers), timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status, await answer.content.read(longest) if longest else b""
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def system_now() -> datetime:
    """The machine's wall time, aware, in UTC."""
    return datetime.now(UTC)


def real_world(seed: int, post: HttpPost) -> World:
    """The machine's clock, the running loop's tasks, seeded chance."""
    return World(
        now=system_now,
        sleep=asyncio.sleep,
        rng=random.Random(seed),
        post=post,
        spawn=asyncio.ensure_future,
        ask=post.ask,
    )


def stamp(moment: datetime) -> str:
    """A moment in the form of the control calls: ``2026-11-24T02:16:19.123456Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def whole_seconds(moment: datetime) -> str:
    """A moment as both vendors' older fields write it: ``2026-11-24T02:16:19Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
