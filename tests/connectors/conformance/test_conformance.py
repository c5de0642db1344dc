"""What every connector must do the same way: one suite, played with each against its pretend store."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from two_stores import HOOK, UNKNOWN_ITEMS, Bench, outcomes, with_store, write_of

from storebridge.connectors.ceilings import MOST_PER_COUNTER
from storebridge.connectors.port import (
    BadSignature,
    CallTrouble,
    Precondition,
    Remedy,
    RowOutcome,
    WriteStyle,
)
from storebridge.model.ids import ItemId, OrderId
from storebridge.model.orders import ChangeCursor, OrderFacts
from storebridge.model.signals import Flow

pytestmark = pytest.mark.parametrize("kind", ["shopify", "wix"])


# -- who the store is and what it sells ----------------------------------------------------------------------


def test_a_store_that_is_set_up_can_be_written_and_says_who_it_is(kind: str) -> None:
    async def play(bench: Bench) -> None:
        facts = await bench.connector.probe()
        held = await bench.call("GET", "credentials")

        assert facts.account == held["shop" if kind == "shopify" else "site_id"]
        assert facts.can_write_stock
        assert [finding.precondition for finding in facts.findings if not finding.holds] == []
        assert Precondition.SCOPES_GRANTED in {finding.precondition for finding in facts.findings}
        assert (bench.connector.kind, bench.connector.name) == (kind, kind)
        assert (
            bench.connector.capabilities.write_style
            is {
                "shopify": WriteStyle.KEYED,
                "wix": WriteStyle.REVISION,
            }[kind]
        )

    with_store(kind, play)


def test_locations_are_active_and_told_apart(kind: str) -> None:
    async def play(bench: Bench) -> None:
        places = await bench.connector.list_locations()

        assert len({place.location_id for place in places}) == len(places) > 0
        assert {place.location_id for place in places} >= {where for _, where, _ in await bench.truth()}
        assert any(place.active and place.sells_online for place in places)

    with_store(kind, play)


def test_every_variant_has_an_item_id_of_its_own(kind: str) -> None:
    async def play(bench: Bench) -> None:
        variants = await bench.variants()
        items = {variant.item_id for variant in variants}

        assert len(items) == len({variant.variant_id for variant in variants}) == len(variants) > 100
        assert {variant.sku for variant in variants} >= {sku for sku, _, _ in await bench.truth()}
        assert [variant for variant in variants if variant.price is None or variant.price.amount <= 0] == []

    with_store(kind, play)


def test_levels_are_read_as_the_store_keeps_them(kind: str) -> None:
    async def play(bench: Bench) -> None:
        skus = {variant.item_id: variant.sku or "" for variant in await bench.variants()}
        before = bench.clock.now()
        readings = await bench.read(list(skus))
        shown = {
            (skus[reading.item_id], str(reading.location_id), reading.available)
            for reading in readings
            if reading.available is not None
        }
        once = await bench.connector.read_levels(list(skus)[:1])

        assert shown == await bench.truth()
        assert len({(reading.item_id, reading.location_id) for reading in readings}) == len(readings)
        assert before <= once.sent_at <= bench.clock.now()
        assert once.asked == tuple(list(skus)[:1])

    with_store(kind, play)


# -- writes --------------------------------------------------------------------------------------------------


def test_a_stock_write_moves_the_level_to_what_was_asked(kind: str) -> None:
    async def play(bench: Bench) -> None:
        chosen = await bench.in_stock(count=3)
        rows = [write_of(reading, place) for place, (_, reading) in enumerate(chosen)]
        call = bench.connector.encode_stock_call(rows, "key-1", "call_1")
        answer = await bench.connector.send_stock_call(call)

        assert call == bench.connector.encode_stock_call(rows, "key-1", "call_1")
        assert call.intents == tuple(row.intent_id for row in rows)
        assert [(row.intent_id, row.outcome) for row in answer.rows] == [
            (row.intent_id, RowOutcome.APPLIED) for row in rows
        ]
        assert [(await bench.reading_again(reading)).available for _, reading in chosen] == [0, 1, 2]
        for place, (sku, reading) in enumerate(chosen):
            assert await bench.moves(sku) == [(place - (reading.available or 0), "api")]

    with_store(kind, play)


def test_a_counter_takes_the_most_that_is_declared_and_not_a_unit_more(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((_, reading),) = await bench.in_stock()
        most = bench.connector.capabilities.most_per_counter
        assert most == MOST_PER_COUNTER[kind]
        assert outcomes(await bench.set(write_of(reading, most))) == [RowOutcome.APPLIED]
        full = await bench.reading_again(reading)
        if kind == "wix":  # the whole call is refused, before any row of it is looked at
            with pytest.raises(CallTrouble, match="must be less than or equal to 99999") as refused:
                await bench.set(write_of(full, most + 1), key="key-2")
            assert refused.value.remedy is Remedy.STOP
        else:
            assert outcomes(await bench.set(write_of(full, most + 1), key="key-2")) == [RowOutcome.REFUSED]
        assert (await bench.reading_again(reading)).available == most

    with_store(kind, play)


def test_a_stale_write_changes_nothing_and_says_so(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((sku, reading),) = await bench.in_stock()
        await bench.buy(sku, 1)
        before = await bench.truth()
        answer = await bench.set(write_of(reading, 0))

        assert outcomes(answer) == [RowOutcome.STALE]
        assert await bench.truth() == before
        assert [cause for _, cause in await bench.moves(sku)] == ["sale"]

    with_store(kind, play)


def test_beside_a_stale_row_every_other_row_tells_what_became_of_it(kind: str) -> None:
    async def play(bench: Bench) -> None:
        (sold, stale), (kept, fresh) = await bench.in_stock(count=2)
        await bench.buy(sold, 1)
        answer = await bench.set(write_of(stale, 0), write_of(fresh, 1))
        refuses_all = bench.connector.capabilities.one_stale_row_refuses_all
        level = (await bench.reading_again(fresh)).available

        assert outcomes(answer) == [RowOutcome.STALE, RowOutcome.NOT_TRIED if refuses_all else RowOutcome.APPLIED]
        assert level == (fresh.available if refuses_all else 1)
        assert await bench.moves(kept) == ([] if refuses_all else [(1 - (fresh.available or 0), "api")])

    with_store(kind, play)


def test_the_same_bytes_again_change_nothing_more(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((sku, reading),) = await bench.in_stock()
        call = bench.connector.encode_stock_call([write_of(reading, 3)], "key-1", "call_1")
        first = await bench.connector.send_stock_call(call)
        await bench.buy(sku, 1)
        again = await bench.connector.send_stock_call(call)

        assert outcomes(first) == [RowOutcome.APPLIED]
        assert outcomes(again)[0] in (RowOutcome.APPLIED, RowOutcome.STALE)
        assert await bench.moves(sku) == [(3 - (reading.available or 0), "api"), (-1, "sale")]

    with_store(kind, play)


def test_an_unknown_item_is_missing_and_a_write_to_it_refused(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((_, known),) = await bench.in_stock()
        unknown = ItemId(UNKNOWN_ITEMS[kind])
        before = await bench.truth()
        read = await bench.connector.read_levels([unknown, known.item_id])
        lost = write_of(known, 1, item_id=unknown, native_id="00000000-0000-4000-8000-000000000003")

        assert read.missing == (unknown,)
        assert {reading.item_id for reading in read.readings} == {known.item_id}
        assert outcomes(await bench.set(lost)) == [RowOutcome.REFUSED]
        assert await bench.truth() == before

    with_store(kind, play)


# -- lost answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "lands"),
    [
        ({"timeout_applied": 1.0}, True),
        ({"timeout_not_applied": 1.0}, False),
        ({"http_5xx": 1.0, "http_5xx_applied": 1.0}, True),
        ({"http_5xx": 1.0}, False),
        ({"partitioned": True}, False),
    ],
)
def test_a_write_without_a_plain_answer_has_an_unknown_outcome_until_it_is_sent_again(
    kind: str, faults: dict[str, object], lands: bool
) -> None:
    async def play(bench: Bench) -> None:
        ((sku, reading),) = await bench.in_stock()
        call = bench.connector.encode_stock_call([write_of(reading, 1)], "key-1", "call_1")
        await bench.fail_with(**faults)
        with pytest.raises(CallTrouble) as caught:
            await bench.connector.send_stock_call(call)
        await bench.fail_with()
        moved = (1 - (reading.available or 0), "api")
        landed = await bench.moves(sku)
        answer = await bench.connector.send_stock_call(call)

        assert caught.value.remedy is Remedy.UNKNOWN_OUTCOME
        assert landed == ([moved] if lands else [])
        assert await bench.moves(sku) == [moved]
        assert outcomes(answer)[0] in ((RowOutcome.APPLIED, RowOutcome.STALE) if lands else (RowOutcome.APPLIED,))

    with_store(kind, play)


@pytest.mark.parametrize("faults", [{"timeout_not_applied": 1.0}, {"http_5xx": 1.0}, {"partitioned": True}])
def test_a_read_without_an_answer_may_be_tried_again(kind: str, faults: dict[str, object]) -> None:
    async def play(bench: Bench) -> None:
        ((_, reading),) = await bench.in_stock()
        await bench.fail_with(**faults)
        with pytest.raises(CallTrouble) as caught:
            await bench.connector.read_levels([reading.item_id])
        await bench.fail_with()

        assert caught.value.remedy is Remedy.RETRY
        assert (await bench.reading_again(reading)).available == reading.available

    with_store(kind, play)


def test_a_refusal_for_the_rate_changes_nothing_and_says_how_long_to_wait(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((sku, reading),) = await bench.in_stock()
        call = bench.connector.encode_stock_call([write_of(reading, 1)], "key-1", "call_1")
        await bench.fail_with(http_429=1.0)
        with pytest.raises(CallTrouble) as caught:
            await bench.connector.send_stock_call(call)
        await bench.fail_with()
        wait = bench.connector.budget.wait_seconds(call.operation, 1)
        await asyncio.sleep(wait)

        assert caught.value.remedy is Remedy.SLOW_DOWN
        assert 0.0 < wait <= 60.0
        assert await bench.moves(sku) == []
        assert outcomes(await bench.connector.send_stock_call(call)) == [RowOutcome.APPLIED]

    with_store(kind, play)


# -- orders --------------------------------------------------------------------------------------------------


def counts(orders: list[OrderFacts]) -> list[tuple[str | None, int, int]]:
    return [(line.sku, line.sold, line.restocked) for order in orders for line in order.lines]


def test_a_sale_and_a_cancel_are_shown_with_what_they_took_and_gave_back(kind: str) -> None:
    async def play(bench: Bench) -> None:
        (first, reading), (second, _) = await bench.in_stock(count=2)
        since = ChangeCursor(bench.clock.now())
        kept = await bench.buy(first, 2)
        await asyncio.sleep(5)
        gone = await bench.buy(second, 1)
        await asyncio.sleep(5)
        middle = ChangeCursor(bench.clock.now() - timedelta(seconds=2))
        await bench.call("POST", f"orders/{gone}/cancel", {"restock": True})
        orders = await bench.changed(since)

        assert [(order.order_id, order.cancelled) for order in orders] == [(kept, False), (gone, True)]
        assert counts(orders) == [(first, 2, 0), (second, 1, 1)]
        assert orders[0].lines[0].item_id == reading.item_id
        assert [order.origin for order in orders] == [None, None]
        assert [order.order_id for order in await bench.changed(middle)] == [gone]

    with_store(kind, play)


def test_a_cancel_without_restock_gives_nothing_back(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((sku, _),) = await bench.in_stock()
        since = ChangeCursor(bench.clock.now())
        order = await bench.buy(sku, 2)
        await bench.call("POST", f"orders/{order}/cancel", {"restock": False})
        orders = await bench.changed(since)

        assert (orders[0].cancelled, counts(orders)) == (True, [(sku, 2, 0)])
        assert [cause for _, cause in await bench.moves(sku)] == ["sale"]

    with_store(kind, play)


def test_orders_by_id_say_the_same_as_the_listing(kind: str) -> None:
    async def play(bench: Bench) -> None:
        (first, _), (second, _) = await bench.in_stock(count=2)
        since = ChangeCursor(bench.clock.now())
        orders = [await bench.buy(first, 2), await bench.buy(second, 1)]
        lines = [{"sku": first, "quantity": 1, "restock": True}]
        await bench.call("POST", f"orders/{orders[0]}/refund", {"lines": lines, "amount": "1.00"})
        listed = await bench.changed(since)
        by_id = await bench.connector.read_orders([OrderId(order) for order in orders])

        assert sorted(counts(list(by_id))) == sorted([(first, 2, 1), (second, 1, 0)])
        assert sorted(by_id, key=lambda order: order.order_id) == sorted(listed, key=lambda order: order.order_id)

    with_store(kind, play)


def test_a_long_listing_comes_in_pages_oldest_change_first_and_each_order_once(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((sku, _),) = await bench.in_stock()
        await bench.call("POST", "adjust", {"sku": sku, "set": 500})
        since = ChangeCursor(bench.clock.now())
        made = []
        for _ in range(120):
            made.append(await bench.buy(sku, 1))
            await asyncio.sleep(2)
        orders = await bench.changed(since)

        assert [order.order_id for order in orders] == made
        assert [order.updated_at for order in orders] == sorted(order.updated_at for order in orders)

    with_store(kind, play)


# -- webhooks ------------------------------------------------------------------------------------------------


def test_subscribing_twice_leaves_what_is_there(kind: str) -> None:
    async def play(bench: Bench) -> None:
        await bench.connector.ensure_subscriptions(HOOK)
        again = await bench.connector.ensure_subscriptions(HOOK)
        once_more = await bench.connector.ensure_subscriptions(HOOK)

        assert again == once_more
        assert (again.restored, again.manual) == ((), ())
        assert {found.address for found in again.present} == {HOOK}

    with_store(kind, play)


async def subscribed_letters(bench: Bench) -> list[tuple[Any, bytes]]:
    await asyncio.sleep(5)
    return list(zip(bench.letters.headers, bench.letters.bodies, strict=True))


def test_deliveries_verify_and_point_at_the_item_and_the_order(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((sku, reading),) = await bench.in_stock()
        await bench.connector.ensure_subscriptions(HOOK)
        await bench.connector.ensure_subscriptions(HOOK)
        order = await bench.buy(sku, 1)
        verified = [bench.connector.webhooks.verify(*letter) for letter in await subscribed_letters(bench)]
        hints = {(hint.flow, hint.entity) for delivery in verified for hint in delivery.hints}

        assert hints == {(Flow.STOCK, reading.item_id), (Flow.ORDERS, order)}
        assert [delivery.problem for delivery in verified if delivery.problem] == []
        assert len({delivery.delivery_id for delivery in verified}) == len(verified)

    with_store(kind, play)


def test_the_same_delivery_twice_has_one_id(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((sku, _),) = await bench.in_stock()
        await bench.connector.ensure_subscriptions(HOOK)
        await bench.fail_with(webhook_duplicate=1.0)
        await bench.buy(sku, 1)
        verified = [bench.connector.webhooks.verify(*letter) for letter in await subscribed_letters(bench)]

        assert len({delivery.delivery_id for delivery in verified}) * 2 == len(verified) > 0

    with_store(kind, play)


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7])
def test_one_changed_byte_and_the_delivery_is_refused(kind: str, place: float) -> None:
    async def play(bench: Bench) -> None:
        ((sku, _),) = await bench.in_stock()
        await bench.connector.ensure_subscriptions(HOOK)
        await bench.buy(sku, 1)
        letters = await subscribed_letters(bench)
        assert len(letters) >= 2
        for headers, body in letters:
            at = int(len(body) * place)
            changed = body[:at] + (b"A" if body[at : at + 1] != b"A" else b"B") + body[at + 1 :]
            with pytest.raises(BadSignature):
                bench.connector.webhooks.verify(headers, changed)

    with_store(kind, play)


@pytest.mark.parametrize("body", [b"", b"{}", b"a.b.c", b"\xff\xfe", b"[" * 100_000])
def test_bytes_that_nobody_signed_are_refused(kind: str, body: bytes) -> None:
    async def play(bench: Bench) -> None:
        for headers in ({}, {"x-shopify-hmac-sha256": "bm8=", "x-shopify-topic": "orders/create"}):
            with pytest.raises(BadSignature):
                bench.connector.webhooks.verify(headers, body)

    with_store(kind, play)


# -- budget --------------------------------------------------------------------------------------------------


def test_the_budget_is_a_share_and_is_spent(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((_, reading),) = await bench.in_stock()
        await asyncio.sleep(120)
        full = bench.connector.budget.ratio()
        for _ in range(5):
            await bench.connector.read_levels([reading.item_id])
        spent = bench.connector.budget.ratio()

        assert 0.0 <= spent < full <= 1.0
        refused = [call for call in (await bench.call("GET", "requests?since=0"))["requests"] if call["status"] != 200]
        assert refused == []

    with_store(kind, play)


def test_a_token_that_the_store_has_ended_is_renewed_without_a_word(kind: str) -> None:
    async def play(bench: Bench) -> None:
        before = await bench.connector.list_locations()
        await bench.call("POST", "tokens/revoke", {})

        assert await bench.connector.list_locations() == before

    with_store(kind, play)


def test_an_encoded_call_survives_the_journal(kind: str) -> None:
    async def play(bench: Bench) -> None:
        ((_, reading),) = await bench.in_stock()
        call = bench.connector.encode_stock_call([write_of(reading, 1)], "key-1", "call_1")
        kept = msgspec.json.decode(msgspec.json.encode(call), type=type(call))

        assert kept == call
        assert outcomes(await bench.connector.send_stock_call(kept)) == [RowOutcome.APPLIED]

    with_store(kind, play)
