"""Does every store show what the policy wants? Judged from the bridge's own last reads.

The proof that counts is made elsewhere, from the stores' own records; this is what an operator sees meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from storebridge.model.ids import ConnectionName
from storebridge.model.settings import LaneTerms, PoolTerms
from storebridge.model.stock import ONE_POOL_ONLY, Policy, strictest
from storebridge.store.views_judged import JudgedPool


class ShownCounter(Protocol):
    """A stock counter, as far as judging goes."""

    @property
    def connection(self) -> str: ...
    @property
    def item_id(self) -> str: ...
    @property
    def level(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def weight(self) -> int: ...
    @property
    def bundle(self) -> str | None: ...
    @property
    def leaving(self) -> bool: ...


class ShownPool(Protocol):
    """Physical goods and the counters that draw on them, as far as judging goes."""

    @property
    def sku(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def counters(self) -> Sequence[ShownCounter]: ...
    @property
    def left(self) -> int: ...
    @property
    def on_hold(self) -> int: ...
    @property
    def together(self) -> Sequence[str]: ...


class Agreement(msgspec.Struct, frozen=True):
    """One pool against its policy."""

    in_step: bool
    left: int
    """P: what can still be sold."""
    shown: dict[str, int]
    """What each store shows, over its locations of this group."""
    wanted: dict[str, int] | None
    """What each store should show; None where only the sum or the bounds are prescribed (escrow, hybrid, guarded)."""
    oversold: int
    """Units sold that do not exist."""
    drift: dict[str, int]
    """Units by which each store is off."""
    capped: dict[str, int] = {}
    """Stores that could show more of it if their counters took more, and the most that they take."""


def terms_of_pool(pool: ShownPool, terms: LaneTerms) -> PoolTerms:
    """What holds for a pool: the strictest policy of all that a bundle makes one lane of, and shares instead of what is
    derived for channels of one pool."""
    own = terms.of(pool.sku)
    if not pool.together:
        return own
    policy = strictest(terms.of(sku).policy for sku in pool.together)
    return msgspec.structs.replace(own, policy=Policy.ESCROW if policy in ONE_POOL_ONLY else policy)


def decided_by(pool: ShownPool, terms: LaneTerms) -> str:
    """The campaign, override or bundle that a pool's terms come from, for people; empty: as in the workspace."""
    if pool.together and terms_of_pool(pool, terms).policy is not terms.of(pool.sku).policy:
        return "a bundle draws on it"
    return terms.decided_by(pool.sku)


def judge_pool(pool: ShownPool, terms: PoolTerms) -> Agreement:
    """Compare what the stores show with what the policy wants; ``terms`` by ``terms_of_pool``."""
    shown: dict[str, int] = {}
    bundles: dict[tuple[str, str], int] = {}
    for counter in pool.counters:
        if counter.bundle is not None:
            name = (counter.connection, counter.item_id)
            bundles[name] = bundles.get(name, 0) + counter.weight * counter.level
            continue
        shown[counter.connection] = shown.get(counter.connection, 0) + counter.level
    left = pool.left
    to_show = max(0, left - terms.safety_stock)
    capped = _capped(pool, terms, to_show)
    limits = {**_limits(terms, to_show), **capped}
    in_step, wanted, drift = _judge(pool, terms.policy, shown, limits, to_show, sum(bundles.values()), len(bundles))
    return Agreement(in_step, left, shown, wanted, max(0, -left), drift, capped)


def _judge(
    pool: ShownPool,
    policy: Policy,
    shown: dict[str, int],
    limits: dict[str, int],
    to_show: int,
    packed: int,
    bundles: int,
) -> tuple[bool, dict[str, int] | None, dict[str, int]]:
    """Whether it is in step, what each store should show, by how much each is off. ``packed``: units in ``bundles``."""
    most = {name: limits.get(name, to_show) for name in shown}
    if policy is Policy.MIRROR:
        drift = {name: abs(level - most[name]) for name, level in shown.items()}
        return not any(drift.values()), most, drift
    if policy is Policy.GUARDED:  # all that is left, less what checkouts elsewhere hold
        drift = {name: max(0, level - most[name], most[name] - pool.on_hold - level) for name, level in shown.items()}
        return not any(drift.values()), None, drift
    if policy is Policy.HYBRID:  # each at most what is left, and all together at least that
        drift = {name: max(0, -level, level - most[name]) for name, level in shown.items()}
        enough = sum(shown.values()) >= min(to_show, sum(most.values()))
        return enough and not any(drift.values()), None, drift
    drift = _drift_of_shares(shown, limits, to_show - packed)
    starved = to_show >= len(shown) + bundles and any(level <= 0 < most[name] for name, level in shown.items())
    handed_out = sum(shown.values()) + packed
    all_full = handed_out < to_show and all(level >= most[name] for name, level in shown.items())
    return (handed_out == to_show or all_full) and not (starved or any(drift.values())), None, drift


