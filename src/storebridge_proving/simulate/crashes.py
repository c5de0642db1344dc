"""A process that may die at any moment that matters: before and after every transaction and every call."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from storebridge.connectors.http import Request, Response, Transport
from storebridge.store.database import Store, Tx
from storebridge.store.transactions import DialectName

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")


class Death:
    """Decides when a process dies, over all its lives; ``rate`` is the chance at each point, 0 for never."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.rate = 0.0
        self.kinds: dict[str, int] = {}

    def strikes(self, point: str) -> bool:
        """Whether the process dies here."""
        if self.rate <= 0 or self._chance.random() >= self.rate:
            return False
        self.kinds[point] = self.kinds.get(point, 0) + 1
        return True


class Life:
    """One process from start to death. Whoever is inside when it ends never comes back."""

    def __init__(self, death: Death) -> None:
        self._death = death
        self.over = asyncio.Event()
        self._swept = False
        self._inside: list[asyncio.Future[None]] = []

    async def pass_point(self, point: str) -> None:
        """Go on, or die here: then nothing of this process runs any further."""
        if not self.over.is_set() and self._death.strikes(point):
            self.over.set()
        if self.over.is_set():
            await self._never()

    def end(self) -> None:
        """End it from outside: whoever is inside is swept away, and whoever still comes is stopped at once."""
        self.over.set()
        self._swept = True
        for waiting in self._inside:
            waiting.cancel()
        self._inside.clear()

    async def _never(self) -> None:
        if self._swept:
            raise asyncio.CancelledError
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._inside.append(waiting)
        await waiting


class MortalStore:
    """A database whose client may die before or after any transaction; what was committed stays."""

    def __init__(self, store: Store, life: Life) -> None:
        self._store = store
        self._life = life
        self.dialect: DialectName = store.dialect

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await self._life.pass_point("crash_before_transaction")
        result = await self._store.run(fn, *args, **kwargs)
        await self._life.pass_point("crash_after_transaction")
        return result

    async def run_batch(self, fn: Callable[[Tx, list[A]], list[R]], item: A) -> R:
        await self._life.pass_point("crash_before_transaction")
        result = await self._store.run_batch(fn, item)
        await self._life.pass_point("crash_after_transaction")
        return result

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await self._life.pass_point("crash_before_transaction")
        return await self._store.read(fn, *args, **kwargs)

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._store.read_now(fn, *args, **kwargs)

    async def maintain(self) -> None:
        await self._life.pass_point("crash_before_transaction")
        await self._store.maintain()

    async def close(self) -> None:
        """The database outlives its client."""


class MortalTransport:
    """A network whose client may die before a call leaves, or before its answer is taken in."""

    def __init__(self, transport: Transport, life: Life) -> None:
        self._transport = transport
        self._life = life

    async def send(self, request: Request) -> Response:
        await self._life.pass_point("crash_before_call")
        answer = await self._transport.send(request)
        await self._life.pass_point("crash_after_call")
        return answer

    async def close(self) -> None:
        await self._transport.close()
