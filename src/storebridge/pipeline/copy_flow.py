"""Copies in the turn of an order: those that were read find their original, those that are missing are planned.

A read copy never becomes an order of its own: its stamp says which order it repeats.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from storebridge.exceptions_queue.cases import CaseOpening, raise_unless_settled, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.flows.amending import Target, unfollowed
from storebridge.flows.copies import (
    CopyHeld,
    differences,
    lines_of_copy,
    out_of_step,
    parcel_key,
    parcels_of_copy,
    plan_cancelled,
    plan_copy,
    shipped_too_much,
    wants_copy,
)
from storebridge.flows.following import not_repeatable, plan_following
from storebridge.flows.forgotten import is_forgotten, without_person
from storebridge.flows.parcels import noted_by_hand
from storebridge.flows.queue import Place
from storebridge.flows.told import Told
from storebridge.flows.what_is_left import without_refunds
from storebridge.model.copying import CopiedGoods, stamp_of
from storebridge.model.ids import ConnectionName, ItemId, OrderKey
from storebridge.model.order_writes import AddParcel, CreateCopy, EditLines, PlannedOrderWrite
from storebridge.model.sales import Order, Standing
from storebridge.model.settings import WorkspaceTerms
from storebridge.pipeline.confirm.order_writes import close_undone, dropped
from storebridge.store.backfills import ASKED
from storebridge.store.cases import open_subjects
from storebridge.store.copies import copying_since, goods_in, originals_of, save_copy, want_copy
from storebridge.store.database import Tx
from storebridge.store.order_writes import (
    DROPPED,
    OPEN,
    STOPPED,
    StoredWrite,
    content_of_copy,
    creation_of,
    creations_of,
    may_have_changed,
    renew_write,
    settled,
    writes_of_orders,
)
from storebridge.store.sales import OrderFile, OurParcel, StoredCopy, add_history

UNSURE = ("planned", "sent", "unclear")
"""States of a parcel's write in which its parcel may stand in the order without our knowing that it is ours."""
NEVER_ASKED = datetime.max.replace(tzinfo=UTC)
HELD = (Reason.ORDER_NOT_MAPPED, Reason.ORDER_NOT_COPIED)
OURS = (*HELD, Reason.COPY_DIFFERS)
"""Cases that this turn opens and closes."""


