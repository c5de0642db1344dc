"""The guard against an import, an app or a slip that empties a store: unusually many counters at zero at once. Pure.

Two signs. In one read many counters are at zero that were not: a sweep finds so what nobody announced. Or counters fall
one by one, as announced edits are read, each from well above zero in a single step: shoppers take the last units of a
counter in small steps, an emptied store does not.
"""

from __future__ import annotations

from collections.abc import Iterable

AT_LEAST = 10
"""Fewer counters than this falling to zero together is an ordinary busy minute."""
SMALLEST_SHOP = 3
"""A shop with fewer well stocked counters than this is told by nothing from one that sold out."""


def looks_emptied(changes: Iterable[tuple[int, int | None]], *, share: float) -> int:
    """How many counters fell to zero when that is suspicious, else 0. ``changes`` are (known, read) of one read."""
    known = [(before, after) for before, after in changes if before > 0]
    fallen = sum(1 for _, after in known if after is not None and after <= 0)
    return fallen if fallen >= AT_LEAST and fallen > share * len(known) else 0


def was_emptied_in_steps(fallen: int, still: int, *, share: float) -> bool:
    """Whether ``fallen`` counters of a store, each at zero in one step from well above, are suspicious beside ``still``
    that stand well above zero. A small shop is emptied when all of it is."""
    whole = fallen + still
    return fallen >= min(AT_LEAST, max(SMALLEST_SHOP, whole)) and fallen > share * whole
