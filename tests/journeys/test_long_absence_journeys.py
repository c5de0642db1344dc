"""The bridge was off for weeks, or an order comes back after a year: nothing is missed, and nothing told anew."""

from __future__ import annotations

from datetime import timedelta

from builders.copying import both_ways, change_order, copied, copying, fulfil
from builders.days import DAY, days_pass
from builders.journeys import MAIN, Journey, travel
from builders.weather import in_every_weather
from storebridge.operations.show_settlement import show_settlement
from storebridge.store.settlements import ask_statements
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions


async def left_off(journey: Journey, days: float) -> None:
    """The bridge is off for so long, and then for some hours on again."""
    await journey.kill()
    await journey.clock.sleep(days * DAY)
    await journey.start()
    await journey.pass_time(6 * 3600.0)


@in_every_weather
def test_payouts_of_the_weeks_in_which_the_bridge_was_off_are_read_when_it_is_back() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        sold_on = journey.clock.now().date()
        await journey.buy("shopify", 1)
        await journey.pass_time(3 * 3600.0)
        await left_off(journey, 40)
        terms = journey.bridge.workspaces[MAIN].terms
        sold, paid = [await show_settlement(journey.store, terms, sold_on + timedelta(days=days)) for days in (0, 2)]
        assert [(line.kind, str(line.amount), line.state) for line in sold.statement.lines] == [
            ("order", "19.90 EUR", "none"),
            ("payment", "19.90 EUR", "paid_out"),
            ("fee", "-0.72 EUR", "paid_out"),
        ]
        assert [(line.kind, str(line.amount)) for line in paid.statement.lines] == [("payout", "19.18 EUR")]
        assert await journey.reasons_beside_outages() == []

    days_pass(play)


async def named(journey: Journey) -> list[str]:
    """The tables in which Ann stands, with orders, copies and what was written to them."""
    found = []
    for table, column in (("sales", "document"), ("copies", "document"), ("order_writes", "payload")):
        rows = await journey.rows(f"select {column} from {table}")
        found += [table for row in rows if "example.org" in str(row)]
    return found


@in_every_weather
@both_ways
def test_a_refund_long_after_the_buyer_was_forgotten_changes_nobody_in_the_order_or_its_copy(
    sold_in: str, copied_to: str
) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to)
        await fulfil(journey, copied_to, copy_id, 2, "1Z1")
        await journey.pass_time(6 * 3600.0)
        if copied_to == "shopify":
            await change_order(journey, "shopify", copy_id, note="packed by Tom")
        assert set(await named(journey)) == {"sales", "copies", "order_writes"}
        await journey.pass_time(8 * DAY)
        assert await named(journey) == []

        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/refund", {"lines": [], "amount": "5.00"})
        await journey.pass_time(6 * 3600.0)
        view = (await journey.queue())[sold_in]
        happened = {one.kind for one in view.history}
        assert happened == {"placed", "copied", "shipped", "payment", "refunded"}
        kinds = [kind for (kind,) in await journey.rows("select kind from order_writes order by created_at, write_id")]
        assert ("change_details" in kinds, "refund_copy" in kinds) == (False, True)
        assert await named(journey) == []
        assert await journey.reasons_beside_outages() == []

    days_pass(play, buyer_retention_days=7, **copying(copied_to))


@in_every_weather
def test_a_copy_that_is_read_long_after_its_buyer_was_forgotten_names_nobody() -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, "wix", "shopify")
        await fulfil(journey, "shopify", copy_id, 2, "1Z1")
        await journey.pass_time(8 * DAY)
        await change_order(journey, "shopify", copy_id, tag="archived by Tom")
        await journey.pass_time(6 * 3600.0)
        assert await journey.rows("select count(*) from copies where document like '%archived by Tom%'") == [(1,)]
        assert await named(journey) == []

    days_pass(play, buyer_retention_days=7, **copying("shopify"))


UNLISTED = {"rules": [{"operation": "orders", "rates": {"http_5xx": 1.0}}]}
WIX_UNLISTED = {"rules": [{"operation": "searchOrders", "rates": {"http_5xx": 1.0}}]}


async def labels(journey: Journey) -> list[tuple[str, int]]:
    """What was booked as somebody's doing."""
    rows = await journey.rows("select kind, units from ledger where kind in ('manual', 'copy') order by seq")
    return [(str(kind), int(units)) for kind, units in rows]


@in_every_weather
def test_an_edit_made_while_orders_could_not_be_listed_for_hours_is_booked_once_they_can() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=600.0)
        await journey.faults("shopify", **UNLISTED)
        await journey.shopify.adjust("A", delta=-3)
        await journey.wait(3 * 3600.0)
        assert await labels(journey) == []
        await journey.faults("shopify")
        await journey.pass_time(600.0)
        assert (await labels(journey), await journey.levels()) == ([("manual", -3)], {"shopify": 7, "wix": 7})

    travel(play)


def test_an_edit_is_booked_also_where_orders_are_polled_every_two_hours() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=600.0)
        await journey.shopify.adjust("A", delta=-3)
        await journey.pass_time(6 * 3600.0)
        assert (await labels(journey), await journey.levels()) == ([("manual", -3)], {"shopify": 7, "wix": 7})

    travel(play, order_poll_seconds=7200.0)


@in_every_weather
def test_what_a_copy_took_while_orders_could_not_be_listed_for_hours_is_the_copys_doing_still() -> None:
    takes = WixOptions(quirks=WixQuirks(w9_imports_take_stock=True))

    async def play(journey: Journey) -> None:
        await journey.begin(settle=600.0)
        await journey.faults("wix", **WIX_UNLISTED)
        await journey.buy("shopify", 2)
        await journey.wait(3 * 3600.0)
        await journey.faults("wix")
        await journey.pass_time(900.0)
        assert (await labels(journey), await journey.goods_left()) == ([("copy", -2)], 8)

    travel(play, wix=takes, copies_take={"wix": "when_made"}, **copying("wix"))


def test_every_day_of_a_stop_gets_its_statement_also_when_yesterdays_was_asked_for_first() -> None:
    """Where many shops are kept, one's orders are read before its turn to be settled comes."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        terms = journey.bridge.workspaces[MAIN].terms
        await journey.pass_time(DAY)
        await journey.kill()
        await journey.clock.sleep(8 * DAY)
        today = journey.clock.now().date()
        await journey.store.run(ask_statements, terms, [today - timedelta(days=1)])
        await journey.start()
        await journey.pass_time(3 * 3600.0)
        days = [day for (day,) in await journey.rows("select distinct day from settlements order by day")]
        assert days == [(today - timedelta(days=back)).isoformat() for back in range(10, 0, -1)]

    days_pass(play)
