"""The ledger of Shopify Payments, worked out from the orders' own transactions: charges, refunds, fees, payouts.

Everything charged on one day is paid out together, ``payout_days`` later; fees are the card rate of a European
basic plan. Orders that were paid elsewhere (made through the API, paid by hand) never appear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.money import NOTHING, to_cents
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales.state import ShopOrder, Transaction

GATEWAY = "shopify_payments"
FEE_RATE = Decimal("0.021")
FEE_EACH = Decimal("0.30")
FIRST_PAYOUT = 90_000_000


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One change of the balance; refunds are negative, and their charge's fee is not given back."""

    graphql_type: ClassVar[str] = "ShopifyPaymentsBalanceTransaction"
    id: str
    source: Transaction
    kind: str
    amount: Decimal
    fee: Decimal
    payout_id: str
    paid_out: bool

    @property
    def net(self) -> Decimal:
        return self.amount - self.fee


@dataclass(frozen=True, slots=True)
class Payout:
    """What one day's transactions come to."""

    graphql_type: ClassVar[str] = "ShopifyPaymentsPayout"
    id: str
    issued_at: datetime
    status: str
    currency: str
    transactions: tuple[BalanceTransaction, ...]

    @property
    def net(self) -> Decimal:
        return sum((one.net for one in self.transactions), NOTHING)

    def sum_of(self, kind: str, *, fees: bool = False) -> Decimal:
        """Amounts, or fees, of the charges or of the refunds."""
        chosen = [one for one in self.transactions if one.kind == kind]
        return sum((one.fee if fees else one.amount for one in chosen), NOTHING)


class Payments:
    """The shop's account; ``is_open`` is false where checkouts are paid by another gateway."""

    def __init__(
        self, orders: dict[str, ShopOrder], options: ShopifyOptions, now: Callable[[], datetime], currency: str
    ) -> None:
        self._orders = orders
        self._options = options
        self._now = now
        self.currency = currency

    @property
    def is_open(self) -> bool:
        return self._options.pays_with == GATEWAY

    def transactions(self) -> list[BalanceTransaction]:
        """Oldest first."""
        found = [self._booked(one) for one in self._sources()]
        return sorted(found, key=lambda one: (one.source.processed_at, number_of(one.id)))

    def payouts(self) -> list[Payout]:
        """Oldest first; the latest may still be on its way."""
        days: dict[str, list[BalanceTransaction]] = {}
        for one in self.transactions():
            days.setdefault(one.payout_id, []).append(one)
        return [self._payout(payout_id, ones) for payout_id, ones in days.items()]

    def balance(self) -> Decimal:
        """Earned and not paid out yet."""
        return sum((one.net for one in self.transactions() if not one.paid_out), NOTHING)

    def _sources(self) -> Iterable[Transaction]:
        for order in self._orders.values():
            for one in order.transactions:
                if one.gateway == GATEWAY and one.status == "SUCCESS" and one.kind in ("SALE", "CAPTURE", "REFUND"):
                    yield one

    def _booked(self, one: Transaction) -> BalanceTransaction:
        refund = one.kind == "REFUND"
        amount = -one.amount.shop if refund else one.amount.shop
        fee = NOTHING if refund else to_cents(amount * FEE_RATE + FEE_EACH)
        day = self._payout_day(one.processed_at)
        return BalanceTransaction(
            gid("ShopifyPaymentsBalanceTransaction", number_of(one.id)),
            one,
            "REFUND" if refund else "CHARGE",
            amount,
            fee,
            gid("ShopifyPaymentsPayout", FIRST_PAYOUT + day.toordinal()),
            day <= self._now(),
        )

    def _payout(self, payout_id: str, ones: list[BalanceTransaction]) -> Payout:
        issued_at = self._payout_day(ones[0].source.processed_at)
        status = "PAID" if issued_at <= self._now() else "SCHEDULED"
        return Payout(payout_id, issued_at, status, self.currency, tuple(ones))

    def _payout_day(self, moment: datetime) -> datetime:
        day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return day + timedelta(days=self._options.payout_days)
