"""Money for tests: payments, entries of a provider's books, and the facts of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from builders.orders import PLACED, SHOPIFY, eur, make_order
from storebridge.flows.settlement import DayFacts, IssuedPayout, SettledOrder
from storebridge.model.ids import ConnectionName, OrderId, OrderKey, Workspace
from storebridge.model.money import Money
from storebridge.model.sales import Charged, Order, Payment, PaymentKind, PaymentOutcome
from storebridge.model.settlement import Books, BooksState, EntryKind, LedgerEntry, Payout, PayoutState

DAY = PLACED.date()
BEGINS = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
NEXT_MORNING = BEGINS + timedelta(hours=26)
BOTH_READ = {SHOPIFY: Books(BooksState.READ, "", NEXT_MORNING)}


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def make_payment(payment_id: str = "t1", amount: str = "10.00", **facts: Any) -> Payment:
    """A sale through the store's own provider, at noon."""
    told = {"kind": PaymentKind.SALE, "outcome": PaymentOutcome.SUCCESS, "at": PLACED, "in_books": True}
    return Payment(payment_id, amount=eur(amount), **{**told, **facts})


def make_paid_order(*payments: Payment, **facts: Any) -> Order:
    """An order of ten euros whose store says what its parts say."""
    paid = payments or (make_payment(),)
    came = sum((one.amount.shop.amount for one in paid if one.kind is PaymentKind.SALE), Decimal(0))
    back = sum((one.amount.shop.amount for one in paid if one.kind is PaymentKind.REFUND), Decimal(0))
    order = make_order(payments=paid)
    total, nothing = order.totals.total, eur("0.00")
    charged = Charged(total, nothing, nothing, nothing, total, eur(str(came)))
    totals = msgspec.structs.replace(order.totals, paid=eur(str(came)), refunded=eur(str(back)))
    return msgspec.structs.replace(order, charged=charged, totals=totals, **facts)


def make_entry(
    entry_id: str = "b1", amount: str = "10.00", fee: str = "0.51", *, payment: str = "t1", **facts: Any
) -> LedgerEntry:
    """The charge of that sale, seconds later."""
    told: dict[str, Any] = {
        "kind": EntryKind.CHARGE,
        "word": "CHARGE",
        "at": PLACED + timedelta(seconds=9),
        "order_id": OrderId("o1"),
        "order_name": "#1001",
    }
    net = euros(str(Decimal(amount) - Decimal(fee)))
    return LedgerEntry(entry_id, amount=euros(amount), fee=euros(fee), net=net, payment_id=payment, **{**told, **facts})


def make_payout(net: str, state: PayoutState = PayoutState.PAID, **facts: Any) -> Payout:
    """A payout of that day."""
    return Payout(**{"payout_id": "p1", "state": state, "issued_at": PLACED, "net": euros(net), **facts})


def day_of_orders(
    *orders: Order,
    entries: tuple[LedgerEntry, ...] = (),
    payouts: tuple[IssuedPayout, ...] = (),
    copies: tuple[Order, ...] = (),
    paid: tuple[str, ...] = (),
    **facts: Any,
) -> DayFacts:
    """The day on which these orders were placed, looked at on the next morning; ``paid``: payouts that the bank has."""
    told: dict[str, Any] = {
        "workspace": Workspace("main"),
        "day": date(DAY.year, DAY.month, DAY.day),
        "time_zone": "UTC",
        "begins_at": BEGINS,
        "ends_at": BEGINS + timedelta(days=1),
        "now": NEXT_MORNING,
        "books": BOTH_READ,
    }
    return DayFacts(
        orders=tuple(SettledOrder(OrderKey(f"key-{one.order_id}"), one, copies) for one in orders),
        entries={SHOPIFY: entries},
        payouts=payouts,
        payout_states={(ConnectionName("shopify"), one): PayoutState.PAID for one in paid},
        **{**told, **facts},
    )
