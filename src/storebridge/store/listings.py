"""How late listings of changes are: measured, because a cursor's overlap must not be shorter than that.

A listing that began after an order had changed, and did not show the change, was behind by at least the time between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.orders import OrderFacts
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import cursors, orders

LONGEST = timedelta(minutes=10)
"""A measurement beyond this is a clock that was wrong, not a listing that is late."""


def hidden_for(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    found: Sequence[OrderFacts],
    listed_before: datetime | None,
) -> timedelta:
    """The longest time for which the listing that began at ``listed_before`` hid one of the orders found now; zero when
    it hid none. The orders count as listed from now on, once they are stored."""
    if listed_before is None or not found:
        return timedelta(0)
    known = _listed_versions(tx, workspace, connection, found)
    late = [
        listed_before - order.updated_at
        for order in found
        if order.updated_at < listed_before
        and (order.order_id not in known or known[order.order_id] < order.updated_at)
    ]
    return min(max(late, default=timedelta(0)), LONGEST)


def _listed_versions(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, found: Sequence[OrderFacts]
) -> dict[str, datetime]:
    rows = _LISTED.all(tx, w=workspace, c=connection, ids=[order.order_id for order in found])
    return {str(order_id): version for order_id, version in rows}


_THEIRS = (orders.c.workspace == bindparam("w")) & (orders.c.connection == bindparam("c"))
_LISTED = Prepared(
    select(orders.c.order_id, orders.c.listed_version).where(
        _THEIRS, one_of(orders.c.order_id, "ids"), orders.c.listed_version.is_not(None)
    )
)


def note_listed(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, found: Sequence[OrderFacts]
) -> None:
    """These versions of orders were shown by a listing."""
    rows = [{"w": workspace, "c": connection, "o": order.order_id, "v": order.updated_at} for order in found]
    _NOTE_LISTED.run_many(tx, rows)


_NOTE_LISTED = Prepared(
    update(orders).where(_THEIRS, orders.c.order_id == bindparam("o")).values(listed_version=bindparam("v"))
)


def measured_lag(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str) -> timedelta:
    """The longest lag that was ever measured on a listing."""
    return timedelta(milliseconds=_LAG.scalar(tx, w=workspace, c=connection, n=name) or 0)


def listing_began(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str) -> datetime | None:
    """When the last complete listing began; None before the first."""
    began: datetime | None = _BEGAN.scalar(tx, w=workspace, c=connection, n=name)
    return began


_ONE = (
    (cursors.c.workspace == bindparam("w"))
    & (cursors.c.connection == bindparam("c"))
    & (cursors.c.name == bindparam("n"))
)
_LAG = Prepared(select(cursors.c.lag_ms).where(_ONE))
_BEGAN = Prepared(select(cursors.c.checked_at).where(_ONE))


def note_lag(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str, lag: timedelta) -> None:
    """A listing was late by so much; the longest counts."""
    milliseconds = -(lag // -timedelta(milliseconds=1))
    _NOTE_LAG.run(tx, w=workspace, c=connection, n=name, ms=milliseconds)


_NOTE_LAG = Prepared(update(cursors).where(_ONE, cursors.c.lag_ms < bindparam("ms")).values(lag_ms=bindparam("ms")))


def has_sold_since(tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime) -> bool:
    """Whether an order of its own that was placed since is known of a store."""
    return _SOLD_SINCE.first(tx, w=workspace, c=connection, since=since) is not None


_SOLD_SINCE = Prepared(
    select(orders.c.order_id)
    .where(
        _THEIRS,
        orders.c.read_at >= bindparam("since"),
        orders.c.created_at >= bindparam("since"),
        orders.c.origin.is_(None),
    )
    .limit(1)
)
