"""One seed of the whole product: a baseline, two hours of shoppers, staff and faults, then quiet and a verdict."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from storebridge_proving.bridge_records import (
    HOLDING,
    count_cases,
    open_order_writes,
    read_backlog,
    read_claims,
    read_held,
    read_journal,
    read_order_claims,
    read_written,
)
from storebridge_proving.checker.orders import judge_orders
from storebridge_proving.checker.pools import follow
from storebridge_proving.checker.records import Pool, Records, pools_of
from storebridge_proving.checker.report import PAST_THE_GUARD, Verdict, judge
from storebridge_proving.checker.slips import judge_slips
from storebridge_proving.review_desk import cases_left, staff_the_desk
from storebridge_proving.shoppers import Crowd, CrowdPlan, Deed
from storebridge_proving.simulate.aftercare import Aftercare
from storebridge_proving.simulate.day import PLAY_SECONDS, act_for_a_day, shortfalls
from storebridge_proving.simulate.habits import draw_deliveries, draw_express_share, drawn_switches, told
from storebridge_proving.simulate.packers import pack_and_send
from storebridge_proving.simulate.queue_desk import QueueDesk
from storebridge_proving.simulate.result import SeedResult
from storebridge_proving.simulate.theatre import WORKSPACE, Theatre, build_theatre
from storebridge_proving.virtual_time import VirtualClock, run_virtually

SYSTEM_OF_RECORD = "shopify"
CONVERGENCE_SECONDS = 600.0
BASELINE_SECONDS = 600.0
LOOK_SECONDS = 5.0

CRASH_RATES = {"none": 0.0, "some": 0.0005, "storm": 0.004}
PARTITIONS = {"none": 0, "some": 2, "storm": 5}
PARTITION_SECONDS = (20.0, 240.0)
PLAN = CrowdPlan(1.0, hot_share=0.25, most_units=2)
WITH_COPIES: Mapping[Deed, float] = {
    "buy": 70.0,
    "buy_unpaid": 4.0,
    "cancel": 6.0,
    "refund": 6.0,
    "edit": 6.0,
    "adjust": 2.0,
}
"""Goods leave where copies are packed, so nobody sends anything from the store that sold it."""


def run_system_seed(seed: int, policy: str, faults: str) -> SeedResult:
    """Play one seed on a fresh virtual clock; the same arguments always give the same result."""
    return run_virtually(lambda clock: _Play(clock, seed, policy, faults).run())


def run_orders_seed(seed: int, policy: str, faults: str) -> SeedResult:
    """The same with copies: every other seed packs in the other store; orders are edited, and judged as well."""
    copy_to = ("shopify", "wix")[seed % 2]
    return run_virtually(lambda clock: _Play(clock, seed, policy, faults, copy_to).run())


@dataclass(slots=True)
class _Judgement:
    verdict: Verdict
    pools: list[Pool]
    truths: Mapping[str, dict[str, Any]]
    requests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class _Play:
    """The acts of one seed, in order."""

    def __init__(self, clock: VirtualClock, seed: int, policy: str, faults: str, copy_to: str = "") -> None:
        self._copy_to = copy_to
        self._clock = clock
        self._seed = seed
        self._policy = policy
        self._faults = faults
        self._chance = random.Random(f"play-{seed}")
        self._violations: list[str] = []
        self._queue: QueueDesk | None = None
        self._express_share = draw_express_share(seed, policy, faults)

    async def run(self) -> SeedResult:
        theatre = await build_theatre(self._clock, self._seed, self._policy, self._copy_to)
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
        people = [asyncio.ensure_future(one) for one in self._people(theatre)]
        theatre.death.rate = CRASH_RATES[self._faults]
        records = Records(theatre.openings, SYSTEM_OF_RECORD, bundles=theatre.bundles)
        skus = [*(pool.sku for pool in pools_of(records)), *theatre.bundles]
        plan = replace(PLAN, weights=WITH_COPIES) if self._copy_to else PLAN
        crowd = Crowd(
            theatre.clients,
            skus,
            replace(plan, express_share=self._express_share),
            chance=self._chance,
            clock=self._clock,
            made_up=theatre.made_up,
            delivery=draw_deliveries(self._seed, copies=bool(self._copy_to)),
        )
        try:
            await act_for_a_day(crowd, self._clock, self._chance)
        finally:
            theatre.death.rate = 0.0
            await self._stop(weather)
            for one in people:
                await self._stop(one)
            for client in theatre.clients:
                await client.set_faults({})
            self._desk = desk
        if self._queue is not None:
            await self._queue.close()
        return crowd

    def _people(self, theatre: Theatre) -> list[Coroutine[Any, Any, None]]:
        """Who works on orders while shoppers buy; nobody where nothing is copied."""
        if not self._copy_to:
            return []
        care = Aftercare(theatre, self._copy_to, random.Random(f"care-{self._seed}"))
        self._queue = QueueDesk(theatre, self._copy_to, random.Random(f"queue-{self._seed}"))
        return [pack_and_send(theatre, self._copy_to, self._chance), care.run(), self._queue.run()]

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
        if reviews or not backlog.quiet or (self._copy_to and await theatre.store.read(open_order_writes)):
            return False
        judgement = await self._judge(theatre, settled_at)
        verdict = judgement.verdict
        if verdict.skus_disagreeing or verdict.held or verdict.lost:
            return False
        return not await self._wrong_orders(theatre, judgement)

    async def _wrong_orders(self, theatre: Theatre, judgement: _Judgement) -> tuple[str, ...]:
        """What the stores' records say against orders and their copies; nothing where nothing is copied."""
        if not self._copy_to:
            return ()
        claims = await theatre.store.read(read_order_claims)
        sent = judge_slips(judgement.truths, self._queue.slips, claims) if self._queue else ()
        return judge_orders(judgement.truths, self._copy_to, claims).findings + sent

    async def _judge(self, theatre: Theatre, settled_at: datetime) -> _Judgement:
        truths = {client.name: await client.truth() for client in theatre.clients}
        records = Records(truths, SYSTEM_OF_RECORD, bundles=theatre.bundles)
        verdict = judge(
            records,
            self._judged_as(truths),
            claims=await theatre.store.read(read_claims),
            attempts={client.name: await client.webhooks() for client in theatre.clients},
            settled_at=settled_at,
        )
        return _Judgement(verdict, pools_of(records), truths)

    def _judged_as(self, truths: Mapping[str, Any]) -> str:
        """Guarded is judged as hybrid where an order went past the guard (G3), or Wix let it pass although nobody had
        answered (G2): the stores are kept apart for a day then. The store's own records say so."""
        past = any(order["past_guard"] for truth in truths.values() for order in truth["orders"])
        return "hybrid" if past and self._policy == "guarded" else self._policy

    async def _result(self, theatre: Theatre, crowd: Crowd, converged: bool, settled_at: datetime) -> SeedResult:
        judgement = await self._judge(theatre, settled_at)
        judgement.requests = {client.name: await client.requests() for client in theatre.clients}
        wrong = _wrong_inferences(judgement.pools, await theatre.store.read(read_written))
        self._violations += theatre.faults
        self._violations += [f"a store raised {error!r}" for error in theatre.network.errors]
        self._violations += [f"the intake raised {error!r}" for error in theatre.post.errors]
        self._violations += self._broken_promises(judgement.verdict, converged, wrong)
        self._violations += await self._wrong_orders(theatre, judgement)
        self._violations += self._queue.findings if self._queue else []
        verdict = judgement.verdict
        falsely, held = _refused(crowd, judgement.pools, await theatre.store.read(read_held))
        result = SeedResult(
            seed=self._seed,
            violations=(),
            converged=converged,
            units_sold=verdict.units_sold,
            units_oversold=verdict.units_oversold,
            false_stockouts=falsely,
            refused_held=held,
            sales=crowd.done.get("buy", 0) + crowd.done.get("buy_unpaid", 0),
            ambiguous_writes=_ambiguous_writes(judgement.requests),
            held_for_review=await theatre.store.read(count_cases, HOLDING),
            wrong_inferences=len(wrong),
            skus=verdict.skus,
            store_events=crowd.happened,
            virtual_hours=round(self._clock.monotonic() / 3600, 2),
            fault_kinds=await _fault_kinds(theatre, judgement.requests),
            digest=await self._digest(theatre, judgement),
            switches=told(drawn_switches(self._seed, copies=bool(self._copy_to))),
        )
        return replace(result, violations=(*self._violations, *shortfalls(result, self._faults)))

    def _broken_promises(self, verdict: Verdict, converged: bool, wrong: list[str]) -> list[str]:
        """What no seed may show; under mirror an oversell is the price of lag and only counted, under guarded that of
        goods of which an order went past the guard."""
        counted = ("oversold", PAST_THE_GUARD) if self._policy not in ("escrow", "guarded") else (PAST_THE_GUARD,)
        findings = [text for text in verdict.findings if not text.endswith(counted)]
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
        for store in sorted({*pool.levels, *(move.store for move in pool.moves if move.bundle)}):
            moved = sum(move.units for move in pool.moves if move.kind == "written" and move.store == store)
            believed = written.get((store, pool.sku), 0)
            if moved != believed:
                found.append(f"{pool.sku}: {moved:+d} written in {store}, the bridge believes {believed:+d}")
    return found


