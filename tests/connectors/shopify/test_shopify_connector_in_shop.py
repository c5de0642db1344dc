"""The product's own Shopify connector against the pretend shop: what one says, the other understands."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from shop_on_virtual_time import HOOK, Shop, reading_of, variants_of, with_shop, write_of

from storebridge.connectors.port import CallAnswer, CallTrouble, Precondition, Remedy, RowOutcome
from storebridge.connectors.secret import Secret
from storebridge.connectors.shopify.connector import ShopifyConnector
from storebridge.connectors.shopify.webhooks import NEEDED_TOPICS
from storebridge.model.orders import ChangeCursor
from storebridge.model.signals import Flow
from storebridge_sandbox.faults import FaultRates, FaultRule, FaultSettings
from storebridge_sandbox.shopify.quirks import ShopifyOptions

APPLIED, STALE = RowOutcome.APPLIED, RowOutcome.STALE
NOT_TRIED, UNCLEAR = RowOutcome.NOT_TRIED, RowOutcome.UNCLEAR


SHOPIFYS = set(Precondition) - {Precondition.STAMPS_KEPT}
"""Stamps are kept by Wix's items only."""


def outcomes(answer: CallAnswer) -> list[RowOutcome]:
    return [row.outcome for row in answer.rows]


def test_the_shop_is_probed_and_its_catalogue_read() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        facts = await connector.probe()
        locations = await connector.list_locations()
        variants = await variants_of(connector)
        levels = await connector.read_levels([variant.item_id for variant in variants.values()])

        assert {finding.precondition: finding.holds for finding in facts.findings} == dict.fromkeys(SHOPIFYS, True)
        assert (facts.account, facts.can_write_stock) == (shop.store.shop.domain, True)
        assert [(place.name, place.active, place.sells_online) for place in locations] == [
            ("Main warehouse", True, True),
            ("Outlet", True, True),
        ]
        assert {sku: (seen.variant_title, seen.tracked, seen.denies_oversell) for sku, seen in variants.items()} == {
            "MUG": ("", True, True),
            "SHIRT-S": ("S", True, True),
            "SHIRT-M": ("M", True, True),
        }
        assert str(variants["MUG"].price and variants["MUG"].price.amount) == "12.50"
        assert sorted(seen.available or 0 for seen in levels.readings) == [0, 0, 0, 0, 3, 5]
        assert levels.missing == ()

    with_shop(play)


def test_a_level_is_set_once_and_the_resent_bytes_change_nothing_more() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        call = connector.encode_stock_call([write_of(await reading_of(connector, "MUG"), 2)], "key-1", "call_1")
        first = await connector.send_stock_call(call)
        await shop.buy("MUG", 1)
        again = await connector.send_stock_call(call)

        assert (outcomes(first), outcomes(again)) == ([APPLIED], [APPLIED])
        assert shop.shown()["MUG"] == 1

    with_shop(play)


def test_a_sale_between_read_and_write_makes_the_row_stale_and_spoils_the_call() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        rows = [write_of(await reading_of(connector, sku), 2) for sku in ("SHIRT-S", "MUG")]
        await shop.buy("MUG", 1)
        answer = await connector.send_stock_call(connector.encode_stock_call(rows, "key-1", "call_1"))

        assert outcomes(answer) == [NOT_TRIED, STALE]
        assert shop.shown() == {"MUG": 4, "SHIRT-S": 3, "SHIRT-M": 0}

    with_shop(play)


def test_a_call_that_is_done_in_part_is_never_taken_for_undone() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        rows = [write_of(await reading_of(connector, sku), 2) for sku in ("SHIRT-S", "MUG")]
        await shop.buy("MUG", 1)
        answer = await connector.send_stock_call(connector.encode_stock_call(rows, "key-1", "call_1"))

        assert outcomes(answer) == [UNCLEAR, STALE]
        assert shop.shown()["SHIRT-S"] == 2

    with_shop(play, ShopifyOptions(batch_is_atomic=False))


