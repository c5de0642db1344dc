"""How commands speak: results on stdout, progress on stderr, one JSON object on the last line when asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec


def say(lines: Iterable[str]) -> None:
    """Result lines for a person."""
    for line in lines:
        sys.stdout.write(f"{line}\n")


def tell(line: str) -> None:
    """Progress; never part of the result."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def give(value: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """The result: as one JSON object on one line, or as lines."""
    if as_json:
        say([msgspec.json.encode(value).decode()])
    else:
        say(lines)


def as_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Aligned columns; numbers to the right."""
    body = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[at]) for row in [list(head), *body]) for at in range(len(head))]
    right = [all(_is_number(row[at]) for row in body) and bool(body) for at in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True))
        return "  ".join(padded).rstrip()

    return [line(head), *map(line, body)]


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def _is_number(text: str) -> bool:
    return text == "-" or text.lstrip("-").replace(".", "", 1).isdigit()


def of_pairs(counts: Mapping[str, object]) -> str:
    """``a 1, b 2``."""
    return ", ".join(f"{name} {value}" for name, value in counts.items()) or "none"
