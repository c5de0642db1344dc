"""When something of a courier becomes due: asked in one statement, before anything is looked at."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, ScalarSelect, Table, bindparam, func, select

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.columns import EPOCH, fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import calls, intents, looks


class Earliest(msgspec.Struct, frozen=True):
    """The earliest time of each kind of work; None where none waits."""

    call: datetime | None
    """A stock call whose outcome is not known is sent again."""
    intent: datetime | None
    """A planned write may be sent."""
    look: datetime | None
    """A read, or another errand."""

    @property
    def first(self) -> datetime | None:
        """Of all of them."""
        return min((time for time in (self.call, self.intent, self.look) if time is not None), default=None)


def _earliest_of(table: Table, *waits: ColumnElement[bool]) -> ScalarSelect[datetime]:
    mine = (table.c.workspace == bindparam("w")) & (table.c.connection == bindparam("c"))
    return select(func.min(table.c.due_at)).where(mine, *waits, table.c.due_at > bindparam("after")).scalar_subquery()


_EARLIEST = Prepared(
    select(
        _earliest_of(calls, calls.c.state == fixed("open"), calls.c.flow == fixed("stock")),
        _earliest_of(intents, intents.c.state == fixed("planned")),
        _earliest_of(looks, looks.c.asked > looks.c.answered),
    )
)


def earliest_due(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, after: datetime = EPOCH
) -> Earliest:
    """When a connection's work becomes due, of what is due later than ``after``."""
    ((call, intent, look),) = _EARLIEST.all(tx, w=workspace, c=connection, after=after)
    return Earliest(call, intent, look)
