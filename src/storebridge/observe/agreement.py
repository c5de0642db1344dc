"""Does every store show what the policy wants? Judged from the bridge's own last reads.

The proof that counts is made elsewhere, from the stores' own records; this is what an operator sees meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from storebridge.model.settings import LaneTerms, PoolTerms
from storebridge.model.stock import Policy
from storebridge.store.views_stock import StoredPool


class Agreement(msgspec.Struct, frozen=True):
    """One pool against its policy."""

    in_step: bool
    left: int
    """P: what can still be sold."""
    shown: dict[str, int]
    """What each store shows, over its locations of this group."""
    wanted: dict[str, int] | None
    """What each store should show; None where only the sum or the bounds are prescribed (escrow, hybrid)."""
    oversold: int
    """Units sold that do not exist."""
    drift: dict[str, int]
    """Units by which each store is off."""


def judge_pool(pool: StoredPool, terms: PoolTerms) -> Agreement:
    """Compare what the stores show with what the policy wants."""
    shown: dict[str, int] = {}
    for counter in pool.counters:
        shown[counter.connection] = shown.get(counter.connection, 0) + counter.level
    left = pool.left
    to_show = max(0, left - terms.safety_stock)
    limits = _limits(terms, to_show)
    most = {name: limits.get(name, to_show) for name in shown}
    if terms.policy is Policy.MIRROR:
        wanted = most
        drift = {name: abs(level - wanted[name]) for name, level in shown.items()}
        in_step = not any(drift.values())
        return Agreement(in_step, left, shown, wanted, max(0, -left), drift)
    together = min(to_show, sum(most.values()))
    if terms.policy is Policy.HYBRID:  # each at most what is left, and all together at least that
        drift = {name: max(0, -level, level - most[name]) for name, level in shown.items()}
        in_step = not any(drift.values()) and sum(shown.values()) >= together
        return Agreement(in_step, left, shown, None, max(0, -left), drift)
    drift = _drift_of_shares(shown, limits, to_show)
    starved = to_show >= len(shown) and any(level <= 0 < most[name] for name, level in shown.items())
    in_step = not any(drift.values()) and not starved and sum(shown.values()) == together
    return Agreement(in_step, left, shown, None, max(0, -left), drift)


def _limits(terms: PoolTerms, to_show: int) -> dict[str, int]:
    """What stores may show of a pool, where the merchant limited them."""
    limits = {str(name): share.most_of(to_show) for name, share in terms.allocation.items()}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _drift_of_shares(shown: dict[str, int], limits: dict[str, int], to_show: int) -> dict[str, int]:
    """Below zero or above its limit is off by that much; what is too much together is charged to the largest."""
    drift = {name: max(0, -level, level - limits.get(name, level)) for name, level in shown.items()}
    too_much = sum(min(level, limits.get(name, level)) for name, level in shown.items()) - to_show
    if shown and too_much > 0:
        largest = max(shown, key=lambda name: (shown[name], name))
        drift[largest] += too_much
    return drift


class Totals(msgspec.Struct, frozen=True):
    """All pools of a workspace."""

    skus: int
    units_left: int
    out_of_step: tuple[str, ...]
    """SKUs, at most the first hundred."""
    skus_out_of_step: int
    units_oversold: int
    not_guaranteed: int
    """Pools for which the guarantee does not hold (yet)."""
    frozen: int
    held: int
    drift: dict[str, int]


MOST_NAMED = 100


def judge_all(pools: Iterable[StoredPool], terms: LaneTerms) -> Totals:
    """Judge every pool and add up."""
    skus: set[str] = set()
    out: list[str] = []
    drift: dict[str, int] = {}
    left = oversold = unguaranteed = frozen = held = 0
    for pool in pools:
        own = terms.of(pool.sku)
        agreement = judge_pool(pool, own)
        skus.add(pool.sku)
        left += max(0, agreement.left)
        oversold += agreement.oversold
        unguaranteed += pool.guaranteed_since is None
        frozen += pool.frozen
        is_held = any(counter.held for counter in pool.counters)
        held += is_held
        if not (agreement.in_step or is_held or pool.frozen):
            out.append(pool.sku)
        for name, units in agreement.drift.items():
            drift[name] = drift.get(name, 0) + units
    return Totals(len(skus), left, tuple(out[:MOST_NAMED]), len(out), oversold, unguaranteed, frozen, held, drift)
