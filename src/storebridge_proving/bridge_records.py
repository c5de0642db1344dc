"""What the bridge's own tables say, read with plain SQL as an auditor would: nothing of its code is
believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from storebridge.store.database import Tx
from storebridge_proving.checker.orders import Name, OrderClaim, OrderClaims
from storebridge_proving.checker.report import Claims

SPEAKS_OF: Mapping[str, tuple[str, ...]] = {
    "order_not_copied": ("missing",),
    "order_not_mapped": ("missing",),
    "parcel_not_told": ("parcels", "units"),
}
"""Reasons that tell a person of an order whose copy is missing or differs, and the differences that they speak of."""
WRITES_MAKE: Mapping[str, tuple[str, ...]] = {
    "parcel": ("parcels",),
    "tracking": ("parcels",),
    "undo": ("parcels",),
    "copy": ("missing",),
    "cancel": ("standing", "units"),
    "refund": ("refunded", "units"),
    "payments": ("paid",),
    "details": ("address", "note", "tags"),
    "edit": ("units", "total"),
    "replace": ("missing", "units", "total", "note", "tags"),
    "void": ("standing", "refunded", "units"),
    "ready": (),
}
"""What a write to an order makes alike, by the first word of its purpose: refused or undone, that is what differs."""
COPY_DIFFERS: Mapping[str, tuple[str, ...]] = {
    "total": ("total",),
    "paid": ("paid",),
    "refunded": ("refunded",),
    "standing": ("standing", "parcels", "units"),
    "parcels": ("parcels",),
    "shipped": ("parcels", "units"),
    "restocked": ("restocked",),
    "units": ("units",),
    "lines": ("units",),
    "note": ("note",),
    "tags": ("tags",),
}
"""What a case that a copy differs speaks of, by what it names."""
TOLD = (*SPEAKS_OF, "copy_differs", "order_write_refused", "order_write_undone")
_NAMES = "SELECT connection, name, order_id FROM sales"
HOLDING = ("change_held", "mass_zero_held", "write_outcome_unclear")
"""Reasons that keep a SKU from being written until a person decides."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not done yet."""

    signals: int
    writes: int
    calls: int
    baselines: int

    @property
    def quiet(self) -> bool:
        return not (self.signals or self.writes or self.calls)


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Deliveries, and what became of the signals that they caused."""

    received: int
    duplicates: int
    signals: int
    confirmed: int
    open_exceptions: int


def read_backlog(tx: Tx) -> Backlog:
    """Signals that wait, writes planned or in doubt, calls on the wire, baselines signed off."""
    return Backlog(
        signals=_one(tx, "SELECT COUNT(*) FROM signals WHERE state = 'waiting'"),
        writes=_one(tx, "SELECT COUNT(*) FROM intents WHERE state IN ('planned', 'sent', 'unclear')"),
        calls=_one(tx, "SELECT COUNT(*) FROM calls WHERE state = 'open'"),
        baselines=_one(tx, "SELECT COUNT(*) FROM baselines WHERE state = 'signed_off'"),
    )


def read_counts(tx: Tx) -> EventCounts:
    """The report's ``events``."""
    states = "state IN ('confirmed', 'superseded', 'resolved')"
    return EventCounts(
        received=_one(tx, "SELECT COALESCE(SUM(copies), 0) FROM deliveries"),
        duplicates=_one(tx, "SELECT COALESCE(SUM(copies - 1), 0) FROM deliveries"),
        signals=_one(tx, "SELECT COUNT(*) FROM signals WHERE source = 'webhook'"),
        confirmed=_one(tx, f"SELECT COUNT(*) FROM signals WHERE source = 'webhook' AND {states}"),
        open_exceptions=_one(tx, "SELECT COUNT(*) FROM cases WHERE state = 'open'"),
    )


def read_claims(tx: Tx) -> Claims:
    """What the checker measures the bridge's memory against."""
    held = _rows(
        tx,
        f"SELECT DISTINCT sku FROM cases WHERE state = 'open' AND sku IS NOT NULL AND reason IN ({_quoted(HOLDING)})",
    )
    known = _rows(tx, "SELECT delivery_id, digest FROM deliveries")
    explained = _rows(
        tx,
        "SELECT ledger.connection, pools.sku, SUM(ledger.units) FROM ledger JOIN pools "
        "ON pools.workspace = ledger.workspace AND pools.pool_id = ledger.pool_id "
        "WHERE ledger.kind = 'level' GROUP BY ledger.connection, pools.sku",
    )
    return Claims(
        held=frozenset(sku for (sku,) in held),
        known=frozenset(name for row in known for name in row),
        explained={(connection, sku): int(units) for connection, sku, units in explained},
    )


