"""One of our own writes took effect: rights and level move together (so P stays). Pure."""

from __future__ import annotations

import msgspec

from storebridge.inventory.versions import after
from storebridge.model.stock import Position


def apply_delta(position: Position, delta: int, *, version: str | None) -> Position:
    """``version`` is what the vendor named in its answer; None when it named none: then any later one counts."""
    return msgspec.structs.replace(
        position,
        granted=position.granted + delta,
        level=position.level + delta,
        version=version if version is not None else after(position.version),
    )
