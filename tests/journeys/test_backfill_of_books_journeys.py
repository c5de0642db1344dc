"""The books of the past come with a backfill's orders: fees and payouts of days that were before the bridge."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec

from builders.backfills import DAY, ask, past, state
from builders.copying import both_databases
from builders.journeys import MAIN, Journey, Play, travel
from builders.quiet import until_found
from builders.weather import in_every_weather
from storebridge.connectors.http import Request, Response, Transport
from storebridge.operations.backfill_orders import backfill_line
from storebridge.operations.show_settlement import show_settlement
from storebridge.store.columns import EPOCH
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.shop.state import SCOPES


def play_booked_past(play: Play, **settings: Any) -> None:
    """A shop with Shopify Payments; its books are read seldom, so that nothing but the backfill reads the past."""
    travel(play, settlement_poll_seconds=30 * DAY, **settings)


async def _books_of_the_past(journey: Journey) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """What the first order's day misses, and how it tells of money."""
    terms = journey.bridge.workspaces[MAIN].terms
    (placed,) = await journey.rows("select min(placed_at) from sales")
    day = (EPOCH + timedelta(microseconds=placed[0])).date()
    kept = await show_settlement(journey.store, terms, day)
    lines = [(line.kind.value, line.state.value) for line in kept.statement.lines if line.connection == "shopify"]
    return kept.statement.gaps, sorted(lines)


@in_every_weather
@both_databases
def test_the_books_of_the_past_come_with_its_orders_and_its_days_are_settled_with_fees_and_payouts(
    postgres: bool,
) -> None:
    async def play(journey: Journey) -> None:
        await past(journey, "shopify", 2, days=40.0)
        await journey.begin(settle=600.0)
        assert await journey.rows("select count(*) from provider_entries") == [(0,)]
        await ask(journey, 60, connection="shopify")
        await journey.pass_time(1200.0)
        one = (await state(journey))["shopify"]
        assert (one.state, one.listed, one.booked, one.note) == ("done", 2, 2, "")
        gaps, told = await _books_of_the_past(journey)
        assert gaps == ()
        payment = [("order", "none"), ("payment", "paid_out"), ("fee", "paid_out")]
        assert told == sorted([*payment, *payment])
        payouts = await journey.rows("select state, entries_read_as from provider_payouts")
        assert payouts == [("paid", "paid")]
        assert await journey.reasons() == []

    play_booked_past(play, postgres=postgres)


@in_every_weather
def test_a_backfill_that_dies_amid_the_books_is_resumed_and_reads_every_entry_once() -> None:
    async def play(journey: Journey) -> None:
        await past(journey, "shopify", 3, days=40.0)
        await journey.begin(settle=600.0)
        await ask(journey, 60, connection="shopify")
        await until_found(journey, "select stage from backfills", [("payout_entries",)], every=0.02)
        await journey.kill()
        await journey.start()
        await journey.pass_time(1200.0)
        one = (await state(journey))["shopify"]
        assert (one.state, one.booked) == ("done", 3)
        assert await journey.rows("select count(*) from provider_entries") == [(3,)]

    play_booked_past(play)


# Calm: what a person is told at each moment is compared word for word.
def test_a_person_sees_that_the_books_are_being_read_and_how_far_that_is() -> None:
    async def play(journey: Journey) -> None:
        await past(journey, "shopify", 2, days=3.0)
        await past(journey, "shopify", 1, days=37.0)
        await journey.begin(settle=600.0)
        await ask(journey, 60, connection="shopify")
        told = []
        for _ in range(4000):
            told.append(backfill_line((await state(journey))["shopify"]).partition(": ")[2])
            if told[-1].startswith("done"):
                break
            await journey.wait(0.02)
        read = "3 orders listed, 3 of them read"
        books = f"running, 99 %, {read}; now its provider's books are being read"
        assert list(dict.fromkeys(told))[-5:] == [
            f"{books}: 0 payouts listed.",
            f"{books}: 0 of 2 payouts, 0 entries.",
            f"{books}: 1 of 2 payouts, 1 entry.",
            f"{books}: 2 of 2 payouts, 3 entries.",
            f"done, 100 %, {read}, 3 entries of its provider's books.",
        ]

    play_booked_past(play)


class EmptyPageFirst:
    """A store that answers the first question for what was booked with a page that holds nothing, and goes on."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.told: list[int] = []
        """How many entries each page held."""

    async def send(self, request: Request) -> Response:
        if b"query balanceTransactions" not in request.body or b"processed_at" not in request.body:
            return await self._transport.send(request)
        asked = json.loads(request.body)
        begins = asked["variables"]["after"] is None
        if asked["variables"]["after"] == "nothing-yet":
            asked["variables"]["after"] = None
        answer = await self._transport.send(msgspec.structs.replace(request, body=json.dumps(asked).encode()))
        told = json.loads(answer.body)
        page = told["data"]["account"]["page"]
        if begins:
            page |= {"nodes": [], "pageInfo": {**page["pageInfo"], "hasNextPage": True, "endCursor": "nothing-yet"}}
        self.told.append(len(page["nodes"]))
        return msgspec.structs.replace(answer, body=json.dumps(told).encode())

    async def close(self) -> None:
        await self._transport.close()


# Calm: the odd pages are counted.
def test_an_empty_page_is_not_taken_for_the_end_of_the_books() -> None:
    async def play(journey: Journey) -> None:
        await past(journey, "shopify", 1, days=40.0)
        odd = EmptyPageFirst(journey.network)
        journey.wrap_transport = lambda _: odd
        await journey.begin(settle=600.0)
        odd.told.clear()
        await ask(journey, 60, connection="shopify")
        await journey.pass_time(1200.0)
        one = (await state(journey))["shopify"]
        assert (one.state, one.booked, odd.told) == ("done", 1, [0, 1])

    play_booked_past(play)


@in_every_weather
def test_days_whose_books_are_not_shown_say_so_and_the_backfill_ends() -> None:
    async def play(journey: Journey) -> None:
        await past(journey, "shopify", 1, days=40.0)
        await journey.begin(settle=600.0)
        await ask(journey, 60, connection="shopify")
        await journey.pass_time(1200.0)
        one = (await state(journey))["shopify"]
        assert (one.state, one.listed, one.booked) == ("done", 1, 0)
        assert "does not show its payment provider's books" in one.note
        assert "fees and payouts of these days stay unknown" in one.note
        (gap,), _ = await _books_of_the_past(journey)
        assert gap == "fees and payouts of shopify are missing on this day: its payment provider's books are hidden"

    granted = tuple(scope for scope in SCOPES if scope != "read_shopify_payments_payouts")
    play_booked_past(play, shopify=ShopifyOptions(granted_scopes=granted))
