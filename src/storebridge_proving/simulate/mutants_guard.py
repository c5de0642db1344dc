"""Planted bugs of guarded checkouts: name, where it is put in, and what makes the right function wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from storebridge.model.checkouts import Reservation
from storebridge.model.stock import LaneState, Pool

RESERVATIONS = "storebridge.inventory.reservations"
HOLDS = "storebridge.pipeline.normalize.holds"
GUARDED = "storebridge.inventory.policies.guarded"
Make = Callable[[Any], Any]


def _covers_at_once(_right: Any) -> Any:
    """A checkout is allowed before the other store has confirmed its lower."""

    def cover(_state: LaneState, held: dict[Any, Reservation]) -> list[Reservation]:
        return [msgspec.structs.replace(one, covered=one.units) for one in held.values() if one.covered < one.units]

    return cover


def _holds_again(right: Any) -> Any:
    """Each question of one purchase holds the basket once more."""

    def wants(own: Reservation, wanted: int, terms: Any, now: datetime) -> Reservation:
        after: Reservation = right(own, wanted, terms, now)
        return msgspec.structs.replace(after, units=own.covered + wanted)

    return wants


def _gone_at_once(right: Any) -> Any:
    """What a checkout held is given back without a reading that shows what it bought."""

    def ends(own: Reservation, *args: Any) -> Reservation:
        after: Reservation = right(own, *args)
        return msgspec.structs.replace(after, units=0, covered=0)

    return ends


def _as_if_read(_right: Any) -> Any:
    """Any moment will do: nobody looks when the counter was read."""
    return lambda _state, _reservation: datetime.max.replace(tzinfo=UTC)


def _forgets_what_is_held(right: Any) -> Any:
    """Units that a checkout holds are handed out again: given back a second time, while it still has them."""

    def reserve(state: LaneState, pool: Pool) -> int:
        return int(right(state, pool)) + state.reserved.get(pool.pool_id, 0)

    return reserve


def _nothing(_right: Any) -> Any:
    return lambda *_args: []


def _counts_what_is_shown(right: Any) -> Any:
    """A guarded store's level counts as its right to sell and as free as well."""

    def reserve(state: LaneState, pool: Pool) -> int:
        return int(right(state, pool)) + 1

    return reserve


GUARD_BUGS: tuple[tuple[str, tuple[str, ...], Make], ...] = (
    ("a checkout is allowed before it is confirmed", (f"{HOLDS}:cover",), _covers_at_once),
    ("each question holds the basket once more", (f"{RESERVATIONS}:_wants",), _holds_again),
    ("an order ends its hold before it is in the level", (f"{RESERVATIONS}:become_order",), _gone_at_once),
    ("a hold that is over is given back without a reading", (f"{RESERVATIONS}:_read_at",), _as_if_read),
    (
        "a reservation is released twice",
        (f"{RESERVATIONS}:guarded_reserve", f"{GUARDED}:guarded_reserve"),
        _forgets_what_is_held,
    ),
    ("a hold never ends", (f"{HOLDS}:free",), _nothing),
    ("the guarded reserve is one unit too large", (f"{RESERVATIONS}:guarded_reserve",), _counts_what_is_shown),
)
