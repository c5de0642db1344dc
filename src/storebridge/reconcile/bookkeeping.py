"""What a payment provider booked, taken in: whatever is new makes the statements of its days be made anew."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from storebridge.connectors.port import ProviderBooks
from storebridge.flows.invoices import money_moves
from storebridge.model.days import day_of
from storebridge.model.ids import ConnectionName, OrderId
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.settlement import LedgerEntry, Payout
from storebridge.store.books import note_entries_read, release_entries, save_entries, save_payouts
from storebridge.store.database import Tx
from storebridge.store.settlements import ask_statements, orders_by_id
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

MOST_PAGES = 1000


async def read_entries_of(books: ProviderBooks, payout: Payout) -> list[LedgerEntry]:
    """Every entry of a payout. Raises CallTrouble, BooksHidden."""
    entries: list[LedgerEntry] = []
    page: str | None = None
    for _ in range(MOST_PAGES):
        found = await books.entries_of(payout.payout_id, page)
        entries += found.entries
        page = found.next_page
        if page is None:
            break
    return entries


class Bookkeeping:
    """The books of one store. Every method is one part of a transaction, and may be repeated."""

    def __init__(self, terms: WorkspaceTerms, connection: ConnectionName) -> None:
        self._terms = terms
        self._workspace = terms.workspace
        self._name = connection

    def save_payouts(self, tx: Tx, payouts: Sequence[Payout]) -> list[Payout]:
        """Store payouts; returns those whose entries have to be read."""
        return save_payouts(tx, self._workspace, self._name, payouts)

    def save_payout_entries(self, tx: Tx, payout: Payout, entries: Sequence[LedgerEntry]) -> int:
        """All entries of a payout as it is now; those that left it are let go. How many were new or have changed."""
        changed = self._save(tx, entries)
        count = len(changed)
        kept = {one.entry_id for one in entries}
        changed += release_entries(tx, self._workspace, self._name, payout.payout_id, kept)
        days = {day_of(payout.issued_at, self._terms.time_zone)} if changed else set()
        if note_entries_read(tx, self._workspace, self._name, payout):
            days.add(day_of(payout.issued_at, self._terms.time_zone))
            changed += [one for one in entries if one not in changed]
        self._tell(tx, changed, days)
        return count

    def save_entries(self, tx: Tx, entries: Sequence[LedgerEntry]) -> int:
        """Some entries, of whatever payout. How many were new or have changed."""
        changed = self._save(tx, entries)
        self._tell(tx, changed, set())
        return len(changed)

    def _save(self, tx: Tx, entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
        return save_entries(tx, self._workspace, self._name, entries) if entries else []

    def _tell(self, tx: Tx, changed: Sequence[LedgerEntry], days: Collection[date]) -> None:
        """Statements to be made anew: of the days of these entries, and of the payments that they book. Orders that are
        not known, or do not show what was booked, are read."""
        zone = self._terms.time_zone
        orders = orders_by_id(tx, self._workspace, self._name, {order_id for one in changed for order_id in one.orders})
        known = {order.order_id: order for order in orders.values()}
        found = {*days, *(day_of(one.at, zone) for one in changed)}
        for one in changed:
            found |= _days_of(known.get(one.order_id) if one.order_id else None, one, zone)
        ask_statements(tx, self._terms, found)
        if self._terms.keep_orders:
            named = [(order_id, paid) for one in changed for order_id, paid in _named(one)]
            unread = {order_id for order_id, paid in named if not _shows(known.get(order_id), paid)}
            asks = [Ask("orders", order_id, int(Urgency.SWEEP), tx.now) for order_id in sorted(unread)]
            ask_looks(tx, self._workspace, self._name, asks)


def _days_of(order: Order | None, entry: LedgerEntry, zone: str) -> set[date]:
    """The days on which an order shows the payment that an entry books."""
    moves = money_moves(order) if order is not None else ()
    return {day_of(one.at, zone) for one in moves if one.payment_id == entry.payment_id}


def _named(entry: LedgerEntry) -> Iterator[tuple[OrderId, str]]:
    """Each order that an entry names by id, with the transaction that it books of it."""
    named = [(entry.order_id, entry.payment_id), *((part.order_id, part.payment_id) for part in entry.parts)]
    for order_id, payment_id in named:
        if order_id:
            yield order_id, payment_id


def _shows(order: Order | None, payment_id: str) -> bool:
    """Whether an order is known, and with the payment that was booked."""
    return order is not None and (not payment_id or any(one.payment_id == payment_id for one in order.payments))
