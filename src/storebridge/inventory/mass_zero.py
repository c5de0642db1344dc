"""The guard against an import or an app that empties a store: unusually many counters at zero at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable

AT_LEAST = 10
"""Fewer counters than this falling to zero together is an ordinary busy minute."""


def looks_emptied(changes: Iterable[tuple[int, int | None]], *, share: float) -> int:
    """How many counters fell to zero when that is suspicious, else 0. ``changes`` are (known, read) of one read."""
    known = [(before, after) for before, after in changes if before > 0]
    fallen = sum(1 for _, after in known if after is not None and after <= 0)
    return fallen if fallen >= AT_LEAST and fallen > share * len(known) else 0
