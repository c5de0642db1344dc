"""``storebridge bench propagation``: how long a sale in one store takes to show in the other."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from storebridge.connectors.http import Transport
from storebridge_proving.bench.report import (
    Quantiles,
    Report,
    describe_machine,
    load_average,
    median_of,
    now_stamp,
    quantiles_of,
)
from storebridge_proving.bench.stand import Stand, StandOptions, open_stand
from storebridge_proving.checker.propagation import delays_of
from storebridge_proving.checker.records import Records, pools_of
from storebridge_proving.store_client import CartLine, StoreClient

ANSWER_MS = 50
ROUND_TRIPS = 2
NEEDED_MS = ANSWER_MS * ROUND_TRIPS
SYSTEM_OF_RECORD = "shopify"
CUSTOMER = {"first_name": "Ada", "last_name": "Shopper", "email": "ada@shop.example"}
ENOUGH_TO_SELL = 3
IDLE_PAUSE_SECONDS = 1.5
QUIET_SECONDS = 120.0
BUSY_A_MINUTE = 200.0
ALLOWED_A_MINUTE = 60.0
TARGET_ABOVE_MS = 60.0
TARGET_WITH_BUDGETS_MS = 1500.0
METHOD = (
    "Both pretend stores, the bridge (SQLite, synchronous FULL, policy mirror) and the shoppers share one "
    "process; every call and every webhook goes over loopback HTTP. Each API call is answered, and takes "
    f"effect, after {ANSWER_MS} ms.",
    "A shopper buys one unit of a SKU, in either store in turn. From the change in that store's own records to "
    "the effect in the other store's records, as the checker pairs them: the bridge is not asked.",
    f"Needed are {ROUND_TRIPS} round trips, {NEEDED_MS} ms: the level is read where it changed, then written in "
    "the other store. What is above is the bridge, both stores' own work, and the wait for a processor.",
    f"idle: one sale every {IDLE_PAUSE_SECONDS} s. busy: {BUSY_A_MINUTE:.0f} orders a minute at random moments. "
    "In both neither the stores nor the bridge limit calls.",
    f"Budgets: {ALLOWED_A_MINUTE:.0f} orders a minute, once without limits and once with both vendors' own "
    "(Shopify 2,000 points and 100 a second, Wix 200 calls a minute) and the bridge keeping to them; the "
    "difference is queueing time.",
)


class PropagationOptions(msgspec.Struct, frozen=True):
    """Sales when idle, and seconds of each of the other phases."""

    idle_sales: int = 40
    seconds: float = 60.0
    rounds: int = 1
    products: int = 60


class Phase(msgspec.Struct, frozen=True):
    """What one phase showed. ``arrived`` effects were seen of ``sold`` sales; ``calls`` by store."""

    name: str
    sold: int
    arrived: int
    took_ms: Quantiles
    calls: dict[str, int]
    load_average: float

    @property
    def above_ms(self) -> float:
        return round(self.took_ms.p95 - NEEDED_MS, 1)


def run_propagation_bench(options: PropagationOptions, tell: Callable[[str], None]) -> Report:
    """Measure every phase, as often as wished."""
    found: dict[str, list[Phase]] = {}
    with tempfile.TemporaryDirectory(prefix="storebridge-bench-") as name:
        machine = describe_machine(Path(name))
        for number in range(options.rounds):
            for phase in _measure(Path(name) / str(number), options, number):
                tell(f"round {number + 1}, {phase.name}: p95 {phase.took_ms.p95} ms of {phase.arrived}")
                found.setdefault(phase.name, []).append(phase)
    machine["load_average_after"] = load_average()
    figures = {name: _figures_of(phases) for name, phases in found.items()}
    for quantile in ("p50", "p95"):
        figures["with_budgets"][f"queueing_{quantile}_ms"] = round(
            figures["with_budgets"][quantile] - figures["same_rate_without"][quantile], 1
        )
    return Report("propagation", now_stamp(), machine, METHOD, figures, tuple(_say(figures)))


def _measure(folder: Path, options: PropagationOptions, number: int) -> list[Phase]:
    free, limited = folder / "free", folder / "limited"
    free.mkdir(parents=True)
    limited.mkdir()
    return [
        *asyncio.run(_without_budgets(free, options, number)),
        *asyncio.run(_with_budgets(limited, options, number)),
    ]


async def _without_budgets(folder: Path, options: PropagationOptions, number: int) -> list[Phase]:
    chance = random.Random(f"bench-propagation-{number}")
    async with open_stand(folder, StandOptions(options.products, budgets=False), _as_it_is) as stand:
        trial = await _Trial.prepare(stand, chance)
        return [
            await trial.play("idle", [IDLE_PAUSE_SECONDS] * options.idle_sales),
            await trial.play("busy", _moments(chance, BUSY_A_MINUTE, options.seconds)),
            await trial.play("same_rate_without", _moments(chance, ALLOWED_A_MINUTE, options.seconds)),
        ]


async def _with_budgets(folder: Path, options: PropagationOptions, number: int) -> list[Phase]:
    chance = random.Random(f"bench-budgets-{number}")
    async with open_stand(folder, StandOptions(options.products, budgets=True), _as_it_is) as stand:
        trial = await _Trial.prepare(stand, chance)
        return [await trial.play("with_budgets", _moments(chance, ALLOWED_A_MINUTE, options.seconds))]


def _as_it_is(inner: Transport, _shopify: str, _wix: str) -> Transport:
    return inner


def _moments(chance: random.Random, a_minute: float, seconds: float) -> list[float]:
    """The pauses before so many sales at random moments."""
    return [chance.expovariate(a_minute / 60.0) for _ in range(max(1, int(a_minute * seconds / 60.0)))]


class _Trial:
    """Shoppers on a stand whose stores take their time to answer."""

    def __init__(self, stand: Stand, chance: random.Random, skus: list[str]) -> None:
        self._stand = stand
        self._skus = skus
        self._at = 0
        chance.shuffle(self._skus)

    @classmethod
    async def prepare(cls, stand: Stand, chance: random.Random) -> _Trial:
        for client in stand.clients:
            await client.set_faults({"latency_ms": [ANSWER_MS, ANSWER_MS]})
        pools = pools_of(Records(stand.openings, SYSTEM_OF_RECORD))
        return cls(stand, chance, [pool.sku for pool in pools if min(pool.opening.values()) >= ENOUGH_TO_SELL])

    async def play(self, name: str, pauses: Sequence[float]) -> Phase:
        """A sale after each pause, then quiet, then what the stores' records say."""
        average = load_average()
        seen = {client.name: await self._calls(client) for client in self._stand.clients}
        began = self._stand.bridge.environment.clock.now()
        due = time.perf_counter()
        for pause in pauses:
            due += pause
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await self._sell()
        await self._stand.wait_for_quiet(QUIET_SECONDS)
        truths = {client.name: await client.truth() for client in self._stand.clients}
        pools = pools_of(Records(truths, SYSTEM_OF_RECORD))
        delays = [delay for pool in pools for delay in delays_of(pool, "mirror", 0, began)]
        calls = {client.name: await self._calls(client) - seen[client.name] for client in self._stand.clients}
        took = quantiles_of([delay / timedelta(seconds=1) for delay in delays])
        return Phase(name, len(pauses), len(delays), took, calls, average)

    async def _sell(self) -> None:
        """The next SKU in the next store: none comes round again before all were sold once."""
        sku = self._skus[self._at % len(self._skus)]
        client = self._stand.clients[self._at % len(self._stand.clients)]
        self._at += 1
        await client.checkout([CartLine(sku, 1)], CUSTOMER, paid=True)

    async def _calls(self, client: StoreClient) -> int:
        return len(await client.requests())


