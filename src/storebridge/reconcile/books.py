"""The books of a store's own payment provider, read now and then: payouts, and every entry that they are made of.

Two ways lead to an entry, so that none is missed: the listing of what was booked lately, and the listing of each payout
while it is filled, when it is paid, and when it failed. What changed makes the statements of its days be made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from storebridge.connectors.port import BooksHidden, Connector, ProviderBooks
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import ConnectionName
from storebridge.model.orders import ChangeCursor
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.settlement import Books, BooksState, LedgerEntry
from storebridge.reconcile.bookkeeping import MOST_PAGES, Bookkeeping, read_entries_of
from storebridge.store.books import load_books, save_books
from storebridge.store.cursors import advance_cursor, read_cursor
from storebridge.store.database import Store, Tx
from storebridge.store.settlements import ask_statements, unsettled_days
from storebridge.store.waiting import Ask, ClaimedLook, answer_looks, ask_looks
from storebridge.work.urgency import Urgency

BOOKS_LOOK = "books"
CURSOR = "books"
FIRST_LOOK_BACK = timedelta(days=7)
LATE = timedelta(days=1)
"""Entries may be listed so much later than they were booked; what is later still comes with its payout."""
PAYOUTS_BACK = timedelta(days=30)
"""A payout may fail, or be paid, so long after it was issued. Counted from where the entries were read to: those of a
stop of weeks would else never be known, and their days stay open for good."""
OPEN_SINCE = timedelta(days=60)


def ask_books(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName) -> None:
    """At start: read the books of a store now; it asks for its own next time when done."""
    if terms.keep_orders:
        if connection not in load_books(tx, terms.workspace):
            save_books(tx, terms.workspace, connection, Books(BooksState.UNREAD, "they were not read yet"))
        ask_looks(tx, terms.workspace, connection, [Ask(BOOKS_LOOK, "all", int(Urgency.SWEEP), tx.now)])


class ReadBooks:
    """Errand: read payouts and entries, all pages, then move the cursor."""

    rows_per_read = 1

    def __init__(
        self,
        terms: WorkspaceTerms,
        connector: Connector,
        books: ProviderBooks,
        store: Store,
        wake: Callable[[frozenset[ConnectionName]], None],
    ) -> None:
        self._terms = terms
        self._workspace = terms.workspace
        self._name = connector.name
        self._books = books
        self._keeping = Bookkeeping(terms, connector.name)
        self._store = store
        self._wake = wake

    async def __call__(self, looks: tuple[ClaimedLook, ...]) -> None:
        begun, since, payouts_since = await self._store.run(self._begin)
        try:
            open_account = await self._payouts(payouts_since)
        except BooksHidden as hidden:
            await self._store.run(self._finish, looks, Books(BooksState.HIDDEN, str(hidden)[:500]))
            return
        if not open_account:
            none = Books(BooksState.NONE, "the store takes payments without a provider whose books it shows")
            await self._store.run(self._finish, looks, none)
            return
        await self._entries(since)
        await self._store.run(self._finish, looks, Books(BooksState.READ, "", begun, since))
        self._wake(frozenset({self._name}))

    def _begin(self, tx: Tx) -> tuple[datetime, datetime, datetime]:
        """Now, and since when entries and payouts are listed."""
        cursor = read_cursor(tx, self._workspace, self._name, CURSOR)
        since = tx.now - FIRST_LOOK_BACK if cursor is None else cursor.updated_at - LATE
        known = tx.now if cursor is None else min(cursor.updated_at, tx.now)
        return tx.now, since, known - PAYOUTS_BACK

    async def _payouts(self, since: datetime) -> bool:
        """Read payouts, and the entries of those that are new or have changed; False where there is no provider."""
        page: str | None = None
        for _ in range(MOST_PAGES):
            found = await self._books.payouts(since, page)
            if found is None:
                return False
            for payout in await self._store.run(self._keeping.save_payouts, found.payouts):
                entries = await read_entries_of(self._books, payout)
                await self._store.run(self._keeping.save_payout_entries, payout, entries)
            page = found.next_page
            if page is None:
                break
        return True

    async def _entries(self, since: datetime) -> None:
        """What was booked lately; how far it was read is noted after each page, so that a long list is resumed."""
        page: str | None = None
        for _ in range(MOST_PAGES):
            found = await self._books.entries(since, page)
            await self._store.run(self._save_page, found.entries)
            page = found.next_page
            if page is None:
                break

    # transactions
    def _save_page(self, tx: Tx, entries: Sequence[LedgerEntry]) -> None:
        self._keeping.save_entries(tx, entries)
        if entries:
            last = max(entries, key=lambda one: one.at)
            advance_cursor(
                tx, self._workspace, self._name, CURSOR, ChangeCursor(last.at, last.entry_id), checked_at=tx.now
            )

    def _finish(self, tx: Tx, looks: tuple[ClaimedLook, ...], books: Books) -> None:
        workspace, name = self._workspace, self._name
        before = load_books(tx, workspace).get(name)
        save_books(tx, workspace, name, books)
        if before is None or before.state is not books.state:
            ask_statements(tx, self._terms, unsettled_days(tx, workspace, (tx.now - OPEN_SINCE).date()))
        if books.state is BooksState.HIDDEN:
            opening = CaseOpening(
                workspace=workspace,
                reason=Reason.BOOKS_HIDDEN,
                subject=name,
                connection=name,
                field="books",
                details={"message": books.detail},
            )
            raise_cases(tx, [opening])
        else:
            settle_by_proof(tx, workspace, [(Reason.BOOKS_HIDDEN, name, "the provider's books were read")])
        answer_looks(tx, workspace, name, looks)
        again = tx.now + timedelta(seconds=self._terms.settlement_poll_seconds)
        ask_looks(tx, workspace, name, [Ask(BOOKS_LOOK, "all", int(Urgency.SWEEP), again)])
