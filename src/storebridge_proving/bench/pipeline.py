"""``storebridge bench pipeline``: signals a second through all stages, each ending in one confirmed write."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from storebridge.connectors.http import Transport
from storebridge.model.ids import ConnectionName
from storebridge.pipeline.ingest.accept import Acceptance
from storebridge_proving.bench.canned_stores import CannedStores
from storebridge_proving.bench.report import Report, describe_machine, load_average, median_of, now_stamp
from storebridge_proving.bench.rivals import RivalResult, RivalsUnavailable, open_rivals
from storebridge_proving.bench.shopify_payloads import level_update, sign_body
from storebridge_proving.bench.stand import WORKSPACE, Stand, StandOptions, open_stand

METHOD = (
    "Two stores with the same goods, baseline done, policy mirror, SQLite with write-ahead log and synchronous "
    "FULL, one process. Then one unit of each of so many SKUs is sold in Shopify, and Shopify's delivery about "
    "it is handed to the intake (verified, stored), so many callers at a time, without HTTP.",
    "Each signal is read back from Shopify in batches, planned, written to Wix and confirmed. Reads and writes "
    "of levels are answered from memory at no delay, in the shape of the real answers; the answers' own "
    "processor time is in the figure and given beside it. Neither vendor's budget holds anything up.",
    "Seconds run from the first delivery until no signal, write or call is open (looked at every 20 ms). Echoes "
    "of the own writes do not come back. Audit rows are written with every step and sealed meanwhile.",
    "Beside it, in turns: PgQueuer (four entry points, each handing on to the next) and DBOS (a workflow of "
    "four steps), stages empty, a quarter of the items, on PostgreSQL as it is configured, "
    "installed into a temporary environment.",
)
TARGET_PER_SECOND = 1500
SHOPIFY = ConnectionName("shopify")
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 600.0
RIVAL_SHARE = 4
"""They get a quarter of the items: their rate does not depend on how many there are, and a run stays short."""
VARIANTS_PER_PRODUCT = 3


class PipelineOptions(msgspec.Struct, frozen=True):
    """``signals`` for each round; ``rivals`` False leaves the others out."""

    signals: int = 4000
    rounds: int = 3
    callers: int = 256
    rivals: bool = True


class Run(msgspec.Struct, frozen=True):
    """One round, counted in the bridge's own tables afterwards."""

    signals: int
    seconds: float
    confirmed: int
    applied: int
    rows_written: int
    calls: int
    audit_rows: int
    audit_unsealed: int
    canned_seconds: float
    processor_seconds: float
    load_average: float

    @property
    def per_second(self) -> float:
        return round(self.confirmed / self.seconds, 1)


def run_pipeline_bench(options: PipelineOptions, tell: Callable[[str], None]) -> Report:
    """Measure, in turns with the others where they can be had."""
    with tempfile.TemporaryDirectory(prefix="storebridge-bench-") as name:
        folder = Path(name)
        machine = describe_machine(folder)
        runs, others = _take_turns(folder, options, tell)
    machine["load_average_after"] = load_average()
    figures = {
        "per_second": median_of([run.per_second for run in runs]),
        "rounds": [{"per_second": run.per_second, **msgspec.to_builtins(run)} for run in runs],
        "others": others,
    }
    return Report("pipeline", now_stamp(), machine, METHOD, figures, tuple(_say(figures)))


