"""Errand: orders of the past, read page by page, the newest first, when nothing else is to be done.

A step lists one page and reads those of its orders whole that are not known as they are now. It is stored in one
transaction with the place of the next page, so a process that dies takes the same step again, which changes nothing
twice. Steps are so far apart that they take a fixed share of the store's call budget, and none begins while half of
the budget is in use.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec
from msgspec.structs import replace

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Clock
from storebridge.connectors.port import SCHEMA_DRIFT, Blame, CallTrouble, Connector, Remedy
from storebridge.model.copying import stamp_of
from storebridge.model.ids import ConnectionName, OrderId, OrderKey
from storebridge.model.orders import PlacedPage
from storebridge.model.sales import Order, Sale
from storebridge.model.settings import WorkspaceTerms
from storebridge.reconcile.orders import Keep, Wake, store_orders
from storebridge.reconcile.oversell import judge_oversold, note_called_off
from storebridge.reconcile.past_books import BooksStep, PastBooks
from storebridge.store.backfills import (
    Backfill,
    BackfillStage,
    BackfillState,
    advance_backfill,
    ask_for_copies,
    begin_books,
    end_backfill,
    note_of_backfill,
    open_backfill,
)
from storebridge.store.database import Store, Tx
from storebridge.store.sales import load_files, order_key_of, unread_orders
from storebridge.store.waiting import Ask, ClaimedLook, answer_looks, ask_looks
from storebridge.work.urgency import Urgency

BACKFILL_LOOK = "backfill"
SHARE = 0.25
"""The part of a store's call budget that a backfill takes at most."""
QUIET = 0.5
"""Free part of the budget below which no step begins."""
BUSY_PAUSE = timedelta(seconds=5)

Replan = Callable[[Tx, Collection[OrderKey]], frozenset[ConnectionName]]
"""The turn of orders about which something was decided; returns whose courier has something to do."""


def ask_backfill(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, due_at: datetime) -> None:
    """Have the courier take the next step, not before ``due_at``."""
    ask = Ask(BACKFILL_LOOK, "all", int(Urgency.BACKFILL), due_at)
    ask_looks(tx, terms.workspace, connection, [ask])


Commit = Callable[[Tx, tuple[ClaimedLook, ...], timedelta], frozenset[ConnectionName]]
"""Stores a step; given the looks that asked for it, and how long to rest before the next."""


class OrdersStep(msgspec.Struct, frozen=True):
    """A page, its orders that are new or changed, and how many those should have been."""

    page: PlacedPage
    sales: tuple[Sale, ...]
    unread: int


