"""Reservations of checkouts: what a basket may hold, when it is covered, and when it is freed. Pure.

A unit is *covered* when no store whose checkout is not guarded can sell it: those stores show at most what is left less
all reservations. The number of units that count only falls together with a reading of the store's own counter that was
sent after the moment: before it the sale is in neither number, after it in both, so it is never counted twice or not
at all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from storebridge.inventory.pools import goods_left, guarded_reserve
from storebridge.model.checkouts import LAG, TAKES_HOLD, Basket, GuardTerms, Reservation
from storebridge.model.ids import ConnectionName, OrderId, PoolId
from storebridge.model.stock import LaneState, Pool, Position

UNEXPLAINED = timedelta(seconds=40)
"""For so long a fall of the counter is taken for the order of a checkout; by then its order is listed."""

RENEWED = 0.9
"""A hold that has less than this part of its time left is renewed when its checkout asks again."""

Key = tuple[str, PoolId]
Held = Mapping[Key, Reservation]


def key_of(reservation: Reservation) -> Key:
    return reservation.flow, reservation.pool_id


def shortages(state: LaneState, held: Held, flow: str, basket: Basket, terms: GuardTerms) -> dict[PoolId, int]:
    """Pools that have less than the basket wants, with the units that this flow could have."""
    most = {pool.pool_id: most_for(state, pool, held, flow, terms) for pool in state.pools}
    return {pool_id: units for pool_id, units in most.items() if basket.get(pool_id, 0) > units}


def hold(
    state: LaneState,
    held: Held,
    connection: ConnectionName,
    flow: str,
    basket: Basket,
    terms: GuardTerms,
    now: datetime,
) -> list[Reservation]:
    """One flow holds this basket; what it held more than that is freed a little later. Asking again changes nothing."""
    changed: list[Reservation] = []
    for pool in state.pools:
        wanted, before = basket.get(pool.pool_id, 0), held.get((flow, pool.pool_id))
        if before is None and wanted == 0:
            continue
        own = before or Reservation(flow, connection, pool.pool_id, 0, 0, 0, now, now, now)
        after = _wants(own, wanted, terms, now)
        if own.wanted != wanted or own.units != after.units or own.ends_at < now + RENEWED * terms.hold:
            changed.append(after)
    return changed


def hold_no_more(held: Held, flow: str, basket: Basket, now: datetime) -> list[Reservation]:
    """A refused basket holds at most what it held: its last allowed form may just be placed."""
    own = [one for one in held.values() if one.flow == flow and one.order_id is None]
    return [after for one in own if (after := _no_more(one, basket.get(one.pool_id, 0), now)) != one]


def most_for(state: LaneState, pool: Pool, held: Held, flow: str, terms: GuardTerms) -> int:
    """Units of a pool that one flow may hold: what is left and nobody else holds, within the caps."""
    left = goods_left(state, pool) - pool.safety_stock
    others = sum(r.units for r in held.values() if r.pool_id == pool.pool_id and r.flow != flow)
    together = math.ceil(terms.most_share_held * max(0, left))
    return max(0, min(left - others, together - others, terms.most_units_per_checkout))


def _wants(own: Reservation, wanted: int, terms: GuardTerms, now: datetime) -> Reservation:
    return msgspec.structs.replace(
        own,
        units=max(own.covered, wanted),
        wanted=wanted,
        asked_at=now,
        ends_at=now + terms.hold,
        free_at=now + TAKES_HOLD if wanted < own.covered else None,
    )


def _no_more(own: Reservation, wanted: int, now: datetime) -> Reservation:
    kept = min(wanted, own.covered)
    free_at = now + TAKES_HOLD if kept < own.covered else own.free_at
    return msgspec.structs.replace(own, units=own.covered, wanted=kept, free_at=free_at)


def take_back(own: Reservation) -> Reservation:
    """What was never covered was never allowed: it need not be waited for."""
    return msgspec.structs.replace(own, units=own.covered, wanted=min(own.wanted, own.covered))


def drop_impossible(state: LaneState, held: Held) -> list[Reservation]:
    """What is not covered and cannot be: goods are gone meanwhile. The last to ask loses first; no store is lowered for
    it."""
    dropped: list[Reservation] = []
    for pool in state.pools:
        mine = [r for r in held.values() if r.pool_id == pool.pool_id]
        room = goods_left(state, pool) + state.expected.get(pool.pool_id, 0) - sum(r.units for r in mine)
        for one in sorted(mine, key=lambda r: (r.asked_at, r.flow), reverse=True):
            if room < 0 and one.units > one.covered:
                room += one.units - one.covered
                dropped.append(msgspec.structs.replace(one, units=one.covered))
    return dropped


def cover(state: LaneState, held: Held) -> list[Reservation]:
    """Reservations that are covered by now, the first to ask first."""
    covered: list[Reservation] = []
    for pool in state.pools:
        mine = [r for r in held.values() if r.pool_id == pool.pool_id]
        room = guarded_reserve(state, pool) + sum(r.units - r.covered for r in mine)
        for one in sorted(mine, key=lambda r: (r.asked_at, r.flow)):
            missing = one.units - one.covered
            if 0 < missing <= room:
                room -= missing
                covered.append(msgspec.structs.replace(one, covered=one.units))
    return covered


def expire(own: Reservation) -> Reservation:
    """A checkout that asked no more for too long: an order that it placed shows in readings from then on."""
    return msgspec.structs.replace(own, wanted=0, free_at=own.ends_at + LAG)


def become_order(own: Reservation, order_id: OrderId, now: datetime) -> Reservation:
    """Its order is known, so the counter has fallen: a reading that is sent from now on shows it."""
    return msgspec.structs.replace(own, wanted=0, order_id=order_id, free_at=now)


def note_fall(held: Iterable[Reservation], units: int, now: datetime) -> list[Reservation]:
    """A counter fell by ``units``: perhaps checkouts bought them, those whose order is known first, then the oldest."""
    noted: list[Reservation] = []
    for one in sorted(held, key=lambda r: (r.order_id is None, r.asked_at, r.flow)):
        taken = min(units, one.covered - one.seen)
        if taken > 0:
            units -= taken
            noted.append(msgspec.structs.replace(one, seen=one.seen + taken, seen_at=now))
    return noted


def free(state: LaneState, held: Held, now: datetime) -> list[Reservation]:
    """Reservations that end or shrink: their own counters were read after the moment. What a fall may have been is
    forgotten when no order came."""
    freed: list[Reservation] = []
    bought: Counter[tuple[ConnectionName, PoolId]] = Counter()
    for one in held.values():
        after = one
        read_at = _read_at(state, one)
        if one.free_at is not None and read_at is not None and read_at >= _shown_from(one, one.free_at):
            covered = min(one.covered, one.wanted)
            after = msgspec.structs.replace(one, units=one.wanted, covered=covered, free_at=None, seen=0, seen_at=None)
            bought[one.connection, one.pool_id] += one.covered - one.seen if one.order_id is not None else 0
        elif one.seen_at is not None and now - one.seen_at > UNEXPLAINED:
            after = msgspec.structs.replace(one, seen=0, seen_at=None)
        if after != one:
            freed.append(after)
    return [*freed, *_not_theirs(held, {(one.flow, one.pool_id) for one in freed}, bought)]


def _not_theirs(held: Held, freed: set[Key], bought: Counter[tuple[ConnectionName, PoolId]]) -> list[Reservation]:
    """A fall that was taken for one checkout's order was another's, whose order is known by now (core, guarded, storm,
    seed 2036: the next order of the first ended its hold before it was in the level)."""
    corrected: list[Reservation] = []
    for key, one in held.items():
        taken = min(one.seen, bought[one.connection, one.pool_id])
        if taken > 0 and key not in freed and one.order_id is None:
            bought[one.connection, one.pool_id] -= taken
            left = one.seen - taken
            corrected.append(msgspec.structs.replace(one, seen=left, seen_at=one.seen_at if left else None))
    return corrected


def _shown_from(one: Reservation, free_at: datetime) -> datetime:
    """An order whose fall was seen is in the level; else a reading may lag behind it (core, storm, seed 8: a unit was
    given back that had just been sold)."""
    return free_at if one.order_id is None or one.seen >= one.covered else free_at + LAG


def _read_at(state: LaneState, reservation: Reservation) -> datetime | None:
    """Since when every counter of the reservation's store is known; None when one was never read."""
    drawing = {d.position for d in state.draws if d.pool_id == reservation.pool_id}
    moments = [p.read_at for p in _at(state.positions, reservation.connection) if p.key in drawing]
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None


def _at(positions: Sequence[Position], connection: ConnectionName) -> list[Position]:
    return [position for position in positions if position.key.connection == connection]
