"""The journey of an order. The same stages as ``flow.py``, for whole orders instead of levels.

    normalize   what was read becomes the order's document and its history
    validate    odd orders become cases
    plan        pure: which store has not heard of what                        flows/orders.py, flows/copies.py
    deliver     writes are written down once per purpose; the courier sends    pipeline/deliver/order_writes.py
    confirm     a write is proven by a read; then the signals of the order are closed

Two occasions cause a turn: whole orders were read, or a person (a script, a file) changed something about one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.flows.changes import changes_between
from storebridge.flows.forgotten import is_forgotten, without_person
from storebridge.flows.orders import plan_order
from storebridge.flows.queue import (
    deliveries_of,
    locations_of,
    place_in_queue,
    remember_cancellation,
    remember_lines,
    remember_payment,
    ship_by,
)
from storebridge.flows.refunds import plan_refunds
from storebridge.flows.settlement import days_of
from storebridge.model.days import day_of
from storebridge.model.ids import ConnectionName, OrderId, OrderKey, Workspace, WriteId
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.signals import Flow, SignalState
from storebridge.pipeline.confirm.order_writes import ProveWrites
from storebridge.pipeline.copy_flow import CopyTurn
from storebridge.pipeline.parcel_flow import ParcelTurn
from storebridge.store.books import booked_for
from storebridge.store.database import Tx
from storebridge.store.order_writes import DONE, StoredWrite, busy_orders, plan_order_writes, writes_of_orders
from storebridge.store.oversold import losers_of_orders
from storebridge.store.sales import (
    OrderFile,
    SalesRow,
    add_history,
    known_orders,
    load_files,
    order_key_of,
    save_orders,
    touch_orders,
)
from storebridge.store.settlements import ask_statements
from storebridge.store.waiting import Ask, ClaimedLook, answer_looks, ask_looks, close_signals, waiting_of_entities
from storebridge.work.urgency import Urgency

WRITE_LOOK = "order_write"
"""The look that makes a courier send a write to an order; its key is the write's id."""


