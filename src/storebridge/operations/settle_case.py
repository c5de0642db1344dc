"""A person settles a case: accepts or refuses a held change, tells what became of a write, lets a store go on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.errors import NotFoundError, RefusedError
from storebridge.exceptions_queue.reasons import Reason
from storebridge.flows.confirm import left_of
from storebridge.inventory.observe import settle_hold
from storebridge.model.ids import ConnectionName, IntentId, ItemId, LaneKey, LocationId, OrderKey, PoolId, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import PositionKey
from storebridge.model.words import in_units
from storebridge.operations.settle_oversold import Decider, Decision
from storebridge.pipeline.confirm.order_writes import said_since
from storebridge.pipeline.flow import PersonChanged, take_turn
from storebridge.pipeline.order_flow import WRITE_LOOK, OrderTurn
from storebridge.reconcile.doubts import MAY_LAND_UNTIL, settle_unclear
from storebridge.reconcile.orders import read_orders_of_cases
from storebridge.reconcile.sweep import ask_sweep
from storebridge.store.brakes import count_from
from storebridge.store.cases import StoredCase, close_case, get_case
from storebridge.store.copy_deeds import counted_since
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
from storebridge.store.order_writes import replan_write, stopped_write, writes_of_orders
from storebridge.store.policies import lane_terms
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency


class Choice(StrEnum):
    """What a person can say about a case; which ones fit depends on its reason."""

    ACCEPT = "accept"
    """A held change is real: the goods exist (or are gone). So are those of a raise that may have been a copy's."""
    REJECT = "reject"
    """A held change was a mistake: take it back."""
    APPLIED = "applied"
    """An unclear write did take effect, as the vendor's admin shows."""
    NOT_APPLIED = "not_applied"
    RELEASE = "release"
    """Let what was stopped go on."""
    WAIT = "wait"
    """Oversold: the losing orders wait for goods."""
    SUBSTITUTE = "substitute"
    """Oversold: other goods are sent; staff exchange them in the store's admin."""
    SPLIT = "split"
    """Oversold: the goods come from another group of locations that has them."""
    CANCEL = "cancel"
    """Oversold: what is missing of the losing orders is called off and paid back, without restock."""
    RETRY = "retry"
    """Look again now."""
    DONE = "done"
    """Dealt with outside; close it with a note."""


CHOICES = {
    Reason.CHANGE_HELD: {Choice.ACCEPT, Choice.REJECT},
    Reason.COPY_RETURN_UNCLEAR: {Choice.ACCEPT, Choice.REJECT},
    Reason.WRITE_OUTCOME_UNCLEAR: {Choice.APPLIED, Choice.NOT_APPLIED},
    Reason.MASS_ZERO_HELD: {Choice.RELEASE},
    Reason.WRITES_HELD: {Choice.RELEASE},
    Reason.DATABASE_RESTORED: {Choice.RETRY},
    Reason.STORE_CLAIMED: {Choice.RETRY},
    Reason.OVERSOLD: {Choice.WAIT, Choice.SUBSTITUTE, Choice.SPLIT, Choice.CANCEL, Choice.RETRY, Choice.DONE},
}
"""Every other reason takes ``retry`` and ``done``."""
STAY_OPEN = frozenset({Choice.RETRY, Choice.WAIT, Choice.SUBSTITUTE, Choice.CANCEL})
"""After these only proof closes the case."""
ABOUT_LOSERS = frozenset({Choice.WAIT, Choice.SUBSTITUTE, Choice.SPLIT, Choice.CANCEL})
"""These can be decided about some of the losing orders."""
ABOUT_ORDERS = frozenset(
    {Reason.ORDER_NOT_MAPPED, Reason.ORDER_NOT_COPIED, Reason.COPY_DIFFERS, Reason.PARCEL_NOT_TOLD}
)


class Settled(msgspec.Struct, frozen=True):
    """What was decided."""

    case_id: str
    choice: Choice
    closed: bool
    wake: frozenset[ConnectionName] = frozenset()
    told: tuple[str, ...] = ()
    """What is done about each order, in words."""


