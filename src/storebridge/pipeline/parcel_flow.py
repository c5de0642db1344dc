"""Parcels in the turn of an order: what its store was told of them, what it can be told now, and what it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from storebridge.connectors.port import NUMBER_TAKEN
from storebridge.exceptions_queue.cases import CaseOpening, raise_unless_settled, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.flows.confirm import made_parcel
from storebridge.flows.parcels import (
    ParcelToTell,
    held_back,
    noted_by_hand,
    offers,
    share,
    told_twice,
    under_number,
    units_in,
    untellable,
)
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.order_writes import AddParcel, ChangeTracking
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.pipeline.confirm.order_writes import MOMENT, close_stopped, dropped, shown_at
from storebridge.pipeline.copy_flow import parcels_there
from storebridge.store.cases import open_subjects
from storebridge.store.database import Tx
from storebridge.store.order_writes import DONE, DROPPED, OPEN, STOPPED, StoredWrite, settled
from storebridge.store.sales import OrderFile, OurParcel
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

ON_THE_WIRE = ("sent", "unclear")
TAKEN = "its number stands on another parcel there"
MOST_MARKS = 20
"""So many parcels under one number are told by themselves."""


class ParcelTurn:
    """What one turn does about the parcels of an order."""

    def __init__(self, tx: Tx, terms: WorkspaceTerms, wake: set[ConnectionName]) -> None:
        """``wake`` gets the connections whose courier has something to read."""
        self._tx = tx
        self._terms = terms
        self._workspace: Workspace = terms.workspace
        self.wake = wake

    def revise(self, file: OrderFile, writes: Sequence[StoredWrite]) -> list[StoredWrite]:
        """Writes that were made for what does not wait any more are dropped, so that what is left is planned anew: a
        refund, an edit, a move to another location or a person's own parcel was faster, the parcel has another number
        by now, or did not leave after all. The writes as they are then."""
        if not any(one.state in STOPPED and isinstance(one.write, AddParcel | ChangeTracking) for one in writes):
            return list(writes)
        parcels = _parcels(file)
        others = {one.result["parcel_id"] for one in writes if "parcel_id" in one.result}
        kept = list[StoredWrite]()
        for place, one in enumerate(writes):
            beside = [*kept, *writes[place + 1 :]]
            kept.append(self._revised(file, one, parcels, others, beside) if one.state in STOPPED else one)
        return kept

    def _revised(
        self,
        file: OrderFile,
        one: StoredWrite,
        parcels: Sequence[OurParcel],
        others: set[str],
        beside: Sequence[StoredWrite],
    ) -> StoredWrite:
        why = _outdated(one, parcels)
        if not why and isinstance(one.write, AddParcel):
            twin = made_parcel(file.order, one.write, {}, others) if one.write.tracking.number else None
            if twin is not None:
                close_stopped(self._tx, self._workspace, one, "the store shows this parcel")
                others.add(twin.parcel_id)
                return settled(self._tx, one, "confirmed", result={"parcel_id": twin.parcel_id})
            if one.state != "undone" and not offers(file.order, one.write):
                why = "its units do not wait there any more as they did"
            elif one.state == "planned" and _noted_meanwhile(file.order, one.write, parcels, others, beside):
                why = "staff noted a part of the parcel there: only the rest is told"
        if not why and one.state == "refused" and one.code == NUMBER_TAKEN and self._stands_elsewhere(file, one):
            why = TAKEN
        return dropped(self._tx, self._workspace, one, why) if why else one

    def _stands_elsewhere(self, file: OrderFile, write: StoredWrite) -> bool:
        """Whether it is another parcel under whose number a write was refused, so that it is told with a mark. A
        parcel that may have been sent twice could be the one that stands there."""
        told = write.write
        if not isinstance(told, AddParcel | ChangeTracking) or told.mark >= MOST_MARKS:
            return False
        there = under_number(file.order, told.tracking.number)
        if isinstance(told, ChangeTracking) or any(one.mark == told.mark for one in there):
            return True
        return write.attempts == 1 and self._read_late(file, write)

    def _read_late(self, file: OrderFile, write: StoredWrite) -> bool:
        """Whether the order was read so late that it would show the parcel if it were this one; else it is read once
        more then."""
        due = shown_at(self._terms, write)
        if file.read_at is not None and file.read_at >= due:
            return True
        ask = Ask("orders", file.order.order_id, int(Urgency.ORDERS), max(due, self._tx.now) + MOMENT)
        ask_looks(self._tx, self._workspace, write.connection, [ask])
        self.wake.add(write.connection)
        return False

    def told(self, file: OrderFile, writes: Sequence[StoredWrite]) -> list[ParcelToTell]:
        """Our parcels and those that left where a copy is packed, each with what the order's store was told of it."""
        ours = made_by_us(file.order, writes)
        by_hand, taken = dict[str, Counter[str]](), _taken(writes)
        told = []
        for parcel in _parcels(file):
            number = parcel.tracking.number
            if number not in by_hand:
                noted = noted_by_hand(file.order, number, ours)
                by_hand[number] = units_in(line for one in noted for line in one.lines)
            parts = [one for one in writes if _is_part(one, parcel.parcel_key)]
            changes = [one for one in writes if _is_retracking(one, parcel.parcel_key)]
            told.append(_to_tell(file, parcel, parts, changes, by_hand[number], taken))
        return told

    def tell_of_rest(self, file: OrderFile, told: Sequence[ParcelToTell], writes: Sequence[StoredWrite]) -> None:
        """Units that left and that the order's store has nowhere to book are a person's, once nothing is on its way. Of
        a copy's parcel only those on hold: for the others the copy differs. What a person closed is not told anew."""
        if any(one.state in OPEN and isinstance(one.write, AddParcel) for one in writes):
            return
        ours = {parcel.parcel_key for parcel in file.parcels}
        subjects = {f"{file.order_key}/{parcel.parcel_key}": parcel for parcel in told}
        known = (
            open_subjects(self._tx, self._workspace, [Reason.PARCEL_NOT_TOLD.value], subjects) if subjects else set()
        )
        for subject, parcel in subjects.items():
            rest = untellable(file.order, parcel) if parcel.parcel_key in ours else held_back(file.order, parcel)
            if rest:
                raise_unless_settled(self._tx, self._case(file, parcel, subject, rest))
            elif (Reason.PARCEL_NOT_TOLD.value, subject) in known:
                settle_by_proof(self._tx, self._workspace, [(Reason.PARCEL_NOT_TOLD, subject, "all of it was told")])

    def _case(self, file: OrderFile, parcel: ParcelToTell, subject: str, rest: Counter[str]) -> CaseOpening:
        named = {line.line_id: line.sku or line.title for line in file.order.lines}
        details = {
            "order": file.order.name,
            "order_key": file.order_key,
            "number": parcel.tracking.number,
            "units": sum(line.quantity for line in parcel.lines),
            "not told": [f"{units} x {named.get(line_id, line_id)}" for line_id, units in rest.items()],
        }
        return CaseOpening(
            workspace=self._workspace,
            reason=Reason.PARCEL_NOT_TOLD,
            subject=subject,
            connection=file.order.connection,
            details={**details, "of": file.order.connection, "id": file.order.order_id},
        )