class CopyTurn:
    """What one turn does about copies. Without ``copy_to`` nothing is copied any more; what was copied is looked after
    all the same."""

    def __init__(self, tx: Tx, terms: WorkspaceTerms) -> None:
        self._tx = tx
        self._workspace = terms.workspace
        self._target = terms.copy_to
        self._forgotten_before = tx.now - timedelta(days=terms.buyer_retention_days)
        self._since_when: datetime | None = NEVER_ASKED
        self._replaced_in = terms.copies_replaced_in
        self._lines_per_order = terms.lines_per_order
        self._known: dict[tuple[ConnectionName, ConnectionName], dict[ItemId, CopiedGoods | None]] = {}
        self._open: set[tuple[str, str]] = set()

    def look_up(self, files: Collection[OrderFile]) -> None:
        """Ask once for what planning wants to know of all of these orders: the goods of those that may be copied now,
        and the cases that are open about any."""
        subjects = {file.order_key for file in files}
        self._open |= open_subjects(self._tx, self._workspace, [reason.value for reason in OURS], subjects)
        wanted: dict[ConnectionName, set[ItemId]] = {}
        for file in files:
            if file.order.origin is None and file.order.connection != self._target and not self._has_copy(file):
                wanted.setdefault(file.order.connection, set()).update(_items_of(file.order))
        if self._target is not None:
            for connection, items in wanted.items():
                self._look_up_goods(connection, items, self._target)

    def take(self, connection: ConnectionName, copies: Sequence[Order]) -> list[OrderKey]:
        """Copies were read; returns the orders that they repeat. Another installation's copies are left alone."""
        by_stamp = {copy.origin: copy for copy in copies if copy.origin is not None}
        keys = originals_of(self._tx, self._workspace, connection, by_stamp)
        writes = writes_of_orders(self._tx, self._workspace, list(keys.values()))
        for stamp, key in sorted(keys.items()):
            write = content_of_copy(writes[key], stamp)
            if write is not None:
                edits = [one.write for one in writes[key] if isinstance(one.write, EditLines) and may_have_changed(one)]
                copy = by_stamp[stamp]
                lines = lines_of_copy(write, copy, edits)
                kept = without_person(copy) if is_forgotten(copy, self._forgotten_before) else copy
                save_copy(self._tx, self._workspace, key, kept, lines)
        return sorted(keys.values())

    def prove(self, file: OrderFile, writes: Sequence[StoredWrite]) -> list[StoredWrite]:
        """A copy that was read proves its write, whatever became of the answer; the writes as they are then."""
        proven = list(writes)
        for copy in file.copies:
            write = creation_of(writes, copy.stamp)
            if copy.order is not None and write is not None and write.state in OPEN:
                made = {"order_id": str(copy.order.order_id)}
                close_undone(self._tx, self._workspace, write)
                proven[writes.index(write)] = settled(self._tx, write, "confirmed", result=made)
                detail = {"store": copy.connection, "name": copy.order.name}
                add_history(self._tx, self._workspace, [(file.order_key, "copied", str(copy.connection), detail)])
                self._settle(file.order_key, HELD, "it is copied")
        return proven

    def plan(self, file: OrderFile, writes: Sequence[StoredWrite]) -> list[PlannedOrderWrite]:
        """The copy that is missing, and what copies that are there have not followed yet."""
        followed = [write for copy in file.copies if copy.order for write in self._follow(file, copy, writes)]
        return [*followed, *self._missing(file, writes)]

    def compare(self, file: OrderFile, writes: Sequence[StoredWrite], *, under_way: bool) -> None:
        """Both sides, when nothing is on its way that would still change one of them."""
        for copy in file.copies:
            if copy.order is not None:
                self._compare(file, copy, writes, under_way=under_way)

    def _follow(self, file: OrderFile, copy: StoredCopy, writes: Sequence[StoredWrite]) -> list[PlannedOrderWrite]:
        assert copy.order is not None
        cancelled = plan_cancelled(file.order, copy.order)
        if cancelled:
            return cancelled
        told, target = told_to(copy, writes), self._abilities(file.order, copy)
        return plan_following(_as_copied(file.order, copy, writes), copy.order, copy.lines, told, target)

    def _abilities(self, order: Order, copy: StoredCopy) -> Target:
        """What the copy's store can do, and what it knows the order's goods as (asked only when it could matter)."""
        replaces = copy.connection in self._replaced_in
        if not replaces and all(line.line_id in copy.lines for line in order.lines):
            return Target({})
        goods = self._goods(order, copy.connection)
        planned = self._planned(order, copy.connection, copy.stamp, goods) if replaces else None
        repeated = planned.write if isinstance(planned, PlannedOrderWrite) else None
        return Target(goods, replaces, repeated if isinstance(repeated, CreateCopy) else None)

    def _missing(self, file: OrderFile, writes: Sequence[StoredWrite]) -> list[PlannedOrderWrite]:
        self._drop(file, writes)
        since = self._since(file)
        if self._target is None or since is None or self._has_copy(file):
            return []
        order, stamp = file.order, stamp_of(self._workspace, file.order.connection, file.order.order_id)
        earlier = creation_of(writes, stamp)
        oversold = file.queue == Place.OVERSOLD
        if not wants_copy(order, self._target, since, held=bool(file.held_by), oversold=oversold):
            self._wait(earlier, "it needs no copy now")
            self._settle(file.order_key, HELD, "it needs no copy now")
            return []
        planned = self._planned_once(file, stamp, creations_of(writes, stamp))
        if isinstance(planned, CopyHeld):
            earlier = self._wait(earlier, planned.why)
            if earlier is None or earlier.state in ("refused", DROPPED):
                self._hold(file, planned)
            return []
        want_copy(self._tx, self._workspace, file.order_key, self._target, stamp)
        self._settle(file.order_key, HELD, "it is copied")
        if earlier is not None and earlier.write != planned.write:
            renew_write(self._tx, earlier.write_id, planned.write)
        return [planned]

    def _wait(self, copy: StoredWrite | None, why: str) -> StoredWrite | None:
        """A copy that was planned and is not on its way yet is not made now; the write as it is then."""
        if copy is None or copy.state != "planned":
            return copy
        return dropped(self._tx, self._workspace, copy, why)

    def _planned_once(
        self, file: OrderFile, stamp: str, earlier: Sequence[StoredWrite]
    ) -> PlannedOrderWrite | CopyHeld:
        """Under a purpose of its own where the one before was given up."""
        assert self._target is not None
        if any(not parcel.cancelled for parcel in file.parcels):
            return CopyHeld("a parcel of it was noted here before it could be copied")
        planned = self._planned(file.order, self._target, stamp, self._goods(file.order, self._target))
        if isinstance(planned, CopyHeld) or not earlier:
            return planned
        last, again = earlier[-1], f"{planned.purpose}#{len(earlier) + 1}"
        return replace(planned, purpose=again if last.state == DROPPED else last.purpose)

    def _goods(self, order: Order, store: ConnectionName) -> dict[ItemId, CopiedGoods]:
        """What a store knows the order's goods as."""
        items = _items_of(order)
        known = self._look_up_goods(order.connection, items, store)
        return {item: goods for item in items if (goods := known[item]) is not None}

    def _look_up_goods(
        self, connection: ConnectionName, items: Collection[ItemId], store: ConnectionName
    ) -> dict[ItemId, CopiedGoods | None]:
        """Each item is asked for once a turn."""
        known = self._known.setdefault((connection, store), {})
        new = [item for item in items if item not in known]
        if new:
            known.update(dict.fromkeys(new))
            known.update(goods_in(self._tx, self._workspace, connection, new, store))
        return known

    def _planned(
        self, order: Order, store: ConnectionName, stamp: str, goods: Mapping[ItemId, CopiedGoods]
    ) -> PlannedOrderWrite | CopyHeld:
        return plan_copy(order, store, stamp, goods, self._lines_per_order.get(store, sys.maxsize))

    def _since(self, file: OrderFile) -> datetime | None:
        """Orders placed before this are not copied; None: none is. A backfill may have asked for one that is older."""
        since = self._began()
        asked = any(copy.connection == self._target and copy.state == ASKED for copy in file.copies)
        return file.order.placed_at if asked and since is not None else since

    def _began(self) -> datetime | None:
        """Asked once a turn."""
        if self._since_when == NEVER_ASKED and self._target is not None:
            self._since_when = copying_since(self._tx, self._workspace, self._target)
        return None if self._since_when == NEVER_ASKED else self._since_when

    def _has_copy(self, file: OrderFile) -> bool:
        return any(copy.connection == self._target and copy.order_id is not None for copy in file.copies)

    def _drop(self, file: OrderFile, writes: Sequence[StoredWrite]) -> None:
        """A cancelled order whose copy is not on its way yet, or waits for a person, gets none."""
        if file.order.standing is Standing.CANCELLED:
            for write in writes:
                if isinstance(write.write, CreateCopy) and write.state in STOPPED:
                    dropped(self._tx, self._workspace, write, "the order was cancelled before")

    def _hold(self, file: OrderFile, held: CopyHeld) -> None:
        reason, other = HELD if held.unmapped else (HELD[1], HELD[0])
        self._settle(file.order_key, (other,), "it is held for another reason now")
        self._case(reason, file, self._target, {"why": held.why, "lines": list(held.unmapped)[:20]})

    def _compare(self, file: OrderFile, copy: StoredCopy, writes: Sequence[StoredWrite], *, under_way: bool) -> None:
        assert copy.order is not None
        if under_way or any(one.state in OPEN and one.connection == copy.connection for one in writes):
            return
        unsure = any(one.state in UNSURE and isinstance(one.write, AddParcel) for one in writes)
        original = _as_copied(file.order, copy, writes)
        told = {} if unsure else self._apart(original, copy.order, copy.lines, writes)
        left = unfollowed(original, copy.order, copy.lines, told_to(copy, writes))
        found = {**differences(original, copy.order), **told, **left}
        if found:
            self._case(Reason.COPY_DIFFERS, file, copy.connection, {**_where(copy.order), **found})
        else:
            self._settle(file.order_key, (Reason.COPY_DIFFERS,), "both come to the same")

    @staticmethod
    def _apart(original: Order, copy: Order, lines: Mapping[str, str], writes: Sequence[StoredWrite]) -> dict[str, str]:
        told = _told(original, copy, writes)
        return {
            **not_repeatable(original, copy, lines),
            **out_of_step(original, copy, told),
            **shipped_too_much(original, copy, lines, told),
        }

    def _case(self, reason: Reason, file: OrderFile, store: ConnectionName | None, details: dict[str, object]) -> None:
        about = {"order": file.order.name, "order_key": file.order_key}
        opening = CaseOpening(
            workspace=self._workspace,
            reason=reason,
            subject=file.order_key,
            connection=store,
            details={**about, "of": file.order.connection, "id": file.order.order_id, **details},
        )
        raise_unless_settled(self._tx, opening)
        self._open.add((reason.value, file.order_key))

    def _settle(self, key: OrderKey, reasons: Sequence[Reason], proof: str) -> None:
        found = [(reason, key, proof) for reason in reasons if (reason.value, key) in self._open]
        settle_by_proof(self._tx, self._workspace, found)


