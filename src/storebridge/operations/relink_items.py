"""A product that was deleted and made anew is the same goods under a new item: its pool goes on with the new counters.

Proof that the former item is gone: a listing does not name it and a read of it found nothing. What the new item shows
is not believed as goods; the pool keeps what was left, and the store is set to it like at any baseline. So the share of
the dead counters is free again, and a number that came with the new product sells nothing that is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from storebridge.audit.record import AuditRow, append
from storebridge.exceptions_queue.cases import settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, PoolId, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import PositionKey
from storebridge.pipeline.validate.conditions import subject_of
from storebridge.store.database import Tx
from storebridge.store.journal import supersede_intents
from storebridge.store.lanes import (
    StoredLane,
    StoredPosition,
    add_goods,
    insert_draws,
    insert_positions,
    load_lanes,
    pool_of_sku,
    remove_positions,
)
from storebridge.store.policies import lane_terms
from storebridge.store.story import NewMovement, add_movements

Row = Mapping[str, Any]
"""A new position's columns, without its lane."""

PROOF = "the product was made anew; its new item is kept in step"


def relink_item(
    tx: Tx,
    terms: WorkspaceTerms,
    sku: str,
    connection: ConnectionName,
    rows: Mapping[str, Sequence[Row]],
    listed: Collection[ItemId],
) -> list[LaneKey]:
    """Put new counters (``rows``, by location group) in the place of dead ones; returns the lanes to be planned again.

    A store that had none joins with them. Does nothing for a pool whose former item is ``listed`` still, was not found
    missing yet, or has a write in doubt: a later listing comes back to it.
    """
    pools = [(pool, lane, rows[group]) for pool, lane, group in pool_of_sku(tx, terms.workspace, sku) if group in rows]
    keys = [lane for _, lane, _ in pools]
    loaded = load_lanes(tx, terms.workspace, keys, lane_terms(tx, terms))
    done: list[LaneKey] = []
    for pool_id, key, fresh in pools:
        own = counters_of(loaded[key], connection, pool_id)
        dead = dead_counters(loaded[key], own, listed)
        if dead or not own:
            _replace(tx, terms.workspace, loaded[key], pool_id, dead, fresh)
            done.append(key)
    return done


def counters_of(lane: StoredLane, connection: ConnectionName, pool_id: PoolId) -> dict[PositionKey, StoredPosition]:
    """A store's own counters of a pool; those of bundles are not among them."""
    drawing = {draw.position for draw in lane.draws if draw.pool_id == pool_id}
    return {
        key: stored
        for key, stored in lane.positions.items()
        if key.connection == connection and key in drawing and stored.position.bundle is None
    }


def dead_counters(
    lane: StoredLane, mine: Mapping[PositionKey, StoredPosition], listed: Collection[ItemId]
) -> Mapping[PositionKey, StoredPosition]:
    """A store's counters of a pool, when nothing can come of them any more; else none."""
    alive = [key for key, stored in mine.items() if key.item_id in listed or not stored.position.gone]
    return {} if alive or lane.on_the_wire & set(mine) else mine


def _replace(
    tx: Tx,
    workspace: Workspace,
    lane: StoredLane,
    pool_id: PoolId,
    dead: Mapping[PositionKey, StoredPosition],
    fresh: Sequence[Row],
) -> None:
    supersede_intents(tx, [intent.intent_id for intent in lane.intents.values() if intent.position in dead])
    counters = [stored.position for stored in dead.values()]
    moved = sum(position.level - position.held - position.granted for position in counters)
    add_goods(tx, workspace, pool_id, moved)  # what was sold there stays sold
    remove_positions(tx, workspace, dead)
    insert_positions(tx, [{**row, "lane": lane.lane} for row in fresh])
    same = ("workspace", "connection", "item_id", "location_id")
    insert_draws(tx, [{**{name: row[name] for name in same}, "pool_id": pool_id, "weight": 1} for row in fresh])
    if not dead:
        _tell_joined(tx, workspace, lane, pool_id, fresh)
        return
    _tell(tx, workspace, lane, pool_id, dead, fresh)
    closings = [(reason, f"{key.connection}/{key.item_id}") for key in dead for reason in _ABOUT_ITEMS]
    closings += [(reason, subject_of(key)) for key in dead for reason in _ABOUT_COUNTERS]
    settle_by_proof(tx, workspace, [(reason, subject, PROOF) for reason, subject in sorted(set(closings))])


def _tell_joined(tx: Tx, workspace: Workspace, lane: StoredLane, pool_id: PoolId, fresh: Sequence[Row]) -> None:
    connection, shown = fresh[0]["connection"], sum(row["level"] for row in fresh)
    note = f"it shows {shown}, which brings no goods"
    add_movements(
        tx, workspace, [NewMovement(pool_id, "joined", 0, connection=connection, actor="storebridge", note=note)]
    )
    record = {"store": connection, "items": sorted({row["item_id"] for row in fresh}), "shows": shown}
    sku = lane.pools[pool_id].sku
    append(tx, [AuditRow(workspace=workspace, kind="joined", subject=sku, actor="storebridge", record=record)])


_ABOUT_ITEMS = (Reason.ITEM_GONE, Reason.WRITE_REFUSED, Reason.ITEM_UNTRACKED, Reason.NOT_DENYING_OVERSELL)
_ABOUT_COUNTERS = (Reason.CHANGE_HELD, Reason.LEVEL_MISSING_AT_LOCATION, Reason.LEVEL_NEGATIVE)


def _tell(
    tx: Tx,
    workspace: Workspace,
    lane: StoredLane,
    pool_id: PoolId,
    dead: Mapping[PositionKey, StoredPosition],
    fresh: Sequence[Row],
) -> None:
    """One line in the story of the number, and one in the audit."""
    connection = next(iter(dead)).connection
    shown, last = sum(row["level"] for row in fresh), sum(stored.position.level for stored in dead.values())
    note = f"made anew in {connection}, where it shows {shown}; the former item last showed {last}"
    add_movements(
        tx, workspace, [NewMovement(pool_id, "remade", 0, connection=connection, actor="storebridge", note=note)]
    )
    record = {
        "store": connection,
        "former items": sorted({key.item_id for key in dead}),
        "new items": sorted({row["item_id"] for row in fresh}),
        "last shown": last,
        "shows": shown,
    }
    sku = lane.pools[pool_id].sku
    append(tx, [AuditRow(workspace=workspace, kind="relinked", subject=sku, actor="storebridge", record=record)])
