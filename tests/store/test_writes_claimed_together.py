"""Writes to orders that wait together are claimed in one transaction, and none of them suffers for another."""

from __future__ import annotations

import asyncio
import random
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from builders.orders import make_order
from builders.rows import MAIN, SHOPIFY
from storebridge.clock import SeededIds, SystemClock
from storebridge.connectors.port import EncodedOrderCall, OrderCallAnswer, OrderOutcome
from storebridge.model.ids import OrderId, WriteId
from storebridge.model.order_writes import ChangeTracking, OrderWrite, PlannedOrderWrite
from storebridge.model.sales import Tracking
from storebridge.pipeline.deliver.order_writes import SendOrderWrites
from storebridge.store.database import Store, Tx, open_store
from storebridge.store.order_writes import get_writes, plan_order_writes
from storebridge.store.sales import SalesRow, order_key_of, save_orders
from storebridge.store.waiting import Ask, ask_looks, waiting_looks

NAMES = ("w1", "w2", "w3")


class OneThatCannotBeWritten:
    """A connector that cannot put the second write into a call."""

    name = SHOPIFY
    capabilities = SimpleNamespace(late_landing_seconds=1.0, changes_lag_seconds=1.0, refunds_with_cancel=True)

    def __init__(self) -> None:
        self.sent: list[str] = []

    def encode_order_call(self, write: OrderWrite, key: str) -> EncodedOrderCall:
        assert isinstance(write, ChangeTracking)
        if write.parcel_id == "w2":
            raise ValueError("no such carrier")
        return EncodedOrderCall("tracking", "POST", "/x", write.parcel_id.encode(), key)

    async def send_order_call(self, call: EncodedOrderCall) -> OrderCallAnswer:
        self.sent.append(call.body.decode())
        return OrderCallAnswer(OrderOutcome.APPLIED, "", "", {}, 200, b"{}")


def _plan(tx: Tx) -> None:
    order = make_order()
    key = order_key_of(order.connection, order.order_id)
    save_orders(tx, MAIN, [SalesRow(order, "ready", None)])
    for name in NAMES:
        write = ChangeTracking(OrderId("o1"), name, Tracking("DHL", name), False)
        plan_order_writes(
            tx, MAIN, key, [(WriteId(name), PlannedOrderWrite(SHOPIFY, f"t:{name}", write, ""))], priority=1
        )
        ask_looks(tx, MAIN, SHOPIFY, [Ask("order_write", name, 1, tx.now)])


async def _send_all_at_once(store: Store, sender: SendOrderWrites) -> list[Any]:
    """The writer is busy until all of them wait for it."""
    gate, entered = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        entered.set()
        gate.wait(10)

    looks = await store.run(waiting_looks, MAIN, SHOPIFY, limit=10)
    assert [look.key for look in looks] == list(NAMES)
    busy = asyncio.create_task(store.run(hold))
    await asyncio.to_thread(entered.wait, 10)
    sending = [asyncio.create_task(sender((look,))) for look in looks]
    await asyncio.sleep(0)
    gate.set()
    await busy
    return await asyncio.gather(*sending, return_exceptions=True)


async def _play(path: Path) -> tuple[list[str], list[str], dict[str, str]]:
    store = open_store(str(path), clock=SystemClock())
    claims: list[int] = []
    try:
        await store.run(_plan)
        connector: Any = OneThatCannotBeWritten()
        sender = SendOrderWrites(MAIN, connector, store, SeededIds(random.Random(1)), lambda _: None)
        claim_all = sender._claim_all

        def counted(tx: Tx, given: list[Any]) -> Any:
            claims.append(len(given))
            return claim_all(tx, given)

        sender._claim_all = counted  # type: ignore[method-assign]
        told = [repr(one) for one in await _send_all_at_once(store, sender) if one is not None]
        writes = await store.run(get_writes, [WriteId(name) for name in NAMES])
        assert claims == [3]
        return told, sorted(connector.sent), {name: write.state for name, write in writes.items()}
    finally:
        await store.close()


def test_a_write_that_cannot_be_put_into_a_call_keeps_no_other_back(tmp_path: Path) -> None:
    told, sent, states = asyncio.run(_play(tmp_path / "file.sqlite3"))
    assert told == ["ValueError('no such carrier')"]
    assert sent == ["w1", "w3"]
    assert states == {"w1": "applied", "w2": "planned", "w3": "applied"}
