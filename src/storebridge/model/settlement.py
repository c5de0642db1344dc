"""Money reconciled: what a payment provider booked, the invoice of an order, the statement of a day. Frozen, no I/O.

Every amount is exact and in its own currency; nothing is rounded and nothing is converted (``docs/settlement.md``).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from storebridge.model.ids import ConnectionName, OrderId, OrderKey, Workspace
from storebridge.model.money import Money
from storebridge.model.sales import Price


class EntryKind(StrEnum):
    """What an entry in a provider's books is about."""

    CHARGE = "charge"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSAL = "chargeback_reversal"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    """Everything else that changes the balance; ``word`` has the provider's own name of it."""


class AdjustedOrder(msgspec.Struct, frozen=True):
    """An order's share of an entry; signed as the entry is."""

    order_name: str
    payment_id: str
    """The order's transaction that it is about."""
    amount: Money
    fee: Money
    order_id: OrderId | None = None
    """Empty where the provider links no order of this store."""


class LedgerEntry(msgspec.Struct, frozen=True):
    """One entry in a provider's books: ``net`` = ``amount`` - ``fee``, signed as the merchant's balance moves."""

    entry_id: str
    kind: EntryKind
    word: str
    at: datetime
    amount: Money
    fee: Money
    net: Money
    order_id: OrderId | None = None
    order_name: str = ""
    payment_id: str = ""
    """The transaction of the order (``Payment.payment_id``) that it books; empty when there is none."""
    payout_id: str = ""
    """The payout that it belongs to; empty until the provider has decided."""
    test: bool = False
    parts: tuple[AdjustedOrder, ...] = ()
    """Of an entry that settles several orders at once: each with its share of ``amount`` and ``fee``."""

    @property
    def orders(self) -> set[OrderId]:
        """Every order that it names by id."""
        return {one for one in (self.order_id, *(part.order_id for part in self.parts)) if one}


class PayoutState(StrEnum):
    """How far a payout is."""

    SCHEDULED = "scheduled"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Payout(msgspec.Struct, frozen=True):
    """Money that the provider sends to the merchant's bank, or takes from it (below zero)."""

    payout_id: str
    state: PayoutState
    issued_at: datetime
    net: Money


class EntriesPage(msgspec.Struct, frozen=True):
    """Some entries, oldest first."""

    entries: tuple[LedgerEntry, ...]
    next_page: str | None


class PayoutsPage(msgspec.Struct, frozen=True):
    """Some payouts, oldest first."""

    payouts: tuple[Payout, ...]
    next_page: str | None


class BooksState(StrEnum):
    """What is known of the books of a store's own payment provider."""

    READ = "read"
    NONE = "none"
    """The store takes payments in other ways only, or its API tells nothing of fees and payouts."""
    HIDDEN = "hidden"
    """The store does not show them: a scope is missing."""
    UNREAD = "unread"
    """They were not read yet."""


class Books(msgspec.Struct, frozen=True):
    """The books of one store, and when they were last read whole."""

    state: BooksState
    detail: str = ""
    read_at: datetime | None = None
    covers_from: datetime | None = None
    """What was booked before is known only where a later payout holds it."""


class InvoiceLine(msgspec.Struct, frozen=True):
    """What was charged for one thing: ``amount`` = ``unit_price`` x ``units`` - ``discount``."""

    title: str
    sku: str
    units: int
    unit_price: Price
    discount: Price
    amount: Price


class InvoiceTax(msgspec.Struct, frozen=True):
    """One tax, summed over what it was charged on."""

    title: str
    rate: str
    """A fraction as the store tells it (``0.19``); empty where it tells the amount only."""
    amount: Price


class InvoicePayment(msgspec.Struct, frozen=True):
    """Money that came in (above zero) or went back."""

    kind: str
    at: datetime
    amount: Price
    gateway: str


class Check(msgspec.Struct, frozen=True):
    """Two figures that must be the same to the cent: ours, added up, and the one that stands elsewhere."""

    what: str
    connection: ConnectionName
    subject: str
    ours: Money
    theirs: Money
    order_key: OrderKey | None = None
    order_name: str = ""
    awaited: bool = False
    """The other figure is not due yet."""

    @property
    def agrees(self) -> bool:
        return self.ours == self.theirs

    @property
    def difference(self) -> Money:
        return self.theirs.less(self.ours)


class Invoice(msgspec.Struct, frozen=True):
    """What an order charged, before anything went back, and what was paid of it. In both currencies."""

    order_key: OrderKey
    connection: ConnectionName
    order_id: OrderId
    order_name: str
    placed_at: datetime
    currency: str
    presentment_currency: str
    priced_in: str
    conversion_rate: str
    tax_included: bool
    lines: tuple[InvoiceLine, ...]
    shipping: tuple[InvoiceLine, ...]
    taxes: tuple[InvoiceTax, ...]
    goods: Price
    shipping_total: Price
    tax: Price
    other: Price
    total: Price
    payments: tuple[InvoicePayment, ...]
    paid: Price
    refunded: Price
    due: Price
    """Total less what was paid; below zero when more came in. Refunds do not make anything due again."""
    checks: tuple[Check, ...]
    """The order's parts against the sums that its store tells."""


