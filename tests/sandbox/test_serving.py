"""Both pretend stores together: the same goods in both, real sockets, and a configuration that is accepted."""

from __future__ import annotations

import asyncio
import random
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from storebridge.config import load_config
from storebridge_sandbox.app import load_both
from storebridge_sandbox.catalogue import Catalogue
from storebridge_sandbox.config_file import write_config
from storebridge_sandbox.faults import FaultPlan, FaultSettings
from storebridge_sandbox.serve import serve_stores
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.store import WixStore
from storebridge_sandbox.world import HttpPost, real_world

CSV = """Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty,Variant Inventory Tracker
mug,Mug,MUG,12.50,7,shopify
mug,Mug,MUG,12.50,7,shopify
lamp,Lamp,LAMP,40.00,2,shopify
"""


@dataclass
class ShopCredentials:
    """As much of a Shopify store as a configuration needs."""

    def credentials(self) -> Mapping[str, str]:
        return {"shop": "larkfield.myshopify.com", "client_id": "id-1", "client_secret": 'se"cret\\1'}


@dataclass
class Pair:
    """Two of a kind will do where only sockets matter."""

    shopify: WixStore
    wix: WixStore


@dataclass
class Named:
    """The stores of a configuration."""

    shopify: ShopCredentials
    wix: WixStore


def wix_store(seed: int) -> WixStore:
    world = real_world(seed, HttpPost())
    plan = FaultPlan(FaultSettings(), world.now, random.Random(seed))
    return WixStore(world, seed=seed, options=WixOptions(), faults=plan)


def test_two_stores_answer_on_ports_of_their_own_until_stopped() -> None:
    async def play() -> None:
        pair = Pair(wix_store(1), wix_store(2))
        served = await serve_stores(pair)
        seen = []
        async with aiohttp.ClientSession() as session:
            for url in (served.shopify_url, served.wix_url):
                async with session.get(f"{url}/_sandbox/credentials") as answer:
                    seen.append((await answer.json())["app_id"])
                async with session.post(f"{url}/stores/v3/inventory-items/query", json={}) as answer:
                    assert (answer.status, len(answer.headers.getall("date"))) == (401, 1)
            await served.stop()
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"{served.wix_url}/_sandbox/credentials")

        assert seen == [pair.shopify.access.app_id, pair.wix.access.app_id]

    asyncio.run(play())


def test_a_taken_port_is_said_and_nothing_stays_open() -> None:
    async def play() -> None:
        pair = Pair(wix_store(1), wix_store(2))
        first = await serve_stores(pair)
        taken = int(first.wix_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            await serve_stores(pair, 0, taken)
        await first.stop()

    asyncio.run(play())


def test_the_configuration_is_accepted_and_keeps_its_secrets_in_files_of_the_owner(tmp_path: Path) -> None:
    wix = wix_store(1)
    path = tmp_path / "storebridge.toml"
    for _ in range(2):
        write_config(
            Named(ShopCredentials(), wix),
            path,
            shopify_url="http://127.0.0.1:9101",
            wix_url="http://127.0.0.1:9102",
        )
    config = load_config(str(path), {})
    workspace = config.workspaces["main"]
    shop, site = workspace.connections["shopify"], workspace.connections["wix"]
    refs = (shop.client_secret, site.app_secret, site.webhook_public_key)
    files = [Path(ref.file) for ref in refs if ref is not None and ref.file is not None]
    held = wix.credentials()

    assert (workspace.baseline, workspace.system_of_record, workspace.policy) == ("automatic", "shopify", "mirror")
    assert config.server.intake_url == "http://127.0.0.1:8791"
    assert (shop.api_url, site.api_url) == ("http://127.0.0.1:9101", "http://127.0.0.1:9102")
    assert [file.read_text() for file in files] == [
        'se"cret\\1',
        held["app_secret"],
        held["webhook_public_key"],
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in [*files, path]} == {0o600}
    assert held["app_secret"] not in path.read_text()


@dataclass
class Shelf:
    """As much of a Shopify store as a catalogue needs; it cannot use a lamp."""

    levels: dict[str, int]

    def load_catalogue(self, catalogue: Catalogue) -> Catalogue:
        usable = [product for product in catalogue.products if product.handle != "lamp"]
        for product in usable:
            for variant in product.variants:
                self.levels[variant.sku] = variant.quantity + variant.outlet_quantity
        return Catalogue(usable, list(catalogue.skipped))


@dataclass
class Stocked:
    """The stores that a catalogue goes into."""

    shopify: Shelf
    wix: WixStore

    def differences(self) -> list[int]:
        wix = {level["sku"]: level["available"] for level in self.wix.truth_levels()}
        return [wix[sku] - units for sku, units in self.shopify.levels.items()]


def test_both_stores_get_the_same_goods_with_levels_that_differ_on_request() -> None:
    apart, alike = Stocked(Shelf({}), wix_store(1)), Stocked(Shelf({}), wix_store(1))
    loaded = load_both(apart, seed=3)
    load_both(alike, seed=3, opening_levels_differ=False)

    assert (loaded.products, loaded.variants, loaded.skipped) == (124, 430, ())
    assert sum(1 for units in apart.differences() if units) > 400
    assert set(alike.differences()) == {0}


def test_goods_of_a_merchants_export_are_counted_and_unusable_lines_told() -> None:
    stores = Stocked(Shelf({}), wix_store(1))
    loaded = load_both(stores, CSV, opening_levels_differ=False)

    assert (loaded.products, loaded.variants) == (1, 1)
    assert [(row.line, row.reason) for row in loaded.skipped] == [(3, "SKU 'MUG' already stands on line 2")]
    assert stores.differences() == [0]


def test_a_level_for_which_wix_has_no_room_is_left_out_with_its_line_and_reason() -> None:
    stores = Stocked(Shelf({}), wix_store(1))
    loaded = load_both(stores, CSV + "endless,Endless,END,20.00,999999,shopify\n", opening_levels_differ=False)

    assert (loaded.products, loaded.variants) == (1, 1)
    assert (5, "999999 units of END: Wix counts from -99999 to 99999") in [(r.line, r.reason) for r in loaded.skipped]
