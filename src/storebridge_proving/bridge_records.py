"""What the bridge's own tables say, read with plain SQL as an auditor would: nothing of its code is
believed.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    reasons = ", ".join(f"'{reason}'" for reason in HOLDING)
    held = _rows(
        tx,
        f"SELECT DISTINCT sku FROM cases WHERE state = 'open' AND sku IS NOT NULL AND reason IN ({reasons})",
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
    named = ", ".join(f"'{reason}'" for reason in reasons)
    return _one(tx, f"SELECT COUNT(*) FROM cases WHERE reason IN ({named})")


def read_inferences(tx: Tx) -> list[tuple[str, str, str]]:
    """Writes that were settled otherwise than by their answer: (call, connection, state)."""
    rows = _rows(
        tx,
        "SELECT call_id, connection, state FROM intents "
        "WHERE evidence IS NOT NULL AND state IN ('applied', 'stale') AND call_id IS NOT NULL "
        "ORDER BY intent_id",
    )
    return [(str(call), str(connection), str(state)) for call, connection, state in rows]


def _one(tx: Tx, statement: str) -> int:
    return int(tx.conn.exec_driver_sql(statement).scalar_one())


def _rows(tx: Tx, statement: str) -> list[Any]:
    return list(tx.conn.exec_driver_sql(statement).all())
