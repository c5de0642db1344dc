"""``storebridge bench orders``: how many orders are copied in a second, and what they cost of both vendors' budgets."""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from storebridge.connectors.http import Transport
from storebridge.store.database import Tx
from storebridge_proving.bench.canned_orders import CannedOrders
from storebridge_proving.bench.order_load import OrderLoad
from storebridge_proving.bench.report import Report, describe_machine, load_average, median_of, now_stamp
from storebridge_proving.bench.stand import WORKSPACE, Stand, StandOptions, open_stand
from storebridge_proving.checker.records import Records, pools_of
from storebridge_proving.store_client import CartLine

SOLD_IN, COPIED_TO = "wix", "shopify"
CUSTOMER = {"first_name": "Ada", "last_name": "Shopper", "email": "ada@shop.example"}
LOOK_SECONDS = 0.05
MODELS = 20
"""Orders of the pretend stores that the canned ones are like."""
PATIENCE_SECONDS = 600.0
POINTS_A_MINUTE = 100.0 * 60.0
"""What Shopify's bucket gives back in a minute."""
AIM_A_SECOND, AIM_OF_LEAST = 150.0, 0.85
READS = {"shopify": "salesById", "wix": "searchOrders"}
WRITES = {"shopify": "orderCreate", "wix": "importOrder"}
METHOD = (
    "instant: a few orders are sold, copied and read in the pretend stores first; then both stores answer all "
    "questions about orders and all copies from memory, at no delay, in the shape in which they answered before. Two "
    "signed "
    "deliveries for each order are handed to the intake by 64 callers, and one for each copy as soon as it was made. "
    "From the first delivery until a later read has confirmed the last copy. What the canned answers took of the "
    "processor is told. Stock rests: nothing is sold there.",
    "Both pretend stores and the bridge (SQLite, synchronous FULL, policy mirror, orders of Wix copied to Shopify) "
    "share one process; every call and every webhook goes over loopback HTTP. The stores answer at once: what they "
    "need for their own work is part of the figure.",
    "Orders of one unit are placed in Wix as fast as it takes them. From the first checkout until a later read has "
    "confirmed the last copy. Orders that arrive within five seconds, or fill a read sooner, are read together.",
    "unlimited: neither the stores nor the bridge limit calls. with_budgets: both vendors' own limits (Shopify 2,000 "
    "points and 100 a second, Wix 200 calls a minute), and stock is kept in step out of the same budgets.",
    "least: one write for each copy and one read for as many orders as one read takes, in either store. of_least is "
    "that many calls over the calls that were made to read orders and to write copies.",
)


class OrdersOptions(msgspec.Struct, frozen=True):
    """Orders with instant stores, without limits, and with them."""

    instant: int = 2000
    unlimited: int = 400
    limited: int = 60
    rounds: int = 1
    products: int = 60

    @property
    def phases(self) -> tuple[tuple[str, int, bool], ...]:
        """Name, orders, and whether the vendors' budgets hold."""
        return (
            ("instant", self.instant, False),
            ("unlimited", self.unlimited, False),
            ("with_budgets", self.limited, True),
        )


class Copied(msgspec.Struct, frozen=True):
    """What one phase showed; ``calls`` by store and operation, ``points`` are Shopify's for orders."""

    name: str
    orders: int
    seconds: float
    calls: dict[str, dict[str, int]]
    points: float
    least: int
    load_average: float
    processor_seconds: float = 0.0
    canned_seconds: float = 0.0

    @property
    def made(self) -> int:
        """Calls that read orders or wrote copies."""
        return sum(self.calls.get(store, {}).get(name, 0) for store, name in (*READS.items(), *WRITES.items()))


def run_orders_bench(options: OrdersOptions, tell: Callable[[str], None]) -> Report:
    """Measure both phases, as often as wished."""
    found: dict[str, list[Copied]] = {}
    with tempfile.TemporaryDirectory(prefix="storebridge-bench-") as name:
        machine = describe_machine(Path(name))
        for number in range(options.rounds):
            for phase, count, budgets in options.phases:
                folder = Path(name) / f"{number}-{phase}"
                folder.mkdir()
                measuring = (
                    measure_instant(folder, phase, count, options.products)
                    if phase == "instant"
                    else _measure(folder, phase, count, options.products, budgets=budgets)
                )
                one = asyncio.run(measuring)
                tell(f"round {number + 1}, {phase}: {one.orders} orders copied in {one.seconds:.1f} s")
                found.setdefault(phase, []).append(one)
    machine["load_average_after"] = load_average()
    figures = {phase: _figures_of(several) for phase, several in found.items()}
    return Report("orders", now_stamp(), machine, METHOD, figures, tuple(_say(figures)))


async def _measure(folder: Path, name: str, count: int, products: int, *, budgets: bool) -> Copied:
    average = load_average()
    options = StandOptions(products, budgets=budgets, copy_to=COPIED_TO)
    async with open_stand(folder, options, _as_it_is) as stand:
        seen = {client.name: len(await client.requests()) for client in stand.clients}
        began = time.perf_counter()
        await _sell(stand, count)
        await _wait_for_copies(stand, count)
        seconds = time.perf_counter() - began
        made = {client.name: (await client.requests())[seen[client.name] :] for client in stand.clients}
        takes = {c.name: c.capabilities.sales_per_read for c in _connectors(stand)}
    calls = {store: dict(Counter(str(one["operation"]) for one in several)) for store, several in made.items()}
    spent = (one["cost"] or 0 for one in made[COPIED_TO] if one["operation"] in (READS[COPIED_TO], WRITES[COPIED_TO]))
    least = count + sum(math.ceil(count / several) for several in takes.values())
    return Copied(name, count, seconds, calls, float(sum(spent)), least, average)