def open_order_writes(tx: Tx) -> int:
    """Writes to orders of which nobody knows yet what they did; a copy that waits for goods is none."""
    waiting_for_goods = (
        "state = 'planned' AND EXISTS (SELECT 1 FROM sales WHERE sales.workspace = order_writes.workspace "
        "AND sales.order_key = order_writes.order_key AND sales.queue = 'oversold')"
    )
    states = "state IN ('planned', 'sent', 'unclear', 'applied')"
    return _one(tx, f"SELECT COUNT(*) FROM order_writes WHERE {states} AND NOT ({waiting_for_goods})")


def read_order_claims(tx: Tx) -> OrderClaims:
    """Orders that are kept, and those of which a person was told that their copy differs or cannot be made."""
    kept = _rows(tx, "SELECT connection, order_id, document FROM sales")
    told = _rows(
        tx,
        "SELECT sales.connection, sales.order_id, cases.reason, cases.payload FROM cases "
        "JOIN sales ON sales.workspace = cases.workspace "
        "AND (cases.subject = sales.order_key OR cases.subject LIKE sales.order_key || '/%') "
        f"WHERE cases.state = 'open' AND cases.reason IN ({_quoted(TOLD)})",
    )
    excused: dict[Name, set[str]] = {}
    for store, order, reason, payload in told:
        details = json.loads(payload) if isinstance(payload, str) else payload or {}
        excused.setdefault((str(store), str(order)), set()).update(spoken_of(str(reason), details))
    for name in _without_goods(tx):
        excused.setdefault(name, set()).add("missing")
    return OrderClaims(
        kept=tuple((str(store), str(order)) for store, order, _ in kept),
        told={order: frozenset(kinds) for order, kinds in excused.items()},
        known={(str(store), str(order)): _claim_of(json.loads(document)) for store, order, document in kept},
    )


def _without_goods(tx: Tx) -> Iterator[Name]:
    """Orders that a case names as oversold: they are copied once they have their goods."""
    names = {(str(store), str(name)): str(order) for store, name, order in _rows(tx, _NAMES)}
    for (payload,) in _rows(tx, "SELECT payload FROM cases WHERE state = 'open' AND reason = 'oversold'"):
        details = json.loads(payload) if isinstance(payload, str) else payload or {}
        for words in details.get("orders", ()):
            name, _, store = str(words).rpartition(" (")[0].rpartition(" of ")
            if (store, name) in names:
                yield store, names[store, name]


def spoken_of(reason: str, details: Mapping[str, Any]) -> Iterator[str]:
    """The kinds of difference (checker/orders.py) that a case with these details tells a person of."""
    if reason == "copy_differs":
        for named in details:
            yield from COPY_DIFFERS.get(named, ())
    elif reason in ("order_write_refused", "order_write_undone"):
        yield from WRITES_MAKE[str(details["purpose"]).partition(":")[0]]
    else:
        yield from SPEAKS_OF[reason]


def _claim_of(document: dict[str, Any]) -> OrderClaim:
    parcels = [parcel for parcel in document["parcels"] if not parcel["cancelled"]]
    return OrderClaim(
        refunded=Decimal(document["totals"]["refunded"]["shop"]["amount"]),
        restocked=sum(int(line["restocked"]) for line in document["lines"]),
        sent=sum(int(line["quantity"]) for parcel in parcels for line in parcel["lines"]),
        comes_to=Decimal(document["totals"]["total"]["shop"]["amount"]),
        received=Decimal(document["totals"]["paid"]["shop"]["amount"]),
        note=document["note"],
    )


def read_spread(tx: Tx) -> list[float]:
    """The bridge's own last measured delays, in milliseconds (moments are stored in microseconds); for the
    live display only.
    """
    rows = _rows(tx, "SELECT signalled_at, written_at FROM spreads ORDER BY number DESC LIMIT 200")
    return [(int(written) - int(signalled)) / 1000 for signalled, written in rows]


def read_health(tx: Tx) -> dict[str, str]:
    """Each connection's health in a word."""
    rows = _rows(tx, "SELECT connection, health FROM connections ORDER BY connection")
    return {str(connection): str(health) for connection, health in rows}


