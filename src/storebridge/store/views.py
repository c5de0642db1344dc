"""What the screens ask about a whole workspace: stores, backlog, counts, speed. Reads only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, func, select, type_coerce

from storebridge.model.ids import Workspace
from storebridge.model.signals import SignalState
from storebridge.store.columns import fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import (
    baselines,
    cases,
    connections,
    deliveries,
    looks,
    order_effects,
    orders,
    positions,
    signals,
    spreads,
    tallies,
    variants,
)
from storebridge.store.tallies import CALLS

RECENT_SPREADS = 1000
"""Percentiles are of this many latest changes."""


class StoreHealth(msgspec.Struct, frozen=True):
    """One store, and how it is."""

    connection: str
    kind: str
    health: str
    """ok | slow | down | refusing | unauthorized | read_only | unknown"""
    detail: str
    since: datetime | None
    last_answer_at: datetime | None
    can_write: bool
    account: str
    name: str
    budget_percent: int | None
    """The share of the API budget that is free."""


class StageBacklog(msgspec.Struct, frozen=True):
    """Signals that wait in one stage."""

    stage: str
    waiting: int
    oldest_at: datetime | None


class Percentiles(msgspec.Struct, frozen=True):
    """Milliseconds from a signal in one store to the answered write in the other, over the latest changes."""

    n: int
    p50: int | None = None
    p95: int | None = None
    p99: int | None = None


class Counts(msgspec.Struct, frozen=True):
    """Whole numbers about a workspace."""

    signals: dict[str, int]
    """By state."""
    deliveries: int
    duplicates: int
    tallies: dict[str, int]
    """Refused deliveries and the like, by name."""
    orders: dict[str, int]
    """By store; copies are not counted."""
    units_sold: int
    """Units of native orders since the baseline, less what was put back."""
    looks_waiting: int


class BaselineState(msgspec.Struct, frozen=True):
    """The agreed starting point."""

    baseline_id: str
    made_at: datetime
    actor: str


def one(tx: HasConnection) -> int:
    """The least that shows that the database answers."""
    return int(tx.conn.execute(select(1)).scalar_one())


def store_healths(tx: HasConnection, workspace: Workspace) -> list[StoreHealth]:
    found = tx.conn.execute(
        select(connections).where(connections.c.workspace == workspace).order_by(connections.c.connection)
    )
    return [_health(row) for row in found]


def _health(row: Any) -> StoreHealth:
    facts = row.facts or {}
    return StoreHealth(
        connection=row.connection,
        kind=row.kind,
        health=row.health,
        detail=row.detail,
        since=row.since,
        last_answer_at=row.last_answer_at,
        can_write=row.can_write,
        account=str(facts.get("account", "")),
        name=str(facts.get("name", "")),
        budget_percent=row.budget_ratio,
    )


def backlog(tx: HasConnection, workspace: Workspace) -> list[StageBacklog]:
    """Waiting signals by stage; stages where nothing waits are absent."""
    found = tx.conn.execute(
        select(signals.c.stage, func.count(), func.min(signals.c.stored_at))
        .where(signals.c.workspace == workspace, signals.c.state == fixed(SignalState.WAITING.value))
        .group_by(signals.c.stage)
    )
    return [StageBacklog(stage, waiting, oldest) for stage, waiting, oldest in found]


def open_cases_by_reason(tx: HasConnection, workspace: Workspace, *, sku: str | None = None) -> dict[str, int]:
    """How many cases of each reason are open; of one SKU where one is named."""
    of_sku = () if sku is None else (cases.c.sku == sku,)
    found = tx.conn.execute(
        select(cases.c.reason, func.count())
        .where(cases.c.workspace == workspace, cases.c.state == fixed("open"), *of_sku)
        .group_by(cases.c.reason)
        .order_by(cases.c.reason)
    )
    return {str(reason): int(count) for reason, count in found}


def recent_spreads(tx: HasConnection, workspace: Workspace) -> list[int]:
    """Milliseconds of the latest changes, sorted."""
    found = tx.conn.execute(
        select(spreads.c.signalled_at, spreads.c.written_at)
        .where(spreads.c.workspace == workspace)
        .order_by(spreads.c.number.desc())
        .limit(RECENT_SPREADS)
    )
    return sorted(int((written - signalled).total_seconds() * 1000) for signalled, written in found)


def counts(tx: HasConnection, workspace: Workspace) -> Counts:
    """Everything that is counted, in one go."""
    by_state = tx.conn.execute(
        select(signals.c.state, func.count()).where(signals.c.workspace == workspace).group_by(signals.c.state)
    )
    stored, copies = tx.conn.execute(
        select(func.count(), func.coalesce(func.sum(deliveries.c.copies), 0)).where(deliveries.c.workspace == workspace)
    ).one()
    waiting = tx.conn.execute(
        select(func.count()).where(looks.c.workspace == workspace, looks.c.asked > looks.c.answered)
    ).scalar_one()
    return Counts(
        signals={str(state): int(count) for state, count in by_state},
        deliveries=stored,
        duplicates=int(copies) - stored,
        tallies=_tallies(tx, workspace),
        orders=_orders_by_store(tx, workspace),
        units_sold=_units_sold(tx, workspace),
        looks_waiting=waiting,
    )


def _tallies(tx: HasConnection, workspace: Workspace) -> dict[str, int]:
    found = tx.conn.execute(
        select(tallies.c.name, func.sum(tallies.c.count))
        .where(tallies.c.workspace == workspace, ~tallies.c.name.startswith(CALLS))
        .group_by(tallies.c.name)
        .order_by(tallies.c.name)
    )
    return {name: int(count) for name, count in found}


def _orders_by_store(tx: HasConnection, workspace: Workspace) -> dict[str, int]:
    found = tx.conn.execute(
        select(orders.c.connection, func.count())
        .where(orders.c.workspace == workspace, orders.c.origin.is_(None))
        .group_by(orders.c.connection)
        .order_by(orders.c.connection)
    )
    return {str(connection): int(count) for connection, count in found}


def _units_sold(tx: HasConnection, workspace: Workspace) -> int:
    net = order_effects.c.sold - order_effects.c.base_sold - order_effects.c.restocked + order_effects.c.base_restocked
    same = (
        (orders.c.workspace == order_effects.c.workspace)
        & (orders.c.connection == order_effects.c.connection)
        & (orders.c.order_id == order_effects.c.order_id)
    )
    kept = (
        (positions.c.workspace == order_effects.c.workspace)
        & (positions.c.connection == order_effects.c.connection)
        & (positions.c.item_id == order_effects.c.item_id)
    )
    in_step = select(positions.c.item_id).where(kept).exists()
    found = tx.conn.execute(
        select(func.coalesce(func.sum(net), 0))
        .join(orders, same)
        .where(order_effects.c.workspace == workspace, orders.c.origin.is_(None), in_step)
    )
    return int(found.scalar_one())


def last_baseline(tx: HasConnection, workspace: Workspace) -> BaselineState | None:
    """The first sign-off is when the bridge began; None: nothing is written to any store yet."""
    row = tx.conn.execute(
        select(baselines.c.baseline_id, baselines.c.made_at, baselines.c.actor)
        .where(baselines.c.workspace == workspace, baselines.c.state == "signed_off")
        .order_by(baselines.c.made_at)
        .limit(1)
    ).first()
    return None if row is None else BaselineState(*tuple(row))


def coverage(tx: HasConnection, workspace: Workspace) -> tuple[int, int]:
    """Variants that are kept in step, and variants that exist in any store."""
    linked = tx.conn.execute(
        select(func.count()).select_from(
            select(positions.c.connection, positions.c.item_id)
            .where(positions.c.workspace == workspace)
            .distinct()
            .subquery()
        )
    ).scalar_one()
    listed = tx.conn.execute(
        select(func.count()).where(variants.c.workspace == workspace, variants.c.gone_at.is_(None))
    ).scalar_one()
    return linked, listed


class FlowCount(msgspec.Struct, frozen=True):
    """Signals of one flow in one stage and state."""

    flow: str
    stage: str
    state: str
    count: int


def signal_counts(tx: HasConnection, workspace: Workspace) -> list[FlowCount]:
    found = tx.conn.execute(
        select(signals.c.flow, signals.c.stage, signals.c.state, func.count())
        .where(signals.c.workspace == workspace)
        .group_by(signals.c.flow, signals.c.stage, signals.c.state)
    )
    return [FlowCount(*tuple(row)) for row in found]


def seconds_histogram(
    tx: HasConnection, workspace: Workspace, what: str, bounds: tuple[float, ...]
) -> tuple[list[int], float]:
    """How many durations are at most each bound (and the count of all, last), and their sum in seconds.

    ``what``: ``propagation`` (signal to answered write) or ``confirm`` (signal stored to signal closed).
    """
    table, begin, end = {
        "propagation": (spreads, spreads.c.signalled_at, spreads.c.written_at),
        "confirm": (signals, signals.c.stored_at, signals.c.closed_at),
    }[what]
    micros = type_coerce(end, BigInteger) - type_coerce(begin, BigInteger)
    row = tx.conn.execute(
        select(
            *(func.count().filter(micros <= int(bound * 1_000_000)) for bound in bounds),
            func.count(),
            func.coalesce(func.sum(micros), 0),
        ).where(table.c.workspace == workspace, end.is_not(None))
    ).one()
    return [int(count) for count in row[:-1]], float(row[-1]) / 1_000_000
