"""Days settled: a statement is made when a day is over, and made anew whenever something of it changes.

A version that was made is never changed. What differs is a case with both figures; it closes by itself when a later
statement of the day finds them the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from storebridge.audit.record import AuditRow, append
from storebridge.errors import StoreUnavailableError
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.flows.settlement import DayFacts, IssuedPayout, SettledOrder, days_of, next_look, statement_of
from storebridge.model.days import bounds_of, day_of
from storebridge.model.ids import ConnectionName, OrderKey, Workspace
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.settlement import Books, BooksState, Difference, LedgerEntry, Statement
from storebridge.reconcile.orders import CURSOR as ORDERS
from storebridge.store.books import (
    entries_between,
    entries_of_orders,
    entries_of_payout,
    load_books,
    payouts_between,
    states_of_payouts,
)
from storebridge.store.cursors import read_cursor
from storebridge.store.database import Store, Tx
from storebridge.store.order_writes import content_of_copy, writes_of_orders
from storebridge.store.sales import note_missing_money
from storebridge.store.settlements import (
    GRACE,
    DueDay,
    add_version,
    answer_day,
    copies_of,
    digest_of,
    due_days,
    ensure_day,
    newest_day,
    newest_head,
    oldest_asked,
    orders_by_id,
    orders_with_money,
    postpone_day,
)
from storebridge.telemetry.log import get_logger, mask

log = get_logger("settlement")

DAYS_AT_ONCE = 20
NOTED_AT_ONCE = 500
MOST_DAYS_BACK = 31
"""After a long stop so many days get a statement although nothing is known to have happened on them."""
FAILED_AGAIN = timedelta(hours=1)
OURS = frozenset({Reason.SETTLEMENT_DIFFERS, Reason.MONEY_NOT_BOOKED, Reason.MONEY_UNEXPLAINED, Reason.PAYOUT_FAILED})
"""Cases that statements open and close; what copies differ by has its own."""


async def settle_days(store: Store, terms: WorkspaceTerms) -> int:
    """Make the statements that are due, where orders are kept; returns how many versions were kept. Two processes that
    make the same keep one version."""
    if not terms.keep_orders:
        return 0
    while await store.run(note_missing_money, terms.workspace, NOTED_AT_ONCE):
        pass
    kept = 0
    for due in await store.run(_due, terms):
        done = await _try_to_settle(store, terms, due)
        if isinstance(done, Exception):
            log.error("settlement_failed", workspace=terms.workspace, day=due.day.isoformat(), error=repr(done))
            await store.run(_set_aside, terms, due, done)
        else:
            kept += done
    return kept


async def _try_to_settle(store: Store, terms: WorkspaceTerms, due: DueDay) -> bool | Exception:
    """Whether a version was kept; else what is wrong with this day, which must not stop stock and orders."""
    try:
        facts = await store.read(facts_of, terms, due.day)
        statement = statement_of(facts)
        return await store.run(_keep, terms, due, statement, next_look(facts, statement))
    except StoreUnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - the caller gets it
        return error


def _set_aside(tx: Tx, terms: WorkspaceTerms, due: DueDay, error: Exception) -> None:
    """A person is told of a day that cannot be settled; it is tried again later, and the others go on."""
    postpone_day(tx, terms.workspace, due, tx.now + FAILED_AGAIN)
    opening = CaseOpening(
        workspace=terms.workspace,
        reason=Reason.WORK_FAILED,
        subject=_work(due),
        field=type(error).__name__,
        details={"error": str(mask("error", str(error)))[:500]},
    )
    raise_cases(tx, [opening])


def _work(due: DueDay) -> str:
    return f"settlement/{due.day}"


def facts_of(tx: Tx, terms: WorkspaceTerms, day: date) -> DayFacts:
    """All that is known and may matter for a day."""
    workspace = terms.workspace
    begins_at, ends_at = bounds_of(day, terms.time_zone)
    entries = entries_between(tx, workspace, begins_at, ends_at)
    booked = {name: _payments_of(ones.values()) for name, ones in entries.items()}
    found = orders_with_money(tx, workspace, begins_at, ends_at, booked)
    orders = {key: order for key, order in found.items() if _matters(order, day, terms.time_zone, booked)}
    for connection, ones in entries.items():
        known = {order.order_id for order in orders.values() if order.connection == connection}
        named = {order_id for one in ones.values() for order_id in one.orders}
        orders |= orders_by_id(tx, workspace, connection, named - known)
    for connection in terms.connections:
        ids = [order.order_id for order in orders.values() if order.connection == connection]
        for name, more in entries_of_orders(tx, workspace, connection, ids).items():
            entries[name] = {**more, **entries.get(name, {})}
    copied = copies_of(tx, workspace, list(orders))
    return DayFacts(
        workspace=workspace,
        day=day,
        time_zone=terms.time_zone,
        begins_at=begins_at,
        ends_at=ends_at,
        now=tx.now,
        books=_books(tx, terms),
        orders=tuple(_settled_orders(tx, workspace, orders, copied)),
        entries={name: tuple(ones.values()) for name, ones in entries.items()},
        payouts=tuple(_payouts(tx, terms, begins_at, ends_at)),
        payout_states=states_of_payouts(tx, workspace, entries),
    )


def _settled_orders(
    tx: Tx, workspace: Workspace, orders: Mapping[OrderKey, Order], copied: Mapping[OrderKey, Sequence[Order]]
) -> Iterator[SettledOrder]:
    """Which refunds a copy never held stands in the write that made it; of orders without refunds nothing is asked."""
    refunded = [key for key in copied if any(refund.lines for refund in orders[key].refunds)]
    writes = writes_of_orders(tx, workspace, refunded)
    for key in sorted(orders):
        copies = copied.get(key, ())
        made = {one.connection: content_of_copy(writes.get(key, ()), one.origin or "") for one in copies}
        taken_off = {store: write.taken_off for store, write in made.items() if write is not None}
        yield SettledOrder(key, orders[key], tuple(copies), taken_off)


def _payments_of(entries: Iterable[LedgerEntry]) -> set[str]:
    """Transactions of orders that these entries, or shares of them, are about."""
    named = (name for one in entries for name in (one.payment_id, *(part.payment_id for part in one.parts)))
    return {name for name in named if name}


def _matters(order: Order, day: date, zone: str, booked: Mapping[ConnectionName, Collection[str]]) -> bool:
    """Whether a day's statement speaks of an order: a transaction that moved no money does not make it so."""
    ours = booked.get(order.connection, ())
    return day in days_of(order, zone) or any(one.payment_id in ours for one in order.payments)


