"""How commands speak: results on stdout, progress on stderr, one JSON object on the last line when asked for."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import msgspec

LAST_COLUMN = re.compile(r".*\s{2,}(?=\S)")


def say(lines: Iterable[str]) -> None:
    """Result lines for a person. What goes to a file or another program is never folded."""
    for line in lines:
        _write(sys.stdout, line)


def _write(stream: TextIO, line: str) -> None:
    parts = folded(line, shutil.get_terminal_size().columns) if stream.isatty() else [line]
    stream.writelines(f"{part}\n" for part in parts)


def folded(line: str, width: int) -> list[str]:
    """A line as a terminal of this width shows it: broken between words, going on below its last column. A terminal
    itself breaks within words, and a sentence beside a table's columns went on below the first of them."""
    begun = LAST_COLUMN.match(line)
    column = begun.end() if begun else 0
    indent = column if column <= width // 2 else 4
    return textwrap.wrap(
        line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    ) or [line]


def tell(line: str) -> None:
    """Progress; never part of the result."""
    _write(sys.stderr, line)
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


def more_of(after: str | None) -> list[str]:
    """How a list goes on that was not shown whole; a person cannot know it otherwise."""
    return [f"There are more: the same with --after '{after}'."] if after else []


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def _is_number(text: str) -> bool:
    return text == "-" or text.lstrip("-").replace(".", "", 1).isdigit()


def of_pairs(counts: Mapping[str, object]) -> str:
    """``a 1, b 2``."""
    return ", ".join(f"{name} {value}" for name, value in counts.items()) or "none"
