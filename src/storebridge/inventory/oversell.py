"""Who loses when more was sold than exists: a stated rule, and nothing of chance in it. Pure.

The earliest paid keeps its goods, an order that nobody paid loses before any that was paid, and what has left the house
is exempt (it is no claim any more). With ``first`` the stores are ranked before time is asked: the orders of a store
that is named earlier keep theirs. An order for which a person brought goods in from elsewhere keeps those before all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from storebridge.model.ids import ConnectionName, OrderKey


class Claim(msgspec.Struct, frozen=True):
    """Units of a pool that an order waits for."""

    order_key: OrderKey
    connection: ConnectionName
    name: str
    """What people call the order."""
    placed_at: datetime
    paid_at: datetime | None
    units: int


class Loser(msgspec.Struct, frozen=True):
    """An order that cannot be met, and how many units of the pool are missing for it."""

    claim: Claim
    units: int


def choose_losers(
    claims: Iterable[Claim],
    short: int,
    first: Sequence[ConnectionName] = (),
    provided: Collection[OrderKey] = (),
) -> list[Loser]:
    """The orders that cannot be met while ``short`` units are missing, the one that loses first at the head.

    They may cover fewer units than are missing: what is short then was not sold by a live order (an edit by staff, a
    parcel that left).
    """
    ranks = {connection: rank for rank, connection in enumerate(first)}
    found: list[Loser] = []
    keeps = sorted(claims, key=lambda claim: (claim.order_key not in provided, _keeps(claim, ranks)), reverse=True)
    for claim in keeps:
        if short <= 0:
            break
        found.append(Loser(claim, min(claim.units, short)))
        short -= claim.units
    return found


def _keeps(claim: Claim, ranks: dict[ConnectionName, int]) -> tuple[int, bool, datetime, datetime, str]:
    """The smaller, the better its claim."""
    rank = ranks.get(claim.connection, len(ranks))
    return rank, claim.paid_at is None, claim.paid_at or claim.placed_at, claim.placed_at, claim.order_key


def voided_units(called_off: int, left_then: int) -> int:
    """Units of a cancellation without restock that never existed: they count only while the pool was short."""
    return min(called_off, max(0, -left_then))
