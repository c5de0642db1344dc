"""The most that one store may show of a pool: what the merchant allows it (in units, or as a part of what is left), and
what its counters take. Pure."""

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
    """The same of one channel, in units of the pool: what leaves may show nothing, and no counter more than its vendor
    takes."""
    if channel.leaves:
        return 0
    cap, most = cap_of(pool, channel.connection, left), channel.most
    full = left if most is None else most * channel.weights[pool.pool_id]
    return cap if full >= (left if cap is None else cap) else full


def most_of(cap: int | None) -> int:
    """A cap as a number."""
    return UNLIMITED if cap is None else cap
