"""The settings of a workspace, checked and in the words of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from storebridge.config import GuardConfig, OverrideConfig, WorkspaceConfig, can_be_guarded, share_of
from storebridge.connectors.ceilings import MOST_PER_COUNTER
from storebridge.errors import ConfigurationError
from storebridge.model.checkouts import GuardTerms
from storebridge.model.copying import CopiesTake
from storebridge.model.days import zone_of
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.settings import GroupTerms, Override, WorkspaceTerms
from storebridge.model.stock import Policy, Share


def terms_of(name: str, config: WorkspaceConfig) -> WorkspaceTerms:
    """The settings of one workspace, checked. Raises ConfigurationError."""
    if not config.connections:
        raise ConfigurationError(f"Workspace {name!r} has no connections: add [workspaces.{name}.connections.…].")
    connections = tuple(ConnectionName(connection) for connection in config.connections)
    system_of_record = ConnectionName(config.system_of_record or connections[0])
    if system_of_record not in connections:
        raise ConfigurationError(
            f"workspaces.{name}.system_of_record is {system_of_record!r}, which is not one of its connections "
            f"({', '.join(connections)})."
        )
    groups = tuple(
        GroupTerms(group.name, {ConnectionName(c): tuple(names) for c, names in group.locations.items()})
        for group in config.groups
    ) or (GroupTerms("main", dict.fromkeys(connections, ("*",))),)
    return WorkspaceTerms(
        workspace=Workspace(name),
        connections=connections,
        policy=Policy(config.policy),
        system_of_record=system_of_record,
        groups=groups,
        safety_stock=config.safety_stock,
        risk=config.risk,
        overrides=tuple(_override(pattern, override) for pattern, override in config.overrides.items()),
        oversold_first=_named(name, "oversold_first", config.oversold_first, connections),
        bundles={one.sku: one.components for one in config.bundles},
        allocation={name: share for name, share in _allocation(config.allocation).items() if share is not None},
        keep_together=config.keep_together,
        most_per_counter={ConnectionName(c): MOST_PER_COUNTER[one.kind] for c, one in config.connections.items()},
        most_units_per_hour=config.most_units_per_hour,
        most_skus_per_hour=config.most_skus_per_hour,
        hold_above_units=config.hold_above_units,
        mass_zero_share=config.mass_zero_share,
        sweep_seconds=config.sweep_seconds,
        hot_sweep_seconds=config.hot_sweep_seconds,
        hot_below_units=config.hot_below_units,
        order_poll_seconds=config.order_poll_seconds,
        subscription_check_seconds=config.subscription_check_seconds,
        settlement_poll_seconds=config.settlement_poll_seconds,
        time_zone=_time_zone(name, config),
        payload_retention_days=config.payload_retention_days,
        buyer_retention_days=config.buyer_retention_days,
        history_retention_days=config.history_retention_days,
        baseline_by_itself=config.baseline == "automatic",
        keep_orders=config.orders.keep,
        guards=tuple(ConnectionName(c) for c, settings in config.connections.items() if can_be_guarded(settings)),
        guard=_guard_terms(config.checkout_guard),
        copy_to=_copy_to(name, config, connections),
        copies_take={
            ConnectionName(name): CopiesTake(one.copies_take_stock) for name, one in config.connections.items()
        },
    )


def _time_zone(name: str, config: WorkspaceConfig) -> str:
    try:
        zone_of(config.time_zone)
    except ValueError as error:
        raise ConfigurationError(f"workspaces.{name}.time_zone: {error}: write one like Europe/Berlin.") from error
    return config.time_zone


def _named(
    workspace: str, setting: str, names: Sequence[str], connections: tuple[ConnectionName, ...]
) -> tuple[ConnectionName, ...]:
    """Connections by name, each once. Raises ConfigurationError."""
    for name in names:
        if name not in connections or names.count(name) > 1:
            raise ConfigurationError(
                f"workspaces.{workspace}.{setting}: {name!r} is not one of its connections ({', '.join(connections)}), "
                "or stands there twice."
            )
    return tuple(ConnectionName(name) for name in names)


def _guard_terms(config: GuardConfig) -> GuardTerms:
    return GuardTerms(
        answer_within=timedelta(milliseconds=config.answer_within_ms),
        hold=timedelta(minutes=config.hold_minutes),
        most_units_per_checkout=config.most_units_per_checkout,
        most_share_held=config.most_share_held,
        bypass_channels=config.bypass_channels,
        probe=timedelta(seconds=config.probe_seconds),
    )


def _copy_to(workspace: str, config: WorkspaceConfig, connections: tuple[ConnectionName, ...]) -> ConnectionName | None:
    target, setting = config.orders.copy_to, f"workspaces.{workspace}.orders.copy_to"
    if not target:
        return None
    if target not in connections:
        raise ConfigurationError(f"{setting} is {target!r}, which is not one of its connections.")
    if not config.orders.keep:
        raise ConfigurationError(f"{setting} needs whole orders: take out keep = false, or copy nothing.")
    return ConnectionName(target)


def _override(pattern: str, config: OverrideConfig) -> Override:
    return Override(
        pattern=pattern,
        policy=None if config.policy is None else Policy(config.policy),
        safety_stock=config.safety_stock,
        risk=config.risk,
        allocation=_allocation(config.allocation),
    )


def _allocation(told: Mapping[str, int | str]) -> dict[ConnectionName, Share | None]:
    """By store; None where a limit is taken away (``velocity``)."""
    shares = {ConnectionName(name): share_of(text) for name, text in told.items()}
    return {name: None if share is None else Share(*share) for name, share in shares.items()}
