"""Replay: run an event again from a stage. Never sends a stored plan: it reads and plans anew.

A stored result is there to compare with: what the stages found then stands beside what they find now.
"""

from __future__ import annotations

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.errors import NotFoundError
from storebridge.model.ids import ConnectionName
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.signals import Stage
from storebridge.store.database import Tx
from storebridge.store.waiting import reopen_signals


class Replayed(msgspec.Struct, frozen=True):
    """Signals that wait again."""

    event: str
    from_stage: Stage
    signals: int
    wake: frozenset[ConnectionName] = frozenset()


def replay_event(tx: Tx, terms: WorkspaceTerms, event: str, from_stage: Stage, *, actor: str) -> Replayed:
    """Open the event's signals again; ``event`` is a delivery id or a signal number. Raises NotFoundError.

    Whatever the stage, the entity is read again: from ``deliver`` on a stored plan would be out of date.
    """
    reopened = reopen_signals(tx, terms.workspace, event)
    if not reopened:
        raise NotFoundError(
            f"There is no event {event!r} in workspace {terms.workspace!r}: give a delivery's id, or a signal's number."
        )
    append(
        tx,
        [
            AuditRow(
                workspace=terms.workspace,
                kind="replay",
                subject=event,
                actor=actor,
                record={"from": from_stage.value, "signals": len(reopened)},
            )
        ],
    )
    return Replayed(event, from_stage, len(reopened), frozenset(reopened))
