"""Audit rows: what happened, to what, by whom; digested in the same transaction as the thing itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from storebridge.model.ids import Workspace
from storebridge.store.audit import insert_audit
from storebridge.store.database import Tx


class AuditRow(msgspec.Struct, frozen=True):
    """One thing to be remembered. ``record`` is plain JSON without personal data."""

    workspace: Workspace
    kind: str
    """signal | decision | write_sent | write_answered | case_opened | case_settled | baseline | goods_… and so on"""
    subject: str
    actor: str
    record: Mapping[str, Any]


def append(tx: Tx, rows: Sequence[AuditRow]) -> None:
    """Append rows, each with the digest of all that it says."""
    at = tx.now.isoformat()
    insert_audit(tx, [{**_as_row(row, at), "at": tx.now} for row in rows])


def _as_row(row: AuditRow, at: str) -> dict[str, object]:
    record = canonical(row.record)
    digest = _digest((row.workspace, at, row.kind, row.subject, row.actor, record))
    return {
        "workspace": row.workspace,
        "kind": row.kind,
        "subject": row.subject,
        "actor": row.actor,
        "record": record,
        "digest": digest,
    }


def canonical(record: Mapping[str, Any]) -> str:
    """One spelling for one content: sorted keys, no spaces."""
    return _CANONICAL.encode(record)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
"""Made once: ``json.dumps`` makes one for every record."""


def digest_of(workspace: str, at: datetime, kind: str, subject: str, actor: str, record: str) -> str:
    """SHA-256 over the fields, each with its length, so that no two rows can share a spelling."""
    return _digest((workspace, at.isoformat(), kind, subject, actor, record))


def _digest(fields: tuple[str, ...]) -> str:
    text = "".join([f"{len(field)}:{field};" for field in fields])
    return hashlib.sha256(text.encode()).hexdigest()
