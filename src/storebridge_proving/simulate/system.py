"""One seed of the whole product: a baseline, two hours of shoppers, staff and faults, then quiet and a verdict."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from storebridge_proving.bridge_records import (
    HOLDING,
    count_cases,
    read_backlog,
    read_claims,
    read_journal,
    read_written,
)
from storebridge_proving.checker.pools import follow
from storebridge_proving.checker.records import Pool, Records, pools_of
from storebridge_proving.checker.report import Verdict, judge
from storebridge_proving.review_desk import cases_left, staff_the_desk
from storebridge_proving.shoppers import Crowd, CrowdPlan
from storebridge_proving.simulate.crashes import Death
from storebridge_proving.simulate.result import SeedResult
from storebridge_proving.simulate.theatre import WORKSPACE, Theatre, build_theatre
from storebridge_proving.virtual_time import VirtualClock, run_virtually

SYSTEM_OF_RECORD = "shopify"
PLAY_SECONDS = 7_260.0
CONVERGENCE_SECONDS = 600.0
BASELINE_SECONDS = 600.0
LOOK_SECONDS = 5.0
STORE_EVENTS = 380
BURST = (1, 7)
WITHIN_BURST_SECONDS = 2.0

CRASH_RATES = {"none": 0.0, "some": 0.0005, "storm": 0.004}
PARTITIONS = {"none": 0, "some": 2, "storm": 5}
PARTITION_SECONDS = (20.0, 240.0)
WEBHOOK_FAULTS = ("webhook_loss", "webhook_duplicate", "webhook_reorder")
IDLE = frozenset({"nothing_to_do", "refused", "sold_out"})


def run_system_seed(seed: int, policy: str, faults: str) -> SeedResult:
    """Play one seed on a fresh virtual clock; the same arguments always give the same result."""
    return run_virtually(lambda clock: _Play(clock, seed, policy, faults).run())


@dataclass(slots=True)
class _Judgement:
    verdict: Verdict
    pools: list[Pool]
    truths: Mapping[str, dict[str, Any]]
    requests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class _Play:
    """The acts of one seed, in order."""

    def __init__(self, clock: VirtualClock, seed: int, policy: str, faults: str) -> None:
        self._clock = clock
        self._seed = seed
        self._policy = policy
        self._faults = faults
        self._chance = random.Random(f"play-{seed}")
        self._violations: list[str] = []

    async def run(self) -> SeedResult:
        theatre = await build_theatre(self._clock, self._seed, self._policy)
        theatre.raise_curtain()
        try:
            if not await self._baseline(theatre):
                return self._failed("the baseline was not in force within 10 virtual minutes")
            settled_at = self._clock.now()
            crowd = await self._two_hours(theatre)
            converged = await self._converge(theatre, settled_at)
            return await self._result(theatre, crowd, converged, settled_at)
        finally:
            await theatre.lower_curtain()

    def _failed(self, why: str) -> SeedResult:
        return SeedResult(self._seed, (*self._violations, why), False, 0, 0)

    async def _baseline(self, theatre: Theatre) -> bool:
        """Sign the baseline off and see it in force: every level set and confirmed."""
        deadline = self._clock.monotonic() + BASELINE_SECONDS
        await self._clock.sleep(LOOK_SECONDS)
        if theatre.bridge is not None:
            await theatre.bridge.baseline(WORKSPACE, sign_off=True, actor="merchant")
        while self._clock.monotonic() < deadline and not theatre.faults:
            await self._clock.sleep(LOOK_SECONDS)
            backlog = await theatre.store.read(read_backlog)
            if backlog.baselines and backlog.quiet:
                return True
        self._violations += theatre.faults
        return False

    async def _two_hours(self, theatre: Theatre) -> Crowd:
        """People act in bursts, faults strike, a person works at the review desk; then the faults stop."""
        desk = asyncio.ensure_future(staff_the_desk(theatre, self._clock))
        weather = asyncio.ensure_future(self._weather(theatre))
        theatre.death.rate = CRASH_RATES[self._faults]
        skus = [pool.sku for pool in pools_of(Records(theatre.openings, SYSTEM_OF_RECORD))]
        crowd = Crowd(
            theatre.clients,
            skus,
            CrowdPlan(1.0, hot_share=0.25, most_units=2),
            chance=self._chance,
            clock=self._clock,
        )
        try:
            await self._act_in_bursts(crowd)
        finally:
            theatre.death.rate = 0.0
            await self._stop(weather)
            for client in theatre.clients:
                await client.set_faults({})
            self._desk = desk
        return crowd

    async def _act_in_bursts(self, crowd: Crowd) -> None:
        end = self._clock.monotonic() + PLAY_SECONDS
        pause = PLAY_SECONDS / STORE_EVENTS * sum(BURST) / 2 * 0.8
        while self._clock.monotonic() < end:
            for _ in range(self._chance.randint(*BURST)):
                await crowd.act()
                await self._clock.sleep(self._chance.uniform(0.0, WITHIN_BURST_SECONDS))
            left = end - self._clock.monotonic()
            await self._clock.sleep(max(0.0, min(left, self._chance.expovariate(1 / pause))))

    async def _weather(self, theatre: Theatre) -> None:
        """The profile's faults all the time, and now and then no network at all for one of the stores."""
        for client in theatre.clients:
            await client.set_faults({"profile": self._faults})
        count = PARTITIONS[self._faults]
        for _ in range(count):
            await self._clock.sleep(self._chance.uniform(0.2, 0.9) * PLAY_SECONDS / count)
            client = self._chance.choice(theatre.clients)
            await client.set_faults({"profile": self._faults, "partitioned": True})
            await self._clock.sleep(self._chance.uniform(*PARTITION_SECONDS))
            await client.set_faults({"profile": self._faults})

    async def _stop(self, task: asyncio.Future[None]) -> None:
        """End a task that has no end of its own; an error that it died of is raised."""
        if not task.done():
            task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome

    async def _converge(self, theatre: Theatre, settled_at: datetime) -> bool:
        """Whether within 10 virtual minutes no SKU disagrees and nothing is unresolved or waiting."""
        deadline = self._clock.monotonic() + CONVERGENCE_SECONDS
        try:
            while self._clock.monotonic() < deadline:
                await self._clock.sleep(LOOK_SECONDS)
                if theatre.faults:
                    return False
                if await self._at_rest(theatre, settled_at):
                    return True
            return False
        finally:
            await self._stop(self._desk)

    async def _at_rest(self, theatre: Theatre, settled_at: datetime) -> bool:
        backlog = await theatre.store.read(read_backlog)
        reviews: int = await theatre.store.read(cases_left)
        if reviews or not backlog.quiet:
            return False
        verdict = (await self._judge(theatre, settled_at)).verdict
        return not (verdict.skus_disagreeing or verdict.held or verdict.lost)

    async def _judge(self, theatre: Theatre, settled_at: datetime) -> _Judgement:
        truths = {client.name: await client.truth() for client in theatre.clients}
        records = Records(truths, SYSTEM_OF_RECORD)
        verdict = judge(
            records,
            self._policy,
            claims=await theatre.store.read(read_claims),
            attempts={client.name: await client.webhooks() for client in theatre.clients},
            settled_at=settled_at,
        )
        return _Judgement(verdict, pools_of(records), truths)

    async def _result(self, theatre: Theatre, crowd: Crowd, converged: bool, settled_at: datetime) -> SeedResult:
        judgement = await self._judge(theatre, settled_at)
        judgement.requests = {client.name: await client.requests() for client in theatre.clients}
        wrong = _wrong_inferences(judgement.pools, await theatre.store.read(read_written))
        self._violations += theatre.faults
        self._violations += [f"a store raised {error!r}" for error in theatre.network.errors]
        self._violations += [f"the intake raised {error!r}" for error in theatre.post.errors]
        self._violations += self._broken_promises(judgement.verdict, converged, wrong)
        verdict = judgement.verdict
        return SeedResult(
            seed=self._seed,
            violations=tuple(self._violations),
            converged=converged,
            units_sold=verdict.units_sold,
            units_oversold=verdict.units_oversold,
            false_stockouts=_false_stockouts(crowd, judgement.pools),
            ambiguous_writes=_ambiguous_writes(judgement.requests),
            held_for_review=await theatre.store.read(count_cases, HOLDING),
            wrong_inferences=len(wrong),
            skus=verdict.skus,
            store_events=sum(count for deed, count in crowd.done.items() if deed not in IDLE),
            virtual_hours=round(self._clock.monotonic() / 3600, 2),
            fault_kinds=_fault_kinds(judgement.requests, theatre.death, self._faults),
            digest=await self._digest(theatre, judgement),
        )

    def _broken_promises(self, verdict: Verdict, converged: bool, wrong: list[str]) -> list[str]:
        """What no seed may show; under mirror an oversell is the price of lag and only counted."""
        promised_never = self._policy in ("escrow", "guarded")
        findings = [text for text in verdict.findings if promised_never or not text.endswith(" oversold")]
        if not converged:
            findings.append("not converged within 10 virtual minutes after the faults stopped")
        return findings + wrong

    async def _digest(self, theatre: Theatre, judgement: _Judgement) -> str:
        """Over both stores' books, every call, every delivery, and the bridge's journal, ledger and audit."""
        sha = hashlib.sha256()
        for client in theatre.clients:
            sha.update(msgspec.json.encode(judgement.truths[client.name]))
            sha.update(msgspec.json.encode(judgement.requests[client.name]))
            sha.update(msgspec.json.encode(await client.webhooks()))
        for line in await theatre.store.read(read_journal):
            sha.update(line.encode())
        return sha.hexdigest()


