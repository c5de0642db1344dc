"""Copies in the turn of an order: those that were read find their original, those that are missing are planned.

A read copy never becomes an order of its own: its stamp says which order it repeats.
"""

from __future__ import annotations

from collections.abc import Sequence

from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.flows.copies import (
    CopyHeld,
    differences,
    lines_of_copy,
    out_of_step,
    parcel_key,
    parcels_of_copy,
    plan_cancelled,
    plan_copy,
    wants_copy,
)
from storebridge.model.copying import stamp_of
from storebridge.model.ids import ConnectionName, OrderKey, Workspace
from storebridge.model.order_writes import AddParcel, CreateCopy, PlannedOrderWrite
from storebridge.model.sales import Order, Standing
from storebridge.store.copies import copying_since, goods_in, originals_of, save_copy, want_copy
from storebridge.store.database import Tx
from storebridge.store.order_writes import OPEN, StoredWrite, renew_write, settle_write, writes_of_orders
from storebridge.store.sales import OrderFile, OurParcel, StoredCopy, add_history

UNSURE = ("planned", "sent", "unclear")
"""States of a parcel's write in which its parcel may stand in the order without our knowing that it is ours."""
HELD = (Reason.ORDER_NOT_MAPPED, Reason.ORDER_NOT_COPIED)


class CopyTurn:
    """What one turn does about copies. ``target``: the store that gets them; None when nothing is copied any more (what
    was copied is looked after all the same)."""

    def __init__(self, tx: Tx, workspace: Workspace, target: ConnectionName | None) -> None:
        self._tx = tx
        self._workspace = workspace
        self._target = target

    def take(self, connection: ConnectionName, copies: Sequence[Order]) -> list[OrderKey]:
        """Copies were read; returns the orders that they repeat. Another installation's copies are left alone."""
        by_stamp = {copy.origin: copy for copy in copies if copy.origin is not None}
        keys = originals_of(self._tx, self._workspace, connection, by_stamp)
        writes = writes_of_orders(self._tx, self._workspace, list(keys.values()))
        for stamp, key in sorted(keys.items()):
            write = _creation(writes[key], stamp)
            if write is not None and isinstance(write.write, CreateCopy):
                lines = lines_of_copy(write.write, by_stamp[stamp])
                save_copy(self._tx, self._workspace, key, by_stamp[stamp], lines)
        return sorted(keys.values())

    def prove(self, file: OrderFile, writes: Sequence[StoredWrite]) -> None:
        """A copy that was read proves its write, whatever became of the answer; then both are compared."""
        for copy in file.copies:
            if copy.order is None:
                continue
            write = _creation(writes, copy.stamp)
            if write is not None and write.state in OPEN:
                settle_write(self._tx, write.write_id, "confirmed", result={"order_id": copy.order.order_id})
                detail = {"store": copy.connection, "name": copy.order.name}
                add_history(self._tx, self._workspace, [(file.order_key, "copied", str(copy.connection), detail)])
            self._compare(file, copy, writes)

    def plan(self, file: OrderFile, writes: Sequence[StoredWrite]) -> list[PlannedOrderWrite]:
        """The copy that is missing, and what copies that are there have not followed yet."""
        followed = [write for copy in file.copies if copy.order for write in plan_cancelled(file.order, copy.order)]
        return [*followed, *self._missing(file, writes)]

    def _missing(self, file: OrderFile, writes: Sequence[StoredWrite]) -> list[PlannedOrderWrite]:
        self._drop(file, writes)
        since = None if self._target is None else copying_since(self._tx, self._workspace, self._target)
        if self._target is None or since is None or self._has_copy(file):
            return []
        order = file.order
        if not wants_copy(order, self._target, since, held=bool(file.held_by)):
            self._settle(file.order_key, HELD, "it needs no copy now")
            return []
        items = {line.item_id for line in order.lines if line.item_id is not None}
        goods = goods_in(self._tx, self._workspace, order.connection, items, self._target)
        stamp = stamp_of(self._workspace, order.connection, order.order_id)
        planned = plan_copy(order, self._target, stamp, goods)
        if isinstance(planned, CopyHeld):
            self._hold(file, planned)
            return []
        want_copy(self._tx, self._workspace, file.order_key, self._target, stamp)
        self._settle(file.order_key, HELD, "it is copied")
        earlier = _creation(writes, stamp)
        if earlier is not None and earlier.write != planned.write:
            renew_write(self._tx, earlier.write_id, planned.write)
        return [planned]

    def _has_copy(self, file: OrderFile) -> bool:
        return any(copy.connection == self._target and copy.order_id is not None for copy in file.copies)

    def _drop(self, file: OrderFile, writes: Sequence[StoredWrite]) -> None:
        """A cancelled order whose copy is not on its way yet gets none."""
        if file.order.standing is Standing.CANCELLED:
            for write in writes:
                if isinstance(write.write, CreateCopy) and write.state == "planned":
                    settle_write(self._tx, write.write_id, "superseded", message="the order was cancelled before")

    def _hold(self, file: OrderFile, held: CopyHeld) -> None:
        reason, other = HELD if held.unmapped else (HELD[1], HELD[0])
        self._settle(file.order_key, (other,), "it is held for another reason now")
        self._case(reason, file, self._target, {"why": held.why, "lines": list(held.unmapped)[:20]})

    def _compare(self, file: OrderFile, copy: StoredCopy, writes: Sequence[StoredWrite]) -> None:
        assert copy.order is not None
        unsure = any(one.state in UNSURE and isinstance(one.write, AddParcel) for one in writes)
        told = {} if unsure else out_of_step(file.order, copy.order, _told(file.order, copy.connection, writes))
        found = {**differences(file.order, copy.order), **told}
        if found:
            self._case(Reason.COPY_DIFFERS, file, copy.connection, {**_where(copy.order), **found})
        else:
            self._settle(file.order_key, (Reason.COPY_DIFFERS,), "both come to the same")

    def _case(self, reason: Reason, file: OrderFile, store: ConnectionName | None, details: dict[str, object]) -> None:
        opening = CaseOpening(
            workspace=self._workspace,
            reason=reason,
            subject=file.order_key,
            connection=store,
            details={"order": file.order.name, "of": file.order.connection, "id": file.order.order_id, **details},
        )
        raise_cases(self._tx, [opening])

    def _settle(self, key: OrderKey, reasons: Sequence[Reason], proof: str) -> None:
        settle_by_proof(self._tx, self._workspace, [(reason, key, proof) for reason in reasons])


