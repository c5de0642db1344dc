"""The load, in a process of its own: ``python -m storebridge_proving.bench.load_generator`` reads one job from
standard input and writes what it saw to standard output.

Closed: so many callers, each sending its next delivery once the last is answered; how much goes through. Open: one
delivery every so often, whatever the answers do; its time runs from the moment at which it was due, so that a server
that stalls is not spared by callers that wait for it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

import aiohttp
import msgspec

from storebridge_proving.bench.report import Quantiles, quantiles_of
from storebridge_proving.bench.shopify_payloads import SignedBody, make_bodies

BODIES = 2000
PATIENCE_SECONDS = 30.0


class LoadJob(msgspec.Struct, frozen=True):
    """What to send. ``rate`` is a second's deliveries of an open load; None: a closed one of ``callers``."""

    url: str
    seconds: float
    callers: int
    rate: float | None
    seed: int


class LoadSeen(msgspec.Struct, frozen=True):
    """What came of it. ``busy`` is the share of one core that the generator itself took."""

    accepted: int
    refused: int
    seconds: float
    busy: float
    took_ms: Quantiles

    @property
    def per_second(self) -> float:
        return self.accepted / self.seconds


class Generator:
    """Sends deliveries, each with an id of its own, and keeps the times."""

    def __init__(self, job: LoadJob) -> None:
        self._job = job
        self._bodies = make_bodies(BODIES, job.seed)
        self._chance = random.Random(f"load-{job.seed}")
        self._sent = 0
        self._refused = 0
        self._took: list[float] = []

    async def run(self) -> LoadSeen:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            began, busy = time.perf_counter(), time.process_time()
            await (self._closed(session, began) if self._job.rate is None else self._open(session, began))
            seconds = time.perf_counter() - began
            share = (time.process_time() - busy) / seconds
        return LoadSeen(len(self._took), self._refused, seconds, round(share, 2), quantiles_of(self._took))

    async def _closed(self, session: aiohttp.ClientSession, began: float) -> None:
        async def call() -> None:
            while time.perf_counter() - began < self._job.seconds:
                await self._send(session, time.perf_counter())

        await asyncio.gather(*(call() for _ in range(self._job.callers)))

    async def _open(self, session: aiohttp.ClientSession, began: float) -> None:
        assert self._job.rate is not None
        async with asyncio.TaskGroup() as group:
            for number in range(int(self._job.seconds * self._job.rate)):
                due = began + number / self._job.rate
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                group.create_task(self._send(session, due))

    async def _send(self, session: aiohttp.ClientSession, due: float) -> None:
        signed = self._next()
        headers = {**signed.headers, "x-shopify-webhook-id": f"{self._chance.getrandbits(128):032x}"}
        async with session.post(self._job.url, data=signed.body, headers=headers) as answer:
            await answer.read()
        if answer.status == 200:
            self._took.append(time.perf_counter() - due)
        else:
            self._refused += 1

    def _next(self) -> SignedBody:
        self._sent += 1
        return self._bodies[self._sent % len(self._bodies)]


def main() -> None:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=LoadJob)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(Generator(job).run())))


if __name__ == "__main__":
    main()
