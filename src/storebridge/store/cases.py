"""Cases as stored: at most one open case per reason and subject; closed ones stay as history."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, insert, or_, select, update

from storebridge.model.ids import ConnectionName, LaneKey, OrderKey, PoolId, Workspace
from storebridge.store.columns import fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import cases


class NewCase(msgspec.Struct, frozen=True):
    """A case to be opened, or counted once more."""

    workspace: Workspace
    reason: str
    subject: str
    connection: ConnectionName | None
    sku: str | None
    lane: LaneKey | None
    field: str
    sentence: str
    payload: Mapping[str, Any]
    whose_move: str


class StoredCase(msgspec.Struct, frozen=True):
    """A case with its whole life."""

    case_id: str
    reason: str
    state: str
    """open | resolved"""
    subject: str
    connection: str | None
    sku: str | None
    lane: str | None
    field: str
    sentence: str
    payload: dict[str, Any] | None
    whose_move: str
    retry_at: datetime | None
    occurrences: int
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    closed_by: str
    resolution: str


COLUMNS = tuple(cases.c[name] for name in StoredCase.__struct_fields__)


def open_cases(tx: HasConnection, rows: Sequence[NewCase]) -> list[bool]:
    """Open cases, or count once more those that are open; says for each whether it is new."""
    if not rows:
        return []
    is_open = _open_names(tx, {(row.workspace, row.reason, row.subject) for row in rows})
    new: list[bool] = []
    again: list[NewCase] = []
    fresh: list[NewCase] = []
    for row in rows:
        name = (row.workspace, row.reason, row.subject)
        new.append(name not in is_open)
        (again if name in is_open else fresh).append(row)
        is_open.add(name)
    earlier = _times_opened(tx, fresh)
    _OPEN.run_many(tx, [_as_row(row, earlier, tx.now) for row in fresh])
    _count_again(tx, again)
    return new


_OPEN = Prepared(
    insert(cases).inline(), columns=(*NewCase.__struct_fields__, "case_id", "state", "opened_at", "last_seen_at")
)
_OPEN_CASES = Prepared(
    select(cases.c.workspace, cases.c.reason, cases.c.subject).where(
        one_of(cases.c.workspace, "workspaces"),
        one_of(cases.c.reason, "reasons"),
        one_of(cases.c.subject, "subjects"),
        cases.c.state == fixed("open"),
    )
)

_CASES_EVER = Prepared(
    select(cases.c.workspace, cases.c.reason, cases.c.subject, func.count())
    .where(
        one_of(cases.c.workspace, "workspaces"),
        one_of(cases.c.reason, "reasons"),
        one_of(cases.c.subject, "subjects"),
    )
    .group_by(cases.c.workspace, cases.c.reason, cases.c.subject)
)


def _open_names(tx: HasConnection, names: Collection[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    if not names:
        return set()
    workspaces, reasons, subjects = (set(column) for column in zip(*names, strict=True))
    found = _OPEN_CASES.all(tx, workspaces=workspaces, reasons=reasons, subjects=subjects)
    return {(workspace, reason, subject) for workspace, reason, subject in found} & set(names)


def open_subjects(
    tx: HasConnection, workspace: Workspace, reasons: Collection[str], subjects: Collection[str]
) -> set[tuple[str, str]]:
    """(reason, subject) of the open cases of these reasons about these subjects."""
    if not subjects:
        return set()
    found = _OPEN_CASES.all(tx, workspaces=[workspace], reasons=reasons, subjects=subjects)
    return {(reason, subject) for _, reason, subject in found}


def _times_opened(tx: HasConnection, rows: Iterable[NewCase]) -> dict[tuple[str, str, str], int]:
    names = {(row.workspace, row.reason, row.subject) for row in rows}
    if not names:
        return {}
    workspaces, reasons, subjects = (set(column) for column in zip(*names, strict=True))
    found = _CASES_EVER.all(tx, workspaces=workspaces, reasons=reasons, subjects=subjects)
    return {(workspace, reason, subject): count for workspace, reason, subject, count in found}


def _as_row(row: NewCase, earlier: Mapping[tuple[str, str, str], int], now: datetime) -> dict[str, object]:
    name = (row.workspace, row.reason, row.subject)
    return {
        **msgspec.structs.asdict(row),
        "payload": dict(row.payload),
        "case_id": case_id_of(*name, earlier.get(name, 0)),
        "state": "open",
        "opened_at": now,
        "last_seen_at": now,
    }


def case_id_of(workspace: str, reason: str, subject: str, earlier: int) -> str:
    """The same doubt gets the same id in every run of a simulation; ``earlier`` cases of it make it another."""
    text = "\x1f".join((workspace, reason, subject, str(earlier)))
    return f"case_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _count_again(tx: HasConnection, rows: Iterable[NewCase]) -> None:
    values = [
        {
            "w": row.workspace,
            "r": row.reason,
            "s": row.subject,
            "now": tx.now,
            "t": row.sentence,
            "p": dict(row.payload),
        }
        for row in rows
    ]
    _COUNT_AGAIN.run_many(tx, values)


_OPEN_CASE = (
    cases.c.workspace == bindparam("w"),
    cases.c.reason == bindparam("r"),
    cases.c.subject == bindparam("s"),
    cases.c.state == fixed("open"),
)
_COUNT_AGAIN = Prepared(
    update(cases)
    .where(*_OPEN_CASE)
    .values(
        occurrences=cases.c.occurrences + 1,
        last_seen_at=bindparam("now"),
        sentence=bindparam("t"),
        payload=bindparam("p"),
    )
)


def close_cases(
    tx: HasConnection, workspace: Workspace, closings: Sequence[tuple[str, str, str]], *, closed_by: str
) -> list[tuple[str, str, str]]:
    """Close open cases: (reason, subject, proof); returns those that were open."""
    open_now = {
        (reason, subject)
        for _, reason, subject in _open_names(tx, {(workspace, reason, subject) for reason, subject, _ in closings})
    }
    done = [closing for closing in closings if (closing[0], closing[1]) in open_now]
    told = {"w": workspace, "now": tx.now, "who": closed_by}
    _CLOSE.run_many(tx, [{**told, "r": reason, "s": subject, "p": proof[:500]} for reason, subject, proof in done])
    return done


_CLOSE = Prepared(
    update(cases)
    .where(*_OPEN_CASE)
    .values(state="resolved", closed_at=bindparam("now"), closed_by=bindparam("who"), resolution=bindparam("p"))
)


_OPEN_OF_LANES = Prepared(
    select(cases.c.reason, cases.c.subject).where(
        cases.c.workspace == bindparam("w"), one_of(cases.c.lane, "lanes"), cases.c.state == fixed("open")
    )
)


def open_subjects_of_lanes(tx: HasConnection, workspace: Workspace, lanes: Iterable[LaneKey]) -> set[tuple[str, str]]:
    """(reason, subject) of the open cases of lanes."""
    return {(reason, subject) for reason, subject in _OPEN_OF_LANES.all(tx, w=workspace, lanes=lanes)}


def open_subjects_of_reason(tx: HasConnection, workspace: Workspace, reason: str) -> set[str]:
    """What the open cases of one reason are about."""
    return {subject for (subject,) in _OPEN_SUBJECTS.all(tx, w=workspace, r=reason)}


_OPEN_SUBJECTS = Prepared(
    select(cases.c.subject).where(
        cases.c.workspace == bindparam("w"), cases.c.reason == bindparam("r"), cases.c.state == fixed("open")
    )
)


def open_cases_of_stores(
    tx: HasConnection, workspace: Workspace, reasons: Collection[str]
) -> list[tuple[str, str, ConnectionName, str | None]]:
    """(reason, subject, store, SKU) of the open cases of some reasons that are about one store."""
    at = cases.c
    mine = (at.workspace == workspace) & at.reason.in_(reasons) & (at.state == fixed("open"))
    query = select(at.reason, at.subject, at.connection, at.sku).where(mine, at.connection.is_not(None))
    return [(r, s, ConnectionName(c), sku) for r, s, c, sku in tx.conn.execute(query.order_by(at.reason, at.subject))]


_OPEN_OF_REASON = Prepared(
    select(*COLUMNS)
    .where(cases.c.workspace == bindparam("w"), cases.c.reason == bindparam("r"), cases.c.state == fixed("open"))
    .order_by(cases.c.opened_at, cases.c.case_id)
    .limit(bindparam("most"))
)


def open_cases_of_reason(tx: HasConnection, workspace: Workspace, reason: str, limit: int) -> list[StoredCase]:
    """The open cases of one reason, the oldest first, with their evidence."""
    return [StoredCase(*row) for row in _OPEN_OF_REASON.all(tx, w=workspace, r=reason, most=limit)]


def open_cases_of_order(
    tx: HasConnection, workspace: Workspace, order_key: OrderKey, pool_ids: Collection[PoolId]
) -> list[StoredCase]:
    """The open cases about an order itself, a copy or a write of it, or a pool in which it is among the losers."""
    at = cases.c
    itself = or_(at.subject == order_key, at.subject.startswith(f"{order_key}/", autoescape=True))
    lost = (at.reason == "oversold") & at.subject.in_(pool_ids)
    query = select(*COLUMNS).where(at.workspace == workspace, at.state == fixed("open"), or_(itself, lost))
    return [StoredCase(*tuple(row)) for row in tx.conn.execute(query.order_by(at.opened_at, at.case_id))]


def last_case(tx: HasConnection, workspace: Workspace, reason: str, subject: str) -> StoredCase | None:
    """The newest case of one reason about one subject, open or closed; None when there never was one."""
    at = cases.c
    mine = (at.workspace == workspace) & (at.reason == reason) & (at.subject == subject)
    query = select(*COLUMNS).where(mine).order_by(at.opened_at.desc(), at.state, at.case_id)
    row = tx.conn.execute(query.limit(1)).first()
    return None if row is None else StoredCase(*tuple(row))


def get_case(tx: HasConnection, workspace: Workspace, case_id: str) -> StoredCase | None:
    """A case by its id; None when there is none."""
    row = tx.conn.execute(select(*COLUMNS).where(cases.c.workspace == workspace, cases.c.case_id == case_id)).first()
    return None if row is None else StoredCase(*tuple(row))


def close_case(tx: HasConnection, workspace: Workspace, case_id: str, *, closed_by: str, resolution: str) -> None:
    """A person closed a case."""
    tx.conn.execute(
        update(cases)
        .where(cases.c.workspace == workspace, cases.c.case_id == case_id, cases.c.state == fixed("open"))
        .values(state="resolved", closed_at=tx.now, closed_by=closed_by, resolution=resolution[:500])
    )