class ReadPastOrders:
    """One step of one store's backfill: orders first, then what its payment provider booked for them."""

    rows_per_read = 1

    def __init__(
        self,
        terms: WorkspaceTerms,
        connector: Connector,
        store: Store,
        clock: Clock,
        wake: Wake,
        *,
        keep: Keep,
        replan: Replan,
    ) -> None:
        books = connector.books
        self._books = None if books is None else PastBooks(terms, connector.name, books, store)
        self._terms = terms
        self._workspace = terms.workspace
        self._connector = connector
        self._name = connector.name
        self._store = store
        self._clock = clock
        self._wake = wake
        self._keep = keep
        self._replan = replan

    async def __call__(self, looks: tuple[ClaimedLook, ...]) -> None:
        job = await self._store.read(open_backfill, self._workspace, self._name)
        if job is None:
            await self._store.run(answer_looks, self._workspace, self._name, looks)
            return
        budget = self._connector.budget
        if budget.ratio() < QUIET:
            await self._store.run(self._ask_later, looks, BUSY_PAUSE)
            return
        begun, used = self._clock.monotonic(), budget.used_seconds()
        try:
            commit = await self._next(job)
        except CallTrouble as trouble:
            if not _is_final(trouble):
                raise
            await self._store.run(self._stop, job, looks, str(trouble))
            return
        rest = (budget.used_seconds() - used) / SHARE - (self._clock.monotonic() - begun)
        pause = timedelta(seconds=max(rest, 0.0))
        self._wake(await self._store.run(commit, looks, pause))
        self._wake(await self._store.run(judge_oversold, self._terms))

    async def _next(self, job: Backfill) -> Commit:
        """Read what comes next; returns what stores it."""
        if self._books is None or job.stage is BackfillStage.ORDERS:
            return partial(self._commit, job, await self._step(job))
        return partial(self._commit_books, self._books, job, await self._books_step(self._books, job))

    async def _books_step(self, books: PastBooks, job: Backfill) -> BooksStep:
        """Where the store has forgotten the token of the page, the stage begins anew."""
        try:
            return await books.read(job)
        except CallTrouble as trouble:
            if job.page is None or not _is_final(trouble):
                raise
        return await books.read(replace(job, page=None))

    async def _step(self, job: Backfill) -> OrdersStep:
        if job.state is BackfillState.WAITING:
            job = await self._within_reach(job)
        page = await self._list(job)
        seen = {order.order_id: order.updated_at for order in page.orders}
        unread = await self._store.read(unread_orders, self._workspace, self._name, seen)
        return OrdersStep(page, tuple(await self._read(unread)), len(unread))

    async def _within_reach(self, job: Backfill) -> Backfill:
        """What a store does not show is said before it is missed."""
        reach = await self._connector.orders_reach()
        if reach is None or job.until - job.since <= reach:
            return job
        since = job.until - reach
        note = (
            f"{self._name} shows orders of the last {reach.days} days only: for older ones the app needs the scope "
            "read_all_orders, which Shopify grants on request. Ask for it, then start the backfill again."
        )
        await self._store.run(note_of_backfill, job.number, since, note)
        return (await self._store.read(open_backfill, self._workspace, self._name)) or job

    async def _list(self, job: Backfill) -> PlacedPage:
        """The next page; where the store has forgotten its token, the orders from the oldest known on."""
        try:
            return await self._connector.orders_placed(job.since, job.until, job.page)
        except CallTrouble as trouble:
            if job.page is None or not _is_final(trouble):
                raise
        return await self._connector.orders_placed(job.since, job.reached or job.until, None)

    async def _read(self, unread: Sequence[OrderId]) -> list[Sale]:
        """Whole orders; one that cannot be understood is left out (its drift tells of it) and does not stop others.

        Read apart, they are stored as they come: where one call in a few fails, all would never come at once.
        """
        if not unread:
            return []
        try:
            return list(await self._connector.read_sales(unread))
        except CallTrouble as trouble:
            if trouble.code != SCHEMA_DRIFT:
                raise
            if len(unread) == 1:
                return []
        middle = len(unread) // 2
        for half in (unread[:middle], unread[middle:]):
            sales = await self._read(half)
            self._wake(await self._store.run(self._store_sales, sales))  # kept, whatever fails next
        return []

    def _ask_later(self, tx: Tx, looks: tuple[ClaimedLook, ...], pause: timedelta) -> None:
        answer_looks(tx, self._workspace, self._name, looks)
        ask_backfill(tx, self._terms, self._name, tx.now + pause)

    def _stop(self, tx: Tx, job: Backfill, looks: tuple[ClaimedLook, ...], why: str) -> None:
        answer_looks(tx, self._workspace, self._name, looks)
        self._end(tx, job, BackfillState.STOPPED, why[:500])

    def _commit(
        self, job: Backfill, step: OrdersStep, tx: Tx, looks: tuple[ClaimedLook, ...], pause: timedelta
    ) -> frozenset[ConnectionName]:
        page = step.page
        wake = self._store_sales(tx, step.sales)
        oldest = min((order.placed_at for order in page.orders), default=None)
        listed = len(page.orders)
        current = advance_backfill(tx, job, page=page.next_page, reached=oldest, listed=listed, read=step.unread)
        if current and job.copy:
            wake |= self._copy(tx, [order.order_id for order in page.orders])
        answer_looks(tx, self._workspace, self._name, looks)
        over = current and page.next_page is None
        if over and self._books is None:
            self._end(tx, job, BackfillState.DONE)
            return wake
        if over:
            begin_books(tx, job.number)
        ask_backfill(tx, self._terms, self._name, tx.now + pause)
        return wake

    def _commit_books(
        self,
        books: PastBooks,
        job: Backfill,
        step: BooksStep,
        tx: Tx,
        looks: tuple[ClaimedLook, ...],
        pause: timedelta,
    ) -> frozenset[ConnectionName]:
        current = books.keep(tx, job, step)
        answer_looks(tx, self._workspace, self._name, looks)
        if current and step.stage is None:
            self._end(tx, job, BackfillState.DONE, " ".join(filter(None, (job.note, step.note))))
        else:
            ask_backfill(tx, self._terms, self._name, tx.now + pause)
        return frozenset({self._name})

    def _store_sales(self, tx: Tx, sales: Sequence[Sale]) -> frozenset[ConnectionName]:
        orders = [sale.order for sale in sales]
        asked = store_orders(tx, self._workspace, self._name, [sale.label for sale in sales], whole=True)
        wake = self._keep(tx, self._name, orders, ())
        note_called_off(tx, self._workspace, orders)
        return wake | {self._name} if asked else wake

    def _copy(self, tx: Tx, listed: Sequence[OrderId]) -> frozenset[ConnectionName]:
        """Orders that still wait may be copied from now on, by the rules of live ones."""
        target = self._terms.copy_to
        if target is None or target == self._name:
            return frozenset()
        files = load_files(tx, self._workspace, [order_key_of(self._name, order_id) for order_id in listed])
        wanted = [(key, _stamp(self._terms, file.order)) for key, file in files.items() if _may_be_copied(file.order)]
        ask_for_copies(tx, self._workspace, target, wanted)
        return self._replan(tx, [key for key, _ in wanted])

    def _end(self, tx: Tx, job: Backfill, state: BackfillState, why: str = "") -> None:
        if end_backfill(tx, job.number, state, why):
            record = {"state": state.value, "since": job.since.isoformat(), "why": why}
            subject = str(self._name)
            row = AuditRow(
                workspace=self._workspace, kind="backfill_ended", subject=subject, actor="storebridge", record=record
            )
            append(tx, [row])


def _is_final(trouble: CallTrouble) -> bool:
    """No waiting and no new credentials will change the answer."""
    return trouble.remedy is Remedy.STOP and trouble.blame is not Blame.CREDENTIALS and trouble.code != SCHEMA_DRIFT


def _may_be_copied(order: Order) -> bool:
    return order.origin is None and not order.test and order.units_to_ship > 0


def _stamp(terms: WorkspaceTerms, order: Order) -> str:
    return stamp_of(terms.workspace, order.connection, order.order_id)
