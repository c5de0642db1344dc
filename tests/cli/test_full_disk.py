"""The disk under ``serve`` is full, or its file cannot be written: vendors keep what cannot be stored, and once there
is room again both stores agree."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from builders.processes import NO_LIMIT, Play, play, until

NO_ROOM = 4096
"""Not one more page: the write-ahead log has long been longer."""
DISK_MEGABYTES = 16
ENOUGH_SALES = 40
Tell = Callable[[str, object], None]

pytestmark = pytest.mark.process


@contextmanager
def small_disk(folder: Path) -> Iterator[str]:
    """A file system of its own at ``folder``; yields why there is none, or nothing."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    try:
        yield done.stderr.strip()
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Until not one byte more fits."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


async def buys(at: Play, seen: dict[str, int], sold_out: str) -> None:
    """People shop until a delivery was answered 503, and go on; the database says why."""
    async with at.shoppers() as crowd:

        async def bought() -> int:
            return crowd.done.get("buy", 0)

        await until(lambda: answers_since(at, seen), lambda found: 503 in found, "a delivery answered 503")
        enough = await bought() + ENOUGH_SALES
        await until(bought, lambda count: count >= enough, "shoppers")
    assert await answers_since(at, seen) <= {200, 503, None}  # 200: stored while there was room
    assert any(sold_out in line for line in at.serve.said)


async def answers_since(at: Play, seen: dict[str, int]) -> set[int | None]:
    """What deliveries were answered since; None where nobody answered."""
    return {one["status"] for client in at.clients for one in await client.webhooks(seen[client.name])}


def is_whole(path: str) -> bool:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        sound = connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        return sound and connection.execute("pragma foreign_key_check").fetchall() == []


async def outlast(at: Play, begin: Callable[[], None], end: Callable[[], None], sentence: str) -> None:
    await at.agree()
    seen = {client.name: len(await client.webhooks()) for client in at.clients}
    begin()
    await buys(at, seen, sentence)
    assert is_whole(at.database)
    end()
    verdict = await at.settled()
    assert (verdict.units_oversold, verdict.lost, verdict.findings) == (0, 0, [])
    assert verdict.units_sold >= ENOUGH_SALES
    assert is_whole(at.database)
    assert at.serve.ends == [], "it waits for room"
    assert not any("Traceback" in line for line in at.serve.said)


def test_a_file_that_cannot_be_written_loses_nothing_and_all_agrees_once_it_can(tmp_path: Path) -> None:
    async def story() -> None:
        async with play(tmp_path, seed=3, variants=12) as at:
            await outlast(
                at,
                lambda: at.serve.limit_files(NO_ROOM),
                lambda: at.serve.limit_files(NO_LIMIT),
                "did not take the change: disk I/O error",
            )

    asyncio.run(story())


def test_a_full_disk_loses_nothing_and_all_agrees_once_there_is_room(tmp_path: Path, record_property: Tell) -> None:
    async def story(disk: Path) -> None:
        async with play(tmp_path, seed=5, variants=12, database=str(disk / "bridge.sqlite3")) as at:
            ballast = disk / "ballast"
            await outlast(
                at, lambda: fill(ballast), ballast.unlink, "did not take the change: database or disk is full"
            )

    with small_disk(tmp_path / "disk") as why_not:
        if why_not:
            record_property("said at the end", f"A full disk was not tested, only a file that may not grow: {why_not}")
            return
        asyncio.run(story(tmp_path / "disk"))
