"""Planted bugs about bundles: (name, what is replaced, how, under which policy); see ``mutants.py``."""

from __future__ import annotations

from typing import Any

import msgspec

from storebridge.model.stock import Draw, LevelReading, Position

POLICIES = "storebridge.inventory.policies"
OPENED = ("storebridge_proving.simulate.core.bridge:opened",)


def _with_draws(change: Any) -> Any:
    """The bundle joins the pools wrongly; ``change`` gets its draws, one after the other, and may drop one (None)."""

    def make(right: Any) -> Any:
        def opened(pools: Any, stores: Any) -> Any:
            lane = right(pools, stores)
            bundles = {key for key, stored in lane.positions.items() if stored.position.bundle is not None}
            changed = [change(draw) if draw.position in bundles else draw for draw in lane.draws]
            lane.draws = tuple(draw for draw in changed if draw is not None)
            return lane

        return opened

    return make


def _ceil(_right: Any) -> Any:
    return lambda units, weight: -(-units // weight)


def _by_one_pool(_right: Any) -> Any:
    """Only the first component is asked whether there is enough."""

    def take(channel: Any, change: int, free: dict[Any, int]) -> int:
        pool_id, weight = next(iter(channel.weights.items()))
        units: int = max(0, min(change, free[pool_id] // weight))
        for pool_id, weight in channel.weights.items():
            free[pool_id] -= units * weight
        return units

    return take


def _sold_twice(right: Any) -> Any:
    """A sale of a bundle lowers the pools by what its counter fell, and once more by its order."""

    def fold(position: Position, reading: LevelReading, **named: Any) -> Any:
        folded = right(position, reading, **named)
        if position.bundle is None or folded.movement >= 0:
            return folded
        moved = msgspec.structs.replace(folded.position, granted=folded.position.granted - folded.movement)
        return msgspec.structs.replace(folded, position=moved)

    return fold


def _without_a_component(draw: Draw) -> Draw | None:
    return None if draw.pool_id == "part" else draw


def _one_of_each(draw: Draw) -> Draw:
    return msgspec.structs.replace(draw, weight=1)


BUNDLE_BUGS = (
    ("a component of a bundle is not lowered", OPENED, _with_draws(_without_a_component), "escrow"),
    ("a bundle takes one unit of each component", OPENED, _with_draws(_one_of_each), "escrow"),
    ("a bundle sold counts twice", ("storebridge.pipeline.normalize.fold:fold_reading",), _sold_twice, "mirror"),
    ("a bundle that lacks a unit is shown", (f"{POLICIES}.mirror:whole",), _ceil, "mirror"),
    ("rights of a bundle are rounded up", (f"{POLICIES}.steps:whole",), _ceil, "escrow"),
    ("one component's reserve gives a bundle its rights", (f"{POLICIES}.steps:_take",), _by_one_pool, "escrow"),
)
