"""Planted bugs of the books: what counts once, the hourly limit, the mark, holds of checkouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CORE = "storebridge_proving.simulate.core"
Make = Callable[[Any], Any]


def _forgets(prefix: str) -> Make:
    """A cause that was booked is booked again."""

    def make(right: Any) -> Any:
        def enter(books: Any, cause: str, units: int) -> bool:
            if cause.startswith(prefix):
                books.causes.pop(cause, None)
            return bool(right(books, cause, units))

        return enter

    return make


def _stays_shut(_right: Any) -> Any:
    """A person agreed, and what was held is never written."""
    return lambda limit, _now: limit.held


def _never_over(_right: Any) -> Any:
    return lambda *_args: False


def _always_ours(_right: Any) -> Any:
    return lambda *_args: "ours"


def _writes_at_once(_right: Any) -> Any:
    return lambda *_args: True


def _in_force(_right: Any) -> Any:
    """Shares are taken to be in force as soon as they are planned."""
    return lambda *_args: 0


BOOK_BUGS: tuple[tuple[str, str, tuple[str, ...], Make], ...] = (
    ("a void counts twice", "mirror", (f"{CORE}.books:Books.enter",), _forgets("void:")),
    ("an undo compensates twice", "escrow", (f"{CORE}.books:Books.enter",), _forgets("undo:")),
    ("what the hourly limit holds is dropped, not delayed", "mirror", (f"{CORE}.limits:Limit.release",), _stays_shut),
    ("the hourly limit is not looked at", "escrow", (f"{CORE}.limits:is_over",), _never_over),
    ("the mark of the store is ignored", "escrow", ("storebridge.reconcile.mark:state_of",), _always_ours),
    ("nobody waits for the mark", "escrow", ("storebridge.store.marks:Mark.allows_writing",), _writes_at_once),
    (
        "a basket passes before shares are in force",
        "guarded",
        (f"{CORE}.guard_desk:pessimistic_reserve",),
        _in_force,
    ),
)
"""Name, policy under which seeds look for it, places, and what makes the right function wrong."""
