"""``sandbox --state``: what was in the stores is there after a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from storebridge.cli.main import run_command
from storebridge_sandbox.app import Stores, build_stores, load_both
from storebridge_sandbox.control import truth_of
from storebridge_sandbox.history import Clock, make_history
from storebridge_sandbox.orders import Wish
from storebridge_sandbox.state_file import StateUnreadable, load_state, save_state
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.world import system_now

HEAD = (
    "Handle,Title,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,"
    "Variant Inventory Tracker,Variant Inventory Qty\n"
)
CATALOGUE = HEAD + "".join(f"p{n},Tee {n},active,Title,Default Title,TEE-{n},20.00,shopify,40\n" for n in range(4))
HOOK = "http://127.0.0.1:9/hooks/wix"


def with_stores(play: Callable[[Stores], Any], **options: Any) -> Any:
    """Two empty stores in a running loop; deliveries go nowhere."""

    async def run() -> Any:
        stores = build_stores(
            seed=options.pop("seed", 1), wix_options=WixOptions(webhook_url=options.pop("hook", HOOK), **options)
        )
        try:
            return play(stores)
        finally:
            await stores.stop()

    return asyncio.run(run())


def trade(stores: Stores) -> None:
    """A little of everything that leaves traces."""
    load_both(stores, CATALOGUE, seed=1)
    stores.shopify.subscriptions.create("inventory_levels/update", "https://bridge.example/hooks/shopify")
    for store in (stores.shopify, stores.wix):
        store.adjust("TEE-0", None, delta=None, to=17)
        first = store.checkout([Wish("TEE-1", 3), Wish("TEE-2", 1)], {"email": "a@example.org"}, paid=True)
        store.fulfil(first, [Wish("TEE-1", 2)], {"company": "Post", "number": "1", "url": ""})
        store.refund(first, [Wish("TEE-1", 1)], Decimal("20.00"))
        second = store.checkout([Wish("TEE-3", 2)], {}, paid=False)
        store.cancel(second, restock=True)


def records(stores: Stores) -> list[dict[str, Any]]:
    """Both stores' own records, without the time of looking."""
    told = [truth_of(stores.shopify), truth_of(stores.wix)]
    return [{name: value for name, value in one.items() if name != "now"} for one in told]


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, Any]:
    """A state file, and the records and credentials of the stores that it was written from."""
    path = tmp_path / "stores.json"

    def play(stores: Stores) -> Any:
        trade(stores)
        save_state(stores, path, seed=1)
        return records(stores), stores.shopify.credentials(), stores.wix.credentials()

    return path, with_stores(play)


def test_levels_orders_movements_and_credentials_survive(kept: tuple[Path, Any]) -> None:
    path, before = kept

    def play(stores: Stores) -> Any:
        load_state(stores, path, seed=1)
        return records(stores), stores.shopify.credentials(), stores.wix.credentials()

    assert with_stores(play) == before
    shopify, wix = before[0]
    assert {level["available"] for level in shopify["levels"] if level["sku"] == "TEE-0"} == {17, 0}
    assert [level["available"] for level in wix["levels"] if level["sku"] == "TEE-0"] == [17]
    assert [order["name"] for order in shopify["orders"]] == ["#1001", "#1002"]


def test_subscriptions_survive_and_new_ids_are_new(kept: tuple[Path, Any]) -> None:
    path, before = kept

    def play(stores: Stores) -> None:
        load_state(stores, path, seed=1)
        subscriptions = [(one.topic, one.uri) for one in stores.shopify.subscriptions.all.values()]
        assert subscriptions == [("inventory_levels/update", "https://bridge.example/hooks/shopify")]
        assert stores.wix.notices.address == HOOK
        both: tuple[Any, Any] = (stores.shopify, stores.wix)
        for store, told in zip(both, before[0], strict=True):
            known = {order["id"] for order in told["orders"]}
            order = store.checkout([Wish("TEE-0", 17)], {}, paid=True)
            assert order.id not in known
            store.cancel(store.find_order(order.id), restock=True)
            assert store.adjust("TEE-0", None, delta=1, to=None) == 18

    with_stores(play)


