"""Statements of days: which have to be made, the versions that were made, and what they are made from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.days import bounds_of, day_of
from storebridge.model.ids import ConnectionName, OrderId, OrderKey, Workspace
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.settlement import KeptStatement, Statement
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.sales import COPY, DOCUMENTS_AT_ONCE, ORDER
from storebridge.store.statement_lines import WHOLE_EVERY, begins_anew, pack, unpack
from storebridge.store.tables import copies, sales
from storebridge.store.tables_settlement import sales_money, settlement_days, settlements

GRACE = timedelta(hours=1)
"""A day is settled so long after its end: the night's orders are read by then."""
GATHERS = timedelta(minutes=5)
"""Changes of a day that is over are gathered for so long."""


class DueDay(msgspec.Struct, frozen=True):
    """A day whose statement has to be made; ``asked`` is the number that making it now answers."""

    day: date
    asked: int


class StatementHead(msgspec.Struct, frozen=True):
    """The newest version of a day, without its lines."""

    version: int
    made_at: datetime
    digest: str
    statement: Statement


# which days


def ask_statements(tx: HasConnection, terms: WorkspaceTerms, days: Collection[date]) -> None:
    """Something of these days changed: their statements have to be made anew. Days that are not over yet are settled
    after their end anyway."""
    today = day_of(tx.now, terms.time_zone)
    rows = [
        {
            "workspace": terms.workspace,
            "day": day.isoformat(),
            "asked": 1,
            "answered": 0,
            "due_at": max(bounds_of(day, terms.time_zone)[1] + GRACE, tx.now + GATHERS),
        }
        for day in sorted(set(days))
        if day < today
    ]
    _ASK.run_many(tx, rows)


def _ask_day(dialect: Any) -> Any:
    """Insert a day, or raise its number; while it waits, its time only ever comes nearer."""
    upsert = dialect.insert(settlement_days)
    mine, given = settlement_days.c, upsert.excluded
    sooner = (mine.asked > mine.answered) & (mine.due_at < given.due_at)
    return upsert.on_conflict_do_update(
        index_elements=[mine.workspace, mine.day],
        set_={"asked": mine.asked + 1, "due_at": case((sooner, mine.due_at), else_=given.due_at)},
    )


_ASK = Prepared(
    _ask_day(sqlite),
    postgresql=_ask_day(postgresql),
    columns=("workspace", "day", "asked", "answered", "due_at"),
)


