"""The terms of one workspace, as the engine needs them: the configuration, translated once at start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache

import msgspec

from storebridge.model.checkouts import GuardTerms
from storebridge.model.copying import CopiesTake
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.stock import STRICTEST_FIRST, Policy, Share


class GroupTerms(msgspec.Struct, frozen=True):
    """Locations of several stores that hold the same goods."""

    name: str
    locations: dict[ConnectionName, tuple[str, ...]]
    """Names or ids; ``*`` means every location of that store that can sell online."""


class PoolTerms(msgspec.Struct, frozen=True):
    """What holds for one pool."""

    policy: Policy = Policy.MIRROR
    safety_stock: int = 0
    risk: float = 0.001
    allocation: dict[ConnectionName, Share] = {}
    keep_together: bool = False
    """Whether a lower is taken from one location where one has enough."""
    most_per_counter: dict[ConnectionName, int] = {}
    """The most units that one counter of a store takes, as its connector declares."""


COLLECTION = "collection:"
"""Begins the word for the SKUs of a collection: ``collection:Summer``; of one store: ``collection:shopify/Summer``."""
NO_COLLECTIONS: frozenset[str] = frozenset()


class Override(msgspec.Struct, frozen=True):
    """What is different for some SKUs; None where it is as everywhere."""

    pattern: str
    """A SKU, a pattern in which ``*`` stands for anything, or the word for a collection."""
    policy: Policy | None = None
    safety_stock: int | None = None
    risk: float | None = None
    allocation: dict[ConnectionName, Share | None] = {}
    """Store by store; None takes a limit of the workspace away."""


OVERRIDABLE = ("policy", "safety_stock", "risk")


class LaneTerms(msgspec.Struct, frozen=True):
    """The settings of a workspace's pools: what is usual, and what is different for some SKUs."""

    usual: PoolTerms = PoolTerms()
    overrides: dict[str, Override] = {}
    """Of SKUs and patterns, by pattern; the longest pattern first."""
    by_collection: tuple[Override, ...] = ()
    """Of collections, in the order of the file."""
    campaigns: tuple[str, ...] = ()
    """Which SKUs are in a running campaign, as in an override: they are under escrow, whatever else is set."""
    members: Mapping[str, frozenset[str]] = msgspec.field(default_factory=dict)
    """In which of ``collections_named`` each SKU is, for the SKUs that are asked about; others are in none."""
    guards: tuple[ConnectionName, ...] = ()
    """Stores whose checkout asks before it sells; empty where no SKU is ``guarded``."""
    guarded_as: Policy = Policy.GUARDED
    """What ``guarded`` means now, by how the guards are."""
    guarded_since: datetime | None = None
    """A guarded counter must have been read after this: what was sold by its share is then known."""

    @property
    def collections_named(self) -> frozenset[str]:
        """Collections on which anything depends; empty where nobody has to know in which a pool is."""
        words = (*(override.pattern for override in self.by_collection), *self.campaigns)
        return frozenset(word.removeprefix(COLLECTION) for word in words if word.startswith(COLLECTION))

    def of(self, sku: str) -> PoolTerms:
        """What holds for a SKU: one override, and a campaign above it."""
        found, override = self.usual, self.override_of(sku)
        if override is not None:
            own = {name: value for name in OVERRIDABLE if (value := getattr(override, name)) is not None}
            if override.allocation:
                shares = {**found.allocation, **override.allocation}
                own["allocation"] = {name: share for name, share in shares.items() if share is not None}
            found = msgspec.structs.replace(found, **own)
        if self._campaign_of(sku) is not None:
            found = msgspec.structs.replace(found, policy=Policy.ESCROW)
        if found.policy is Policy.GUARDED:
            found = msgspec.structs.replace(found, policy=self.guarded_as)
        return found

    def override_of(self, sku: str) -> Override | None:
        """The override that applies: the one of the SKU's own name, else of the first collection in the file that it is
        in, else of the longest pattern that matches."""
        if sku in self.overrides:
            return self.overrides[sku]
        for override in self.by_collection:
            if self._names(override.pattern, sku):
                return override
        return next((o for o in self.overrides.values() if "*" in o.pattern and matches(o.pattern, sku)), None)

    def decided_by(self, sku: str) -> str:
        """The campaign or override that applies, for people; empty where all is as in the workspace."""
        campaign, override = self._campaign_of(sku), self.override_of(sku)
        if campaign is not None:
            return f"campaign {campaign}"
        return "" if override is None else f"override {override.pattern}"

    def _campaign_of(self, sku: str) -> str | None:
        return next((word for word in self.campaigns if self._names(word, sku)), None)

    def _names(self, word: str, sku: str) -> bool:
        if word.startswith(COLLECTION):
            return word.removeprefix(COLLECTION) in self.members.get(sku, NO_COLLECTIONS)
        return matches(word, sku)


