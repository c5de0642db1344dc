"""JSON from outside, read within limits: depth, number of values, length of numbers, no duplicate keys, no NaN.

The depth is counted before anything is built, so that a bomb costs one scan of bytes that were capped already.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

MAX_DEPTH = 64
MAX_VALUES = 100_000
MAX_NUMBER_MARKS = 40
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]|,', re.DOTALL)


class UnreadableJson(ValueError):
    """Not JSON, or JSON beyond the limits; the text says which."""


def read_bounded_json(raw: bytes) -> Any:
    """The value. Raises UnreadableJson."""
    _check_shape(raw)
    try:
        return json.loads(
            raw,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except UnreadableJson:
        raise
    except (ValueError, RecursionError) as unreadable:
        raise UnreadableJson(f"it is not JSON: {unreadable}") from None


def _check_shape(raw: bytes) -> None:
    depth = values = 0
    for mark in _MARKS.finditer(raw):
        found = mark.group()
        if found in (b"[", b"{"):
            depth, values = depth + 1, values + 1
        elif found in (b"]", b"}"):
            depth -= 1
        elif found == b",":
            values += 1
        if depth > MAX_DEPTH:
            raise UnreadableJson(f"it is nested deeper than {MAX_DEPTH}")
        if values > MAX_VALUES:
            raise UnreadableJson(f"it has more than {MAX_VALUES} values")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableJson("a key stands twice in one object")
    return found


def _refuse_constant(text: str) -> NoReturn:
    raise UnreadableJson(f"{text} is not JSON")


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_MARKS:
        raise UnreadableJson("a number is too long")
    return int(text)


def _number(text: str) -> float:
    if len(text) > MAX_NUMBER_MARKS:
        raise UnreadableJson("a number is too long")
    return float(text)
