"""What tells an old copy of the database and a second bridge; part of the same schema as ``tables.py``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from storebridge.store.columns import UtcTime
from storebridge.store.tables import metadata as metadata

marks = Table(
    "marks",  # who keeps a workspace in step, and how often that was written into a store
    metadata,
    Column("workspace", String, primary_key=True),
    Column("installation", String, nullable=False),  # ours, for good
    Column("epoch", BigInteger, nullable=False),  # grows before each writing of the mark
    Column("state", String, nullable=False),  # ours | restored | foreign
    Column("compared_at", UtcTime),  # when the mark in the store was last found to be ours
    Column("seen", Text, nullable=False, server_default=""),  # the mark that was found instead
    Column("begun_at", UtcTime),  # when the books began anew after a disaster
)
