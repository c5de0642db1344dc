"""The simulation's own machinery, and a few seeds of the whole product."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from storebridge.connectors.http import Request
from storebridge.operations.settle_case import Choice
from storebridge.store.database import Tx, open_store
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.bridge_records import OpenCase
from storebridge_proving.review_desk import decide
from storebridge_proving.simulate.crashes import Death, Life, MortalStore, MortalTransport
from storebridge_proving.simulate.system import run_system_seed
from storebridge_proving.virtual_time import VirtualClock, run_virtually


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
@pytest.mark.parametrize("policy", ["mirror", "escrow"])
def test_a_calm_seed_converges_and_is_big_enough(policy: str) -> None:
    result = run_system_seed(1, policy, "none")
    assert (result.violations, result.converged) == ((), True)
    assert result.skus >= 8
    assert result.store_events >= 150
    assert result.virtual_hours >= 2.0


@pytest.mark.simulation
def test_a_seed_in_a_storm_replays_byte_for_byte_in_another_process() -> None:
    """Another process has another order of sets: bells that rang in a set's order once made two histories of one
    seed."""
    first = run_system_seed(2, "escrow", "storm")
    again = f"from {run_system_seed.__module__} import *; print(run_system_seed(2, 'escrow', 'storm'))"
    environ = {**os.environ, "PYTHONHASHSEED": "1"}
    played = subprocess.run([sys.executable, "-c", again], env=environ, capture_output=True, text=True, check=True)
    assert played.stdout.strip() == str(first)
    assert len(first.fault_kinds) >= 5
