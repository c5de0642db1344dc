"""After a disaster the books begin anew: what is known of levels, rights and writes is dropped, and a new baseline is
signed off by a person. Orders, the ledger and the audit stay."""

from __future__ import annotations

from datetime import timedelta

from storebridge.audit.record import AuditRow, append
from storebridge.errors import RefusedError
from storebridge.exceptions_queue.cases import settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.reconcile.mark import epoch_of
from storebridge.store.database import Tx
from storebridge.store.marks import begin_anew, forget_stock, last_write_under_way, load_mark

LANDS_WITHIN = timedelta(seconds=180)
"""How long after it was sent an unanswered write counts as under way: T_max of both vendors, and the time that reading
the stores takes."""


def begins_anew(tx: Tx, workspace: Workspace) -> bool:
    """Whether the next baseline replaces everything: the database is an old copy, or another bridge was here."""
    mark = load_mark(tx, workspace)
    return mark is not None and mark.state != "ours"


def close_former_books(tx: Tx, terms: WorkspaceTerms, actor: str) -> None:
    """Drop what cannot be believed any more, and take the mark in the store over; in the baseline's transaction.

    Raises RefusedError while a write of the former books can still land: the levels that were just read would move, and
    that would be taken for an edit by staff.
    """
    _refuse_while_a_write_can_land(tx, terms.workspace)
    mark = load_mark(tx, terms.workspace)
    assert mark is not None
    forget_stock(tx, terms.workspace)
    begin_anew(tx, terms.workspace, max(mark.epoch, epoch_of(mark.seen)))
    proof = f"{actor} signed a new baseline off"
    for reason in (Reason.DATABASE_RESTORED, Reason.STORE_CLAIMED):
        settle_by_proof(tx, terms.workspace, [(reason, connection, proof) for connection in terms.connections])
    record = {"because": mark.state, "found": mark.seen, "our last": mark.epoch}
    append(
        tx, [AuditRow(workspace=terms.workspace, kind="books_begun_anew", subject="mark", actor=actor, record=record)]
    )


def _refuse_while_a_write_can_land(tx: Tx, workspace: Workspace) -> None:
    under_way = last_write_under_way(tx, workspace, tx.now - LANDS_WITHIN)
    if under_way is not None:
        store, sent_at = under_way
        seconds = max(1, round((sent_at + LANDS_WITHIN - tx.now).total_seconds()))
        raise RefusedError(
            f"A write to {store} is unanswered and may still land, so the levels that were read cannot be relied on. "
            f"Nothing was changed. Sign the baseline off again in {seconds} seconds."
        )
