"""Verify the audit: has any sealed row been edited, removed or slipped in?"""

from __future__ import annotations

from storebridge.audit.verify import Verification, verify_chain
from storebridge.model.ids import Workspace
from storebridge.store.database import Store

__all__ = ["Verification", "verify_audit"]


async def verify_audit(store: Store, workspace: Workspace) -> Verification:
    """Walk the whole chain of a workspace."""
    return await store.read(verify_chain, workspace)
