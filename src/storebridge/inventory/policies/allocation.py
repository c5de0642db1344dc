"""Channel allocation: the most that a merchant lets one store show, in units or as a part of what is left. Pure."""

from __future__ import annotations

from storebridge.inventory.channels import Channel
from storebridge.model.ids import ConnectionName
from storebridge.model.stock import Pool

UNLIMITED = 1_000_000_000


def cap_of(pool: Pool, connection: ConnectionName, left: int) -> int | None:
    """The most that a store may show of a pool with ``left`` units; None when nothing was set (by velocity)."""
    share = pool.allocation.get(connection)
    return None if share is None else share.most_of(left)


def cap_of_channel(pool: Pool, channel: Channel, left: int) -> int | None:
    """The same of one channel: what leaves may show nothing."""
    return 0 if channel.leaves else cap_of(pool, channel.connection, left)


def most_of(cap: int | None) -> int:
    """A cap as a number."""
    return UNLIMITED if cap is None else cap