def _books(tx: Tx, terms: WorkspaceTerms) -> dict[ConnectionName, Books]:
    known = load_books(tx, terms.workspace)
    return {name: known.get(name) or _never_told(tx, terms, name) for name in terms.connections}


def _never_told(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName) -> Books:
    """A store that was never asked for its orders says nothing by its silence: such a day was called settled."""
    if read_cursor(tx, terms.workspace, connection, ORDERS) is None:
        return Books(BooksState.UNREAD, "its orders were not read yet")
    return Books(BooksState.NONE, "its API tells nothing of fees and payouts")


def _payouts(tx: Tx, terms: WorkspaceTerms, since: datetime, until: datetime) -> Iterable[IssuedPayout]:
    for connection, payout, was_read in payouts_between(tx, terms.workspace, since, until):
        inside = entries_of_payout(tx, terms.workspace, connection, payout.payout_id) if was_read else None
        yield IssuedPayout(connection, payout, inside)


def _due(tx: Tx, terms: WorkspaceTerms) -> list[DueDay]:
    """Days that wait; every day that is over is among them once."""
    yesterday = day_of(tx.now - GRACE, terms.time_zone) - timedelta(days=1)
    newest = newest_day(tx, terms.workspace)
    since = oldest_asked(tx, terms.workspace) if newest is None else newest + timedelta(days=1)
    first = max(since or yesterday, yesterday - timedelta(days=MOST_DAYS_BACK))
    for number in range((yesterday - first).days + 1):
        ensure_day(tx, terms.workspace, first + timedelta(days=number), tx.now)
    return due_days(tx, terms.workspace, DAYS_AT_ONCE)


def _keep(tx: Tx, terms: WorkspaceTerms, due: DueDay, statement: Statement, again_at: datetime | None) -> bool:
    """Keep a version that says something new, and let its cases be as it says."""
    workspace = terms.workspace
    if not answer_day(tx, workspace, due, again_at):
        return False
    settle_by_proof(tx, workspace, [(Reason.WORK_FAILED, _work(due), "the day was settled")])
    before, digest = newest_head(tx, workspace, due.day), digest_of(statement)
    known = before.statement.differences if before else ()
    _tell(tx, terms, statement, known)
    if before is not None and before.digest == digest:
        return False
    version = before.version + 1 if before else 1
    add_version(tx, workspace, statement, version, digest)
    record = {
        "version": version,
        "state": statement.state.value,
        "sha256": digest,
        "net": {f"{one.connection}/{one.currency}": one.net.in_coins for one in statement.figures},
        "lines": len(statement.lines),
        "differences": len(statement.differences),
    }
    row = AuditRow(
        workspace=workspace,
        kind="settlement_made",
        subject=due.day.isoformat(),
        actor="storebridge",
        record=record,
    )
    append(tx, [row])
    return True


def _tell(tx: Tx, terms: WorkspaceTerms, statement: Statement, before: Iterable[Difference]) -> None:
    """Open a case for each difference; close those of the version before that are none any more."""
    found = [one for one in statement.differences if Reason(one.reason) in OURS]
    raise_cases(tx, [_opening(terms, statement, one) for one in found])
    stand = {(one.reason, one.subject) for one in found}
    gone = [one for one in before if Reason(one.reason) in OURS and (one.reason, one.subject) not in stand]
    proof = f"the statement of {statement.day} finds both figures the same"
    settle_by_proof(tx, terms.workspace, [(Reason(one.reason), one.subject, proof) for one in gone])


def _opening(terms: WorkspaceTerms, statement: Statement, one: Difference) -> CaseOpening:
    return CaseOpening(
        workspace=terms.workspace,
        reason=Reason(one.reason),
        subject=one.subject,
        connection=one.connection,
        field=one.what,
        details={
            "day": statement.day.isoformat(),
            "order": one.order_name,
            "order_key": one.order_key or "",
            "ours": str(one.ours),
            "theirs": str(one.theirs),
            "difference": str(one.difference),
            "compared": one.note,
        },
    )
