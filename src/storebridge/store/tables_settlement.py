"""Money reconciled: what providers booked, and the statements of days; part of the same schema as ``tables.py``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from storebridge.store.columns import Json, UtcTime, index_where
from storebridge.store.tables import metadata as metadata

sales_money = Table(
    "sales_money",  # when orders were placed, and their money moved or was to: a day finds its orders by it
    metadata,
    Column("workspace", String, primary_key=True),
    Column("order_key", String, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("payment_id", String, nullable=False, server_default=""),  # empty: the order was placed
    Index("sales_money_by_time", "workspace", "at", "order_key"),
    Index("sales_money_by_payment", "workspace", "connection", "payment_id"),
)

provider_books = Table(
    "provider_books",  # the books of each store's own payment provider: whether and when they were read
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("state", String, nullable=False),  # read | none | hidden
    Column("detail", Text, nullable=False, server_default=""),
    Column("read_at", UtcTime),  # when they were last read whole
    Column("covers_from", UtcTime),  # since when they are known without a gap
)

provider_entries = Table(
    "provider_entries",  # every entry that a provider booked: charges, refunds, chargebacks, fees, adjustments
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("entry_id", String, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("order_id", String),
    Column("payout_id", String, nullable=False, server_default=""),
    Column("document", Json, nullable=False),  # model.settlement.LedgerEntry
    Index("provider_entries_by_time", "workspace", "at"),
    Index("provider_entries_by_order", "workspace", "connection", "order_id"),
    Index("provider_entries_by_payout", "workspace", "connection", "payout_id"),
)

provider_shares = Table(
    "provider_shares",  # orders and transactions that entries name beside their own order: an order finds them by it
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("entry_id", String, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),  # of the entry
    Column("order_id", String),
    Column("payment_id", String, nullable=False, server_default=""),
    Index("provider_shares_by_order", "workspace", "connection", "order_id"),
    Index("provider_shares_by_payment", "workspace", "connection", "payment_id"),
)

provider_payouts = Table(
    "provider_payouts",  # what a provider sent to the bank, or will
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("payout_id", String, primary_key=True),
    Column("issued_at", UtcTime, nullable=False),
    Column("state", String, nullable=False),
    Column("document", Json, nullable=False),  # model.settlement.Payout
    Column("entries_read_as", String, nullable=False, server_default=""),  # its state when its entries were last read
    Index("provider_payouts_by_time", "workspace", "issued_at"),
)

settlement_days = Table(
    "settlement_days",  # days whose statement has to be made, or made anew because something of them changed
    metadata,
    Column("workspace", String, primary_key=True),
    Column("day", String, primary_key=True),  # 2026-11-25, in the workspace's time zone
    Column("asked", BigInteger, nullable=False),
    Column("answered", BigInteger, nullable=False, server_default="0"),
    Column("due_at", UtcTime, nullable=False),
    index_where("asked > answered", "settlement_days_due", "workspace", "due_at"),
)

settlements = Table(
    "settlements",  # statements as they were made; a later version never changes an earlier one
    metadata,
    Column("workspace", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("made_at", UtcTime, nullable=False),
    Column("state", String, nullable=False),  # open | settled
    Column("digest", String, nullable=False),  # SHA-256 of the statement; it stands in the audit, too
    Column("head", Json, nullable=False),  # the statement without its lines
    Column("document", LargeBinary, nullable=False),  # model.settlement.Statement, JSON, zlib
)
