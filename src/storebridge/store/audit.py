"""The audit tables: rows are only ever appended, and chained shortly after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, func, insert, select, text

from storebridge.model.ids import Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import audit, seals

PAGE_ROWS = 2000
LATE_NUMBERS = 10_000
"""A number may have been drawn before, and stored after, as many others."""


class StoredAudit(msgspec.Struct, frozen=True):
    """One row as stored."""

    number: int
    workspace: str
    at: datetime
    kind: str
    subject: str
    actor: str
    record: str
    """Canonical JSON."""
    digest: str


class Seal(msgspec.Struct, frozen=True):
    """One link of the chain."""

    position: int
    audit_number: int
    link: str
    sealed_at: datetime


_INSERT_AUDIT = Prepared(
    insert(audit).inline(), columns=("workspace", "at", "kind", "subject", "actor", "record", "digest")
)


def insert_audit(tx: HasConnection, rows: Sequence[dict[str, object]]) -> None:
    """Append rows; column names of the table."""
    _INSERT_AUDIT.run_many(tx, rows)


_LAST_SEAL = Prepared(
    select(seals.c.position, seals.c.audit_number, seals.c.link, seals.c.sealed_at)
    .where(seals.c.workspace == bindparam("w"))
    .order_by(seals.c.position.desc())
    .limit(1)
)


def last_seal(tx: HasConnection, workspace: Workspace) -> Seal | None:
    """The end of the chain; locked on PostgreSQL, so that two workers never chain at once."""
    if tx.dialect == "postgresql":
        tx.conn.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"seal/{workspace}"})
    row = _LAST_SEAL.first(tx, w=workspace)
    return None if row is None else Seal(*row)


_SELECT_UNSEALED = (
    select(audit.c.number, audit.c.digest)
    .where(
        audit.c.workspace == bindparam("w"),
        audit.c.number > bindparam("after"),
        ~select(seals.c.position)
        .where(seals.c.workspace == audit.c.workspace, seals.c.audit_number == audit.c.number)
        .exists(),
    )
    .order_by(audit.c.number)
    .limit(bindparam("n"))
)
_BELOW_THE_HORIZON = text(
    "audit.xmin::text::bigint < (pg_snapshot_xmin(pg_current_snapshot())::text::bigint % 4294967296)"
)
_UNSEALED = Prepared(_SELECT_UNSEALED, postgresql=_SELECT_UNSEALED.where(_BELOW_THE_HORIZON))


def unsealed(tx: HasConnection, workspace: Workspace, after: int, limit: int) -> list[tuple[int, str]]:
    """Number and digest of the oldest rows that are not chained yet and that no running transaction can still come
    before; ``after`` is the number of the last chained one. What a row says is in its digest and need not be read.

    A transaction that began earlier may commit a smaller number later; on PostgreSQL rows of transactions younger than
    the oldest running one are therefore left for the next time, and numbers a little below ``after`` are looked at too.
    """
    return [(number, digest) for number, digest in _UNSEALED.all(tx, w=workspace, after=after - LATE_NUMBERS, n=limit)]


_INSERT_SEAL = Prepared(insert(seals).inline(), columns=("workspace", "position", "audit_number", "link", "sealed_at"))


def insert_seals(tx: HasConnection, workspace: Workspace, rows: Sequence[tuple[int, int, str]]) -> None:
    """Links of the chain: (position, audit number, link)."""
    _INSERT_SEAL.run_many(
        tx,
        [
            {"workspace": workspace, "position": p, "audit_number": n, "link": link, "sealed_at": tx.now}
            for p, n, link in rows
        ],
    )


_NEWEST = Prepared(
    select(audit.c.at).where(audit.c.workspace == bindparam("w")).order_by(audit.c.number.desc()).limit(1)
)


def newest_audit_at(tx: HasConnection, workspace: Workspace) -> datetime | None:
    """When something last happened."""
    at: datetime | None = _NEWEST.scalar(tx, w=workspace)
    return at


def walk_chain(tx: HasConnection, workspace: Workspace) -> Iterator[tuple[Seal, StoredAudit | None]]:
    """Every link in order with its row; None where the row is gone."""
    position = 0
    while True:
        page = tx.conn.execute(
            select(seals.c.position, seals.c.audit_number, seals.c.link, seals.c.sealed_at, audit)
            .outerjoin(audit, (audit.c.number == seals.c.audit_number) & (audit.c.workspace == seals.c.workspace))
            .where(seals.c.workspace == workspace, seals.c.position > position)
            .order_by(seals.c.position)
            .limit(PAGE_ROWS)
        ).all()
        for row in page:
            seal, values = Seal(*row[:4]), row[4:]
            yield seal, None if values[0] is None else StoredAudit(*values)
            position = seal.position
        if len(page) < PAGE_ROWS:
            return


def count_unsealed(tx: HasConnection, workspace: Workspace) -> tuple[int, int, datetime | None]:
    """Rows that no link covers: (after the last sealed row, before it, the oldest one's time)."""
    last = select(func.coalesce(func.max(seals.c.audit_number), 0)).where(seals.c.workspace == workspace)
    newest = tx.conn.execute(last).scalar_one()
    sealed = select(seals.c.audit_number).where(seals.c.workspace == workspace)
    rows = tx.conn.execute(
        select(audit.c.number, audit.c.at).where(audit.c.workspace == workspace, audit.c.number.not_in(sealed))
    ).all()
    after = sum(1 for number, _ in rows if number > newest)
    return after, len(rows) - after, min((at for _, at in rows), default=None)
