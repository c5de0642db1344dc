"""Numbers as sentences need them."""

from __future__ import annotations


def in_units(count: int) -> str:
    """``1 unit``, ``2 units``."""
    return f"{count} unit" if count == 1 else f"{count} units"