def _figures_of(phases: list[Phase]) -> dict[str, Any]:
    return {
        "sold": sum(phase.sold for phase in phases),
        "arrived": sum(phase.arrived for phase in phases),
        "p50": median_of([phase.took_ms.p50 for phase in phases]),
        "p95": median_of([phase.took_ms.p95 for phase in phases]),
        "p95_above_round_trips_ms": median_of([phase.above_ms for phase in phases]),
        "p95_rounds": [phase.took_ms.p95 for phase in phases],
        "calls": [phase.calls for phase in phases],
        "load_average": [phase.load_average for phase in phases],
    }


def _say(figures: dict[str, Any]) -> list[str]:
    lines = [
        f"{name}: p50 {one['p50']} ms, p95 {one['p95']} ms, {one['p95_above_round_trips_ms']} ms above the "
        f"{NEEDED_MS} ms of round trips{aim}; {one['arrived']} effects of {one['sold']} sales, calls {one['calls']}"
        for name, aim, one in (
            ("idle", f" (aim {TARGET_ABOVE_MS:.0f})", figures["idle"]),
            (f"{BUSY_A_MINUTE:.0f} orders a minute", f" (aim {TARGET_ABOVE_MS:.0f})", figures["busy"]),
            (f"{ALLOWED_A_MINUTE:.0f} orders a minute", "", figures["same_rate_without"]),
        )
    ]
    limited = figures["with_budgets"]
    return [
        *lines,
        f"{ALLOWED_A_MINUTE:.0f} orders a minute within the vendors' budgets: p50 {limited['p50']} ms, "
        f"p95 {limited['p95']} ms (aim {TARGET_WITH_BUDGETS_MS:.0f}), "
        f"of it queueing p50 {limited['queueing_p50_ms']} ms, p95 {limited['queueing_p95_ms']} ms; "
        f"{limited['arrived']} effects of {limited['sold']} sales, calls {limited['calls']}",
    ]
