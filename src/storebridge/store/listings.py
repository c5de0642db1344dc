"""How late listings of changes are: measured, because a cursor's overlap must not be shorter than that.

A listing that began after an order had changed, and did not show the change, was behind by at least the time between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, select, update

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.orders import OrderFacts
from storebridge.store.lanes import HasConnection
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
    rows = tx.conn.execute(
        select(orders.c.order_id, orders.c.listed_version).where(
            orders.c.workspace == workspace,
            orders.c.connection == connection,
            orders.c.order_id.in_([order.order_id for order in found]),
            orders.c.listed_version.is_not(None),
        )
    )
    return {str(order_id): version for order_id, version in rows}


def note_listed(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, found: Sequence[OrderFacts]
) -> None:
    """These versions of orders were shown by a listing."""
    if found:
        tx.conn.execute(
            update(orders)
            .where(
                orders.c.workspace == workspace,
                orders.c.connection == connection,
                orders.c.order_id == bindparam("o"),
            )
            .values(listed_version=bindparam("v")),
            [{"o": order.order_id, "v": order.updated_at} for order in found],
        )


def measured_lag(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str) -> timedelta:
    """The longest lag that was ever measured on a listing."""
    found = tx.conn.execute(select(cursors.c.lag_ms).where(*_mine(workspace, connection, name))).scalar()
    return timedelta(milliseconds=found or 0)


def listing_began(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str) -> datetime | None:
    """When the last complete listing began; None before the first."""
    began: datetime | None = tx.conn.execute(
        select(cursors.c.checked_at).where(*_mine(workspace, connection, name))
    ).scalar()
    return began


def note_lag(tx: HasConnection, workspace: Workspace, connection: ConnectionName, name: str, lag: timedelta) -> None:
    """A listing was late by so much; the longest counts."""
    milliseconds = -(lag // -timedelta(milliseconds=1))
    tx.conn.execute(
        update(cursors)
        .where(*_mine(workspace, connection, name), cursors.c.lag_ms < milliseconds)
        .values(lag_ms=milliseconds)
    )


def _mine(workspace: Workspace, connection: ConnectionName, name: str) -> tuple[ColumnElement[bool], ...]:
    return (cursors.c.workspace == workspace, cursors.c.connection == connection, cursors.c.name == name)
