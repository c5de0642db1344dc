"""Orders read and polled: labels for movements, and the net under lost deliveries of stock.

An order that tells of units which the last level does not show makes the level be read again. What no order explains,
once orders and levels have both been read late enough, is booked as an edit by staff.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from storebridge.connectors.port import Blame, CallTrouble, Connector, Remedy
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.copying import CopiesTake
from storebridge.model.ids import ConnectionName, ItemId, OrderId, Workspace
from storebridge.model.orders import ChangeCursor, OrderFacts
from storebridge.model.sales import Order, Sale
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.signals import Flow, SignalState
from storebridge.reconcile.bundles import tell_edited_bundles
from storebridge.reconcile.checkouts import note_placed
from storebridge.reconcile.copied_stock import book_copied_stock, forget_returns, looks_after_returns, tell_of_copies
from storebridge.reconcile.doubts import resolve_doubts
from storebridge.reconcile.holds import release_explained_holds
from storebridge.reconcile.oversell import judge_oversold, note_called_off
from storebridge.store.cases import StoredCase, open_cases_of_reason
from storebridge.store.cursors import advance_cursor, read_cursor
from storebridge.store.database import Store, Tx
from storebridge.store.labels import (
    Residual,
    items_to_be_told,
    pools_moved_after,
    record_orders,
    residuals_of_items,
    residuals_since,
)
from storebridge.store.lanes import held_positions
from storebridge.store.listings import hidden_for, listing_began, measured_lag, note_lag, note_listed
from storebridge.store.sales import unread_orders
from storebridge.store.story import EXPLAINED_LATER, UNEXPLAINED, NewMovement, add_movements
from storebridge.store.waiting import (
    Ask,
    ClaimedLook,
    answer_looks,
    ask_looks,
    close_signals,
    waiting_of_entities,
)
from storebridge.work.urgency import Urgency

CURSOR = "orders"
SAFETY = 1.5
"""The overlap is longer by this than the longest lag that was ever measured."""
LABEL_WINDOW = timedelta(hours=1)
"""So long before the last poll, and the one before it, something may have moved that is still to be labelled."""
UNMAPPED_AT_ONCE = 500
FIRST_LOOK_BACK = timedelta(days=2)

Wake = Callable[[frozenset[ConnectionName]], None]
Keep = Callable[[Tx, ConnectionName, Sequence[Order], Sequence[ClaimedLook]], frozenset[ConnectionName]]
"""The turn of whole orders; returns whose courier has something to do."""


class ReadOrders:
    """Errand: read the orders that deliveries spoke of. With ``keep`` they are read whole, and it is their turn
    (``pipeline/order_flow.py``); without, only their label is read."""

    def __init__(
        self, terms: WorkspaceTerms, connector: Connector, store: Store, wake: Wake, *, keep: Keep | None = None
    ) -> None:
        capabilities = connector.capabilities
        self.rows_per_read = capabilities.orders_per_read if keep is None else capabilities.sales_per_read
        self._terms = terms
        self._workspace = terms.workspace
        self._connector = connector
        self._store = store
        self._wake = wake
        self._keep = keep

    async def __call__(self, looks: tuple[ClaimedLook, ...]) -> None:
        if self._keep is not None and await self._read_whole(self._keep, looks):
            return
        facts = await self._connector.read_orders([OrderId(look.key) for look in looks])
        asked = await self._store.run(commit_orders, self._workspace, self._connector.name, facts, looks)
        if asked:
            self._wake(frozenset({self._connector.name}))

    async def _read_whole(self, keep: Keep, looks: tuple[ClaimedLook, ...]) -> bool:
        """False when the store will not show whole orders (a scope, protected customer data): a case says so, and stock
        goes on with their labels."""
        try:
            sales = await self._connector.read_sales([OrderId(look.key) for look in looks])
        except CallTrouble as trouble:
            if trouble.remedy is not Remedy.STOP or trouble.blame is Blame.CREDENTIALS:
                raise
            await self._store.run(self._note_hidden, trouble)
            return False
        wake = await self._store.run(self._commit_sales, keep, sales, looks)
        # before a copy goes out: whose goods do not exist must wait
        self._wake(wake | await self._store.run(judge_oversold, self._terms))
        return True

    def _note_hidden(self, tx: Tx, trouble: CallTrouble) -> None:
        opening = CaseOpening(
            workspace=self._workspace,
            reason=Reason.ORDERS_HIDDEN,
            subject=self._connector.name,
            connection=self._connector.name,
            field=trouble.code,
            details={"message": str(trouble)[:500]},
        )
        raise_cases(tx, [opening])

    def _commit_sales(
        self, tx: Tx, keep: Keep, sales: tuple[Sale, ...], looks: tuple[ClaimedLook, ...]
    ) -> frozenset[ConnectionName]:
        name = self._connector.name
        asked = store_orders(tx, self._workspace, name, [sale.label for sale in sales], whole=True)
        wake = keep(tx, name, [sale.order for sale in sales], looks)
        note_called_off(tx, self._workspace, [sale.order for sale in sales])
        ask_looks(tx, self._workspace, name, looks_after_returns(tx, [sale.order for sale in sales]))
        settle_by_proof(tx, self._workspace, [(Reason.ORDERS_HIDDEN, name, "whole orders were read")])
        return wake | {name} if asked else wake


def commit_orders(
    tx: Tx,
    workspace: Workspace,
    connection: ConnectionName,
    facts: tuple[OrderFacts, ...],
    looks: tuple[ClaimedLook, ...],
) -> int:
    """Store orders, close the signals that pointed at them, ask for levels that do not show them yet."""
    asked = store_orders(tx, workspace, connection, facts)
    answer_looks(tx, workspace, connection, looks)
    up_to = {look.key: look.number for look in looks}
    done = waiting_of_entities(tx, workspace, connection, Flow.ORDERS, up_to)
    close_signals(tx, done, SignalState.CONFIRMED, "the order was read")
    return asked


def store_orders(
    tx: Tx, workspace: Workspace, connection: ConnectionName, facts: Iterable[OrderFacts], *, whole: bool = False
) -> int:
    """Store orders, ``whole`` where they were read so; returns how many levels have to be read because of them."""
    stored = list(facts)
    items = record_orders(tx, workspace, connection, stored, whole=whole)
    freed = note_placed(tx, workspace, connection, stored)
    unseen = [r for r in residuals_of_items(tx, workspace, connection, items) if r.unexplained != r.booked]
    return freed + _ask_levels(tx, workspace, connection, unseen, items)


def _ask_levels(
    tx: Tx,
    workspace: Workspace,
    connection: ConnectionName,
    residuals: Iterable[Residual],
    among: Iterable[ItemId] | None = None,
) -> int:
    wanted = {item for residual in residuals for item in residual.items}
    if among is not None:
        wanted &= set(among)
    asks = [Ask("levels", item, int(Urgency.STOCK_READ), tx.now) for item in sorted(wanted)]
    ask_looks(tx, workspace, connection, asks)
    return len(asks)


def read_orders_of_cases(tx: Tx, workspace: Workspace, cases: Sequence[StoredCase]) -> frozenset[ConnectionName]:
    """Read the orders again that cases about copies speak of, and their copies; returns whom to wake."""
    wanted = [
        (ConnectionName(str(payload[store])), str(payload[order_id]))
        for payload in (case.payload or {} for case in cases)
        for store, order_id in (("of", "id"), ("copied_to", "copy_id"))
        if store in payload and order_id in payload
    ]
    for connection, order_id in wanted:
        ask_looks(tx, workspace, connection, [Ask("orders", order_id, int(Urgency.ORDERS), tx.now)])
    return frozenset(connection for connection, _ in wanted)


def read_unmapped_orders(tx: Tx, workspace: Workspace) -> frozenset[ConnectionName]:
    """The catalogue was listed: orders that named unknown goods may be copied now."""
    cases = open_cases_of_reason(tx, workspace, Reason.ORDER_NOT_MAPPED.value, UNMAPPED_AT_ONCE)
    return read_orders_of_cases(tx, workspace, cases)


class PollOrders:
    """Errand: list orders changed since the cursor, all pages, then move the cursor, then label movements."""

    rows_per_read = 1

    def __init__(
        self, terms: WorkspaceTerms, connector: Connector, store: Store, *, every_seconds: float, wake: Wake
    ) -> None:
        self._terms = terms
        self._workspace = terms.workspace
        self._connector = connector
        self._store = store
        self._every = timedelta(seconds=every_seconds)
        self._known_lag = self._lag = timedelta(seconds=connector.capabilities.changes_lag_seconds)
        self._wake = wake

    async def __call__(self, looks: tuple[ClaimedLook, ...]) -> None:
        begun, before, cursor = await self._store.run(self._begin)
        newest, page = cursor, None
        while True:
            found = await self._connector.orders_changed(cursor, page)
            await self._store.run(self._store_page, found.orders, before)
            newest = _later(newest, found.orders)
            page = found.next_page
            if page is None:
                break
        await self._store.run(self._finish, looks, begun, newest, before)
        if self._terms.keep_orders:
            self._wake(await self._store.run(judge_oversold, self._terms))
        self._wake(frozenset({self._connector.name}))

    def _store_page(self, tx: Tx, orders: tuple[OrderFacts, ...], listed_before: datetime | None) -> None:
        """Labels at once; where orders are kept, the whole of each that is new or changed is asked for."""
        name = self._connector.name
        note_lag(tx, self._workspace, name, CURSOR, hidden_for(tx, self._workspace, name, orders, listed_before))
        store_orders(tx, self._workspace, name, orders)
        note_listed(tx, self._workspace, name, orders)
        if self._terms.keep_orders:
            unread = unread_orders(tx, self._workspace, name, {order.order_id: order.updated_at for order in orders})
            asks = [Ask("orders", order_id, int(Urgency.ORDERS), tx.now) for order_id in unread]
            ask_looks(tx, self._workspace, name, asks)

    def _begin(self, tx: Tx) -> tuple[datetime, datetime | None, ChangeCursor]:
        """Listing starts before the cursor by the longest lag, known or measured: a late entry is not missed."""
        name = self._connector.name
        measured = measured_lag(tx, self._workspace, name, CURSOR) * SAFETY
        self._lag = max(self._known_lag, measured)
        stored = read_cursor(tx, self._workspace, name, CURSOR)
        since = tx.now - FIRST_LOOK_BACK if stored is None else stored.updated_at
        return tx.now, listing_began(tx, self._workspace, name, CURSOR), ChangeCursor(since - self._lag)

    def _finish(
        self,
        tx: Tx,
        looks: tuple[ClaimedLook, ...],
        begun: datetime,
        newest: ChangeCursor,
        before: datetime | None,
    ) -> None:
        name = self._connector.name
        advance_cursor(tx, self._workspace, name, CURSOR, newest, checked_at=begun)
        answer_looks(tx, self._workspace, name, looks)
        late_landing = timedelta(seconds=self._connector.capabilities.late_landing_seconds)
        resolve_doubts(tx, self._terms, name, late_landing=late_landing)
        release_explained_holds(tx, self._terms, name)
        since = (before or begun) - LABEL_WINDOW - self._every
        label_movements(tx, self._terms, name, orders_read_at=begun, lag=self._lag, since=since)
        self._ask(tx, forget_returns(tx, self._terms, name, since))
        if self._terms.copies_take.get(name, CopiesTake.NEVER) is CopiesTake.NEVER:
            tell_of_copies(tx, self._workspace, name, before, begun, self._lag)
        again = Ask("order_poll", "all", int(Urgency.ORDERS), tx.now + self._every)
        ask_looks(tx, self._workspace, name, [again])

    def _ask(self, tx: Tx, items: Iterable[ItemId]) -> None:
        asks = [Ask("levels", item, int(Urgency.STOCK_READ), tx.now) for item in sorted(items)]
        ask_looks(tx, self._workspace, self._connector.name, asks)


def _later(cursor: ChangeCursor, orders: Iterable[OrderFacts]) -> ChangeCursor:
    newest = max(((order.updated_at, order.order_id) for order in orders), default=None)
    if newest is None or newest[0] < cursor.updated_at:
        return cursor
    return ChangeCursor(newest[0], newest[1])


def label_movements(
    tx: Tx,
    terms: WorkspaceTerms,
    connection: ConnectionName,
    *,
    orders_read_at: datetime,
    lag: timedelta,
    since: datetime,
) -> None:
    """Book what no order explains into rights where a copy did it, else as edits by staff; or have levels read that are
    older than the orders. ``since`` lies before the last poll, however long ago that was: what moved while orders could
    not be listed would stay unlabelled for good."""
    workspace = terms.workspace
    found = residuals_since(tx, workspace, connection, since)
    waiting = {key.item_id for key in held_positions(tx, workspace, connection)}
    waiting |= items_to_be_told(tx, workspace, connection)
    open_ones = [residual for residual in found if residual.unbooked and not waiting.intersection(residual.items)]
    moving = pools_moved_after(tx, workspace, connection, orders_read_at - lag) if open_ones else set()
    unread = [r for r in open_ones if not _levels_are_newer(r)]
    certain = [one for one in open_ones if _levels_are_newer(one) and one.pool_id not in moving]
    copied = book_copied_stock(tx, terms, connection, certain, since)
    _ask_levels(tx, workspace, connection, [*unread, *(one for one in certain if copied.get(one.pool_id))])
    rest = {one: one.unbooked - copied.get(one.pool_id, 0) for one in certain}
    by_staff = {residual: units for residual, units in rest.items() if units}
    add_movements(
        tx,
        workspace,
        [
            NewMovement(
                pool_id=residual.pool_id,
                connection=residual.connection,
                kind="manual",
                units=units,
                actor=f"staff of {residual.connection}",
                note=EXPLAINED_LATER if units * residual.booked < 0 else UNEXPLAINED,
            )
            for residual, units in by_staff.items()
        ],
    )
    tell_edited_bundles(tx, workspace, connection, found, by_staff)


def _levels_are_newer(residual: Residual) -> bool:
    orders, levels = residual.last_order_read_at, residual.oldest_read_at
    return levels is not None and (orders is None or levels >= orders)
