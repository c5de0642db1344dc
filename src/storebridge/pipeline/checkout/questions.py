"""A checkout's question. Every step is one transaction, and none waits: the caller asks again until time is up.

Asking holds the basket: the turn of its lanes plans lowers of the stores whose checkouts do not ask, and their couriers
send those before anything else. Asking again changes nothing; it finds the lowers confirmed, or goods gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from storebridge.clock import Ids
from storebridge.inventory.pools import pessimistic_reserve
from storebridge.inventory.reservations import expire, hold, hold_no_more, shortages, take_back
from storebridge.model.checkouts import Question, Reservation, Shortage, Verdict
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, PoolId, Workspace
from storebridge.model.settings import LaneTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.pipeline.flow import CheckoutAsked, take_turn
from storebridge.pipeline.normalize.holds import Change, put, record_reservations
from storebridge.store.database import Tx
from storebridge.store.guards import note_asked
from storebridge.store.lanes import StoredLane, lanes_of_items, load_lanes
from storebridge.store.memberships import with_members
from storebridge.store.policies import lane_terms
from storebridge.store.reservations import (
    Takes,
    expired_flows,
    items_holding,
    lanes_of_pools,
    reservations_of_flow,
    what_items_take,
)
from storebridge.store.tallies import add_tally
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

ALLOWED = Verdict()
EXPIRED_AT_ONCE = 200


class Outcome(StrEnum):
    """What became of a question; a tally each."""

    ALLOWED = "checkouts_allowed"
    REFUSED = "checkouts_refused"
    LATE = "checkouts_unanswered"


class Step(msgspec.Struct, frozen=True):
    """Where a question stands: answered, or waiting (None) for a lower to be confirmed."""

    verdict: Verdict | None
    wake: frozenset[ConnectionName] = frozenset()


class Counter:
    """The questions of one store's checkout."""

    def __init__(
        self, terms: WorkspaceTerms, connection: ConnectionName, ids: Ids, adjusting: frozenset[ConnectionName]
    ) -> None:
        self._terms = terms
        self._workspace: Workspace = terms.workspace
        self._connection = connection
        self._ids = ids
        self._adjusting = adjusting

    def ask(self, tx: Tx, question: Question) -> Step:
        """Hold what the basket wants, and say whether it may go on."""
        note_asked(tx, self._workspace, self._connection)
        own = reservations_of_flow(tx, self._workspace, question.flow)
        if any(one.order_id is not None for one in own):
            return self._allow(tx)  # its order is placed: a late question changes nothing
        takes = what_items_take(tx, self._workspace, self._connection, wanted_of(question))
        lanes = self._guarded_lanes(tx, question, own)
        basket = _basket(question, takes)
        short = self._short(lanes, question.flow, basket)
        if short and _may_be_sold_already(lanes, short):
            return Step(None)
        wake = self._hold(tx, lanes, question.flow, basket, tx_refuses=bool(short))
        if short:
            return Step(self._refuse(tx, question, takes, short, Outcome.REFUSED), wake)
        if self._is_covered(tx, question.flow, lanes):
            return Step(self._allow(tx).verdict, wake)
        return Step(None, wake)

    def give_up(self, tx: Tx, question: Question) -> Step:
        """Time is up: what is not covered is not allowed. It stays held for the next question of this purchase."""
        step = self.ask(tx, question)
        if step.verdict is not None:
            return step
        own = reservations_of_flow(tx, self._workspace, question.flow)
        takes = what_items_take(tx, self._workspace, self._connection, wanted_of(question))
        waiting = {one.pool_id: None for one in own if not one.is_answered}
        unknown: dict[PoolId, int | None] = dict(waiting) or {one.pool_id: None for one in takes}
        return Step(self._refuse(tx, question, takes, unknown, Outcome.LATE), step.wake)

    def expire(self, tx: Tx) -> frozenset[ConnectionName]:
        """End what asked no more for too long; the next reading of its counters frees it."""
        flows = expired_flows(tx, self._workspace, EXPIRED_AT_ONCE)
        for flow in flows:
            own = [one for one in reservations_of_flow(tx, self._workspace, flow) if not one.is_over]
            keys = lanes_of_pools(tx, self._workspace, [one.pool_id for one in own])
            for lane in load_lanes(tx, self._workspace, keys, lane_terms(tx, self._terms)).values():
                mine = [one for one in lane.reservations.values() if one.flow == flow and one.wanted > 0]
                record_reservations(tx, self._workspace, [Change(one, expire(take_back(one))) for one in mine])
        wake: set[ConnectionName] = set()
        for connection, items in items_holding(tx, self._workspace, flows).items():
            asks = [Ask("levels", item, int(Urgency.STOCK_READ), tx.now) for item in sorted(items)]
            ask_looks(tx, self._workspace, connection, asks)
            wake.add(connection)
        return frozenset(wake)

    def _guarded_lanes(self, tx: Tx, question: Question, own: Sequence[Reservation]) -> dict[LaneKey, StoredLane]:
        """The lanes of the basket and of what the purchase holds, as far as a basket must be covered there. Where
        shares are in force what the store shows is its right to sell; until then two stores show the same units. When
        the guard is relied on again holds come first and the plans follow: else what is sold by shares until the
        counters are read would be nobody's (core, guarded, storm, seed 1254)."""
        keys = set(lanes_of_items(tx, self._workspace, self._connection, sorted(wanted_of(question))).values())
        keys |= set(lanes_of_pools(tx, self._workspace, [one.pool_id for one in own if not one.is_over]))
        lanes = load_lanes(tx, self._workspace, keys, lane_terms(tx, self._terms))
        configured = with_members(tx, self._workspace, self._terms.for_pools(), sorted(keys))
        return {
            key: lane
            for key, lane in lanes.items()
            if lane.policy is Policy.GUARDED or self._shows_too_much(lane, configured)
        }

    def _shows_too_much(self, lane: StoredLane, configured: LaneTerms) -> bool:
        """Guarded goods that are divided for the time being, and whose lowers are not confirmed yet (a demo that fell
        back to shares and came back sold six units twice)."""
        state = lane.state({})
        return lane.policy is Policy.ESCROW and any(
            configured.of(pool.sku).policy is Policy.GUARDED and pessimistic_reserve(state, pool) < 0
            for pool in state.pools
        )

    def _short(self, lanes: Mapping[LaneKey, StoredLane], flow: str, basket: Mapping[PoolId, int]) -> dict[PoolId, int]:
        short: dict[PoolId, int] = {}
        for lane in lanes.values():
            short |= shortages(lane.state({}), lane.reservations, flow, basket, self._terms.guard)
        return short

    def _hold(
        self,
        tx: Tx,
        lanes: Mapping[LaneKey, StoredLane],
        flow: str,
        basket: Mapping[PoolId, int],
        *,
        tx_refuses: bool,
    ) -> frozenset[ConnectionName]:
        """Store what the purchase holds from now on; returns whom the turn of the lanes that changed wakes."""
        moved: list[LaneKey] = []
        for key, lane in lanes.items():
            changed = (
                hold_no_more(lane.reservations, flow, basket, tx.now)
                if tx_refuses
                else hold(lane.state({}), lane.reservations, self._connection, flow, basket, self._terms.guard, tx.now)
            )
            changes = [Change(lane.reservations.get((one.flow, one.pool_id)), one) for one in changed]
            put(lane, changed)
            record_reservations(tx, self._workspace, changes)
            if changes:
                moved.append(key)
        if not moved:
            return frozenset()
        return take_turn(tx, self._terms, self._ids, self._adjusting, CheckoutAsked(tuple(moved))).wake

    def _is_covered(self, tx: Tx, flow: str, lanes: Mapping[LaneKey, StoredLane]) -> bool:
        """A turn may have covered it in this very transaction."""
        pools = {pool_id for lane in lanes.values() for pool_id in lane.pools}
        own = reservations_of_flow(tx, self._workspace, flow)
        return all(one.is_answered for one in own if one.pool_id in pools)

    def _allow(self, tx: Tx) -> Step:
        add_tally(tx, self._workspace, self._connection, Outcome.ALLOWED.value, 1)
        return Step(ALLOWED)

    def _refuse(
        self,
        tx: Tx,
        question: Question,
        takes: Sequence[Takes],
        short: Mapping[PoolId, int | None],
        outcome: Outcome,
    ) -> Verdict:
        add_tally(tx, self._workspace, self._connection, outcome.value, 1)
        return Verdict(tuple(_shortages_of(question, takes, short)))


