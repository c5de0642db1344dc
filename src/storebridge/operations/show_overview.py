"""The overview: status, the latest movements in words, and the newest open cases. What the console shows live."""

from __future__ import annotations

from datetime import datetime

import msgspec

from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.explain_stock import describe_movement
from storebridge.operations.show_status import Status, read_status
from storebridge.store.cases import StoredCase
from storebridge.store.database import Store, Tx
from storebridge.store.views_lists import list_cases
from storebridge.store.views_stock import RecentMovement, recent_movements

MOVEMENTS = 14
CASES = 5


class Happening(msgspec.Struct, frozen=True):
    """Something that just moved."""

    seq: int
    at: datetime
    sku: str
    kind: str
    connection: str | None
    units: int
    sentence: str


class Overview(msgspec.Struct, frozen=True):
    """One look at a workspace."""

    status: Status
    happenings: list[Happening]
    cases: list[StoredCase]


async def show_overview(store: Store, terms: WorkspaceTerms) -> Overview:
    """Everything that the first page shows, of one moment."""
    return await store.read(_read, terms)


def _read(tx: Tx, terms: WorkspaceTerms) -> Overview:
    recent = recent_movements(tx, terms.workspace, limit=MOVEMENTS)
    return Overview(
        status=read_status(tx, terms),
        happenings=[_as_happening(movement) for movement in recent],
        cases=list_cases(tx, terms.workspace, limit=CASES),
    )


def _as_happening(movement: RecentMovement) -> Happening:
    row = movement.row
    places = {}
    if row.connection and row.location_id and movement.location:
        places[row.connection, row.location_id] = movement.location
    return Happening(
        seq=row.seq,
        at=row.at,
        sku=movement.sku,
        kind=row.kind,
        connection=row.connection,
        units=row.units,
        sentence=describe_movement(row, places),
    )
