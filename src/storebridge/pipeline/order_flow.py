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
from typing import Any

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.flows.changes import changes_between
from storebridge.flows.confirm import made_parcel, shows
from storebridge.flows.orders import plan_order
from storebridge.flows.parcels import ParcelToTell
from storebridge.flows.queue import place_in_queue, ship_by
from storebridge.model.ids import ConnectionName, OrderId, OrderKey, Workspace, WriteId
from storebridge.model.order_writes import AddParcel
from storebridge.model.sales import Order
from storebridge.model.signals import Flow, SignalState
from storebridge.pipeline.copy_flow import CopyTurn, parcels_there
from storebridge.store.database import Tx
from storebridge.store.order_writes import OPEN, StoredWrite, plan_order_writes, settle_write, writes_of_orders
from storebridge.store.sales import (
    OrderFile,
    OurParcel,
    SalesRow,
    add_history,
    known_orders,
    load_files,
    order_key_of,
    save_orders,
    touch_orders,
)
from storebridge.store.waiting import Ask, ClaimedLook, answer_looks, ask_looks, close_signals, waiting_of_entities
from storebridge.work.urgency import Urgency

WRITE_LOOK = "order_write"
"""The look that makes a courier send a write to an order; its key is the write's id."""


class OrderTurn:
    """One turn over some orders: the stages in order, in one transaction, without I/O."""

    def __init__(self, tx: Tx, workspace: Workspace, ids: Ids, *, copy_to: ConnectionName | None = None) -> None:
        self._tx = tx
        self._workspace = workspace
        self._ids = ids
        self._copies = CopyTurn(tx, workspace, copy_to)
        self.wake: set[ConnectionName] = set()

    def read(self, connection: ConnectionName, orders: Sequence[Order], looks: Sequence[ClaimedLook]) -> None:
        """Occasion: whole orders of one store were read for these looks."""
        keys = self._normalize([order for order in orders if order.origin is None])
        keys += self._copies.take(connection, [order for order in orders if order.origin is not None])
        self._plan(keys)
        answer_looks(self._tx, self._workspace, connection, tuple(looks))
        self._close(connection, looks, keys)

    def changed(self, keys: Iterable[OrderKey]) -> None:
        """Occasion: somebody packed, sent, held or let go."""
        self._plan(sorted(set(keys)))

    # normalize
    def _normalize(self, orders: Sequence[Order]) -> list[OrderKey]:
        newest = {order_key_of(o.connection, o.order_id): o for o in sorted(orders, key=lambda o: o.updated_at)}
        known = known_orders(self._tx, self._workspace, newest)
        before = {key: known[key].order for key in known}
        fresh = {key: o for key, o in newest.items() if not _is_older(o, before.get(key))}
        changed = {key: order for key, order in fresh.items() if before.get(key) != order}
        touch_orders(self._tx, self._workspace, [key for key in fresh if key not in changed])
        held = {key for key, one in known.items() if one.held_by}
        save_orders(self._tx, self._workspace, [_as_row(order, key in held) for key, order in changed.items()])
        self._remember({key: (before.get(key), order) for key, order in changed.items()})
        return sorted(newest)

    def _remember(self, changed: dict[OrderKey, tuple[Order | None, Order]]) -> None:
        entries = [
            (key, change.kind, str(after.connection), change.detail)
            for key, (before, after) in changed.items()
            for change in changes_between(before, after)
        ]
        add_history(self._tx, self._workspace, entries)
        append(self._tx, [_audit(self._workspace, key, kind, actor, detail) for key, kind, actor, detail in entries])

    # plan and deliver
    def _plan(self, keys: Sequence[OrderKey]) -> None:
        files = load_files(self._tx, self._workspace, keys)
        writes = writes_of_orders(self._tx, self._workspace, list(files))
        for key, file in files.items():
            self._prove(file, writes[key])
            told = _told(file, writes[key])
            plans = [*plan_order(file.order, told), *self._copies.plan(file, writes[key])]
            planned = [(WriteId(self._ids.new("write")), plan) for plan in plans]
            new = plan_order_writes(self._tx, self._workspace, key, planned, priority=int(Urgency.ORDERS))
            self._deliver([(plan.connection, write_id) for write_id, plan in planned if write_id in set(new)])

    def _deliver(self, new: Sequence[tuple[ConnectionName, WriteId]]) -> None:
        for connection, write_id in new:
            ask = Ask(WRITE_LOOK, write_id, int(Urgency.ORDERS), self._tx.now)
            ask_looks(self._tx, self._workspace, connection, [ask])
            self.wake.add(connection)

    # confirm
    def _prove(self, file: OrderFile, writes: Sequence[StoredWrite]) -> None:
        """A write is confirmed by a document that was read after it was answered and shows what it did."""
        documents = {copy.connection: copy.order for copy in file.copies} | {file.order.connection: file.order}
        for write in writes:
            shown = documents.get(write.connection)
            if shown is not None and write.state == "applied" and shows(shown, write.write, write.result):
                settle_write(self._tx, write.write_id, "confirmed", result=write.result)
        self._copies.prove(file, writes)

    def _close(self, connection: ConnectionName, looks: Sequence[ClaimedLook], keys: Sequence[OrderKey]) -> None:
        """A signal is confirmed by a later read after which nothing is left to write to the store that sold it. What
        goes to another store is confirmed there."""
        open_writes = writes_of_orders(self._tx, self._workspace, keys, states=OPEN)
        busy = {key for key, writes in open_writes.items() if any(one.connection == connection for one in writes)}
        up_to = {look.key: look.number for look in looks if order_key_of(connection, OrderId(look.key)) not in busy}
        done = waiting_of_entities(self._tx, self._workspace, connection, Flow.ORDERS, up_to)
        close_signals(self._tx, done, SignalState.CONFIRMED, "the order was read, and nothing is left to write")


