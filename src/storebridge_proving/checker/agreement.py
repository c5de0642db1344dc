"""After quiet: does what the stores show agree with what is left?"""

from __future__ import annotations

from collections.abc import Mapping

from storebridge_proving.checker.pools import follow
from storebridge_proving.checker.records import MOST_PER_COUNTER, Pool, Records


def disagrees(pool: Pool, policy: str, safety_stock: int) -> str:
    """Why a SKU is out of step, in words; empty when it is not.

    mirror and guarded: some store shows other than what is left. escrow: a level is below zero, or the
    levels do not add up, or a store shows nothing while there is one for each. hybrid: a store shows more
    than there is, or all together less. Where a bundle draws, hybrid and guarded are escrow. What is owed
    since before the baseline cannot be shown, nor what is more than a vendor's counters take: those are full then.
    Raises ValueError for a policy that is none of these.
    """
    course = follow(pool)
    left = _sellable(course.left + course.owed, safety_stock)
    shown = list(pool.levels.values())
    if policy == "escrow" or (pool.packed and policy in ("hybrid", "guarded")):
        return _shared_out(shown, list(pool.packed), pool, left)
    if policy in ("mirror", "guarded"):
        return _mirrored(pool, left)
    if policy == "hybrid":
        return _between(shown, pool, left)
    raise ValueError(f"{policy!r} is no policy: mirror, escrow, hybrid or guarded")


def _sellable(left: int, safety_stock: int) -> int:
    """What is left for sale; a shortage stays visible, safety stock or not."""
    return left if left < 0 else max(0, left - safety_stock)


def _mirrored(pool: Pool, left: int) -> str:
    wanted = max(0, left)
    off = any(level != pool.shown_of(store, wanted) for store, level in pool.levels.items())
    return f"shown {list(pool.levels.values())}, left {wanted}" if off else ""


def _shared_out(shown: list[int], packed: list[int], pool: Pool, left: int) -> str:
    if pool.lowest_level < 0:
        return f"a level is {pool.lowest_level}"
    in_bundles = f" and {packed} in bundles" if packed else ""
    together = sum(shown) + sum(packed)
    if together > left or (together < left and not pool.is_full):
        return f"shown {shown}{in_bundles}, together not {left}"
    if left >= len(shown) + len(packed) and 0 in shown:
        return f"shown {shown}{in_bundles}: one store has none of {left}"
    return ""


def bundles_off(records: Records, pools: Mapping[str, Pool]) -> dict[str, str]:
    """Mirror: bundles that show other than what their scarcest component allows, and why, in words."""
    found: dict[str, str] = {}
    for bundle, recipe in records.bundles.items():
        courses = {sku: follow(pools[sku]) for sku in recipe}
        left = {sku: _sellable(one.left + one.owed, records.safety_stock) for sku, one in courses.items()}
        allowed = min(max(0, left[sku]) // units for sku, units in recipe.items())
        for store, truth in records.truths.items():
            places = [level["available"] for level in truth["levels"] if level["sku"] == bundle]
            most = MOST_PER_COUNTER.get(store, allowed) * len(places)
            if places and sum(places) != min(allowed, most):
                found[bundle] = f"{store} shows {sum(places)}, its components {left} allow {allowed}"
    return found


def _between(shown: list[int], pool: Pool, left: int) -> str:
    if max(shown) > max(0, left):
        return f"shown {shown}, more than {left}"
    return f"shown {shown}, together less than {left}" if sum(shown) < left and not pool.is_full else ""