def _take_turns(
    folder: Path, options: PipelineOptions, tell: Callable[[str], None]
) -> tuple[list[Run], dict[str, Any]]:
    runs: list[Run] = []
    results: dict[str, list[RivalResult]] = {}
    try:
        with open_rivals(folder, wanted=options.rivals) as rivals:
            for number in range(options.rounds):
                runs.append(_measure(folder, options, number, tell))
                for name in rivals.names:
                    result = rivals.run(name, max(1, options.signals // RIVAL_SHARE))
                    results.setdefault(name, []).append(result)
                    tell(f"{name}, round {number + 1}: {result.per_second:.0f}/s")
    except RivalsUnavailable as error:
        runs = runs or [_measure(folder, options, number, tell) for number in range(options.rounds)]
        return runs, {"left_out": str(error)}
    return runs, {name: _of_rival(found) for name, found in results.items()}


def _of_rival(found: list[RivalResult]) -> dict[str, Any]:
    return {
        "version": found[0].version,
        "per_second": median_of([result.per_second for result in found]),
        "rounds": [round(result.per_second, 1) for result in found],
        "done": [result.done for result in found],
    }


def _measure(folder: Path, options: PipelineOptions, number: int, tell: Callable[[str], None]) -> Run:
    place = folder / f"round-{number}"
    place.mkdir()
    run = asyncio.run(_play(place, options, number, tell))
    tell(f"pipeline, round {number + 1}: {run.per_second:.0f}/s, {run.confirmed} of {run.signals} confirmed")
    return run


async def _play(folder: Path, options: PipelineOptions, number: int, tell: Callable[[str], None]) -> Run:
    canned: list[CannedStores] = []

    def wrap(inner: Transport, _shopify: str, _wix: str) -> Transport:
        canned.append(CannedStores(inner))
        return canned[0]

    wanted = StandOptions(options.signals // VARIANTS_PER_PRODUCT + 10, budgets=False, seed=number + 1)
    async with open_stand(folder, wanted, wrap) as stand:
        average = load_average()
        run = await _sell_and_wait(stand, canned[0], options, tell)
        return _counted(folder, run, average)


async def _sell_and_wait(
    stand: Stand, canned: CannedStores, options: PipelineOptions, tell: Callable[[str], None]
) -> Run:
    goods = canned.stocked()[: options.signals]
    credentials = stand.stores.shopify.credentials()
    deliveries = list(_deliveries(canned, goods, credentials["client_secret"], credentials["shop"]))
    calls, written, spent = canned.calls, canned.rows_written, canned.seconds
    began, busy = time.perf_counter(), time.process_time()
    accepted = await _deliver(stand, deliveries, options.callers)
    await stand.wait_for_quiet(PATIENCE_SECONDS, looks=1, every_seconds=LOOK_SECONDS)
    seconds = time.perf_counter() - began
    processor = time.process_time() - busy
    await asyncio.sleep(2 * stand.bridge.environment.pace.seal_seconds)
    if accepted < len(deliveries):
        tell(f"only {accepted} of {len(deliveries)} deliveries were accepted")
    return Run(
        signals=len(deliveries),
        seconds=round(seconds, 3),
        confirmed=0,
        applied=0,
        rows_written=canned.rows_written - written,
        calls=canned.calls - calls,
        audit_rows=0,
        audit_unsealed=0,
        canned_seconds=round(canned.seconds - spent, 3),
        processor_seconds=round(processor, 3),
        load_average=0.0,
    )


def _deliveries(
    canned: CannedStores, goods: list[tuple[str, str]], secret: str, shop: str
) -> Iterator[tuple[dict[str, str], bytes]]:
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    for number, (item, location) in enumerate(goods):
        left = canned.sell_one(item, location, at)
        told = level_update(int(item.rpartition("/")[2]), int(location.rpartition("/")[2]), left)
        body = msgspec.json.encode({**told, "updated_at": at})
        headers = sign_body("inventory_levels/update", body, secret, shop)
        yield {**headers, "x-shopify-webhook-id": f"bench-{number}"}, body


async def _deliver(stand: Stand, deliveries: list[tuple[dict[str, str], bytes]], callers: int) -> int:
    waiting = iter(deliveries)
    accepted = 0

    async def call() -> None:
        nonlocal accepted
        for headers, body in waiting:
            answer = await stand.bridge.intake.accept(WORKSPACE, SHOPIFY, headers, body)
            accepted += answer is Acceptance.STORED

    await asyncio.gather(*(call() for _ in range(callers)))
    return accepted


def _counted(folder: Path, run: Run, average: float) -> Run:
    with closing(sqlite3.connect(folder / "storebridge.sqlite3")) as file:

        def count(where: str) -> int:
            return int(file.execute(f"SELECT COUNT(*) FROM {where}").fetchone()[0])

        return msgspec.structs.replace(
            run,
            confirmed=count("signals WHERE source = 'webhook' AND state = 'confirmed' AND delivery_id LIKE 'bench-%'"),
            applied=count("intents WHERE state = 'applied'"),
            audit_rows=count("audit"),
            audit_unsealed=count("audit") - count("seals"),
            load_average=average,
        )


def _say(figures: dict[str, Any]) -> list[str]:
    rounds = figures["rounds"]
    lines = [
        f"pipeline: {figures['per_second']:.0f} signals/s through all stages (aim {TARGET_PER_SECOND}); "
        f"rounds {', '.join(str(one['per_second']) for one in rounds)}"
    ]
    lines += [
        f"round {number}: {one['signals']} signals, {one['confirmed']} confirmed, {one['rows_written']} rows written "
        f"in {one['calls']} calls, {one['audit_rows']} audit rows ({one['audit_unsealed']} not sealed), "
        f"{one['processor_seconds']} s of processor ({one['canned_seconds']} s for the canned answers), "
        f"load {one['load_average']}"
        for number, one in enumerate(rounds, 1)
    ]
    others = figures["others"]
    if "left_out" in others:
        return [*lines, f"PgQueuer and DBOS: left out, {others['left_out']}"]
    return lines + [
        f"{name} {one['version']}: {one['per_second']:.0f}/s through four empty stages; "
        f"rounds {', '.join(map(str, one['rounds']))}"
        for name, one in others.items()
    ]
