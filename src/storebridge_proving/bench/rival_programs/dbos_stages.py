"""DBOS: a workflow of four steps that do nothing. ``dbos_stages.py DATABASE ITEMS``."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from importlib import import_module
from importlib.metadata import version
from typing import Any

CALLERS = 64


async def nothing(item: int) -> int:
    """An empty stage."""
    return item


async def measure(url: str, items: int) -> dict[str, Any]:
    """So many workflows, so many at a time."""
    dbos: Any = import_module("dbos").DBOS
    dbos(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})
    steps = [dbos.step(name=f"stage_{number}")(nothing) for number in range(4)]

    async def journey(item: int) -> int:
        for step in steps:
            item = await step(item)
        return item

    workflow = dbos.workflow()(journey)
    dbos.launch()
    waiting = iter(range(items))
    done: list[int] = []

    async def call() -> None:
        for item in waiting:
            done.append(await workflow(item))

    began = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    seconds = time.perf_counter() - began
    dbos.destroy()
    return {"version": version("dbos"), "done": len(done), "seconds": seconds}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], int(sys.argv[2])))))  # noqa: T201 - the answer of this process
