"""What payment providers booked: entries, payouts, and how far their books were read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, case, delete, func, insert, select, union_all, update

from storebridge.model.ids import ConnectionName, OrderId, Workspace
from storebridge.model.sales import Order
from storebridge.model.settlement import Books, BooksState, LedgerEntry, Payout, PayoutState
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables_settlement import provider_books, provider_entries, provider_payouts, provider_shares
from storebridge.store.upserts import upsert

Entries = dict[ConnectionName, dict[str, LedgerEntry]]


def load_books(tx: HasConnection, workspace: Workspace) -> dict[ConnectionName, Books]:
    """What is known of each store's books; a store whose books were never asked for is not among them."""
    rows = _LOAD_BOOKS.all(tx, w=workspace)
    return {ConnectionName(name): Books(BooksState(state), *rest) for name, state, *rest in rows}


_LOAD_BOOKS = Prepared(
    select(*(provider_books.c[name] for name in ("connection", *Books.__struct_fields__))).where(
        provider_books.c.workspace == bindparam("w")
    )
)


def save_books(tx: HasConnection, workspace: Workspace, connection: ConnectionName, books: Books) -> None:
    """Note how the books of a store are; since when they are known is kept from the first time on."""
    _SAVE_BOOKS.run(
        tx,
        workspace=workspace,
        connection=connection,
        state=books.state.value,
        detail=books.detail,
        read_at=books.read_at,
        covers_from=books.covers_from,
    )


_SAVE_BOOKS = upsert(
    provider_books,
    ("workspace", "connection"),
    ("workspace", "connection", "state", "detail", "read_at", "covers_from"),
    lambda new: {
        "state": new.state,
        "detail": new.detail,
        "read_at": new.read_at,
        "covers_from": func.coalesce(provider_books.c.covers_from, new.covers_from),
    },
)


def save_entries(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, entries: Sequence[LedgerEntry]
) -> list[LedgerEntry]:
    """Store entries; returns those that are new or say something else than before."""
    known = _entries(_BY_IDS.all(tx, w=workspace, c=connection, ids=[one.entry_id for one in entries]))
    mine = known.get(connection, {})
    changed = [one for one in entries if mine.get(one.entry_id) != one]
    _SAVE_ENTRIES.run_many(tx, [_entry_row(workspace, connection, one) for one in changed])
    _save_shares(tx, workspace, connection, changed)
    return changed


_ENTRY_KEYS = ("workspace", "connection", "entry_id")
_SAVE_ENTRIES = upsert(provider_entries, _ENTRY_KEYS, (*_ENTRY_KEYS, "at", "order_id", "payout_id", "document"))


def _entry_row(workspace: Workspace, connection: ConnectionName, entry: LedgerEntry) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "connection": connection,
        "entry_id": entry.entry_id,
        "at": entry.at,
        "order_id": entry.order_id,
        "payout_id": entry.payout_id,
        "document": msgspec.to_builtins(entry),
    }


def _save_shares(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, entries: Sequence[LedgerEntry]
) -> None:
    """Note what these entries name beside their own order, so that an order that is known later finds them."""
    if entries:
        _FORGET_SHARES.run(tx, w=workspace, c=connection, ids=[one.entry_id for one in entries])
        whose = {"workspace": workspace, "connection": connection}
        _SAVE_SHARES.run_many(tx, [{**whose, **share} for one in entries for share in _shares(one)])


def _shares(entry: LedgerEntry) -> Iterable[dict[str, Any]]:
    named: list[tuple[OrderId | None, str]] = [(None, "" if entry.order_id else entry.payment_id)]
    named += [(part.order_id, part.payment_id) for part in entry.parts]
    for place, (order_id, payment_id) in enumerate(named):
        if order_id or payment_id:
            told = {"order_id": order_id, "payment_id": payment_id}
            yield {"entry_id": entry.entry_id, "place": place, "at": entry.at, **told}


_FORGET_SHARES = Prepared(
    delete(provider_shares).where(
        provider_shares.c.workspace == bindparam("w"),
        provider_shares.c.connection == bindparam("c"),
        one_of(provider_shares.c.entry_id, "ids"),
    )
)
_SAVE_SHARES = Prepared(insert(provider_shares).inline(), columns=[column.name for column in provider_shares.c])