def ensure_day(tx: HasConnection, workspace: Workspace, day: date, due_at: datetime) -> None:
    """A day that is over gets a statement even when nothing happened on it."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    row = {"workspace": workspace, "day": day.isoformat(), "asked": 1, "answered": 0, "due_at": due_at}
    tx.conn.execute(
        dialect.insert(settlement_days).values(**row).on_conflict_do_nothing(index_elements=["workspace", "day"])
    )


def newest_day(tx: HasConnection, workspace: Workspace) -> date | None:
    """The last day that has a statement. Not the last one that was asked for: after a stop a sale of yesterday may be
    read before the days between are known to be over."""
    found = _NEWEST_DAY.scalar(tx, w=workspace)
    return None if found is None else date.fromisoformat(found)


def oldest_asked(tx: HasConnection, workspace: Workspace) -> date | None:
    """The first day that was ever asked for."""
    found = _OLDEST_ASKED.scalar(tx, w=workspace)
    return None if found is None else date.fromisoformat(found)


_OLDEST_ASKED = Prepared(
    select(settlement_days.c.day)
    .where(settlement_days.c.workspace == bindparam("w"))
    .order_by(settlement_days.c.day)
    .limit(1)
)
_NEWEST_DAY = Prepared(
    select(settlements.c.day)
    .where(settlements.c.workspace == bindparam("w"))
    .order_by(settlements.c.day.desc())
    .limit(1)
)


def due_days(tx: HasConnection, workspace: Workspace, limit: int) -> list[DueDay]:
    """Days that wait for their statement, the oldest asking first."""
    found = _DUE_DAYS.all(tx, w=workspace, now=tx.now, n=limit)
    return [DueDay(date.fromisoformat(day), asked) for day, asked in found]


_DUE_DAYS = Prepared(
    select(settlement_days.c.day, settlement_days.c.asked)
    .where(
        settlement_days.c.workspace == bindparam("w"),
        settlement_days.c.asked > settlement_days.c.answered,
        settlement_days.c.due_at <= bindparam("now"),
    )
    .order_by(settlement_days.c.due_at, settlement_days.c.day)
    .limit(bindparam("n"))
)


def answer_day(tx: HasConnection, workspace: Workspace, due: DueDay, again_at: datetime | None) -> bool:
    """The statement is made; False when somebody else answered that asking, or a later one. ``again_at``: when it has
    to be looked at again, whatever happens."""
    mine = (settlement_days.c.workspace == workspace) & (settlement_days.c.day == due.day.isoformat())
    answered = update(settlement_days).where(mine, settlement_days.c.answered < due.asked).values(answered=due.asked)
    if not tx.conn.execute(answered).rowcount:
        return False
    if again_at is not None:
        unasked = settlement_days.c.asked == due.asked
        tx.conn.execute(update(settlement_days).where(mine, unasked).values(asked=due.asked + 1, due_at=again_at))
    return True


def postpone_day(tx: HasConnection, workspace: Workspace, due: DueDay, until: datetime) -> None:
    """The statement could not be made; it is asked for still."""
    mine = (settlement_days.c.workspace == workspace) & (settlement_days.c.day == due.day.isoformat())
    tx.conn.execute(update(settlement_days).where(mine).values(due_at=until))


# versions


def digest_of(statement: Statement) -> str:
    """The fingerprint of a statement: the same content, the same digest. When books were read, and since when they are
    known, is no content: what a day misses of them stands in its gaps."""
    told = {
        name: msgspec.structs.replace(books, read_at=None, covers_from=None) for name, books in statement.books.items()
    }
    plain = msgspec.structs.replace(statement, books=told)
    return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()


def newest_head(tx: HasConnection, workspace: Workspace, day: date) -> StatementHead | None:
    """The newest version of a day, without its lines."""
    query = _heads(workspace).where(settlements.c.day == day.isoformat())
    row = tx.conn.execute(query.order_by(settlements.c.version.desc()).limit(1)).first()
    return None if row is None else _head(row)


def add_version(tx: HasConnection, workspace: Workspace, statement: Statement, version: int, digest: str) -> None:
    """Keep a new version: its sums, and what changed of its lines since the version before."""
    head = msgspec.structs.replace(statement, lines=())
    before = None if begins_anew(version) else load_version(tx, workspace, statement.day, version - 1)
    tx.conn.execute(
        settlements.insert().values(
            workspace=workspace,
            day=statement.day.isoformat(),
            version=version,
            made_at=tx.now,
            state=statement.state.value,
            digest=digest,
            head=msgspec.to_builtins(head),
            document=pack(statement.lines, version, before.statement.lines if before else None),
        )
    )


def load_version(
    tx: HasConnection, workspace: Workspace, day: date, version: int | None = None
) -> KeptStatement | None:
    """A version as it was made; the newest unless told. None when there is none."""
    query = _heads(workspace).where(settlements.c.day == day.isoformat())
    if version is not None:
        query = query.where(settlements.c.version == version)
    row = tx.conn.execute(query.order_by(settlements.c.version.desc()).limit(1)).first()
    if row is None:
        return None
    lines = unpack(_documents(tx, workspace, day, row.version), row.version)
    statement = msgspec.structs.replace(msgspec.convert(row.head, Statement), lines=lines)
    return KeptStatement(row.version, row.made_at, row.digest, statement)


def _documents(tx: HasConnection, workspace: Workspace, day: date, version: int) -> dict[int, bytes]:
    """What is stored of a version, and of those before it that it may rest on."""
    query = select(settlements.c.version, settlements.c.document).where(
        settlements.c.workspace == workspace,
        settlements.c.day == day.isoformat(),
        settlements.c.version <= version,
        settlements.c.version > version - WHOLE_EVERY,
    )
    return {number: bytes(document) for number, document in tx.conn.execute(query)}


def list_heads(
    tx: HasConnection,
    workspace: Workspace,
    *,
    since: date | None = None,
    until: date | None = None,
    before: date | None = None,
    limit: int = 100,
) -> list[StatementHead]:
    """The newest version of each day, the newest day first."""
    newest = (
        select(settlements.c.day, func.max(settlements.c.version).label("version"))
        .where(settlements.c.workspace == workspace)
        .group_by(settlements.c.day)
        .subquery()
    )
    query = _heads(workspace).join(
        newest, (newest.c.day == settlements.c.day) & (newest.c.version == settlements.c.version)
    )
    if since is not None:
        query = query.where(settlements.c.day >= since.isoformat())
    if until is not None:
        query = query.where(settlements.c.day <= until.isoformat())
    if before is not None:
        query = query.where(settlements.c.day < before.isoformat())
    return [_head(row) for row in tx.conn.execute(query.order_by(settlements.c.day.desc()).limit(limit))]


def unsettled_days(tx: HasConnection, workspace: Workspace, since: date) -> list[date]:
    """Days whose newest statement is not settled."""
    heads = list_heads(tx, workspace, since=since, limit=1000)
    return [one.statement.day for one in heads if one.statement.state != "settled"]


def _heads(workspace: Workspace) -> Any:
    columns = (settlements.c.version, settlements.c.made_at, settlements.c.digest, settlements.c.head)
    return select(*columns).where(settlements.c.workspace == workspace)


def _head(row: Any) -> StatementHead:
    return StatementHead(row.version, row.made_at, row.digest, msgspec.convert(row.head, Statement))


# what statements are made from

_SOLD = (sales.c.order_key, ORDER)
_MOVED = Prepared(
    select(sales_money.c.order_key)
    .where(
        sales_money.c.workspace == bindparam("w"),
        sales_money.c.at >= bindparam("since"),
        sales_money.c.at < bindparam("until"),
    )
    .distinct()
)
_PAID = Prepared(
    select(sales_money.c.order_key)
    .where(
        sales_money.c.workspace == bindparam("w"),
        sales_money.c.connection == bindparam("c"),
        one_of(sales_money.c.payment_id, "ids"),
    )
    .distinct()
)
_BY_KEY = Prepared(select(*_SOLD).where(sales.c.workspace == bindparam("w"), one_of(sales.c.order_key, "keys")))
_BY_ID = Prepared(
    select(*_SOLD).where(
        sales.c.workspace == bindparam("w"), sales.c.connection == bindparam("c"), one_of(sales.c.order_id, "ids")
    )
)
_COPIES = Prepared(
    select(copies.c.order_key, copies.c.connection, COPY).where(
        copies.c.workspace == bindparam("w"), one_of(copies.c.order_key, "keys"), copies.c.document.is_not(None)
    )
)
"""Put in order by who asks: SQLite would walk through every copy of a store for it."""


def orders_with_money(
    tx: HasConnection,
    workspace: Workspace,
    since: datetime,
    until: datetime,
    payments: Mapping[ConnectionName, Collection[str]],
) -> dict[OrderKey, Order]:
    """Orders that were placed, or have a transaction, in a stretch of time; and those whose transactions are among
    ``payments``, whenever that was. What it costs follows from how many these are, not from how many are known."""
    keys = {key for (key,) in _MOVED.all(tx, w=workspace, since=since, until=until)}
    for connection, ids in payments.items():
        keys |= {key for (key,) in _PAID.all(tx, w=workspace, c=connection, ids=ids)} if ids else set()
    ordered = sorted(keys)
    found: dict[OrderKey, Order] = {}
    for at in range(0, len(ordered), DOCUMENTS_AT_ONCE):
        found |= _orders(_BY_KEY.all(tx, w=workspace, keys=ordered[at : at + DOCUMENTS_AT_ONCE]))
    return found


def orders_by_id(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, ids: Collection[OrderId]
) -> dict[OrderKey, Order]:
    """These orders, as far as they are known."""
    return _orders(_BY_ID.all(tx, w=workspace, c=connection, ids=ids)) if ids else {}


def copies_of(tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]) -> dict[OrderKey, list[Order]]:
    """The copies of orders in other stores, as last read."""
    found: dict[OrderKey, list[Order]] = {}
    rows = _COPIES.all(tx, w=workspace, keys=keys) if keys else ()
    for key, _, copy in sorted(rows, key=itemgetter(1)):
        found.setdefault(OrderKey(key), []).append(copy)
    return found


def _orders(rows: Iterable[Any]) -> dict[OrderKey, Order]:
    return {OrderKey(key): order for key, order in rows}
