"""Channel allocation: the most that a merchant lets one store show, in units or as a part of what is left. Pure."""

from __future__ import annotations

from storebridge.model.ids import ConnectionName
from storebridge.model.stock import Pool

UNLIMITED = 1_000_000_000


def cap_of(pool: Pool, connection: ConnectionName, left: int) -> int | None:
    """The most that a store may show of a pool with ``left`` units; None when nothing was set (by velocity)."""
    share = pool.allocation.get(connection)
    if share is None:
        return None
    if share.units is not None:
        return min(share.units, left)
    return int(left * share.percent / 100) if share.percent is not None else None


def most_of(cap: int | None) -> int:
    """A cap as a number."""
    return UNLIMITED if cap is None else cap
