"""Whatever shoppers and staff do, what a connector says of the orders adds up to what the store moved."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from two_stores import BASES, Bench, with_store

from storebridge.connectors.http import Request
from storebridge.model.ids import OrderId
from storebridge.model.orders import ChangeCursor, OrderFacts

ORDER_CAUSES = {"sale", "cancel", "refund", "return", "edit", "revert"}
ACTS = {
    # Shopify tells of goods that came back by the refund for them; a return without one only shows in the level.
    "shopify": ("cancel", "fulfil", "fulfil", "refund", "edit", "pay", "fail"),
    "wix": ("cancel", "fulfil", "fulfil", "refund", "return", "return", "edit", "pay", "fail"),
}
SKUS = 3
STEPS = 200


def body_of(act: str, sku: str, chance: random.Random) -> dict[str, object]:
    quantity, restock = chance.randint(1, 2), chance.random() < 0.7
    if act == "cancel":
        return {"restock": restock}
    if act == "edit":
        return {"lines": [{"sku": sku, "quantity": chance.randint(0, 3)}]}
    if act in ("refund", "return"):
        return {"lines": [{"sku": sku, "quantity": quantity, "restock": restock}]}
    if act == "fulfil":
        return {"lines": [{"sku": sku, "quantity": quantity}]}
    return {}


async def act_at_random(bench: Bench, skus: Sequence[str], chance: random.Random) -> list[OrderId]:
    """Sales and everything that may follow; what the store refuses is left out. The orders that were made."""
    made: list[OrderId] = []
    for _ in range(STEPS):
        await asyncio.sleep(chance.uniform(0.1, 3.0))
        if not made or chance.random() < 0.3:
            lines = [{"sku": sku, "quantity": chance.randint(1, 4)} for sku in chance.sample(skus, 2)]
            told = await bench.call("POST", "checkout", {"lines": lines, "paid": chance.random() < 0.7})
            made.append(OrderId(told["order_id"]))
            continue
        act = chance.choice(ACTS[bench.kind])
        path = f"{BASES[bench.kind]}/_sandbox/orders/{chance.choice(made[-6:])}/{act}"
        raw = bench.encode(body_of(act, chance.choice(skus), chance))
        answer = await bench.transport.send(Request("POST", path, {}, raw, 20.0))
        assert answer.status in (200, 409, 422), answer.body
    return made


def kept_by_buyers(orders: Sequence[OrderFacts], sku: str) -> tuple[int, int]:
    """The fewest and the most units that the orders say left the stock for good."""
    lines = [line for order in orders for line in order.lines if line.sku == sku]
    assert all(0 <= line.restocked <= line.sold and line.uncertain >= 0 for line in lines)
    kept = sum(line.sold - line.restocked for line in lines)
    return kept, kept + sum(line.uncertain for line in lines)


async def taken_from_stock(bench: Bench, sku: str) -> int:
    moves = await bench.moves(sku)
    return -sum(delta for delta, cause in moves if cause in ORDER_CAUSES)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["shopify", "wix"])
def test_what_buyers_keep_is_what_left_the_stock(kind: str, seed: int) -> None:
    async def play(bench: Bench) -> None:
        chance = random.Random(f"orders-{seed}")
        skus = [sku for sku, _ in await bench.in_stock(count=SKUS)]
        for sku in skus:
            await bench.call("POST", "adjust", {"sku": sku, "set": 400})
        since = ChangeCursor(bench.clock.now())
        made = await act_at_random(bench, skus, chance)
        listed = await bench.changed(since)
        by_id: list[OrderFacts] = []
        for start in range(0, len(made), bench.connector.capabilities.orders_per_read):
            part = made[start : start + bench.connector.capabilities.orders_per_read]
            by_id += await bench.connector.read_orders(part)
        shown = {order.order_id for order in listed}

        assert [order.order_id for order in by_id] == made
        for sku in skus:
            fewest, most = kept_by_buyers(by_id, sku)
            assert fewest <= await taken_from_stock(bench, sku) <= most
            assert fewest == most or kind == "wix"
        assert sorted(listed, key=lambda order: order.order_id) == sorted(
            (order for order in by_id if order.order_id in shown), key=lambda order: order.order_id
        )

    with_store(kind, play)
