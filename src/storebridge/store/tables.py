"""Every table, a sentence each. Every row belongs to one workspace, and every query names it.

Names of states are words, so that a person with a database shell can read them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storebridge.store.columns import BigId, Json, UtcTime, index_where

metadata = MetaData()

connections = Table(
    "connections",  # one store each, and how it is
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("health", String, nullable=False),  # ok | slow | down | refusing | unauthorized | read_only | unknown
    Column("detail", Text, nullable=False, server_default=""),
    Column("since", UtcTime),
    Column("last_answer_at", UtcTime),
    Column("can_write", Boolean, nullable=False, server_default="1"),
    Column("facts", Json),  # StoreFacts as last probed
    Column("not_guaranteed_because", Text),  # why no SKU sold here can be promised never to be oversold
    Column("budget_ratio", Integer),  # percent of the API budget that is free
)

locations = Table(
    "locations",  # where each store counts stock, and to which group a location belongs
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("location_id", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("sells_online", Boolean, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("location_group", String),  # null: not part of the bridge
    Column("rank", Integer, nullable=False, server_default="0"),
)

variants = Table(
    "variants",  # what each store sells, as last listed
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("item_id", String, primary_key=True),
    Column("variant_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("sku", String),
    Column("barcode", String),
    Column("tracked", Boolean, nullable=False),
    Column("denies_oversell", Boolean, nullable=False),
    Column("adjustable", Boolean, nullable=False),
    Column("components", Json),  # of what the vendor makes it up itself: units by SKU
    Column("collections", Json),  # titles and handles of those that its product is in; null: none
    Column("listed_at", UtcTime, nullable=False),
    Column("gone_at", UtcTime),
    Index("variants_by_sku", "workspace", "sku"),
    Index("variants_by_product", "workspace", "connection", "product_id"),
)

pools = Table(
    "pools",  # physical goods, one per SKU and location group
    metadata,
    Column("workspace", String, primary_key=True),
    Column("pool_id", String, primary_key=True),
    Column("lane", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("location_group", String, nullable=False),
    Column("goods", BigInteger, nullable=False),  # G
    Column("frozen", Boolean, nullable=False, server_default="0"),
    Column("guaranteed_since", UtcTime),  # null: the guarantee does not hold (yet)
    Column("not_guaranteed_because", Text),
    Index("pools_by_lane", "workspace", "lane"),
    Index("pools_by_sku", "workspace", "sku"),
)

campaigns = Table(
    "campaigns",  # periods in which some SKUs are under escrow, whatever the configuration says
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=True),
    Column("workspace", String, nullable=False),
    Column("pattern", String, nullable=False),  # a SKU, a pattern in which * stands for anything, or collection:NAME
    Column("started_at", UtcTime, nullable=False),
    Column("started_by", String, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),  # null: it runs, or its end was not carried out yet
    Index("campaigns_that_run", "workspace", "ended_at"),
)

positions = Table(
    "positions",  # one stock counter each
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("item_id", String, primary_key=True),
    Column("location_id", String, primary_key=True),
    Column("lane", String, nullable=False),
    Column("granted", BigInteger, nullable=False),  # A
    Column("level", BigInteger, nullable=False),  # L
    Column("opening", BigInteger, nullable=False),  # the level at the baseline
    Column("held", BigInteger, nullable=False, server_default="0"),
    Column("uncredited", BigInteger, nullable=False, server_default="0"),
    Column("rank", Integer, nullable=False, server_default="0"),
    Column("tracked", Boolean, nullable=False, server_default="1"),
    Column("denies_oversell", Boolean, nullable=False, server_default="1"),
    Column("writable", Boolean, nullable=False, server_default="1"),
    Column("version", String),
    Column("native_id", String),
    Column("read_at", UtcTime),
    Column("written_at", UtcTime),  # when our last write was answered
    Column("misses", Integer, nullable=False, server_default="0"),  # stale answers in a row
    Column("gone", Boolean, nullable=False, server_default="0"),  # the store has no such counter (any more)
    Column("refusals", Integer, nullable=False, server_default="0"),  # refused writes in a row
    Column("write_after", UtcTime),  # after a refusal it is left alone until then
    Column("bundle", String),  # the SKU, where the counter is a bundle's
    Column("leaving", Boolean, nullable=False, server_default="0"),  # a bundle's no more: set to zero, then let go
    Index("positions_by_lane", "workspace", "lane"),
    index_where("bundle IS NOT NULL", "positions_of_bundles", "workspace", "connection", "item_id"),
    index_where("held != 0", "positions_held", "workspace", "connection"),
)

draws = Table(
    "draws",  # one sale at this position takes so many units of that pool
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("item_id", String, primary_key=True),
    Column("location_id", String, primary_key=True),
    Column("pool_id", String, primary_key=True),
    Column("weight", Integer, nullable=False, server_default="1"),
    Index("draws_by_pool", "workspace", "pool_id"),
)

deliveries = Table(
    "deliveries",  # what a vendor sent, byte for byte, until its retention ends
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=True),
    Column("workspace", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("delivery_id", String, nullable=False),
    Column("topic", String, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary),  # null once redacted
    Column("digest", String, nullable=False),  # SHA-256 of the body
    Column("problem", Text, nullable=False, server_default=""),
    Column("copies", Integer, nullable=False, server_default="1"),
    UniqueConstraint("workspace", "connection", "delivery_id", name="deliveries_once"),
    Index("deliveries_by_time", "workspace", "connection", "received_at"),
    index_where("body IS NOT NULL", "deliveries_to_empty", "workspace", "received_at"),
)

signals = Table(
    "signals",  # some entity may have changed
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=True),
    Column("workspace", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("source", String, nullable=False),
    Column("flow", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("topic", String, nullable=False, server_default=""),
    Column("delivery_id", String),
    Column("seen_version", String),
    Column("ours", Boolean),  # whether the vendor says that our app made that version; null: it does not say
    Column("stage", String, nullable=False),
    Column("state", String, nullable=False),
    Column("lane", String),
    Column("look_number", BigInteger),  # which asking of its look this signal waits for
    Column("stored_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("note", Text),
    index_where("state = 'waiting'", "signals_open", "workspace", "stage", "seq"),
    index_where("state = 'waiting'", "signals_waiting", "workspace", "connection", "flow", "look_number"),
    index_where("ours IS NOT NULL", "signals_of_versions", "workspace", "connection", "entity", "seen_version"),
    Index("signals_by_lane", "workspace", "lane", "state"),
    Index("signals_by_delivery", "workspace", "connection", "delivery_id"),
)

looks = Table(
    "looks",  # "this entity needs reading": waiting while asked > answered
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("kind", String, primary_key=True),  # levels | orders
    Column("key", String, primary_key=True),
    Column("asked", BigInteger, nullable=False),
    Column("answered", BigInteger, nullable=False, server_default="0"),
    Column("priority", Integer, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    index_where("asked > answered", "looks_waiting", "workspace", "connection", "priority", "due_at"),
    index_where("asked > answered", "looks_due", "workspace", "connection", "due_at"),
)

intents = Table(
    "intents",  # stock writes: planned, sent, settled
    metadata,
    Column("intent_id", String, primary_key=True),
    Column("workspace", String, nullable=False),
    Column("lane", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("item_id", String, nullable=False),
    Column("location_id", String, nullable=False),
    Column("kind", String, nullable=False),  # level | adjust | activate
    Column("from_level", BigInteger, nullable=False),
    Column("to_level", BigInteger, nullable=False),
    Column("version", String),
    Column("native_id", String),
    Column("priority", Integer, nullable=False),
    Column("state", String, nullable=False),  # planned|sent|unclear|applied|stale|not_tried|refused|superseded
    Column("reason", String, nullable=False),
    Column("call_id", String),
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("settled_at", UtcTime),
    Column("code", String, nullable=False, server_default=""),
    Column("evidence", Json),  # what an inference rested on
    index_where("state = 'planned'", "intents_to_send", "workspace", "connection", "priority"),
    index_where("state = 'unclear'", "intents_doubted", "workspace", "connection"),
    Index("intents_by_lane", "workspace", "lane", "state"),
    Index("intents_by_time", "workspace", "created_at"),
)

calls = Table(
    "calls",  # the journal: written before a call goes on the wire
    metadata,
    Column("call_id", String, primary_key=True),
    Column("workspace", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("flow", String, nullable=False, server_default="stock"),  # stock: resent in doubt; orders: never
    Column("operation", String, nullable=False),
    Column("method", String, nullable=False),
    Column("path", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("idempotency_key", String, nullable=False),
    Column("intents", Json, nullable=False),  # intent ids in the order of the rows
    Column("state", String, nullable=False),  # open | answered | unclear | abandoned
    Column("sends", Integer, nullable=False, server_default="0"),
    Column("first_sent_at", UtcTime),
    Column("last_sent_at", UtcTime),
    Column("due_at", UtcTime),
    Column("answered_at", UtcTime),
    Column("status", Integer),
    Column("answer", LargeBinary),
    Column("trouble", Text, nullable=False, server_default=""),
    index_where("length(body) > 0", "calls_to_empty", "workspace", "first_sent_at"),
    index_where("state = 'open'", "calls_open", "workspace", "connection"),
)

EDITS = "kind IN ('manual', 'count', 'undo')"
ledger = Table(
    "ledger",  # every movement of goods and rights, with its cause
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=True),
    Column("workspace", String, nullable=False),
    Column("pool_id", String, nullable=False),
    Column("connection", String),
    Column("item_id", String),
    Column("location_id", String),
    Column("kind", String, nullable=False),  # LedgerKind
    Column("units", BigInteger, nullable=False),
    Column("level_after", BigInteger),
    Column("cause", String),  # unique where set: an external cause counts once
    Column("at", UtcTime, nullable=False),
    Column("actor", String, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    UniqueConstraint("workspace", "cause", name="ledger_cause_once"),
    Index("ledger_by_pool", "workspace", "pool_id", "seq"),
    Index("ledger_by_time", "workspace", "connection", "at"),
    index_where(EDITS, "ledger_of_edits", "workspace", "at"),
    index_where("kind = 'level' AND units < 0", "ledger_of_sales", "workspace", "pool_id", "at", "connection", "units"),
)

orders = Table(
    "orders",  # the labels of movements: orders as far as stock needs them
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("order_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Column("origin", String),
    Column("read_at", UtcTime, nullable=False),
    Column("listed_version", UtcTime),  # the updated_at at which a listing of changes last showed it
    Index("orders_by_reading", "workspace", "connection", "read_at"),
    index_where("origin IS NOT NULL", "orders_of_copies", "workspace", "connection", "read_at"),
)

order_effects = Table(
    "order_effects",  # what one order line did to stock, cumulative: setting it twice changes nothing
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("order_id", String, primary_key=True),
    Column("line_id", String, primary_key=True),
    Column("item_id", String),
    Column("sku", String),
    Column("sold", BigInteger, nullable=False),
    Column("restocked", BigInteger, nullable=False),
    Column("uncertain", BigInteger, nullable=False, server_default="0"),  # may or may not have left stock
    Column("base_sold", BigInteger, nullable=False, server_default="0"),  # what the baseline's level already showed
    Column("base_restocked", BigInteger, nullable=False, server_default="0"),
    Column("at", UtcTime, nullable=False),
    Index("order_effects_by_item", "workspace", "connection", "item_id"),
)

cases = Table(
    "cases",  # everything that a person must see
    metadata,
    Column("case_id", String, primary_key=True),
    Column("workspace", String, nullable=False),
    Column("reason", String, nullable=False),  # exceptions_queue/reasons.py
    Column("state", String, nullable=False),  # open | resolved
    Column("subject", String, nullable=False),  # what it is about; one open case per reason and subject
    Column("connection", String),
    Column("sku", String),
    Column("lane", String),
    Column("field", String, nullable=False, server_default=""),
    Column("sentence", Text, nullable=False),  # what happened and what to do
    Column("payload", Json),
    Column("whose_move", String, nullable=False),  # merchant | agency | vendor | storebridge
    Column("retry_at", UtcTime),
    Column("occurrences", Integer, nullable=False, server_default="1"),
    Column("opened_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("closed_by", String, nullable=False, server_default=""),  # proof | person name
    Column("resolution", Text, nullable=False, server_default=""),
    index_where("state = 'open'", "cases_open", "workspace", "reason", "subject", unique=True),
    Index("cases_by_lane", "workspace", "lane"),
    Index("cases_by_subject", "workspace", "subject", "reason"),
)

audit = Table(
    "audit",  # append-only: digest in the transaction, chained by the sealer shortly after
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=True),
    Column("workspace", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("record", Text, nullable=False),  # canonical JSON
    Column("digest", String, nullable=False),  # SHA-256 of the canonical row
    Index("audit_by_subject", "workspace", "subject", "number"),
    Index("audit_by_number", "workspace", "number"),
)

seals = Table(
    "seals",  # the chain over audit rows, per workspace
    metadata,
    Column("workspace", String, primary_key=True),
    Column("position", BigInteger, primary_key=True),  # 1, 2, 3 ... without gaps
    Column("audit_number", BigInteger, nullable=False),
    Column("link", String, nullable=False),  # SHA-256(previous link, digest)
    Column("sealed_at", UtcTime, nullable=False),
    UniqueConstraint("workspace", "audit_number", name="seals_once"),
)

passes = Table(
    "passes",  # the stored result of each stage of one lane turn, for replay and for the story of a number
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=True),
    Column("workspace", String, nullable=False),
    Column("lane", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("trigger", String, nullable=False),  # reading | answer | person | sweep
    Column("normalized", Json),
    Column("validated", Json),
    Column("planned", Json),
    Index("passes_by_lane", "workspace", "lane", "number"),
    Index("passes_by_time", "workspace", "at"),
)

leases = Table(
    "leases",  # who may act for a name, with an epoch that fences the one before
    metadata,
    Column("workspace", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("until", UtcTime, nullable=False),
)

cursors = Table(
    "cursors",  # how far a changed-since listing is stored
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("updated_at", UtcTime, nullable=False),
    Column("last_id", String, nullable=False, server_default=""),
    Column("checked_at", UtcTime),
    Column("lag_ms", BigInteger, nullable=False, server_default="0"),  # how late a listing was ever seen to be
)

secrets = Table(
    "secrets",  # encrypted at rest; the key is outside the database
    metadata,
    Column("workspace", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("written_at", UtcTime, nullable=False),
)

baselines = Table(
    "baselines",  # the agreed starting point of a bridge: a report, and who signed it off
    metadata,
    Column("baseline_id", String, primary_key=True),
    Column("workspace", String, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("report", Json, nullable=False),
    Column("state", String, nullable=False),  # dry_run | signed_off
    Column("actor", String, nullable=False, server_default=""),
    Column("guaranteed_since", UtcTime),
)

tallies = Table(
    "tallies",  # counts that outlive a restart, e.g. duplicates and refused deliveries
    metadata,
    Column("workspace", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

spreads = Table(
    "spreads",  # how long a change in one store took to reach the other
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=True),
    Column("workspace", String, nullable=False),
    Column("lane", String, nullable=False),
    Column("signalled_at", UtcTime, nullable=False),
    Column("written_at", UtcTime, nullable=False),
    Index("spreads_recent", "workspace", "number"),
    Index("spreads_by_time", "workspace", "written_at"),
)

sales = Table(
    "sales",  # every order of every store, whole, as last read: the canonical order
    metadata,
    Column("workspace", String, primary_key=True),
    Column("order_key", String, primary_key=True),  # ours, for good
    Column("connection", String, nullable=False),
    Column("order_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("placed_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),  # the store's word
    Column("standing", String, nullable=False),
    Column("payment_state", String, nullable=False),
    Column("units_to_ship", Integer, nullable=False),
    Column("queue", String, nullable=False),  # where it stands in the fulfilment queue: flows/queue.py
    Column("ship_by", UtcTime),
    Column("waits_at", Text, nullable=False, server_default=""),  # who is to send it: store/whereabouts.py
    Column("delivery", Text, nullable=False, server_default="|shipping|"),  # model.sales.Delivery, each between bars
    Column("ready_by", String, nullable=False, server_default=""),  # who said that the buyer can collect it
    Column("held_by", String, nullable=False, server_default=""),  # who holds it here; empty: nobody
    Column("document", Json, nullable=False),  # model.sales.Order; personal data is nulled when its retention ends
    Column("digest", String, nullable=False),  # of the document, to tell a change from a repetition
    Column("revision", Integer, nullable=False),  # how many different documents were read
    Column("money_noted", Integer, nullable=False, server_default="0"),  # the revision that sales_money speaks of
    Column("first_read_at", UtcTime, nullable=False),
    Column("read_at", UtcTime, nullable=False),
    UniqueConstraint("workspace", "connection", "order_id", name="sales_once"),
    Index("sales_in_queue", "workspace", "queue", "placed_at", "order_key"),
    Index("sales_newest", "workspace", "placed_at", "order_key"),
    index_where("money_noted < revision", "sales_money_to_note", "workspace", "order_key"),
    Index("sales_by_name", "workspace", "name"),
    Index("sales_by_id", "workspace", "order_id"),
)

sales_history = Table(
    "sales_history",  # what happened to an order, in words for people, without personal data
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=True),
    Column("workspace", String, nullable=False),
    Column("order_key", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("kind", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("detail", Json, nullable=False),
    Index("sales_history_by_order", "workspace", "order_key", "number"),
)

copies = Table(
    "copies",  # an order's other self in another store, made by us
    metadata,
    Column("workspace", String, primary_key=True),
    Column("order_key", String, primary_key=True),
    Column("connection", String, primary_key=True),  # the store that holds the copy
    Column("stamp", String, nullable=False),  # what the copy carries, so that it is never taken for a new order
    Column("state", String, nullable=False),  # wanted | made | refused
    Column("order_id", String),  # the copy's id, once a read has shown it
    Column("lines", Json),  # line of the original -> line of the copy
    Column("document", Json),  # the copy as last read
    Column("updated_at", UtcTime),
    Column("read_at", UtcTime),
    UniqueConstraint("workspace", "connection", "order_id", name="copies_once"),
    Index("copies_by_stamp", "workspace", "connection", "stamp"),
)

order_writes = Table(
    "order_writes",  # writes to orders: planned once per purpose, sent, settled, confirmed by a read
    metadata,
    Column("write_id", String, primary_key=True),
    Column("workspace", String, nullable=False),
    Column("order_key", String, nullable=False),
    Column("connection", String, nullable=False),  # whom it is sent to
    Column("kind", String, nullable=False),
    Column("purpose", String, nullable=False),  # what it is for; the same purpose is never planned twice
    Column("payload", Json, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", String, nullable=False),  # planned|sent|unclear|applied|confirmed|refused|superseded|undone
    Column("reason", String, nullable=False, server_default=""),
    Column("call_id", String),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("first_sent_at", UtcTime),
    Column("settled_at", UtcTime),
    Column("code", String, nullable=False, server_default=""),
    Column("message", Text, nullable=False, server_default=""),
    Column("result", Json),  # ids that the vendor named in its answer
    UniqueConstraint("workspace", "purpose", name="order_writes_once"),
    index_where("state = 'planned'", "order_writes_to_send", "workspace", "connection", "priority", "due_at"),
    Index("order_writes_by_order", "workspace", "order_key", "state"),
)

parcels = Table(
    "parcels",  # what was packed and sent here, to be told to the store that sold it
    metadata,
    Column("workspace", String, primary_key=True),
    Column("parcel_key", String, primary_key=True),
    Column("order_key", String, nullable=False),
    Column("lines", Json, nullable=False),  # [[line id, units], ...]
    Column("tracking", Json, nullable=False),  # company, number, url
    Column("location_id", String),
    Column("notify", Boolean, nullable=False, server_default="1"),
    Column("cancelled", Boolean, nullable=False, server_default="0"),
    Column("actor", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("parcels_by_order", "workspace", "order_key"),
)

picks = Table(
    "picks",  # how far the warehouse is with a line
    metadata,
    Column("workspace", String, primary_key=True),
    Column("order_key", String, primary_key=True),
    Column("line_id", String, primary_key=True),
    Column("picked", Integer, nullable=False, server_default="0"),
    Column("packed", Integer, nullable=False, server_default="0"),
    Column("actor", String, nullable=False),
    Column("at", UtcTime, nullable=False),
)
