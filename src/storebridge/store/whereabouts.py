"""Where units wait to be sent: the locations of stores, and orders by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, or_, select

from storebridge.model.ids import ConnectionName, LocationId, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import locations, sales


class Whereabouts(msgspec.Struct, frozen=True):
    """A location of a store, as the warehouse knows it."""

    connection: ConnectionName
    location_id: LocationId
    name: str
    group: str | None
    """The location group; None: not part of the bridge."""
    is_default: bool
    """Units that the store assigns to no location are sent from here."""


def list_whereabouts(tx: HasConnection, workspace: Workspace) -> list[Whereabouts]:
    """The locations of all stores, closed ones too: what waits at one still has to be sent."""
    at = locations.c
    query = select(at.connection, at.location_id, at.name, at.location_group, at.is_default)
    found = tx.conn.execute(query.where(at.workspace == workspace).order_by(at.connection, at.rank, at.name))
    return [Whereabouts(*row) for row in found]


def locations_with_orders(
    tx: HasConnection, workspace: Workspace, places: Sequence[str]
) -> set[tuple[ConnectionName, LocationId]]:
    """Where units of the orders in these places of the queue wait; an empty name where the store assigns none."""
    query = select(sales.c.connection, sales.c.waits_at).where(
        sales.c.workspace == workspace, sales.c.queue.in_(places), sales.c.units_to_ship > 0
    )
    return {
        (ConnectionName(connection), LocationId(name))
        for connection, waits in tx.conn.execute(query.distinct())
        for name in waits[1:-1].split("|")
    }


def between_bars(names: Sequence[str]) -> str:
    """As stored with an order: every name between bars, so that one can be looked for without a table of its own."""
    told = "|".join(sorted(names))
    return f"|{told}|" if names else ""


def waiting_at(wanted: Sequence[Whereabouts]) -> Any:
    """The condition that units of an order wait at one of these locations."""
    return or_(*(and_(sales.c.connection == at.connection, _named(at)) for at in wanted))


def _named(at: Whereabouts) -> Any:
    named = sales.c.waits_at.contains(between_bars([at.location_id]), autoescape=True)
    # Empty: stored before locations were noted; where it waits is told by its next reading.
    return or_(named, sales.c.waits_at.contains("||"), sales.c.waits_at == "") if at.is_default else named