def _items_of(order: Order) -> set[ItemId]:
    return {line.item_id for line in order.lines if line.item_id is not None}


def told_to(copy: StoredCopy, writes: Sequence[StoredWrite]) -> list[Told]:
    """What was planned for a copy, oldest first."""
    mine = [one for one in writes if one.connection == copy.connection]
    return [Told(one.write, one.state in OPEN, one.state == DROPPED) for one in mine]


def _as_copied(original: Order, copy: StoredCopy, writes: Sequence[StoredWrite]) -> Order:
    """The original as its copy is to follow it: without what was refunded before the copy was made."""
    made = content_of_copy(writes, copy.stamp)
    return original if made is None else without_refunds(original, made.taken_off)


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


def _told(original: Order, copy: Order, writes: Sequence[StoredWrite]) -> dict[str, str]:
    """Parcels of the original that were made for parcels of the copy, or that somebody noted under their number: their
    id here, their key there. One that left there may be several here, one per location."""
    store, made = copy.connection, {}
    for one in writes:
        key, _, number = one.purpose.removeprefix("parcel:").rpartition(f":{original.connection}:")
        parcel_id = one.result.get("parcel_id") if isinstance(one.write, AddParcel) else None
        if parcel_id and key.startswith(parcel_key(store, "")) and number.isdigit():
            made[parcel_id] = key
    ours = {one.result["parcel_id"] for one in writes if "parcel_id" in one.result}
    for parcel in copy.parcels:
        for number in {shown.number for shown in parcel.tracking}:
            key = parcel_key(store, parcel.parcel_id)
            made |= {one.parcel_id: key for one in noted_by_hand(original, number, ours)}
    return made


def _where(copy: Order) -> dict[str, str]:
    return {"copy": copy.name, "copied_to": copy.connection, "copy_id": copy.order_id}
