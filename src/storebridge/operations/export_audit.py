"""Export: the whole audit, oldest first, one JSON object a line, with its place in the chain."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from storebridge.model.ids import Workspace
from storebridge.store import views_lists
from storebridge.store.database import Store

ROWS_AT_ONCE = 1000


async def export_audit(store: Store, workspace: Workspace) -> AsyncIterator[bytes]:
    """Lines without their line ends; memory stays bounded."""
    after = 0
    while rows := await store.read(views_lists.list_audit, workspace, after=after, limit=ROWS_AT_ONCE):
        for row in rows:
            yield msgspec.json.encode(row)
        after = rows[-1].number
