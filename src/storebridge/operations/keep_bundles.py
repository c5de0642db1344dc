"""Bundles join the books, change and leave them: part of a baseline, in its transaction.

A bundle's counter becomes a position that draws on the pools of its components; what it shows is a right, not goods.
The pools that it joins are planned together from then on. Nothing is done to lanes with a write on its way: the bundle
waits for the next listing, which is asked for. One that nobody calls a bundle any more is set to zero first and let go
when its store shows that: until then its sales take components. (docs/decisions/bundles.md)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.mappings.bundles import BundleTrouble, LinkedBundle, in_words
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, LocationId, PoolId, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import Position
from storebridge.store.bundles import (
    BundleCounter,
    adopt_signals,
    bundle_counters,
    forget_pool,
    join_lanes,
    mark_leaving,
)
from storebridge.store.cases import open_subjects_of_reason
from storebridge.store.database import Tx
from storebridge.store.journal import supersede_intents
from storebridge.store.labels import keep_out_of_new_counters, residuals_of_pools
from storebridge.store.lanes import (
    StoredLane,
    add_goods,
    insert_draws,
    insert_positions,
    load_lanes,
    pool_of_sku,
    remove_positions,
)
from storebridge.store.policies import lane_terms
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

Item = tuple[ConnectionName, ItemId]
Rows = Mapping[str, Sequence[dict[str, Any]]]
"""Columns of new positions by location group."""
AGAIN = timedelta(seconds=60)
MUCH_LATER = timedelta(hours=1)
"""Nothing is lost while a counter that cannot be set to zero goes on taking components."""


class BundlePlan(msgspec.Struct, frozen=True):
    """One bundle in one group: the counters that it has there, and what they draw on."""

    sku: str
    group: str
    rows: tuple[dict[str, Any], ...]
    components: dict[str, int]
    weights: dict[PoolId, int]
    """Units of each pool that one sale takes."""


class Kept(msgspec.Struct):
    """What was done."""

    pools: list[PoolId]
    """Pools to be planned again."""
    waiting: list[str]
    """Bundles whose components have a write on its way."""
    leaving: list[str]
    """Bundles no more, which are set to zero before they are let go."""


def plan_bundles(
    bundles: Sequence[LinkedBundle],
    rows_of: Mapping[str, Rows],
    pools: Mapping[tuple[str, str], PoolId],
    waiting: Collection[str] = (),
) -> tuple[list[BundlePlan], list[BundleTrouble]]:
    """Bundles by group, where every component has a pool; pure. ``rows_of``: new counters of each bundle's SKU;
    ``pools`` by SKU and group; ``waiting``: SKUs that are not taken in before a listing is whole."""
    plans: list[BundlePlan] = []
    troubles: list[BundleTrouble] = []
    for bundle in bundles:
        for group, rows in sorted(rows_of[bundle.sku].items()):
            lacking = [sku for sku in sorted(bundle.components) if (sku, group) not in pools]
            missing, unread = ", ".join(lacking), ", ".join(sku for sku in lacking if sku in waiting)
            if unread:
                why = f"its component {unread} is taken in once every store could be listed whole"
                troubles.append(BundleTrouble(bundle.sku, why))
            elif missing:
                troubles.append(BundleTrouble(bundle.sku, f"no store stocks its component {missing} in group {group}"))
            else:
                weights = {pools[sku, group]: units for sku, units in bundle.components.items()}
                plans.append(BundlePlan(bundle.sku, group, tuple(rows), bundle.components, weights))
    return plans, troubles


def packed_units(plans: Sequence[BundlePlan]) -> dict[PoolId, int]:
    """Units of each pool that counters of bundles show."""
    found: dict[PoolId, int] = {}
    for plan in plans:
        shown = sum(max(0, row["level"]) for row in plan.rows)
        for pool_id, weight in plan.weights.items():
            found[pool_id] = found.get(pool_id, 0) + shown * weight
    return found


def tell_troubles(tx: Tx, workspace: Workspace, troubles: Sequence[BundleTrouble]) -> None:
    """A case for each bundle that is not kept in step; closed when it is, or when nobody calls it a bundle any more."""
    told = {one.sku: one for one in troubles}
    raise_cases(
        tx,
        [
            CaseOpening(
                workspace=workspace,
                reason=Reason.BUNDLE_NOT_KEPT,
                subject=sku,
                sku=sku,
                field="components",
                details={"because": one.why},
            )
            for sku, one in sorted(told.items())
        ],
    )
    over = sorted(open_subjects_of_reason(tx, workspace, Reason.BUNDLE_NOT_KEPT.value) - told.keys())
    proof = "a listing shows nothing in its way any more"
    settle_by_proof(tx, workspace, [(Reason.BUNDLE_NOT_KEPT, sku, proof) for sku in over])


class KeepBundles:
    """Brings the stored bundles to what configuration and stores say."""

    def __init__(self, tx: Tx, terms: WorkspaceTerms, listed: Mapping[ConnectionName, set[ItemId]]) -> None:
        self._tx = tx
        self._terms = terms
        self._workspace = terms.workspace
        self._listed = listed
        """Items of stores whose listing was complete."""
        self._kept = Kept([], [], [])

    def run(self, plans: Sequence[BundlePlan], recipes: Collection[str], called: Collection[Item]) -> Kept:
        """``recipes``: every SKU that is called a bundle, also those in trouble or of unknown components: what is kept
        already stays, because its store goes on showing it. ``called``: the items listed under these SKUs."""
        stored = bundle_counters(self._tx, self._workspace)
        wanted = {_name(row): plan for plan in plans for row in plan.rows}
        going = [one for one in stored if self._goes(one, wanted)]
        given_up = [one for one in stored if one not in going and self._is_given_up(one, recipes)]
        drained = self._drained(given_up)
        self._drain([one for one in given_up if one not in drained])
        self._call_back([one for one in stored if one.leaving and one.sku in recipes])
        staying = {_key(one) for one in stored if one not in going and one not in drained}
        busy = self._let_go([*going, *drained])
        joined: set[Item] = set()
        for plan in plans:
            rows = [row for row in plan.rows if _name(row) not in staying]
            items = {(row["connection"], row["item_id"]) for row in rows}
            if rows and plan.sku not in self._kept.waiting and not items & busy and self._join(plan, rows):
                joined |= items
        self._forget_sales(joined - {(connection, item) for connection, item, _ in staying})
        self._settle_given_up(called)
        if stored or plans:
            adopt_signals(self._tx, self._workspace)
        if self._kept.waiting or drained:  # what was let go is linked like any SKU by the next listing
            self._ask_listing(AGAIN)
        return self._kept

    def _ask_listing(self, after: timedelta) -> None:
        ask = Ask("catalogue", "all", int(Urgency.PRODUCTS), self._tx.now + after)
        ask_looks(self._tx, self._workspace, self._terms.system_of_record, [ask])

    def _goes(self, one: BundleCounter, wanted: Mapping[tuple[ConnectionName, ItemId, LocationId], BundlePlan]) -> bool:
        """It draws on other pools from now on, or its item is no more: nothing can be sold from it meanwhile."""
        plan = wanted.get(_key(one))
        if plan is not None:
            return plan.weights != one.weights or plan.sku != one.sku
        listed = self._listed.get(one.key.connection)
        return one.gone and listed is not None and one.key.item_id not in listed

    def _is_given_up(self, one: BundleCounter, recipes: Collection[str]) -> bool:
        """Nobody calls it a bundle. Any store may be the one that tells a recipe: all must have been listed whole."""
        return one.sku not in recipes and self._listed.keys() >= set(self._terms.connections)

    def _drained(self, given_up: Sequence[BundleCounter]) -> list[BundleCounter]:
        """Those that show nothing of their components any more, by a read after the last write. All of an item's or
        none: its orders explain the falls of every counter that it has."""
        loaded = self._load({one.lane for one in given_up})
        found: list[BundleCounter] = []
        for one in given_up:
            stored = loaded[one.lane].positions[one.key]
            shows = stored.position.level - stored.position.held
            if one.gone or (one.leaving and shows <= 0 and stored.confirmed):
                found.append(one)
        partly = {_item(one) for one in given_up if one not in found}
        return [one for one in found if _item(one) not in partly]

    def _drain(self, given_up: Sequence[BundleCounter]) -> None:
        """Their rights are withdrawn like any right; what they sell meanwhile takes components. A person is told."""
        fresh = [one for one in given_up if not one.leaving]
        loaded = self._load({one.lane for one in fresh})
        mark_leaving(self._tx, self._workspace, [one.key for one in fresh], leaving=True)
        raise_cases(self._tx, self._given_up([(one, loaded[one.lane].positions[one.key].position) for one in fresh]))
        for one in given_up:
            self._kept.pools.extend(one.weights)
        self._kept.leaving.extend(sorted({one.sku for one in given_up}))
        if given_up:
            self._ask_listing(AGAIN if fresh else MUCH_LATER)

    def _given_up(self, counters: Sequence[tuple[BundleCounter, Position]]) -> list[CaseOpening]:
        """One case for each item, whatever its locations."""
        shown: dict[Item, int] = {}
        for one, position in counters:
            shown[_item(one)] = shown.get(_item(one), 0) + position.level
        return [
            CaseOpening(
                workspace=self._workspace,
                reason=Reason.BUNDLE_GIVEN_UP,
                subject=_about(_item(one)),
                connection=one.key.connection,
                sku=one.sku,
                field="available",
                details={
                    "it showed": shown[_item(one)],
                    "not lowered because": "" if position.writable else "nothing can be written to this store",
                },
            )
            for one, position in {_item(one): (one, position) for one, position in counters}.values()
        ]

    def _call_back(self, named: Sequence[BundleCounter]) -> None:
        mark_leaving(self._tx, self._workspace, [one.key for one in named], leaving=False)
        for one in named:
            self._kept.pools.extend(one.weights)

    def _settle_given_up(self, called: Collection[Item]) -> None:
        """Cases of what is called a bundle again, whether its counter was still there, joined or is not kept: that is
        told by a case of its own. Not of what goes on leaving."""
        told = open_subjects_of_reason(self._tx, self._workspace, Reason.BUNDLE_GIVEN_UP.value)
        if not told:
            return
        kept = bundle_counters(self._tx, self._workspace)
        again = {_about(item) for item in called} | {_about(_item(one)) for one in kept}
        over = sorted((told & again) - {_about(_item(one)) for one in kept if one.leaving})
        proofs = [(Reason.BUNDLE_GIVEN_UP, subject, "it is called a bundle again") for subject in over]
        settle_by_proof(self._tx, self._workspace, proofs)

    def _let_go(self, leaving: Sequence[BundleCounter]) -> set[Item]:
        """What was sold stays sold; the rights of the counter go back to the pools. Returns items that must wait."""
        loaded = self._load({one.lane for one in leaving})
        busy = {one.sku for one in leaving if loaded[one.lane].on_the_wire}
        self._kept.waiting.extend(sorted(busy))
        free = [one for one in leaving if one.sku not in busy]
        before = self._unexplained(free)
        for one in free:
            lane = loaded[one.lane]
            position = lane.positions[one.key].position
            moved = position.level - position.held - position.granted
            for pool_id, weight in one.weights.items():
                add_goods(self._tx, self._workspace, pool_id, moved * weight)
                self._tell(pool_id, one.key.connection, "unbundled", f"{one.sku} last showed {position.level} there")
            supersede_intents(self._tx, [i.intent_id for i in lane.intents.values() if i.position == one.key])
            remove_positions(self._tx, self._workspace, [one.key])
            proof = "it is no bundle any more"
            settle_by_proof(self._tx, self._workspace, [(Reason.CHANGE_HELD, _subject(one), proof)])
            self._kept.pools.extend(one.weights)
        self._forget_edits(before, self._unexplained(free))
        return {_item(one) for one in leaving if one.sku in busy}

    def _unexplained(self, counters: Sequence[BundleCounter]) -> dict[tuple[ConnectionName, PoolId], int]:
        """Units of the components that neither orders nor our writes account for, booked or not."""
        drawn_on = {(one.key.connection, pool_id) for one in counters for pool_id in one.weights}
        return {
            (connection, residual.pool_id): residual.unexplained
            for connection in sorted({name for name, _ in drawn_on})
            for residual in residuals_of_pools(
                self._tx, self._workspace, connection, sorted(pool for name, pool in drawn_on if name == connection)
            )
        }

    def _forget_edits(
        self, before: Mapping[tuple[ConnectionName, PoolId], int], after: Mapping[tuple[ConnectionName, PoolId], int]
    ) -> None:
        """What was booked as edits by staff for a counter that is gone is none of the others': unsaid, it would be
        booked the other way round."""
        for (connection, pool_id), units in sorted(before.items()):
            gone = after.get((connection, pool_id), 0) - units
            if gone:
                note = "what staff edited there goes with it"
                self._tell(pool_id, connection, "unbundled", note, units=gone)

    def _join(self, plan: BundlePlan, rows: Sequence[dict[str, Any]]) -> bool:
        """Whether it could be done now."""
        lanes = {lane for sku in plan.components for lane in self._lanes_of(sku, plan.group)}
        former = {pool_id: lane for pool_id, lane, _ in pool_of_sku(self._tx, self._workspace, plan.sku, plan.group)}
        loaded = self._load(lanes | {*former.values()})
        if any(lane.on_the_wire for lane in loaded.values()):
            self._kept.waiting.append(plan.sku)
            return False
        for pool_id, lane_of_it in sorted(former.items()):
            self._drop_ordinary(plan, pool_id, loaded[lane_of_it])
        lane = join_lanes(self._tx, self._workspace, lanes)
        insert_positions(self._tx, [{**row, "lane": lane, "bundle": plan.sku} for row in rows])
        same = ("workspace", "connection", "item_id", "location_id")
        named = [{name: row[name] for name in same} for row in rows]
        draws = [{**one, "pool_id": p, "weight": w} for one in named for p, w in plan.weights.items()]
        insert_draws(self._tx, draws)
        self._record(plan, rows)
        self._ask_levels([*(key for one in loaded.values() for key in one.positions)], rows)
        self._kept.pools.extend(plan.weights)
        return True

    def _forget_sales(self, anew: Collection[Item]) -> None:
        """What items sold before belongs to counters that are no more, or to nobody: of ``anew`` no counter stayed.
        Where one stayed, these orders go on explaining its falls."""
        for connection in sorted({connection for connection, _ in anew}):
            items = {item for store, item in anew if store == connection}
            keep_out_of_new_counters(self._tx, self._workspace, connection, items)

    def _lanes_of(self, sku: str, group: str) -> set[LaneKey]:
        return {lane for _, lane, _ in pool_of_sku(self._tx, self._workspace, sku, group)}

    def _drop_ordinary(self, plan: BundlePlan, pool_id: PoolId, lane: StoredLane) -> None:
        """The SKU was kept in step before it was called a bundle. Its goods were units that lay packed; from now on
        they are counted as components."""
        counters = {draw.position for draw in lane.draws if draw.pool_id == pool_id}
        supersede_intents(self._tx, [i.intent_id for i in lane.intents.values() if i.position in counters])
        forget_pool(self._tx, self._workspace, pool_id, counters)
        self._audit("bundle_dropped_goods", plan.sku, {"goods of its own": lane.pools[pool_id].goods})

    def _load(self, lanes: Collection[LaneKey]) -> dict[LaneKey, StoredLane]:
        return load_lanes(self._tx, self._workspace, lanes, lane_terms(self._tx, self._terms))

    def _ask_levels(self, known: Sequence[Any], rows: Sequence[dict[str, Any]]) -> None:
        """A reading that came back for a former lane was not folded: everything is read once more."""
        items = {(key.connection, key.item_id) for key in known} | {(row["connection"], row["item_id"]) for row in rows}
        for connection in sorted({name for name, _ in items}):
            asks = [
                Ask("levels", item, int(Urgency.STOCK_READ), self._tx.now)
                for name, item in sorted(items)
                if name == connection
            ]
            ask_looks(self._tx, self._workspace, connection, asks)

    def _record(self, plan: BundlePlan, rows: Sequence[dict[str, Any]]) -> None:
        for connection in sorted({row["connection"] for row in rows}):
            shown = sum(row["level"] for row in rows if row["connection"] == connection)
            for pool_id, weight in plan.weights.items():
                self._tell(pool_id, connection, "bundled", f"{plan.sku} takes {weight} of it and shows {shown} there")
        stores = sorted({row["connection"] for row in rows})
        self._audit(
            "bundle_joined", plan.sku, {"made of": in_words(plan.components), "stores": stores, "group": plan.group}
        )

    def _tell(self, pool_id: PoolId, connection: ConnectionName, kind: str, note: str, *, units: int = 0) -> None:
        one = NewMovement(pool_id, kind, units, connection=connection, actor="storebridge", note=note)
        add_movements(self._tx, self._workspace, [one])

    def _audit(self, kind: str, sku: str, record: dict[str, Any]) -> None:
        append(
            self._tx,
            [AuditRow(workspace=self._workspace, kind=kind, subject=sku, actor="storebridge", record=record)],
        )


def _item(one: BundleCounter) -> Item:
    return one.key.connection, one.key.item_id


def _about(item: Item) -> str:
    """The subject of a case about an item, whatever its locations."""
    connection, item_id = item
    return f"{connection}/{item_id}"


def _subject(one: BundleCounter) -> str:
    return f"{one.key.connection}/{one.key.item_id}@{one.key.location_id}"


def _key(one: BundleCounter) -> tuple[ConnectionName, ItemId, LocationId]:
    return one.key.connection, one.key.item_id, one.key.location_id


def _name(row: Mapping[str, Any]) -> tuple[ConnectionName, ItemId, LocationId]:
    return row["connection"], row["item_id"], row["location_id"]
