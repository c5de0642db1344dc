"""Data whose time has come is ended, and the audit says how much of which kind."""

from __future__ import annotations

from storebridge.audit.record import AuditRow, append
from storebridge.model.settings import WorkspaceTerms
from storebridge.store.database import Tx
from storebridge.store.retention import DataKind, end_retention


def end_and_tell(tx: Tx, terms: WorkspaceTerms) -> dict[DataKind, int]:
    """End what is older than the workspace's terms; returns how many rows of each kind."""
    ended = end_retention(tx, terms)
    if ended:
        record = {kind.value: count for kind, count in ended.items()}
        row = AuditRow(
            workspace=terms.workspace,
            kind="retention_ended",
            subject="retention",
            actor="storebridge",
            record=record,
        )
        append(tx, [row])
    return ended