def _limits(terms: PoolTerms, to_show: int) -> dict[str, int]:
    """What stores may show of a pool, where the merchant limited them."""
    if not terms.allocation:
        return {}
    limits = {str(name): share.most_of(to_show) for name, share in terms.allocation.items()}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _capped(pool: ShownPool, terms: PoolTerms, to_show: int) -> dict[str, int]:
    """Stores whose counters take less than they might show; looked at only where there is so much."""
    if to_show <= min(terms.most_per_counter.values(), default=to_show):
        return {}
    counters = Counter(counter.connection for counter in pool.counters if counter.bundle is None)
    limits = _limits(terms, to_show)
    found = {name: terms.most_per_counter.get(ConnectionName(name), to_show) * n for name, n in counters.items()}
    return {name: most for name, most in sorted(found.items()) if most < limits.get(name, to_show)}


def _drift_of_shares(shown: dict[str, int], limits: dict[str, int], to_show: int) -> dict[str, int]:
    """Below zero or above its limit is off by that much; what is too much together is charged to the largest."""
    if not limits and min(shown.values(), default=0) >= 0 and sum(shown.values()) <= to_show:
        return dict.fromkeys(shown, 0)
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
    """Pools that wait for a person: staff typed units that nobody accepted yet, or the pool is frozen."""
    drift: dict[str, int]
    mirrored: int = 0
    """Pools under mirror: nothing divides them while a store cannot be written."""


MOST_NAMED = 100


def judge_all(pools: Sequence[JudgedPool], terms: LaneTerms) -> Totals:
    """Judge every pool and add up."""
    skus: set[str] = set()
    out: list[str] = []
    drift: dict[str, int] = {}
    left = oversold = unguaranteed = frozen = held = mirrored = 0
    out.extend(one.sku for one in bundles_shown(pools, terms) if not one.in_step)
    for pool in pools:
        own = terms_of_pool(pool, terms)
        agreement = judge_pool(pool, own)
        mirrored += own.policy is Policy.MIRROR
        skus.add(pool.sku)
        left += max(0, agreement.left)
        oversold += agreement.oversold
        unguaranteed += not pool.guaranteed
        frozen += pool.frozen
        is_held = pool.frozen or any(counter.held for counter in pool.counters)
        held += is_held
        if not (agreement.in_step or is_held):
            out.append(pool.sku)
        for name, units in agreement.drift.items():
            drift[name] = drift.get(name, 0) + units
    named = tuple(out[:MOST_NAMED])
    return Totals(len(skus), left, named, len(out), oversold, unguaranteed, frozen, held, drift, mirrored)


class BundleShown(msgspec.Struct, frozen=True):
    """A bundle in one store and group, against what its components allow."""

    sku: str
    group: str
    connection: str
    level: int
    held: int
    """Units typed by staff that wait for a decision."""
    units: dict[str, int]
    """What one bundle takes of each component."""
    left: dict[str, int]
    """What is left of each component, less its safety stock."""
    shares: bool
    """Whether it has a share of its components (escrow), or shows all that they allow (mirror)."""
    leaving: bool = False
    """It is a bundle no more and is being set to zero."""
    most: int | None = None
    """The most that its counters take."""

    @property
    def allowed(self) -> dict[str, int]:
        """Bundles that each component alone would allow."""
        return {sku: max(0, self.left[sku]) // units for sku, units in self.units.items()}

    @property
    def scarcest(self) -> str:
        """The component that limits it."""
        return min(self.allowed, key=lambda sku: (self.allowed[sku], sku))

    @property
    def is_capped(self) -> bool:
        """Whether its counters take less than its components allow."""
        return self.most is not None and not self.leaving and min(self.allowed.values()) > self.most

    @property
    def in_step(self) -> bool:
        """It never shows more than its components allow; under mirror exactly that."""
        most = 0 if self.leaving else min(self.allowed.values())
        if self.is_capped:
            most = self.most or 0
        return bool(self.held) or (self.level <= most if self.shares else self.level == most)


def bundles_shown(pools: Iterable[ShownPool], terms: LaneTerms) -> list[BundleShown]:
    """Every bundle whose components are all among ``pools``, by SKU, group and store."""
    found: dict[tuple[str, str, str], BundleShown] = {}
    for pool in pools:
        own = None
        for counter in pool.counters:
            if counter.bundle is None:
                continue
            own = own or terms_of_pool(pool, terms)
            name = (counter.bundle, pool.group, counter.connection)
            shares = own.policy is not Policy.MIRROR
            blank = BundleShown(*name, level=0, held=0, units={}, left={}, shares=shares, leaving=counter.leaving)
            one = found.setdefault(name, blank)
            one.units[pool.sku], one.left[pool.sku] = counter.weight, pool.left - own.safety_stock
            if next(iter(one.units)) == pool.sku:  # each of its counters draws on every component: counted once
                level, held = one.level + counter.level, one.held + counter.held
                full = own.most_per_counter.get(ConnectionName(one.connection))
                most = None if full is None else (one.most or 0) + full
                found[name] = msgspec.structs.replace(one, level=level, held=held, most=most)
    return [found[name] for name in sorted(found)]
