"""Cases: every condition that a person must see, opened with evidence and closed on proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.exceptions_queue.reasons import Reason, catalogue_entry
from storebridge.model.ids import ConnectionName, LaneKey, Workspace
from storebridge.store.cases import NewCase, close_cases, last_case, open_cases
from storebridge.store.database import Tx

PROOF = "proof"
"""Who closes a case whose condition is gone."""


class CaseOpening(msgspec.Struct, frozen=True):
    """A reason, what it is about, and the evidence. One case is open per reason and subject."""

    workspace: Workspace
    reason: Reason
    subject: str
    connection: ConnectionName | None = None
    sku: str | None = None
    lane: LaneKey | None = None
    field: str = ""
    details: Mapping[str, Any] = {}


def raise_cases(tx: Tx, openings: Sequence[CaseOpening]) -> int:
    """Open cases, or count once more those that are open already; returns how many are new."""
    if not openings:
        return 0
    new = open_cases(tx, [_as_row(opening) for opening in openings])
    opened = [opening for opening, is_new in zip(openings, new, strict=True) if is_new]
    append(
        tx,
        [
            AuditRow(
                workspace=opening.workspace,
                kind="case_opened",
                subject=opening.sku or opening.subject,
                actor="storebridge",
                record={"reason": opening.reason.value, "about": opening.subject, **opening.details},
            )
            for opening in opened
        ],
    )
    return len(opened)


def raise_unless_settled(tx: Tx, opening: CaseOpening) -> None:
    """Open a case, unless the last one about its subject said the very same and a person has closed it."""
    last = last_case(tx, opening.workspace, opening.reason.value, opening.subject)
    settled = last is not None and last.state == "resolved" and last.closed_by != PROOF
    if last is None or not settled or last.payload != dict(opening.details):
        raise_cases(tx, [opening])


def settle_by_proof(tx: Tx, workspace: Workspace, closings: Sequence[tuple[Reason, str, str]]) -> int:
    """Close cases whose condition is proven gone: (reason, subject, what proved it); returns how many were open."""
    if not closings:
        return 0
    closed = close_cases(
        tx,
        workspace,
        [(reason.value, subject, proof) for reason, subject, proof in closings],
        closed_by=PROOF,
    )
    append(
        tx,
        [
            AuditRow(
                workspace=workspace,
                kind="case_closed",
                subject=subject,
                actor="storebridge",
                record={"reason": reason, "proof": proof},
            )
            for reason, subject, proof in closed
        ],
    )
    return len(closed)


def _as_row(opening: CaseOpening) -> NewCase:
    entry = catalogue_entry(opening.reason)
    return NewCase(
        workspace=opening.workspace,
        reason=opening.reason.value,
        subject=opening.subject,
        connection=opening.connection,
        sku=opening.sku,
        lane=opening.lane,
        field=opening.field,
        sentence=entry.sentence_for(opening),
        payload=dict(opening.details),
        whose_move=entry.whose_move,
    )
