"""Goods booked by a person: received, or counted on the shelf. The only ways to create units besides a baseline."""

from __future__ import annotations

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.errors import NotFoundError, OutOfRangeError, RefusedError
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName, LaneKey, PoolId
from storebridge.model.settings import WorkspaceTerms
from storebridge.pipeline.flow import PersonChanged, take_turn
from storebridge.store.bundles import bundle_counters
from storebridge.store.database import Tx
from storebridge.store.lanes import add_goods, load_lanes, pool_of_sku
from storebridge.store.policies import lane_terms
from storebridge.store.story import NewMovement, add_movements

MOST_UNITS = 1_000_000


class Booked(msgspec.Struct, frozen=True):
    """What was booked, and what is left now."""

    sku: str
    group: str
    units: int
    """Added to the pool; negative when a count found less."""
    goods_left: int
    wake: frozenset[ConnectionName] = frozenset()


def receive_goods(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, sku: str, units: int, *, group: str | None, actor: str
) -> Booked:
    """Book ``units`` that arrived. Raises NotFoundError, RefusedError; then nothing was changed."""
    if not 0 < units <= MOST_UNITS:
        raise OutOfRangeError(
            f"{units} units of {sku} cannot be received: give a number from 1 to {MOST_UNITS}. For goods that are "
            "gone, book a shelf count: how many can be sold now. Nothing was booked."
        )
    pool_id, lane, group_name = _one_pool(tx, terms, sku, group)
    return _book(tx, terms, ids, sku, pool_id, lane, group_name, units, "receive", actor)


def count_goods(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, sku: str, counted: int, *, group: str | None, actor: str
) -> Booked:
    """A shelf count: ``counted`` units can be sold now, whatever the stores show.

    The difference to what the bridge believes is booked. Refused while a write of this SKU is not settled, because the
    count and the levels could then not be compared.
    """
    if not 0 <= counted <= MOST_UNITS:
        raise OutOfRangeError(
            f"{counted} is no shelf count of {sku}: give a number from 0 to {MOST_UNITS}. Nothing was booked."
        )
    pool_id, lane, group_name = _one_pool(tx, terms, sku, group)
    stored = load_lanes(tx, terms.workspace, [lane], lane_terms(tx, terms))[lane]
    if any(intent.state != "planned" for intent in stored.intents.values()):
        raise RefusedError(
            f"A write for {sku} is on its way to a store. Nothing was booked; count again in a few seconds."
        )
    left = goods_left(stored.state({}), stored.pools[pool_id])
    return _book(tx, terms, ids, sku, pool_id, lane, group_name, counted - left, "count", actor)


def _one_pool(tx: Tx, terms: WorkspaceTerms, sku: str, group: str | None) -> tuple[PoolId, LaneKey, str]:
    found = pool_of_sku(tx, terms.workspace, sku, group)
    if not found and any(one.sku == sku for one in bundle_counters(tx, terms.workspace)):
        raise RefusedError(f"{sku} is a bundle and has no goods of its own: book its components. Nothing was booked.")
    if not found:
        raise NotFoundError(unknown_sku(terms, sku))
    if len(found) > 1:
        groups = ", ".join(name for _, _, name in found)
        raise RefusedError(f"{sku} has goods in several groups ({groups}): say which with --group.")
    return found[0]


def unknown_sku(terms: WorkspaceTerms, sku: str) -> str:
    """What is said of a SKU that is not kept in step, here and wherever one is asked for."""
    return (
        f"No SKU {sku!r} is kept in step in workspace {terms.workspace!r}. Capital and small letters count; "
        "storebridge baseline says which SKUs are left out, and why."
    )


def _book(
    tx: Tx,
    terms: WorkspaceTerms,
    ids: Ids,
    sku: str,
    pool_id: PoolId,
    lane: LaneKey,
    group: str,
    units: int,
    kind: str,
    actor: str,
) -> Booked:
    add_goods(tx, terms.workspace, pool_id, units)
    cause = ids.new(kind)
    add_movements(
        tx,
        terms.workspace,
        [NewMovement(pool_id=pool_id, kind=kind, units=units, cause=cause, actor=actor)],
    )
    append(
        tx,
        [
            AuditRow(
                workspace=terms.workspace,
                kind=f"goods_{kind}",
                subject=sku,
                actor=actor,
                record={"units": units, "group": group, "cause": cause},
            )
        ],
    )
    outcome = take_turn(tx, terms, ids, frozenset(), PersonChanged((lane,), kind))
    stored = load_lanes(tx, terms.workspace, [lane], lane_terms(tx, terms))[lane]
    left = goods_left(stored.state({}), stored.pools[pool_id])
    return Booked(sku, group, units, left, outcome.wake)