def _is_older(order: Order, known: Order | None) -> bool:
    """A reading from before what is known: a store's searches lag behind its writes (S26, W15)."""
    return known is not None and order.updated_at < known.updated_at


def _as_row(order: Order, held: bool) -> SalesRow:
    return SalesRow(order, place_in_queue(order, held=held).value, ship_by(order))


def _told(file: OrderFile, writes: Sequence[StoredWrite]) -> list[ParcelToTell]:
    """Our parcels and those that left where a copy is packed, each with what the order's store was told of it."""
    parcels = [*file.parcels, *parcels_there(file)]
    return [_to_tell(file, parcel, [w for w in writes if _is_part(w, parcel.parcel_key)]) for parcel in parcels]


def _is_part(write: StoredWrite, parcel_key: str) -> bool:
    return isinstance(write.write, AddParcel) and write.purpose.startswith(f"parcel:{parcel_key}:")


def _to_tell(file: OrderFile, parcel: OurParcel, parts: Sequence[StoredWrite]) -> ParcelToTell:
    done = [write for write in parts if write.state in ("applied", "confirmed")]
    return ParcelToTell(
        parcel_key=parcel.parcel_key,
        lines=parcel.lines,
        tracking=parcel.tracking,
        notify=parcel.notify,
        cancelled=parcel.cancelled,
        location_id=parcel.location_id,
        covered=tuple(line for write in parts for line in _add_of(write).lines),
        parts=len(parts),
        made=tuple(made for write in done if (made := _made(file.order, write))),
    )


def _add_of(write: StoredWrite) -> AddParcel:
    assert isinstance(write.write, AddParcel)
    return write.write


def _made(order: Order, write: StoredWrite) -> str:
    """The store's id of the parcel that a write made: from the answer, else from the order itself."""
    parcel = made_parcel(order, _add_of(write), write.result)
    return write.result.get("parcel_id") or (parcel.parcel_id if parcel else "")


def _audit(workspace: Workspace, key: OrderKey, kind: str, actor: str, detail: dict[str, Any]) -> AuditRow:
    record = msgspec.to_builtins(detail)
    return AuditRow(workspace=workspace, kind=f"order_{kind}", subject=key, actor=actor, record=record)
