"""A day's statement, worked out: every cent stands once, belongs to its order, or is a difference with a reason."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from builders.money import (
    BEGINS,
    NEXT_MORNING,
    day_of_orders,
    euros,
    make_entry,
    make_paid_order,
    make_payment,
    make_payout,
)
from builders.orders import PLACED, SHOPIFY, WIX, eur, make_order
from storebridge.flows.settlement import IssuedPayout, next_look, statement_of
from storebridge.model.ids import OrderId
from storebridge.model.money import Money, sum_of
from storebridge.model.sales import PaymentKind, PaymentOutcome, Price, Standing
from storebridge.model.settlement import (
    AdjustedOrder,
    Books,
    BooksState,
    EntryKind,
    LedgerEntry,
    Link,
    MoneyState,
    MoveKind,
    PayoutState,
    Statement,
    StatementState,
)


def told(statement: Statement) -> list[tuple[str, str, str]]:
    return [(line.kind.value, line.amount.in_coins, line.state.value) for line in statement.lines]


def reasons(statement: Statement) -> list[tuple[str, str, str]]:
    return [(one.reason, str(one.ours), str(one.theirs)) for one in statement.differences]


def test_a_payment_that_order_and_books_both_show_stands_once_with_its_fee() -> None:
    statement = statement_of(day_of_orders(make_paid_order(), entries=(make_entry(payout_id="p1"),), paid=("p1",)))
    assert told(statement) == [
        ("order", "10.00", "none"),
        ("payment", "10.00", "paid_out"),
        ("fee", "-0.51", "paid_out"),
    ]
    assert {line.order_key for line in statement.lines} == {"key-o1"}
    (figures,) = statement.figures
    assert (str(figures.net), str(figures.paid_out)) == ("9.49 EUR", "9.49 EUR")
    assert (statement.state, statement.differences) == (StatementState.SETTLED, ())


def test_the_differences_come_to_the_differences_of_the_sums() -> None:
    entries = (
        make_entry(amount="10.01"),
        make_entry("b2", "3.33", payment="t9"),
        make_entry("b3", order_id=OrderId("x")),
    )
    late = make_payment("t2", "7.00")
    orders = (make_paid_order(make_payment(), late), make_paid_order(late, order_id=OrderId("o2"), name="#1002"))
    books = {SHOPIFY: Books(BooksState.READ, "", PLACED + timedelta(days=3))}
    statement = statement_of(day_of_orders(*orders, entries=entries, books=books))
    for one in statement.agreements:
        told = [d.difference for d in statement.differences if (d.what, d.connection) == (one.what, one.connection)]
        assert sum_of(told, one.currency) == one.difference
    assert str(next(one.difference for one in statement.agreements if one.what == "booked")) == "-0.66 EUR"


def test_a_cent_of_difference_between_order_and_books_is_told_with_both_figures() -> None:
    entry = make_entry(amount="10.01", payout_id="p1")
    statement = statement_of(day_of_orders(make_paid_order(), entries=(entry,), paid=("p1",)))
    assert reasons(statement) == [("settlement_differs", "10.00 EUR", "10.01 EUR")]
    assert [str(one.difference) for one in statement.agreements if one.what == "booked"] == ["0.01 EUR"]
    assert statement.state is StatementState.OPEN


def test_what_is_not_booked_is_awaited_for_two_days_of_reading_then_it_is_a_case() -> None:
    facts = day_of_orders(make_paid_order())
    statement = statement_of(facts)
    assert told(statement)[1] == ("payment", "10.00", "awaited")
    assert statement.differences == ()
    assert next_look(facts, statement) == PLACED + timedelta(days=2)
    (booked,) = (one for one in statement.agreements if one.what == "booked")
    assert (str(booked.awaited), str(booked.difference)) == ("-10.00 EUR", "0.00 EUR")

    unread = replace(facts, now=NEXT_MORNING + timedelta(days=9))
    assert statement_of(unread).differences == ()
    read = replace(unread, books={SHOPIFY: Books(BooksState.READ, "", PLACED + timedelta(days=2))})
    late = statement_of(read)
    assert reasons(late) == [("money_not_booked", "10.00 EUR", "0.00 EUR")]
    assert next_look(read, late) is None


def test_money_that_no_order_shows_is_a_case_and_stands_unlinked() -> None:
    statement = statement_of(day_of_orders(entries=(make_entry(order_id=OrderId("gone"), order_name="#7"),)))
    assert [(line.link, line.order_name) for line in statement.lines] == [(Link.UNLINKED, "#7")] * 2
    assert reasons(statement) == [("money_unexplained", "0.00 EUR", "10.00 EUR")]


def test_a_charge_that_its_order_does_not_show_is_a_case_too() -> None:
    statement = statement_of(day_of_orders(make_paid_order(), entries=(make_entry(), make_entry("b2", payment="t9"))))
    assert reasons(statement) == [("money_unexplained", "0.00 EUR", "10.00 EUR")]
    assert {line.link for line in statement.lines} == {Link.ORDER}


def test_a_chargeback_names_the_payment_and_is_no_second_booking_of_it() -> None:
    back = make_entry("b2", "-10.00", "15.00", kind=EntryKind.CHARGEBACK, word="DISPUTE_WITHDRAWAL")
    statement = statement_of(day_of_orders(make_paid_order(), entries=(make_entry(), back)))
    assert [row[:2] for row in told(statement)] == [
        ("order", "10.00"),
        ("payment", "10.00"),
        ("fee", "-0.51"),
        ("chargeback", "-10.00"),
        ("fee", "-15.00"),
    ]
    assert statement.differences == ()


def test_an_adjustment_of_the_account_needs_no_order() -> None:
    entry = make_entry("b9", "-4.20", "0", kind=EntryKind.ADJUSTMENT, word="SHIPPING_LABEL", order_id=None, payment="")
    statement = statement_of(day_of_orders(entries=(entry,)))
    (line,) = statement.lines
    assert (line.link, line.note, str(line.amount)) == (Link.ACCOUNT, "shipping label", "-4.20 EUR")
    assert statement.differences == ()


def test_a_payment_belongs_to_the_day_on_which_its_order_shows_it() -> None:
    midnight = PLACED.replace(hour=23, minute=59, second=58)
    order = make_paid_order(make_payment(at=midnight), placed_at=midnight)
    entry = make_entry(at=midnight + timedelta(seconds=5))
    today = day_of_orders(order, entries=(entry,))
    tomorrow = replace(today, begins_at=today.ends_at, ends_at=today.ends_at + timedelta(days=1))
    assert [row[0] for row in told(statement_of(today))] == ["order", "payment", "fee"]
    assert statement_of(tomorrow).lines == ()


def test_authorisations_failures_and_test_orders_move_nothing() -> None:
    held = make_payment("t0", kind=PaymentKind.AUTHORISATION)
    failed = make_payment("t2", outcome=PaymentOutcome.FAILED)
    statement = statement_of(day_of_orders(make_order(payments=(held, failed)), make_paid_order(test=True)))
    assert [row[0] for row in told(statement)] == ["order"]
    assert statement.left_out == 1


def test_an_order_that_was_called_off_unpaid_was_no_sale() -> None:
    statement = statement_of(day_of_orders(make_order(standing=Standing.CANCELLED)))
    assert (statement.lines, statement.left_out) == ((), 1)


def test_a_refund_with_a_fee_given_back_is_signed_as_the_balance_moves() -> None:
    back = make_payment("t2", "4.00", kind=PaymentKind.REFUND)
    entries = (make_entry(), make_entry("b2", "-4.00", "-0.08", payment="t2", kind=EntryKind.REFUND, word="REFUND"))
    (figures,) = statement_of(day_of_orders(make_paid_order(make_payment(), back), entries=entries)).figures
    assert [str(one) for one in (figures.received, figures.refunded, figures.fees, figures.net)] == [
        "10.00 EUR",
        "-4.00 EUR",
        "-0.43 EUR",
        "5.57 EUR",
    ]


def test_a_provider_that_books_in_another_currency_is_not_compared_and_not_added() -> None:
    entry = make_entry()
    dollars = replace(entry, amount=Money(Decimal("10.80"), "USD"), fee=Money(Decimal("0.55"), "USD"))
    statement = statement_of(day_of_orders(make_paid_order(), entries=(dollars,)))
    assert statement.differences == ()
    assert [(one.currency, str(one.net)) for one in statement.figures] == [("EUR", "10.00 EUR"), ("USD", "-0.55 USD")]


def test_a_payout_is_compared_with_what_is_in_it() -> None:
    short = IssuedPayout(SHOPIFY, make_payout("19.00"), (make_entry(), make_entry("b2")))
    statement = statement_of(day_of_orders(payouts=(short,)))
    assert reasons(statement) == [("settlement_differs", "18.98 EUR", "19.00 EUR")]
    unread = statement_of(day_of_orders(payouts=(replace(short, entries=None),)))
    assert unread.differences == ()


def test_a_failed_payout_is_a_case_until_nothing_is_in_it_any_more() -> None:
    failed = IssuedPayout(SHOPIFY, make_payout("9.49", PayoutState.FAILED), (make_entry(),))
    assert reasons(statement_of(day_of_orders(payouts=(failed,)))) == [("payout_failed", "9.49 EUR", "0.00 EUR")]
    assert statement_of(day_of_orders(payouts=(replace(failed, entries=()),))).differences == ()


def test_a_scheduled_payout_keeps_its_day_open() -> None:
    waits = IssuedPayout(SHOPIFY, make_payout("9.49", PayoutState.SCHEDULED), (make_entry(),))
    statement = statement_of(day_of_orders(payouts=(waits,)))
    assert (statement.state, statement.differences) == (StatementState.OPEN, ())


def test_a_copy_is_compared_and_never_added() -> None:
    copy = make_order(connection=WIX, order_id=OrderId("c1"), origin="stamp")
    same = statement_of(day_of_orders(make_paid_order(), entries=(make_entry(),), copies=(copy,)))
    assert (same.copies, [one.connection for one in same.figures]) == (1, [SHOPIFY])
    dearer = replace(copy, totals=replace(copy.totals, total=eur("10.01")))
    other = statement_of(day_of_orders(make_paid_order(), entries=(make_entry(),), copies=(dearer,)))
    assert reasons(other) == [("copy_differs", "10.00 EUR", "10.01 EUR")]


def test_a_store_whose_own_sums_differ_from_its_transactions_is_told() -> None:
    order = make_paid_order()
    wrong = replace(order, totals=replace(order.totals, refunded=eur("1.00")))
    statement = statement_of(day_of_orders(wrong, entries=(make_entry(),)))
    assert [(one.what, str(one.ours), str(one.theirs)) for one in statement.differences] == [
        ("refunded", "0.00 EUR", "1.00 EUR")
    ]


def test_without_books_a_payment_is_outside_and_with_hidden_books_it_is_awaited() -> None:
    for state, expected in ((BooksState.NONE, MoneyState.OUTSIDE), (BooksState.HIDDEN, MoneyState.AWAITED)):
        facts = day_of_orders(make_paid_order(), books={SHOPIFY: Books(state)})
        statement = statement_of(facts)
        assert told(statement)[1][2] == expected
        assert (statement.differences, next_look(facts, statement)) == ((), None)


def test_money_from_before_the_books_were_read_is_told_as_such_and_is_no_difference() -> None:
    began = PLACED + timedelta(hours=1)
    books = {SHOPIFY: Books(BooksState.READ, "", PLACED + timedelta(days=9), began)}
    statement = statement_of(day_of_orders(make_paid_order(), books=books))
    assert told(statement)[1] == ("payment", "10.00", "before")
    assert (statement.state, statement.differences) == (StatementState.OPEN, ())


def test_what_the_buyer_saw_in_another_currency_stands_beside_it() -> None:
    yen = Price(Money(Decimal("10.00"), "EUR"), Money(Decimal("1600.0"), "JPY"))
    statement = statement_of(
        day_of_orders(make_paid_order(replace(make_payment(), amount=yen)), entries=(make_entry(),))
    )
    line = next(line for line in statement.lines if line.kind == "payment")
    assert (str(line.amount), str(line.presentment)) == ("10.00 EUR", "1600 JPY")
    assert line.amount == euros("10.00")


def _adjusted(*shares: tuple[str, str, str], amount: str = "-3.00", **facts: Any) -> LedgerEntry:
    """An adjustment of several orders: (order's id, transaction, amount)."""
    parts = tuple(
        AdjustedOrder(f"#{order}", payment, euros(share), euros("0.00"), OrderId(order) if order else None)
        for order, payment, share in shares
    )
    told = {"kind": EntryKind.ADJUSTMENT, "word": "CHARGE_ADJUSTMENT", "order_id": None, "order_name": ""}
    return make_entry("a1", amount, "0.00", payment="", parts=parts, **{**told, **facts})


def _adjustments(statement: Statement) -> list[tuple[str, str, str]]:
    return [
        (one.order_name, one.amount.in_coins, one.link.value)
        for one in statement.lines
        if one.kind is MoveKind.ADJUSTMENT
    ]


def test_an_adjustment_of_several_orders_is_a_line_of_each() -> None:
    first = make_paid_order(make_payment("t1"), order_id=OrderId("o1"), name="#o1")
    second = make_paid_order(make_payment("t2"), order_id=OrderId("o2"), name="#o2")
    booked = (make_entry("b1", payment="t1"), make_entry("b2", payment="t2", order_id=OrderId("o2")))
    entry = _adjusted(("o1", "t1", "-1.00"), ("", "t2", "-2.00"))
    statement = statement_of(day_of_orders(first, second, entries=(*booked, entry)))
    assert _adjustments(statement) == [("#o1", "-1.00", "order"), ("#o2", "-2.00", "order")]
    assert statement.figures[0].adjusted == euros("-3.00")
    assert statement.differences == ()


def test_what_the_shares_of_an_adjustment_do_not_come_to_stays_with_the_account() -> None:
    order = make_paid_order(make_payment("t1"), order_id=OrderId("o1"), name="#o1")
    entries = (make_entry("b1", payment="t1"), _adjusted(("o1", "t1", "-1.00")))
    statement = statement_of(day_of_orders(order, entries=entries))
    assert _adjustments(statement) == [("", "-2.00", "account"), ("#o1", "-1.00", "order")]
    assert statement.figures[0].adjusted == euros("-3.00")


def test_a_share_of_an_order_that_is_not_known_is_a_case_and_still_counts() -> None:
    statement = statement_of(day_of_orders(entries=(_adjusted(("o9", "t9", "-1.00"), ("o8", "t8", "-2.00")),)))
    assert _adjustments(statement) == [("#o8", "-2.00", "unlinked"), ("#o9", "-1.00", "unlinked")]
    told = [(one.reason.value, one.subject) for one in statement.differences]
    assert told == [
        ("money_unexplained", "shopify:booked:a1#2"),
        ("money_unexplained", "shopify:booked:a1#1"),
    ]


@pytest.mark.parametrize(
    ("books", "gap"),
    [
        (Books(BooksState.READ, "", NEXT_MORNING, BEGINS), ()),
        (Books(BooksState.NONE), ()),
        (
            Books(BooksState.READ, "", NEXT_MORNING, BEGINS + timedelta(hours=2)),
            (
                "fees and payouts of shopify are missing on this day, or some of them: its payment provider's books "
                "are known since 2026-03-02 02:00 UTC only; 'storebridge orders backfill --days 2' reads them",
            ),
        ),
        (
            Books(BooksState.HIDDEN, "no scope"),
            ("fees and payouts of shopify are missing on this day: its payment provider's books are hidden",),
        ),
    ],
)
def test_a_day_that_the_books_do_not_tell_of_from_its_beginning_says_so(books: Books, gap: tuple[str, ...]) -> None:
    statement = statement_of(day_of_orders(books={SHOPIFY: books}))
    assert statement.gaps == gap
    assert statement.state is (StatementState.OPEN if gap else StatementState.SETTLED)