def _creation(writes: Sequence[StoredWrite], stamp: str) -> StoredWrite | None:
    found = [one for one in writes if isinstance(one.write, CreateCopy) and one.write.stamp == stamp]
    return found[0] if found else None


def parcels_there(file: OrderFile) -> list[OurParcel]:
    """What left in the stores that hold a copy, as parcels that the original's store is to be told of."""
    return [
        OurParcel(
            parcel_key=parcel.parcel_key,
            lines=parcel.lines,
            tracking=parcel.tracking,
            location_id=None,
            notify=True,
            cancelled=parcel.cancelled,
            actor=copy.connection,
            at=file.read_at,
        )
        for copy in file.copies
        if copy.order is not None
        for parcel in parcels_of_copy(copy.order, copy.lines)
    ]


def _told(original: Order, store: ConnectionName, writes: Sequence[StoredWrite]) -> dict[str, str]:
    """Parcels of the original that were made for parcels of the copy in ``store``: their key there, their id here."""
    made = {}
    for one in writes:
        key, _, number = one.purpose.removeprefix("parcel:").rpartition(f":{original.connection}:")
        if isinstance(one.write, AddParcel) and key.startswith(parcel_key(store, "")) and number.isdigit():
            made[key] = one.result.get("parcel_id", "")
    return made


def _where(copy: Order) -> dict[str, str]:
    return {"copy": copy.name, "copied_to": copy.connection, "copy_id": copy.order_id}
