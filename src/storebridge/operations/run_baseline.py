"""Baseline: agree on a starting point. The system of record's levels are believed; the other stores will be set.

First a dry run, which changes nothing: what is linked, what is not and why, and which levels would change. Signed off,
it books the goods, takes every level as granted, and plans. Later runs only add what is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.connectors.port import Connector
from storebridge.errors import RefusedError
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.mappings.groups import Placed, place_locations
from storebridge.mappings.link import LinkedSku, Links, Obstacle, Unlinked, link_by_sku
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, LocationId, PoolId, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import LevelReading, LevelsRead, Policy, PositionKey
from storebridge.operations.relink_items import relink_item
from storebridge.pipeline.flow import PersonChanged, TurnOutcome, take_turn
from storebridge.store.baselines import NewBaseline, add_baseline
from storebridge.store.catalogue import save_locations, save_variants
from storebridge.store.database import Store, Tx
from storebridge.store.lanes import insert_draws, insert_pools, insert_positions, linked_items, skus_with_gone_items
from storebridge.store.story import NewMovement, add_movements

REASON_OF_OBSTACLE = {
    Obstacle.SKU_BLANK: Reason.SKU_BLANK,
    Obstacle.SKU_DUPLICATE: Reason.SKU_DUPLICATE_IN_STORE,
    Obstacle.ONE_SIDE_ONLY: Reason.SKU_ONLY_ON_ONE_SIDE,
    Obstacle.UNTRACKED: Reason.ITEM_UNTRACKED,
    Obstacle.NOT_ADJUSTABLE: Reason.ITEM_NOT_ADJUSTABLE,
}


NOT_GUARANTEED = {
    True: "the policy is mirror: two stores can sell the last unit within the time that news takes",
    False: "the baseline's first writes are not confirmed yet",
}
"""Why a new pool is not guaranteed (yet), by whether the policy is mirror."""


class Difference(msgspec.Struct, frozen=True):
    """A SKU whose stores do not show the same."""

    sku: str
    group: str
    levels: dict[ConnectionName, int]


class BaselineReport(msgspec.Struct, frozen=True):
    """What a baseline would do, or did."""

    system_of_record: ConnectionName
    linked: int
    already_in_step: int
    """SKUs that an earlier baseline took in."""
    units: int
    differences: tuple[Difference, ...]
    unlinked: dict[str, int]
    """Variants that are not kept in step, by reason."""
    remade: tuple[str, ...]
    """SKUs kept in step already that a store now has under a new item: linked again once the former item is gone."""
    signed_off: bool
    baseline_id: str | None = None


class Survey(msgspec.Struct):
    """What all stores of a workspace said about themselves."""

    locations: dict[ConnectionName, tuple[Location, ...]]
    variants: dict[ConnectionName, tuple[Variant, ...]]
    levels: dict[ConnectionName, dict[tuple[ItemId, LocationId], LevelReading]]
    reads: dict[ConnectionName, list[LevelsRead]]
    incomplete: set[ConnectionName]
    """Stores that listed something which could not be read: what they do not list may be there all the same."""


async def survey_stores(connectors: Mapping[ConnectionName, Connector]) -> Survey:
    """List locations and variants and read every level of what can be linked. Changes nothing anywhere."""
    survey = Survey({}, {}, {}, {}, set())
    for name, connector in connectors.items():
        survey.locations[name] = await connector.list_locations()
        left_out = connector.drift.rows_left_out
        survey.variants[name] = tuple([v async for page in connector.list_variants() for v in page])
        if connector.drift.rows_left_out > left_out:
            survey.incomplete.add(name)
    links = link_by_sku(survey.variants)
    for name, connector in connectors.items():
        items = [sku.variants[name].item_id for sku in links.linked if name in sku.variants]
        survey.reads[name] = await _read_all(connector, items)
        survey.levels[name] = {
            (reading.item_id, reading.location_id): reading for read in survey.reads[name] for reading in read.readings
        }
    return survey


async def _read_all(connector: Connector, items: Sequence[ItemId]) -> list[LevelsRead]:
    size = connector.capabilities.levels_per_read
    return [await connector.read_levels(items[at : at + size]) for at in range(0, len(items), size)]


async def run_baseline(
    store: Store,
    terms: WorkspaceTerms,
    connectors: Mapping[ConnectionName, Connector],
    ids: Ids,
    *,
    sign_off: bool,
    actor: str,
) -> tuple[BaselineReport, frozenset[ConnectionName]]:
    """Survey the stores and report; with ``sign_off`` take the linked SKUs in. Returns whose courier has work.

    Raises CallTrouble when a store cannot be read, ConfigurationError when groups name unknown locations.
    """
    survey = await survey_stores(connectors)
    placed = place_locations(terms.groups, survey.locations)
    links = link_by_sku(survey.variants)
    writable = {name: connector.capabilities.write_style != "none" for name, connector in connectors.items()}
    return await store.run(commit_baseline, terms, ids, survey, placed, links, writable, sign_off=sign_off, actor=actor)


def commit_baseline(
    tx: Tx,
    terms: WorkspaceTerms,
    ids: Ids,
    survey: Survey,
    placed: Mapping[tuple[ConnectionName, LocationId], Placed],
    links: Links,
    writable: Mapping[ConnectionName, bool],
    *,
    sign_off: bool,
    actor: str,
) -> tuple[BaselineReport, frozenset[ConnectionName]]:
    """Store the survey, raise cases, and with ``sign_off`` book the goods of what is new and plan it."""
    _save_survey(tx, terms.workspace, survey, placed)
    _raise_unlinked(tx, terms.workspace, links, survey.incomplete)
    known = linked_items(tx, terms.workspace)
    fresh = [sku for sku in links.linked if not any((c, v.item_id) in known for c, v in sku.variants.items())]
    intakes = [intake for sku in fresh for intake in _intakes_of(sku, terms, survey, placed, writable)]
    remade = [
        (sku, c)
        for sku in links.linked
        if sku not in fresh
        for c, v in sku.variants.items()
        if (c, v.item_id) not in known and c not in survey.incomplete
    ]
    report = _report(terms, links, fresh, intakes, sign_off, [sku.sku for sku, _ in remade])
    if not sign_off:
        return report, frozenset()
    relinked = [lane for sku, c in remade for lane in _relink(tx, terms, sku, c, survey, placed, writable)]
    baseline_id = ids.new("baseline")
    _take_in(tx, terms.workspace, intakes, baseline_id)
    made = NewBaseline(baseline_id, terms.workspace, tx.now, msgspec.to_builtins(report), "signed_off", actor)
    add_baseline(tx, made)
    _audit(tx, terms.workspace, report, actor)
    outcome = _plan(tx, terms, ids, [*(LaneKey(intake.pool["lane"]) for intake in intakes), *relinked])
    return msgspec.structs.replace(report, baseline_id=baseline_id), outcome.wake


class PoolIntake(msgspec.Struct):
    """One new pool with its counters."""

    pool: dict[str, Any]
    positions: list[dict[str, Any]]
    draws: list[dict[str, Any]]
    levels: dict[ConnectionName, int]


def _intakes_of(
    sku: LinkedSku,
    terms: WorkspaceTerms,
    survey: Survey,
    placed: Mapping[tuple[ConnectionName, LocationId], Placed],
    writable: Mapping[ConnectionName, bool],
) -> list[PoolIntake]:
    return [
        _intake(sku, terms, group, counters, writable, survey)
        for group, counters in sorted(_counters_of(sku, survey, placed).items())
        if len({key.connection for key, _, _ in counters}) > 1
    ]


def _counters_of(
    sku: LinkedSku, survey: Survey, placed: Mapping[tuple[ConnectionName, LocationId], Placed]
) -> dict[str, list[tuple[PositionKey, LevelReading, int]]]:
    """Where a SKU is counted, by location group: counter, its reading, its rank."""
    by_group: defaultdict[str, list[tuple[PositionKey, LevelReading, int]]] = defaultdict(list)
    for connection, variant in sku.variants.items():
        for (owner, location_id), place in placed.items():
            reading = survey.levels[connection].get((variant.item_id, location_id))
            if owner == connection and reading is not None and reading.available is not None and reading.active:
                key = PositionKey(connection, variant.item_id, location_id)
                by_group[place.group].append((key, reading, place.rank))
    return dict(by_group)


def _intake(
    sku: LinkedSku,
    terms: WorkspaceTerms,
    group: str,
    counters: Sequence[tuple[PositionKey, LevelReading, int]],
    writable: Mapping[ConnectionName, bool],
    survey: Survey,
) -> PoolIntake:
    levels: defaultdict[ConnectionName, int] = defaultdict(int)
    for key, reading, _ in counters:
        levels[key.connection] += reading.available or 0
    pool_id = PoolId(f"{sku.sku}@{group}")
    lane = LaneKey(pool_id)
    pool = {
        "workspace": terms.workspace,
        "pool_id": pool_id,
        "lane": lane,
        "sku": sku.sku,
        "location_group": group,
        "goods": levels.get(terms.system_of_record, max(levels.values())),
        "frozen": False,
        "not_guaranteed_because": NOT_GUARANTEED[terms.for_pools().of(sku.sku).policy is Policy.MIRROR],
    }
    rows = [
        _position_row(terms.workspace, lane, key, reading, rank, sku.variants[key.connection], writable, survey)
        for key, reading, rank in counters
    ]
    same = ("workspace", "connection", "item_id", "location_id")
    draws = [{**{name: row[name] for name in same}, "pool_id": pool_id, "weight": 1} for row in rows]
    return PoolIntake(pool, rows, draws, dict(levels))


def _position_row(
    workspace: Workspace,
    lane: LaneKey,
    key: PositionKey,
    reading: LevelReading,
    rank: int,
    variant: Variant,
    writable: Mapping[ConnectionName, bool],
    survey: Survey,
) -> dict[str, Any]:
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


def _take_in(tx: Tx, workspace: Workspace, intakes: Sequence[PoolIntake], baseline_id: str) -> None:
    insert_pools(tx, [intake.pool for intake in intakes])
    insert_positions(tx, [row for intake in intakes for row in intake.positions])
    insert_draws(tx, [row for intake in intakes for row in intake.draws])
    add_movements(
        tx,
        workspace,
        [
            NewMovement(
                pool_id=intake.pool["pool_id"],
                kind="baseline",
                units=intake.pool["goods"],
                cause=f"{baseline_id}/{intake.pool['pool_id']}",
                actor="storebridge",
                note=", ".join(f"{store} showed {level}" for store, level in sorted(intake.levels.items())),
            )
            for intake in intakes
        ],
    )


def _relink(
    tx: Tx,
    terms: WorkspaceTerms,
    sku: LinkedSku,
    connection: ConnectionName,
    survey: Survey,
    placed: Mapping[tuple[ConnectionName, LocationId], Placed],
    writable: Mapping[ConnectionName, bool],
) -> list[LaneKey]:
    """The new item of a SKU that is kept in step already takes the place of the former one."""
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for group, counters in _counters_of(sku, survey, placed).items():
        for key, reading, rank in counters:
            if key.connection == connection:
                variant = sku.variants[connection]
                row = _position_row(terms.workspace, LaneKey(""), key, reading, rank, variant, writable, survey)
                rows[group].append(row)
    listed = {variant.item_id for variant in survey.variants[connection]}
    return relink_item(tx, terms, sku.sku, connection, rows, listed)


def _plan(tx: Tx, terms: WorkspaceTerms, ids: Ids, lanes: Sequence[LaneKey]) -> TurnOutcome:
    return take_turn(tx, terms, ids, frozenset(), PersonChanged(tuple(lanes), "baseline"))


def _report(
    terms: WorkspaceTerms,
    links: Links,
    fresh: Sequence[LinkedSku],
    intakes: Sequence[PoolIntake],
    signed_off: bool,
    remade: Sequence[str],
) -> BaselineReport:
    counts: defaultdict[str, int] = defaultdict(int)
    for unlinked in links.unlinked:
        counts[unlinked.obstacle.value] += len(unlinked.variants)
    return BaselineReport(
        system_of_record=terms.system_of_record,
        linked=len(intakes),
        already_in_step=len(links.linked) - len(fresh),
        units=sum(intake.pool["goods"] for intake in intakes),
        differences=tuple(
            Difference(intake.pool["sku"], intake.pool["location_group"], intake.levels)
            for intake in intakes
            if len(set(intake.levels.values())) > 1
        ),
        unlinked=dict(counts),
        remade=tuple(sorted(set(remade))),
        signed_off=signed_off,
    )


def _save_survey(
    tx: Tx,
    workspace: Workspace,
    survey: Survey,
    placed: Mapping[tuple[ConnectionName, LocationId], Placed],
) -> None:
    for connection, locations in survey.locations.items():
        places = {
            location.location_id: (place.group, place.rank)
            for location in locations
            if (place := placed.get((connection, location.location_id))) is not None
        }
        save_locations(tx, workspace, connection, locations, places)
    for connection, variants in survey.variants.items():
        save_variants(tx, workspace, connection, variants, complete=connection not in survey.incomplete)


def _raise_unlinked(tx: Tx, workspace: Workspace, links: Links, incomplete: Collection[ConnectionName]) -> None:
    gone = skus_with_gone_items(tx, workspace)
    told = [one for one in links.unlinked if not _is_told(one, gone) and not _may_be_listed(one, incomplete)]
    raise_cases(tx, [_case(workspace, one) for one in told])
    settle_by_proof(
        tx,
        workspace,
        [
            (reason, f"{connection}/{sku.sku}", "the SKU is linked now")
            for sku in links.linked
            for connection in sku.variants
            for reason in (Reason.SKU_ONLY_ON_ONE_SIDE, Reason.SKU_DUPLICATE_IN_STORE)
        ],
    )


def _is_told(unlinked: Unlinked, gone: Collection[str]) -> bool:
    """A SKU whose other item is gone is one case, ``item_gone``, and not two."""
    return unlinked.obstacle is Obstacle.ONE_SIDE_ONLY and unlinked.sku in gone


def _may_be_listed(unlinked: Unlinked, incomplete: Collection[ConnectionName]) -> bool:
    """Whether the SKU's twin may be what another store listed and nobody could read."""
    return unlinked.obstacle is Obstacle.ONE_SIDE_ONLY and bool(set(incomplete) - {unlinked.connection})


def _case(workspace: Workspace, unlinked: Unlinked) -> CaseOpening:
    first = unlinked.variants[0]
    return CaseOpening(
        workspace=workspace,
        reason=REASON_OF_OBSTACLE[unlinked.obstacle],
        subject=f"{unlinked.connection}/{unlinked.sku or first.variant_id}",
        connection=unlinked.connection,
        sku=unlinked.sku,
        field="sku",
        details={"variants": [f"{v.product_title} / {v.variant_title}" for v in unlinked.variants][:20]},
    )


def _audit(tx: Tx, workspace: Workspace, report: BaselineReport, actor: str) -> None:
    record = {
        "system_of_record": report.system_of_record,
        "linked": report.linked,
        "units": report.units,
        "differences": len(report.differences),
    }
    append(tx, [AuditRow(workspace=workspace, kind="baseline", subject="baseline", actor=actor, record=record)])


def refuse_unknown_system_of_record(terms: WorkspaceTerms) -> None:
    """Raises RefusedError when the system of record is not one of the connections."""
    if terms.system_of_record not in terms.connections:
        raise RefusedError(
            f"The system of record {terms.system_of_record!r} is not a connection of {terms.workspace!r}; "
            "name one of them as system_of_record in the configuration."
        )