def test_another_address_given_now_replaces_the_old_one(kept: tuple[Path, Any]) -> None:
    def play(stores: Stores) -> str | None:
        load_state(stores, kept[0], seed=1)
        return stores.wix.notices.address

    assert with_stores(play, hook="http://127.0.0.1:10/hooks/wix") == "http://127.0.0.1:10/hooks/wix"


@pytest.mark.parametrize(
    ("seed", "catalog", "why"),
    [(2, "v3", "made with --seed 1"), (1, "v1", "has --wix-catalog v3")],
)
def test_other_stores_do_not_take_it(kept: tuple[Path, Any], seed: int, catalog: str, why: str) -> None:
    with pytest.raises(StateUnreadable, match=why):
        with_stores(lambda stores: load_state(stores, kept[0], seed=seed), seed=seed, catalog=catalog)


def test_prices_of_another_currency_are_not_read_as_this_one(kept: tuple[Path, Any]) -> None:
    def load(stores: Stores) -> None:
        load_state(stores, kept[0], seed=1)

    with pytest.raises(StateUnreadable, match="has --wix-currency EUR"):
        with_stores(load, currency="USD")


def test_both_stores_sell_in_one_currency_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    def currencies(stores: Stores) -> set[str]:
        load_both(stores, CATALOGUE, seed=1)
        orders = [store.checkout([Wish("TEE-1", 1)], {}, paid=True) for store in (stores.shopify, stores.wix)]
        return {order.currency for order in orders}

    assert with_stores(currencies) == {"EUR"}
    assert with_stores(currencies, currency="USD") == {"EUR", "USD"}
    assert run_command(["sandbox", "--wix-currency", "usd"]) == 2
    assert "--wix-currency usd: give a code of three capital letters" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", "{}", "[1]\n", '{"storebridge_sandbox_state": 1}', '{"seed": 1}'])
