"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import Json, UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_audit()
    create_baselines()
    create_calls()
    create_cases()
    create_connections()
    create_cursors()
    create_deliveries()
    create_draws()
    create_intents()
    create_leases()
    create_ledger()
    create_locations()
    create_looks()
    create_order_effects()
    create_orders()
    create_passes()
    create_pools()
    create_positions()
    create_seals()
    create_secrets()
    create_signals()
    create_spreads()
    create_tallies()
    create_variants()


def create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("audit_by_subject", "audit", ["workspace", "subject", "number"], unique=False)


def create_baselines() -> None:
    op.create_table(
        "baselines",
        sa.Column("baseline_id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("report", Json(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), server_default="", nullable=False),
        sa.Column("guaranteed_since", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("baseline_id"),
    )


def create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("intents", Json(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sends", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_sent_at", UtcTime(), nullable=True),
        sa.Column("last_sent_at", UtcTime(), nullable=True),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("trouble", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )
    op.create_index(
        "calls_open",
        "calls",
        ["workspace", "connection"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=True),
        sa.Column("sku", sa.String(), nullable=True),
        sa.Column("lane", sa.String(), nullable=True),
        sa.Column("field", sa.String(), server_default="", nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("payload", Json(), nullable=True),
        sa.Column("whose_move", sa.String(), nullable=False),
        sa.Column("retry_at", UtcTime(), nullable=True),
        sa.Column("occurrences", sa.Integer(), server_default="1", nullable=False),
        sa.Column("opened_at", UtcTime(), nullable=False),
        sa.Column("last_seen_at", UtcTime(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.Column("closed_by", sa.String(), server_default="", nullable=False),
        sa.Column("resolution", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("cases_by_lane", "cases", ["workspace", "lane"], unique=False)
    op.create_index(
        "cases_open",
        "cases",
        ["workspace", "reason", "subject"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def create_connections() -> None:
    op.create_table(
        "connections",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("health", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("since", UtcTime(), nullable=True),
        sa.Column("last_answer_at", UtcTime(), nullable=True),
        sa.Column("can_write", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("facts", Json(), nullable=True),
        sa.Column("budget_ratio", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "connection"),
    )


def create_cursors() -> None:
    op.create_table(
        "cursors",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("last_id", sa.String(), server_default="", nullable=False),
        sa.Column("checked_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "connection", "name"),
    )


def create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("headers", Json(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("copies", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("workspace", "connection", "delivery_id", name="deliveries_once"),
    )


def create_draws() -> None:
    op.create_table(
        "draws",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("pool_id", sa.String(), nullable=False),
        sa.Column("weight", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "connection", "item_id", "location_id", "pool_id"),
    )
    op.create_index("draws_by_pool", "draws", ["workspace", "pool_id"], unique=False)


def create_intents() -> None:
    op.create_table(
        "intents",
        sa.Column("intent_id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from_level", sa.BigInteger(), nullable=False),
        sa.Column("to_level", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("native_id", sa.String(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("settled_at", UtcTime(), nullable=True),
        sa.Column("code", sa.String(), server_default="", nullable=False),
        sa.Column("evidence", Json(), nullable=True),
        sa.PrimaryKeyConstraint("intent_id"),
    )
    op.create_index("intents_by_lane", "intents", ["workspace", "lane", "state"], unique=False)
    op.create_index(
        "intents_to_send",
        "intents",
        ["workspace", "connection", "priority"],
        unique=False,
        sqlite_where=sa.text("state = 'planned'"),
        postgresql_where=sa.text("state = 'planned'"),
    )


def create_leases() -> None:
    op.create_table(
        "leases",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name"),
    )


def create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("pool_id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=True),
        sa.Column("item_id", sa.String(), nullable=True),
        sa.Column("location_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("level_after", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor", sa.String(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("workspace", "cause", name="ledger_cause_once"),
    )
    op.create_index("ledger_by_pool", "ledger", ["workspace", "pool_id", "seq"], unique=False)


def create_locations() -> None:
    op.create_table(
        "locations",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sells_online", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("location_group", sa.String(), nullable=True),
        sa.Column("rank", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "connection", "location_id"),
    )


def create_looks() -> None:
    op.create_table(
        "looks",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "connection", "kind", "key"),
    )
    op.create_index(
        "looks_waiting",
        "looks",
        ["workspace", "connection", "priority", "due_at"],
        unique=False,
        sqlite_where=sa.text("asked > answered"),
        postgresql_where=sa.text("asked > answered"),
    )


def create_order_effects() -> None:
    op.create_table(
        "order_effects",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=True),
        sa.Column("sku", sa.String(), nullable=True),
        sa.Column("sold", sa.BigInteger(), nullable=False),
        sa.Column("restocked", sa.BigInteger(), nullable=False),
        sa.Column("uncertain", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("base_sold", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("base_restocked", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "connection", "order_id", "line_id"),
    )
    op.create_index("order_effects_by_item", "order_effects", ["workspace", "connection", "item_id"], unique=False)


def create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(), nullable=True),
        sa.Column("read_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "connection", "order_id"),
    )


def create_passes() -> None:
    op.create_table(
        "passes",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("normalized", Json(), nullable=True),
        sa.Column("validated", Json(), nullable=True),
        sa.Column("planned", Json(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("passes_by_lane", "passes", ["workspace", "lane", "number"], unique=False)


def create_pools() -> None:
    op.create_table(
        "pools",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("pool_id", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("location_group", sa.String(), nullable=False),
        sa.Column("goods", sa.BigInteger(), nullable=False),
        sa.Column("frozen", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("guaranteed_since", UtcTime(), nullable=True),
        sa.Column("not_guaranteed_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "pool_id"),
    )
    op.create_index("pools_by_lane", "pools", ["workspace", "lane"], unique=False)
    op.create_index("pools_by_sku", "pools", ["workspace", "sku"], unique=False)


def create_positions() -> None:
    op.create_table(
        "positions",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("uncredited", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tracked", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("denies_oversell", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("writable", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("native_id", sa.String(), nullable=True),
        sa.Column("read_at", UtcTime(), nullable=True),
        sa.Column("written_at", UtcTime(), nullable=True),
        sa.Column("misses", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "connection", "item_id", "location_id"),
    )
    op.create_index("positions_by_lane", "positions", ["workspace", "lane"], unique=False)


def create_seals() -> None:
    op.create_table(
        "seals",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("audit_number", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("sealed_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "position"),
        sa.UniqueConstraint("workspace", "audit_number", name="seals_once"),
    )


def create_secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("written_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name"),
    )


def create_signals() -> None:
    op.create_table(
        "signals",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("flow", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), server_default="", nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=True),
        sa.Column("seen_version", sa.String(), nullable=True),
        sa.Column("ours", sa.Boolean(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=True),
        sa.Column("look_number", sa.BigInteger(), nullable=True),
        sa.Column("stored_at", UtcTime(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("signals_by_delivery", "signals", ["workspace", "connection", "delivery_id"], unique=False)
    op.create_index("signals_by_lane", "signals", ["workspace", "lane", "state"], unique=False)
    op.create_index(
        "signals_open",
        "signals",
        ["workspace", "stage", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def create_spreads() -> None:
    op.create_table(
        "spreads",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("signalled_at", UtcTime(), nullable=False),
        sa.Column("written_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("spreads_recent", "spreads", ["workspace", "number"], unique=False)


def create_tallies() -> None:
    op.create_table(
        "tallies",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "connection", "name"),
    )


def create_variants() -> None:
    op.create_table(
        "variants",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("variant_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sku", sa.String(), nullable=True),
        sa.Column("barcode", sa.String(), nullable=True),
        sa.Column("tracked", sa.Boolean(), nullable=False),
        sa.Column("denies_oversell", sa.Boolean(), nullable=False),
        sa.Column("adjustable", sa.Boolean(), nullable=False),
        sa.Column("listed_at", UtcTime(), nullable=False),
        sa.Column("gone_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "connection", "item_id"),
    )
    op.create_index("variants_by_product", "variants", ["workspace", "connection", "product_id"], unique=False)
    op.create_index("variants_by_sku", "variants", ["workspace", "sku"], unique=False)
