"""A process that dies exactly around its next stock write, and a database that is away for a while."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from storebridge.connectors.http import Request, Response, Transport
from storebridge.errors import StoreUnavailableError
from storebridge.store.database import Store, Tx
from storebridge.store.transactions import DialectName
from storebridge_proving.simulate.crashes import Death, Life

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")

STOCK_WRITES = (b"inventorySetQuantities", b"inventoryAdjustQuantities", b'"inventoryItems":[{')
"""What the body of a stock write holds, in one store or the other."""


def is_deed(request: Request, marks: tuple[bytes, ...]) -> bool:
    return request.method == "POST" and any(mark in request.body for mark in marks)


class Mortality(Death):
    """Strikes when it is told to."""

    def __init__(self) -> None:
        super().__init__(random.Random(0))
        self.now = False

    def strikes(self, point: str) -> bool:
        struck, self.now = self.now, False
        return struck


class DoomedTransport:
    """The first write of a kind kills the process: before the call leaves, or before its answer is taken in."""

    def __init__(
        self,
        transport: Transport,
        life: Life,
        mortality: Mortality,
        moment: str,
        marks: tuple[bytes, ...] = STOCK_WRITES,
    ) -> None:
        self._transport = transport
        self._life = life
        self._mortality = mortality
        self._moment = moment
        self._marks = marks

    async def send(self, request: Request) -> Response:
        dies = is_deed(request, self._marks)
        self._mortality.now = dies and self._moment == "before"
        await self._life.pass_point("before")
        answer = await self._transport.send(request)
        self._mortality.now = dies and self._moment == "after"
        await self._life.pass_point("after")
        return answer

    async def close(self) -> None:
        await self._transport.close()


class FlakyStore:
    """A database that is away while ``refuses`` says so of a function."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dialect: DialectName = store.dialect
        self.refuses: Callable[[str], bool] = lambda name: False
        self.refused: list[str] = []

    def _check(self, fn: Callable[..., object]) -> None:
        name = getattr(fn, "__name__", "")
        if self.refuses(name):
            self.refused.append(name)
            raise StoreUnavailableError("the database is away")

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._check(fn)
        return await self._store.run(fn, *args, **kwargs)

    async def run_batch(self, fn: Callable[[Tx, list[A]], list[R]], item: A) -> R:
        self._check(fn)
        return await self._store.run_batch(fn, item)

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._check(fn)
        return await self._store.read(fn, *args, **kwargs)

    async def maintain(self) -> None:
        await self._store.maintain()

    async def close(self) -> None:
        await self._store.close()
