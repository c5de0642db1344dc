"""What Shopify Payments settles of several orders in one entry of its books, and how a state file keeps it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.app import Stores, build_stores, load_both
from storebridge_sandbox.orders import Wish
from storebridge_sandbox.state_file import load_state, save_state
from storebridge_sandbox.wix.settings import WixOptions

Entry = tuple[str, datetime, Decimal, list[Decimal]]
CATALOGUE = (
    "Handle,Title,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,"
    "Variant Inventory Tracker,Variant Inventory Qty\nmug,Mug,active,Title,Default Title,MUG,20.00,shopify,40\n"
)


def adjustments(store: Any) -> list[Entry]:
    """Id, moment, amount and shares of each entry about several orders, oldest first."""
    return [
        (one.id, one.at, one.amount, [amount for _, amount in one.shares])
        for one in store.office.payments.transactions()
        if one.kind == "CHARGE_ADJUSTMENT"
    ]


async def two_orders(shop: Shop) -> list[str]:
    return [(await shop.buy("MUG", 1))[1]["order_id"] for _ in range(2)]


def test_the_same_adjustment_twice_is_two_entries_each_at_its_time() -> None:
    async def play(shop: Shop) -> None:
        first, second = await two_orders(shop)
        shares = {"orders": {first: "-1.50", second: "0.25"}}
        began = shop.clock.now()
        _, once = await shop.play("payouts/adjusted", shares)
        balance = shop.store.office.payments.balance()
        await asyncio.sleep(60)
        status, again = await shop.play("payouts/adjusted", shares)
        assert status == 200
        assert once["entry_id"] != again["entry_id"]
        parts = [Decimal("-1.50"), Decimal("0.25")]
        assert adjustments(shop.store) == [
            (once["entry_id"], began, Decimal("-1.25"), parts),
            (again["entry_id"], began + timedelta(seconds=60), Decimal("-1.25"), parts),
        ]
        assert shop.store.office.payments.balance() == balance - Decimal("1.25")

    with_shop(play)


@pytest.mark.parametrize(
    ("orders", "status"), [({}, 400), ({"ORDER": "NaN"}, 400), ({"gid://shopify/Order/1": "1.00"}, 409)]
)
def test_an_adjustment_of_no_order_or_of_no_amount_is_refused_and_the_books_can_still_be_read(
    orders: dict[str, str], status: int
) -> None:
    async def play(shop: Shop) -> None:
        first, _ = await two_orders(shop)
        before = shop.store.office.payments.transactions()
        asked = {first if name == "ORDER" else name: amount for name, amount in orders.items()}
        assert (await shop.play("payouts/adjusted", {"orders": asked}))[0] == status
        assert shop.store.office.payments.transactions() == before

    with_shop(play)


def with_stores(play: Any) -> Any:
    async def run() -> Any:
        stores = build_stores(seed=1, wix_options=WixOptions(webhook_url="http://127.0.0.1:9/hooks/wix"))
        try:
            return play(stores)
        finally:
            await stores.stop()

    return asyncio.run(run())


def keep_two(path: Path) -> list[Entry]:
    """A state file of a shop with two adjustments that say the same; what they were."""

    def play(stores: Stores) -> list[Entry]:
        load_both(stores, CATALOGUE, seed=1)
        orders = [stores.shopify.checkout([Wish("MUG", 1)], {}, paid=True).id for _ in range(2)]
        for _ in range(2):
            stores.shopify.office.payments.adjust({orders[0]: Decimal("-1.50"), orders[1]: Decimal("0.25")})
        save_state(stores, path, seed=1)
        return adjustments(stores.shopify)

    found: list[Entry] = with_stores(play)
    return found


def loaded(path: Path) -> list[Entry]:
    def play(stores: Stores) -> list[Entry]:
        load_state(stores, path, seed=1)
        found = adjustments(stores.shopify)
        stores.shopify.office.payments.adjust({one: Decimal(2) for one in stores.shopify.orders.orders})
        assert [one[:1] for one in adjustments(stores.shopify)[:-1]] == [one[:1] for one in found]
        return found

    found: list[Entry] = with_stores(play)
    return found


def test_adjustments_survive_a_restart_and_the_next_one_has_an_id_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "stores.json"
    before = keep_two(path)
    assert len({entry[0] for entry in before}) == 2
    assert loaded(path) == before


def test_a_state_file_of_before_which_kept_adjustments_by_their_words_still_loads(tmp_path: Path) -> None:
    """One without any order among them, which no book can show, is let go."""
    path = tmp_path / "stores.json"
    keep_two(path)
    orders = [f"gid://shopify/Order/560000000{number}" for number in (1, 2)]
    words = [f"{orders[0]}=-1.50 {orders[1]}=0.25", "", f"{orders[1]}=3"]
    times = [f"2026-03-02T{hour}:00:00+00:00" for hour in (11, 12, 13)]
    (now,) = [line for line in path.read_text().splitlines() if '"name":"adjustments"' in line]
    before = json.dumps({**json.loads(now), "value": {"dict": [["plain", words], ["time", times]]}})
    path.write_text(path.read_text().replace(now, before))
    first, last = (datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (11, 13))
    assert [entry[1:] for entry in loaded(path)] == [
        (first, Decimal("-1.25"), [Decimal("-1.50"), Decimal("0.25")]),
        (last, Decimal(3), [Decimal(3)]),
    ]