async def measure_instant(folder: Path, name: str, count: int, products: int) -> Copied:
    """Both stores answer from memory; what is measured is the bridge."""
    average = load_average()
    canned: list[CannedOrders] = []

    def wrap(inner: Transport, _shopify: str, _wix: str) -> Transport:
        canned.append(CannedOrders(inner))
        return canned[0]

    async with open_stand(folder, StandOptions(products, budgets=False, copy_to=COPIED_TO), wrap) as stand:
        await _sell(stand, MODELS)
        await _wait_for_copies(stand, MODELS)
        await stand.wait_for_quiet(PATIENCE_SECONDS)
        load = OrderLoad(stand, canned[0], WORKSPACE)
        load.prepare(count)
        spent = canned[0].seconds
        began, busy = time.perf_counter(), time.process_time()
        await load.deliver()
        await _wait_until_made(stand, canned[0], count)
        await _wait_for_copies(stand, MODELS + count)
        seconds, processor = time.perf_counter() - began, time.process_time() - busy
        await load.settle()
        takes = {c.name: c.capabilities.sales_per_read for c in _connectors(stand)}
    least = count + sum(math.ceil(count / several) for several in takes.values())
    made = {COPIED_TO: {WRITES[COPIED_TO]: canned[0].copies}}
    shares = (round(processor, 3), round(canned[0].seconds - spent, 3))
    return Copied(name, count, seconds, made, 0.0, least, average, *shares)


def _as_it_is(inner: Transport, _shopify: str, _wix: str) -> Transport:
    return inner


def _connectors(stand: Stand) -> list[Any]:
    return [connector for bench in stand.bridge.workspaces.values() for connector in bench.connectors.values()]


async def _sell(stand: Stand, count: int) -> None:
    """One unit each, of the SKUs that have enough in turn."""
    (shop,) = [client for client in stand.clients if client.name == SOLD_IN]
    left = {pool.sku: min(pool.opening.values()) for pool in pools_of(Records(stand.openings, COPIED_TO))}
    for _ in range(count):
        sku = max(left, key=lambda one: left[one])
        left[sku] -= 1
        await shop.checkout([CartLine(sku, 1)], CUSTOMER, paid=True)


async def _wait_until_made(stand: Stand, canned: CannedOrders, count: int) -> None:
    """So long nothing is asked of the database: counting there is no work of the bridge."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while canned.copies < count:
            _demand_health(stand)
            await asyncio.sleep(LOOK_SECONDS)


def _demand_health(stand: Stand) -> None:
    error = stand.bridge.failed()
    if error is not None:
        raise error


async def _wait_for_copies(stand: Stand, count: int) -> None:
    """Raises TimeoutError, or what ended a loop of the bridge."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await stand.bridge.store.read(_confirmed) < count:
            _demand_health(stand)
            await asyncio.sleep(LOOK_SECONDS)


def _confirmed(tx: Tx) -> int:
    question = "SELECT COUNT(*) FROM order_writes WHERE kind = 'create_copy' AND state = 'confirmed'"
    return int(tx.conn.exec_driver_sql(question).scalar_one())


def _figures_of(phases: list[Copied]) -> dict[str, Any]:
    return {
        "orders": sum(phase.orders for phase in phases),
        "a_second": median_of([round(phase.orders / phase.seconds, 2) for phase in phases]),
        "a_minute": median_of([round(60.0 * phase.orders / phase.seconds, 1) for phase in phases]),
        "points_an_order": median_of([round(phase.points / phase.orders, 1) for phase in phases]),
        "calls_least": sum(phase.least for phase in phases),
        "calls_made": sum(phase.made for phase in phases),
        "of_least": round(sum(phase.least for phase in phases) / max(1, sum(phase.made for phase in phases)), 3),
        "seconds": [round(phase.seconds, 2) for phase in phases],
        "calls": [phase.calls for phase in phases],
        "load_average": [phase.load_average for phase in phases],
        "processor_seconds": [phase.processor_seconds for phase in phases],
        "canned_seconds": [phase.canned_seconds for phase in phases],
    }


def _say(figures: dict[str, Any]) -> list[str]:
    instant, free, limited = figures["instant"], figures["unlimited"], figures["with_budgets"]
    most = round(POINTS_A_MINUTE / limited["points_an_order"], 1) if limited["points_an_order"] else 0.0
    return [
        f"instant stores: {instant['a_second']} orders a second from the delivery to the confirmed copy (aim "
        f"{AIM_A_SECOND:.0f}); of {instant['processor_seconds'][-1]} s of processor {instant['canned_seconds'][-1]} s "
        f"went into the canned answers",
        f"without limits: {free['a_second']} orders a second from the checkout to the confirmed copy, with the work of "
        f"the pretend stores; {free['calls_made']} calls for orders, {free['calls_least']} are the least",
        f"within the vendors' budgets: {limited['a_minute']} orders a minute; {limited['points_an_order']} points of "
        f"Shopify's an order, so that its bucket alone would allow {most} a minute; {limited['calls_made']} calls for "
        f"orders, {limited['calls_least']} are the least: {limited['of_least']:.0%} (aim {AIM_OF_LEAST:.0%})",
    ]
