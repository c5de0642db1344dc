"""Tables of what was sold beyond what exists; part of the same schema as ``tables.py``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table

from storebridge.store.columns import UtcTime
from storebridge.store.tables import metadata as metadata

losers = Table(
    "losers",  # orders whose goods do not exist, while the pool is short
    metadata,
    Column("workspace", String, primary_key=True),
    Column("order_key", String, primary_key=True),
    Column("pool_id", String, primary_key=True),
    Column("units", BigInteger, nullable=False),  # of the pool, missing for it; 0: goods were brought in
    Column("since", UtcTime, nullable=False),
    Column("choice", String, nullable=False, server_default=""),  # wait | substitute | split | cancel; empty: none yet
    Index("losers_by_pool", "workspace", "pool_id"),
)

voids = Table(
    "voids",  # units that were called off and did not come back: each is looked at once
    metadata,
    Column("workspace", String, primary_key=True),
    Column("order_key", String, primary_key=True),  # KEY/refunded-2, KEY/edited-2, KEY/called-WRITE: a part of it
    Column("pool_id", String, primary_key=True),
    Column("state", String, nullable=False),  # ordered (we cancel it) | waiting | decided
    Column("allotted", BigInteger),  # units that we cancel it for; null: somebody else cancelled it
    Column("called_off", BigInteger, nullable=False, server_default="0"),  # units that did not come back
    Column("credited", BigInteger, nullable=False, server_default="0"),  # of these, units that never existed
    Column("cancelled_at", UtcTime),
    Column("at", UtcTime, nullable=False),
    Index("voids_by_state", "workspace", "state"),
)
