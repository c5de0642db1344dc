"""How much was written lately, and whether writes are held."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import bindparam, func, select, update

from storebridge.model.ids import Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import intents
from storebridge.store.tables_brakes import brakes
from storebridge.store.upserts import upsert

COUNTED = ("planned", "sent", "unclear", "applied")
"""States of a write that changes a store, or may."""


class Brake(msgspec.Struct, frozen=True):
    """Units and SKUs written in the hour before ``measured_at``, of what counts from ``counted_from`` on."""

    measured_at: datetime
    units: int
    skus: int
    counted_from: datetime
    held_at: datetime | None


class Amount(msgspec.Struct, frozen=True):
    """Units and SKUs."""

    units: int
    skus: int

    def plus(self, other: Amount) -> Amount:
        """The sum; a SKU in both counts twice."""
        return Amount(self.units + other.units, self.skus + other.skus)


_LOAD = Prepared(
    select(*(brakes.c[name] for name in Brake.__struct_fields__)).where(brakes.c.workspace == bindparam("w"))
)
_PLANNED = Prepared(
    select(
        func.coalesce(func.sum(func.abs(intents.c.to_level - intents.c.from_level)), 0),
        func.count(intents.c.lane.distinct()),
    ).where(
        intents.c.workspace == bindparam("w"),
        intents.c.created_at > bindparam("since"),
        one_of(intents.c.state, "states"),
    )
)


def load_brake(tx: HasConnection, workspace: Workspace) -> Brake | None:
    """The brake as last measured; None before the first time."""
    row = next(iter(_LOAD.all(tx, w=workspace)), None)
    return None if row is None else Brake(*row)


def planned_since(tx: HasConnection, workspace: Workspace, since: datetime) -> Amount:
    """What was planned after a moment and is on its way, or has arrived."""
    ((units, skus),) = _PLANNED.all(tx, w=workspace, since=since, states=COUNTED)
    return Amount(int(units), int(skus))


def save_measure(tx: HasConnection, workspace: Workspace, amount: Amount) -> None:
    """What was written in the hour until now."""
    _MEASURE.run(tx, workspace=workspace, measured_at=tx.now, units=amount.units, skus=amount.skus, counted_from=tx.now)


_MEASURE = upsert(
    brakes,
    ("workspace",),
    ("workspace", "measured_at", "units", "skus", "counted_from"),
    lambda new: {"measured_at": new.measured_at, "units": new.units, "skus": new.skus},
)


def hold_writes(tx: HasConnection, workspace: Workspace) -> bool:
    """From now on nothing is written; False when that was so already."""
    held = (brakes.c.workspace == workspace) & brakes.c.held_at.is_(None)
    return bool(tx.conn.execute(update(brakes).where(held).values(held_at=tx.now)).rowcount)


def count_from(tx: HasConnection, workspace: Workspace, moment: datetime) -> None:
    """A person agreed to what is written: writes go out, and what is planned before ``moment`` does not count."""
    _COUNT_FROM.run(tx, workspace=workspace, measured_at=tx.now, units=0, skus=0, counted_from=moment, held_at=None)


_COUNT_FROM = upsert(brakes, ("workspace",), ("workspace", "measured_at", "units", "skus", "counted_from", "held_at"))
