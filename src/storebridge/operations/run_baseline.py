"""Baseline: agree on a starting point. The system of record's levels are believed; the other stores will be set.

First a dry run, which changes nothing: what is linked, what is not and why, and which levels would change. Signed off,
it books the goods, takes every level as granted, and plans. Later runs only add what is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import chain, count
from typing import Any

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.connectors.port import Connector
from storebridge.errors import RefusedError
from storebridge.mappings.bundles import BundleTrouble, in_words, recipes_of
from storebridge.mappings.groups import place_locations
from storebridge.mappings.link import LinkedSku, Links, link_by_sku
from storebridge.mappings.renamed import Names
from storebridge.model.ids import ConnectionName, LaneKey, PoolId, Workspace
from storebridge.model.settings import LaneTerms, WorkspaceTerms, names_of
from storebridge.model.stock import LevelReading, Policy, PositionKey
from storebridge.operations.begin_anew import begins_anew, close_former_books
from storebridge.operations.follow_skus import Followed, follow_skus
from storebridge.operations.keep_bundles import (
    BundlePlan,
    KeepBundles,
    Kept,
    packed_units,
    plan_bundles,
    tell_troubles,
)
from storebridge.operations.relink_items import relink_item
from storebridge.operations.survey_stores import Places, Survey, counters_of, position_row, survey_stores
from storebridge.operations.tell_unlinked import tell_unlinked
from storebridge.pipeline.flow import PersonChanged, TurnOutcome, take_turn
from storebridge.reconcile.campaigns import read_lanes_again
from storebridge.store.baselines import NewBaseline, add_baseline
from storebridge.store.brakes import count_from
from storebridge.store.catalogue import save_locations, save_variants
from storebridge.store.database import Store, Tx
from storebridge.store.lanes import all_lanes_of_items, insert_draws, insert_pools, insert_positions, linked_items
from storebridge.store.memberships import moved_items
from storebridge.store.policies import lane_terms
from storebridge.store.renames import bundle_names, names_in_step, pool_ids
from storebridge.store.reservations import lanes_of_pools
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.views import last_baseline

OURSELVES = "storebridge"
SETTLING = timedelta(hours=1)
"""What is written in the hour after a baseline was signed off was agreed to with it."""
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
    bundles: dict[str, str] = {}
    """What each bundle is made of, by SKU."""
    bundles_not_kept: dict[str, str] = {}
    """Why not, by SKU; those that wait for a write to be settled among them."""
    waiting: tuple[str, ...] = ()
    """SKUs that are not taken in before a store that makes bundles up itself could be read whole: theirs may be one."""


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
    names, bundles = await store.read(kept_names, terms.workspace)
    survey = await survey_stores(connectors, terms.bundles, names, bundles)
    placed = place_locations(terms.groups, survey.locations)
    writable = {name: connector.capabilities.write_style != "none" for name, connector in connectors.items()}
    return await store.run(commit_baseline, terms, ids, survey, placed, writable, sign_off=sign_off, actor=actor)


def kept_names(tx: Tx, workspace: Workspace) -> tuple[Names, Names]:
    """Under which SKUs items are kept in step, and those of bundles; none when the books are begun anew."""
    if begins_anew(tx, workspace):
        return {}, {}
    return names_in_step(tx, workspace), bundle_names(tx, workspace)


def commit_baseline(
    tx: Tx,
    terms: WorkspaceTerms,
    ids: Ids,
    survey: Survey,
    placed: Places,
    writable: Mapping[ConnectionName, bool],
    *,
    sign_off: bool,
    actor: str,
) -> tuple[BaselineReport, frozenset[ConnectionName]]:
    """Store the survey, raise cases, and with ``sign_off`` book the goods of what is new and plan it."""
    moved = _save_survey(tx, terms, survey, placed)
    anew = begins_anew(tx, terms.workspace)
    followed = Followed(survey.variants, []) if anew else _follow(tx, terms, survey, sign_off)
    links = link_by_sku(followed.catalogues, terms.bundles, kept_names(tx, terms.workspace)[1].values())
    tell_unlinked(tx, terms.workspace, links, survey.incomplete, terms.connections)
    known = set() if anew else linked_items(tx, terms.workspace)
    pools = {} if anew else pool_ids(tx, terms.workspace)
    in_step = {sku for sku, _ in pools}
    fresh = [
        sku
        for sku in links.linked
        if sku.sku not in in_step and not any((c, v.item_id) in known for c, v in sku.variants.items())
    ]
    waiting = [one for one in fresh if survey.hides_bundles - one.variants.keys()]
    fresh = [one for one in fresh if one not in waiting]
    taken = set(pools.values())
    intakes = [intake for sku in fresh for intake in _intakes_of(sku, terms, survey, placed, writable, taken)]
    bundles, troubles = _bundles_of(terms, links, survey, placed, writable, intakes, pools, waiting)
    tell_troubles(tx, terms.workspace, troubles)
    if anew:
        _believe_what_is_shown(_told_terms(terms, links.linked), intakes, bundles)
    remade = [
        (sku, c)
        for sku in links.linked
        if sku.sku in in_step
        for c, v in sku.variants.items()
        if (c, v.item_id) not in known and c not in survey.incomplete
    ]
    already = len(links.linked) - len(fresh) - len(waiting)
    report = _report(terms, links, already, intakes, sign_off, [sku.sku for sku, _ in remade])
    report = with_bundles(report, bundles, troubles)
    report = msgspec.structs.replace(report, waiting=tuple(one.sku for one in waiting))
    if not sign_off:
        return report, moved
    if anew:
        close_former_books(tx, terms, actor)
    relinked = [lane for sku, c in remade for lane in _relink(tx, terms, sku, c, survey, placed, writable)]
    baseline_id = ids.new("baseline")
    if intakes and (actor != OURSELVES or last_baseline(tx, terms.workspace) is None):
        count_from(tx, terms.workspace, tx.now + SETTLING)
    _take_in(tx, terms.workspace, intakes, baseline_id)
    listed = {c: {v.item_id for v in found} for c, found in survey.variants.items() if c not in survey.incomplete}
    recipes = links.recipes | links.unexplained
    called = {(c, v.item_id) for c, found in followed.catalogues.items() for v in found if v.sku in recipes}
    kept = KeepBundles(tx, terms, listed).run(bundles, recipes, called)
    report = with_waiting(report, kept)
    made = NewBaseline(baseline_id, terms.workspace, tx.now, msgspec.to_builtins(report), "signed_off", actor)
    add_baseline(tx, made)
    _audit(tx, terms.workspace, report, actor)
    to_plan = [PoolId(pool_id) for pool_id in (*(intake.pool["pool_id"] for intake in intakes), *kept.pools)]
    outcome = _plan(tx, terms, ids, [*lanes_of_pools(tx, terms.workspace, to_plan), *relinked, *followed.lanes])
    return msgspec.structs.replace(report, baseline_id=baseline_id), outcome.wake | moved


def _follow(tx: Tx, terms: WorkspaceTerms, survey: Survey, sign_off: bool) -> Followed:
    recipes, differing = recipes_of(terms.bundles, survey.variants)
    return follow_skus(tx, terms, survey.variants, recipes | {one.sku: {} for one in differing}, sign_off=sign_off)


def _told_terms(terms: WorkspaceTerms, linked: Sequence[LinkedSku]) -> LaneTerms:
    """What holds for SKUs by the configuration and the collections that their stores tell."""
    found = terms.for_pools()
    members = {
        one.sku: frozenset(name for c, v in one.variants.items() for name in names_of(c, v.collections or ()))
        for one in linked
    }
    return msgspec.structs.replace(found, members=members) if found.collections_named else found


def _believe_what_is_shown(terms: LaneTerms, intakes: Sequence[PoolIntake], bundles: Sequence[BundlePlan]) -> None:
    """After a disaster stores show shares, not opening levels: under escrow what is left is all that they show
    together, also as bundles, and where stores show nearly the same, the most that one of them shows."""
    packed = packed_units(bundles)
    for intake in intakes:
        policy, shown = terms.of(intake.pool["sku"]).policy, [max(0, n) for n in intake.levels.values()]
        if policy is Policy.ESCROW or (policy is not Policy.MIRROR and intake.pool["pool_id"] in packed):
            intake.pool["goods"] = sum(shown) + packed.get(intake.pool["pool_id"], 0)
        elif policy is not Policy.MIRROR:
            intake.pool["goods"] = max(shown)


def _bundles_of(
    terms: WorkspaceTerms,
    links: Links,
    survey: Survey,
    placed: Places,
    writable: Mapping[ConnectionName, bool],
    intakes: Sequence[PoolIntake],
    pools: Mapping[tuple[str, str], PoolId],
    waiting: Sequence[LinkedSku],
) -> tuple[list[BundlePlan], list[BundleTrouble]]:
    """Every bundle with its counters, and why others cannot be kept in step; ``pools`` that there are already."""
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for bundle in links.bundles:
        rows[bundle.sku] = {
            group: [
                position_row(
                    terms.workspace, LaneKey(""), key, reading, rank, bundle.variants[key.connection], writable, survey
                )
                for key, reading, rank in counters
            ]
            for group, counters in counters_of(bundle.variants, survey, placed).items()
        }
    fresh = {(intake.pool["sku"], intake.pool["location_group"]): intake.pool["pool_id"] for intake in intakes}
    plans, troubles = plan_bundles(links.bundles, rows, {**fresh, **pools}, {one.sku for one in waiting})
    return plans, [*links.troubles, *troubles]


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
    placed: Places,
    writable: Mapping[ConnectionName, bool],
    taken: set[PoolId],
) -> list[PoolIntake]:
    return [
        _intake(sku, terms, group, counters, writable, survey, taken)
        for group, counters in sorted(counters_of(sku.variants, survey, placed).items())
        if sku.is_component or len({key.connection for key, _, _ in counters}) > 1
    ]


def _intake(
    sku: LinkedSku,
    terms: WorkspaceTerms,
    group: str,
    counters: Sequence[tuple[PositionKey, LevelReading, int]],
    writable: Mapping[ConnectionName, bool],
    survey: Survey,
    taken: set[PoolId],
) -> PoolIntake:
    levels: defaultdict[ConnectionName, int] = defaultdict(int)
    for key, reading, _ in counters:
        levels[key.connection] += reading.available or 0
    pool_id = _free_pool_id(sku.sku, group, taken)
    lane = LaneKey(pool_id)
    pool = {
        "workspace": terms.workspace,
        "pool_id": pool_id,
        "lane": lane,
        "sku": sku.sku,
        "location_group": group,
        "goods": levels.get(terms.system_of_record, max(levels.values())),
        "frozen": False,
        "not_guaranteed_because": NOT_GUARANTEED[_told_terms(terms, [sku]).of(sku.sku).policy is Policy.MIRROR],
    }
    rows = [
        position_row(terms.workspace, lane, key, reading, rank, sku.variants[key.connection], writable, survey)
        for key, reading, rank in counters
    ]
    same = ("workspace", "connection", "item_id", "location_id")
    draws = [{**{name: row[name] for name in same}, "pool_id": pool_id, "weight": 1} for row in rows]
    return PoolIntake(pool, rows, draws, dict(levels))


def _free_pool_id(sku: str, group: str, taken: set[PoolId]) -> PoolId:
    """A name for a new pool, which is taken from then on. A pool keeps its name when its SKU changes, so the plain name
    may belong to other goods."""
    names = chain([f"{sku}@{group}"], (f"{sku}~{n}@{group}" for n in count(2)))
    pool_id = PoolId(next(name for name in names if name not in taken))
    taken.add(pool_id)
    return pool_id


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
    placed: Places,
    writable: Mapping[ConnectionName, bool],
) -> list[LaneKey]:
    """The new item of a SKU that is kept in step already takes the place of the former one."""
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for group, counters in counters_of(sku.variants, survey, placed).items():
        for key, reading, rank in counters:
            if key.connection == connection:
                variant = sku.variants[connection]
                row = position_row(terms.workspace, LaneKey(""), key, reading, rank, variant, writable, survey)
                rows[group].append(row)
    listed = {variant.item_id for variant in survey.variants[connection]}
    return relink_item(tx, terms, sku.sku, connection, rows, listed)


def _plan(tx: Tx, terms: WorkspaceTerms, ids: Ids, lanes: Sequence[LaneKey]) -> TurnOutcome:
    return take_turn(tx, terms, ids, frozenset(), PersonChanged(tuple(lanes), "baseline"))


def _report(
    terms: WorkspaceTerms,
    links: Links,
    already: int,
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
        already_in_step=already,
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


def with_bundles(
    report: BaselineReport, bundles: Sequence[BundlePlan], troubles: Sequence[BundleTrouble]
) -> BaselineReport:
    """The report, with what is said of bundles."""
    return msgspec.structs.replace(
        report,
        bundles={one.sku: in_words(one.components) for one in bundles},
        bundles_not_kept={one.sku: one.why for one in troubles},
    )


def with_waiting(report: BaselineReport, kept: Kept) -> BaselineReport:
    """The same, with bundles that could not be taken in or let go now."""
    waits = dict.fromkeys(kept.waiting, "a write of its components is on its way; it is tried again in a minute")
    waits |= dict.fromkeys(kept.leaving, "it is a bundle no more, and is set to zero before it is left alone")
    return msgspec.structs.replace(report, bundles_not_kept={**report.bundles_not_kept, **waits})


def _save_survey(tx: Tx, terms: WorkspaceTerms, survey: Survey, placed: Places) -> frozenset[ConnectionName]:
    """Returns the stores that are to be read: goods that moved between collections on which a setting depends are
    planned anew."""
    workspace, moved, named = terms.workspace, set[LaneKey](), lane_terms(tx, terms).collections_named
    for connection, locations in survey.locations.items():
        places = {
            location.location_id: (place.group, place.rank)
            for location in locations
            if (place := placed.get((connection, location.location_id))) is not None
        }
        save_locations(tx, workspace, connection, locations, places)
    for connection, variants in survey.variants.items():
        complete = connection not in survey.incomplete
        if named:
            items = moved_items(tx, workspace, connection, variants, named, complete=complete)
            moved |= all_lanes_of_items(tx, workspace, connection, items)
        save_variants(tx, workspace, connection, variants, complete=complete)
    return read_lanes_again(tx, workspace, moved)


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
