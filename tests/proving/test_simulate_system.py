"""The simulation's own machinery, and a few seeds of the whole product."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from storebridge.connectors.http import Request
from storebridge.operations.settle_case import Choice
from storebridge.store.database import Tx, open_store
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.bridge_records import OpenCase
from storebridge_proving.checker.records import Pool
from storebridge_proving.review_desk import decide
from storebridge_proving.shoppers import Crowd, CrowdPlan, Refusal
from storebridge_proving.simulate.aftercare import DEEDS, EVERY_SECONDS, NOTES, Aftercare
from storebridge_proving.simulate.crashes import Death, Life, MortalStore, MortalTransport
from storebridge_proving.simulate.day import EVERY_STORM
from storebridge_proving.simulate.habits import draw_express_share
from storebridge_proving.simulate.system import _refused, run_system_seed
from storebridge_proving.simulate.theatre import BUNDLE, build_theatre
from storebridge_proving.store_client import CartLine
from storebridge_proving.virtual_time import VirtualClock, run_virtually

HOUR = timedelta(hours=1)


class _Doomed(Death):
    """Dies at the n-th point that is passed."""

    def __init__(self, at: int) -> None:
        super().__init__(random.Random(0))
        self._left = at

    def strikes(self, point: str) -> bool:
        self._left -= 1
        return self._left == 0


def _mark(tx: Tx) -> int:
    tx.conn.exec_driver_sql("INSERT INTO tallies (workspace, connection, name, count) VALUES ('w', 'c', 'n', 1)")
    return 1


def _marks(tx: Tx) -> int:
    return int(tx.conn.exec_driver_sql("SELECT COUNT(*) FROM tallies").scalar_one())


@pytest.mark.parametrize(("at", "committed"), [(1, 0), (2, 1)])
def test_a_process_dies_before_or_after_its_transaction(at: int, committed: int) -> None:
    """Either way it hears nothing more; after the commit the row is there."""

    async def play(clock: VirtualClock) -> int:
        store = open_store(":memory:", clock=clock, inline=True)
        life = Life(_Doomed(at))
        working = asyncio.ensure_future(MortalStore(store, life).run(_mark))
        await life.over.wait()
        await clock.sleep(60.0)
        assert not working.done()
        life.end()
        with pytest.raises(asyncio.CancelledError):
            await working
        return await store.read(_marks)

    assert run_virtually(play) == committed


def test_whoever_still_runs_after_the_end_is_stopped_at_the_door() -> None:
    async def play(clock: VirtualClock) -> list[str]:
        calls: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            calls.append(scope["path"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        life = Life(Death(random.Random(0)))
        network = MortalTransport(AsgiTransport({"https://shop.sim": app}), life)
        assert (await network.send(Request("GET", "https://shop.sim/first", {}))).status == 200
        life.end()
        late = asyncio.ensure_future(network.send(Request("GET", "https://shop.sim/second", {})))
        with pytest.raises(asyncio.CancelledError):
            await late
        return calls

    assert run_virtually(play) == ["/first"]


def _review(reason: str, units: int) -> OpenCase:
    return OpenCase("case_1", reason, "shopify", "A", units, datetime(2026, 3, 2, 8, tzinfo=UTC))


def _entry(cause: str, delta: int, hour: int = 9, sku: str = "A") -> dict[str, Any]:
    return {"at": f"2026-03-02T{hour:02d}:00:00.000000Z", "sku": sku, "cause": cause, "delta": delta}


@pytest.mark.parametrize(
    ("review", "history", "choice"),
    [
        (_review("change_held", 3), [_entry("manual", 3)], Choice.ACCEPT),
        (_review("change_held", 3), [_entry("cancel", 3)], Choice.ACCEPT),
        (_review("change_held", 3), [_entry("api", 3)], Choice.REJECT),
        (_review("change_held", 3), [_entry("manual", 3, sku="B")], Choice.REJECT),
        (_review("write_outcome_unclear", -2), [_entry("api", -2)], Choice.APPLIED),
        (_review("write_outcome_unclear", -2), [_entry("api", -2, hour=7)], Choice.NOT_APPLIED),
        (_review("write_outcome_unclear", -2), [_entry("sale", -2)], Choice.NOT_APPLIED),
        (_review("mass_zero_held", 0), [], Choice.RELEASE),
    ],
)
def test_the_operator_decides_by_the_admins_history(
    review: OpenCase, history: list[dict[str, Any]], choice: Choice
) -> None:
    assert decide(review, history) is choice


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("policy", "seed", "faults"), [("mirror", 1, "none"), ("guarded", 1, "none"), ("hybrid", 3, "storm")]
)
def test_a_seed_converges_and_is_big_enough(policy: str, seed: int, faults: str) -> None:
    """Escrow is played below, in a storm and twice."""
    result = run_system_seed(seed, policy, faults)
    assert (result.violations, result.converged, result.wrong_inferences) == ((), True, 0)
    assert result.skus >= 8
    assert result.store_events >= 150
    assert result.virtual_hours >= 2.0


def test_what_checkouts_hold_is_no_false_stockout() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    crowd = SimpleNamespace(refusals=[Refusal("shopify", "A", 2, noon), Refusal("shopify", "A", 1, noon + HOUR)])
    pool = Pool("A", "shopify", {"shopify": 2, "wix": 2}, {"shopify": 2, "wix": 2}, 2, [])
    holds = [("A", noon - HOUR, 2), ("B", noon, 2), ("A", noon + HOUR / 2, -2)]
    assert _refused(crowd, [pool], holds) == (1, 1)  # type: ignore[arg-type]
    assert _refused(crowd, [pool], []) == (2, 0)  # type: ignore[arg-type]


def test_orders_go_past_the_guard_in_a_quarter_of_its_seeds_and_in_no_calm_one() -> None:
    shares = [draw_express_share(seed, "guarded", "storm") for seed in range(1, 101)]
    assert (shares.count(0.0) + shares.count(0.1), 15 <= shares.count(0.1) <= 35) == (100, True)
    assert draw_express_share(1, "guarded", "none") == draw_express_share(1, "escrow", "storm") == 0.0


@pytest.mark.simulation
def test_a_seed_in_a_storm_replays_byte_for_byte_in_another_process() -> None:
    """Another process has another order of sets: bells that rang in a set's order once made two histories of one
    seed."""
    first = run_system_seed(2, "escrow", "storm")
    again = f"from {run_system_seed.__module__} import *; print(run_system_seed(2, 'escrow', 'storm'))"
    environ = {**os.environ, "PYTHONHASHSEED": "1"}
    played = subprocess.run([sys.executable, "-c", again], env=environ, capture_output=True, text=True, check=True)
    assert played.stdout.strip() == str(first)
    assert set(EVERY_STORM[1:]) < set(first.fault_kinds)


OWN_BUNDLE = 28
"""A seed whose bundle Shopify makes up itself."""


async def sell_the_own_bundle(clock: VirtualClock) -> tuple[Any, ...]:
    theatre = await build_theatre(clock, OWN_BUNDLE, "mirror")
    try:
        shop = theatre.clients[0]
        recipe = theatre.bundles[BUNDLE]
        before = len((await shop.truth())["movements"])
        crowd = Crowd(
            [shop],
            [BUNDLE],
            CrowdPlan(1.0, {"buy": 1.0}),
            chance=random.Random(3),
            clock=clock,
            made_up=theatre.made_up,
        )
        while not crowd.done.get("buy"):
            await crowd.act()
        truth = await shop.truth()
        (sale,) = crowd._sales["shopify"]
        (sold,) = [order for order in truth["orders"] if order["id"] == sale.order_id]
        return (
            recipe,
            theatre.config.workspaces["main"].bundles,
            [level["sku"] for level in truth["levels"] if level["sku"] == BUNDLE],
            {line["sku"]: line["quantity"] for line in sold["lines"]},
            {move["sku"]: -move["delta"] for move in truth["movements"][before:] if move["cause"] == "sale"},
            {line.sku: line.quantity for line in sale.lines},
        )
    finally:
        await theatre.lower_curtain()


def test_a_seed_with_shopifys_own_bundle_sells_components_and_configures_nothing() -> None:
    recipe, configured, levels, lines, moved, known = run_virtually(sell_the_own_bundle)
    assert (configured, levels) == ([], [])
    sets = lines[next(iter(recipe))] // recipe[next(iter(recipe))]
    assert sets > 0
    assert lines == moved == known == {sku: units * sets for sku, units in recipe.items()}


@pytest.mark.simulation
@pytest.mark.parametrize("policy", ["hybrid", "escrow"])
def test_a_seed_with_shopifys_own_bundle_keeps_its_promise(policy: str) -> None:
    found = run_system_seed(OWN_BUNDLE, policy, "some")
    assert (found.violations, found.converged, found.wrong_inferences) == ((), True, 0)
    assert found.units_sold > 0


async def change_notes(clock: VirtualClock, copy_to: str) -> tuple[list[bool], dict[str, set[str]]]:
    """Whether each turn came to something, and the notes that the order of each store had."""
    theatre = await build_theatre(clock, 1, "escrow", copy_to)
    try:
        for client in theatre.clients:
            levels = (await client.truth())["levels"]
            sku = next(level["sku"] for level in levels if level["available"] > 0)
            await client.checkout([CartLine(sku, 1)], {"email": "ada@example.com"}, paid=True)
        care = Aftercare(theatre, copy_to, random.Random(1))
        acted, seen = [], dict[str, set[str]]()
        for _ in range(30):
            acted.append(await care._do("change_note"))
            for client in theatre.clients:
                (order,) = (await client.truth())["orders"]
                seen.setdefault(client.name, set()).add(order["note"])
        return acted, seen
    finally:
        await theatre.lower_curtain()


@pytest.mark.parametrize("copy_to", ["shopify", "wix"])
def test_notes_are_changed_where_staff_can_change_them_and_no_turn_is_lost(copy_to: str) -> None:
    acted, seen = run_virtually(lambda clock: change_notes(clock, copy_to))
    assert acted == [True] * 30
    assert seen == {"shopify": set(NOTES), "wix": {""}}


def test_goods_come_back_every_three_minutes_whatever_else_is_put_right() -> None:
    every = sum(EVERY_SECONDS) / 2 * sum(DEEDS.values()) / DEEDS["take_back"]
    assert every == 180.0
