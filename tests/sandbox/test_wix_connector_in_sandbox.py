"""The product's own Wix connector against the pretend site: what one says, the other understands."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from wix_site import BASE, HOOK, Site, with_site

from storebridge.connectors.port import CallTrouble, Precondition, Remedy, RowOutcome, StockWrite
from storebridge.connectors.wix.connector import WixConnector
from storebridge.connectors.wix.settings import Secret, WixSettings
from storebridge.model.catalogue import Variant
from storebridge.model.ids import ConnectionName, IntentId
from storebridge.model.orders import ChangeCursor
from storebridge.model.signals import Flow
from storebridge.model.stock import LevelReading
from storebridge_sandbox.faults import FaultRates, FaultRule, FaultSettings
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions


def connect(site: Site, *, with_key: bool = False) -> WixConnector:
    held = site.store.credentials()
    settings = WixSettings(
        name=ConnectionName("wix"),
        api_url=BASE,
        sandbox=True,
        site_id=held["site_id"],
        app_id=None if with_key else held["app_id"],
        app_secret=None if with_key else Secret(held["app_secret"]),
        instance_id=held["instance_id"],
        api_key=Secret(held["api_key"]),
        webhook_public_keys=(held["webhook_public_key"],),
    )
    return WixConnector(settings, site.transport, site.clock)


async def variants_of(connector: WixConnector) -> dict[str, Variant]:
    found = [variant async for page in connector.list_variants() for variant in page]
    return {variant.sku or "": variant for variant in found}


async def reading_of(connector: WixConnector, sku: str) -> LevelReading:
    variant = (await variants_of(connector))[sku]
    (reading,) = (await connector.read_levels([variant.item_id])).readings
    return reading


def write_of(reading: LevelReading, to_level: int) -> StockWrite:
    assert reading.available is not None
    return StockWrite(
        intent_id=IntentId("intent-1"),
        item_id=reading.item_id,
        location_id=reading.location_id,
        from_level=reading.available,
        to_level=to_level,
        version=reading.version,
        native_id=reading.native_id,
    )


@pytest.mark.parametrize("with_key", [False, True])
def test_the_site_is_probed_and_its_catalogue_read(with_key: bool) -> None:
    async def play(site: Site) -> None:
        connector = connect(site, with_key=with_key)
        facts = await connector.probe()
        locations = await connector.list_locations()
        variants = await variants_of(connector)
        levels = await connector.read_levels([variant.item_id for variant in variants.values()])

        assert {finding.precondition: finding.holds for finding in facts.findings} == {
            Precondition.COUNTED_WHEN_PLACED: True,
            Precondition.CATALOGUE_WRITABLE: True,
            Precondition.SCOPES_GRANTED: True,
            Precondition.CLOCK_AGREES: True,
            Precondition.STAMPS_KEPT: True,
        }
        assert facts.can_write_stock
        assert facts.account == site.store.access.site_id
        assert [(place.name, place.is_default, place.sells_online) for place in locations] == [
            ("Online store", True, True),
            ("Back room", False, False),
        ]
        assert {sku: (seen.variant_title, seen.visible) for sku, seen in variants.items()} == {
            "MUG": ("", True),
            "SHIRT-S": ("S", True),
            "SHIRT-M": ("M", True),
            "OLD": ("", False),
        }
        assert str(variants["MUG"].price and variants["MUG"].price.amount) == "12.50"
        assert sorted(seen.available or 0 for seen in levels.readings) == [0, 0, 0, 0, 0, 3, 5, 9]
        assert levels.missing == ()

    with_site(play, WixOptions(more_locations=("Back room",)))


def test_a_level_is_set_once_and_the_resent_bytes_are_stale() -> None:
    async def play(site: Site) -> None:
        connector = connect(site)
        call = connector.encode_stock_call([write_of(await reading_of(connector, "MUG"), 2)], "key", "ref")
        first = await connector.send_stock_call(call)
        again = await connector.send_stock_call(call)

        assert [(row.outcome, row.level, row.version) for row in first.rows] == [(RowOutcome.APPLIED, 2, "2")]
        assert [row.outcome for row in again.rows] == [RowOutcome.STALE]
        assert (await site.levels())["MUG"] == 2

    with_site(play)


def test_a_sale_between_read_and_write_makes_the_row_stale() -> None:
    async def play(site: Site) -> None:
        connector = connect(site)
        write = write_of(await reading_of(connector, "MUG"), 2)
        await site.buy("MUG", 1)
        answer = await connector.send_stock_call(connector.encode_stock_call([write], "key", "ref"))

        assert [row.outcome for row in answer.rows] == [RowOutcome.STALE]
        assert (await site.levels())["MUG"] == 4

    with_site(play)


def test_a_write_without_an_answer_has_an_unknown_outcome() -> None:
    lost = FaultSettings(rules=(FaultRule("bulkUpdateInventoryItems", calls=1, rates=FaultRates(timeout_applied=1.0)),))

    async def play(site: Site) -> None:
        connector = connect(site)
        call = connector.encode_stock_call([write_of(await reading_of(connector, "MUG"), 2)], "key", "ref")
        with pytest.raises(CallTrouble) as caught:
            await connector.send_stock_call(call)
        resent = await connector.send_stock_call(call)

        assert caught.value.remedy is Remedy.UNKNOWN_OUTCOME
        assert [row.outcome for row in resent.rows] == [RowOutcome.STALE]

    with_site(play, faults=lost)


def test_changed_orders_are_read_oldest_change_first_with_what_they_took_and_gave_back() -> None:
    async def play(site: Site) -> None:
        connector = connect(site)
        since = ChangeCursor(site.clock.now())
        kept = (await site.buy("MUG", 2))[1]["order_id"]
        await asyncio.sleep(5)
        gone = (await site.buy("SHIRT-S", 1))[1]["order_id"]
        await asyncio.sleep(5)
        await site.ask("POST", f"/_sandbox/orders/{gone}/cancel", {"restock": True})
        page = await connector.orders_changed(since, None)
        late = await connector.orders_changed(
            msgspec.structs.replace(since, updated_at=since.updated_at + timedelta(seconds=4)), None
        )
        unpaid = (await site.buy("MUG", 1, paid=False))[1]["order_id"]
        by_id = await connector.read_orders([kept, unpaid])

        assert [(order.order_id, order.cancelled) for order in page.orders] == [(kept, False), (gone, True)]
        assert [(line.sku, line.sold, line.restocked) for order in page.orders for line in order.lines] == [
            ("MUG", 2, 0),
            ("SHIRT-S", 1, 1),
        ]
        assert [order.order_id for order in late.orders] == [gone]
        assert page.next_page is None
        assert [order.order_id for order in by_id] == [kept, unpaid]

    with_site(play)


def test_subscribing_points_the_deliveries_here_and_each_is_verified_and_understood() -> None:
    async def play(site: Site) -> None:
        connector = connect(site)
        report = await connector.ensure_subscriptions(HOOK)
        variant = (await variants_of(connector))["MUG"]
        order = (await site.buy("MUG", 5))[1]["order_id"]
        for verb in ("fulfil", "cancel"):
            await site.ask("POST", f"/_sandbox/orders/{order}/{verb}", {})
        await asyncio.sleep(1)
        verified = [
            connector.webhooks.verify(headers, body)
            for headers, body in zip(site.mailbox.headers, site.mailbox.bodies, strict=True)
        ]
        hints = {(hint.flow, hint.entity) for delivery in verified for hint in delivery.hints}

        assert report.manual == ()
        assert [delivery.problem for delivery in verified if delivery.problem] == []
        assert hints == {(Flow.STOCK, variant.item_id), (Flow.ORDERS, order)}
        assert len({delivery.delivery_id for delivery in verified}) == len(verified)

    with_site(play)


def test_a_revoked_token_is_renewed_without_a_word() -> None:
    async def play(site: Site) -> None:
        connector = connect(site)
        await connector.list_locations()
        await site.ask("POST", "/_sandbox/tokens/revoke")

        assert len(await connector.list_locations()) == 1

    with_site(play)


def test_the_limit_of_the_site_is_never_reached_by_a_connector_that_paces_itself() -> None:
    async def play(site: Site) -> None:
        connector = connect(site)
        variant = (await variants_of(connector))["MUG"]
        for _ in range(300):
            await connector.read_levels([variant.item_id])
        statuses = {call["status"] for call in site.store.requests.since(0)}

        assert statuses == {200}

    with_site(play)


def test_a_v1_site_is_read_and_written_through_the_older_addresses() -> None:
    async def play(site: Site) -> None:
        connector = connect(site)
        facts = await connector.probe()
        variants = await variants_of(connector)
        levels = await connector.read_levels([seen.item_id for seen in variants.values()])
        tracked = {reading.item_id: reading.available for reading in levels.readings}

        assert (facts.api_version, facts.can_write_stock) == ("V1_CATALOG", True)
        assert {sku: tracked[seen.item_id] for sku, seen in variants.items()} == {
            "MUG": 5,
            "SHIRT-S": 3,
            "SHIRT-M": 0,
            "OLD": 9,
        }
        assert [place.is_default for place in await connector.list_locations()] == [True]
        mug = next(reading for reading in levels.readings if reading.item_id == variants["MUG"].item_id)
        write = StockWrite(IntentId("i-1"), mug.item_id, mug.location_id, 5, 2, mug.version, mug.native_id)
        answered = await connector.send_stock_call(connector.encode_stock_call([write], "", ""))
        assert [row.outcome for row in answered.rows] == [RowOutcome.APPLIED]
        (after,) = (await connector.read_levels([mug.item_id])).readings
        assert (after.available, after.tracked, after.native_id) == (2, True, mug.native_id)
        assert after.version is not None

    with_site(play, WixOptions(catalog="v1"))


def test_entities_told_as_strings_are_understood_as_well() -> None:
    async def play(site: Site) -> None:
        connector = connect(site)
        await connector.ensure_subscriptions(HOOK)
        await site.buy("MUG", 1)
        await asyncio.sleep(1)
        verified = [
            connector.webhooks.verify(headers, body)
            for headers, body in zip(site.mailbox.headers, site.mailbox.bodies, strict=True)
        ]

        assert {hint.flow for delivery in verified for hint in delivery.hints} == {Flow.STOCK, Flow.ORDERS}

    with_site(play, WixOptions(quirks=WixQuirks(w20_entities_as_json_strings=True)))
