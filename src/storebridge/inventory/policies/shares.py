"""Dividing a pool: by weight, within the limits that the merchant set, and only when it matters. Pure."""

from __future__ import annotations

from collections.abc import Sequence

TOLERANCE = 0.25
"""Shares off by no more than this part of the pool stay where they are."""


def divide(units: int, weights: Sequence[float], caps: Sequence[int | None] = ()) -> list[int]:
    """Divide by weight with largest remainders; nobody gets none while there is one for everybody.

    ``caps`` limit single parts; what they cut off is divided among the others, and stays over when all are capped.
    """
    limits = list(caps) or [None] * len(weights)
    parts = _divide_freely(units, weights)
    over = [i for i, limit in enumerate(limits) if limit is not None and parts[i] > limit]
    if not over:
        return parts
    for i in over:
        parts[i] = limits[i] or 0
    others = [i for i in range(len(parts)) if i not in over]
    rest = units - sum(parts[i] for i in over)
    again = divide(rest, [weights[i] for i in others], [limits[i] for i in others]) if others else []
    for i, part in zip(others, again, strict=True):
        parts[i] = part
    return parts


def _divide_freely(units: int, weights: Sequence[float]) -> list[int]:
    if not weights:
        return []
    floor = 1 if units >= len(weights) else 0
    rest = units - floor * len(weights)
    total = sum(weights)
    exact = [rest * weight / total for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[: rest - sum(parts)]:
        parts[i] += 1
    return [part + floor for part in parts]


def settled_shares(
    left: int, room: int, shown: Sequence[int], weights: Sequence[float], caps: Sequence[int | None] = ()
) -> list[int]:
    """What each store should show of ``left`` units: its share, or what it shows now where moving would not pay.

    ``room`` is the reserve that can be handed out at once. Moving rights costs two calls, so they move only when a
    store runs dry, or is off by more than a quarter of the pool.
    """
    return settle_shares(left, room, shown, divide(left, weights, caps), caps)


def settle_shares(
    left: int, room: int, shown: Sequence[int], shares: Sequence[int], caps: Sequence[int | None] = ()
) -> list[int]:
    """The same with ``shares`` that somebody has divided already."""
    limits = list(caps) or [None] * len(shares)
    return [_settled(place, left, room, shown, shares, limits) for place in range(len(shares))]


def _settled(
    mine: int, left: int, room: int, shown: Sequence[int], shares: Sequence[int], limits: Sequence[int | None]
) -> int:
    share, now, limit = shares[mine], shown[mine], limits[mine]
    if room < 0 or (share > now and room > 0) or now <= 0 or (limit is not None and now > limit):
        return share
    others = [i for i in range(len(shares)) if i != mine]
    if share < now and now >= 2 and any(_is_short(shown[i], shares[i], limits[i]) for i in others):
        return share  # another store is dry: hand rights over
    if abs(share - now) <= max(1.0, TOLERANCE * (left if limit is None else min(left, limit))):
        return now
    needy = any(shown[i] < max(1.0, shares[i] / 2) for i in others)
    return share if share > now or needy else now


def _is_short(units: int, share: int, limit: int | None) -> bool:
    """Dry; or half empty where a limit keeps it far below its part of the pool, so that no tolerance would notice."""
    return units <= 0 < share or (share == limit and units < share / 2)
