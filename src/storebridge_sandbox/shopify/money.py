"""Amounts in the shop's currency and in the buyer's, as the Admin API shows them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from storebridge_sandbox.shopify.call import Resolvers

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Bag:
    """One amount twice: what the shop books and what the buyer saw."""

    shop: Decimal
    presentment: Decimal

    def __add__(self, other: Bag) -> Bag:
        return Bag(self.shop + other.shop, self.presentment + other.presentment)

    def __sub__(self, other: Bag) -> Bag:
        return Bag(self.shop - other.shop, self.presentment - other.presentment)

    def times(self, factor: int | Decimal) -> Bag:
        """Rounded to cents."""
        return Bag(to_cents(self.shop * factor), to_cents(self.presentment * factor))

    def share(self, part: int, whole: int) -> Bag:
        """What ``part`` of ``whole`` units bear of it, rounded to cents."""
        if whole == 0 or part == whole:
            return self if part else ZERO
        return Bag(to_cents(self.shop * part / whole), to_cents(self.presentment * part / whole))

    def at_least_nothing(self) -> Bag:
        return Bag(max(self.shop, NOTHING), max(self.presentment, NOTHING))


NOTHING = Decimal("0.00")
ZERO = Bag(NOTHING, NOTHING)


class Money(NamedTuple):
    """``MoneyV2``."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class MoneyBag:
    """A bag with its currencies: ``MoneyBag``."""

    bag: Bag
    currency: str
    presentment_currency: str


def to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def same(amount: Decimal) -> Bag:
    """A bag of an order whose buyer pays in the shop's currency."""
    return Bag(amount, amount)


def total_of(bags: Any) -> Bag:
    """The sum of some bags."""
    total = ZERO
    for bag in bags:
        total = total + bag
    return total


def decimal_text(amount: Decimal) -> str:
    """``12.5``, ``20.0``: recorded amounts drop trailing zeros but keep one place."""
    text = f"{to_cents(amount):f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def money_text(amount: Decimal) -> str:
    """``12.50``: the older ``Money`` fields and webhooks."""
    return f"{amount:.2f}"


MONEY: Resolvers = {
    ("MoneyBag", "shopMoney"): lambda shown, _a, _c: Money(shown.bag.shop, shown.currency),
    ("MoneyBag", "presentmentMoney"): lambda shown, _a, _c: Money(shown.bag.presentment, shown.presentment_currency),
    ("MoneyV2", "amount"): lambda money, _a, _c: (
        money["amount"] if isinstance(money, dict) else decimal_text(money.amount)
    ),
    ("MoneyV2", "currencyCode"): lambda money, _a, _c: (
        money["currencyCode"] if isinstance(money, dict) else money.currency
    ),
}
