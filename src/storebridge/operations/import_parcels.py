"""Parcels from a file of a warehouse: each row is noted or refused by itself; the same file again changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import msgspec

from storebridge.clock import Ids
from storebridge.errors import ConfigurationError, StorebridgeError
from storebridge.model.ids import ConnectionName
from storebridge.model.sales import Tracking
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.ship_order import OrderMoved, ship_order
from storebridge.store.database import Store

MOST_BYTES = 8 * 1024 * 1024
NEEDED = ("order",)
COLUMNS = ("order", "sku", "units", "carrier", "tracking_number", "tracking_url", "parcel", "location")


class RefusedRow(msgspec.Struct, frozen=True):
    """A parcel that could not be noted: which lines of the file, and why."""

    lines: tuple[int, ...]
    order: str
    why: str


class Imported(msgspec.Struct, frozen=True):
    """What became of a file."""

    noted: int
    repeated: int
    refused: list[RefusedRow]
    wake: frozenset[ConnectionName] = frozenset()


class _Row(msgspec.Struct, frozen=True):
    number: int
    order: str
    sku: str
    units: int
    tracking: Tracking
    parcel: str
    location: str


async def import_parcels(
    store: Store, terms: WorkspaceTerms, ids: Ids, text: str, *, actor: str, notify: bool = True
) -> Imported:
    """Columns: order, sku, units, carrier, tracking_number, tracking_url, parcel (the file's own name of it), location
    (from where it left).

    Rows of one order with the same ``parcel``, or the same tracking number, are one parcel. No SKU: all that is left of
    the order. Raises ConfigurationError for a file that is no such table; then nothing was changed.
    """
    parcels = _parcels(_read(text))
    noted, repeated, refused, wake = 0, 0, list[RefusedRow](), set[ConnectionName]()
    for rows in parcels:
        try:
            moved = await _note(store, terms, ids, rows, actor, notify)
        except StorebridgeError as error:
            refused.append(RefusedRow(tuple(row.number for row in rows), rows[0].order, str(error)))
            continue
        wake |= moved.wake
        noted, repeated = noted + (not moved.repeated), repeated + moved.repeated
    return Imported(noted, repeated, refused, frozenset(wake))


async def _note(
    store: Store, terms: WorkspaceTerms, ids: Ids, rows: list[_Row], actor: str, notify: bool
) -> OrderMoved:
    first = rows[0]
    units: dict[str, int] = {}
    for row in rows:
        units[row.sku] = units.get(row.sku, 0) + row.units
    return await store.run(
        ship_order,
        terms,
        ids,
        first.order,
        lines=None if list(units) == [""] else units,
        tracking=first.tracking,
        actor=actor,
        notify=notify,
        location=first.location or None,
        reference=_reference(first),
    )


def _reference(row: _Row) -> str:
    """What makes the same row of the same file the same parcel."""
    return (row.parcel or row.tracking.number or f"line {row.number}").replace(":", " ").replace("/", " ")


def _parcels(rows: Iterable[_Row]) -> list[list[_Row]]:
    grouped: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        grouped.setdefault((row.order, _reference(row)), []).append(row)
    return list(grouped.values())


def _read(text: str) -> list[_Row]:
    if len(text.encode()) > MOST_BYTES:
        raise ConfigurationError(f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB: split it.")
    try:
        table = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
        names = {name.strip().lower().replace(" ", "_"): name for name in table.fieldnames or () if name}
        if missing := [name for name in NEEDED if name not in names]:
            known = ", ".join(COLUMNS)
            raise ConfigurationError(f"The file has no column {missing[0]!r}. Its columns may be: {known}.")
        return [
            _row(number, {name: row.get(given) or "" for name, given in names.items()}) for number, row in _rows(table)
        ]
    except csv.Error as error:
        raise ConfigurationError(f"The file is no table that can be read: {error}.") from error


def _rows(table: csv.DictReader[str]) -> Iterable[tuple[int, dict[str, str]]]:
    for row in table:
        if any((value or "").strip() for value in row.values() if isinstance(value, str)):
            yield table.line_num, row


def _row(number: int, cells: dict[str, str]) -> _Row:
    said = {name: value.strip().removeprefix("'") for name, value in cells.items()}
    units = said.get("units") or "1"
    if not units.isdigit() or not 0 < int(units) <= 100_000:
        raise ConfigurationError(f"Line {number}: {units!r} is no number of units. Nothing of the file was noted.")
    if not said.get("order"):
        raise ConfigurationError(f"Line {number} names no order. Nothing of the file was noted.")
    tracking = Tracking(said.get("carrier", ""), said.get("tracking_number", ""), said.get("tracking_url", ""))
    return _Row(
        number=number,
        order=said["order"],
        sku=said.get("sku", ""),
        units=int(units),
        tracking=tracking,
        parcel=said.get("parcel", ""),
        location=said.get("location", ""),
    )