class OrderTurn:
    """One turn over some orders: the stages in order, in one transaction, without I/O."""

    def __init__(self, tx: Tx, terms: WorkspaceTerms, ids: Ids) -> None:
        self._tx = tx
        self._terms = terms
        self._workspace = terms.workspace
        self._ids = ids
        self._copies = CopyTurn(tx, terms)
        self._proofs = ProveWrites(tx, terms)
        self._forgotten_before = tx.now - timedelta(days=terms.buyer_retention_days)
        self.wake = self._proofs.wake
        self._parcels = ParcelTurn(tx, terms, self.wake)

    def read(self, connection: ConnectionName, orders: Sequence[Order], looks: Sequence[ClaimedLook]) -> None:
        """Occasion: whole orders of one store were read for these looks."""
        answer_looks(self._tx, self._workspace, connection, tuple(looks))  # before this turn asks for a later read
        keys = self._normalize([order for order in orders if order.origin is None])
        copied = self._copies.take(connection, [order for order in orders if order.origin is not None])
        known = {order.order_id for order in orders}
        gone = self._proofs.missing(connection, {OrderId(look.key) for look in looks} - known)
        files = self._plan(sorted({*keys, *copied, *gone}))
        self._ask_statements([files[key].order for key in copied if key in files])
        self._close(connection, looks, [*keys, *copied])

    def changed(self, keys: Iterable[OrderKey]) -> None:
        """Occasion: somebody packed, sent, held or let go."""
        self._plan(sorted(set(keys)))

    # normalize
    def _normalize(self, orders: Sequence[Order]) -> list[OrderKey]:
        newest = {order_key_of(o.connection, o.order_id): o for o in sorted(orders, key=lambda o: o.updated_at)}
        known = known_orders(self._tx, self._workspace, newest)
        before = {key: known[key].order for key in known}
        newest = {key: remember_payment(order, before.get(key)) for key, order in newest.items()}
        newest = {key: remember_cancellation(order, before.get(key)) for key, order in newest.items()}
        newest = {key: remember_lines(order, before.get(key)) for key, order in newest.items()}
        forgotten = {key for key, order in newest.items() if is_forgotten(order, self._forgotten_before)}
        newest |= {key: without_person(newest[key]) for key in forgotten}
        before |= {key: without_person(before[key]) for key in forgotten & before.keys()}
        fresh = {key: o for key, o in newest.items() if not _is_older(o, before.get(key))}
        changed = {key: order for key, order in fresh.items() if before.get(key) != order}
        touch_orders(self._tx, self._workspace, [key for key in fresh if key not in changed])
        held = {key for key, one in known.items() if one.held_by}
        losing = {loser.order_key for loser in losers_of_orders(self._tx, self._workspace, changed)}
        rows = [_as_row(order, key in held, key in losing) for key, order in changed.items()]
        save_orders(self._tx, self._workspace, rows)
        self._remember({key: (before.get(key), order) for key, order in changed.items()})
        self._ask_statements([*changed.values(), *(before[key] for key in changed if key in before)])
        self._ask_booked([order for key, order in changed.items() if _has_new_money(order, before.get(key))])
        return sorted(newest)

    def _ask_statements(self, orders: Sequence[Order]) -> None:
        """Days that are over, and have an order that changed, are settled anew."""
        zone = self._terms.time_zone
        ask_statements(self._tx, self._terms, {day for order in orders for day in days_of(order, zone)})

    def _ask_booked(self, orders: Sequence[Order]) -> None:
        """Entries that were booked before their order was known, or showed the payment, are explained now: their own
        days are settled anew. An order of today has none on a day that is over, so the stream does not ask."""
        zone = self._terms.time_zone
        today = day_of(self._tx.now, zone)
        late = [order for order in orders if day_of(order.placed_at, zone) < today]
        for name in {order.connection for order in late}:
            mine = [order for order in late if order.connection == name]
            booked = booked_for(self._tx, self._workspace, name, mine)
            ask_statements(self._tx, self._terms, {day_of(at, zone) for at in booked})

    def _remember(self, changed: dict[OrderKey, tuple[Order | None, Order]]) -> None:
        entries = [
            (key, change.kind, str(after.connection), change.detail)
            for key, (before, after) in changed.items()
            for change in changes_between(before, after)
        ]
        add_history(self._tx, self._workspace, entries)
        append(self._tx, [_audit(self._workspace, key, kind, actor, detail) for key, kind, actor, detail in entries])

    # plan and deliver
    def _plan(self, keys: Sequence[OrderKey]) -> dict[OrderKey, OrderFile]:
        files = load_files(self._tx, self._workspace, keys)
        writes = writes_of_orders(self._tx, self._workspace, list(files))
        self._copies.look_up(files.values())
        for key, file in files.items():
            writes[key] = self._settle(file, writes[key])
            told = self._parcels.told(file, writes[key])
            plans = [*plan_order(file.order, told), *self._copies.plan(file, writes[key])]
            plans += plan_refunds(file.order, [(one.write, one.result) for one in writes[key] if one.state in DONE])
            planned = [(WriteId(self._ids.new("write")), plan) for plan in plans]
            new = set(plan_order_writes(self._tx, self._workspace, key, planned, priority=int(Urgency.ORDERS)))
            self._deliver([(plan.connection, write_id) for write_id, plan in planned if write_id in new])
            said = [plan.write for write_id, plan in planned if write_id in new]
            writes[key] = self._proofs.drop_said_anew(writes[key], said) if said else writes[key]
            self._parcels.tell_of_rest(file, told, writes[key])
            self._copies.compare(file, writes[key], under_way=bool(new))
        return files

    def _settle(self, file: OrderFile, writes: Sequence[StoredWrite]) -> list[StoredWrite]:
        """What the documents say of writes that were made; the writes as they are then."""
        proven = self._proofs.prove(file, self._copies.prove(file, writes))
        return self._parcels.revise(file, proven)

    def _deliver(self, new: Sequence[tuple[ConnectionName, WriteId]]) -> None:
        for connection, write_id in new:
            ask = Ask(WRITE_LOOK, write_id, int(Urgency.ORDERS), self._tx.now)
            ask_looks(self._tx, self._workspace, connection, [ask])
            self.wake.add(connection)

    # confirm
    def _close(self, connection: ConnectionName, looks: Sequence[ClaimedLook], keys: Sequence[OrderKey]) -> None:
        """A signal is confirmed by a later read after which nothing is left to write to the store that sold it. What
        goes to another store is confirmed there."""
        busy = busy_orders(self._tx, self._workspace, keys, connection)
        up_to = {look.key: look.number for look in looks if order_key_of(connection, OrderId(look.key)) not in busy}
        done = waiting_of_entities(self._tx, self._workspace, connection, Flow.ORDERS, up_to)
        close_signals(self._tx, done, SignalState.CONFIRMED, "the order was read, and nothing is left to write")


def _is_older(order: Order, known: Order | None) -> bool:
    """A reading from before what is known: a store's searches lag behind its writes (S26, W15)."""
    return known is not None and order.updated_at < known.updated_at


def _has_new_money(order: Order, known: Order | None) -> bool:
    """Whether an order is new, or shows a transaction that it did not show before."""
    shown = {payment.payment_id for payment in known.payments} if known is not None else set()
    return known is None or any(payment.payment_id not in shown for payment in order.payments)


def _as_row(order: Order, held: bool, losing: bool) -> SalesRow:
    place = place_in_queue(order, held=held, oversold=losing)
    return SalesRow(order, place.value, ship_by(order), locations_of(order), deliveries_of(order))


def _audit(workspace: Workspace, key: OrderKey, kind: str, actor: str, detail: dict[str, Any]) -> AuditRow:
    record = msgspec.to_builtins(detail)
    return AuditRow(workspace=workspace, kind=f"order_{kind}", subject=key, actor=actor, record=record)
