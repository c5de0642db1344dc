"""Reconcile: compare what the stores show now with what the bridge believes; repair what is safe."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from storebridge.connectors.port import Connector
from storebridge.model.ids import ConnectionName
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import LevelsRead
from storebridge.store.database import Store, Tx
from storebridge.store.lanes import all_lanes_of_items, linked_items, load_lanes
from storebridge.store.policies import items_of_skus, lane_terms
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency


class Drift(msgspec.Struct, frozen=True):
    """A counter that shows something else than the bridge believes."""

    connection: ConnectionName
    sku: str
    location_id: str
    believed: int
    shown: int | None


class Reconciliation(msgspec.Struct, frozen=True):
    """The comparison, and how many counters are being read again to repair it."""

    counters: int
    drifts: tuple[Drift, ...]
    repairing: int


async def reconcile_stores(
    store: Store,
    terms: WorkspaceTerms,
    connectors: Mapping[ConnectionName, Connector],
    *,
    repair: bool,
) -> Reconciliation:
    """Read every counter of every store once. Raises CallTrouble when a store cannot be read.

    Repairing means reading the counters that differ through the engine, which then plans: the same safe way as any
    other change. Nothing is overwritten blindly.
    """
    known = await store.read(linked_items, terms.workspace)
    counters, drifts = 0, list[Drift]()
    for name, connector in connectors.items():
        items = sorted(item for connection, item in known if connection == name)
        size = connector.capabilities.levels_per_read
        for at in range(0, len(items), size):
            read = await connector.read_levels(items[at : at + size])
            found = await store.read(compare_levels, terms, name, read)
            counters += found[0]
            drifts.extend(found[1])
    repairing = 0
    if repair and drifts:
        repairing = await store.run(ask_repairs, terms, tuple(drifts))
    return Reconciliation(counters, tuple(drifts), repairing)


def compare_levels(
    tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, read: LevelsRead
) -> tuple[int, list[Drift]]:
    """How many counters were compared, and which differ."""
    lanes = all_lanes_of_items(tx, terms.workspace, connection, read.asked)
    loaded = load_lanes(tx, terms.workspace, lanes, lane_terms(tx, terms))
    shown = {(r.item_id, r.location_id): r.available for r in read.readings}
    compared = 0
    drifts: list[Drift] = []
    for lane in loaded.values():
        for key, stored in lane.positions.items():
            if key.connection != connection or key.item_id not in read.asked:
                continue
            compared += 1
            level = shown.get((key.item_id, key.location_id))
            if level != stored.position.level:
                drifts.append(
                    Drift(connection, lane.sku_of(key) or lane.lane, key.location_id, stored.position.level, level)
                )
    return compared, drifts


def ask_repairs(tx: Tx, terms: WorkspaceTerms, drifts: tuple[Drift, ...]) -> int:
    """Have the engine read what differs."""
    items = items_of_skus(tx, terms.workspace, sorted({drift.sku for drift in drifts}))
    asked = 0
    for connection in sorted({drift.connection for drift in drifts}):
        wanted = sorted(items.get(connection, []))
        ask_looks(
            tx,
            terms.workspace,
            connection,
            [Ask("levels", item, int(Urgency.STOCK_READ), tx.now) for item in wanted],
        )
        asked += len(wanted)
    return asked
