"""The journey of a change, in order. Start reading here.

    ingest      verify the signature over the raw bytes, store, answer         pipeline/ingest/accept.py
    normalize   which lane, what to read; fold what was read into positions    pipeline/normalize/{dispatch,fold}.py
    validate    odd counters become cases                                      pipeline/validate/conditions.py
    plan        pure: what should be written, and why                          pipeline/plan/lane.py
    deliver     journal, then send; fold the answers                           pipeline/deliver/{courier,settle}.py
    confirm     close the signals that a later read answers                    pipeline/confirm/close.py

A *lane turn* runs normalize to confirm over one or many lanes in one synchronous database transaction without any I/O,
so a lane is never held while something is on the wire. Three occasions cause a turn: a read came back, a call was
answered, or a person changed something. This file alone knows the order; the stages do not know each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.connectors.port import RowAnswer, WriteStyle
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.observe import HoldRules
from storebridge.inventory.pools import guarantee_holds
from storebridge.inventory.resolver import Sighting, add_sighting
from storebridge.model.ids import CallId, ConnectionName, ItemId, LaneKey, PoolId, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.signals import Flow, SignalState, Source, Stage
from storebridge.model.stock import LevelsRead, Measured, Policy, PositionKey
from storebridge.pipeline.confirm.close import PATIENCE, Spread, answered_signals, is_seen, not_shown_yet, spreads_of
from storebridge.pipeline.deliver.settle import Applied, Settlement, empty_settlement, settle_row
from storebridge.pipeline.normalize.fold import Folding, Movement, fold_lane
from storebridge.pipeline.normalize.holds import fell_unexplained, keep_reservations, record_reservations
from storebridge.pipeline.plan.brake import held_lanes
from storebridge.pipeline.plan.lane import LanePlan, plan_lane, waiting_position
from storebridge.pipeline.validate.conditions import record_conditions
from storebridge.pipeline.validate.goods import find_emptied, hold_emptied, record_oversold
from storebridge.store.cases import open_subjects_of_lanes
from storebridge.store.connections import broken_promises
from storebridge.store.database import Tx
from storebridge.store.journal import (
    lanes_of_intents,
    plan_intents,
    save_evidence,
    settle_intents,
    supersede_intents,
)
from storebridge.store.lanes import (
    StoredLane,
    all_lanes_of_items,
    freeze_lanes,
    load_lanes,
    mark_guarantee,
    save_positions,
)
from storebridge.store.measured import Paces, measure
from storebridge.store.policies import lane_terms
from storebridge.store.story import NewMovement, add_movements, add_passes, add_spreads, sales_velocity
from storebridge.store.waiting import (
    Ask,
    ClaimedLook,
    NewSignal,
    WaitingSignal,
    answer_looks,
    ask_looks,
    close_signals,
    count_attempts,
    insert_signals,
    look_numbers,
    move_signals,
    renumber_signals,
    waiting_of_lanes,
)
from storebridge.work.urgency import Urgency

PROMISING = (Policy.ESCROW, Policy.GUARDED)
"""Policies that promise zero oversell."""
ECHO_PATIENCE = timedelta(seconds=0.5)
"""A write that was answered is read back after this, or at once when the store's own delivery about it comes first: so
one read serves both."""
STAGES = (Stage.INGEST, Stage.NORMALIZE, Stage.VALIDATE, Stage.PLAN, Stage.DELIVER, Stage.CONFIRM)


class ReadCameBack(msgspec.Struct, frozen=True):
    """Occasion: levels were read for looks that were claimed before the request was sent."""

    connection: ConnectionName
    read: LevelsRead
    looks: tuple[ClaimedLook, ...]


class CallWasAnswered(msgspec.Struct, frozen=True):
    """Occasion: the vendor answered a journaled call."""

    connection: ConnectionName
    call_id: CallId
    style: WriteStyle
    rows: tuple[RowAnswer, ...]
    resent: bool
    first_sent_at: datetime


class CheckoutAsked(msgspec.Struct, frozen=True):
    """Occasion: a checkout wants units, or gives some back; stored before the turn."""

    lanes: tuple[LaneKey, ...]


class PersonChanged(msgspec.Struct, frozen=True):
    """Occasion: goods were booked, a hold was decided, a baseline signed off: plan these lanes again."""

    lanes: tuple[LaneKey, ...]
    what: str


Occasion = ReadCameBack | CallWasAnswered | CheckoutAsked | PersonChanged


class TurnOutcome(msgspec.Struct, frozen=True):
    """Whose courier has something to do now, and in which lanes a write is in doubt."""

    wake: frozenset[ConnectionName]
    writes: int
    closed: int
    doubted: frozenset[LaneKey]


class Turn:
    """One turn over some lanes: the stages in order, in one transaction."""

    def __init__(
        self,
        tx: Tx,
        terms: WorkspaceTerms,
        ids: Ids,
        adjusting: frozenset[ConnectionName],
        occasion: Occasion,
        lanes: Iterable[LaneKey],
    ) -> None:
        self._tx = tx
        self._terms = terms
        self._ids = ids
        self._adjusting = adjusting
        self._occasion = occasion
        self._workspace: Workspace = terms.workspace
        self._lanes = load_lanes(tx, self._workspace, lanes, lane_terms(tx, terms))
        self._signals = self._group_signals()
        self._foldings: dict[LaneKey, Folding] = {}
        self._settlements: dict[LaneKey, Settlement] = {}
        self._opened: dict[LaneKey, list[str]] = {}
        self._plans: dict[LaneKey, LanePlan] = {}
        self._asks: defaultdict[ConnectionName, dict[ItemId, Urgency]] = defaultdict(dict)
        self._wake: set[ConnectionName] = set()
        self._open_cases: set[tuple[str, str]] = set()
        self._held: set[LaneKey] = set()

    def run(self) -> TurnOutcome:
        self._normalize()
        self._hold()
        self._validate()
        self._plan()
        self._deliver()
        closed = self._confirm()
        self._record()
        lanes = self._lanes.items()
        doubted = frozenset(key for key, lane in lanes if any(one.state == "unclear" for one in lane.intents.values()))
        return TurnOutcome(frozenset(self._wake), sum(len(p.new) for p in self._plans.values()), closed, doubted)

    def _group_signals(self) -> dict[LaneKey, list[WaitingSignal]]:
        grouped: defaultdict[LaneKey, list[WaitingSignal]] = defaultdict(list)
        for signal in waiting_of_lanes(self._tx, self._workspace, self._lanes):
            grouped[signal.lane].append(signal)
        return grouped

    # normalize: fold what came back
    def _normalize(self) -> None:
        occasion = self._occasion
        if isinstance(occasion, ReadCameBack):
            self._freeze_if_emptied(occasion)
            for key, lane in self._lanes.items():
                rules = HoldRules(policy=lane.policy, hold_above_units=self._terms.hold_above_units)
                self._foldings[key] = fold_lane(lane, occasion.connection, occasion.read, rules)
                self._keep_evidence(lane, self._foldings[key], occasion.read.sent_at)
        elif isinstance(occasion, CallWasAnswered):
            self._settle(occasion)

    def _freeze_if_emptied(self, occasion: ReadCameBack) -> None:
        fallen, emptied = find_emptied(self._tx, self._terms, self._lanes, occasion.connection, occasion.read)
        if not fallen:
            return
        freeze_lanes(self._tx, self._workspace, emptied, True)
        for key in emptied:
            self._lanes[key].freeze()
        hold_emptied(self._tx, self._workspace, occasion.connection, fallen, len(occasion.read.asked))

    def _settle(self, occasion: CallWasAnswered) -> None:
        owners = lanes_of_intents(self._tx, [row.intent_id for row in occasion.rows])
        for row in occasion.rows:
            owner = owners.get(row.intent_id)
            if owner is None or owner[0] not in self._lanes:
                continue
            settlement = self._settlements.setdefault(owner[0], empty_settlement())
            settle_row(
                self._lanes[owner[0]],
                row,
                style=occasion.style,
                resent=occasion.resent,
                sent_at=occasion.first_sent_at,
                now=self._tx.now,
                settlement=settlement,
            )
        for settlement in self._settlements.values():
            settle_intents(self._tx, settlement.rows)
            written = {applied.position for applied in settlement.applied}
            for position in settlement.look_again:
                urgency = Urgency.STOCK_CONFIRM if position in written else Urgency.STOCK_READ
                self._asks[position.connection][position.item_id] = urgency

    # what checkouts hold follows from what was folded
    def _hold(self) -> None:
        for key, lane in self._lanes.items():
            lane.share_until_read()
            if not (lane.guards and lane.reservations):
                continue
            folding = self._foldings.get(key)
            changed = keep_reservations(lane, folding.movements if folding else (), self._tx.now)
            record_reservations(self._tx, self._workspace, changed)
            for connection in fell_unexplained(changed):
                ask = Ask("order_poll", "all", int(Urgency.ORDERS), self._tx.now)
                ask_looks(self._tx, self._workspace, connection, [ask])
                self._wake.add(connection)

    def _keep_evidence(self, lane: StoredLane, folding: Folding, sent_at: datetime) -> None:
        doubted = {i.position: i for i in lane.intents.values() if i.state == "unclear"}
        for seen in folding.set_aside:
            intent = doubted.get(seen.position)
            if intent is None or intent.evidence is None:
                continue
            reading = seen.reading
            sighting = Sighting(sent_at, reading.available, reading.version, reading.stamp)
            save_evidence(self._tx, intent.intent_id, add_sighting(intent.evidence, sighting))

    # validate: odd counters become cases
    def _validate(self) -> None:
        open_now = self._open_cases = open_subjects_of_lanes(self._tx, self._workspace, self._lanes)
        for key, folding in self._foldings.items():
            opened = record_conditions(self._tx, self._workspace, self._lanes[key], folding.conditions, open_now)
            if opened:
                self._opened[key] = opened
            if Reason.ITEM_GONE.value in opened:
                self._list_again()
        record_oversold(self._tx, self._workspace, self._lanes.values(), open_now)

    def _list_again(self) -> None:
        """An item vanished: perhaps its product was made anew, and only a listing can tell."""
        assert isinstance(self._occasion, ReadCameBack)
        ask = Ask("catalogue", "all", int(Urgency.PRODUCTS), self._tx.now)
        ask_looks(self._tx, self._workspace, self._occasion.connection, [ask])
        self._wake.add(self._occasion.connection)

    # plan: pure
    def _plan(self) -> None:
        sharing = {
            pool_id: key
            for key, lane in self._lanes.items()
            if lane.policy is not Policy.MIRROR
            for pool_id in lane.pools
        }
        velocity = sales_velocity(self._tx, self._workspace, sharing) if sharing else {}
        measured = self._measure()
        for key, lane in self._lanes.items():
            self._plans[key] = plan_lane(
                self._workspace,
                lane,
                velocity.get(key, {}),
                self._ids,
                self._tx.now,
                adjusting=self._adjusting,
                measured=measured.get(key),
            )
        self._held = held_lanes(self._tx, self._terms, self._plans)
        for key in self._held:
            self._plans[key].new = []

    def _measure(self) -> dict[LaneKey, dict[ConnectionName, Measured]]:
        """What hybrid needs to know of the stores; nobody else pays for the questions."""
        if not any(pool.policy is Policy.HYBRID for lane in self._lanes.values() for pool in lane.pools.values()):
            return {}
        terms = self._terms
        paces = Paces(terms.sweep_seconds, terms.hot_sweep_seconds, terms.hot_below_units)
        return measure(self._tx, self._workspace, self._lanes, paces)

    # deliver: hand intents to the couriers; this turn sends nothing itself
    def _deliver(self) -> None:
        changed: list[Any] = []
        for key, lane in self._lanes.items():
            touched = set(self._foldings[key].changed) if key in self._foldings else set()
            touched |= self._settlements[key].changed if key in self._settlements else set()
            changed.extend(lane.positions[position] for position in sorted(touched))
        save_positions(self._tx, self._workspace, changed)
        supersede_intents(self._tx, [i for plan in self._plans.values() for i in plan.replaced])
        new = [intent for plan in self._plans.values() for intent in plan.new]
        plan_intents(self._tx, new)
        self._wake |= {waiting_position(intent).connection for intent in new}
        for position in [position for plan in self._plans.values() for position in plan.unread]:
            self._asks[position.connection].setdefault(position.item_id, Urgency.STOCK_READ)
        move_signals(self._tx, self._workspace, [k for k, p in self._plans.items() if p.new], Stage.DELIVER)
        self._refused()
        self._accepted()

    def _accepted(self) -> None:
        """A store that takes a row again has nothing against the item any more."""
        items = {
            f"{applied.position.connection}/{applied.position.item_id}"
            for settlement in self._settlements.values()
            for applied in settlement.applied
        }
        refused = sorted(s for r, s in self._open_cases if r == Reason.WRITE_REFUSED.value and s in items)
        proof = "a later write of this item was accepted"
        settle_by_proof(self._tx, self._workspace, [(Reason.WRITE_REFUSED, s, proof) for s in refused])

    def _refused(self) -> None:
        raise_cases(
            self._tx,
            [
                CaseOpening(
                    workspace=self._workspace,
                    reason=Reason.WRITE_REFUSED,
                    subject=f"{intent.position.connection}/{intent.position.item_id}",
                    connection=intent.position.connection,
                    sku=self._lanes[key].sku_of(intent.position),
                    lane=key,
                    field=answer.code,
                    details={
                        "from": intent.from_level,
                        "to": intent.to_level,
                        "code": answer.code,
                        "message": answer.message[:500],
                    },
                )
                for key, settlement in self._settlements.items()
                for intent, answer in settlement.refused
            ],
        )

    # confirm: answer looks, close signals, ask again where the read did not show enough
    def _confirm(self) -> int:
        occasion = self._occasion
        if isinstance(occasion, ReadCameBack):
            answer_looks(self._tx, self._workspace, occasion.connection, occasion.looks)
            self._read_again(occasion)
        self._ask()
        return self._close()

    def _read_again(self, occasion: ReadCameBack) -> None:
        looks = {look.key: look for look in occasion.looks}
        for key, lane in self._lanes.items():
            signals = self._signals.get(key, [])
            waiting = not_shown_yet(lane, occasion.connection, looks, signals, self._foldings[key].stale_items)
            if not waiting:
                self._asks_for_stale(occasion, key)
                continue
            again = [
                Ask("levels", w.signal.entity, int(Urgency.STOCK_READ), self._tx.now + w.again_in)
                for w in {w.signal.entity: w for w in waiting}.values()
            ]
            numbers = ask_looks(self._tx, self._workspace, occasion.connection, again)
            for item in waiting:
                renumber_signals(self._tx, [item.signal.seq], numbers["levels", item.signal.entity])
            count_attempts(
                self._tx,
                self._workspace,
                occasion.connection,
                "levels",
                {w.signal.entity: w.attempts for w in waiting},
            )
            held_back = {w.signal.seq for w in waiting}
            self._signals[key] = [s for s in signals if s.seq not in held_back]

    def _asks_for_stale(self, occasion: ReadCameBack, key: LaneKey) -> None:
        """A replica that lags answered while we need to know: ask once more, a moment later."""
        needed = {
            position.item_id
            for position, stored in self._lanes[key].positions.items()
            if position.connection == occasion.connection and not is_seen(stored)
        }
        again = sorted(self._foldings[key].stale_items & needed)
        due_at = self._tx.now + PATIENCE[0]
        asks = [Ask("levels", item, int(Urgency.STOCK_READ), due_at) for item in again]
        if asks:
            ask_looks(self._tx, self._workspace, occasion.connection, asks)
            self._wake.add(occasion.connection)

    def _ask(self) -> None:
        for connection, items in sorted(self._asks.items()):
            asks = [
                Ask("levels", item, int(urgency), self._look_at(urgency)) for item, urgency in sorted(items.items())
            ]
            if asks:
                ask_looks(self._tx, self._workspace, connection, asks)
                self._wake.add(connection)

    def _look_at(self, urgency: Urgency) -> datetime:
        return self._tx.now + (ECHO_PATIENCE if urgency is Urgency.STOCK_CONFIRM else timedelta())

    def _close(self) -> int:
        waiting = [signal for signals in self._signals.values() for signal in signals]
        if not waiting:
            return 0
        answered = look_numbers(self._tx, self._workspace, "levels", [(s.connection, s.entity) for s in waiting])
        done = [
            signal.seq
            for key, lane in self._lanes.items()
            if key not in self._held and not self._plans[key].new
            for signal in answered_signals(lane, self._signals.get(key, []), answered)
        ]
        close_signals(self._tx, done, SignalState.CONFIRMED, "a later read shows what was planned")
        return len(done)

    def _sent_at(self) -> datetime:
        """When what was answered went out."""
        return self._occasion.first_sent_at if isinstance(self._occasion, CallWasAnswered) else self._tx.now

    # the record: ledger, stage results, audit
    def _record(self) -> None:
        movements: list[NewMovement] = []
        spreads: list[Spread] = []
        for key, lane in self._lanes.items():
            folding, settlement = self._foldings.get(key), self._settlements.get(key)
            if folding:
                movements.extend(self._as_movements(lane, folding.movements))
            if settlement:
                movements.extend(self._as_writes(lane, settlement.applied))
                written = [applied.position for applied in settlement.applied]
                signals = self._signals.get(key, [])
                spreads.extend(spreads_of(lane, written, signals, self._sent_at(), self._tx.now))
        add_movements(self._tx, self._workspace, movements)
        add_spreads(self._tx, self._workspace, spreads)
        self._note_found_by_sweep()
        self._note_guarantee()
        self._note_stages()

    def _as_movements(self, lane: StoredLane, found: Sequence[Movement]) -> list[NewMovement]:
        return [
            NewMovement(
                pool_id=draw.pool_id,
                position=movement.position,
                kind="level",
                units=movement.units * draw.weight,
                level_after=movement.level_after,
                actor=movement.position.connection,
            )
            for movement in found
            for draw in lane.draws
            if draw.position == movement.position
        ]

    def _as_writes(self, lane: StoredLane, applied: Sequence[Applied]) -> list[NewMovement]:
        return [
            NewMovement(
                pool_id=draw.pool_id,
                position=write.position,
                kind="write",
                units=write.units * draw.weight,
                level_after=write.level_after,
                cause=write.intent_id if index == 0 else f"{write.intent_id}/{draw.pool_id}",
                actor="storebridge",
            )
            for write in applied
            for index, draw in enumerate(d for d in lane.draws if d.position == write.position)
        ]

    def _note_found_by_sweep(self) -> None:
        """A change that no delivery spoke of is a signal too: found by a sweep or poll, and answered at once."""
        occasion = self._occasion
        if not isinstance(occasion, ReadCameBack):
            return
        numbers = {look.key: look.number for look in occasion.looks}
        found: list[NewSignal] = []
        for key, folding in self._foldings.items():
            spoken_of = {signal.entity for signal in self._signals.get(key, [])}
            items = {m.position.item_id for m in folding.movements} - spoken_of
            settled = not (self._plans[key].new or self._lanes[key].intents or key in self._held)
            found.extend(self._sweep_signal(occasion, key, item, numbers, settled) for item in sorted(items))
        insert_signals(self._tx, found)

    def _sweep_signal(
        self, occasion: ReadCameBack, key: LaneKey, item: ItemId, numbers: Mapping[str, int], settled: bool
    ) -> NewSignal:
        return NewSignal(
            workspace=self._workspace,
            connection=occasion.connection,
            source=Source.SWEEP,
            flow=Flow.STOCK,
            entity=item,
            stage=Stage.CONFIRM if settled else Stage.DELIVER,
            state=SignalState.CONFIRMED if settled else SignalState.WAITING,
            stored_at=self._tx.now,
            closed_at=self._tx.now if settled else None,
            lane=key,
            look_number=numbers.get(item, 0),
            note="found by a read that no delivery asked for",
        )

    def _note_guarantee(self) -> None:
        lanes = [lane for lane in self._lanes.values() if lane.policy in PROMISING or any(lane.guaranteed.values())]
        if not lanes:
            return
        elsewhere = broken_promises(self._tx, self._workspace)
        held: list[PoolId] = []
        broken: dict[PoolId, str] = {}
        for lane in lanes:
            state = lane.state({})
            for pool in state.pools:
                why_not = guarantee_holds(state, pool) or elsewhere
                if why_not is None and not lane.guaranteed[pool.pool_id]:
                    held.append(pool.pool_id)
                elif why_not is not None and (lane.guaranteed[pool.pool_id] or pool.policy in PROMISING):
                    broken[pool.pool_id] = why_not
        mark_guarantee(self._tx, self._workspace, held, broken)

    def _note_stages(self) -> None:
        passes: list[dict[str, Any]] = []
        audits: list[AuditRow] = []
        for key in self._lanes:
            record = self._stage_results(key)
            if record is None:
                continue
            passes.append({"workspace": self._workspace, "lane": key, "at": self._tx.now, **record})
            audits.append(
                AuditRow(
                    workspace=self._workspace,
                    kind="decision",
                    subject=self._sku(key) or key,
                    actor="storebridge",
                    record={name: value for name, value in record.items() if value},
                )
            )
        add_passes(self._tx, passes)
        append(self._tx, audits)

    def _stage_results(self, key: LaneKey) -> dict[str, Any] | None:
        """What each stage of this turn found; None when nothing happened, so that quiet sweeps leave no trace."""
        plan, folding = self._plans[key], self._foldings.get(key)
        settlement = self._settlements.get(key)
        moved = [] if folding is None else folding.movements
        rows = [] if settlement is None else settlement.rows
        opened = self._opened.get(key, [])
        if not (moved or rows or opened or plan.new or plan.replaced):
            return None
        return {
            "trigger": type(self._occasion).__name__,
            "normalized": {
                "movements": [[*_name(m.position), m.units, m.level_after] for m in moved],
                "answers": [[row.intent_id, row.state, row.code] for row in rows],
            },
            "validated": {"opened": opened},
            "planned": {
                "writes": [
                    [*_name(waiting_position(i)), i["from_level"], i["to_level"], i["reason"], i["intent_id"]]
                    for i in plan.new
                ],
                "replaced": list(plan.replaced),
            },
        }

    def _sku(self, key: LaneKey) -> str | None:
        return next((pool.sku for pool in self._lanes[key].pools.values()), None)


def _name(position: PositionKey) -> tuple[str, str, str]:
    return position.connection, position.item_id, position.location_id


def take_turn(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, adjusting: frozenset[ConnectionName], occasion: Occasion
) -> TurnOutcome:
    """Run the stages over the lanes that the occasion concerns, in this transaction."""
    return Turn(tx, terms, ids, adjusting, occasion, _lanes_of(tx, terms.workspace, occasion)).run()


def _lanes_of(tx: Tx, workspace: Workspace, occasion: Occasion) -> set[LaneKey]:
    if isinstance(occasion, ReadCameBack):
        return all_lanes_of_items(tx, workspace, occasion.connection, occasion.read.asked)
    if isinstance(occasion, CallWasAnswered):
        owners = lanes_of_intents(tx, [row.intent_id for row in occasion.rows])
        return {lane for lane, _ in owners.values()}
    return set(occasion.lanes)
