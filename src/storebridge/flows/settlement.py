"""The statement of a day: what moved, to which order it belongs, and whether every sum agrees. Pure.

A day's lines come from two sides: the orders' own transactions, and the books of the stores' payment providers. A
transaction that is in both stands once, on the day on which the order tells it. Copies are compared and never added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

import msgspec

from storebridge.flows.copies import compared
from storebridge.flows.invoices import checks_of, money_moves, signed
from storebridge.flows.settlement_sums import agreements_of, differences_of, figures_of
from storebridge.flows.what_is_left import without_refunds
from storebridge.model.days import day_of
from storebridge.model.ids import ConnectionName, OrderKey, Workspace
from storebridge.model.money import Money, sum_of
from storebridge.model.sales import Order, Payment, PaymentKind, Standing
from storebridge.model.settlement import (
    Books,
    BooksState,
    Check,
    EntryKind,
    LedgerEntry,
    Link,
    MoneyState,
    MoveKind,
    Payout,
    PayoutState,
    Statement,
    StatementLine,
    StatementState,
)

BOOKED_WITHIN = timedelta(days=2)
"""A payment that stands in no books that were read so long after it is a case; before, it is awaited."""
RANK = {kind: rank for rank, kind in enumerate(MoveKind)}
"""Lines of one moment: what was sold, then what was paid of it, then what was kept of that."""
LOOK_AGAIN = timedelta(hours=1)
MOVES = {
    PaymentKind.SALE: MoveKind.PAYMENT,
    PaymentKind.CAPTURE: MoveKind.PAYMENT,
    PaymentKind.REFUND: MoveKind.REFUND,
    PaymentKind.CHARGEBACK: MoveKind.CHARGEBACK,
    PaymentKind.CHARGEBACK_REVERSAL: MoveKind.CHARGEBACK_REVERSAL,
}
ENTRY_MOVES = {
    EntryKind.CHARGE: MoveKind.PAYMENT,
    EntryKind.REFUND: MoveKind.REFUND,
    EntryKind.CHARGEBACK: MoveKind.CHARGEBACK,
    EntryKind.CHARGEBACK_REVERSAL: MoveKind.CHARGEBACK_REVERSAL,
    EntryKind.FEE: MoveKind.FEE,
    EntryKind.ADJUSTMENT: MoveKind.ADJUSTMENT,
}
BOOKS_A_PAYMENT = {EntryKind.CHARGE: MoveKind.PAYMENT, EntryKind.REFUND: MoveKind.REFUND}
"""Entries that book a transaction which the order shows, too. A chargeback names the transaction that it takes back."""
OF_AN_ORDER = frozenset({*BOOKS_A_PAYMENT, EntryKind.CHARGEBACK, EntryKind.CHARGEBACK_REVERSAL})
"""Entries that cannot be without an order."""


class SettledOrder(msgspec.Struct, frozen=True):
    """A canonical order, and its copies in other stores as last read. ``taken_off``: per store of a copy the refunds
    that were made before it, whose units and money it never held."""

    key: OrderKey
    order: Order
    copies: tuple[Order, ...] = ()
    taken_off: Mapping[ConnectionName, tuple[str, ...]] = {}


class IssuedPayout(msgspec.Struct, frozen=True):
    """A payout, and the entries that are in it; None while they were not read whole."""

    connection: ConnectionName
    payout: Payout
    entries: tuple[LedgerEntry, ...] | None


class DayFacts(msgspec.Struct, frozen=True):
    """All that is known and may matter for a day; more than the day's own orders and entries does no harm."""

    workspace: Workspace
    day: date
    time_zone: str
    begins_at: datetime
    ends_at: datetime
    now: datetime
    books: dict[ConnectionName, Books]
    orders: tuple[SettledOrder, ...] = ()
    entries: Mapping[ConnectionName, tuple[LedgerEntry, ...]] = {}
    payouts: tuple[IssuedPayout, ...] = ()
    """Issued on this day."""
    payout_states: Mapping[tuple[ConnectionName, str], PayoutState] = {}
    """Of every payout that an entry names."""

    def within(self, moment: datetime) -> bool:
        """Whether a moment is on this day."""
        return self.begins_at <= moment < self.ends_at


