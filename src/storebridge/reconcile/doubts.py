"""Writes in doubt: settled by proof once orders and levels are both known late enough, else given to a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.observe import Folded, HoldRules, fold_reading
from storebridge.inventory.resolver import Doubt, judge
from storebridge.inventory.settle import apply_delta
from storebridge.model.ids import ConnectionName, IntentId, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import LevelReading, Position, PositionKey
from storebridge.store.database import Tx
from storebridge.store.journal import SettledRow, doubted_lanes, settle_intents
from storebridge.store.labels import Residual, residuals_of_items
from storebridge.store.lanes import LaneTerms, OpenIntent, StoredLane, load_lanes, replace_position, save_positions
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import Ask, ask_looks, who_made_version
from storebridge.work.urgency import Urgency

WAIT_FOR_DELIVERIES = timedelta(seconds=60)
"""How long a delivery may take that tells who made a revision."""
PATIENCE = timedelta(minutes=15)
"""A doubt older than this goes to a person, whatever may still prove it."""
MARGIN = timedelta(seconds=3)
"""The stores' clocks and ours agree to about this; an order changed nearer to a reading cannot be placed."""


def resolve_doubts(
    tx: Tx,
    terms: WorkspaceTerms,
    connection: ConnectionName,
    *,
    orders_read_at: datetime,
    lag: timedelta,
    hidden_orders: bool,
) -> int:
    """Judge every write in doubt of a store; returns how many were settled. Called after a complete order poll."""
    lanes = doubted_lanes(tx, terms.workspace, connection)
    loaded = load_lanes(tx, terms.workspace, lanes, LaneTerms(terms.policy, terms.safety_stock))
    settled = 0
    for lane in loaded.values():
        for intent in [i for i in lane.intents.values() if i.state == "unclear"]:
            if intent.position.connection == connection:
                settled += _resolve(tx, terms, lane, intent, Orders(orders_read_at, lag, hidden_orders))
    return settled


class Orders(msgspec.Struct, frozen=True):
    """What the order poll can tell: when it began, how late an order may show, and whether some never show."""

    read_at: datetime
    lag: timedelta
    hidden: bool


def _resolve(tx: Tx, terms: WorkspaceTerms, lane: StoredLane, intent: OpenIntent, orders: Orders) -> bool:
    item, connection = intent.position.item_id, intent.position.connection
    residuals = residuals_of_items(tx, terms.workspace, connection, [item])
    doubts = read_doubts(intent)
    said = _what_deliveries_say(tx, terms.workspace, lane, intent)
    if said is not None and doubts:
        return _settle_by_proof(tx, terms, lane, intent, applied=said, how="the store's own deliveries name its author")
    placed = [doubt for doubt in doubts if _is_placed(doubt, residuals, orders)]
    if orders.hidden and tx.now - _since(intent.evidence or {}) > WAIT_FOR_DELIVERIES:
        placed = doubts  # orders prove nothing there, so nothing is gained by waiting for them
    if not placed and not any(_can_be_placed(doubt, residuals) for doubt in doubts):
        _read_again(tx, terms.workspace, intent)
    uncertain = sum(residual.uncertain for residual in residuals)
    applied = None
    if placed:
        unexplained = _unexplained(lane, intent, placed[-1], residuals)
        applied = judge(placed[-1], unexplained, uncertain=uncertain, hidden_orders=orders.hidden)
    if applied is None:
        if placed or tx.now - _since(intent.evidence or {}) > PATIENCE:
            _give_to_a_person(tx, terms.workspace, lane, intent)
        return False
    return _settle_by_proof(tx, terms, lane, intent, applied=applied, how="orders and levels allow one answer only")


def _what_deliveries_say(tx: Tx, workspace: Workspace, lane: StoredLane, intent: OpenIntent) -> bool | None:
    """A guarded write can only have made the very next revision; whoever made that one decides (W22)."""
    version, key = (intent.evidence or {}).get("version_before"), intent.position
    alone = [k for k in lane.positions if (k.connection, k.item_id) == (key.connection, key.item_id)] == [key]
    if not alone or not isinstance(version, str) or not version.isdigit():
        return None
    return who_made_version(tx, workspace, key.connection, key.item_id, str(int(version) + 1))


def _settle_by_proof(
    tx: Tx, terms: WorkspaceTerms, lane: StoredLane, intent: OpenIntent, *, applied: bool, how: str
) -> bool:
    settle_unclear(tx, terms, lane, intent.intent_id, applied=applied, why="proof")
    proof = f"{how}: it was {'applied' if applied else 'not applied'}"
    settle_by_proof(tx, terms.workspace, [(Reason.WRITE_OUTCOME_UNCLEAR, intent.intent_id, proof)])
    _read_again(tx, terms.workspace, intent)
    return True


def _read_again(tx: Tx, workspace: Workspace, intent: OpenIntent) -> None:
    ask = Ask("levels", intent.position.item_id, int(Urgency.STOCK_READ), tx.now)
    ask_looks(tx, workspace, intent.position.connection, [ask])


