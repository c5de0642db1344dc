"""``demo``, ``simulate`` and ``bench``: the product shows, proves and measures what it does."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from storebridge.cli.options import refuse_policy
from storebridge.cli.output import give, tell
from storebridge.cli.sandbox import read_catalogue_file
from storebridge.environment import collect_less_often
from storebridge.errors import ConfigurationError, StoreUnavailableError
from storebridge_proving.bench.run import NAMES, run_bench
from storebridge_proving.demo import DemoOptions, run_demo
from storebridge_proving.simulate.explore import MOST_EVENTS, explore_all
from storebridge_proving.simulate.mutants import MUTANT_SEEDS, hunt_all
from storebridge_proving.simulate.picture import PICTURE_SEEDS, draw, measure
from storebridge_proving.simulate.seeds import for_people, run_seeds
from storebridge_sandbox.catalogue import CatalogueUnreadable

Json = Annotated[bool, Parameter(help="One JSON object on the last line of stdout.", negative="")]
Policy = Annotated[str, Parameter(help="mirror, escrow, hybrid or guarded.")]
Faults = Literal["none", "some", "storm"]


def demo(
    *,
    for_: Annotated[float, Parameter(name="--for", help="Seconds for which shoppers and staff act.")] = 30.0,
    policy: Policy = "mirror",
    seed: Annotated[int, Parameter(help="Same seed, same shoppers.")] = 1,
    faults: Annotated[Faults, Parameter(help="What goes wrong in the stores.")] = "none",
    catalogue: Annotated[Path | None, Parameter(help="A Shopify product export instead of the made-up one.")] = None,
    store: Annotated[str | None, Parameter(help="A database instead of a temporary SQLite file.")] = None,
    port: Annotated[int, Parameter(help="The console's port; 0 takes a free one.")] = 0,
    json: Json = False,
) -> int:
    """Two pretend stores, shoppers, staff, and the bridge between them, live; then the report."""
    refuse_policy(policy)
    collect_less_often()
    if for_ <= 0:
        raise ConfigurationError("--for takes a number of seconds above 0.")
    content = None if catalogue is None else read_catalogue_file(catalogue)
    options = DemoOptions(
        seconds=for_, policy=policy, seed=seed, faults=faults, catalogue=content, store=store, port=port
    )
    try:
        report = run_demo(options)
    except CatalogueUnreadable as error:
        raise ConfigurationError(f"--catalogue {catalogue}: {error}.") from error
    except TimeoutError as error:
        raise StoreUnavailableError(f"The demo gave up: {str(error) or 'this machine is too slow for it'}.") from error
    except OSError as error:
        raise ConfigurationError(f"The demo cannot listen ({error.strerror}): give another --port.") from error
    for finding in report.findings if json else ():  # else they stand in the report
        tell(finding)
    give(report.content, [], as_json=json)
    return report.exit_status


def simulate(
    *,
    seeds: Annotated[int | None, Parameter(help="How many seeds.")] = None,
    first_seed: Annotated[int, Parameter(help="The first of them.")] = 1,
    policy: Policy = "mirror",
    scope: Annotated[
        Literal["core", "system", "orders"],
        Parameter(help="The pure planner, the whole product, or the whole product with copied orders."),
    ] = "system",
    faults: Annotated[Faults, Parameter(help="What goes wrong.")] = "some",
    workload: Annotated[
        Literal["scarce", "week", "bundles"],
        Parameter(help="Core: an hour of far too few goods, goods for a week, or that hour with bundles of two."),
    ] = "scarce",
    risk: Annotated[float, Parameter(help="Core, hybrid: the chance that a store outruns its allowance.")] = 0.001,
    exhaustive: Annotated[
        int | None, Parameter(help="Instead of seeds: every interleaving of so many events (8 takes ten minutes).")
    ] = None,
    mutants: Annotated[
        bool, Parameter(help="Instead of seeds: plant bugs, and say who catches each.", negative="")
    ] = False,
    picture: Annotated[
        Path | None, Parameter(help="Instead of seeds: play every policy and draw oversold against refused, as SVG.")
    ] = None,
    json: Json = False,
) -> int:
    """The deterministic simulation; a failing seed is printed with the command that replays it."""
    refuse_policy(policy)
    collect_less_often()
    if sum((seeds is not None, exhaustive is not None, mutants, picture is not None)) != 1:
        raise ConfigurationError("simulate takes one of --seeds N, --exhaustive EVENTS, --mutants and --picture FILE.")
    if picture is not None:
        return _draw(picture, json=json)
    if mutants:
        return _hunt(seeds_each=MUTANT_SEEDS, json=json)
    if exhaustive is not None:
        return _explore(exhaustive, json=json)
    assert seeds is not None
    report = run_seeds(seeds, policy, faults, scope, first_seed=first_seed, workload=workload, risk=risk, tell=tell)
    give(report, for_people(report), as_json=json)
    return 1 if report["violations"] or report["converged"] < report["seeds"] else 0


def _draw(file: Path, *, json: bool) -> int:
    points = measure(PICTURE_SEEDS, tell)
    try:
        file.write_text(draw(points), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--picture {file}: it cannot be written ({error.strerror}).") from error
    give({"file": str(file), "points": [asdict(point) for point in points]}, [f"{file} is drawn"], as_json=json)
    return 0


def _explore(events: int, *, json: bool) -> int:
    if not 1 <= events <= MOST_EVENTS:
        raise ConfigurationError(f"--exhaustive takes 1 to {MOST_EVENTS} events.")
    summary = explore_all(events, tell=tell)
    lines = [
        f"{summary.searches} searches of every interleaving of {events} events: {summary.states:,} states, "
        f"{summary.transitions:,} steps, {summary.seconds:.0f} s of a processor, {len(summary.violations)} violations",
        *summary.violations,
    ]
    report = {"events": events, "searches": summary.searches, "states": summary.states}
    report |= {"transitions": summary.transitions, "cpu_seconds": round(summary.seconds)}
    give({**report, "violations": list(summary.violations)}, lines, as_json=json)
    return 1 if summary.violations else 0


def _hunt(*, seeds_each: int, json: bool) -> int:
    found = hunt_all(seeds_each, tell)
    missed = [one.mutant for one in found if not one.by]
    lines = [
        f"{len(found)} planted bugs, {len(found) - len(missed)} caught",
        *(f"NOT CAUGHT: {name}" for name in missed),
    ]
    caught = [{"bug": one.mutant, "caught_by": one.by or None, "words": one.words} for one in found]
    give({"planted": len(found), "missed": missed, "bugs": caught}, lines, as_json=json)
    return 1 if missed else 0


def bench(
    name: Annotated[str, Parameter(help="intake, orders, pipeline or propagation.")],
    *,
    scale: Annotated[float, Parameter(help="Share of the usual length: 0.1 for a quick look.")] = 1.0,
    rounds: Annotated[int, Parameter(help="How often everything is repeated.")] = 3,
    json: Json = False,
) -> int:
    """Measure: figures, the machine and the method. Nothing else should run on the machine meanwhile."""
    if name not in NAMES:
        raise ConfigurationError(f"bench {name!r} is not known: give {', '.join(NAMES)}.")
    if scale <= 0 or rounds < 1:
        raise ConfigurationError("--scale takes a number above 0, --rounds at least 1.")
    collect_less_often()
    report = run_bench(name, scale=scale, rounds=rounds, tell=tell)
    give(report.content(), report.for_people(), as_json=json)
    return 0
