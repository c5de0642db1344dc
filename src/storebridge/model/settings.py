"""The terms of one workspace, as the engine needs them: the configuration, translated once at start."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

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


class Override(msgspec.Struct, frozen=True):
    """What is different for some SKUs; None where it is as everywhere."""

    pattern: str
    """A SKU, or a pattern in which ``*`` stands for anything."""
    policy: Policy | None = None
    safety_stock: int | None = None
    risk: float | None = None
    allocation: dict[ConnectionName, Share] | None = None


class LaneTerms(msgspec.Struct, frozen=True):
    """The settings of a workspace's pools: what is usual, and what is different for some SKUs."""

    usual: PoolTerms = PoolTerms()
    overrides: dict[str, Override] = {}
    """By pattern; the longest pattern first."""
    campaigns: tuple[str, ...] = ()
    """Patterns of the SKUs in a running campaign: they are under escrow, whatever else is set."""

    def of(self, sku: str) -> PoolTerms:
        """One override applies to a SKU: the one of its own name, else the longest pattern that matches."""
        found, override = self.usual, self.override_of(sku)
        if override is not None:
            own = {name: getattr(override, name) for name in PoolTerms.__struct_fields__}
            found = msgspec.structs.replace(found, **{name: value for name, value in own.items() if value is not None})
        if any(matches(pattern, sku) for pattern in self.campaigns):
            found = msgspec.structs.replace(found, policy=Policy.ESCROW)
        return found

    def override_of(self, sku: str) -> Override | None:
        """The override that applies to a SKU."""
        if sku in self.overrides:
            return self.overrides[sku]
        return next((o for o in self.overrides.values() if "*" in o.pattern and matches(o.pattern, sku)), None)


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
    overrides: tuple[Override, ...] = ()
    hold_above_units: int = 200
    mass_zero_share: float = 0.3
    sweep_seconds: float = 300.0
    hot_sweep_seconds: float = 30.0
    hot_below_units: int = 3
    order_poll_seconds: float = 30.0
    subscription_check_seconds: float = 600.0
    probe_seconds: float = 300.0
    payload_retention_days: int = 30
    buyer_retention_days: int = 365
    history_retention_days: int = 365
    baseline_by_itself: bool = False
    keep_orders: bool = True
    """Whether whole orders are kept: the fulfilment queue, parcels, copies, money."""
    copy_to: ConnectionName | None = None
    """The store that is the system of record for fulfilment: paid orders of the others are copied there."""

    def policies(self) -> tuple[Policy, ...]:
        """Every policy that some SKU may have by the configuration, the strictest first."""
        used = {self.policy, *(override.policy for override in self.overrides if override.policy is not None)}
        return tuple(policy for policy in STRICTEST_FIRST if policy in used)

    def for_pools(self) -> LaneTerms:
        """What holds for each pool by the configuration."""
        longest_first = sorted(self.overrides, key=lambda o: (-len(o.pattern), o.pattern))
        usual = PoolTerms(self.policy, self.safety_stock, self.risk)
        return LaneTerms(usual, {override.pattern: override for override in longest_first})