def test_a_file_that_is_no_state_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    path = tmp_path / "notes.json"
    path.write_text(content)
    assert run_command(["sandbox", "--shopify-port", "0", "--wix-port", "0", "--state", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"storebridge: --state {path}: it holds no sandbox state")
    assert path.read_text() == content


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_lines(path: Path, lines: list[Any]) -> None:
    """With the places of lines, which stand in the list of what sleeps and in the end, as they are then."""
    before = _places(path.read_bytes().splitlines(keepends=True))
    for _ in range(9):  # a number that gets longer moves what comes after it
        texts = [json.dumps(line).encode() + b"\n" for line in lines]
        after = _places(texts)
        moved = dict(zip(before, after, strict=True))
        (asleep,) = (line["asleep"] for line in lines if isinstance(line, dict) and "asleep" in line)
        for told in asleep.values():
            for places in told["blocks"].values():
                places[:] = [[*moved[begins, length], count] for begins, length, count in places]
            for held in (told["rows"], told["owners"]):
                held.update({name: list(moved[tuple(place)]) for name, place in held.items()})
        lines[-1]["end"] = next(one for was, one in moved.items() if was[0] == lines[-1]["end"])[0]
        before = after
    path.write_bytes(b"".join(texts))


def _places(lines: list[bytes]) -> list[tuple[int, int]]:
    ends = list(accumulate(map(len, lines)))
    return [(end - len(line), len(line)) for line, end in zip(lines, ends, strict=True)]


def things_asleep(lines: list[Any], kind: str) -> list[Any]:
    blocks = [line["lines"] for line in lines if isinstance(line, dict) and "lines" in line]
    return [things for block in blocks for things in block if things["kind"].endswith(kind)]


def test_no_class_but_the_stores_own_is_made_from_a_file(kept: tuple[Path, Any]) -> None:
    lines = lines_of(kept[0])
    for held in (next(line for line in lines if "kind" in line), things_asleep(lines, ":ShopOrder")[0]):
        right, held["kind"] = held["kind"], "subprocess:Popen"
        write_lines(kept[0], lines)
        with pytest.raises(StateUnreadable, match="KeyError"):
            with_stores(lambda stores: load_state(stores, kept[0], seed=1))
        held["kind"] = right


def test_fulfilment_orders_payments_and_refunds_survive_and_go_on(kept: tuple[Path, Any]) -> None:
    def play(stores: Stores) -> None:
        load_state(stores, kept[0], seed=1)
        shop = stores.shopify
        order = shop.orders.orders[shop.all_orders()[0].id]
        (waiting,) = order.fulfilment_orders
        assert shop.office.things.get(waiting.id) is waiting
        assert (waiting.status, waiting.remaining) == ("IN_PROGRESS", 1)
        assert [(one.kind, one.amount.shop) for one in order.transactions] == [
            ("SALE", order.total),
            ("REFUND", Decimal("20.00")),
        ]
        shop.fulfil(order, (), {"company": "Post", "number": "2", "url": ""})
        assert (waiting.status, [getattr(parcel, "name", "") for parcel in order.fulfilments]) == (
            "CLOSED",
            ["#1001.1", "#1001.2"],
        )

    with_stores(play)


def test_a_file_that_was_cut_off_anywhere_is_refused(kept: tuple[Path, Any]) -> None:
    whole = kept[0].read_text().splitlines(keepends=True)
    for missing in (1, 2, len(whole) // 2, len(whole) - 1):
        kept[0].write_text("".join(whole[:-missing]))
        with pytest.raises(StateUnreadable, match=r"too early|are told|no sandbox state"):
            with_stores(lambda stores: load_state(stores, kept[0], seed=1))


def test_a_field_that_is_newer_than_the_file_gets_its_default_and_one_that_is_gone_is_named(
    kept: tuple[Path, Any],
) -> None:
    lines = lines_of(kept[0])
    orders = things_asleep(lines, ":ShopOrder") + things_asleep(lines, ":WixOrder")
    assert len(orders) == 2
    for line in orders:
        assert line["columns"]["tags"] == ["plain", [[], []]]
        del line["columns"]["tags"]
    write_lines(kept[0], lines)

    def play(stores: Stores) -> None:
        load_state(stores, kept[0], seed=1)
        assert [order.tags for order in stores.shopify.all_orders()] == [[], []]

    with_stores(play)
    orders[0]["columns"]["colour"] = ["plain", ["red"]]
    write_lines(kept[0], lines)
    with pytest.raises(StateUnreadable, match="has no field colour"):
        with_stores(lambda stores: load_state(stores, kept[0], seed=1))


def test_a_store_with_a_past_has_levels_orders_and_movements_that_agree(tmp_path: Path) -> None:
    clock = Clock(system_now)

    async def run() -> None:
        stores = build_stores(seed=1, now=clock, wix_options=WixOptions(webhook_url=HOOK))
        load_both(stores, seed=1, products=6)
        opened = [sum(level["available"] for level in one.truth_levels()) for one in (stores.shopify, stores.wix)]
        under_way = stores.wix.webhooks.under_way
        assert list(make_history(stores, clock, orders=1000, seed=1)) == [500, 1000]
        for store, before in zip((stores.shopify, stores.wix), opened, strict=True):
            truth = truth_of(store)
            assert sum(level["available"] for level in truth["levels"]) == before + sum(
                movement["delta"] for movement in truth["movements"]
            )
            assert len(truth["orders"]) == 1000
            assert truth["orders"][0]["created_at"] < truth["orders"][-1]["created_at"] < truth["now"]
        assert (stores.wix.notices.address, stores.wix.webhooks.under_way) == (HOOK, under_way)
        await stores.stop()

    asyncio.run(run())
