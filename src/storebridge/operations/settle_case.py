"""A person settles a case: accepts or refuses a held change, tells what became of a write, lets a store go on."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.errors import NotFoundError, RefusedError
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.observe import settle_hold
from storebridge.model.ids import ConnectionName, IntentId, ItemId, LaneKey, LocationId, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import PositionKey
from storebridge.pipeline.flow import PersonChanged, take_turn
from storebridge.pipeline.order_flow import WRITE_LOOK
from storebridge.reconcile.doubts import settle_unclear
from storebridge.reconcile.orders import read_orders_of_cases
from storebridge.store.cases import StoredCase, close_case, get_case
from storebridge.store.database import Tx
from storebridge.store.lanes import (
    StoredLane,
    add_goods,
    forgive_refusals,
    freeze_lanes,
    lanes_of_connection,
    load_lanes,
    save_positions,
)
from storebridge.store.order_writes import replan_refused
from storebridge.store.policies import lane_terms
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency


class Choice(StrEnum):
    """What a person can say about a case; which ones fit depends on its reason."""

    ACCEPT = "accept"
    """A held change is real: the goods exist (or are gone)."""
    REJECT = "reject"
    """A held change was a mistake: take it back."""
    APPLIED = "applied"
    """An unclear write did take effect, as the vendor's admin shows."""
    NOT_APPLIED = "not_applied"
    RELEASE = "release"
    """Let what was stopped go on."""
    RETRY = "retry"
    """Look again now."""
    DONE = "done"
    """Dealt with outside; close it with a note."""


CHOICES = {
    Reason.CHANGE_HELD: {Choice.ACCEPT, Choice.REJECT},
    Reason.WRITE_OUTCOME_UNCLEAR: {Choice.APPLIED, Choice.NOT_APPLIED},
    Reason.MASS_ZERO_HELD: {Choice.RELEASE},
}
"""Every other reason takes ``retry`` and ``done``."""
ABOUT_COPIES = frozenset({Reason.ORDER_NOT_MAPPED, Reason.ORDER_NOT_COPIED, Reason.COPY_DIFFERS})


class Settled(msgspec.Struct, frozen=True):
    """What was decided."""

    case_id: str
    choice: Choice
    closed: bool
    wake: frozenset[ConnectionName] = frozenset()


def settle_case(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, case_id: str, choice: Choice, *, actor: str, note: str = ""
) -> Settled:
    """Carry out a person's decision. Raises NotFoundError, RefusedError (then nothing was changed)."""
    case = get_case(tx, terms.workspace, case_id)
    if case is None or case.state != "open":
        raise NotFoundError(f"There is no open case {case_id!r} in workspace {terms.workspace!r}.")
    allowed = CHOICES.get(Reason(case.reason), {Choice.RETRY, Choice.DONE})
    if choice not in allowed:
        words = ", ".join(sorted(c.value for c in allowed))
        raise RefusedError(f"A case of {case.reason} takes: {words}; not {choice.value}.")
    wake = _carry_out(tx, terms, ids, case, choice, actor)
    closed = choice is not Choice.RETRY
    if closed:
        close_case(tx, terms.workspace, case_id, closed_by=actor, resolution=f"{choice.value}: {note}".rstrip(": "))
    _audit(tx, terms.workspace, case, choice, actor, note)
    return Settled(case_id, choice, closed, wake)


def _carry_out(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, choice: Choice, actor: str
) -> frozenset[ConnectionName]:
    if choice in (Choice.ACCEPT, Choice.REJECT):
        return _decide_hold(tx, terms, ids, case, choice is Choice.ACCEPT, actor)
    if choice in (Choice.APPLIED, Choice.NOT_APPLIED):
        return _decide_write(tx, terms, ids, case, choice is Choice.APPLIED)
    if choice is Choice.RELEASE:
        lanes = lanes_of_connection(tx, terms.workspace, ConnectionName(case.connection or ""))
        freeze_lanes(tx, terms.workspace, lanes, False)
        return take_turn(tx, terms, ids, frozenset(), PersonChanged(tuple(lanes), "release")).wake
    if choice is Choice.RETRY:
        return _look_again(tx, terms.workspace, case)
    return frozenset()


