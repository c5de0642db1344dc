"""Parcels from a file of a warehouse: each is noted, changed or refused alone; the same file again changes nothing."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from storebridge.clock import Ids
from storebridge.errors import ConfigurationError, RefusedError, StorebridgeError
from storebridge.model.ids import ConnectionName
from storebridge.model.sales import Order, Tracking
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.ship_order import OrderMoved, change_parcel, ship_order
from storebridge.store.database import Store, Tx
from storebridge.store.sales import OurParcel, load_files

MOST_BYTES = 8 * 1024 * 1024
COLUMNS = ("order", "sku", "units", "carrier", "tracking_number", "tracking_url", "parcel", "location")
AS_EXPORTED = ("order_key", "line_id")
"""Columns of an exported table that say exactly which order, and which line where goods have no SKU."""


class RefusedRow(msgspec.Struct, frozen=True):
    """A parcel that could not be noted: which lines of the file, and why."""

    lines: tuple[int, ...]
    order: str
    why: str


class Imported(msgspec.Struct, frozen=True):
    """What became of a file."""

    noted: int
    changed: int
    """Parcels known before, of which tracking came later or was corrected."""
    repeated: int
    """Known before, with nothing new."""
    refused: list[RefusedRow]
    wake: frozenset[ConnectionName] = frozenset()


class _Row(msgspec.Struct, frozen=True):
    number: int
    order: str
    key: str
    """Our key of the order where the file has it, else its name."""
    sku: str
    """Or the line's id, of goods without a SKU."""
    units: int
    tracking: Tracking
    parcel: str
    location: str


async def import_parcels(
    store: Store, terms: WorkspaceTerms, ids: Ids, text: str, *, actor: str, notify: bool = True
) -> Imported:
    """Columns: order, sku, units, carrier, tracking_number, tracking_url, parcel (the file's own name of it), location
    (from where it left); and of an exported table order_key and line_id.

    Rows of one order with the same ``parcel``, or the same tracking number, are one parcel. Neither SKU nor line: all
    of the order that can be sent now. A parcel that is known gets the tracking that came later or was corrected. Raises
    ConfigurationError for a file that is no such table; then nothing was changed.
    """
    parcels = _parcels(_read(text))
    counts, refused, wake = Counter[str](), list[RefusedRow](), set[ConnectionName]()
    for rows in parcels:
        try:
            done = await store.run(_note, terms, ids, rows, actor, notify)
        except StorebridgeError as error:
            refused.append(RefusedRow(tuple(row.number for row in rows), rows[0].order, str(error)))
            continue
        wake |= done.moved.wake
        counts[done.what] += 1
    return Imported(counts["noted"], counts["changed"], counts["repeated"], refused, frozenset(wake))


class _Done(NamedTuple):
    what: str
    moved: OrderMoved


def _note(tx: Tx, terms: WorkspaceTerms, ids: Ids, rows: list[_Row], actor: str, notify: bool) -> _Done:
    first, tracking = rows[0], _tracking(rows)
    units: dict[str, int] = {}
    for row in rows:
        units[row.sku] = units.get(row.sku, 0) + row.units
    lines = None if list(units) == [""] else units
    moved = ship_order(
        tx,
        terms,
        ids,
        first.key,
        lines=lines,
        tracking=tracking,
        actor=actor,
        notify=notify,
        location=first.location or None,
        reference=_reference(first),
    )
    if not moved.repeated:
        return _Done("noted", moved)
    file = load_files(tx, terms.workspace, [moved.order_key])[moved.order_key]
    known = next(one for one in file.parcels if one.parcel_key == moved.parcel_key)
    _refuse_other_units(file.order, known, _reference(first), lines)
    told = _with_news(known.tracking, tracking)
    if told == known.tracking:
        return _Done("repeated", moved)
    changed = change_parcel(tx, terms, ids, moved.order_key, known.parcel_key, actor=actor, tracking=told)
    return _Done("changed", changed)


def _tracking(rows: list[_Row]) -> Tracking:
    """Of a parcel's rows, what the first says that has a number."""
    numbers = list(dict.fromkeys(row.tracking.number for row in rows if row.tracking.number))
    if len(numbers) > 1:
        raise RefusedError(
            f"Parcel {_reference(rows[0])} has two tracking numbers, {numbers[0]} and {numbers[1]}: give each parcel "
            "a name of its own."
        )
    return next((row.tracking for row in rows if row.tracking.number), rows[0].tracking)


def _with_news(known: Tracking, told: Tracking) -> Tracking:
    """An empty cell takes nothing away; but a link of the old number does not lead to the new one."""
    company, number = told.company or known.company, told.number or known.number
    same = (company, number) == (known.company, known.number)
    return Tracking(company, number, told.url or (known.url if same else ""))


def _refuse_other_units(order: Order, known: OurParcel, name: str, lines: Mapping[str, int] | None) -> None:
    """Dropped in silence, such a row would be a parcel that nobody hears of."""
    if lines is None:
        return
    named = {line.line_id: line.sku or line.line_id for line in order.lines}
    noted, told = Counter[str](), Counter[str]()
    for line in known.lines:
        noted[named.get(line.line_id, line.line_id)] += line.quantity
    for word, units in lines.items():
        told[named.get(word, word)] += units
    if noted != told:
        raise RefusedError(
            f"Order {order.name}: parcel {name} was noted with {_in_words(noted)}, not {_in_words(told)}: give it "
            "another name."
        )


def _in_words(units: Counter[str]) -> str:
    return ", ".join(f"{count} x {sku}" for sku, count in units.items())


def _reference(row: _Row) -> str:
    """What makes the same row of the same file the same parcel."""
    return (row.parcel or row.tracking.number or f"line {row.number}").replace(":", " ").replace("/", " ")


def _parcels(rows: Iterable[_Row]) -> list[list[_Row]]:
    grouped: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        grouped.setdefault((row.key, _reference(row)), []).append(row)
    return list(grouped.values())


def _read(text: str) -> list[_Row]:
    if len(text.encode()) > MOST_BYTES:
        raise ConfigurationError(f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB: split it.")
    try:
        table = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
        names = {name.strip().lower().replace(" ", "_"): name for name in table.fieldnames or () if name}
        if "order" not in names and "order_key" not in names:
            known = ", ".join((*COLUMNS, *AS_EXPORTED))
            raise ConfigurationError(f"The file has no column 'order'. Its columns may be: {known}.")
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
    if not units.isdecimal() or not 0 < int(units) <= 100_000:
        raise ConfigurationError(f"Line {number}: {units!r} is no number of units. Nothing of the file was noted.")
    name, key = said.get("order", ""), said.get("order_key", "")
    if not name and not key:
        raise ConfigurationError(f"Line {number} names no order. Nothing of the file was noted.")
    tracking = Tracking(said.get("carrier", ""), said.get("tracking_number", ""), said.get("tracking_url", ""))
    return _Row(
        number=number,
        order=name or key,
        key=key or name,
        sku=said.get("sku") or said.get("line_id", ""),
        units=int(units),
        tracking=tracking,
        parcel=said.get("parcel", ""),
        location=said.get("location", ""),
    )