class About(msgspec.Struct, frozen=True):
    """Of the losing orders of an ``oversold`` case, those that are meant (by key, store's id or name; all when none is
    named), and whether ``cancel`` calls off all that is in them."""

    orders: tuple[str, ...] = ()
    whole: bool = False


EVERYBODY = About()


def settle_case(
    tx: Tx,
    terms: WorkspaceTerms,
    ids: Ids,
    case_id: str,
    choice: Choice,
    *,
    actor: str,
    note: str = "",
    about: About = EVERYBODY,
) -> Settled:
    """Carry out a person's decision. Raises NotFoundError, RefusedError (then nothing was changed)."""
    case = get_case(tx, terms.workspace, case_id)
    if case is None or case.state != "open":
        raise NotFoundError(
            f"There is no open case {case_id!r} in workspace {terms.workspace!r}: it is closed already, or never was "
            "one. Nothing was changed."
        )
    allowed = CHOICES.get(Reason(case.reason), {Choice.RETRY, Choice.DONE})
    if choice not in allowed:
        words = ", ".join(sorted(c.value for c in allowed))
        raise RefusedError(f"A case of {case.reason} takes: {words}; not {choice.value}.")
    _refuse_beside(case, choice, about)
    done = _carry_out(tx, terms, ids, case, choice, actor, about)
    closed = choice not in STAY_OPEN and not about.orders
    if closed:
        close_case(tx, terms.workspace, case_id, closed_by=actor, resolution=f"{choice.value}: {note}".rstrip(": "))
    _audit(tx, terms.workspace, case, choice, actor, note, about)
    return Settled(case_id, choice, closed, done.wake, done.told)


def _refuse_beside(case: StoredCase, choice: Choice, about: About) -> None:
    """Orders are chosen, and whole ones called off, in one kind of case only. Raises RefusedError."""
    if about.orders and choice not in ABOUT_LOSERS:
        words = ", ".join(sorted(c.value for c in ABOUT_LOSERS))
        raise RefusedError(
            f"Orders are chosen of an oversold case and for {words} only, not for {choice.value} of a case of "
            f"{case.reason}; nothing was changed."
        )
    if about.whole and choice is not Choice.CANCEL:
        raise RefusedError(f"Whole orders are called off by cancel, not by {choice.value}; nothing was changed.")


def _carry_out(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, choice: Choice, actor: str, about: About
) -> Decision:
    if choice in ABOUT_LOSERS:
        decider = Decider(tx, terms, ids, case, actor, about.orders)
        if choice is Choice.SPLIT:
            return decider.split()
        return decider.cancel(whole=about.whole) if choice is Choice.CANCEL else decider.note(choice.value)
    return Decision(_act(tx, terms, ids, case, choice, actor))


def _act(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, choice: Choice, actor: str
) -> frozenset[ConnectionName]:
    if case.reason == Reason.COPY_RETURN_UNCLEAR:
        return _book_raise(tx, terms, ids, case, actor) if choice is Choice.ACCEPT else frozenset()
    if choice in (Choice.ACCEPT, Choice.REJECT):
        return _decide_hold(tx, terms, ids, case, choice is Choice.ACCEPT, actor)
    if choice in (Choice.APPLIED, Choice.NOT_APPLIED):
        return _decide_write(tx, terms, ids, case, choice is Choice.APPLIED)
    if case.reason == Reason.WRITES_HELD:
        return _release_writes(tx, terms)
    if choice is Choice.RELEASE:
        lanes = lanes_of_connection(tx, terms.workspace, ConnectionName(case.connection or ""))
        freeze_lanes(tx, terms.workspace, lanes, False)
        return take_turn(tx, terms, ids, frozenset(), PersonChanged(tuple(lanes), "release")).wake
    if choice is Choice.RETRY:
        return _look_again(tx, terms, ids, case)
    return frozenset()


def _release_writes(tx: Tx, terms: WorkspaceTerms) -> frozenset[ConnectionName]:
    """Every counter is read; the turns of those reads plan what was held, and more time may have changed it."""
    count_from(tx, terms.workspace, tx.now)
    for connection in terms.connections:
        ask_sweep(tx, terms, connection, everything=True)
    return frozenset(terms.connections)


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
    note = f"the held change of {in_units(held)} was refused"
    return [
        NewMovement(
            draw.pool_id, "correction", -held * draw.weight, cause=f"{case_id}/{draw.pool_id}", actor=actor, note=note
        )
        for draw in lane.draws
        if draw.position == key and held and not accept
    ]