def names_of(connection: str, told: Iterable[str]) -> Iterator[str]:
    """How collections can be called: by title or handle as their store tells them, with the store's name or without."""
    for name in told:
        yield name
        yield f"{connection}/{name}"


def matches(pattern: str, sku: str) -> bool:
    """Whether a pattern (``*`` stands for anything) names a SKU; letters count as they are written."""
    return _compiled(pattern).fullmatch(sku) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


class WorkspaceTerms(msgspec.Struct, frozen=True):
    """A merchant's settings, checked."""

    workspace: Workspace
    connections: tuple[ConnectionName, ...]
    policy: Policy
    system_of_record: ConnectionName
    groups: tuple[GroupTerms, ...]
    safety_stock: int = 0
    risk: float = 0.001
    allocation: Mapping[ConnectionName, Share] = msgspec.field(default_factory=dict)
    """The most that stores show of each pool, where no override says otherwise."""
    overrides: tuple[Override, ...] = ()
    keep_together: bool = False
    """Where a store counts a group's goods at several locations: take a lower from one of them where one has enough."""
    most_units_per_hour: int = 0
    """Stock writes beyond this are held for a person; 0: no limit."""
    most_skus_per_hour: int = 0
    hold_above_units: int = 200
    mass_zero_share: float = 0.3
    sweep_seconds: float = 300.0
    hot_sweep_seconds: float = 30.0
    hot_below_units: int = 3
    order_poll_seconds: float = 30.0
    subscription_check_seconds: float = 600.0
    probe_seconds: float = 300.0
    settlement_poll_seconds: float = 3600.0
    time_zone: str = "UTC"
    """Where the days of statements begin and end."""
    payload_retention_days: int = 30
    buyer_retention_days: int = 365
    history_retention_days: int = 365
    baseline_by_itself: bool = False
    oversold_first: tuple[ConnectionName, ...] = ()
    """Stores whose orders keep their goods when a pool is oversold, the first before the others; then time decides."""
    keep_orders: bool = True
    """Whether whole orders are kept: the fulfilment queue, parcels, copies, money."""
    copy_to: ConnectionName | None = None
    """The store that is the system of record for fulfilment: paid orders of the others are copied there."""
    copies_take: Mapping[ConnectionName, CopiesTake] = msgspec.field(default_factory=dict)
    """Stores that lower stock for copies although they are asked not to."""
    copies_replaced_in: frozenset[ConnectionName] = frozenset()
    """Stores in which a copy is changed by bringing it in anew (their connectors say so)."""
    most_per_counter: Mapping[ConnectionName, int] = msgspec.field(default_factory=dict)
    """The most units that one counter of each store takes (its kind of connector says so)."""
    lines_per_order: Mapping[ConnectionName, int] = msgspec.field(default_factory=dict)
    """How many lines each store takes when an order is made there."""
    shown_within: Mapping[ConnectionName, float] = msgspec.field(default_factory=dict)
    """Seconds after which a read surely shows what a store took."""

    bundles: Mapping[str, Mapping[str, int]] = msgspec.field(default_factory=dict)
    """Bundles of the configuration: units of each component, by SKU."""
    guards: tuple[ConnectionName, ...] = ()
    """Stores whose checkout can ask; only ``guarded`` makes use of it."""
    guard: GuardTerms = GuardTerms()

    @property
    def guarded_stores(self) -> tuple[ConnectionName, ...]:
        """Stores whose checkout has to be answered."""
        return self.guards if Policy.GUARDED in self.policies() else ()

    def policies(self) -> tuple[Policy, ...]:
        """Every policy that some SKU may have by the configuration, the strictest first."""
        used = {self.policy, *(override.policy for override in self.overrides if override.policy is not None)}
        return tuple(policy for policy in STRICTEST_FIRST if policy in used)

    def for_pools(self) -> LaneTerms:
        """What holds for each pool by the configuration."""
        of_collections = tuple(override for override in self.overrides if override.pattern.startswith(COLLECTION))
        others = [override for override in self.overrides if not override.pattern.startswith(COLLECTION)]
        longest_first = sorted(others, key=lambda o: (-len(o.pattern), o.pattern))
        usual = PoolTerms(
            self.policy,
            self.safety_stock,
            self.risk,
            dict(self.allocation),
            keep_together=self.keep_together,
            most_per_counter=dict(self.most_per_counter),
        )
        by_pattern = {override.pattern: override for override in longest_first}
        return LaneTerms(usual, by_pattern, of_collections, guards=self.guarded_stores)