def read_doubts(intent: OpenIntent) -> list[Doubt]:
    """The evidence as the resolver needs it, one for each reading since the doubt began, oldest first."""
    evidence: Mapping[str, Any] = intent.evidence or {}
    seen = [(datetime.fromisoformat(at), level, version) for at, level, version in evidence.get("seen", [])]
    return [
        Doubt(
            level_before=evidence["level_before"],
            version_before=evidence["version_before"],
            delta=evidence["delta"],
            seen_at=at,
            seen_level=level,
            seen_version=version,
        )
        for at, level, version in seen
        if at >= _since(evidence)
    ]


def _since(evidence: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(evidence["since"])


def _is_placed(doubt: Doubt, residuals: list[Residual], orders: Orders) -> bool:
    """Whether every order is surely on one side of the reading."""
    return orders.read_at >= doubt.seen_at + orders.lag and _can_be_placed(doubt, residuals)


def _can_be_placed(doubt: Doubt, residuals: list[Residual]) -> bool:
    """No order that is known now changed after the reading, or so near to it that the clocks cannot tell."""
    changed = [r.last_order_change_at for r in residuals if r.last_order_change_at is not None]
    return all(at < doubt.seen_at - MARGIN for at in changed)


def _unexplained(lane: StoredLane, intent: OpenIntent, doubt: Doubt, residuals: list[Residual]) -> int:
    """Units at the reading that nothing explains; the stored level is still the one from before the doubt."""
    assert doubt.seen_level is not None
    level = lane.positions[intent.position].position.level
    return sum(r.unexplained - r.booked for r in residuals) + doubt.seen_level - level


def _give_to_a_person(tx: Tx, workspace: Workspace, lane: StoredLane, intent: OpenIntent) -> None:
    evidence = intent.evidence or {}
    opening = CaseOpening(
        workspace=workspace,
        reason=Reason.WRITE_OUTCOME_UNCLEAR,
        subject=intent.intent_id,
        connection=intent.position.connection,
        sku=next(iter(lane.pools.values())).sku,
        lane=lane.lane,
        field="available",
        details={
            "sent": evidence.get("sent_at"),
            "level before": intent.from_level,
            "if applied it became": intent.to_level,
            "seen since": [f"{level} at {at}" for at, level, _ in evidence.get("seen", [])[-5:]],
            "location": intent.position.location_id,
            "item": intent.position.item_id,
        },
    )
    raise_cases(tx, [opening])


def settle_unclear(
    tx: Tx, terms: WorkspaceTerms, lane: StoredLane, intent_id: IntentId, *, applied: bool, why: str
) -> None:
    """A write in doubt is now known: move the rights if it applied, then take over what was read meanwhile.

    Without the second step the next plan would start from the level before the doubt, and its guard would be stale at
    once (mirror, storm, seed 301: one counter went from doubt to doubt for an hour).
    """
    intent = lane.intents.pop(intent_id)
    settle_intents(tx, [SettledRow(intent_id, "applied" if applied else "stale", why, intent.evidence)])
    record = {"intent": intent_id, "applied": applied, "by": why, "evidence": intent.evidence}
    sku = next(iter(lane.pools.values())).sku
    append(
        tx, [AuditRow(workspace=terms.workspace, kind="doubt_settled", subject=sku, actor="storebridge", record=record)]
    )
    stored = lane.positions[intent.position]
    position = stored.position
    rows: list[NewMovement] = []
    if applied:
        position = apply_delta(position, intent.delta, version=None)
        note, cause = f"found applied by {why}", intent_id
        rows += _movements(lane, intent.position, "write", intent.delta, position.level, "storebridge", note, cause)
    seen = read_doubts(intent)
    if seen:
        folded = _fold_seen(terms, position, seen[-1])
        position = folded.position
        if folded.movement:
            actor = intent.position.connection
            rows += _movements(lane, intent.position, "level", folded.movement, position.level, actor, "seen in doubt")
    written_at = tx.now if applied else None
    lane.positions[intent.position] = replace_position(stored, position, written_at=written_at)
    save_positions(tx, terms.workspace, [lane.positions[intent.position]])
    add_movements(tx, terms.workspace, rows)


def _fold_seen(terms: WorkspaceTerms, position: Position, seen: Doubt) -> Folded:
    reading = LevelReading(
        item_id=position.key.item_id,
        location_id=position.key.location_id,
        available=seen.seen_level,
        version=seen.seen_version,
        native_id=position.native_id,
        tracked=position.tracked,
        denies_oversell=position.denies_oversell,
    )
    rules = HoldRules(policy=terms.policy, hold_above_units=terms.hold_above_units)
    return fold_reading(position, reading, sent_at=seen.seen_at, rules=rules, written_at=None)


def _movements(
    lane: StoredLane,
    key: PositionKey,
    kind: str,
    units: int,
    level_after: int,
    actor: str,
    note: str,
    cause: str | None = None,
) -> list[NewMovement]:
    return [
        NewMovement(
            pool_id=draw.pool_id,
            position=key,
            kind=kind,
            units=units * draw.weight,
            level_after=level_after,
            cause=f"{cause}/{draw.pool_id}" if cause else None,
            actor=actor,
            note=note,
        )
        for draw in lane.draws
        if draw.position == key
    ]