def _entries(rows: Iterable[Any]) -> Entries:
    """Oldest first; put in order here, because SQLite would walk through every entry in the order of their times."""
    told = [(ConnectionName(connection), msgspec.convert(document, LedgerEntry)) for connection, document in rows]
    found: Entries = {}
    for connection, entry in sorted(told, key=lambda one: (one[1].at, one[1].entry_id)):
        found.setdefault(connection, {})[entry.entry_id] = entry
    return found


_BOOKED = (provider_entries.c.connection, provider_entries.c.document)
_MINE = provider_entries.c.workspace == bindparam("w")
_BETWEEN = Prepared(
    select(*_BOOKED).where(
        _MINE, provider_entries.c.at >= bindparam("since"), provider_entries.c.at < bindparam("until")
    )
)
_BY_IDS = Prepared(
    select(*_BOOKED).where(
        _MINE, provider_entries.c.connection == bindparam("c"), one_of(provider_entries.c.entry_id, "ids")
    )
)
_OF_ORDERS = Prepared(
    select(*_BOOKED).where(
        _MINE, provider_entries.c.connection == bindparam("c"), one_of(provider_entries.c.order_id, "ids")
    )
)
_OF_PAYOUT = Prepared(
    select(*_BOOKED).where(
        _MINE, provider_entries.c.connection == bindparam("c"), provider_entries.c.payout_id == bindparam("p")
    )
)


def entries_between(tx: HasConnection, workspace: Workspace, since: datetime, until: datetime) -> Entries:
    """Entries of all stores that were booked in a stretch of time, by id, oldest first."""
    return _entries(_BETWEEN.all(tx, w=workspace, since=since, until=until))


def entries_of_orders(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, orders: Collection[OrderId]
) -> Entries:
    """Entries that name one of these orders, whenever they were booked."""
    return _entries(_OF_ORDERS.all(tx, w=workspace, c=connection, ids=orders)) if orders else {}


def booked_for(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, orders: Collection[Order]
) -> set[datetime]:
    """When entries were booked that name one of these orders, or share out to it or to a transaction of it."""
    if not orders:
        return set()
    ids = {order.order_id for order in orders}
    payments = {payment.payment_id for order in orders for payment in order.payments}
    return {at for (at,) in _BOOKED_FOR.all(tx, w=workspace, c=connection, ids=ids, payments=payments)}


_SHARED = (provider_shares.c.workspace == bindparam("w")) & (provider_shares.c.connection == bindparam("c"))
_BOOKED_FOR = Prepared(
    union_all(
        select(provider_entries.c.at).where(
            _MINE, provider_entries.c.connection == bindparam("c"), one_of(provider_entries.c.order_id, "ids")
        ),
        select(provider_shares.c.at).where(_SHARED, one_of(provider_shares.c.order_id, "ids")),
        select(provider_shares.c.at).where(_SHARED, one_of(provider_shares.c.payment_id, "payments")),
    )
)


def entries_of_payout(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, payout_id: str
) -> tuple[LedgerEntry, ...]:
    """What is in a payout, as far as it was read."""
    found = _entries(_OF_PAYOUT.all(tx, w=workspace, c=connection, p=payout_id))
    return tuple(found.get(connection, {}).values())


def release_entries(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, payout_id: str, kept: Collection[str]
) -> list[LedgerEntry]:
    """Take entries out of a payout that the provider does not list in it any more; returns those that were."""
    gone = [
        msgspec.structs.replace(one, payout_id="")
        for one in entries_of_payout(tx, workspace, connection, payout_id)
        if one.entry_id not in kept
    ]
    return save_entries(tx, workspace, connection, gone) if gone else []


def save_payouts(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, payouts: Sequence[Payout]
) -> list[Payout]:
    """Store payouts; returns those whose entries have to be read: new ones, and those whose state changed since."""
    rows = [
        {
            "workspace": workspace,
            "connection": connection,
            "payout_id": payout.payout_id,
            "issued_at": payout.issued_at,
            "state": payout.state.value,
            "document": msgspec.to_builtins(payout),
        }
        for payout in payouts
    ]
    _SAVE_PAYOUTS.run_many(tx, rows)
    ids = [one.payout_id for one in payouts]
    read_as = {str(payout_id): state for payout_id, state in _READ_AS.all(tx, w=workspace, c=connection, ids=ids)}
    return [one for one in payouts if read_as.get(one.payout_id) != one.state.value or _moves(one)]


