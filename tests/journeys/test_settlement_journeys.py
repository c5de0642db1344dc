"""A day's money reconciled from orders and the provider's books: to the cent, each line with its order, or a case."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from builders.days import DAY, days_pass
from builders.journeys import MAIN, Journey, travel
from builders.weather import in_every_weather
from storebridge.flows.settlement import DayFacts
from storebridge.model.settlement import Figures, KeptStatement, Link, Statement, StatementState
from storebridge.operations.show_invoice import show_invoice
from storebridge.operations.show_settlement import show_settlement
from storebridge.reconcile import settlement
from storebridge.store.database import Tx
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.shop.state import SCOPES

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])


def today(journey: Journey) -> date:
    return journey.clock.now().date()


async def to_next_morning(journey: Journey) -> None:
    """Until two hours after the next midnight: the day is over and settled."""
    now = journey.clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    await journey.pass_time((midnight - now).total_seconds() + 2 * 3600.0)


async def settled(journey: Journey, day: date, version: int | None = None) -> KeptStatement:
    return await show_settlement(journey.store, journey.bridge.workspaces[MAIN].terms, day, version=version)


async def versions(journey: Journey, day: date) -> list[tuple[int, str]]:
    rows = await journey.rows(f"select version, state from settlements where day = '{day}' order by version")
    return [(number, state) for number, state in rows]


def of(kept: KeptStatement, store: str) -> Figures:
    (found,) = (one for one in kept.statement.figures if one.connection == store)
    return found


def test_a_day_of_stores_that_were_never_asked_is_not_settled() -> None:
    async def play(journey: Journey) -> None:
        journey.build()
        yesterday = today(journey) - timedelta(days=1)
        kept = (await settled(journey, yesterday)).statement
        assert kept.state is StatementState.OPEN
        assert [gap.partition(":")[0] for gap in kept.gaps] == [
            "fees and payouts of shopify are missing on this day",
            "fees and payouts of wix are missing on this day",
        ]

    days_pass(play)


def lines(kept: KeptStatement, store: str) -> list[tuple[str, str, str, str]]:
    """(kind, amount, order, state) of one store."""
    return [
        (one.kind.value, one.amount.in_coins, one.order_name, one.state.value)
        for one in kept.statement.lines
        if one.connection == store
    ]


def sums(kept: KeptStatement, what: str, store: str) -> tuple[str, str, str, str]:
    (found,) = (one for one in kept.statement.agreements if (one.what, one.connection) == (what, store))
    return found.ours.in_coins, found.theirs.in_coins, found.awaited.in_coins, found.difference.in_coins


async def refund(journey: Journey, store: str, order_id: str, amount: str, units: int = 1) -> None:
    body = {"lines": [{"sku": "A", "quantity": units, "restock": True}], "amount": amount}
    await journey.sandbox(store, "POST", f"orders/{order_id}/refund", body)


@in_every_weather
@both_databases
def test_a_day_of_sales_refund_and_fee_is_settled_when_its_payout_is_in_the_bank(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        first = await journey.buy("shopify", 2)
        await journey.buy("wix", 1)
        await journey.pass_time(600.0)
        await refund(journey, "shopify", first, "19.90")
        await to_next_morning(journey)

        morning = await settled(journey, day)
        assert (morning.version, morning.statement.state) == (1, StatementState.OPEN)
        assert lines(morning, "shopify") == [
            ("order", "39.80", "#1001", "none"),
            ("payment", "39.80", "#1001", "booked"),
            ("fee", "-1.14", "#1001", "booked"),
            ("refund", "-19.90", "#1001", "booked"),
        ]
        assert [line.link for line in morning.statement.lines] == [Link.ORDER] * 6
        figures = of(morning, "shopify")
        assert [str(one) for one in (figures.ordered, figures.received, figures.refunded, figures.fees)] == [
            "39.80 EUR",
            "39.80 EUR",
            "-19.90 EUR",
            "-1.14 EUR",
        ]
        assert (figures.orders, str(figures.net), str(figures.booked)) == (1, "18.76 EUR", "18.76 EUR")
        assert lines(morning, "wix") == [("order", "19.90", "10001", "none"), ("payment", "19.90", "10001", "outside")]
        assert sums(morning, "booked", "shopify") == ("19.90", "19.90", "0.00", "0.00")
        assert sums(morning, "total", "wix") == ("19.90", "19.90", "0.00", "0.00")
        assert morning.statement.differences == ()

        await journey.pass_time(2 * DAY)
        paid = await settled(journey, day)
        assert (paid.version, paid.statement.state) == (2, StatementState.SETTLED)
        assert str(of(paid, "shopify").paid_out) == "18.76 EUR"
        issued = await settled(journey, day + timedelta(days=2))
        assert [(one.amount.in_coins, one.link, one.note) for one in issued.statement.lines] == [
            ("18.76", Link.ENTRIES, "paid, 2 entries")
        ]
        assert sums(issued, "payout", "shopify") == ("18.76", "18.76", "0.00", "0.00")
        assert await versions(journey, day) == [(1, "open"), (2, "settled")]
        assert (await settled(journey, day, 1)).digest == morning.digest
        assert await journey.reasons() == []

    days_pass(play, postgres=postgres)


@in_every_weather
@both_databases
def test_a_chargeback_takes_the_money_back_and_its_reversal_gives_it_again(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        for store in ("shopify", "wix"):
            order_id = await journey.buy(store, 1)
            await journey.pass_time(600.0)
            await journey.sandbox(store, "POST", f"orders/{order_id}/chargeback", {})
            await journey.pass_time(600.0)
            await journey.sandbox(store, "POST", f"orders/{order_id}/chargeback", {"reverse": True})
        await to_next_morning(journey)

        kept = await settled(journey, day)
        assert lines(kept, "shopify") == [
            ("order", "19.90", "#1001", "none"),
            ("payment", "19.90", "#1001", "booked"),
            ("fee", "-0.72", "#1001", "booked"),
            ("chargeback", "-19.90", "#1001", "booked"),
            ("fee", "-15.00", "#1001", "booked"),
            ("chargeback_reversal", "19.90", "#1001", "booked"),
            ("fee", "15.00", "#1001", "booked"),
        ]
        assert lines(kept, "wix")[2:] == [
            ("chargeback", "-19.90", "10001", "outside"),
            ("chargeback_reversal", "19.90", "10001", "outside"),
        ]
        assert (str(of(kept, "shopify").charged_back), str(of(kept, "shopify").net)) == ("0.00 EUR", "19.18 EUR")
        assert str(of(kept, "wix").net) == "19.90 EUR"
        assert await journey.reasons() == []

    days_pass(play, postgres=postgres)


@in_every_weather
@both_databases
def test_a_payment_that_the_provider_never_booked_is_a_case_until_it_is_booked(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        order_id = await journey.buy("shopify", 1)
        await journey.sandbox("shopify", "PUT", f"orders/{order_id}/booked", {"booked": False})
        await to_next_morning(journey)

        morning = await settled(journey, day)
        assert (morning.version, morning.statement.state) == (1, StatementState.OPEN)
        assert lines(morning, "shopify")[1] == ("payment", "19.90", "#1001", "awaited")
        assert sums(morning, "booked", "shopify") == ("19.90", "0.00", "-19.90", "0.00")
        assert await journey.reasons() == []

        await journey.pass_time(2 * DAY)
        (case,) = await journey.cases("money_not_booked")
        assert case.payload is not None
        told = {name: case.payload[name] for name in ("order", "ours", "theirs", "difference", "day")}
        assert told == {
            "order": "#1001",
            "ours": "19.90 EUR",
            "theirs": "0.00 EUR",
            "difference": "-19.90 EUR",
            "day": day.isoformat(),
        }
        late = await settled(journey, day)
        assert sums(late, "booked", "shopify") == ("19.90", "0.00", "0.00", "-19.90")

        await journey.sandbox("shopify", "PUT", f"orders/{order_id}/booked", {"booked": True})
        await journey.pass_time(2.5 * 3600.0)
        assert await journey.reasons() == []
        (closed,) = await journey.cases("money_not_booked", state=None)
        assert closed.closed_by == "proof"
        found = await settled(journey, day)
        assert (found.version, found.statement.state) == (3, StatementState.SETTLED)
        assert await versions(journey, day) == [(1, "open"), (2, "open"), (3, "settled")]

    days_pass(play, postgres=postgres)


@in_every_weather
@both_databases
def test_a_copied_order_is_counted_once_and_its_copy_is_compared(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        order_id = await journey.buy("shopify", 2)
        await journey.pass_time(600.0)
        assert len((await journey.sandbox("wix", "GET", "truth"))["orders"]) == 1
        await refund(journey, "shopify", order_id, "19.90")
        await to_next_morning(journey)

        kept = await settled(journey, day)
        assert {line.connection for line in kept.statement.lines} == {"shopify"}
        assert (of(kept, "shopify").orders, kept.statement.copies) == (1, 1)
        assert sums(kept, "copied_paid", "wix") == ("39.80", "39.80", "0.00", "0.00")
        assert sums(kept, "copied_refunded", "wix") == ("19.90", "19.90", "0.00", "0.00")
        assert kept.statement.differences == ()

    days_pass(play, postgres=postgres, orders={"copy_to": "wix"})


# Calm: the store is cut off while midnight passes.
@both_databases
def test_what_is_known_late_makes_a_new_version_and_leaves_the_old_one_as_it_was(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        await journey.buy("wix", 1)
        await journey.pass_time(600.0)
        await journey.faults("wix", partitioned=True)
        await journey.buy("wix", 2)
        await to_next_morning(journey)
        early = await settled(journey, day)
        assert [line[:3] for line in lines(early, "wix")] == [
            ("order", "19.90", "10001"),
            ("payment", "19.90", "10001"),
        ]
        assert early.version == 1

        await journey.faults("wix")
        await journey.pass_time(6 * 3600.0)
        late = await settled(journey, day)
        assert (late.version, str(of(late, "wix").received)) == (2, "59.70 EUR")
        again = await settled(journey, day, 1)
        assert (again.digest, again.statement.lines) == (early.digest, early.statement.lines)
        audit = await journey.rows("select subject, record from audit where kind = 'settlement_made' order by number")
        told = [record for subject, record in audit if subject == day.isoformat()]
        assert [digest in record for digest, record in zip([early.digest, late.digest], told, strict=True)] == [
            True
        ] * 2

    days_pass(play, postgres=postgres)


@in_every_weather
def test_a_shop_without_shopify_payments_is_settled_from_its_orders() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        await journey.buy("shopify", 1)
        await to_next_morning(journey)
        kept = await settled(journey, day)
        assert kept.statement.books["shopify"].state == "none"
        assert lines(kept, "shopify")[1] == ("payment", "19.90", "#1001", "outside")
        assert (kept.statement.state, str(of(kept, "shopify").outside)) == (StatementState.SETTLED, "19.90 EUR")
        assert await journey.reasons() == []

    days_pass(play, shopify=ShopifyOptions(pays_with="mollie"))


@in_every_weather
def test_a_missing_scope_is_a_case_and_the_rest_is_settled() -> None:
    granted = tuple(scope for scope in SCOPES if scope != "read_shopify_payments_payouts")

    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        await journey.buy("shopify", 1)
        await to_next_morning(journey)
        (case,) = await journey.cases("books_hidden")
        assert (case.subject, case.whose_move) == ("shopify", "merchant")
        kept = await settled(journey, day)
        assert kept.statement.books["shopify"].state == "hidden"
        assert lines(kept, "shopify") == [
            ("order", "19.90", "#1001", "none"),
            ("payment", "19.90", "#1001", "awaited"),
        ]
        assert (kept.statement.state, kept.statement.differences) == (StatementState.OPEN, ())
        assert sums(kept, "paid", "shopify") == ("19.90", "19.90", "0.00", "0.00")

    days_pass(play, shopify=ShopifyOptions(granted_scopes=granted))


@in_every_weather
def test_a_payout_that_the_bank_sent_back_is_a_case_until_its_money_is_in_another_one() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        await journey.buy("shopify", 1)
        await to_next_morning(journey)
        await journey.pass_time(2 * DAY)
        (payout,) = await journey.rows("select payout_id from provider_payouts")
        await journey.sandbox("shopify", "POST", "payouts/sent_back", {"payout_id": payout[0]})
        await journey.pass_time(2.5 * 3600.0)
        (case,) = await journey.cases("payout_failed")
        assert case.payload is not None
        assert (case.payload["ours"], case.payload["theirs"]) == ("19.18 EUR", "0.00 EUR")
        assert (await settled(journey, day)).statement.state is StatementState.OPEN

        await journey.sandbox("shopify", "POST", "payouts/sent_back", {"payout_id": payout[0], "again": True})
        await to_next_morning(journey)
        assert await journey.reasons() == []
        assert (await settled(journey, day)).statement.state is StatementState.SETTLED
        assert (await settled(journey, day + timedelta(days=2))).statement.state is StatementState.SETTLED

    days_pass(play)


@in_every_weather
def test_money_of_an_order_that_was_not_known_brings_the_order_along() -> None:
    async def play(journey: Journey) -> None:
        day = today(journey)
        await journey.buy("shopify", 1)
        await journey.pass_time(3 * DAY)
        await journey.begin()
        await journey.pass_time(3 * 3600.0)
        kept = await settled(journey, day)
        assert [(line[0], line[2], line[3]) for line in lines(kept, "shopify")] == [
            ("order", "#1001", "none"),
            ("payment", "#1001", "paid_out"),
            ("fee", "#1001", "paid_out"),
        ]
        assert (kept.version, kept.statement.state) == (1, StatementState.SETTLED)
        assert await journey.reasons() == []

    days_pass(play)


@in_every_weather
def test_a_day_begins_and_ends_where_the_merchant_lives() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        now = journey.clock.now()
        late = now.replace(hour=23, minute=30, second=0, microsecond=0)
        await journey.pass_time((late - now).total_seconds())
        await journey.buy("shopify", 1)
        await journey.pass_time(2 * DAY)
        utc_day = late.date()
        assert (await settled(journey, utc_day)).statement.lines == ()
        kept = await settled(journey, utc_day + timedelta(days=1))
        assert lines(kept, "shopify")[0] == ("order", "19.90", "#1001", "none")
        assert kept.statement.begins_at == late.replace(minute=0)

    days_pass(play, time_zone="Europe/Berlin")


# Calm: two processes are played on the database on which no weather is.
@pytest.mark.postgres
def test_two_processes_keep_one_version() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        await journey.buy("wix", 1)
        await journey.pass_time(600.0)
        await journey.start_second()
        await to_next_morning(journey)
        assert await versions(journey, day) == [(1, "settled")]

    days_pass(play, postgres=True)


@in_every_weather
def test_a_day_that_cannot_be_settled_is_a_case_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settlement.statement_of

    def fail(facts: DayFacts) -> Statement:
        if broken and facts.day in broken:
            raise ValueError("19.90 EUR and 5.00 USD cannot be added")
        return made(facts)

    monkeypatch.setattr(settlement, "statement_of", fail)
    broken: set[date] = set()

    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        broken.add(day)
        await journey.buy("wix", 1)
        await to_next_morning(journey)
        (case,) = await journey.cases("work_failed")
        assert (case.subject, case.payload["error"]) == (f"settlement/{day}", "19.90 EUR and 5.00 USD cannot be added")
        assert await versions(journey, day) == []
        await journey.buy("wix", 1)
        await journey.pass_time(1800.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        await to_next_morning(journey)
        assert len(await versions(journey, day + timedelta(days=1))) == 1

        broken.clear()
        await journey.pass_time(2 * 3600.0)
        assert await versions(journey, day) == [(1, "settled")]
        assert await journey.cases("work_failed") == []

    days_pass(play)


@in_every_weather
def test_an_order_has_an_invoice_that_adds_up() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy("shopify", 2)
        await journey.pass_time(600.0)
        await refund(journey, "shopify", order_id, "19.90")
        await journey.pass_time(600.0)
        found = await show_invoice(journey.store, journey.bridge.workspaces[MAIN].terms, "#1001")
        (line,) = found.lines
        assert (line.sku, line.units, str(line.unit_price.shop), str(line.amount.shop)) == (
            "A",
            2,
            "19.90 EUR",
            "39.80 EUR",
        )
        sums_of_it = (found.total, found.paid, found.refunded, found.due)
        assert [one.shop.in_coins for one in sums_of_it] == ["39.80", "39.80", "19.90", "0.00"]
        assert [(one.what, one.agrees) for one in found.checks] == [("refunded", True), ("paid", True), ("total", True)]
        assert [(one.kind, one.amount.shop.in_coins) for one in found.payments] == [
            ("sale", "39.80"),
            ("refund", "-19.90"),
        ]

    travel(play)


# Calm: where the reading is cut off is the story.
def test_a_reading_of_the_books_that_is_cut_off_is_taken_up_again() -> None:
    async def play(journey: Journey) -> None:
        day = today(journey)
        for _ in range(3):
            await journey.buy("shopify", 1)
        rules = [{"operation": "balanceTransactions", "calls": 3, "rates": {"connection_reset": 1.0}}]
        await journey.faults("shopify", rules=rules)
        await journey.start()
        await journey.pass_time(1.0)
        read = await journey.rows("select count(*) from provider_payouts")
        assert (read, await journey.rows("select count(*) from provider_entries")) == ([(1,)], [(0,)])
        await journey.bridge.baseline(MAIN, sign_off=True, actor="ann")
        await to_next_morning(journey)
        assert await journey.rows("select count(*) from provider_entries") == [(3,)]
        kept = await settled(journey, day)
        assert sums(kept, "booked", "shopify") == ("59.70", "59.70", "0.00", "0.00")
        assert await journey.reasons() == []

    days_pass(play)


@in_every_weather
def test_a_listing_that_misses_an_entry_is_made_good_by_its_payout() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        await journey.buy("shopify", 1)
        await to_next_morning(journey)
        await journey.pass_time(2 * DAY)

        def forget(tx: Tx) -> None:
            tx.conn.exec_driver_sql("delete from provider_entries")
            tx.conn.exec_driver_sql("update provider_payouts set entries_read_as = 'scheduled'")

        await journey.store.run(forget)
        await journey.pass_time(2.5 * 3600.0)
        kept = await settled(journey, day)
        assert lines(kept, "shopify")[1] == ("payment", "19.90", "#1001", "paid_out")
        assert kept.statement.state is StatementState.SETTLED

    days_pass(play)


@in_every_weather
def test_one_entry_about_two_orders_is_a_line_of_both() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = today(journey)
        first, second = await journey.buy("shopify"), await journey.buy("shopify")
        await journey.pass_time(60.0)
        await journey.sandbox("shopify", "POST", "payouts/adjusted", {"orders": {first: "-1.50", second: "0.25"}})
        await to_next_morning(journey)
        kept = await settled(journey, day)
        told = [one for one in lines(kept, "shopify") if one[0] == "adjustment"]
        assert sorted(told) == [
            ("adjustment", "-1.50", "#1001", "booked"),
            ("adjustment", "0.25", "#1002", "booked"),
        ]
        assert of(kept, "shopify").adjusted.in_coins == "-1.25"
        assert kept.statement.differences == ()

    days_pass(play)


# Calm: for how long the order cannot be read is the story.
def test_an_adjustment_of_an_order_that_can_be_read_only_days_later_is_explained_then() -> None:
    async def play(journey: Journey) -> None:
        order_id = await journey.buy("shopify")
        await journey.pass_time(5 * DAY)
        await journey.faults("shopify", rules=[{"operation": "salesById", "rates": {"http_5xx": 1.0}}])
        await journey.begin()
        day = today(journey)
        await journey.sandbox("shopify", "POST", "payouts/adjusted", {"orders": {order_id: "-1.50"}})
        await to_next_morning(journey)
        unknown = await settled(journey, day)
        assert lines(unknown, "shopify")[0] == ("adjustment", "-1.50", "#1001", "booked")
        assert [line.link for line in unknown.statement.lines] == [Link.UNLINKED]
        assert set(await journey.reasons()) == {"money_unexplained", "store_unreachable"}

        await journey.faults("shopify")
        await journey.pass_time(6 * 3600.0)
        explained = await settled(journey, day)
        assert [line.link for line in explained.statement.lines] == [Link.ORDER]
        assert explained.statement.differences == ()
        assert await journey.reasons() == []

    days_pass(play)
