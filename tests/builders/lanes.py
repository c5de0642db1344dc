"""Lane states for the pure planner, with everything that a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from storebridge.model.ids import ConnectionName, IntentId, ItemId, LocationId, PoolId
from storebridge.model.stock import Draw, LaneState, OpenWrite, Policy, Pool, Position, PositionKey

POOL = PoolId("A@main")
STORES = ("amazon", "shopify", "wix")


def key(store: str, location: str = "loc", item: str = "item-a") -> PositionKey:
    return PositionKey(ConnectionName(store), ItemId(item), LocationId(location))


def position(store: str, level: int, granted: int | None = None, *, location: str = "loc", **changes: Any) -> Position:
    """``granted`` as much as it shows, unless said otherwise."""
    return Position(key(store, location), level if granted is None else granted, level, **changes)


def on_the_wire(delta: int) -> OpenWrite:
    return OpenWrite(IntentId("intent"), delta, True)


def lane(
    *positions: Position, goods: int, policy: Policy = Policy.MIRROR, weight: int = 1, **changes: Any
) -> LaneState:
    """One pool with its counters."""
    pool = Pool(POOL, "A", goods, policy, **changes)
    draws = tuple(Draw(one.key, POOL, weight) for one in positions)
    return LaneState((pool,), tuple(positions), draws)


@st.composite
def positions(draw: st.DrawFn, store: str, location: str = "loc") -> Position:
    delta = draw(st.integers(-20, 20).filter(bool))
    write = draw(
        st.sampled_from([None, None, OpenWrite(IntentId("i"), delta, True), OpenWrite(IntentId("i"), delta, False)])
    )
    return Position(
        key(store, location),
        granted=draw(st.integers(-20, 60)),
        level=draw(st.integers(-10, 60)),
        held=draw(st.sampled_from([0, 0, 0, 5])),
        uncredited=draw(st.sampled_from([0, 0, 0, 3])),
        rank=draw(st.integers(0, 2)),
        tracked=draw(st.sampled_from([True, True, True, False])),
        writable=draw(st.sampled_from([True, True, True, False])),
        open_write=write,
    )


@st.composite
def lanes(draw: st.DrawFn, policy: Policy) -> LaneState:
    """Two or three stores on one pool, one or two counters each, anything odd about them."""
    stores = draw(st.sampled_from([STORES[:2], STORES]))
    counters = [
        draw(positions(store, location))
        for store in stores
        for location in draw(st.sampled_from([("loc",), ("loc", "outlet")]))
    ]
    pool = Pool(POOL, "A", draw(st.integers(-5, 150)), policy, safety_stock=draw(st.sampled_from([0, 0, 2])))
    velocity = {ConnectionName(store): draw(st.floats(0, 10)) for store in stores}
    return LaneState((pool,), tuple(counters), tuple(Draw(one.key, POOL) for one in counters), velocity)
