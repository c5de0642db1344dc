"""What the bridge's own tables say, read with plain SQL as an auditor would: nothing of its code is
believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from storebridge.store.database import Tx
from storebridge_proving.checker.report import Claims

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
