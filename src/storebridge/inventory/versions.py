"""Versions of a counter: Wix revisions are growing numbers, Shopify's ``updatedAt`` are times. Pure.

After a write whose answer names no version only this is known: the counter's version is later than before.
"""

from __future__ import annotations

from datetime import datetime, timedelta

AFTER = "after "
STALE_AT_MOST = timedelta(seconds=20)
"""S26: no replica lags longer behind a change than this."""
LAGS_AT_MOST = timedelta(minutes=5)
"""No replica shows a state that was read before and is older than this; generous, for it only ends a blindness."""


def after(version: str | None) -> str | None:
    """Some version later than ``version``."""
    if version is None or version.startswith(AFTER):
        return version
    return f"{AFTER}{version}"


def last_read(version: str | None) -> str | None:
    """The version itself, without "some later one": what was read last."""
    return None if version is None else version.removeprefix(AFTER)


def after_at_least(version: str | None, earliest: str | None) -> str | None:
    """Some version later than ``version``, and than ``earliest`` where the vendor says when our write was made: what a
    lagging copy shows of the time between is then known to be old (system, guarded, storm, seed 20: a parcel moved the
    counter's time, the copy showed that state after our lower, and a person refused a raise that nobody had made)."""
    last = last_read(version)
    if earliest is None or (last is not None and compare(last, earliest) != -1):
        return after(version)
    return f"{AFTER}{earliest}"


def is_surpassed(version: str | None) -> bool:
    """Whether the counter is known to have a later version than the one that was read."""
    return version is not None and version.startswith(AFTER)


def is_exact(version: str | None) -> bool:
    """Whether each change makes a version of its own (a revision); times stand for every change in a second."""
    return version is not None and version.removeprefix(AFTER).isdigit()


def guards_nothing(version: str | None, native_id: str | None) -> bool:
    """Whether a counter has a row of its own and no revision: its writes are differences that nothing guards."""
    return native_id is not None and not is_exact(version)


def changed_at(version: str | None) -> datetime | None:
    """When a counter last changed, where its version is a time and no later one is known."""
    found = None if version is None else _order(version)
    return found if isinstance(found, datetime) else None


def compare(one: str, other: str) -> int | None:
    """-1, 0 or 1 as ``one`` is earlier, equal or later; None when they cannot be compared."""
    left, right = _order(one), _order(other)
    if left is None or right is None or type(left) is not type(right):
        return 0 if one == other else None
    return (left > right) - (left < right)  # type: ignore[operator]  # the same type on both sides


def _order(version: str) -> int | datetime | None:
    if version.isdigit():
        return int(version)
    try:
        return datetime.fromisoformat(version)
    except ValueError:
        return None


def is_older(seen: str | None, known: str | None) -> bool:
    """Whether a reading surely shows an earlier state than what is known."""
    if seen is None or known is None:
        return False
    return compare(seen, known.removeprefix(AFTER)) == -1


def may_be_older(seen: str | None, known: str | None) -> bool:
    """Whether a reading shows the very version after which our own write came."""
    return (
        seen is not None and known is not None and known.startswith(AFTER) and compare(seen, known[len(AFTER) :]) == 0
    )


def shows_version(seen: str | None, wanted: str) -> bool:
    """Whether a state of version ``seen`` includes the change that ``wanted`` speaks of."""
    if seen is None:
        return True
    if seen.startswith(AFTER):
        return compare(seen[len(AFTER) :], wanted) in (0, 1, None)
    return compare(seen, wanted) in (0, 1, None)
