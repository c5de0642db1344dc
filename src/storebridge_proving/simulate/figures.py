"""Counts with their bounds: what so many seeds say, and what they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence

Z = 1.959964
"""95 %, two sides."""


def bounds(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson); for none seen, zero to three in ``of`` (the rule of three)."""
    if of == 0:
        return 0.0, 1.0
    if count == 0:
        return 0.0, min(1.0, 3.0 / of)
    share = count / of
    middle = share + Z * Z / (2 * of)
    reach = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    below = 1 + Z * Z / of
    return max(0.0, (middle - reach) / below), min(1.0, (middle + reach) / below)


def share(count: int, of: int) -> dict[str, float]:
    """A share as the report gives it."""
    low, high = bounds(count, of)
    return {"count": count, "n": of, "share": count / of if of else 0.0, "low": low, "high": high}


def as_text(name: str, count: int, of: int, *, per: int = 100) -> str:
    """One line: the share per hundred (or ``per``), n, and the 95 % bounds."""
    low, high = bounds(count, of)
    unit = "%" if per == 100 else f" per {per:,}"
    value = f"{per * count / of:.3g}{unit}" if of else "none"
    return f"{name}: {value} ({count:,} of {of:,}; 95 %: {per * low:.3g} to {per * high:.3g})"


def percentile(values: Sequence[float], part: float) -> float | None:
    """The value that ``part`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)] if ordered else None
