"""The audit, read: who did what to which subject, and where it stands in the chain."""

from __future__ import annotations

import msgspec

from storebridge.model.ids import Workspace
from storebridge.operations.outcomes import number_after
from storebridge.store import views_lists
from storebridge.store.database import Store
from storebridge.store.views_lists import AuditEntry


class AuditPage(msgspec.Struct, frozen=True):
    """Some audit rows, newest first."""

    items: list[AuditEntry]
    after: str | None


async def list_audit(
    store: Store,
    workspace: Workspace,
    *,
    subject: str | None = None,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> AuditPage:
    """One page of audit rows. Raises OutOfRangeError for a place that is none."""
    before = number_after(after)
    found = await store.read(
        views_lists.list_audit, workspace, before=before, subject=subject, kind=kind, limit=limit + 1
    )
    page = found[:limit]
    return AuditPage(page, str(page[-1].number) if len(found) > limit else None)