class MoveKind(StrEnum):
    """What a line of a statement says."""

    ORDER = "order"
    """Something was sold: no money has moved by that."""
    PAYMENT = "payment"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSAL = "chargeback_reversal"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    PAYOUT = "payout"
    """Money left the provider for the bank; no part of the day's net."""


class MoneyState(StrEnum):
    """How far the money of a line is."""

    OUTSIDE = "outside"
    """It does not go through books that can be read: other gateways, cash, every payment of a Wix store."""
    BEFORE = "before"
    """It moved before the time from which the provider's books were read."""
    AWAITED = "awaited"
    """The provider has not booked it yet."""
    BOOKED = "booked"
    """Booked, and not paid out yet."""
    PAID_OUT = "paid_out"
    NONE = "none"
    """An order, or a payout itself."""


class Link(StrEnum):
    """What a line belongs to."""

    ORDER = "order"
    """To the order whose key and name it bears."""
    ENTRIES = "entries"
    """To the entries that were paid out together."""
    ACCOUNT = "account"
    """To the merchant's account: the provider itself names no order for this kind of entry."""
    UNLINKED = "unlinked"
    """It should belong to an order, and none is known: a case says so."""


class StatementLine(msgspec.Struct, frozen=True):
    """One line: what moved, signed in the merchant's favour."""

    connection: ConnectionName
    kind: MoveKind
    line_id: str
    """The store's or the provider's own id, so that it can be looked up there."""
    at: datetime
    amount: Money
    presentment: Money
    """As the buyer saw it; the same where there is one currency."""
    link: Link
    order_key: OrderKey | None = None
    order_name: str = ""
    gateway: str = ""
    state: MoneyState = MoneyState.NONE
    payout_id: str = ""
    note: str = ""


class Figures(msgspec.Struct, frozen=True):
    """One store's day in one currency. Money out is below zero; ``net`` is the sum of all but ``ordered``."""

    connection: ConnectionName
    currency: str
    orders: int
    ordered: Money
    received: Money
    refunded: Money
    charged_back: Money
    """Reversals taken off."""
    fees: Money
    adjusted: Money
    net: Money
    outside: Money
    """Of ``net``: what goes through no books that can be read."""
    before: Money
    """Of ``net``: what moved before the provider's books were read."""
    awaited: Money
    """Of ``net``: what the provider has not booked yet."""
    booked: Money
    """Of ``net``: booked, and not paid out yet."""
    paid_out: Money
    """Of ``net``: in a payout that the bank has."""
    payouts: Money
    """Payouts issued on this day, whatever day their money is from."""


class Agreement(msgspec.Struct, frozen=True):
    """All checks of one kind, summed: the differences of the statement explain ``difference`` to the cent."""

    what: str
    connection: ConnectionName
    currency: str
    items: int
    ours: Money
    theirs: Money
    awaited: Money
    """Part of the difference that is not due yet."""
    difference: Money
    """``theirs`` - ``ours`` - what is awaited."""


class Why(StrEnum):
    """The reason of the case that says why two figures differ; the catalogue of reasons has the same words."""

    SETTLEMENT_DIFFERS = "settlement_differs"
    MONEY_NOT_BOOKED = "money_not_booked"
    MONEY_UNEXPLAINED = "money_unexplained"
    PAYOUT_FAILED = "payout_failed"
    COPY_DIFFERS = "copy_differs"


class Difference(msgspec.Struct, frozen=True):
    """A check that does not agree, a line without its order, or a payout that failed; and the case that says so."""

    reason: Why
    subject: str
    what: str
    connection: ConnectionName
    order_key: OrderKey | None
    order_name: str
    ours: Money
    theirs: Money
    difference: Money
    note: str


class StatementState(StrEnum):
    """How far a day is."""

    RUNNING = "running"
    """The day is not over."""
    OPEN = "open"
    """Something is awaited, is not paid out yet, or differs."""
    SETTLED = "settled"


class Statement(msgspec.Struct, frozen=True):
    """A day's orders, payments, refunds, chargebacks, fees and payouts of all stores of a workspace, reconciled."""

    workspace: Workspace
    day: date
    time_zone: str
    begins_at: datetime
    ends_at: datetime
    state: StatementState
    figures: tuple[Figures, ...]
    agreements: tuple[Agreement, ...]
    differences: tuple[Difference, ...]
    lines: tuple[StatementLine, ...]
    books: dict[ConnectionName, Books]
    copies: int
    """Copies of these orders in other stores; they are compared, and never added."""
    left_out: int
    """Test orders, which move no money."""
    gaps: tuple[str, ...] = ()
    """What is missing here because a provider's books do not tell of the whole day, and what to do about it."""


class KeptStatement(msgspec.Struct, frozen=True):
    """A version of a day's statement as it was made; a later one does not change it."""

    version: int
    """0: as the books are now, and not kept."""
    made_at: datetime
    digest: str
    """SHA-256 of the statement; it stands in the audit, too."""
    statement: Statement
