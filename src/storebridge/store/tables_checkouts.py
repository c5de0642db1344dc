"""The tables of checkouts that ask before they sell (policy guarded)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table

from storebridge.store.columns import Json, UtcTime
from storebridge.store.tables import metadata

reservations = Table(
    "reservations",  # units of a pool that a checkout holds (policy guarded)
    metadata,
    Column("workspace", String, primary_key=True),
    Column("flow", String, primary_key=True),  # the vendor's id of the purchase, from cart to order
    Column("pool_id", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("units", BigInteger, nullable=False),  # counted against the pool
    Column("covered", BigInteger, nullable=False),  # of these, no open store can sell so many any more
    Column("wanted", BigInteger, nullable=False),  # what the basket wants at this moment
    Column("made_at", UtcTime, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("free_at", UtcTime),  # a reading sent from then on frees what is not wanted
    Column("order_id", String),
    Column("seen", BigInteger, nullable=False),
    Column("seen_at", UtcTime),
    Column("over_at", UtcTime),  # null while it counts
    Index("reservations_that_count", "workspace", "over_at"),
)

checkout_guards = Table(
    "checkout_guards",  # how the guard of one store's checkout is
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("mode", String, nullable=False),  # guarded | bounded | shares
    Column("since", UtcTime, nullable=False),
    Column("why", String, nullable=False),
    Column("proven_at", UtcTime),  # when the store asked first
    Column("past_at", UtcTime),  # when an order last went past the guard
    Column("orders_past", BigInteger, nullable=False, server_default="0"),
    Column("units_past", BigInteger, nullable=False, server_default="0"),
    Column("probes", Json, nullable=False),  # milliseconds of the latest own probes, -1 for a failed one
    Column("probed_at", UtcTime),
)