@pytest.mark.parametrize("trouble", ["user_error", "top_level"])
def test_a_burnt_key_changes_nothing(trouble: str) -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        call = connector.encode_stock_call([write_of(await reading_of(connector, "MUG"), 2)], "key-1", "call_1")
        await shop.buy("MUG", 1)
        first = await connector.send_stock_call(call)
        again = await connector.send_stock_call(call)

        assert (outcomes(first), outcomes(again)) == ([STALE], [NOT_TRIED])
        assert shop.shown()["MUG"] == 4

    with_shop(play, msgspec.convert({"key_trouble": trouble}, ShopifyOptions))


@pytest.mark.parametrize("trouble", ["user_error", "top_level"])
def test_a_burnt_key_never_takes_the_rows_beside_a_stale_one_for_undone(trouble: str) -> None:
    """The answer that named the changes was lost; what comes again says only that some row had failed."""

    async def play(shop: Shop) -> None:
        connector = shop.connect()
        rows = [write_of(await reading_of(connector, sku), 2) for sku in ("SHIRT-S", "MUG")]
        call = connector.encode_stock_call(rows, "key-1", "call_1")
        await shop.buy("MUG", 1)
        await connector.send_stock_call(call)
        again = await connector.send_stock_call(call)

        assert outcomes(again) == [UNCLEAR, UNCLEAR]
        assert shop.shown() == {"MUG": 4, "SHIRT-S": 2, "SHIRT-M": 0}

    with_shop(play, msgspec.convert({"key_trouble": trouble, "batch_is_atomic": False}, ShopifyOptions))


def test_a_key_with_other_parameters_is_unclear() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        reading = await reading_of(connector, "MUG")
        await connector.send_stock_call(connector.encode_stock_call([write_of(reading, 2)], "key-1", "call_1"))
        other = connector.encode_stock_call([write_of(reading, 3)], "key-1", "call_1")

        assert outcomes(await connector.send_stock_call(other)) == [UNCLEAR]
        assert shop.shown()["MUG"] == 2

    with_shop(play)


def test_adjustments_and_activations() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        reading = await reading_of(connector, "MUG")
        less = connector.encode_stock_call([write_of(reading, 3, as_adjustment=True)], "key-1", "call_1")
        await shop.buy("MUG", 1)
        assert outcomes(await connector.send_stock_call(less)) == [APPLIED]
        assert outcomes(await connector.send_stock_call(less)) == [APPLIED]
        assert shop.shown()["MUG"] == 2
        outlet = next(place for place in await connector.list_locations() if place.name == "Outlet")
        row = write_of(reading, 7, activate=True, location_id=outlet.location_id)
        assert outcomes(await connector.send_stock_call(connector.encode_stock_call([row], "key-2", "call_2"))) == [
            APPLIED
        ]
        assert outcomes(await connector.send_stock_call(connector.encode_stock_call([row], "key-3", "call_3"))) == [
            STALE
        ]
        read = await connector.read_levels([reading.item_id])
        assert sorted(seen.available or 0 for seen in read.readings) == [2, 7]

    with_shop(play, ShopifyOptions(connects_second_location=False))


def test_a_write_without_an_answer_is_resent_and_counts_once() -> None:
    lost = FaultSettings(
        rules=(FaultRule("inventoryAdjustQuantities", calls=1, rates=FaultRates(timeout_applied=1.0)),)
    )

    async def play(shop: Shop) -> None:
        connector = shop.connect()
        row = write_of(await reading_of(connector, "MUG"), 2, as_adjustment=True)
        call = connector.encode_stock_call([row], "key-1", "call_1")
        with pytest.raises(CallTrouble) as caught:
            await connector.send_stock_call(call)
        assert caught.value.remedy is Remedy.UNKNOWN_OUTCOME
        assert outcomes(await connector.send_stock_call(call)) == [APPLIED]
        assert shop.shown()["MUG"] == 2

    with_shop(play, faults=lost)


