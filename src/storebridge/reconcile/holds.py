"""Held raises that orders turn out to explain are let go by themselves: a return is not a shelf count."""

from __future__ import annotations

from storebridge.exceptions_queue.cases import settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.observe import settle_hold
from storebridge.model.ids import ConnectionName
from storebridge.model.settings import WorkspaceTerms
from storebridge.store.database import Tx
from storebridge.store.labels import residuals_of_items
from storebridge.store.lanes import (
    StoredLane,
    all_lanes_of_items,
    held_positions,
    load_lanes,
    replace_position,
    save_positions,
)
from storebridge.store.policies import lane_terms
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency


def release_explained_holds(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName) -> int:
    """Accept holds of a store whose units orders account for; returns how many. Called after a complete order poll."""
    keys = held_positions(tx, terms.workspace, connection)
    items = sorted({key.item_id for key in keys})
    residuals = residuals_of_items(tx, terms.workspace, connection, items)
    unexplained = {item for r in residuals if r.unexplained != r.booked for item in r.items}
    explained = {item for r in residuals for item in r.items} & set(items) - unexplained
    lanes = all_lanes_of_items(tx, terms.workspace, connection, sorted(explained))
    loaded = load_lanes(tx, terms.workspace, lanes, lane_terms(tx, terms))
    released = 0
    for lane in loaded.values():
        released += _release(tx, terms, connection, lane)
    asks = [Ask("levels", item, int(Urgency.STOCK_READ), tx.now) for item in sorted(explained)]
    ask_looks(tx, terms.workspace, connection, asks)
    return released


def _release(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, lane: StoredLane) -> int:
    released = 0
    for key, stored in lane.positions.items():
        if key.connection != connection or not stored.position.held:
            continue
        position, _ = settle_hold(stored.position, accept=True)
        save_positions(tx, terms.workspace, [replace_position(stored, position)])
        subject = f"{key.connection}/{key.item_id}@{key.location_id}"
        settle_by_proof(tx, terms.workspace, [(Reason.CHANGE_HELD, subject, "orders explain every unit of it")])
        released += 1
    return released