def _decide_hold(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, accept: bool, actor: str
) -> frozenset[ConnectionName]:
    lane = _lane_of(tx, terms, case)
    key = _position_of(case)
    stored = lane.positions[key]
    held = stored.position.held
    position, goods = settle_hold(stored.position, accept=accept)
    lane.positions[key] = msgspec.structs.replace(stored, position=position)
    save_positions(tx, terms.workspace, [lane.positions[key]])
    add_movements(tx, terms.workspace, _movements_of_hold(lane, key, held, case.case_id, actor, accept=accept))
    for draw in lane.draws:
        if draw.position == key and goods:
            add_goods(tx, terms.workspace, draw.pool_id, goods * draw.weight)
    return take_turn(tx, terms, ids, frozenset(), PersonChanged((lane.lane,), "hold decided")).wake


def _movements_of_hold(
    lane: StoredLane, key: PositionKey, held: int, case_id: str, actor: str, *, accept: bool
) -> list[NewMovement]:
    """The counter's movement is in the ledger already; a refused one takes the goods behind it back again."""
    note = f"the held change of {held} units was refused"
    return [
        NewMovement(
            draw.pool_id, "correction", -held * draw.weight, cause=f"{case_id}/{draw.pool_id}", actor=actor, note=note
        )
        for draw in lane.draws
        if draw.position == key and held and not accept
    ]


def _decide_write(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, applied: bool
) -> frozenset[ConnectionName]:
    lane = _lane_of(tx, terms, case)
    intent = lane.intents.get(IntentId(case.subject))
    if intent is None:
        raise RefusedError(f"The write {case.subject} is settled already; nothing was changed.")
    settle_unclear(tx, terms, lane, intent.intent_id, applied=applied, why="person")
    name, item = intent.position.connection, intent.position.item_id
    ask_looks(tx, terms.workspace, name, [Ask("levels", item, int(Urgency.STOCK_READ), tx.now)])
    wake = take_turn(tx, terms, ids, frozenset(), PersonChanged((lane.lane,), "write decided")).wake
    return wake | {name}


def _lane_of(tx: Tx, terms: WorkspaceTerms, case: StoredCase) -> StoredLane:
    lane = LaneKey(case.lane or "")
    found = load_lanes(tx, terms.workspace, [lane], lane_terms(tx, terms)).get(lane)
    if found is None or not found.pools:
        raise RefusedError(f"The SKU of case {case.case_id} is not kept in step any more; nothing was changed.")
    return found


def _position_of(case: StoredCase) -> PositionKey:
    connection, rest = case.subject.split("/", 1)
    item, location = rest.rsplit("@", 1)
    return PositionKey(ConnectionName(connection), ItemId(item), LocationId(location))


def _send_again(tx: Tx, workspace: Workspace, case: StoredCase, connection: ConnectionName) -> None:
    """A refused write to an order is planned once more; the courier sends it as it was."""
    purpose = str((case.payload or {}).get("purpose", ""))
    write_id = replan_refused(tx, workspace, purpose)
    if write_id is None:
        raise RefusedError(f"The write {purpose!r} is not refused any more; nothing was changed.")
    ask_looks(tx, workspace, connection, [Ask(WRITE_LOOK, write_id, int(Urgency.ORDERS), tx.now)])


def _look_again(tx: Tx, workspace: Workspace, case: StoredCase) -> frozenset[ConnectionName]:
    if case.connection is None:
        return frozenset()
    name = ConnectionName(case.connection)
    if case.reason == Reason.ORDER_WRITE_REFUSED:
        _send_again(tx, workspace, case, name)
        return frozenset({name})
    if case.reason in ABOUT_COPIES:
        return read_orders_of_cases(tx, workspace, [case])
    asks = [Ask("store", "all", int(Urgency.ORDERS), tx.now)]
    subject = case.subject.removeprefix(f"{name}/").rsplit("@", 1)[0]
    if case.lane is not None:
        forgive_refusals(tx, workspace, LaneKey(case.lane), name)
        asks.append(Ask("levels", subject, int(Urgency.STOCK_READ), tx.now))
    if case.reason == Reason.ITEM_GONE or (case.lane is None and case.sku is not None):
        asks.append(Ask("catalogue", "all", int(Urgency.PRODUCTS), tx.now))
    ask_looks(tx, workspace, name, asks)
    return frozenset({name})


def _audit(tx: Tx, workspace: Workspace, case: StoredCase, choice: Choice, actor: str, note: str) -> None:
    record = {"case": case.case_id, "reason": case.reason, "choice": choice.value, "note": note}
    row = AuditRow(
        workspace=workspace, kind="case_settled", subject=case.sku or case.subject, actor=actor, record=record
    )
    append(tx, [row])