def _wrong_inferences(pools: list[Pool], written: Mapping[tuple[str, str], int]) -> list[str]:
    """Counters where the units that the bridge believes to have written are not those that API calls moved."""
    found = []
    for pool in pools:
        for store in pool.levels:
            moved = sum(move.units for move in pool.moves if move.kind == "written" and move.store == store)
            believed = written.get((store, pool.sku), 0)
            if moved != believed:
                found.append(f"{pool.sku}: {moved:+d} written in {store}, the bridge believes {believed:+d}")
    return found


def _false_stockouts(crowd: Crowd, pools: list[Pool]) -> int:
    """Shoppers sent away although so many units were left."""
    courses = {pool.sku: follow(pool) for pool in pools}
    return sum(
        refusal.sku in courses and courses[refusal.sku].at(refusal.at) >= refusal.wanted for refusal in crowd.refusals
    )


def _ambiguous_writes(requests: Mapping[str, list[dict[str, Any]]]) -> int:
    """Stock writes that a client could not know the fate of from the answer."""
    unclear = ("timeout_applied", "timeout_not_applied", "http_5xx")
    return sum(
        call["fate"] in unclear and _is_stock_write(call["operation"]) for calls in requests.values() for call in calls
    )


def _is_stock_write(operation: str) -> bool:
    name = operation.lower()
    return "inventor" in name and any(verb in name for verb in ("set", "adjust", "update", "activate"))


def _fault_kinds(requests: Mapping[str, list[dict[str, Any]]], death: Death, profile: str) -> tuple[str, ...]:
    """Kinds of fault that struck; of those on webhooks only the profile tells, since what is lost leaves no
    trace."""
    struck = {call["fate"] for calls in requests.values() for call in calls if call["fate"]}
    on_webhooks = WEBHOOK_FAULTS if profile != "none" else ()
    return tuple(sorted({*struck, *death.kinds, *on_webhooks}))
