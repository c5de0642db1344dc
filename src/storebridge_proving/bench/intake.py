"""``storebridge bench intake``: how many deliveries a second are verified and durably stored, beside an endpoint that
only inserts.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from storebridge_proving.bench.databases import NoServer, postgres_schema, server_version
from storebridge_proving.bench.intake_server import ServerDone
from storebridge_proving.bench.load_generator import LoadJob, LoadSeen
from storebridge_proving.bench.report import Report, describe_machine, load_average, median_of, now_stamp

METHOD = (
    "Servers: uvicorn (h11, asyncio) in a process of its own each, the product's intake or the bare endpoint. "
    "Load: aiohttp in a third process, over loopback, connections kept open.",
    "Deliveries are shaped like Shopify's (7 of 10 stock levels, 2 orders, 1 product), validly signed, each "
    "with an id of its own. The intake verifies the signature, reads the body, stores delivery, signals and "
    "audit row, then answers; no other part of the bridge runs.",
    "Bare: a Starlette endpoint that reads the body and inserts it as one row with its own flushed commit, then "
    "answers. On SQLite also grouped: the same where rows that wait together share a commit, as the intake's do. "
    "SQLite with write-ahead log and synchronous FULL; PostgreSQL as it is configured.",
    "Full load: callers that send again once answered. They take turns, in the other order every second round; "
    "every round is given, the median counts. Half load: at half of the round's own rate deliveries leave on a "
    "fixed schedule; times run from when they were due.",
    "Afterwards the rows in the database are counted and compared with the answers 200.",
)
STOPPING_SECONDS = 30.0
TARGET_SHARE = 0.6
TARGET_P99_MS = 50.0


class IntakeOptions(msgspec.Struct, frozen=True):
    """How long and how often; ``seconds`` for each round of each load."""

    seconds: float = 8.0
    rounds: int = 3
    callers: int = 64
    postgres: bool = True


class Round(msgspec.Struct, frozen=True):
    """One server's turn."""

    full: LoadSeen
    half: LoadSeen
    load_average: float


class Side(msgspec.Struct, frozen=True):
    """One server over all rounds. ``accepted`` answers 200, ``stored`` rows found afterwards."""

    rounds: tuple[Round, ...]
    accepted: int
    stored: int

    @property
    def per_second(self) -> float:
        return median_of([seen.full.per_second for seen in self.rounds])


