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
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class UnreadableJson(ValueError):
    """Not JSON, or JSON beyond the limits; the text says which."""


def read_bounded_json(raw: bytes) -> Any:
    """The value. Raises UnreadableJson."""
    _check_shape(raw)
    try:
        return _DECODER.decode(raw.decode(json.detect_encoding(raw)))
    except UnreadableJson:
        raise
    except (ValueError, RecursionError) as unreadable:
        raise UnreadableJson(f"it is not JSON: {unreadable}") from None


def _check_shape(raw: bytes) -> None:
    """Bodies with few brackets and commas, even counting those in texts, need no closer look: most do not."""
    if _opened(raw) <= MAX_DEPTH and _values(raw) <= MAX_VALUES:
        return
    bare = _TEXT.sub(b"", raw)
    if _values(bare) > MAX_VALUES:
        raise UnreadableJson(f"it has more than {MAX_VALUES} values")
    depth = 0
    for bracket in bare.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise UnreadableJson(f"it is nested deeper than {MAX_DEPTH}")


def _opened(raw: bytes) -> int:
    return raw.count(b"[") + raw.count(b"{")


def _values(raw: bytes) -> int:
    return raw.count(b",") + _opened(raw)


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


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number
)
