"""How much was written lately; part of the same schema as ``tables.py``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from storebridge.store.columns import UtcTime
from storebridge.store.tables import metadata as metadata

brakes = Table(
    "brakes",  # stock writes of the last hour, and whether they are held
    metadata,
    Column("workspace", String, primary_key=True),
    Column("measured_at", UtcTime, nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("skus", BigInteger, nullable=False),
    Column("counted_from", UtcTime, nullable=False),  # what was written before was agreed to by a person
    Column("held_at", UtcTime),  # null: writes go out
)
