"""The books of a past that was asked for: payouts, what each is made of, and entries that are in none.

They follow the orders of a backfill, step by step and within its share of the budget. Each step is stored with the
place of the next one; taking it again changes nothing twice.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from storebridge.connectors.port import BooksHidden, ProviderBooks
from storebridge.model.days import day_of
from storebridge.model.ids import ConnectionName
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.settlement import LedgerEntry, Payout
from storebridge.reconcile.bookkeeping import Bookkeeping, read_entries_of
from storebridge.store.backfills import Backfill, BackfillStage, advance_books
from storebridge.store.books import extend_books, load_books, next_payout_to_read
from storebridge.store.database import Store, Tx
from storebridge.store.settlements import ask_statements


class BooksStep(msgspec.Struct, frozen=True):
    """What one step brought, and where the next one begins; no next stage: that was all."""

    stage: BackfillStage | None
    page: str | None = None
    payouts: tuple[Payout, ...] = ()
    payout: Payout | None = None
    entries: tuple[LedgerEntry, ...] = ()
    note: str = ""
    """Why there is nothing, for people."""


class PastBooks:
    """Steps through one store's books."""

    def __init__(self, terms: WorkspaceTerms, connection: ConnectionName, books: ProviderBooks, store: Store) -> None:
        self._terms = terms
        self._name = connection
        self._books = books
        self._store = store
        self._keeping = Bookkeeping(terms, connection)

    async def read(self, job: Backfill) -> BooksStep:
        """The next step. Raises CallTrouble."""
        try:
            if job.stage is BackfillStage.PAYOUTS:
                return await self._payouts(job)
            if job.stage is BackfillStage.PAYOUT_ENTRIES:
                return await self._one_payout(job)
            return await self._entries(job)
        except BooksHidden as hidden:
            note = f"{self._name} does not show its payment provider's books, so fees and payouts of these days stay "
            return BooksStep(None, note=f"{note}unknown: {hidden}"[:500])

    def keep(self, tx: Tx, job: Backfill, step: BooksStep) -> bool:
        """Store it; False when it was cancelled, or somebody else took it, meanwhile."""
        self._keeping.save_payouts(tx, step.payouts)
        if step.payout is not None:
            booked = self._keeping.save_payout_entries(tx, step.payout, step.entries)
        else:
            booked = self._keeping.save_entries(tx, step.entries)
        last = step.stage or job.stage
        current = advance_books(tx, job, stage=last, page=step.page, booked=booked)
        if current and step.stage is None and job.stage is BackfillStage.ENTRIES and not step.note:
            self._known_from_now_on(tx, job)
        return current

    async def _payouts(self, job: Backfill) -> BooksStep:
        found = await self._books.payouts(job.since, job.page)
        if found is None:
            return BooksStep(None)
        stage = BackfillStage.PAYOUT_ENTRIES if found.next_page is None else BackfillStage.PAYOUTS
        return BooksStep(stage, found.next_page, payouts=found.payouts)

    async def _one_payout(self, job: Backfill) -> BooksStep:
        payout = await self._store.read(next_payout_to_read, self._terms.workspace, self._name, job.since)
        if payout is None:
            return BooksStep(BackfillStage.ENTRIES)
        entries = await read_entries_of(self._books, payout)
        return BooksStep(BackfillStage.PAYOUT_ENTRIES, payout=payout, entries=tuple(entries))

    async def _entries(self, job: Backfill) -> BooksStep:
        """Oldest first, up to where the books are known already."""
        known = (await self._store.read(load_books, self._terms.workspace)).get(self._name)
        until = (known.covers_from if known else None) or job.until
        found = await self._books.entries(job.since, job.page)
        beyond = bool(found.entries) and all(one.at > until for one in found.entries)
        if beyond or found.next_page is None:
            return BooksStep(None, entries=found.entries)
        return BooksStep(BackfillStage.ENTRIES, found.next_page, entries=found.entries)

    def _known_from_now_on(self, tx: Tx, job: Backfill) -> None:
        """What was said to be from before the books were read is not any more: those days are settled anew."""
        until = extend_books(tx, self._terms.workspace, self._name, job.since)
        if until is not None:
            zone = self._terms.time_zone
            first, last = day_of(job.since, zone), day_of(until, zone)
            ask_statements(tx, self._terms, [first + timedelta(days=n) for n in range((last - first).days + 1)])
