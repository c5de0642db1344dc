"""Tracking numbers that stand on several parcels: Wix takes each number once (W29), so the others carry a mark.

Only Wix and the buyer see the mark. What is read loses it, so everybody else knows the number alone.
"""

from __future__ import annotations

import re

_MARKED = re.compile(r"(.*\S) \(([2-9]|[1-9]\d{1,2})\)", re.DOTALL)


def marked(number: str, mark: int) -> str:
    """The number as the parcel with this mark shows it."""
    return f"{number} ({mark})"


def without_mark(shown: str) -> tuple[str, int]:
    """The number that a parcel is followed by, and its mark; 0 without one."""
    found = _MARKED.fullmatch(shown)
    return (found[1], int(found[2])) if found else (shown, 0)
