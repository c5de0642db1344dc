"""What all stores of a workspace say about themselves, before a baseline; and the counters that follow from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from storebridge.connectors.port import Connector
from storebridge.mappings.groups import Placed
from storebridge.mappings.link import link_as_kept
from storebridge.mappings.renamed import Names
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, LocationId, Workspace
from storebridge.model.stock import LevelReading, LevelsRead, PositionKey

Places = Mapping[tuple[ConnectionName, LocationId], Placed]


class Survey(msgspec.Struct):
    """What all stores of a workspace said about themselves."""

    locations: dict[ConnectionName, tuple[Location, ...]]
    variants: dict[ConnectionName, tuple[Variant, ...]]
    levels: dict[ConnectionName, dict[tuple[ItemId, LocationId], LevelReading]]
    reads: dict[ConnectionName, list[LevelsRead]]
    incomplete: set[ConnectionName]
    """Stores that listed something which could not be read: what they do not list may be there all the same."""
    hides_bundles: set[ConnectionName] = set()
    """Those of them that make bundles up themselves: what they do not list may be one."""


async def survey_stores(
    connectors: Mapping[ConnectionName, Connector],
    declared: Mapping[str, Mapping[str, int]],
    names: Names,
    bundles: Names,
) -> Survey:
    """List locations and variants and read every level of what can be linked. Changes nothing anywhere.

    ``names`` and ``bundles``: under which SKUs items are kept in step, whatever their stores call them now.
    """
    survey = Survey({}, {}, {}, {}, set())
    for name, connector in connectors.items():
        survey.locations[name] = await connector.list_locations()
        left_out = connector.drift.rows_left_out
        survey.variants[name] = tuple([v async for page in connector.list_variants() for v in page])
        if connector.drift.rows_left_out > left_out:
            survey.incomplete.add(name)
    survey.hides_bundles = {name for name in survey.incomplete if connectors[name].capabilities.makes_bundles}
    links = link_as_kept(survey.variants, declared, names, bundles)
    counted = [one.variants for one in links.linked] + [one.variants for one in links.bundles]
    for name, connector in connectors.items():
        items = [variants[name].item_id for variants in counted if name in variants]
        survey.reads[name] = await _read_all(connector, items)
        survey.levels[name] = {
            (reading.item_id, reading.location_id): reading for read in survey.reads[name] for reading in read.readings
        }
    return survey


async def _read_all(connector: Connector, items: Sequence[ItemId]) -> list[LevelsRead]:
    size = connector.capabilities.levels_per_read
    return [await connector.read_levels(items[at : at + size]) for at in range(0, len(items), size)]


def counters_of(
    variants: Mapping[ConnectionName, Variant], survey: Survey, placed: Places
) -> dict[str, list[tuple[PositionKey, LevelReading, int]]]:
    """Where variants of a SKU are counted, by location group: counter, its reading, its rank."""
    by_group: defaultdict[str, list[tuple[PositionKey, LevelReading, int]]] = defaultdict(list)
    for connection, variant in variants.items():
        for (owner, location_id), place in placed.items():
            reading = survey.levels[connection].get((variant.item_id, location_id))
            if owner == connection and reading is not None and reading.available is not None and reading.active:
                key = PositionKey(connection, variant.item_id, location_id)
                by_group[place.group].append((key, reading, place.rank))
    return dict(by_group)


def position_row(
    workspace: Workspace,
    lane: LaneKey,
    key: PositionKey,
    reading: LevelReading,
    rank: int,
    variant: Variant,
    writable: Mapping[ConnectionName, bool],
    survey: Survey,
) -> dict[str, Any]:
    """A new counter's columns: what it shows is its right."""
    sent_at = min(read.sent_at for read in survey.reads[key.connection] if key.item_id in read.asked)
    return {
        "workspace": workspace,
        "connection": key.connection,
        "item_id": key.item_id,
        "location_id": key.location_id,
        "lane": lane,
        "granted": reading.available,
        "level": reading.available,
        "opening": reading.available,
        "rank": rank,
        "tracked": reading.tracked,
        "denies_oversell": variant.denies_oversell and reading.denies_oversell,
        "writable": writable[key.connection] and variant.adjustable,
        "version": reading.version,
        "native_id": reading.native_id,
        "read_at": sent_at,
    }
