"""Validate: every odd thing about a counter becomes a case with advice; a case whose condition is gone is closed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.observe import Condition
from storebridge.model.ids import Workspace
from storebridge.model.stock import PositionKey
from storebridge.store.cases import open_subjects_of_reason
from storebridge.store.database import Tx
from storebridge.store.lanes import StoredLane

REASON_OF_CONDITION: Mapping[Condition, Reason] = {
    Condition.ITEM_GONE: Reason.ITEM_GONE,
    Condition.LEVEL_MISSING: Reason.LEVEL_MISSING_AT_LOCATION,
    Condition.UNTRACKED: Reason.ITEM_UNTRACKED,
    Condition.LEVEL_NEGATIVE: Reason.LEVEL_NEGATIVE,
    Condition.NOT_DENYING: Reason.NOT_DENYING_OVERSELL,
    Condition.CHANGE_HELD: Reason.CHANGE_HELD,
}
CLOSED_BY_A_PERSON = frozenset({Reason.CHANGE_HELD})
"""A later normal reading proves nothing about these."""


ABOUT_THE_ITEM = frozenset({Reason.ITEM_GONE, Reason.ITEM_UNTRACKED, Reason.NOT_DENYING_OVERSELL})


def subject_of(key: PositionKey) -> str:
    """How a case names a counter."""
    return f"{key.connection}/{key.item_id}@{key.location_id}"


def record_conditions(
    tx: Tx,
    workspace: Workspace,
    lane: StoredLane,
    found: Mapping[PositionKey, Condition | None],
    open_now: Collection[tuple[str, str]],
) -> list[str]:
    """Open and close cases for what was read of a lane's counters; returns the reasons that were opened.

    ``open_now`` holds (reason, subject) of the lane's open cases, so that a quiet sweep writes nothing.
    """
    if not open_now and not any(found.values()):
        return []  # as good as every reading
    found = _without_closed_locations(tx, workspace, found)
    openings: dict[tuple[Reason, str], CaseOpening] = {}
    closings: dict[tuple[Reason, str], str] = {}
    for key, condition in found.items():
        for candidate, reason in REASON_OF_CONDITION.items():
            subject = _subject(reason, key)
            is_open = (reason.value, subject) in open_now
            if candidate is condition and not is_open:
                openings[reason, subject] = _opening(workspace, lane, key, reason)
            elif candidate is not condition and is_open and reason not in CLOSED_BY_A_PERSON:
                closings[reason, subject] = "a later read shows a normal level"
        if condition is Condition.ITEM_GONE:
            closings[Reason.WRITE_REFUSED, _subject(Reason.ITEM_GONE, key)] = "there is no such item any more"
    raise_cases(tx, list(openings.values()))
    open_still = {name: proof for name, proof in closings.items() if name not in openings and name in open_now}
    settle_by_proof(tx, workspace, [(*name, proof) for name, proof in sorted(open_still.items())])
    return [opening.reason.value for opening in openings.values()]


def _without_closed_locations(
    tx: Tx, workspace: Workspace, found: Mapping[PositionKey, Condition | None]
) -> Mapping[PositionKey, Condition | None]:
    """A location that is closed is one case (``location_gone``), not one for each SKU that was there."""
    if Condition.LEVEL_MISSING not in found.values():
        return found
    closed = open_subjects_of_reason(tx, workspace, Reason.LOCATION_GONE.value)
    return {
        key: None
        if condition is Condition.LEVEL_MISSING and f"{key.connection}@{key.location_id}" in closed
        else condition
        for key, condition in found.items()
    }


def _subject(reason: Reason, key: PositionKey) -> str:
    """What is wrong with an item is one case, at however many locations it is counted."""
    return f"{key.connection}/{key.item_id}" if reason in ABOUT_THE_ITEM else subject_of(key)


def _opening(workspace: Workspace, lane: StoredLane, key: PositionKey, reason: Reason) -> CaseOpening:
    position = lane.positions[key].position
    return CaseOpening(
        workspace=workspace,
        reason=reason,
        subject=_subject(reason, key),
        connection=key.connection,
        sku=lane.sku_of(key),
        lane=lane.lane,
        field="available",
        details={"location": key.location_id, "level": position.level, "held": position.held},
    )
