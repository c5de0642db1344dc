"""Amounts in the coins of their currency, and days where the merchant lives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from storebridge.model.days import bounds_of, day_of, zone_of
from storebridge.model.money import Money, sum_of


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("19.9", "EUR", "19.90 EUR"),
        ("1500.0", "JPY", "1500 JPY"),
        ("1.25", "KWD", "1.250 KWD"),
        ("0.0", "JPY", "0 JPY"),
        ("-7", "USD", "-7.00 USD"),
        ("10.005", "EUR", "10.005 EUR"),
        ("1E+3", "JPY", "1000 JPY"),
    ],
)
def test_an_amount_is_told_in_the_coins_of_its_currency_and_never_rounded(
    amount: str, currency: str, shown: str
) -> None:
    assert str(Money(Decimal(amount), currency)) == shown


def test_sums_are_exact_and_of_one_currency() -> None:
    assert sum_of([Money(Decimal("0.1"), "EUR")] * 3, "EUR") == Money(Decimal("0.3"), "EUR")
    with pytest.raises(ValueError, match="cannot add JPY to EUR"):
        sum_of([Money(Decimal(1), "JPY")], "EUR")


def test_a_day_has_23_or_25_hours_where_clocks_change() -> None:
    def hours(day: date) -> timedelta:
        begins, ends = bounds_of(day, "Europe/Berlin")
        return ends - begins

    assert hours(date(2026, 3, 29)) == timedelta(hours=23)
    assert hours(date(2026, 10, 25)) == timedelta(hours=25)
    assert bounds_of(date(2026, 3, 2), "UTC")[0] == datetime(2026, 3, 2, tzinfo=UTC)
    assert day_of(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "Europe/Berlin") == date(2026, 3, 2)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_time_zone_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        zone_of(name)