def count_cases(tx: Tx, reasons: tuple[str, ...]) -> int:
    """Cases ever opened for some reasons."""
    return _one(tx, f"SELECT COUNT(*) FROM cases WHERE reason IN ({_quoted(reasons)})")


def read_written(tx: Tx) -> dict[tuple[str, str], int]:
    """Units that the bridge believes to have written, by connection and SKU."""
    rows = _rows(
        tx,
        "SELECT ledger.connection, pools.sku, SUM(ledger.units) FROM ledger JOIN pools "
        "ON pools.workspace = ledger.workspace AND pools.pool_id = ledger.pool_id "
        "WHERE ledger.kind = 'write' GROUP BY ledger.connection, pools.sku",
    )
    return {(str(connection), str(sku)): int(units) for connection, sku, units in rows}


def read_held(tx: Tx) -> list[tuple[str, datetime, int]]:
    """What checkouts began to hold and held no more: SKU, when, units (negative: no more)."""
    rows = _rows(
        tx,
        "SELECT pools.sku, ledger.at, CASE WHEN ledger.kind = 'held' THEN ledger.units ELSE -ledger.units END "
        "FROM ledger JOIN pools ON pools.workspace = ledger.workspace AND pools.pool_id = ledger.pool_id "
        "WHERE ledger.kind IN ('held', 'freed', 'bought') ORDER BY ledger.seq",
    )
    return [(str(sku), _moment(at), int(units)) for sku, at, units in rows]


def read_journal(tx: Tx) -> list[str]:
    """Every write and every movement of the ledger as a line of text, for comparing two runs."""
    intents = _rows(tx, "SELECT intent_id, state, from_level, to_level, settled_at, code FROM intents ORDER BY 1")
    moved = _rows(tx, "SELECT seq, pool_id, connection, kind, units, cause, at FROM ledger ORDER BY seq")
    chained = _rows(tx, "SELECT number, digest FROM audit ORDER BY number")
    return [repr(tuple(row)) for row in (*intents, *moved, *chained)]


def _one(tx: Tx, statement: str) -> int:
    return int(tx.conn.exec_driver_sql(statement).scalar_one())


def _rows(tx: Tx, statement: str) -> list[Any]:
    return list(tx.conn.exec_driver_sql(statement).all())


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that waits for a person: ``units`` held, or that the doubtful write would have moved."""

    case_id: str
    reason: str
    connection: str
    sku: str
    units: int
    since: datetime


def open_reviews(tx: Tx) -> list[OpenCase]:
    """Cases of the reasons that only a person can decide, oldest first."""
    return sorted([*_holding(tx), *_unclear_returns(tx)], key=lambda case: (case.since, case.case_id))


def _unclear_returns(tx: Tx) -> list[OpenCase]:
    """Raises that may have been a copy's doing; until somebody says that they were goods, nothing waits for it."""
    rows = _rows(
        tx,
        "SELECT case_id, reason, connection, sku, payload, opened_at FROM cases "
        "WHERE state = 'open' AND reason = 'copy_return_unclear'",
    )
    return [
        OpenCase(case, reason, store, sku, json.loads(payload)["units"], _moment(opened))
        for case, reason, store, sku, payload, opened in rows
    ]


def _holding(tx: Tx) -> list[OpenCase]:
    rows = _rows(
        tx,
        "SELECT cases.case_id, cases.reason, COALESCE(cases.connection, intents.connection), "
        "COALESCE(cases.sku, (SELECT MIN(pools.sku) FROM pools WHERE pools.workspace = cases.workspace "
        "AND pools.lane = COALESCE(cases.lane, intents.lane))), "
        "intents.to_level - intents.from_level, intents.created_at, cases.opened_at, "
        "positions.held FROM cases "
        "LEFT JOIN intents ON intents.intent_id = cases.subject "
        "LEFT JOIN positions ON positions.workspace = cases.workspace AND cases.subject = "
        "positions.connection || '/' || positions.item_id || '@' || positions.location_id "
        f"WHERE cases.state = 'open' AND cases.reason IN ({_quoted(HOLDING)}) "
        "ORDER BY cases.opened_at, cases.case_id",
    )
    return [
        OpenCase(str(case), str(reason), str(store or ""), str(sku or ""), int(moved or held or 0), _moment(since))
        for case, reason, store, sku, moved, created, opened, held in rows
        for since in (created or opened,)
    ]


def _moment(microseconds: Any) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
