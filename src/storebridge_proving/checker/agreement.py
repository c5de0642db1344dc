"""After quiet: does what the stores show agree with what is left?"""

from __future__ import annotations

from storebridge_proving.checker.pools import follow
from storebridge_proving.checker.records import Pool


def disagrees(pool: Pool, policy: str, safety_stock: int) -> str:
    """Why a SKU is out of step, in words; empty when it is not.

    mirror and guarded: some store shows other than what is left. escrow: a level is below zero, or the
    levels do not add up, or a store shows nothing while there is one for each. hybrid: a store shows more
    than there is, or all together less. What is owed since before the baseline cannot be shown.
    Raises ValueError for a policy that is none of these.
    """
    course = follow(pool)
    left = _sellable(course.left + course.owed, safety_stock)
    shown = list(pool.levels.values())
    if policy in ("mirror", "guarded"):
        return _mirrored(shown, left)
    if policy == "escrow":
        return _shared_out(shown, pool.lowest_level, left)
    if policy == "hybrid":
        return _between(shown, left)
    raise ValueError(f"{policy!r} is no policy: mirror, escrow, hybrid or guarded")


def _sellable(left: int, safety_stock: int) -> int:
    """What is left for sale; a shortage stays visible, safety stock or not."""
    return left if left < 0 else max(0, left - safety_stock)


def _mirrored(shown: list[int], left: int) -> str:
    wanted = max(0, left)
    return f"shown {shown}, left {wanted}" if any(level != wanted for level in shown) else ""


def _shared_out(shown: list[int], lowest: int, left: int) -> str:
    if lowest < 0:
        return f"a level is {lowest}"
    if sum(shown) != left:
        return f"shown {shown}, together not {left}"
    if left >= len(shown) and 0 in shown:
        return f"shown {shown}: one store has none of {left}"
    return ""


def _between(shown: list[int], left: int) -> str:
    if max(shown) > max(0, left):
        return f"shown {shown}, more than {left}"
    return f"shown {shown}, together less than {left}" if sum(shown) < left else ""