_PAYOUT_KEYS = ("workspace", "connection", "payout_id")
_SAVE_PAYOUTS = upsert(provider_payouts, _PAYOUT_KEYS, (*_PAYOUT_KEYS, "issued_at", "state", "document"))
_MY_PAYOUTS = (provider_payouts.c.workspace == bindparam("w")) & (provider_payouts.c.connection == bindparam("c"))
_READ_AS = Prepared(
    select(provider_payouts.c.payout_id, provider_payouts.c.entries_read_as).where(
        _MY_PAYOUTS, one_of(provider_payouts.c.payout_id, "ids")
    )
)


def _moves(payout: Payout) -> bool:
    """A payout that is still being filled, or whose entries go to another one."""
    return payout.state in (PayoutState.SCHEDULED, PayoutState.FAILED)


def note_entries_read(tx: HasConnection, workspace: Workspace, connection: ConnectionName, payout: Payout) -> bool:
    """The entries of a payout were read whole while it was so; False when that was known already."""
    return _NOTE_READ.run(tx, w=workspace, c=connection, p=payout.payout_id, s=payout.state.value) > 0


_NOTE_READ = Prepared(
    update(provider_payouts)
    .where(
        _MY_PAYOUTS,
        provider_payouts.c.payout_id == bindparam("p"),
        provider_payouts.c.entries_read_as != bindparam("s"),
    )
    .values(entries_read_as=bindparam("s"))
)


def next_payout_to_read(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime
) -> Payout | None:
    """The newest payout since then whose entries were not read as it is now."""
    query = (
        select(provider_payouts.c.document)
        .where(
            provider_payouts.c.workspace == workspace,
            provider_payouts.c.connection == connection,
            provider_payouts.c.issued_at >= since,
            provider_payouts.c.entries_read_as != provider_payouts.c.state,
        )
        .order_by(provider_payouts.c.issued_at.desc(), provider_payouts.c.payout_id)
        .limit(1)
    )
    found = tx.conn.execute(query).scalar()
    return None if found is None else msgspec.convert(found, Payout)


def count_payouts(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime
) -> tuple[int, int]:
    """Payouts since then: those whose entries were read as they are now, and all of them."""
    read = provider_payouts.c.entries_read_as == provider_payouts.c.state
    query = select(func.count(case((read, 1))), func.count()).where(
        provider_payouts.c.workspace == workspace,
        provider_payouts.c.connection == connection,
        provider_payouts.c.issued_at >= since,
    )
    done, known = tx.conn.execute(query).one()
    return done, known


def extend_books(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime
) -> datetime | None:
    """The books were read back to an earlier moment; since when they had been known, None when that is no news."""
    before = load_books(tx, workspace).get(connection)
    if before is None or (before.covers_from is not None and before.covers_from <= since):
        return None
    mine = (provider_books.c.workspace == workspace) & (provider_books.c.connection == connection)
    tx.conn.execute(update(provider_books).where(mine).values(covers_from=since))
    return before.covers_from or tx.now


def payouts_between(
    tx: HasConnection, workspace: Workspace, since: datetime, until: datetime
) -> list[tuple[ConnectionName, Payout, bool]]:
    """Payouts issued in a stretch of time, and whether their entries were read whole."""
    query = (
        select(provider_payouts.c.connection, provider_payouts.c.document, provider_payouts.c.entries_read_as)
        .where(
            provider_payouts.c.workspace == workspace,
            provider_payouts.c.issued_at >= since,
            provider_payouts.c.issued_at < until,
        )
        .order_by(provider_payouts.c.issued_at, provider_payouts.c.payout_id)
    )
    return [
        (ConnectionName(name), msgspec.convert(document, Payout), read_as != "")
        for name, document, read_as in tx.conn.execute(query)
    ]


def states_of_payouts(
    tx: HasConnection, workspace: Workspace, entries: Mapping[ConnectionName, Mapping[str, LedgerEntry]]
) -> dict[tuple[ConnectionName, str], PayoutState]:
    """How far each payout is that one of these entries names."""
    found: dict[tuple[ConnectionName, str], PayoutState] = {}
    for connection, ones in entries.items():
        ids = {one.payout_id for one in ones.values() if one.payout_id}
        for payout_id, state in _STATES.all(tx, w=workspace, c=connection, ids=ids) if ids else ():
            found[connection, payout_id] = PayoutState(state)
    return found


_STATES = Prepared(
    select(provider_payouts.c.payout_id, provider_payouts.c.state).where(
        provider_payouts.c.workspace == bindparam("w"),
        provider_payouts.c.connection == bindparam("c"),
        one_of(provider_payouts.c.payout_id, "ids"),
    )
)