def statement_of(facts: DayFacts) -> Statement:
    """The day's statement as of now."""
    desk = _Desk(facts)
    lines = sorted(desk.lines(), key=_place)
    checks = sorted(desk.checks, key=lambda one: (one.what, one.connection, one.order_name, one.subject))
    differences = differences_of(checks)
    waiting = any(line.state in (MoneyState.AWAITED, MoneyState.BOOKED) for line in lines)
    waiting = waiting or any(check.awaited and not check.agrees for check in checks)
    gaps = tuple(_gaps(facts))
    state = StatementState.OPEN if differences or waiting or gaps else StatementState.SETTLED
    return Statement(
        workspace=facts.workspace,
        day=facts.day,
        time_zone=facts.time_zone,
        begins_at=facts.begins_at,
        ends_at=facts.ends_at,
        state=StatementState.RUNNING if facts.now < facts.ends_at else state,
        figures=figures_of(lines),
        agreements=agreements_of(checks),
        differences=differences,
        lines=tuple(lines),
        books=facts.books,
        copies=desk.copies,
        left_out=desk.left_out,
        gaps=gaps,
    )


def _gaps(facts: DayFacts) -> Iterator[str]:
    """Books that do not tell of the whole day."""
    for name, books in facts.books.items():
        known = books.covers_from
        missing = f"fees and payouts of {name} are missing on this day"
        if books.state in (BooksState.HIDDEN, BooksState.UNREAD):
            yield f"{missing}: its payment provider's books are {books.state.value}"
        elif books.state is BooksState.READ and known is not None and known > facts.begins_at:
            days = (facts.now - facts.begins_at).days + 1
            told = f"its payment provider's books are known since {known:%Y-%m-%d %H:%M} UTC only"
            yield f"{missing}, or some of them: {told}; 'storebridge orders backfill --days {days}' reads them"


def days_of(order: Order, zone: str) -> set[date]:
    """The days whose statements speak of an order."""
    return {day_of(at, zone) for at in (order.placed_at, *(one.at for one in money_moves(order)))}


def next_look(facts: DayFacts, statement: Statement) -> datetime | None:
    """When a day is to be looked at again although nothing was read: when something that is awaited is overdue."""
    read = {name for name, books in facts.books.items() if books.state is BooksState.READ}
    awaited = [line for line in statement.lines if line.state is MoneyState.AWAITED and line.connection in read]
    due = [max(line.at + BOOKED_WITHIN, facts.now + LOOK_AGAIN) for line in awaited if not _is_case(line, statement)]
    return min(due, default=None)


def _is_case(line: StatementLine, statement: Statement) -> bool:
    return any(one.what == "booked" and one.subject.endswith(f":{line.line_id}") for one in statement.differences)


def _place(line: StatementLine) -> tuple[datetime, str, str, int, str]:
    return line.at, line.connection, line.order_name, RANK[line.kind], line.line_id