def _parcels(file: OrderFile) -> list[OurParcel]:
    return [*file.parcels, *parcels_there(file)]


def _outdated(write: StoredWrite, parcels: Sequence[OurParcel]) -> str:
    """Why what a write tells of a parcel is not so any more; empty while it is."""
    for parcel in parcels:
        if parcel.cancelled and (_is_part(write, parcel.parcel_key) or _is_retracking(write, parcel.parcel_key)):
            return "the parcel did not leave"
        told = write.write.tracking if isinstance(write.write, ChangeTracking) else parcel.tracking
        if told != parcel.tracking and _is_retracking(write, parcel.parcel_key):
            return "the parcel has another number by now"
    return ""


def _noted_meanwhile(
    order: Order, write: AddParcel, parcels: Sequence[OurParcel], ours: set[str], beside: Sequence[StoredWrite]
) -> bool:
    """Whether staff noted units of a parcel by hand, under its number, that a write would tell of once more."""
    number = write.tracking.number
    same = [one for one in parcels if number and one.tracking.number == number and not one.cancelled]
    by_hand = [line for one in noted_by_hand(order, number, ours) for line in one.lines]
    if not by_hand or not same:
        return False
    keys = {one.parcel_key for one in same}
    stand = [one for one in beside if one.state != DROPPED and any(_is_part(one, key) for key in keys)]
    told = [line for one in stand for line in _add_of(one).lines]
    wanted = [line for one in same for line in one.lines]
    return told_twice(wanted, [*told, *write.lines], by_hand, write)


