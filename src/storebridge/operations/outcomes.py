"""What an operation answers, as a script reads it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from storebridge.errors import OutOfRangeError

OURS = "wake"
"""Which couriers to ring: for the process that did it, and nobody else's business."""


def as_told(found: msgspec.Struct) -> dict[str, Any]:
    """The answer as JSON-able values, in the same words from the command line and the API."""
    told: dict[str, Any] = msgspec.to_builtins(found)
    told.pop(OURS, None)
    return told


def not_a_place(after: str) -> OutOfRangeError:
    """Of a page that begins nowhere: answered with the first page, a script would read the same rows for ever."""
    return OutOfRangeError(
        f"{after!r} is no place in this list: take it from `next` of the page before, or leave it out to begin anew."
    )


def number_after(after: str | None) -> int | None:
    """The row after which a page of numbered rows begins; None: the first page. Raises OutOfRangeError."""
    if not after:
        return None
    if not (after.isascii() and after.isdigit()):
        raise not_a_place(after)
    return int(after)


def moment_after(word: str, after: str) -> datetime:
    """A time within the place ``after``. Raises OutOfRangeError."""
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        raise not_a_place(after) from None
    if moment.tzinfo is None:
        raise not_a_place(after)
    return moment
