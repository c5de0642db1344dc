"""Numbers as sentences need them."""

from __future__ import annotations


def in_units(count: int) -> str:
    """``1 unit``, ``2 units``."""
    return f"{count} unit" if count == 1 else f"{count} units"


def in_skus(count: int) -> str:
    """``1 SKU``, ``2 SKUs``."""
    return f"{count} SKU" if count == 1 else f"{count} SKUs"
