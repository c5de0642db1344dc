"""Statements as a table for a finance person's spreadsheet: one row a line, every amount as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from storebridge.model.settlement import KeptStatement, StatementLine
from storebridge.operations.export_orders import safe

COLUMNS = (
    "day",
    "version",
    "state_of_day",
    "store",
    "kind",
    "at",
    "amount",
    "currency",
    "presentment_amount",
    "presentment_currency",
    "order",
    "order_key",
    "linked_to",
    "state",
    "gateway",
    "payout",
    "id",
    "note",
)


def settlement_csv(statements: Sequence[KeptStatement]) -> str:
    """CSV with a head. Amounts are plain decimals, money out below zero; nothing is left out."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for kept in statements:
        table.writerows(_rows(kept))
    return text.getvalue()


def _rows(kept: KeptStatement) -> Iterable[list[str]]:
    statement = kept.statement
    for line in statement.lines:
        day = [statement.day.isoformat(), str(kept.version), statement.state.value]
        yield [*day, *_cells(line)]


def _cells(line: StatementLine) -> list[str]:
    named = [line.order_name, line.order_key or "", line.link.value, line.state.value, line.gateway]
    return [
        line.connection,
        line.kind.value,
        f"{line.at:%Y-%m-%dT%H:%M:%SZ}",
        line.amount.in_coins,
        line.amount.currency,
        line.presentment.in_coins,
        line.presentment.currency,
        *(safe(cell) for cell in (*named, line.payout_id, line.line_id, line.note)),
    ]