class Server:
    """A server process that is up."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url
        self.rounds: list[Round] = []

    async def finish(self) -> ServerDone:
        """Stop it and hear its last words."""
        async with asyncio.timeout(STOPPING_SECONDS):
            out, _ = await self._process.communicate(b"")
        return msgspec.json.decode(out, type=ServerDone)


def run_intake_bench(options: IntakeOptions, tell: Callable[[str], None]) -> Report:
    """Measure every database that is there."""
    with tempfile.TemporaryDirectory(prefix="storebridge-bench-") as name:
        folder = Path(name)
        machine = describe_machine(folder)
        figures: dict[str, Any] = {"sqlite": asyncio.run(_compare(folder, None, options, tell))}
        if options.postgres:
            try:
                machine["postgresql"] = server_version()
                with postgres_schema() as url:
                    figures["postgresql"] = asyncio.run(_compare(folder, url, options, tell))
            except NoServer as error:
                figures["postgresql"] = {"left_out": str(error)}
    machine["load_average_after"] = load_average()
    lines = [line for kind, found in figures.items() for line in _say(kind, found)]
    return Report("intake", now_stamp(), machine, METHOD, figures, tuple(lines))


async def _compare(
    folder: Path, url: str | None, options: IntakeOptions, tell: Callable[[str], None]
) -> dict[str, Any]:
    database = "sqlite" if url is None else "postgresql"
    kinds = ("bare", "bridge", "grouped") if url is None else ("bare", "bridge")
    async with AsyncExitStack() as stack:
        servers = {
            kind: await stack.enter_async_context(_server(kind, url or str(folder / f"{kind}.sqlite3")))
            for kind in kinds
        }
        for number in range(options.rounds):
            for kind in kinds if number % 2 == 0 else reversed(kinds):
                await _take_turn(servers[kind], options, number)
            said = ", ".join(f"{kind} {server.rounds[-1].full.per_second:.0f}/s" for kind, server in servers.items())
            tell(f"{database}, round {number + 1}: {said}")
        sides = {kind: await _close(server) for kind, server in servers.items()}
    return _figures(sides)


async def _take_turn(server: Server, options: IntakeOptions, number: int) -> None:
    average = load_average()
    full = await _load(LoadJob(server.url, options.seconds, options.callers, None, 2 * number))
    rate = max(1.0, full.per_second / 2)
    half = await _load(LoadJob(server.url, options.seconds, options.callers, rate, 2 * number + 1))
    server.rounds.append(Round(full, half, average))


async def _close(server: Server) -> Side:
    done = await server.finish()
    accepted = sum(seen.full.accepted + seen.half.accepted for seen in server.rounds)
    return Side(tuple(server.rounds), accepted, done.stored)


@asynccontextmanager
async def _server(kind: str, store: str) -> AsyncIterator[Server]:
    process = await _start("intake_server", kind, store)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        if not url:
            raise RuntimeError(f"The {kind} server of the measurement did not start (status {await process.wait()}).")
        yield Server(process, f"{url}/hooks/shopify")
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _load(job: LoadJob) -> LoadSeen:
    process = await _start("load_generator")
    out, _ = await process.communicate(msgspec.json.encode(job))
    if process.returncode:
        raise RuntimeError(f"The load generator failed with status {process.returncode}.")
    return msgspec.json.decode(out, type=LoadSeen)


async def _start(module: str, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"storebridge_proving.bench.{module}",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


def _figures(sides: dict[str, Side]) -> dict[str, Any]:
    ours = sides["bridge"]
    figures: dict[str, Any] = {"intake": _figures_of(ours)}
    for kind, side in sides.items():
        if kind == "bridge":
            continue
        pairs = zip(ours.rounds, side.rounds, strict=True)
        shares = [mine.full.per_second / theirs.full.per_second for mine, theirs in pairs]
        figures[kind] = _figures_of(side)
        figures[f"share_of_{kind}"] = median_of(shares, 3)
        figures[f"shares_of_{kind}"] = [round(share, 3) for share in shares]
    return figures


def _figures_of(side: Side) -> dict[str, Any]:
    return {
        "per_second": side.per_second,
        "rounds": [round(seen.full.per_second, 1) for seen in side.rounds],
        "half_load_p99_ms": median_of([seen.half.took_ms.p99 for seen in side.rounds], 2),
        "half_load_p99_ms_rounds": [seen.half.took_ms.p99 for seen in side.rounds],
        "half_load_p50_ms": median_of([seen.half.took_ms.p50 for seen in side.rounds], 2),
        "generator_busy": [seen.full.busy for seen in side.rounds],
        "load_average": [seen.load_average for seen in side.rounds],
        "accepted": side.accepted,
        "refused": sum(seen.full.refused + seen.half.refused for seen in side.rounds),
        "stored": side.stored,
    }


def _say(kind: str, found: dict[str, Any]) -> list[str]:
    if "left_out" in found:
        return [f"{kind}: left out, {found['left_out']}"]
    intake, bare = found["intake"], found["bare"]
    lines = [
        f"{kind}: intake {intake['per_second']:.0f}/s, bare {bare['per_second']:.0f}/s, "
        f"{found['share_of_bare']:.0%} of bare (aim {TARGET_SHARE:.0%})",
        f"{kind}: at half load p50 {intake['half_load_p50_ms']} ms, p99 {intake['half_load_p99_ms']} ms "
        f"(aim {TARGET_P99_MS:.0f} ms); bare p99 {bare['half_load_p99_ms']} ms",
        f"{kind}: answered 200 {intake['accepted']}, stored {intake['stored']}, refused {intake['refused']}",
    ]
    if "grouped" in found:
        lines.insert(
            1,
            f"{kind}: bare with rows that share a commit {found['grouped']['per_second']:.0f}/s, the intake is "
            f"{found['share_of_grouped']:.0%} of it",
        )
    return lines
