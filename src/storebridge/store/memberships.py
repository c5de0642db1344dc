"""Which SKUs are in which collections: told by the stores with their goods, and asked where a setting goes by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from storebridge.model.catalogue import Variant
from storebridge.model.ids import ConnectionName, ItemId, Workspace
from storebridge.model.settings import LaneTerms, names_of
from storebridge.store.prepared import HasDriver, Prepared, one_of
from storebridge.store.tables import draws, pools, positions, variants

_at = positions.c
_same = (_at.workspace == draws.c.workspace) & (_at.connection == draws.c.connection)
_same &= (_at.item_id == draws.c.item_id) & (_at.location_id == draws.c.location_id) & _at.bundle.is_(None)
_listed = (variants.c.workspace == _at.workspace) & (variants.c.connection == _at.connection)
_listed &= (variants.c.item_id == _at.item_id) & variants.c.gone_at.is_(None) & variants.c.collections.is_not(None)
_OF_ALL = Prepared(
    select(pools.c.sku, variants.c.connection, variants.c.collections)
    .select_from(pools)
    .join(draws, (draws.c.workspace == pools.c.workspace) & (draws.c.pool_id == pools.c.pool_id))
    .join(positions, _same)
    .join(variants, _listed)
    .where(pools.c.workspace == bindparam("w"))
    .distinct()
)
_asked = pools.alias("asked")
_ASKED = select(_asked.c.sku).where(_asked.c.workspace == bindparam("w"), one_of(_asked.c.lane, "lanes"))
_POOLS = Prepared(
    select(pools.c.pool_id, pools.c.sku, pools.c.lane).where(
        pools.c.workspace == bindparam("w"), pools.c.sku.in_(_ASKED)
    )
)
"""By SKU, not by lane: one that is counted in several groups has a lane in each, and the same terms in all."""
_ITEMS = Prepared(
    select(_at.connection, _at.item_id).where(
        _at.workspace == bindparam("w"), one_of(_at.lane, "lanes"), _at.bundle.is_(None)
    )
)
_TOLD = Prepared(
    select(variants.c.item_id, variants.c.collections).where(
        variants.c.workspace == bindparam("w"),
        variants.c.connection == bindparam("c"),
        one_of(variants.c.item_id, "items"),
        variants.c.gone_at.is_(None),
        variants.c.collections.is_not(None),
    )
)
_DRAWN = Prepared(
    select(draws.c.item_id, draws.c.pool_id).where(
        draws.c.workspace == bindparam("w"), draws.c.connection == bindparam("c"), one_of(draws.c.item_id, "items")
    )
)


def with_members(
    tx: HasDriver, workspace: Workspace, terms: LaneTerms, lanes: Sequence[str] | None = None
) -> LaneTerms:
    """The terms, knowing which SKUs of these lanes, or of all, are in a collection that they name."""
    named = terms.collections_named
    if not named:
        return terms
    return msgspec.structs.replace(terms, members=members_of(tx, workspace, named, lanes))


def members_of(
    tx: HasDriver, workspace: Workspace, named: frozenset[str], lanes: Sequence[str] | None = None
) -> dict[str, frozenset[str]]:
    """Of the collections ``named``, those that each SKU kept in step is in, in any store; SKUs in none are absent."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    told = _told_of_all(tx, workspace) if lanes is None else _told_of_lanes(tx, workspace, lanes)
    for sku, connection, names in told:
        found[sku].update(named.intersection(names_of(connection, names)))
    return {sku: frozenset(names) for sku, names in found.items() if names}


def _told_of_all(tx: HasDriver, workspace: Workspace) -> Iterator[tuple[str, str, list[str]]]:
    """SKU, store, and what it tells of the collections of an item."""
    yield from _OF_ALL.all(tx, w=workspace)


def _told_of_lanes(tx: HasDriver, workspace: Workspace, lanes: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
    """The same step by step: as one join SQLite walked every draw of the workspace, a hundred times as long."""
    rows = _POOLS.all(tx, w=workspace, lanes=lanes)
    sku_of = {pool_id: sku for pool_id, sku, _ in rows}
    items: defaultdict[str, set[str]] = defaultdict(set)
    for connection, item in _ITEMS.all(tx, w=workspace, lanes={lane for _, _, lane in rows}):
        items[connection].add(item)
    for connection, own in items.items():
        told: dict[str, list[str]] = dict(_TOLD.all(tx, w=workspace, c=connection, items=own))
        for item, pool_id in _DRAWN.all(tx, w=workspace, c=connection, items=list(told)):
            yield sku_of[pool_id], connection, told[item]


_KNOWN = Prepared(
    select(variants.c.item_id, variants.c.collections).where(
        variants.c.workspace == bindparam("w"),
        variants.c.connection == bindparam("c"),
        variants.c.gone_at.is_(None),
    )
)


def moved_items(
    tx: HasDriver,
    workspace: Workspace,
    connection: ConnectionName,
    listed: Sequence[Variant],
    named: frozenset[str],
    *,
    complete: bool,
) -> list[ItemId]:
    """Items that a listing, not stored yet, shows in other collections of those ``named`` than the one before."""
    before = {
        ItemId(item): _names_among(named, connection, told) for item, told in _KNOWN.all(tx, w=workspace, c=connection)
    }
    now = {
        variant.item_id: _names_among(named, connection, variant.collections)
        for variant in listed
        if variant.collections is not None or variant.item_id not in before
    }
    if complete:
        now |= {item: set() for item in before.keys() - {variant.item_id for variant in listed}}
    return sorted(item for item, names in now.items() if names != before.get(item, set()))


def _names_among(named: frozenset[str], connection: str, told: Iterable[str] | None) -> set[str]:
    return set(named.intersection(names_of(connection, told or ())))


_BESIDE = Prepared(
    select(positions.c.connection, positions.c.item_id)
    .where(positions.c.workspace == bindparam("w"), one_of(positions.c.lane, "lanes"))
    .distinct()
    .order_by(positions.c.connection, positions.c.item_id)
)


def items_of_lanes(tx: HasDriver, workspace: Workspace, lanes: Iterable[str]) -> dict[ConnectionName, list[ItemId]]:
    """Every item that is counted in these lanes, store by store."""
    found: defaultdict[ConnectionName, list[ItemId]] = defaultdict(list)
    rows: list[tuple[Any, ...]] = _BESIDE.all(tx, w=workspace, lanes=list(lanes))
    for connection, item in rows:
        found[ConnectionName(connection)].append(ItemId(item))
    return dict(found)
