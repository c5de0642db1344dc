"""The ledger of Shopify Payments, worked out from the orders' own transactions: charges, refunds, fees, payouts.

Everything charged on one day is paid out together, ``payout_days`` later; fees are the card rate of a European
basic plan. Orders that were paid elsewhere (made through the API, paid by hand) never appear. A payout that the bank
sent back is paid again when staff ask for it, as another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.money import NOTHING, to_cents
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales.state import ShopOrder, Transaction
from storebridge_sandbox.sleeping import Sleepers

GATEWAY = "shopify_payments"
FEE_RATE = Decimal("0.021")
FEE_EACH = Decimal("0.30")
DISPUTE_FEE = Decimal("15.00")
"""Taken with the money that a bank takes back, and given back when the bank gives up."""
FIRST_PAYOUT = 90_000_000
PAID_AGAIN = 10_000_000
FIRST_DISPUTE = 70_000_000
FIRST_ADJUSTMENT = 60_000_000
Adjustment = tuple[datetime, dict[str, Decimal]]
"""When, and each order's share."""


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One change of the balance; refunds are negative, and their charge's fee is not given back."""

    graphql_type: ClassVar[str] = "ShopifyPaymentsBalanceTransaction"
    id: str
    at: datetime
    order: ShopOrder
    kind: str
    amount: Decimal
    fee: Decimal
    payout_id: str
    paid_out: bool
    source: Transaction | None = None
    shares: tuple[tuple[Transaction, Decimal], ...] = ()
    """Of an adjustment of several orders: it names them here, and none as its own."""

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
        self, orders: Sleepers[ShopOrder], options: ShopifyOptions, now: Callable[[], datetime], currency: str
    ) -> None:
        self._orders = orders
        self._options = options
        self._now = now
        self.currency = currency
        self.sent_back: dict[str, str] = {}
        """Payouts that the bank did not take, and the payout that their money went into, if it was sent again."""
        self.again_at: dict[str, datetime] = {}
        self._adjustments: list[Adjustment] = []

    @property
    def adjustments(self) -> list[Adjustment]:
        """What the provider settled with several orders at once, oldest first."""
        return self._adjustments

    @adjustments.setter
    def adjustments(self, kept: list[Adjustment] | Mapping[str, datetime]) -> None:
        """State files of before kept the moment by ``order=amount order=amount``."""
        if isinstance(kept, Mapping):
            kept = [(at, _shares_in(words)) for words, at in kept.items() if words]
        self._adjustments = kept

    @property
    def is_open(self) -> bool:
        return self._options.pays_with == GATEWAY

    def transactions(self) -> list[BalanceTransaction]:
        """Oldest first."""
        found = [*map(self._booked, self._sources()), *self._disputed(), *self._adjusted()]
        return sorted(found, key=lambda one: (one.at, number_of(one.id)))

    def send_back(self, payout_id: str) -> None:
        """The bank does not take a payout. Raises KeyError for one that was not paid."""
        if not any(one.id == payout_id and one.status == "PAID" for one in self.payouts()):
            raise KeyError(payout_id)
        self.sent_back[payout_id] = ""

    def send_again(self, payout_id: str) -> str:
        """Its money goes out in a payout of now; its id. Raises KeyError for one that the bank took."""
        if self.sent_back[payout_id]:
            raise KeyError(payout_id)
        again = gid("ShopifyPaymentsPayout", number_of(payout_id) + PAID_AGAIN)
        self.sent_back[payout_id], self.again_at[again] = again, self._now()
        return again

    def payouts(self) -> list[Payout]:
        """Oldest first; the latest may still be on its way."""
        days: dict[str, list[BalanceTransaction]] = {payout_id: [] for payout_id in self.sent_back}
        for one in self.transactions():
            days.setdefault(one.payout_id, []).append(one)
        found = [self._payout(payout_id, ones) for payout_id, ones in days.items()]
        return sorted(found, key=lambda one: (one.issued_at, number_of(one.id)))

    def balance(self) -> Decimal:
        """Earned and not paid out yet."""
        return sum((one.net for one in self.transactions() if not one.paid_out), NOTHING)

    def _sources(self) -> Iterable[Transaction]:
        lag = timedelta(seconds=self._options.books_lag_seconds)
        for order in self._orders.values():
            for one in () if order.unbooked else order.transactions:
                moved = one.status == "SUCCESS" and one.kind in ("SALE", "CAPTURE", "REFUND")
                if one.gateway == GATEWAY and moved and one.processed_at + lag <= self._now():
                    yield one

    def _booked(self, one: Transaction) -> BalanceTransaction:
        refund = one.kind == "REFUND"
        amount = -one.amount.shop if refund else one.amount.shop
        fee = NOTHING if refund else to_cents(amount * FEE_RATE + FEE_EACH)
        kind = "REFUND" if refund else "CHARGE"
        return self._entry(number_of(one.id), one.processed_at, one.order, kind, amount, fee, one)

    def _disputed(self) -> Iterable[BalanceTransaction]:
        for order in self._orders.values():
            for one in order.disputes:
                paid = next(payment for payment in order.transactions if payment.id == one.payment)
                number = FIRST_DISPUTE + 2 * one.number
                yield self._entry(number, one.at, order, "DISPUTE_WITHDRAWAL", -one.amount, DISPUTE_FEE, paid)
                if one.reversed_at is not None:
                    back = one.reversed_at
                    yield self._entry(number + 1, back, order, "DISPUTE_REVERSAL", one.amount, -DISPUTE_FEE, paid)

    def adjust(self, shares: dict[str, Decimal]) -> str:
        """Book one adjustment of several orders; its id. Raises KeyError for an order that was not paid here,
        ValueError for no order at all and for an amount that is no number."""
        if not shares or not all(amount.is_finite() for amount in shares.values()):
            raise ValueError("an adjustment names orders, each with its amount")
        for order_id in shares:
            self._paid(order_id)
        self._adjustments.append((self._now(), dict(shares)))
        return gid("ShopifyPaymentsBalanceTransaction", FIRST_ADJUSTMENT + len(self._adjustments))

    def _adjusted(self) -> Iterable[BalanceTransaction]:
        for number, (at, told) in enumerate(self._adjustments, 1):
            shares = tuple((self._paid(order_id), amount) for order_id, amount in told.items())
            total = sum((amount for _, amount in shares), NOTHING)
            first = shares[0][0]
            one = self._entry(FIRST_ADJUSTMENT + number, at, first.order, "CHARGE_ADJUSTMENT", total, NOTHING, first)
            yield replace(one, source=None, shares=shares)

    def _paid(self, order_id: str) -> Transaction:
        found = [one for one in self._orders[order_id].transactions if one.gateway == GATEWAY]
        if not found:
            raise KeyError(order_id)
        return found[0]

    def _entry(
        self,
        number: int,
        at: datetime,
        order: ShopOrder,
        kind: str,
        amount: Decimal,
        fee: Decimal,
        source: Transaction,
    ) -> BalanceTransaction:
        day = self._payout_day(at)
        payout_id = gid("ShopifyPaymentsPayout", FIRST_PAYOUT + day.toordinal())
        paid_out = day <= self._now() and payout_id not in self.sent_back
        if again := self.sent_back.get(payout_id):
            payout_id, paid_out = again, True
        entry_id = gid("ShopifyPaymentsBalanceTransaction", number)
        return BalanceTransaction(entry_id, at, order, kind, amount, fee, payout_id, paid_out, source)

    def _payout(self, payout_id: str, ones: list[BalanceTransaction]) -> Payout:
        if payout_id in self.again_at:
            return Payout(payout_id, self.again_at[payout_id], "PAID", self.currency, tuple(ones))
        issued_at = datetime.fromordinal(number_of(payout_id) - FIRST_PAYOUT).replace(tzinfo=UTC)
        status = "PAID" if issued_at <= self._now() else "SCHEDULED"
        status = "FAILED" if payout_id in self.sent_back else status
        return Payout(payout_id, issued_at, status, self.currency, tuple(ones))

    def _payout_day(self, moment: datetime) -> datetime:
        day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return day + timedelta(days=self._options.payout_days)


def _shares_in(words: str) -> dict[str, Decimal]:
    named = (one.rpartition("=") for one in words.split(" "))
    return {order_id: Decimal(amount) for order_id, _, amount in named}