def test_changed_orders_tell_what_they_took_and_gave_back() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        since = ChangeCursor(shop.clock.now())
        kept = await shop.buy("MUG", 3)
        await asyncio.sleep(5)
        gone = await shop.buy("SHIRT-S", 1)
        await asyncio.sleep(5)
        await shop.call(f"orders/{gone}/cancel", {"restock": True})
        await asyncio.sleep(5)
        await shop.call(f"orders/{kept}/edit", {"lines": [{"sku": "MUG", "quantity": 1}]})
        await asyncio.sleep(5)
        page = await connector.orders_changed(since, None)
        late = ChangeCursor(since.updated_at + timedelta(seconds=12))

        assert [(order.order_id, order.cancelled) for order in page.orders] == [(gone, True), (kept, False)]
        assert [(line.sku, line.sold, line.restocked) for order in page.orders for line in order.lines] == [
            ("SHIRT-S", 1, 1),
            ("MUG", 3, 2),
        ]
        assert page.next_page is None
        assert [order.order_id for order in (await connector.orders_changed(late, None)).orders] == [kept]
        assert await connector.read_orders([order.order_id for order in page.orders]) == page.orders

    with_shop(play)


async def deliveries_verified(shop: Shop, connector: ShopifyConnector) -> set[tuple[Flow, str]]:
    await asyncio.sleep(60)
    told = zip(shop.letters.headers, shop.letters.bodies, strict=True)
    verified = [connector.webhooks.verify(headers, body) for headers, body in told]
    assert [delivery.problem for delivery in verified if delivery.problem] == []
    assert len({delivery.delivery_id for delivery in verified}) == len(verified)
    assert {delivery.account for delivery in verified} == {shop.store.shop.domain}
    return {(hint.flow, hint.entity) for delivery in verified for hint in delivery.hints}


def test_subscribing_brings_deliveries_that_are_verified_and_understood() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        assert (await connector.ensure_subscriptions(HOOK)).restored == NEEDED_TOPICS
        again = await connector.ensure_subscriptions(HOOK)
        assert (len(again.present), again.restored) == (len(NEEDED_TOPICS), ())
        moved = await connector.ensure_subscriptions(f"{HOOK}/new")
        assert moved.restored == NEEDED_TOPICS
        variant = (await variants_of(connector))["MUG"]
        order = await shop.buy("MUG", 2)
        await shop.call(f"orders/{order}/cancel", {"restock": True})

        assert await deliveries_verified(shop, connector) == {
            (Flow.STOCK, variant.item_id),
            (Flow.ORDERS, order),
        }

    with_shop(play)


def test_a_subscription_that_shopify_dropped_is_restored() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        await connector.ensure_subscriptions(HOOK)
        shop.store.subscriptions.drop_all()
        assert (await connector.ensure_subscriptions(HOOK)).restored == NEEDED_TOPICS

    with_shop(play)


def test_tokens_end_and_are_renewed_without_a_word() -> None:
    async def play(shop: Shop) -> None:
        held = shop.store.credentials()
        granted, given = shop.connect(), shop.connect(access_token=Secret(held["access_token"]))
        refreshed = shop.connect(refresh_token=Secret(held["refresh_token"]))
        for _ in range(3):
            for connector in (granted, given, refreshed):
                assert len(await connector.list_locations()) == 2
            await asyncio.sleep(86_400)
        assert len(shop.vault.saved) == 3
        assert {call["status"] for call in shop.store.requests.since(0)} == {200}

    with_shop(play)


def test_a_connector_that_paces_itself_is_never_throttled() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        variants = await variants_of(connector)
        items = [variant.item_id for variant in variants.values()]
        for _ in range(300):
            await connector.read_levels(items)
        assert {call["status"] for call in shop.store.requests.since(0)} == {200}
        assert connector.budget.ratio() < 0.5

    with_shop(play)


def test_nor_is_one_whose_calls_go_out_side_by_side() -> None:
    async def play(shop: Shop) -> None:
        connector = shop.connect()
        items = [variant.item_id for variant in (await variants_of(connector)).values()]

        async def read_on() -> None:
            for _ in range(50):
                await connector.read_levels(items)

        await asyncio.gather(*(read_on() for _ in range(8)))
        costs = [call["cost"] for call in shop.store.requests.since(0) if call["operation"] == "inventoryLevels"]
        assert (len(costs), None in costs) == (400, False)

    slow = FaultSettings(latency_ms=(20, 200))
    with_shop(play, ShopifyOptions(bucket_size=200.0, restore_rate=50.0), faults=slow)
