"""Many seeds, and what they showed together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

from storebridge.errors import ConfigurationError
from storebridge_proving.simulate.core import run_core_seed
from storebridge_proving.simulate.system import CRASH_RATES, SeedResult, run_system_seed

RUNNERS: dict[str, Callable[[int, str, str], SeedResult]] = {
    "core": run_core_seed,
    "system": run_system_seed,
}


def run_seeds(
    seeds: int,
    policy: str,
    faults: str,
    scope: str,
    *,
    first_seed: int = 1,
    workers: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """The report of ``storebridge simulate --json``; ``tell`` gets a line per seed and the replaying commands.

    ``workers``: processes to share the seeds among (default: one per processor). Raises ConfigurationError for
    a scope, a policy or a fault profile that does not exist.
    """
    _check(seeds, policy, faults, scope)
    numbers = range(first_seed, first_seed + seeds)
    results = []
    for result in _played(numbers, partial(_play, scope, policy, faults), workers):
        results.append(result)
        tell(_line(result))
        if result.violations:
            tell(f"  again with: {replay_command(result.seed, policy, faults, scope)}")
    return report_of(results)


def replay_command(seed: int, policy: str, faults: str, scope: str) -> str:
    """The command that plays one seed again."""
    return f"storebridge simulate --seeds 1 --first-seed {seed} --policy {policy} --scope {scope} --faults {faults}"


def report_of(results: Sequence[SeedResult]) -> dict[str, Any]:
    """The figures over all seeds; ``minima`` are the smallest values that any seed met."""
    return {
        "seeds": len(results),
        "violations": sum(len(result.violations) for result in results),
        "converged": sum(result.converged for result in results),
        "units_sold": sum(result.units_sold for result in results),
        "units_oversold": sum(result.units_oversold for result in results),
        "false_stockouts": sum(result.false_stockouts for result in results),
        "ambiguous_writes": sum(result.ambiguous_writes for result in results),
        "held_for_review": sum(result.held_for_review for result in results),
        "wrong_inferences": sum(result.wrong_inferences for result in results),
        "failing_seeds": [result.seed for result in results if result.violations],
        "minima": {
            "skus": min((result.skus for result in results), default=0),
            "store_events": min((result.store_events for result in results), default=0),
            "virtual_hours": min((result.virtual_hours for result in results), default=0.0),
            "fault_kinds": min((len(result.fault_kinds) for result in results), default=0),
        },
    }


def _check(seeds: int, policy: str, faults: str, scope: str) -> None:
    if seeds < 1:
        raise ConfigurationError(f"{seeds} seeds are none: give 1 or more.")
    if scope not in RUNNERS:
        raise ConfigurationError(f"{scope!r} is no scope: core or system.")
    if faults not in CRASH_RATES:
        raise ConfigurationError(f"{faults!r} is no fault profile: none, some or storm.")
    if policy not in ("mirror", "escrow"):
        raise ConfigurationError(f"The policy {policy!r} is not built in this release: mirror or escrow.")


def _play(scope: str, policy: str, faults: str, seed: int) -> SeedResult:
    return RUNNERS[scope](seed, policy, faults)


def _played(numbers: Sequence[int], play: Callable[[int], SeedResult], workers: int | None) -> Iterator[SeedResult]:
    count = min(len(numbers), workers or os.cpu_count() or 1)
    if count == 1:
        yield from map(play, numbers)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield from pool.map(play, numbers)


def _line(result: SeedResult) -> str:
    if not result.violations:
        return (
            f"seed {result.seed}: converged, {result.units_sold} sold, {result.store_events} store events, "
            f"digest {result.digest[:16]}"
        )
    return f"seed {result.seed}: " + "; ".join(result.violations[:6]) + f" (digest {result.digest[:16]})"
