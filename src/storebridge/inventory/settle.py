"""One of our own writes took effect: rights and level move together (so P stays). Pure."""

from __future__ import annotations

import msgspec

from storebridge.inventory.versions import after
from storebridge.model.stock import Position


def apply_delta(position: Position, delta: int, *, version: str | None, blind: bool = False) -> Position:
    """``version`` is what the vendor named in its answer; None when it named none: then any later one counts.

    A ``blind`` lower may have pushed the counter below zero, and then the units that it seems to free do not exist:
    they count only after a later read shows zero or more. Lifting such a counter gives no rights, it uses those up.
    """
    uncredited = position.uncredited - min(position.uncredited, max(0, delta))
    return msgspec.structs.replace(
        position,
        granted=position.granted + delta,
        level=position.level + delta,
        uncredited=uncredited + (max(0, -delta) if blind else 0),
        version=version if version is not None else after(position.version),
    )
