"""PgQueuer: four entry points that do nothing but hand on to the next. ``pgqueuer_stages.py DATABASE ITEMS``."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any

STAGES = ("first", "second", "third", "fourth")
BATCH = 100


async def measure(url: str, items: int) -> dict[str, Any]:
    """Enqueue everything at once, then work until nothing is left."""
    pgqueuer: Any = import_module("pgqueuer")
    modes: Any = import_module("pgqueuer.domain.types").QueueExecutionMode
    async with import_module("asyncpg").create_pool(url, min_size=4, max_size=8) as pool:
        driver = pgqueuer.AsyncpgPoolDriver(pool)
        queries = pgqueuer.Queries(driver)
        await queries.install()
        worker = pgqueuer.PgQueuer(driver)
        done = [0]
        for at, name in enumerate(STAGES):
            worker.entrypoint(name)(_stage(queries, STAGES[at + 1] if at + 1 < len(STAGES) else None, done))
        began = time.perf_counter()
        await queries.enqueue([STAGES[0]] * items, [None] * items, [0] * items)
        await worker.run(batch_size=BATCH, mode=modes.drain)
        seconds = time.perf_counter() - began
    return {"version": version("pgqueuer"), "done": done[0], "seconds": seconds}


def _stage(queries: Any, following: str | None, done: list[int]) -> Callable[[Any], Awaitable[None]]:
    async def stage(job: Any) -> None:
        if following is None:
            done[0] += 1
        else:
            await queries.enqueue(following, job.payload)

    return stage


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], int(sys.argv[2])))))  # noqa: T201 - the answer of this process