def wanted_of(question: Question) -> dict[ItemId, int]:
    """Units of each item in the basket."""
    wanted: dict[ItemId, int] = {}
    for line in question.lines:
        if line.item_id is not None:
            wanted[line.item_id] = wanted.get(line.item_id, 0) + line.quantity
    return wanted


def _basket(question: Question, takes: Sequence[Takes]) -> dict[PoolId, int]:
    wanted, basket = wanted_of(question), dict[PoolId, int]()
    for one in takes:
        basket[one.pool_id] = basket.get(one.pool_id, 0) + one.weight * wanted[one.item_id]
    return basket


def _may_be_sold_already(lanes: Mapping[LaneKey, StoredLane], short: Mapping[PoolId, int]) -> bool:
    """The counter has just fallen by what a checkout holds: its order is not known yet, and its units count twice until
    then. That is over in a moment."""
    return any(lane.state({}).expected.get(pool_id, 0) > 0 for lane in lanes.values() for pool_id in short)


def _shortages_of(question: Question, takes: Sequence[Takes], short: Mapping[PoolId, int | None]) -> list[Shortage]:
    """Per line the fewest units that one of its pools has for it."""
    found: list[Shortage] = []
    for line in question.lines:
        mine = [one for one in takes if one.item_id == line.item_id and one.pool_id in short]
        if mine:
            left = [None if (units := short[one.pool_id]) is None else units // one.weight for one in mine]
            known = [units for units in left if units is not None]
            found.append(Shortage(line.line_id, line.name, min(known) if len(known) == len(left) else None))
    return found
