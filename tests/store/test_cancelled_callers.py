"""A caller that is cancelled while it waits for the writer takes nobody with it."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from storebridge.clock import SystemClock
from storebridge.store.database import Tx, open_store


def test_the_writer_survives_callers_that_go_away(tmp_path: Path) -> None:
    assert asyncio.run(_play(str(tmp_path / "file.sqlite3"))) == ["first", "third", "batch", "checkpoint"]


async def _play(path: str) -> list[str]:
    store = open_store(path, clock=SystemClock())
    gate, entered = threading.Event(), threading.Event()

    def first(tx: Tx) -> str:
        entered.set()
        gate.wait(10)
        return "first"

    def batch(tx: Tx, items: list[str]) -> list[str]:
        return items

    try:
        begun = asyncio.create_task(store.run(first))
        await asyncio.to_thread(entered.wait, 10)
        gone = [
            asyncio.create_task(store.run(lambda tx: "second")),
            asyncio.create_task(store.run_batch(batch, "gone")),
            asyncio.create_task(store.maintain()),
        ]
        stays = asyncio.create_task(store.run_batch(batch, "batch"))
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        gate.set()
        done = [await begun, await store.run(lambda tx: "third"), await stays]
        await store.maintain()
        return [*done, "checkpoint"]
    finally:
        gate.set()
        await store.close()