class _Desk:
    """Writes the lines of one day, and the checks beside them."""

    def __init__(self, facts: DayFacts) -> None:
        self._facts = facts
        self._orders = {(one.order.connection, one.order.order_id): one for one in facts.orders}
        self._paying = {
            (one.order.connection, paid.payment_id): one for one in facts.orders for paid in one.order.payments
        }
        self._booked: defaultdict[tuple[ConnectionName, str, MoveKind], list[LedgerEntry]] = defaultdict(list)
        for connection, entries in facts.entries.items():
            for entry in entries:
                if entry.payment_id and entry.kind in BOOKS_A_PAYMENT and not entry.test:
                    self._booked[connection, entry.payment_id, BOOKS_A_PAYMENT[entry.kind]].append(entry)
        self._used: set[tuple[ConnectionName, str]] = set()
        self.checks: list[Check] = []
        self.copies = 0
        self.left_out = 0

    def lines(self) -> list[StatementLine]:
        found = [line for one in self._facts.orders for line in self._of_order(one)]
        for connection, entries in self._facts.entries.items():
            for entry in entries:
                if not entry.test and (connection, entry.entry_id) not in self._used:
                    for piece in pieces_of(entry):
                        found += self._of_entry(connection, piece)
        return found + [self._of_payout(one) for one in self._facts.payouts]

    # the orders' own side
    def _of_order(self, one: SettledOrder) -> list[StatementLine]:
        order, moved = one.order, money_moves(one.order)
        placed = self._facts.within(order.placed_at)
        if order.test or (order.standing is not Standing.OPEN and not moved):
            self.left_out += placed
            return []
        found = [line for payment in moved for line in self._of_payment(one, payment)]
        if placed:
            found.insert(0, _order_line(one))
            self._compare_copies(one)
        if found:
            self.checks += checks_of(one.key, order)
        return found

    def _of_payment(self, one: SettledOrder, payment: Payment) -> list[StatementLine]:
        order, kind = one.order, MOVES[payment.kind]
        entries = self._booked[order.connection, payment.payment_id, kind]
        self._used |= {(order.connection, entry.entry_id) for entry in entries}
        if not self._facts.within(payment.at):
            return []
        amount = signed(payment)
        state = self._state_of(order.connection, payment, entries)
        if payment.in_books and state not in (MoneyState.OUTSIDE, MoneyState.BEFORE):
            self._compare_books(one, payment, amount.shop, entries)
        line = StatementLine(
            connection=order.connection,
            kind=kind,
            line_id=payment.payment_id,
            at=payment.at,
            amount=amount.shop,
            presentment=amount.presentment,
            link=Link.ORDER,
            order_key=one.key,
            order_name=order.name,
            gateway=payment.gateway,
            state=state,
            payout_id=entries[0].payout_id if entries else "",
        )
        fees = [self._fee_line(line, entry.entry_id, entry.fee) for entry in entries if entry.fee.amount]
        if payment.fee is not None and payment.fee.amount:
            fees.append(self._fee_line(line, payment.payment_id, payment.fee))
        return [line, *fees]

    def _fee_line(self, of: StatementLine, line_id: str, fee: Money) -> StatementLine:
        took = fee.negated()
        return msgspec.structs.replace(of, kind=MoveKind.FEE, line_id=line_id, amount=took, presentment=took)

    def _books(self, connection: ConnectionName) -> Books:
        return self._facts.books.get(connection, Books(BooksState.NONE))

    def _state_of(self, connection: ConnectionName, payment: Payment, entries: list[LedgerEntry]) -> MoneyState:
        books = self._books(connection)
        if entries:
            return self._booked_as(connection, entries)
        if not payment.in_books or books.state is BooksState.NONE:
            return MoneyState.OUTSIDE
        early = books.covers_from is not None and payment.at < books.covers_from
        return MoneyState.BEFORE if early else MoneyState.AWAITED

    def _booked_as(self, connection: ConnectionName, entries: list[LedgerEntry]) -> MoneyState:
        states = {self._facts.payout_states.get((connection, entry.payout_id)) for entry in entries}
        return MoneyState.PAID_OUT if states == {PayoutState.PAID} else MoneyState.BOOKED

    def _compare_books(self, one: SettledOrder, payment: Payment, ours: Money, entries: list[LedgerEntry]) -> None:
        """The order's transaction against the provider's books. Where the provider books in another currency than the
        shop's, the amounts cannot be compared, and only their being there is."""
        books = self._books(one.order.connection)
        if books.state is not BooksState.READ:
            return
        booked = [entry.amount for entry in entries]
        if any(amount.currency != ours.currency for amount in booked):
            return
        awaited = not entries and (books.read_at is None or books.read_at - payment.at < BOOKED_WITHIN)
        theirs = sum_of(booked, ours.currency)
        name = one.order.name
        check = Check("booked", one.order.connection, payment.payment_id, ours, theirs, one.key, name, awaited=awaited)
        self.checks.append(check)

    def _compare_copies(self, one: SettledOrder) -> None:
        for copy in one.copies:
            self.copies += 1
            original = without_refunds(one.order, one.taken_off.get(copy.connection, ()))
            for what, (mine, theirs) in compared(original, copy).items():
                if mine.shop.currency == theirs.shop.currency:
                    subject = f"{copy.connection}/{copy.order_id}"
                    name = f"copied_{what}"
                    self.checks.append(
                        Check(name, copy.connection, subject, mine.shop, theirs.shop, one.key, one.order.name)
                    )

    # the provider's side
    def _order_of(self, connection: ConnectionName, entry: LedgerEntry) -> SettledOrder | None:
        """By its id; a share of an adjustment may name the order's transaction only."""
        if entry.order_id:
            return self._orders.get((connection, entry.order_id))
        return self._paying.get((connection, entry.payment_id)) if _is_share(entry) else None

    def _of_entry(self, connection: ConnectionName, entry: LedgerEntry) -> Iterator[StatementLine]:
        """An entry that books no transaction which an order shows."""
        if not self._facts.within(entry.at):
            return
        one = self._order_of(connection, entry)
        explained = one is not None and entry.kind not in BOOKS_A_PAYMENT
        of_an_order = bool(entry.order_id or _is_share(entry)) or entry.kind in OF_AN_ORDER
        if not explained and of_an_order:
            none = Money(entry.amount.amount * 0, entry.amount.currency)
            name = one.order.name if one else entry.order_name
            key = one.key if one else None
            self.checks.append(Check("booked", connection, entry.entry_id, none, entry.amount, key, name))
        unlinked = Link.UNLINKED if of_an_order else Link.ACCOUNT
        line = StatementLine(
            connection=connection,
            kind=ENTRY_MOVES[entry.kind],
            line_id=entry.entry_id,
            at=entry.at,
            amount=entry.amount,
            presentment=entry.amount,
            link=unlinked if one is None else Link.ORDER,
            order_key=one.key if one else None,
            order_name=one.order.name if one else entry.order_name,
            state=self._booked_as(connection, [entry]),
            payout_id=entry.payout_id,
            note=entry.word.lower().replace("_", " "),
        )
        if entry.amount.amount:
            yield line
        if entry.fee.amount:
            yield self._fee_line(line, entry.entry_id, entry.fee)

    def _of_payout(self, one: IssuedPayout) -> StatementLine:
        payout, entries = one.payout, one.entries
        net = payout.net
        if payout.state is not PayoutState.CANCELLED:
            sent = net if payout.state is PayoutState.PAID else sum_of((), net.currency)
            empty = payout.state is PayoutState.FAILED and entries == ()
            due = sum_of((), net.currency) if empty else net
            waits = payout.state is PayoutState.SCHEDULED
            self.checks.append(Check("paid_out", one.connection, payout.payout_id, due, sent, awaited=waits))
        inside_of = [entry.net for entry in entries or () if not entry.test]
        alike = all(one.currency == net.currency for one in inside_of)
        if entries is not None and alike and payout.state in (PayoutState.PAID, PayoutState.SCHEDULED):
            inside = sum_of(inside_of, net.currency)
            self.checks.append(Check("payout", one.connection, payout.payout_id, inside, net))
        return StatementLine(
            connection=one.connection,
            kind=MoveKind.PAYOUT,
            line_id=payout.payout_id,
            at=payout.issued_at,
            amount=net,
            presentment=net,
            link=Link.ENTRIES,
            payout_id=payout.payout_id,
            note=payout.state.value if entries is None else f"{payout.state.value}, {len(entries)} entries",
        )


