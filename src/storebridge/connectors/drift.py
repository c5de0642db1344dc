"""Answers that are not what their API version promises: noted with the failing path, told to a person by the courier.

A store's own types change under us: a field goes missing, becomes text, or takes a value that nobody announced. Each is
noted here, once per call and path, however often it is met; what to do with the rest of the answer is its reader's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec

Row = TypeVar("Row")

MOST_KINDS = 100
"""Different drifts held between two takings; more of them are no news."""
_PLACE = re.compile(r"^(?P<told>.*?) - at `\$?(?P<path>[^`]*)`$", re.DOTALL)
_INDEX = re.compile(r"\[\d+\]")


class Drift(msgspec.Struct, frozen=True):
    """One thing that was not as promised."""

    operation: str
    """The vendor's name of the call."""
    path: str
    """Where in the answer, without row numbers: ``data.nodes[].tracked``."""
    told: str
    """What was expected and found; never a value that could be personal."""


class DriftWatch:
    """What one connection's answers showed since it was last asked."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], Drift] = {}
        self.rows_left_out = 0
        """How many rows of listings were left out so far: a listing during which it grew is not complete."""

    def note(self, operation: str, path: str, told: str) -> None:
        if len(self._noted) < MOST_KINDS:
            self._noted.setdefault((operation, path), Drift(operation, path, told[:200]))

    def note_undecodable(self, operation: str, error: Exception) -> None:
        """An answer that its contract does not fit."""
        path, told = where_and_what(error)
        self.note(operation, path, told)

    def readable_rows(self, operation: str, path: str, rows: Sequence[msgspec.Raw], shape: type[Row]) -> list[Row]:
        """The rows that fit their contract; of the others each kind is noted, with the first one's name. For listings
        where one odd row must not stop the rest, and where leaving it out deletes nothing (``rows_left_out``)."""
        readable: list[Row] = []
        for row in rows:
            try:
                readable.append(msgspec.json.decode(row, type=shape, strict=False))
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as unreadable:
                where, told = where_and_what(unreadable)
                self.note(operation, f"{path}[].{where}".removesuffix(".$"), f"{told}{_named(row)}")
                self.rows_left_out += 1
        return readable

    def take(self) -> tuple[Drift, ...]:
        """What was noted; it is then forgotten."""
        noted, self._noted = self._noted, {}
        return tuple(noted.values())


def _named(row: msgspec.Raw) -> str:
    """Which row it was, where it says so: its SKU or its id, never anything of a person."""
    try:
        found = msgspec.json.decode(row)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""
    names = [found.get(key) for key in ("sku", "variantId", "id")] if isinstance(found, dict) else []
    name = next((name for name in names if isinstance(name, str) and name), "")
    return f" (first in {name[:80]}, which is left out)" if name else ""


def where_and_what(error: Exception) -> tuple[str, str]:
    """The path, without row numbers, and the complaint of a failed decoding; ``$`` when it is not JSON at all."""
    match = _PLACE.match(str(error))
    if match is None:
        return "$", "the answer is not the JSON that was expected"
    return _INDEX.sub("[]", match["path"]).lstrip(".") or "$", match["told"]
