"""``sandbox --state``: what was in the stores is there after a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from storebridge.cli.main import run_command
from storebridge_sandbox.app import Stores, build_stores, load_both
from storebridge_sandbox.control import truth_of
from storebridge_sandbox.orders import Wish
from storebridge_sandbox.state_file import StateUnreadable, load_state, save_state
from storebridge_sandbox.wix.settings import WixOptions

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


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"storebridge_sandbox_state": 1}', '{"seed": 1}'])
def test_a_file_that_is_no_state_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    path = tmp_path / "notes.json"
    path.write_text(content)
    assert run_command(["sandbox", "--shopify-port", "0", "--wix-port", "0", "--state", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"storebridge: --state {path}: it holds no sandbox state")
    assert path.read_text() == content


def test_no_class_but_the_stores_own_is_made_from_a_file(kept: tuple[Path, Any]) -> None:
    content = json.loads(kept[0].read_text())
    content["wix"]["things"][0][0] = "subprocess:Popen"
    kept[0].write_text(json.dumps(content))
    with pytest.raises(StateUnreadable, match="KeyError"):
        with_stores(lambda stores: load_state(stores, kept[0], seed=1))
