"""Many seeds, and what they showed together."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

from storebridge.environment import collect_less_often
from storebridge.errors import ConfigurationError
from storebridge.model.stock import Policy
from storebridge_proving.simulate.core import RISK, WORKLOADS, run_core_seed
from storebridge_proving.simulate.figures import as_text, percentile, share
from storebridge_proving.simulate.result import SeedResult
from storebridge_proving.simulate.system import CRASH_RATES, run_orders_seed, run_system_seed

PROGRESS_SECONDS = 2.0
SLOWEST_PART = 0.02
A_PERSON = "a person"
"""How the causes of waits begin that are a person's (core/waits.py)."""
SAFE_TO_RESEND = ("keyed", "stamped", "revision")
"""Kinds of stores in the core scope whose writes have a key or a revision."""


def run_seeds(
    seeds: int,
    policy: str,
    faults: str,
    scope: str,
    *,
    first_seed: int = 1,
    workload: str = "scarce",
    risk: float = RISK,
    workers: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """The report of ``storebridge simulate --json``; ``tell`` gets progress and the replaying commands.

    ``workers``: processes to share the seeds among (default: one per processor). Raises ConfigurationError for
    a scope, a policy, a workload or a fault profile that does not exist.
    """
    _check(seeds, policy, faults, scope, workload, risk)
    numbers = range(first_seed, first_seed + seeds)
    results = []
    told_at = time.monotonic()
    for result in _played(numbers, partial(_play, scope, policy, faults, workload, risk), workers, scope):
        results.append(result)
        if result.violations or scope != "core":
            tell(_line(result))
        if result.violations:
            tell(f"  again with: {replay_command(result.seed, policy, faults, scope, workload)}")
        if scope == "core" and time.monotonic() - told_at > PROGRESS_SECONDS:
            told_at = time.monotonic()
            failing = sum(bool(result.violations) for result in results)
            tell(f"{len(results):,} of {seeds:,} seeds, {failing} failing")
    return report_of(results)


def replay_command(seed: int, policy: str, faults: str, scope: str, workload: str = "scarce") -> str:
    """The command that plays one seed again."""
    command = f"storebridge simulate --seeds 1 --first-seed {seed} --policy {policy} --scope {scope} --faults {faults}"
    return command if workload == "scarce" else f"{command} --workload {workload}"


def report_of(results: Sequence[SeedResult]) -> dict[str, Any]:
    """The figures over all seeds; ``minima`` are the smallest values that any seed met."""
    seconds = [result.converged_seconds for result in results if result.converged_seconds is not None]
    guarded = [result for result in results if result.store_kinds and "blind" not in result.store_kinds]
    without_blind = [result.converged_seconds for result in guarded if result.converged_seconds is not None]
    of_the_bridge = [one for one in map(_seconds_of_the_bridge, guarded) if one is not None]
    ambiguous, held = _by_kind(results, "ambiguous_by_kind"), _by_kind(results, "held_by_kind")
    total = {
        name: sum(getattr(result, name) for result in results)
        for name in (
            "converged",
            "units_sold",
            "units_oversold",
            "false_stockouts",
            "refused_held",
            "units_past",
            "ambiguous_writes",
            "held_for_review",
            "wrong_inferences",
        )
    }
    return {
        "seeds": len(results),
        "violations": sum(len(result.violations) for result in results),
        **total,
        "failing_seeds": [result.seed for result in results if result.violations],
        "sales": sum(result.sales for result in results),
        "ambiguous_by_kind": ambiguous,
        "held_by_kind": held,
        "converge_seconds": {
            "p50": percentile(seconds, 0.5),
            "p99": percentile(seconds, 0.99),
            "p99_without_blind": percentile(without_blind, 0.99),
            "p99_of_the_bridge": percentile(of_the_bridge, 0.99),
        },
        "slowest": slowest(results),
        "shares": {
            "oversold": share(total["units_oversold"], total["units_sold"]),
            "false_stockouts": share(
                total["false_stockouts"], total["false_stockouts"] + sum(result.sales for result in results)
            ),
            "held": {kind: share(held.get(kind, 0), count) for kind, count in ambiguous.items()},
            "held_safe_to_resend": share(
                *(sum(counts.get(kind, 0) for kind in SAFE_TO_RESEND) for counts in (held, ambiguous))
            ),
            "seeds_failing": share(sum(bool(result.violations) for result in results), len(results)),
        },
        "virtual_hours": round(sum(result.virtual_hours for result in results), 1),
        "switches_played": len({one for result in results for one in result.switches}),
        "minima": {
            "skus": min((result.skus for result in results), default=0),
            "store_events": min((result.store_events for result in results), default=0),
            "virtual_hours": min((result.virtual_hours for result in results), default=0.0),
            "fault_kinds": min((len(result.fault_kinds) for result in results), default=0),
        },
    }


def for_people(report: dict[str, Any]) -> list[str]:
    """The report in lines, with n and bounds."""
    sales, false = report["sales"], report["false_stockouts"]
    lines = [
        f"seeds: {report['seeds']:,} ({report['virtual_hours']:,} virtual hours), converged: {report['converged']:,}, "
        f"violations: {report['violations']}",
        as_text("seeds with a violation", len(report["failing_seeds"]), report["seeds"]),
        as_text("units oversold", report["units_oversold"], report["units_sold"], per=10_000),
        f"wrong inferences: {report['wrong_inferences']} of {report['ambiguous_writes']:,} ambiguous writes",
    ]
    if sales:
        lines.insert(3, as_text("sales refused although the pool had the units", false, false + sales))
    if report["refused_held"] or report["units_past"]:
        held, past = report["refused_held"], report["units_past"]
        lines.insert(4, as_text("sales refused because live checkouts held the units", held, held + false + sales))
        lines.insert(5, f"units that went past the guard: {past:,} of {report['units_sold']:,} sold")
    lines += [
        as_text(f"asked a person ({kind} stores)", report["held_by_kind"].get(kind, 0), count)
        for kind, count in report["ambiguous_by_kind"].items()
    ]
    safe = report["shares"]["held_safe_to_resend"]
    if safe["n"]:
        lines.append(as_text("asked a person (stores with a key or a revision)", safe["count"], safe["n"]))
    if report["converge_seconds"]["p99"] is not None:
        seconds = report["converge_seconds"]
        lines.append(f"seconds until all agreed after the faults: p50 {seconds['p50']:.0f}, p99 {seconds['p99']:.0f}")
        if seconds["p99_without_blind"] is not None:
            lines[-1] += (
                f"; without blind stores p99 {seconds['p99_without_blind']:.0f}, and "
                f"{seconds['p99_of_the_bridge']:.0f} without the waits for a person"
            )
    return lines + _slowest_for_people(report)


def _seconds_of_the_bridge(result: SeedResult) -> float | None:
    """What a seed took without the time in which nothing but a person was missing."""
    if result.converged_seconds is None:
        return None
    return result.converged_seconds - sum(seconds for cause, seconds in result.waits if cause.startswith(A_PERSON))


def slowest(results: Sequence[SeedResult]) -> dict[str, Any]:
    """The slowest 2 % of the seeds that said what they waited for, and the seconds of each wait."""
    slow = sorted((one for one in results if one.waits), key=lambda one: one.converged_seconds or 1e9, reverse=True)
    slow = slow[: math.ceil(SLOWEST_PART * len(results))]
    waits: Counter[str] = Counter()
    for one in slow:
        for cause, seconds in one.waits:
            waits[cause] += round(seconds)
    return {"seeds": len(slow), "waits": dict(waits.most_common())}


def _slowest_for_people(report: dict[str, Any]) -> list[str]:
    found = report["slowest"]
    total = sum(found["waits"].values())
    if not total:
        return []
    lines = [f"what the slowest {found['seeds']:,} seeds waited for:"]
    return lines + [f"  {100 * seconds / total:.0f} %  {cause}" for cause, seconds in found["waits"].items()]


def _by_kind(results: Sequence[SeedResult], field: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(dict(getattr(result, field)))
    return dict(sorted(counts.items()))


def _check(seeds: int, policy: str, faults: str, scope: str, workload: str, risk: float) -> None:
    if seeds < 1:
        raise ConfigurationError(f"{seeds} seeds are none: give 1 or more.")
    if scope not in ("core", "system", "orders"):
        raise ConfigurationError(f"{scope!r} is no scope: core, system or orders.")
    if faults not in CRASH_RATES:
        raise ConfigurationError(f"{faults!r} is no fault profile: none, some or storm.")
    if policy not in tuple(Policy):
        raise ConfigurationError(f"{policy!r} is no policy: {', '.join(Policy)}.")
    if workload not in WORKLOADS:
        raise ConfigurationError(f"{workload!r} is no workload: {' or '.join(WORKLOADS)}.")
    if workload == "bundles" and policy not in ("mirror", "escrow"):
        raise ConfigurationError("bundles are under mirror or escrow: hybrid and guarded become escrow there.")
    if not 0 < risk < 1:
        raise ConfigurationError("--risk takes a chance above 0 and below 1.")


def _play(scope: str, policy: str, faults: str, workload: str, risk: float, seed: int) -> SeedResult:
    if scope == "core":
        return run_core_seed(seed, policy, faults, workload, risk)
    return (run_orders_seed if scope == "orders" else run_system_seed)(seed, policy, faults)


def _played(
    numbers: Sequence[int], play: Callable[[int], SeedResult], workers: int | None, scope: str
) -> Iterator[SeedResult]:
    count = min(len(numbers), workers or os.cpu_count() or 1)
    if count == 1:
        yield from map(play, numbers)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=collect_less_often) as pool:
        yield from pool.map(play, numbers, chunksize=20 if scope == "core" else 1)


def _line(result: SeedResult) -> str:
    if not result.violations:
        return (
            f"seed {result.seed}: converged, {result.units_sold} sold, {result.store_events} store events, "
            f"digest {result.digest[:16]}"
        )
    played = f"; played {', '.join(result.switches)}" if result.switches else ""
    return f"seed {result.seed}: " + "; ".join(result.violations[:6]) + f" (digest {result.digest[:16]}{played})"
