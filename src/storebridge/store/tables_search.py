"""What orders are found by; part of the same schema as ``tables.py``."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from storebridge.store.tables import metadata as metadata

sales_words = Table(
    "sales_words",  # of each order what a person looks for: a few words beside the document of some kilobytes
    metadata,
    Column("workspace", String, primary_key=True),
    Column("order_key", String, primary_key=True),
    Column("words", Text, nullable=False),  # folded, one a line: name, buyer, company, SKUs; the buyer's go with them
)
