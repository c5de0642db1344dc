"""Money: an exact amount and its currency, never a float."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

FRANCS = ("BIF", "DJF", "GNF", "KMF", "RWF", "XAF", "XOF", "XPF")
WITHOUT_DECIMALS = frozenset((*FRANCS, "CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "UYI", "VND", "VUV"))
WITH_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
"""ISO 4217 minor units; every other currency has two decimals."""


def decimals_of(currency: str) -> int:
    """How many decimals the smallest coin of a currency has: JPY 0, EUR 2, KWD 3."""
    if currency in WITHOUT_DECIMALS:
        return 0
    return 3 if currency in WITH_THREE_DECIMALS else 2


class Money(msgspec.Struct, frozen=True):
    """An amount in major units (``Decimal("19.90")``) of an ISO 4217 currency (``"EUR"``)."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise ValueError(f"an amount of money must be finite, not {self.amount}")
        if len(self.currency) != 3 or not self.currency.isupper():
            raise ValueError(f"a currency is three capital letters, not {self.currency!r}")

    def plus(self, other: Money) -> Money:
        """The sum; raises ValueError when the currencies differ."""
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def less(self, other: Money) -> Money:
        """The difference; raises ValueError when the currencies differ."""
        return self.plus(other.negated())

    def negated(self) -> Money:
        """The same amount the other way."""
        return Money(-self.amount if self.amount else self.amount, self.currency)

    @property
    def in_coins(self) -> str:
        """The amount with the decimals of its currency: ``19.90``, ``1500`` for JPY, ``1.250`` for KWD. One that is
        finer than the smallest coin is told as it is, never rounded."""
        coin = Decimal(1).scaleb(-decimals_of(self.currency))
        exact = self.amount.quantize(coin)
        return f"{exact if exact == self.amount else self.amount.normalize():f}"

    def __str__(self) -> str:
        return f"{self.in_coins} {self.currency}"


def sum_of(amounts: Iterable[Money], currency: str) -> Money:
    """The exact sum; raises ValueError when one is of another currency."""
    total = Money(Decimal(0), currency)
    for amount in amounts:
        total = total.plus(amount)
    return total
