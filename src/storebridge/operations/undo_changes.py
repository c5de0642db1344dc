"""Take a batch of stock writes back, by taking back what caused them.

Every write of ours follows from the goods of a pool. A write that is taken back alone would be planned again in the
same moment; so its cause in the ledger is compensated (an edit by staff, a receipt, a count, a correction), by a line
that stands there once, and the writes follow. Sales, cancellations and returns are never taken back: they happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.errors import NotFoundError, OutOfRangeError, RefusedError
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName, LaneKey, PoolId
from storebridge.model.settings import WorkspaceTerms, matches
from storebridge.pipeline.flow import PersonChanged, take_turn
from storebridge.store.database import Tx
from storebridge.store.lanes import StoredLane, add_goods, load_lanes
from storebridge.store.policies import lane_terms
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.undo import CAUSE, GoodsMoved, goods_moved, units_written

MOST_MOVEMENTS = 100_000
MOST_MINUTES = 60 * 24 * 366


class Batch(msgspec.Struct, frozen=True):
    """Which movements of goods are meant."""

    since: datetime | None = None
    """From this time on; None: ``minutes`` ago."""
    minutes: float | None = None
    until: datetime | None = None
    """None: until now."""
    skus: str = "*"
    """A SKU, or a pattern in which ``*`` stands for anything."""
    connection: str | None = None
    """Edits of this store's staff only."""


class PoolUndo(msgspec.Struct, frozen=True):
    """What is taken back of one pool."""

    sku: str
    group: str
    units: int
    """Goods that come back (negative: go)."""
    left_before: int
    left_after: int
    written: dict[str, int]
    """What we wrote in the period, by store."""
    movements: list[GoodsMoved]


class Undone(msgspec.Struct, frozen=True):
    """A dry run, or what was done."""

    applied: bool
    units: int
    """Goods moved, whatever the direction."""
    pools: list[PoolUndo]
    wake: frozenset[ConnectionName] = frozenset()


def undo_changes(tx: Tx, terms: WorkspaceTerms, ids: Ids, batch: Batch, *, apply: bool, actor: str) -> Undone:
    """What would be taken back; with ``apply``, take it back. Raises NotFoundError when nothing is left to take back,
    RefusedError when it is more than an hour may see; then nothing was changed."""
    found = _found(tx, terms, batch)
    lanes = load_lanes(tx, terms.workspace, {one.lane for one in found}, lane_terms(tx, terms))
    undone = _report(tx, terms, batch, found, lanes, applied=apply)
    if not apply:
        return undone
    _refuse_too_much(terms, undone)
    _take_back(tx, terms, undone, actor)
    wake = take_turn(tx, terms, ids, frozenset(), PersonChanged(tuple(lanes), "undo")).wake
    return msgspec.structs.replace(undone, wake=wake)


def _found(tx: Tx, terms: WorkspaceTerms, batch: Batch) -> list[GoodsMoved]:
    since, until = _period(tx, batch)
    moved = goods_moved(tx, terms.workspace, since, until, connection=batch.connection, limit=MOST_MOVEMENTS)
    found = [one for one in moved if matches(batch.skus, one.sku)]
    if not found:
        raise NotFoundError(
            "No edit by staff, receipt, count or correction of that period is left to take back. An edit is known as "
            "one only after the next complete order poll; sales and returns are never taken back."
        )
    return found


def _period(tx: Tx, batch: Batch) -> tuple[datetime, datetime]:
    until = batch.until or tx.now
    if (batch.since is None) == (batch.minutes is None):
        raise RefusedError("Say from when: a time, or minutes, one of them; nothing was changed.")
    if batch.minutes is not None and not 0 < batch.minutes <= MOST_MINUTES:
        raise OutOfRangeError(
            f"{batch.minutes:g} minutes are no period: give a number above 0, at most {MOST_MINUTES}. Nothing was "
            "changed."
        )
    since = batch.since or tx.now - timedelta(minutes=batch.minutes or 0)
    if until < since:
        raise OutOfRangeError("The period ends before it begins; nothing was changed.")
    return since, until


def _report(
    tx: Tx,
    terms: WorkspaceTerms,
    batch: Batch,
    found: Sequence[GoodsMoved],
    lanes: dict[LaneKey, StoredLane],
    *,
    applied: bool,
) -> Undone:
    by_pool: dict[PoolId, list[GoodsMoved]] = {}
    for one in found:
        by_pool.setdefault(one.pool_id, []).append(one)
    written = units_written(tx, terms.workspace, list(by_pool), *_period(tx, batch))
    pools = [
        _of_pool(lanes[moved[0].lane], pool_id, moved, written.get(pool_id, {})) for pool_id, moved in by_pool.items()
    ]
    return Undone(applied, sum(abs(pool.units) for pool in pools), sorted(pools, key=lambda pool: pool.sku))


def _of_pool(lane: StoredLane, pool_id: PoolId, moved: list[GoodsMoved], written: dict[str, int]) -> PoolUndo:
    left = goods_left(lane.state({}), lane.pools[pool_id])
    units = -sum(one.units for one in moved)
    return PoolUndo(moved[0].sku, moved[0].group, units, left, left + units, written, moved)


def _refuse_too_much(terms: WorkspaceTerms, undone: Undone) -> None:
    skus = len(undone.pools)
    if 0 < terms.most_units_per_hour < undone.units or 0 < terms.most_skus_per_hour < skus:
        raise RefusedError(
            f"{undone.units} units of {skus} SKUs are more than an hour may see ({terms.most_units_per_hour} units, "
            f"{terms.most_skus_per_hour} SKUs); nothing was changed. Take them back in parts (--sku TEE-*), or raise "
            "most_units_per_hour and most_skus_per_hour."
        )


def _take_back(tx: Tx, terms: WorkspaceTerms, undone: Undone, actor: str) -> None:
    movements: list[NewMovement] = []
    rows: list[AuditRow] = []
    for pool in undone.pools:
        movements += [
            NewMovement(one.pool_id, "undo", -one.units, cause=f"{CAUSE}{one.seq}", actor=actor, note=_note(one))
            for one in pool.movements
        ]
        add_goods(tx, terms.workspace, pool.movements[0].pool_id, pool.units)
        record = {"units": pool.units, "group": pool.group, "movements": [one.seq for one in pool.movements]}
        rows.append(
            AuditRow(workspace=terms.workspace, kind="goods_undone", subject=pool.sku, actor=actor, record=record)
        )
    add_movements(tx, terms.workspace, movements)
    append(tx, rows)


def _note(one: GoodsMoved) -> str:
    who = f" by {one.actor}" if one.actor else ""
    return f"takes back {one.kind}{who} of {one.at:%Y-%m-%d %H:%M:%S} UTC"
