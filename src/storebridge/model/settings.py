"""The terms of one workspace, as the engine needs them: the configuration, translated once at start."""

from __future__ import annotations

import msgspec

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.stock import Policy


class GroupTerms(msgspec.Struct, frozen=True):
    """Locations of several stores that hold the same goods."""

    name: str
    locations: dict[ConnectionName, tuple[str, ...]]
    """Names or ids; ``*`` means every location of that store that can sell online."""


class WorkspaceTerms(msgspec.Struct, frozen=True):
    """A merchant's settings, checked."""

    workspace: Workspace
    connections: tuple[ConnectionName, ...]
    policy: Policy
    system_of_record: ConnectionName
    groups: tuple[GroupTerms, ...]
    safety_stock: int = 0
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