def pieces_of(entry: LedgerEntry) -> list[LedgerEntry]:
    """An entry that settles several orders at once as one for each of them, and what is left over. They come to the
    entry to the cent, whatever the provider says of the shares."""
    parts = entry.parts
    if not parts or any(one.amount.currency != entry.amount.currency for one in parts):
        return [entry]
    found = [
        msgspec.structs.replace(
            entry,
            entry_id=f"{entry.entry_id}#{number}",
            amount=part.amount,
            fee=part.fee,
            net=part.amount.less(part.fee),
            order_id=part.order_id,
            order_name=part.order_name,
            payment_id=part.payment_id,
            parts=(),
        )
        for number, part in enumerate(parts, 1)
    ]
    amount = entry.amount.less(sum_of((one.amount for one in found), entry.amount.currency))
    fee = entry.fee.less(sum_of((one.fee for one in found), entry.fee.currency))
    rest = msgspec.structs.replace(entry, amount=amount, fee=fee, net=amount.less(fee), parts=())
    return [*found, rest] if amount.amount or fee.amount else found


def _is_share(entry: LedgerEntry) -> bool:
    """Named by name and transaction only."""
    return bool(entry.order_name and entry.payment_id)


def _order_line(one: SettledOrder) -> StatementLine:
    order = one.order
    total = order.charged.total if order.charged else order.totals.total
    return StatementLine(
        connection=order.connection,
        kind=MoveKind.ORDER,
        line_id=order.order_id,
        at=order.placed_at,
        amount=total.shop,
        presentment=total.presentment,
        link=Link.ORDER,
        order_key=one.key,
        order_name=order.name,
        note="cancelled" if order.standing is Standing.CANCELLED else "",
    )
