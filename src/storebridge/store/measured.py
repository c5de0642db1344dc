"""What was measured of each store lately, as far as hybrid's allowances need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import case, func, select

from storebridge.model.ids import ConnectionName, LaneKey, Workspace
from storebridge.model.signals import Source
from storebridge.model.stock import Measured
from storebridge.store.lanes import HasConnection, StoredLane
from storebridge.store.tables import baselines, connections, ledger, pools, signals, spreads

WINDOWS = (timedelta(minutes=15), timedelta(hours=2), timedelta(hours=24))
RECENT_SIGNALS = 500
RECENT_SPREADS = 200
LATE_SHARE = 0.99
ROUND_TRIP_SECONDS = 5.0
"""A read and a write, when a store answers as it should."""
AWAY = ("down", "unauthorized")


class Paces(msgspec.Struct, frozen=True):
    """How soon every counter is read when no delivery speaks of it."""

    sweep_seconds: float
    hot_sweep_seconds: float
    hot_below_units: int


def measure(
    tx: HasConnection, workspace: Workspace, lanes: Mapping[LaneKey, StoredLane], paces: Paces
) -> dict[LaneKey, dict[ConnectionName, Measured]]:
    """Per lane and store: sales, how soon they are noticed, and whether the store can be read at all."""
    sales = _sales(tx, workspace, list(lanes))
    noticed, spread = _found_by_sweep(tx, workspace), _spread_seconds(tx, workspace)
    away, watched = _away_seconds(tx, workspace), _watched_seconds(tx, workspace)
    found: dict[LaneKey, dict[ConnectionName, Measured]] = {}
    for key, lane in lanes.items():
        stores = {position.connection for position in lane.positions}
        found[key] = {
            store: Measured(
                watched_seconds=watched,
                units_per_hour=sales.get((key, store), (0.0, 1))[0],
                largest_sale=sales.get((key, store), (0.0, 1))[1],
                notice_seconds=ROUND_TRIP_SECONDS
                + max(spread, _sweep(lane, store, paces) if store in noticed else 0)
                + doubted_seconds(lane, store, tx.now),
                unreadable_seconds=max(away.get(store, 0.0), _stale_seconds(lane, store, paces, tx.now)),
            )
            for store in stores
        }
    return found


def doubted_seconds(lane: StoredLane, connection: ConnectionName, now: datetime) -> float:
    """For how long a write to a store's counter has been in doubt: what is sold there meanwhile is not folded. Pure."""
    since = [
        datetime.fromisoformat(intent.evidence["sent_at"])
        for intent in lane.intents.values()
        if intent.position.connection == connection and intent.state == "unclear" and intent.evidence is not None
    ]
    return max(((now - at) / timedelta(seconds=1) for at in since), default=0.0)


def _sales(
    tx: HasConnection, workspace: Workspace, lanes: Sequence[LaneKey]
) -> dict[tuple[LaneKey, ConnectionName], tuple[float, int]]:
    """Units per hour in the busiest window, and the largest single fall of a day."""
    sums = [func.sum(case((ledger.c.at > tx.now - window, -ledger.c.units), else_=0)) for window in WINDOWS]
    query = (
        select(pools.c.lane, ledger.c.connection, func.max(-ledger.c.units), *sums)
        .join(ledger, (ledger.c.workspace == pools.c.workspace) & (ledger.c.pool_id == pools.c.pool_id))
        .where(
            pools.c.workspace == workspace,
            pools.c.lane.in_(lanes),
            ledger.c.kind == "level",
            ledger.c.units < 0,
            ledger.c.at > tx.now - WINDOWS[-1],
        )
        .group_by(pools.c.lane, ledger.c.connection)
    )
    return {
        (LaneKey(lane), ConnectionName(store)): (_busiest(units), int(largest))
        for lane, store, largest, *units in tx.conn.execute(query)
    }


def _busiest(units: Sequence[Any]) -> float:
    return max(float(count) / (window / timedelta(hours=1)) for count, window in zip(units, WINDOWS, strict=True))


def _found_by_sweep(tx: HasConnection, workspace: Workspace) -> set[str]:
    """Stores of which a change was lately found by a read that no delivery had asked for."""
    newest = tx.conn.execute(select(func.max(signals.c.seq)).where(signals.c.workspace == workspace)).scalar() or 0
    query = select(signals.c.connection).distinct()
    query = query.where(
        signals.c.seq > newest - RECENT_SIGNALS,
        signals.c.workspace == workspace,
        signals.c.source == Source.SWEEP.value,
    )
    return {str(store) for (store,) in tx.conn.execute(query)}


def _spread_seconds(tx: HasConnection, workspace: Workspace) -> float:
    """How long nearly every change lately took from its delivery to the answered write in another store."""
    query = select(spreads.c.signalled_at, spreads.c.written_at).where(spreads.c.workspace == workspace)
    rows = tx.conn.execute(query.order_by(spreads.c.number.desc()).limit(RECENT_SPREADS)).all()
    seconds = sorted((written - signalled) / timedelta(seconds=1) for signalled, written in rows)
    return seconds[int(LATE_SHARE * (len(seconds) - 1))] if seconds else Measured().notice_seconds


def _away_seconds(tx: HasConnection, workspace: Workspace) -> dict[str, float]:
    query = select(connections.c.connection, connections.c.since).where(
        connections.c.workspace == workspace, connections.c.health.in_(AWAY)
    )
    return {store: (tx.now - since) / timedelta(seconds=1) for store, since in tx.conn.execute(query) if since}


def _watched_seconds(tx: HasConnection, workspace: Workspace) -> float:
    query = select(func.min(baselines.c.made_at)).where(
        baselines.c.workspace == workspace, baselines.c.state == "signed_off"
    )
    since: datetime | None = tx.conn.execute(query).scalar()
    return 0.0 if since is None else (tx.now - since) / timedelta(seconds=1)


def _sweep(lane: StoredLane, store: ConnectionName, paces: Paces) -> float:
    """How soon the lane's counters of a store are read without being asked for."""
    levels = [stored.position.level for key, stored in lane.positions.items() if key.connection == store]
    hot = all(level <= paces.hot_below_units for level in levels)
    return paces.hot_sweep_seconds if hot else paces.sweep_seconds


def _stale_seconds(lane: StoredLane, store: ConnectionName, paces: Paces, now: datetime) -> float:
    """For how much longer than two sweeps a counter of the store has not been read."""
    reads = [stored.position.read_at for key, stored in lane.positions.items() if key.connection == store]
    ages = [(now - at) / timedelta(seconds=1) for at in reads if at is not None]
    return max(0.0, max(ages, default=0.0) - 2 * paces.sweep_seconds)