def _is_part(write: StoredWrite, parcel_key: str) -> bool:
    return isinstance(write.write, AddParcel) and write.purpose.startswith(f"parcel:{parcel_key}:")


def _is_retracking(write: StoredWrite, parcel_key: str) -> bool:
    return isinstance(write.write, ChangeTracking) and write.purpose.startswith(f"tracking:{parcel_key}:")


def _to_tell(
    file: OrderFile,
    parcel: OurParcel,
    parts: Sequence[StoredWrite],
    changes: Sequence[StoredWrite],
    by_hand: Counter[str],
    taken: Mapping[str, frozenset[int]],
) -> ParcelToTell:
    done = [write for write in parts if write.state in DONE]
    last = [one.write for one in changes if one.state != DROPPED]
    covered = tuple(line for one in parts if one.state != DROPPED for line in _add_of(one).lines)
    noted = () if parcel.cancelled else share(by_hand, parcel.lines, covered)
    return ParcelToTell(
        parcel_key=parcel.parcel_key,
        lines=parcel.lines,
        tracking=parcel.tracking,
        notify=parcel.notify,
        cancelled=parcel.cancelled,
        location_id=parcel.location_id,
        covered=(*covered, *noted),
        parts=len(parts),
        made=tuple(made for write in done if (made := _made(file.order, write))),
        retracked={one.parcel_id: one.tracking for one in last if isinstance(one, ChangeTracking)},
        changes=len(changes),
        unsure=any(one.state in ON_THE_WIRE for one in changes),
        under_way=tuple(_named(one) for one in (*parts, *changes) if one.state in OPEN),
        taken=taken.get(parcel.tracking.number, frozenset()),
    )


def _named(write: StoredWrite) -> AddParcel | ChangeTracking:
    assert isinstance(write.write, AddParcel | ChangeTracking)
    return write.write


def _add_of(write: StoredWrite) -> AddParcel:
    assert isinstance(write.write, AddParcel)
    return write.write


def _taken(writes: Sequence[StoredWrite]) -> dict[str, frozenset[int]]:
    """Marks per number that a store would not take once more."""
    taken: dict[str, frozenset[int]] = {}
    for one in writes:
        if one.message == TAKEN:
            told = _named(one)
            taken[told.tracking.number] = taken.get(told.tracking.number, frozenset()) | {told.mark}
    return taken


def made_by_us(order: Order, writes: Sequence[StoredWrite]) -> set[str]:
    """Parcels that our writes made, or may have made: those of which no answer came are known by what they hold."""
    ours = {one.result["parcel_id"] for one in writes if "parcel_id" in one.result}
    for one in writes:
        if isinstance(one.write, AddParcel) and "parcel_id" not in one.result:
            found = made_parcel(order, one.write, {}, ours)
            ours |= {found.parcel_id} if found else set()
    return ours


def _made(order: Order, write: StoredWrite) -> str:
    """The store's id of the parcel that a write made: from the answer, else from the order itself."""
    parcel = made_parcel(order, _add_of(write), write.result)
    return write.result.get("parcel_id") or (parcel.parcel_id if parcel else "")