def _refused(crowd: Crowd, pools: list[Pool], holds: list[tuple[str, datetime, int]]) -> tuple[int, int]:
    """Shoppers sent away although so many units were left: falsely, and because live checkouts held the units."""
    courses = {pool.sku: follow(pool) for pool in pools}
    falsely = held = 0
    for refusal in crowd.refusals:
        left = courses[refusal.sku].at(refusal.at) if refusal.sku in courses else 0
        holding = sum(units for sku, at, units in holds if sku == refusal.sku and at <= refusal.at)
        falsely += left - holding >= refusal.wanted
        held += left - holding < refusal.wanted <= left
    return falsely, held


def _ambiguous_writes(requests: Mapping[str, list[dict[str, Any]]]) -> int:
    """Stock writes that a client could not know the fate of from the answer."""
    unclear = ("timeout_applied", "timeout_not_applied", "http_5xx")
    return sum(
        call["fate"] in unclear and _is_stock_write(call["operation"]) for calls in requests.values() for call in calls
    )


def _is_stock_write(operation: str) -> bool:
    name = operation.lower()
    return "inventor" in name and any(verb in name for verb in ("set", "adjust", "update", "activate"))


async def _fault_kinds(theatre: Theatre, requests: Mapping[str, list[dict[str, Any]]]) -> tuple[str, ...]:
    """Kinds of fault that struck, as those say that strike: on calls, on processes, on deliveries."""
    on_calls = {call["fate"] for calls in requests.values() for call in calls if call["fate"]}
    on_deliveries = {kind for client in theatre.clients for kind, times in (await client.struck()).items() if times}
    return tuple(sorted({*on_calls, *theatre.death.kinds, *on_deliveries}))
