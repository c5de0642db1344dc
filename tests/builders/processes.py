"""The stores and the bridge as processes of their own: killed, starved, started again, and judged from the stores' own
records."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import psycopg

from storebridge.clock import SystemClock
from storebridge.connectors.aiohttp_transport import AiohttpTransport
from storebridge.connectors.http import Request, Response
from storebridge.errors import StoreUnavailableError
from storebridge.store.database import Store, Tx, open_store
from storebridge_proving.bridge_records import Backlog, open_reviews, read_backlog, read_claims
from storebridge_proving.checker.records import Records, pools_of
from storebridge_proving.checker.report import Verdict, judge
from storebridge_proving.review_desk import decide
from storebridge_proving.shoppers import Crowd, CrowdPlan
from storebridge_proving.store_client import StoreClient

COMMAND = [sys.executable, "-m", "storebridge.cli.main"]
PATIENCE_SECONDS = 120.0
SETTLES_WITHIN_SECONDS = 300.0
"""A write that was cut may land for 140 s, and before that nobody may say that it did not: 120 s were once too few."""
QUICK_NET = """[workspaces.main]
sweep_seconds = 6.0
hot_sweep_seconds = 3.0
order_poll_seconds = 4.0
"""
"""What deliveries did not bring is found in seconds instead of minutes."""
SHOPPERS = 4
CROWD = CrowdPlan(4.0, hot_share=0.3)
NO_LIMIT = resource.RLIM_INFINITY
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


async def until(
    ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], what: str, within_seconds: float = PATIENCE_SECONDS
) -> T:
    """Ask until the answer is as wanted; fails when it is not in time."""
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + within_seconds
    while True:
        try:
            if wanted(found := await ask()):
                return found
            seen = str(found)
        except (StoreUnavailableError, psycopg.OperationalError) as away:  # a database that recovers
            seen = str(away)
        assert clock() < give_up_at, f"{what}: still {seen}"
        await asyncio.sleep(0.1)


class Supervised:
    """A command that is started again whenever it ends, as a service manager does."""

    def __init__(self, *words: str, says: str) -> None:
        self._words = words
        self._says = says
        self._child: asyncio.subprocess.Process | None = None
        self._killed: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self.serving = asyncio.Event()
        self.ends: list[int] = []
        """How it ended, each time: its exit status, or the signal's number below zero."""
        self.said: list[str] = []
        self._most_bytes = NO_LIMIT

    @property
    def process_id(self) -> int:
        assert self._child is not None
        return self._child.pid

    async def serves(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.serving.wait()

    def begin(self) -> None:
        self._task = asyncio.create_task(self._supervise())

    async def end(self) -> None:
        """Not started again; what runs is killed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def signal(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL, to a life that was not killed before."""

        async def alive() -> bool:
            child = self._child
            return child is not None and child is not self._killed and child.returncode is None

        await until(alive, bool, f"{self._words[0]} to live")
        self._killed = self._child
        self.signal(signal.SIGKILL)
        self.serving.clear()

    def limit_files(self, most_bytes: int) -> None:
        """From now on no file that it writes may grow beyond so many bytes, in this life and the next ones."""
        self._most_bytes = most_bytes
        if self._child is not None and self._child.returncode is None:
            resource.prlimit(self._child.pid, resource.RLIMIT_FSIZE, (most_bytes, NO_LIMIT))

    async def _supervise(self) -> None:
        while True:
            child = self._child = await asyncio.create_subprocess_exec(
                *COMMAND, *self._words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            self.limit_files(self._most_bytes)
            try:
                await self._listen(child)
                self.ends.append(await child.wait())
            finally:
                if child.returncode is None:
                    child.kill()
                    await child.wait()
            self.serving.clear()
            await asyncio.sleep(0.2)

    async def _listen(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None
        async for raw in child.stdout:
            line = raw.decode(errors="replace").rstrip()
            self.said.append(line)
            if self._says in line:
                self.serving.set()


@dataclass
class Play:
    """Two stores, the database, and whoever keeps them in step."""

    chance: random.Random
    transport: AiohttpTransport
    config: str
    console: str
    database: str
    clients: tuple[StoreClient, StoreClient]
    serve: Supervised
    workers: list[Supervised] = field(default_factory=list)
    _store: Store | None = None

    @property
    def everybody(self) -> list[Supervised]:
        return [self.serve, *self.workers]

    def add_worker(self) -> None:
        self.workers.append(Supervised("worker", "--config", self.config, says="started"))
        self.workers[-1].begin()

    @property
    def store(self) -> Store:
        """The database as an auditor opens it; the first process has made it."""
        if self._store is None:
            read_only = not self.database.startswith("postgresql")
            self._store = open_store(self.database, clock=SystemClock(), read_only=read_only)
        return self._store

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        def read(tx: Tx) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in tx.conn.exec_driver_sql(sql)]

        return await self.store.read(read)

    async def backlog(self) -> Backlog:
        return await self.store.read(read_backlog)

    async def open_calls(self) -> int:
        """Writes whose answer is not known."""
        return (await self.backlog()).calls

    async def foul_weather(self) -> None:
        """Faults of every kind, and calls that take long enough to be interrupted."""
        for client in self.clients:
            await client.set_faults({"profile": "some", "latency_ms": [50, 500]})

    async def fair_weather(self) -> None:
        for client in self.clients:
            await client.set_faults({})

    async def agree(self) -> None:
        """Until the baseline is in force and every write of it confirmed."""
        await self.serve.serves()
        await until(self.backlog, lambda backlog: bool(backlog.baselines) and backlog.quiet, "the baseline")

    @asynccontextmanager
    async def shoppers(self) -> AsyncIterator[Crowd]:
        """People buy, cancel, send and correct in both stores meanwhile."""
        records = Records({client.name: await client.truth() for client in self.clients}, "shopify")
        skus = [pool.sku for pool in pools_of(records)]
        crowd = Crowd(self.clients, skus, CROWD, chance=self.chance, clock=SystemClock())
        people = [asyncio.create_task(crowd.run()) for _ in range(SHOPPERS)]
        try:
            yield crowd
        finally:
            crowd.stop()
            await asyncio.gather(*people)

    async def verdict(self) -> Verdict:
        """What the stores' own records say now."""
        attempts = {client.name: await client.webhooks() for client in self.clients}
        truths = {client.name: await client.truth() for client in self.clients}
        claims = await self.store.read(read_claims)
        return judge(Records(truths, "shopify"), "escrow", claims=claims, attempts=attempts)

    async def settled(self) -> Verdict:
        """Once everything is done and agreed; somebody decides cases as the stores' admins show them."""

        async def look() -> tuple[Verdict, Backlog]:
            for one in self.everybody:
                await one.serves()
            await self._decide()
            return await self.verdict(), await self.backlog()

        def fine(seen: tuple[Verdict, Backlog]) -> bool:
            verdict, backlog = seen
            return backlog.quiet and not (verdict.skus_disagreeing or verdict.lost or verdict.held)

        return (await until(look, fine, "the stores to agree", SETTLES_WITHIN_SECONDS))[0]

    async def _decide(self) -> None:
        for review in await self.store.read(open_reviews):
            histories = {client.name: (await client.truth())["movements"] for client in self.clients}
            choice = decide(review, histories.get(review.connection, []))
            path = f"/api/v1/main/exceptions/{review.case_id}/resolve"
            body = msgspec.json.encode({"choice": choice.value, "note": "as the admin shows"})
            answer = await self.ask("POST", f"{self.console}{path}", body)
            assert answer.status in (200, 404, 409), answer.body  # it may have been closed by proof meanwhile

    async def ask(self, method: str, url: str, body: bytes = b"") -> Response:
        return await self.transport.send(Request(method, url, {"content-type": "application/json"}, body, 30.0))


@asynccontextmanager
async def play(
    folder: Path,
    *,
    seed: int,
    variants: int,
    database: str | None = None,
    workers: int = 0,
    stamped: bool = False,
    copy_to: str = "",
) -> AsyncIterator[Play]:
    """Both stores in one process, ``serve`` in another, and so many workers; ends them all. Orders are copied to the
    store that ``copy_to`` names."""
    config = folder / "storebridge.toml"
    intake, console = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    words = ["--shopify-port", "0", "--wix-port", "0", "--variants", str(variants), "--write-config", str(config)]
    listen = ["--intake-listen", intake, "--console-listen", console]
    sandbox = Supervised("sandbox", "--seed", str(seed), *words, *listen, says="Configuration:")
    transport = AiohttpTransport()
    serve = Supervised("serve", "--config", str(config), says="intake:")
    made: Play | None = None
    try:
        sandbox.begin()
        await sandbox.serves()
        address = database or str(folder / "bridge.sqlite3")
        urls = _configure(config, address, stamped, copy_to)
        clients = tuple(StoreClient(name, url, transport) for name, url in zip(("shopify", "wix"), urls, strict=True))
        made = Play(random.Random(seed), transport, str(config), f"http://{console}", address, clients, serve)  # type: ignore[arg-type]
        serve.begin()
        if workers:
            await serve.serves()
        for _ in range(workers):
            made.add_worker()
        yield made
        assert sandbox.ends == []
    finally:
        for one in (*(made.everybody if made is not None else ()), sandbox):
            await one.end()
        if made is not None and made._store is not None:
            await made._store.close()
        await transport.close()


def _configure(config: Path, address: str, stamped: bool, copy_to: str) -> list[str]:
    """The stores' addresses; the written configuration gets escrow, its database and a quick net."""
    text = config.read_text().replace('"storebridge.sqlite3"', msgspec.json.encode(address).decode())
    text = text.replace('policy = "mirror"', 'policy = "escrow"').replace("[workspaces.main]\n", QUICK_NET, 1)
    if stamped:
        text = text.replace('kind = "wix"\n', 'kind = "wix"\nstamp_namespace = "@tests/storebridge"\n')
    if copy_to:
        text += f'\n[workspaces.main.orders]\ncopy_to = "{copy_to}"\n'
    config.write_text(text)
    found = [line.split('"')[1] for line in text.splitlines() if line.startswith("api_url")]
    os.chmod(config, 0o600)
    return found


async def kill_by_chance(at: Play, victims: Sequence[Supervised], chance: random.Random, times: int) -> list[str]:
    """SIGKILL, one victim after the other, when chance picks: while a call is on the wire, while it serves, or while it
    starts. Returns the moments in words."""
    moments = []
    for number in range(times):
        victim, when = victims[number % len(victims)], chance.choice(("on the wire", "on the wire", "serving", ""))
        seconds = chance.uniform(0.0, 0.3 if when == "on the wire" else 2.0)
        if when:
            await victim.serves()
        if when == "on the wire":
            await until(at.open_calls, bool, "a call on the wire")
        await asyncio.sleep(seconds)
        await victim.kill()
        moments.append(f"{seconds:.2f} {when}".strip())
    return moments


@contextlib.contextmanager
def nothing_else_ends(victims: Sequence[Supervised]) -> Iterator[None]:
    """Fails when one of them ended otherwise than by SIGKILL."""
    yield
    for victim in victims:
        assert set(victim.ends) <= {-signal.SIGKILL}, victim.said[-20:]