def _book_raise(tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, actor: str) -> frozenset[ConnectionName]:
    """Staff raised the counter: its units, booked as a copy's doing until now, are goods."""
    lane, details = _lane_of(tx, terms, case), case.payload or {}
    pool_id, units = PoolId(str(details["pool"])), int(details["units"])
    if pool_id not in lane.pools:
        raise RefusedError(f"The SKU of case {case.case_id} is not kept in step any more; nothing was changed.")
    if counted_since(tx, terms.workspace, pool_id, case.opened_at):
        raise RefusedError(
            f"{case.sku} was counted since the case was opened, and that count holds what lay on the shelf: accepting "
            "would book the units twice. Reject closes the case; nothing was changed."
        )
    note = "staff raised a counter at which a copied order said that goods were put back"
    add_movements(
        tx, terms.workspace, [NewMovement(pool_id, "receive", units, cause=case.case_id, actor=actor, note=note)]
    )
    add_goods(tx, terms.workspace, pool_id, units)
    return take_turn(tx, terms, ids, frozenset(), PersonChanged((lane.lane,), "raise accepted")).wake


def _decide_write(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, applied: bool
) -> frozenset[ConnectionName]:
    lane = _lane_of(tx, terms, case)
    intent = lane.intents.get(IntentId(case.subject))
    if intent is None:
        raise RefusedError(f"The write {case.subject} is settled already; nothing was changed.")
    until = (case.payload or {}).get(MAY_LAND_UNTIL)
    if not applied and isinstance(until, str) and tx.now < datetime.fromisoformat(until):
        raise RefusedError(
            f"The write {case.subject} may still take effect until {until}: before that nobody can say that it was not "
            "applied. Say applied as soon as the store's admin shows it, or answer later; nothing was changed."
        )
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


def _send_again(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase, connection: ConnectionName
) -> frozenset[ConnectionName]:
    """A refused or undone write to an order is planned once more. The order's turn comes before the courier: what its
    documents do not ask for any more is not sent."""
    purpose = str((case.payload or {}).get("purpose", ""))
    write = stopped_write(tx, terms.workspace, purpose)
    if write is None:
        raise RefusedError(f"The write {purpose!r} is neither refused nor undone any more; nothing was changed.")
    key = OrderKey(write.order_key)
    beside = writes_of_orders(tx, terms.workspace, [key])[key]
    if left_of(write.write, said_since(beside, write)) is None:
        raise RefusedError(
            f"The write {purpose!r} is out of date: a later one to the same order says the same thing anew, and "
            "this one would bring the old state back. Close the case with done; nothing was changed."
        )
    replan_write(tx, write.write_id, tx.now)
    ask_looks(tx, terms.workspace, connection, [Ask(WRITE_LOOK, write.write_id, int(Urgency.ORDERS), tx.now)])
    turn = OrderTurn(tx, terms, ids)
    turn.changed([key])
    return frozenset({connection, *turn.wake})


def _look_again(tx: Tx, terms: WorkspaceTerms, ids: Ids, case: StoredCase) -> frozenset[ConnectionName]:
    workspace = terms.workspace
    if case.connection is None:
        return frozenset()
    name = ConnectionName(case.connection)
    if case.reason in (Reason.ORDER_WRITE_REFUSED, Reason.ORDER_WRITE_UNDONE):
        return _send_again(tx, terms, ids, case, name)
    if case.reason in ABOUT_ORDERS:
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


def _audit(tx: Tx, workspace: Workspace, case: StoredCase, choice: Choice, actor: str, note: str, about: About) -> None:
    record: dict[str, object] = {"case": case.case_id, "reason": case.reason, "choice": choice.value, "note": note}
    record |= {"orders": list(about.orders)} if about.orders else {}
    record |= {"whole": True} if about.whole else {}
    row = AuditRow(
        workspace=workspace, kind="case_settled", subject=case.sku or case.subject, actor=actor, record=record
    )
    append(tx, [row])
