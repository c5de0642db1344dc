"""Requests to read orders of the past; part of the same schema as ``tables.py``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from storebridge.store.columns import BigId, UtcTime
from storebridge.store.tables import metadata as metadata

backfills = Table(
    "backfills",  # orders of the past that are to be read from one store, and how far that is
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=True),
    Column("workspace", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("state", String, nullable=False),  # waiting | running | done | cancelled | stopped
    Column("since", UtcTime, nullable=False),  # orders placed at or after this
    Column("until", UtcTime, nullable=False),  # and at or before this: the moment of the request
    Column("copy", Boolean, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("page", Text),  # the vendor's token of the page to be listed next
    Column("reached", UtcTime),  # when the oldest order listed so far was placed
    Column("listed", BigInteger, nullable=False, server_default="0"),  # orders that listings showed
    Column("read", BigInteger, nullable=False, server_default="0"),  # of these, orders that had to be read whole
    Column("stage", String, nullable=False, server_default="orders"),  # orders | payouts | payout_entries | entries
    Column("booked", BigInteger, nullable=False, server_default="0"),  # entries of the provider's books
    Column("note", Text, nullable=False, server_default=""),
    Column("ended_at", UtcTime),
    Index("backfills_that_run", "workspace", "connection", "ended_at"),
)
