"""Signals that wait and the looks they wait for.

A look is one row per entity that needs reading. Asking again only raises its number, so a thousand deliveries about one
item cause one read. A signal remembers the number of its asking and is closed by an answer to that number or a later
one: the read was then sent after the signal was dispatched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, case, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, LaneKey, Workspace
from storebridge.model.signals import Flow, SignalState, Source, Stage
from storebridge.store.columns import fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import looks, signals

MOST_LOOKS = 1_000_000
ANY_URGENCY = -1_000
"""Below every urgency."""


class NewSignal(msgspec.Struct, frozen=True):
    """A signal to be stored."""

    workspace: Workspace
    connection: ConnectionName
    source: Source
    flow: Flow
    entity: str
    stage: Stage
    state: SignalState
    stored_at: datetime
    topic: str = ""
    delivery_id: str | None = None
    seen_version: str | None = None
    ours: bool | None = None
    lane: LaneKey | None = None
    look_number: int | None = None
    closed_at: datetime | None = None
    note: str | None = None


class NewlyStored(msgspec.Struct, frozen=True):
    """A signal that nobody has routed yet."""

    seq: int
    workspace: Workspace
    connection: ConnectionName
    flow: Flow
    entity: str


class WaitingSignal(msgspec.Struct, frozen=True):
    """A routed signal of a lane that is not closed."""

    seq: int
    lane: LaneKey
    connection: ConnectionName
    entity: str
    look_number: int
    seen_version: str | None
    stored_at: datetime


class Ask(msgspec.Struct, frozen=True):
    """A look to be asked for."""

    kind: str
    key: str
    urgency: int
    due_at: datetime


class ClaimedLook(msgspec.Struct, frozen=True):
    """A look that is being read: the answer counts for askings up to ``number``."""

    kind: str
    key: str
    number: int
    urgency: int
    due_at: datetime
    attempts: int


_INSERT_SIGNAL = Prepared(insert(signals).inline(), columns=NewSignal.__struct_fields__)


def insert_signals(tx: HasConnection, rows: Sequence[NewSignal]) -> None:
    """Store signals in the order given."""
    _INSERT_SIGNAL.run_many(tx, [msgspec.structs.asdict(row) for row in rows])


_NEW = (signals.c.state == fixed(SignalState.WAITING.value)) & (signals.c.stage == fixed(Stage.INGEST.value))
_RANKED = (
    select(
        signals.c.seq,
        signals.c.workspace,
        signals.c.connection,
        signals.c.flow,
        signals.c.entity,
        func.row_number().over(partition_by=signals.c.workspace, order_by=signals.c.seq).label("place"),
    )
    .where(_NEW)
    .subquery()
)
_NEW_SIGNALS = Prepared(
    select(_RANKED.c.seq, _RANKED.c.workspace, _RANKED.c.connection, _RANKED.c.flow, _RANKED.c.entity)
    .order_by(_RANKED.c.place, _RANKED.c.seq)
    .limit(bindparam("n"))
)
_LOCK_NEW = Prepared(
    select(signals.c.seq)
    .where(one_of(signals.c.seq, "seqs"), _NEW)
    .order_by(signals.c.seq)
    .with_for_update(skip_locked=True)
)


def take_new_signals(tx: HasConnection, limit: int) -> list[NewlyStored]:
    """The oldest signals that are not routed, at most ``limit``, shared fairly between workspaces."""
    found = [
        NewlyStored(seq, workspace, connection, Flow(flow), entity)
        for seq, workspace, connection, flow, entity in _NEW_SIGNALS.all(tx, n=limit)
    ]
    if tx.dialect == "postgresql" and found:
        free = {seq for (seq,) in _LOCK_NEW.all(tx, seqs=[row.seq for row in found])}
        found = [row for row in found if row.seq in free]
    return sorted(found, key=lambda row: row.seq)


def who_made_version(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, entity: str, version: str
) -> bool | None:
    """Whether deliveries say that our own app made this version of an entity; None when none says it."""
    found = tx.conn.execute(
        select(signals.c.ours)
        .where(
            signals.c.workspace == workspace,
            signals.c.connection == connection,
            signals.c.flow == Flow.STOCK.value,
            signals.c.entity == entity,
            signals.c.seen_version == version,
            signals.c.ours.is_not(None),
        )
        .limit(1)
    ).scalar()
    return None if found is None else bool(found)


_ROUTE_SIGNAL = Prepared(
    update(signals)
    .where(signals.c.seq == bindparam("q"))
    .values(stage=Stage.NORMALIZE.value, lane=bindparam("l"), look_number=bindparam("n"))
)


def route_signals(tx: HasConnection, routes: Sequence[tuple[int, LaneKey | None, int]]) -> None:
    """Note lane and look number of signals: (seq, lane, number)."""
    _ROUTE_SIGNAL.run_many(tx, [{"q": seq, "l": lane, "n": number} for seq, lane, number in routes])


_CLOSE_SIGNALS = Prepared(
    update(signals)
    .where(one_of(signals.c.seq, "seqs"), signals.c.state == fixed(SignalState.WAITING.value))
    .values(state=bindparam("s"), stage=Stage.CONFIRM.value, closed_at=bindparam("now"), note=bindparam("why"))
)


def close_signals(tx: HasConnection, seqs: Collection[int], state: SignalState, note: str) -> None:
    if seqs:
        _CLOSE_SIGNALS.run(tx, seqs=seqs, s=state.value, now=tx.now, why=note)


_WAITING_OF_LANES = Prepared(
    select(
        signals.c.seq,
        signals.c.lane,
        signals.c.connection,
        signals.c.entity,
        signals.c.look_number,
        signals.c.seen_version,
        signals.c.stored_at,
    )
    .where(
        signals.c.workspace == bindparam("w"),
        one_of(signals.c.lane, "lanes"),
        signals.c.state == fixed(SignalState.WAITING.value),
    )
    .order_by(signals.c.seq)
)


def waiting_of_lanes(tx: HasConnection, workspace: Workspace, lanes: Collection[LaneKey]) -> list[WaitingSignal]:
    """Open, routed signals of lanes, oldest first."""
    return [WaitingSignal(*row) for row in _WAITING_OF_LANES.all(tx, w=workspace, lanes=lanes)]


_WAITING_OF_FLOW = Prepared(
    select(signals.c.seq, signals.c.entity, signals.c.look_number).where(
        signals.c.workspace == bindparam("w"),
        signals.c.connection == bindparam("c"),
        signals.c.flow == bindparam("f"),
        signals.c.state == fixed(SignalState.WAITING.value),
        signals.c.look_number.is_not(None),
    )
)


def waiting_of_entities(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, flow: Flow, up_to: Mapping[str, int]
) -> list[int]:
    """Open signals of entities whose look number is covered: entity to the number that was answered."""
    found = _WAITING_OF_FLOW.all(tx, w=workspace, c=connection, f=flow.value)
    everything = up_to.get("all")
    covered: list[int] = []
    for seq, entity, number in found:
        limit = everything if everything is not None else up_to.get(entity)
        if limit is not None and number <= limit:
            covered.append(seq)
    return covered


_MOVE_SIGNALS = Prepared(
    update(signals)
    .where(
        signals.c.workspace == bindparam("w"),
        one_of(signals.c.lane, "lanes"),
        signals.c.state == fixed(SignalState.WAITING.value),
        signals.c.stage != bindparam("to"),
    )
    .values(stage=bindparam("to"))
)


def move_signals(tx: HasConnection, workspace: Workspace, lanes: Collection[LaneKey], stage: Stage) -> None:
    """Note how far the open signals of lanes have come."""
    if lanes:
        _MOVE_SIGNALS.run(tx, w=workspace, lanes=lanes, to=stage.value)


_RENUMBER_SIGNALS = Prepared(update(signals).where(one_of(signals.c.seq, "seqs")).values(look_number=bindparam("n")))


def renumber_signals(tx: HasConnection, seqs: Collection[int], number: int) -> None:
    """These signals were not answered by the last read and wait for a later one."""
    if seqs:
        _RENUMBER_SIGNALS.run(tx, seqs=seqs, n=number)


def _ask_look(dialect: Any, sooner: Any) -> Any:
    """Insert a look, or raise its number; urgency and due time only ever tighten while it waits."""
    upsert = dialect.insert(looks)
    waiting = looks.c.asked > looks.c.answered
    given = upsert.excluded
    return upsert.on_conflict_do_update(
        index_elements=[looks.c.workspace, looks.c.connection, looks.c.kind, looks.c.key],
        set_={
            "asked": looks.c.asked + 1,
            "priority": case((waiting, sooner(looks.c.priority, given.priority)), else_=given.priority),
            "due_at": case((waiting, sooner(looks.c.due_at, given.due_at)), else_=given.due_at),
        },
    ).returning(looks.c.kind, looks.c.key, looks.c.asked)


_ASK_LOOK = Prepared(
    _ask_look(sqlite, func.min),
    postgresql=_ask_look(postgresql, func.least),
    columns=("workspace", "connection", "kind", "key", "asked", "answered", "priority", "due_at", "attempts"),
)


def ask_looks(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, asks: Sequence[Ask]
) -> dict[tuple[str, str], int]:
    """Ask for reads; returns the number of each asking by (kind, key). Urgency and due time only ever tighten."""
    if not asks:
        return {}
    ordered = sorted(asks, key=lambda ask: (ask.kind, ask.key))
    found = _ASK_LOOK.each(
        tx,
        [
            {
                "workspace": workspace,
                "connection": connection,
                "kind": ask.kind,
                "key": ask.key,
                "asked": 1,
                "answered": 0,
                "priority": ask.urgency,
                "due_at": ask.due_at,
                "attempts": 0,
            }
            for ask in ordered
        ],
    )
    return {(kind, key): asked for kind, key, asked in found}


_WAITING_LOOKS = Prepared(
    select(looks.c.kind, looks.c.key, looks.c.asked, looks.c.priority, looks.c.due_at, looks.c.attempts)
    .where(
        looks.c.workspace == bindparam("w"),
        looks.c.connection == bindparam("c"),
        looks.c.asked > looks.c.answered,
        looks.c.priority > bindparam("p"),
        looks.c.due_at <= bindparam("now"),
    )
    .order_by(looks.c.priority, looks.c.due_at, looks.c.key)
    .limit(bindparam("n"))
)


def waiting_looks(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    *,
    limit: int,
    beyond: int | None = None,
) -> list[ClaimedLook]:
    """Looks that are due, most urgent first; with ``beyond`` only those that are less urgent than that. Claiming is in
    memory: only one courier reads for a connection."""
    least = ANY_URGENCY if beyond is None else beyond
    rows = _WAITING_LOOKS.all(tx, w=workspace, c=connection, p=least, now=tx.now, n=limit)
    return [ClaimedLook(*row) for row in rows]


_OLDEST_BY_URGENCY = Prepared(
    select(looks.c.priority, func.min(looks.c.due_at))
    .where(
        looks.c.workspace == bindparam("w"),
        looks.c.connection == bindparam("c"),
        looks.c.asked > looks.c.answered,
        looks.c.priority > bindparam("p"),
        looks.c.due_at <= bindparam("now"),
    )
    .group_by(looks.c.priority)
)


def oldest_by_urgency(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, *, beyond: int
) -> dict[int, datetime]:
    """Since when looks that are less urgent than ``beyond`` are due, those that are being read among them."""
    return dict(_OLDEST_BY_URGENCY.all(tx, w=workspace, c=connection, p=beyond, now=tx.now))


_GATHERING_LOOKS = Prepared(
    select(looks.c.kind, looks.c.key, looks.c.asked, looks.c.priority, looks.c.due_at, looks.c.attempts)
    .where(
        looks.c.workspace == bindparam("w"),
        looks.c.connection == bindparam("c"),
        looks.c.kind == bindparam("k"),
        looks.c.asked > looks.c.answered,
        looks.c.priority == bindparam("p"),
        looks.c.due_at > bindparam("now"),
        looks.c.attempts == 0,
    )
    .order_by(looks.c.due_at, looks.c.key)
    .limit(bindparam("n"))
)


def gathering_looks(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, kind: str, urgency: int, *, limit: int
) -> list[ClaimedLook]:
    """Looks of one kind and urgency that are not due yet, the earliest first; none whose read failed."""
    rows = _GATHERING_LOOKS.all(tx, w=workspace, c=connection, k=kind, p=urgency, now=tx.now, n=limit)
    return [ClaimedLook(*row) for row in rows]


def due_of_kind(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, kind: str
) -> tuple[ClaimedLook, ...]:
    """Looks of one kind that are due."""
    found = _WAITING_LOOKS.all(tx, w=workspace, c=connection, p=ANY_URGENCY, now=tx.now, n=MOST_LOOKS)
    return tuple(look for look in (ClaimedLook(*row) for row in found) if look.kind == kind)


_LOOK_NUMBERS = Prepared(
    select(looks.c.key, looks.c.answered).where(
        looks.c.workspace == bindparam("w"),
        looks.c.connection == bindparam("c"),
        looks.c.kind == bindparam("k"),
        one_of(looks.c.key, "keys"),
    )
)


def look_numbers(
    tx: HasConnection, workspace: Workspace, kind: str, keys: Collection[tuple[ConnectionName, str]]
) -> dict[tuple[ConnectionName, str], int]:
    """Up to which asking each look was answered, by (connection, key)."""
    grouped: defaultdict[ConnectionName, set[str]] = defaultdict(set)
    for connection, key in keys:
        grouped[connection].add(key)
    return {
        (connection, key): answered
        for connection, wanted in sorted(grouped.items())
        for key, answered in _LOOK_NUMBERS.all(tx, w=workspace, c=connection, k=kind, keys=wanted)
    }


_THIS_LOOK = (
    (looks.c.workspace == bindparam("w"))
    & (looks.c.connection == bindparam("c"))
    & (looks.c.kind == bindparam("k"))
    & (looks.c.key == bindparam("y"))
)
_ANSWER_LOOK = Prepared(
    update(looks).where(_THIS_LOOK, looks.c.answered < bindparam("n")).values(answered=bindparam("n"), attempts=0)
)
_COUNT_ATTEMPTS = Prepared(update(looks).where(_THIS_LOOK).values(attempts=bindparam("a")))
_DELAY_LOOK = Prepared(update(looks).where(_THIS_LOOK).values(due_at=bindparam("d"), attempts=looks.c.attempts + 1))


def answer_looks(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, claimed: Iterable[ClaimedLook]
) -> None:
    """The read that was sent for these askings came back."""
    rows = [
        {"w": workspace, "c": connection, "k": look.kind, "y": look.key, "n": look.number}
        for look in sorted(claimed, key=lambda look: (look.kind, look.key))
    ]
    _ANSWER_LOOK.run_many(tx, rows)


def count_attempts(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    kind: str,
    attempts: Mapping[str, int],
) -> None:
    """Remember how often a read of these keys did not show what was expected."""
    _COUNT_ATTEMPTS.run_many(
        tx,
        [{"w": workspace, "c": connection, "k": kind, "y": key, "a": count} for key, count in sorted(attempts.items())],
    )


def delay_looks(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    claimed: Iterable[ClaimedLook],
    pause: timedelta,
) -> None:
    """A read failed: its looks are due again after ``pause``."""
    due_at = tx.now + pause
    rows = [
        {"w": workspace, "c": connection, "k": look.kind, "y": look.key, "d": due_at}
        for look in sorted(claimed, key=lambda look: (look.kind, look.key))
    ]
    _DELAY_LOOK.run_many(tx, rows)


def hasten_looks(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> None:
    """The store answers again: looks whose read failed need not wait any longer."""
    _HASTEN_LOOKS.run(tx, w=workspace, c=connection, now=tx.now)


_HASTEN_LOOKS = Prepared(
    update(looks)
    .where(
        looks.c.workspace == bindparam("w"),
        looks.c.connection == bindparam("c"),
        looks.c.asked > looks.c.answered,
        looks.c.attempts > 0,
        looks.c.due_at > bindparam("now"),
    )
    .values(due_at=bindparam("now"))
)


def reopen_signals(tx: HasConnection, workspace: Workspace, event: str) -> list[ConnectionName]:
    """Let an event's signals wait again, to be routed and read anew; returns their connections.

    ``event`` is a delivery id, or the number of a signal.
    """
    named = signals.c.delivery_id == event
    if event.isdigit():
        named = named | (signals.c.seq == int(event))
    found = tx.conn.execute(
        select(signals.c.seq, signals.c.connection).where(signals.c.workspace == workspace, named)
    ).all()
    if found:
        tx.conn.execute(
            update(signals)
            .where(signals.c.seq.in_([seq for seq, _ in found]))
            .values(
                stage=Stage.INGEST.value,
                state=SignalState.WAITING.value,
                look_number=None,
                closed_at=None,
                note="replayed",
            )
        )
    return [ConnectionName(connection) for _, connection in found]
