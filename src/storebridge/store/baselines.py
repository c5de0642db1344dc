"""Baselines: the agreed starting points, with their reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert

from storebridge.model.ids import Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import baselines


class NewBaseline(msgspec.Struct, frozen=True):
    """A baseline that was made."""

    baseline_id: str
    workspace: Workspace
    made_at: datetime
    report: dict[str, Any]
    state: str
    """dry_run | signed_off"""
    actor: str


def add_baseline(tx: HasConnection, row: NewBaseline) -> None:
    """Keep the report for good."""
    tx.conn.execute(insert(baselines).values(**msgspec.structs.asdict(row)))
