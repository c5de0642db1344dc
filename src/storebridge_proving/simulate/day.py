"""How long people act in a seed: two hours in bursts, and longer where the shelves were so empty that little happened.

A seed in which nothing happens proves nothing, so ``shortfalls`` counts as a violation what it was short of.
"""

from __future__ import annotations

import random
from typing import Protocol

from storebridge.clock import Clock
from storebridge_proving.simulate.result import SeedResult

PLAY_SECONDS = 7_260.0
ACTS_PLANNED = 380
BURST = (1, 7)
WITHIN_BURST_SECONDS = 2.0
OVERTIME_SECONDS = PLAY_SECONDS

LEAST_EVENTS = 150
LEAST_SKUS = 8
LEAST_HOURS = 2.0
EVERY_STORM = (
    "crash",
    "http_429",
    "http_5xx",
    "partitioned",
    "timeout_applied",
    "timeout_not_applied",
    "webhook_delay",
    "webhook_duplicate",
    "webhook_loss",
    "webhook_reorder",
)
"""Kinds of fault of which each strikes in every seed under ``storm``: one that stopped working is missed at once.
Processes die at several points; one of them is enough."""


class Actors(Protocol):
    """Whoever acts in the stores."""

    @property
    def happened(self) -> int:
        """Deeds so far that changed something in a store."""
        ...

    async def act(self) -> None: ...


async def act_for_a_day(actors: Actors, clock: Clock, chance: random.Random) -> None:
    """Bursts of deeds until the day is over, and on until enough has happened, for as long again at most."""
    ends = clock.monotonic() + PLAY_SECONDS
    pause = PLAY_SECONDS / ACTS_PLANNED * sum(BURST) / 2 * 0.8
    while _seconds_left(actors, clock.monotonic(), ends) > 0:
        for _ in range(chance.randint(*BURST)):
            await actors.act()
            await clock.sleep(chance.uniform(0.0, WITHIN_BURST_SECONDS))
        left = _seconds_left(actors, clock.monotonic(), ends)
        await clock.sleep(min(left, chance.expovariate(1 / pause)))


def _seconds_left(actors: Actors, now: float, ends: float) -> float:
    if now >= ends and actors.happened < LEAST_EVENTS:
        ends += OVERTIME_SECONDS
    return max(0.0, ends - now)


def shortfalls(result: SeedResult, faults: str) -> list[str]:
    """What was less than a seed has to show, in words."""
    wanted: list[tuple[float, float, str]] = [
        (result.store_events, LEAST_EVENTS, "store events"),
        (result.skus, LEAST_SKUS, "SKUs"),
        (result.virtual_hours, LEAST_HOURS, "virtual hours"),
    ]
    quiet = [kind for kind in EVERY_STORM if not any(struck.startswith(kind) for struck in result.fault_kinds)]
    found_quiet = [f"no {kind} struck in it, and a storm has some" for kind in quiet] if faults == "storm" else []
    return found_quiet + [
        f"it had {found:g} {what}, and proves little with fewer than {least:g}"
        for found, least, what in wanted
        if found < least
    ]
