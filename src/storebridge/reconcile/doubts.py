"""Writes in doubt: settled by proof, else given to a person (rules: inventory/resolver.py)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from storebridge.audit.record import AuditRow, append
from storebridge.connectors.port import WriteStyle
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.observe import Folded, HoldRules, fold_reading
from storebridge.inventory.resolver import Move, Sighting, doubt_of, may_land_until, next_move, tells_after
from storebridge.inventory.settle import apply_delta
from storebridge.model.ids import ConnectionName, IntentId, LaneKey, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import LevelReading, Policy, Position, PositionKey
from storebridge.store.database import Tx
from storebridge.store.journal import SettledRow, doubted_lanes, settle_intents
from storebridge.store.lanes import OpenIntent, StoredLane, load_lanes, replace_position, save_positions
from storebridge.store.policies import lane_terms
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import Ask, ask_looks, who_made_version
from storebridge.work.urgency import Urgency

MAY_LAND_UNTIL = "may still land until"
"""Of a case about a doubt: before this nobody can say that the write was not applied."""
READ_EVERY = timedelta(seconds=5)
"""While a doubt may still be ended by a reading: twelve calls a minute, however many doubts a store has."""
READ_FOR_A_PERSON = timedelta(seconds=30)
"""While a person is asked: so that the case shows the counter as it is, and a delivery still ends it."""


def resolve_doubts(
    tx: Tx,
    terms: WorkspaceTerms,
    connection: ConnectionName,
    lanes: Iterable[LaneKey] | None = None,
    *,
    late_landing: timedelta,
) -> int:
    """Judge the writes in doubt of a store, in all lanes or in these; returns how many were settled. ``late_landing``
    is T_max.

    Whenever a counter was read, and when orders are polled: a proof is taken at once, and until there is one the
    counter is read every few seconds, before others change it again.
    """
    lanes = doubted_lanes(tx, terms.workspace, connection) if lanes is None else lanes
    loaded = load_lanes(tx, terms.workspace, lanes, lane_terms(tx, terms))
    settled = 0
    for lane in loaded.values():
        for intent in [i for i in lane.intents.values() if i.state == "unclear"]:
            if intent.position.connection == connection:
                settled += _resolve(tx, terms, lane, intent, late_landing)
    return settled


def _resolve(tx: Tx, terms: WorkspaceTerms, lane: StoredLane, intent: OpenIntent, late_landing: timedelta) -> bool:
    author = _what_deliveries_say(tx, terms.workspace, lane, intent)
    doubt = doubt_of(intent.evidence or {}, intent.intent_id, author)
    move = next_move(doubt, tx.now, late_landing=late_landing)
    if move is Move.ASK:
        _give_to_a_person(tx, terms.workspace, lane, intent, may_land_until(doubt, tx.now, late_landing=late_landing))
    if move in (Move.ASK, Move.WAIT):
        _read_again(tx, terms.workspace, intent, READ_EVERY if move is Move.WAIT else READ_FOR_A_PERSON)
        return False
    how = "the store's own deliveries name its author" if author is not None else "the counter allows one answer only"
    settle_unclear(tx, terms, lane, intent.intent_id, applied=move is Move.APPLIED, why="proof")
    proof = f"{how}: it was {'applied' if move is Move.APPLIED else 'not applied'}"
    settle_by_proof(tx, terms.workspace, [(Reason.WRITE_OUTCOME_UNCLEAR, intent.intent_id, proof)])
    _read_again(tx, terms.workspace, intent, timedelta(0))
    return True


def _what_deliveries_say(tx: Tx, workspace: Workspace, lane: StoredLane, intent: OpenIntent) -> bool | None:
    """A guarded write can only have made the very next revision; whoever made that one decides (W22)."""
    version, key = (intent.evidence or {}).get("version_before"), intent.position
    alone = [k for k in lane.positions if (k.connection, k.item_id) == (key.connection, key.item_id)] == [key]
    if not alone or not isinstance(version, str) or not version.isdigit():
        return None
    return who_made_version(tx, workspace, key.connection, key.item_id, str(int(version) + 1))


def _read_again(tx: Tx, workspace: Workspace, intent: OpenIntent, pause: timedelta) -> None:
    ask = Ask("levels", intent.position.item_id, int(Urgency.STOCK_READ), tx.now + pause)
    ask_looks(tx, workspace, intent.position.connection, [ask])


def _give_to_a_person(
    tx: Tx, workspace: Workspace, lane: StoredLane, intent: OpenIntent, may_land: datetime | None
) -> None:
    evidence = intent.evidence or {}
    still = {} if may_land is None else {MAY_LAND_UNTIL: may_land.isoformat(timespec="seconds")}
    opening = CaseOpening(
        workspace=workspace,
        reason=Reason.WRITE_OUTCOME_UNCLEAR,
        subject=intent.intent_id,
        connection=intent.position.connection,
        sku=lane.sku_of(intent.position),
        lane=lane.lane,
        field="available",
        details={
            "sent": evidence.get("sent_at"),
            "level before": intent.from_level,
            "if applied it became": intent.to_level,
            **still,
            "seen since": [f"{level} at {at}" for at, level, *_ in evidence.get("seen", [])[-5:]],
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
    once (mirror, storm, seed 301: one counter went from doubt to doubt for an hour). What was seen of a counter without
    revisions may be older than a landing that a person saw since: it is left alone, and the next reading counts.
    """
    intent = lane.intents.pop(intent_id)
    settle_intents(tx, [SettledRow(intent_id, "applied" if applied else "stale", why, intent.evidence)])
    record = {"intent": intent_id, "applied": applied, "by": why, "evidence": intent.evidence}
    sku = lane.sku_of(intent.position) or lane.lane
    append(
        tx, [AuditRow(workspace=terms.workspace, kind="doubt_settled", subject=sku, actor="storebridge", record=record)]
    )
    stored = lane.positions[intent.position]
    position = stored.position
    doubt = doubt_of(intent.evidence or {}, intent_id)
    rows: list[NewMovement] = []
    if applied:
        blind = doubt.style is WriteStyle.BLIND or intent.kind == "adjust"
        position = apply_delta(position, intent.delta, version=None, blind=blind)
        note, cause = f"found applied by {why}", intent_id
        rows += _movements(lane, intent.position, "write", intent.delta, position.level, "storebridge", note, cause)
    if tells_after(doubt, applied=applied):
        folded = _fold_seen(terms, lane.policy, position, doubt.sightings[-1])
        position = folded.position
        if folded.movement:
            actor = intent.position.connection
            rows += _movements(lane, intent.position, "level", folded.movement, position.level, actor, "seen in doubt")
    written_at = tx.now if applied else None
    lane.positions[intent.position] = replace_position(stored, position, written_at=written_at)
    save_positions(tx, terms.workspace, [lane.positions[intent.position]])
    add_movements(tx, terms.workspace, rows)


def _fold_seen(terms: WorkspaceTerms, policy: Policy, position: Position, seen: Sighting) -> Folded:
    reading = LevelReading(
        item_id=position.key.item_id,
        location_id=position.key.location_id,
        available=seen.level,
        version=seen.version,
        native_id=position.native_id,
        tracked=position.tracked,
        denies_oversell=position.denies_oversell,
    )
    rules = HoldRules(policy=policy, hold_above_units=terms.hold_above_units)
    return fold_reading(position, reading, sent_at=seen.sent_at, rules=rules, written_at=None)


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
