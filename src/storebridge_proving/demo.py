"""``storebridge demo``: two pretend stores, shoppers, staff, and the bridge between them, live; then the
report.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from storebridge.model.checkouts import GuardMode
from storebridge_proving.bridge_records import EventCounts, read_claims, read_counts, read_health, read_spread
from storebridge_proving.checker.records import Records, pools_of
from storebridge_proving.checker.report import Verdict, judge
from storebridge_proving.live import Picture, Tally, draw, draw_report
from storebridge_proving.review_desk import cases_left, staff_the_desk
from storebridge_proving.shoppers import Crowd, CrowdPlan
from storebridge_proving.stage import PACE, Stage, open_stage, raise_if_failed, wait_until_settled

EVENTS_PER_SECOND = 20.0
WALKERS = 8
"""So many people act at the same time, so that one who waits for a slow store holds up nobody else."""
BOOKING_EVERY_SECONDS = 4.0
LOOK_SECONDS = 1.0
QUIET_SECONDS = 2.0
PATIENCE_SECONDS = 150.0
SYSTEM_OF_RECORD = "shopify"


DESK_EVERY_SECONDS = 3.0
"""How often somebody of the demo's staff looks at the cases that wait for a person."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """``storebridge demo``'s options. ``catalogue`` is a product export's content, None a made-up one;
    ``port`` is the console's, 0 a free one."""

    seconds: float = 30.0
    policy: str = "mirror"
    seed: int = 1
    faults: str = "none"
    catalogue: bytes | None = None
    store: str | None = None
    port: int = 0


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The report of the interface, and a sentence for every fault in it."""

    content: dict[str, Any]
    findings: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """1 when anything was oversold that was promised not to be (under guarded: while every checkout got its
        answer), disagrees, or was lost."""
        unanswered = self.content.get("checkouts", {}).get("unanswered", 0)
        promised = self.content["policy"] == "escrow" or (self.content["policy"] == "guarded" and not unanswered)
        oversold = self.content["units_oversold"] if promised else 0
        return 1 if oversold or self.content["skus_disagreeing"] or self.content["events"]["lost"] else 0


def run_demo(options: DemoOptions, *, console: Console | None = None) -> DemoReport:
    """Play it and judge it. Progress goes to ``console`` (default: standard error).

    Raises ConfigurationError for options that cannot work, OSError when the port is taken.
    """
    shown = console or Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="storebridge-demo-") as folder:
        return asyncio.run(_play(options, Path(folder), shown))


async def _play(options: DemoOptions, folder: Path, console: Console) -> DemoReport:
    async with open_stage(
        folder,
        seed=options.seed,
        policy=options.policy,
        catalogue=options.catalogue,
        store=options.store,
        port=options.port,
    ) as stage:
        skipped = [f"line {row.line}: {row.reason}" for row in stage.loaded.skipped]
        for sentence in skipped:
            console.print(f"skipped, {sentence}")
        console.print(f"The console is at {stage.console_url}")
        shops = " and ".join(client.base for client in stage.clients)
        console.print(f"Shop yourself at {shops}; add /staff for the staff's side")
        run = _Run(options, stage)
        with Live(draw(run.picture), console=console, refresh_per_second=4, transient=True) as live:
            verdict, counts = await run.play(lambda: live.update(draw(run.picture)))
    report = DemoReport(_content(options, verdict, counts) | run.checkouts, list(verdict.findings), skipped)
    console.print(draw_report(report.content, report.findings))
    return report


class _Run:
    """One demo on a stage that stands."""

    def __init__(self, options: DemoOptions, stage: Stage) -> None:
        self._options = options
        self._stage = stage
        self.picture = Picture(options.policy, stage.console_url)
        self._tally = Tally(stage.openings, SYSTEM_OF_RECORD)
        self._seen = {name: int(opening["next_movement"]) for name, opening in stage.openings.items()}
        self._chance = random.Random(f"demo-{options.seed}")
        records = Records(stage.openings, SYSTEM_OF_RECORD)
        self._skus = [pool.sku for pool in pools_of(records)]
        self._received = 0
        self._settled_at: datetime | None = None
        self.checkouts: dict[str, Any] = {}
        """Guarded only: ``checkouts`` of the report."""

    async def play(self, show: Callable[[], None]) -> tuple[Verdict, EventCounts]:
        """Baseline, shoppers, quiet, verdict."""
        watching = asyncio.create_task(self._watch(show))
        try:
            self.picture.phase = "agreeing on a baseline"
            await wait_until_settled(self._stage)
            self._settled_at = self._stage.bridge.environment.clock.now()
            desk = asyncio.create_task(
                staff_the_desk(self._stage, self._stage.bridge.environment.clock, DESK_EVERY_SECONDS)
            )
            try:
                await self._let_people_in()
                self.picture.phase = "waiting for quiet"
                await self._wait_for_quiet()
            finally:
                await _send_home(desk)
            return await self._judge()
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _let_people_in(self) -> None:
        self.picture.phase = "shoppers and staff at work"
        for client in self._stage.clients:
            await client.set_faults({"profile": self._options.faults})
        crowd = Crowd(
            self._stage.clients,
            self._skus,
            CrowdPlan(EVENTS_PER_SECOND / WALKERS),
            chance=self._chance,
            clock=self._stage.bridge.environment.clock,
            tell=self.picture.news.append,
        )
        people = [asyncio.create_task(crowd.run()) for _ in range(WALKERS)]
        goods_in = asyncio.create_task(self._receive_goods())
        try:
            await self._count_down([*people, goods_in])
        finally:
            crowd.stop()
            goods_in.cancel()
            await asyncio.gather(*people, goods_in, return_exceptions=True)
            for client in self._stage.clients:
                await client.set_faults({})

    async def _count_down(self, people: list[asyncio.Task[None]]) -> None:
        clock = self._stage.bridge.environment.clock
        end = clock.monotonic() + self._options.seconds
        while (left := end - clock.monotonic()) > 0:
            self.picture.seconds_left = left
            raise_if_failed(self._stage.bridge)
            done, _ = await asyncio.wait(people, timeout=min(left, 0.25))
            for person in done:
                person.result()

    async def _receive_goods(self) -> None:
        while True:
            await asyncio.sleep(BOOKING_EVERY_SECONDS)
            sku, units = self._chance.choice(self._skus), self._chance.randint(2, 6)
            await self._stage.book(sku, units)
            self._tally.book(sku, units)
            self.picture.news.append(f"goods in: {units} × {sku}")

    async def _wait_for_quiet(self) -> None:
        """Nothing waits, nothing is on its way, and a whole sweep has looked for what no webhook told."""
        clock = self._stage.bridge.environment.clock
        stopped_at = clock.monotonic()
        earliest = stopped_at + PACE["sweep_seconds"] + QUIET_SECONDS
        calm_since: float | None = None
        while clock.monotonic() < stopped_at + PATIENCE_SECONDS:
            raise_if_failed(self._stage.bridge)
            reviews = await self._stage.store.read(cases_left)
            calm = (await self._stage.backlog()).quiet and not self._on_their_way() and not reviews
            calm = calm and await self._stage.nothing_is_held() and await self._guard_is_back()
            calm_since = (calm_since or clock.monotonic()) if calm else None
            now = clock.monotonic()
            if calm_since is not None and now > earliest and now - calm_since >= QUIET_SECONDS:
                return
            await asyncio.sleep(0.1)

    async def _guard_is_back(self) -> bool:
        """A guard that some orders went past stays away for a day; one that had to be left comes back."""
        return await self._stage.guard_holds() or await self._stage.guard_mode() == GuardMode.BOUNDED

    def _on_their_way(self) -> int:
        stores = self._stage.stores
        return int(stores.shopify.webhooks.under_way) + stores.wix.webhooks.under_way

    async def _judge(self) -> tuple[Verdict, EventCounts]:
        store = self._stage.bridge.store
        truths = {client.name: await client.truth() for client in self._stage.clients}
        attempts = {client.name: await client.webhooks() for client in self._stage.clients}
        mode = await self._stage.guard_mode()
        if mode:
            asked = await self._stage.clients[1].guard_calls()
            unanswered = sum(call["outcome"] != "answered" for call in asked)
            self.checkouts = {"checkouts": {"asked": len(asked), "unanswered": unanswered, "guard": mode}}
        verdict = judge(
            Records(truths, SYSTEM_OF_RECORD, self._stage.goods),
            "hybrid" if mode == GuardMode.BOUNDED else self._options.policy,
            claims=await store.read(read_claims),
            attempts=attempts,
            settled_at=self._settled_at,
        )
        return verdict, await store.read(read_counts)

    async def _watch(self, show: Callable[[], None]) -> None:
        while True:
            for client in self._stage.clients:
                news = await client.truth(self._seen[client.name])
                self._seen[client.name] = int(news["next_movement"])
                self._tally.see(client.name, news)
            await self._look_at_bridge()
            show()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_at_bridge(self) -> None:
        store, picture = self._stage.bridge.store, self.picture
        counts = await store.read(read_counts)
        picture.events_per_second = (counts.received - self._received) / LOOK_SECONDS
        self._received = counts.received
        delays = sorted(await store.read(read_spread))
        if delays:
            picture.p50_ms, picture.p95_ms = delays[len(delays) // 2], delays[int(len(delays) * 0.95)]
        picture.health = await store.read(read_health)
        picture.units_sold, picture.oversold = self._tally.units_sold, self._tally.oversold
        picture.out_of_step = self._tally.out_of_step(self._options.policy)


def _content(options: DemoOptions, verdict: Verdict, counts: EventCounts) -> dict[str, Any]:
    return {
        "seconds": options.seconds,
        "policy": options.policy,
        "seed": options.seed,
        "faults": options.faults,
        "skus": verdict.skus,
        "orders": dict(verdict.orders),
        "units_sold": verdict.units_sold,
        "units_oversold": verdict.units_oversold,
        "skus_disagreeing": verdict.skus_disagreeing,
        "held": verdict.held,
        "events": {
            "received": counts.received,
            "duplicates": counts.duplicates,
            "confirmed": counts.confirmed,
            "open_exceptions": counts.open_exceptions,
            "lost": verdict.lost,
        },
        "propagation_ms": dict(verdict.propagation_ms),
    }


async def _send_home(desk: asyncio.Task[None]) -> None:
    """End the review desk; an error that it died of is the demo's."""
    if not desk.done():
        desk.cancel()
    (outcome,) = await asyncio.gather(desk, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
