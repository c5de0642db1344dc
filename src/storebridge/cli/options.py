"""Options that many commands share."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from cyclopts import Parameter

from storebridge.config import Config, load_config, refuse_unguardable
from storebridge.errors import ConfigurationError
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.operations.read_terms import terms_of

SkuArgument = Annotated[str, Parameter(help="The SKU, as the stores have it.")]
DEFAULT_CONFIG = "storebridge.toml"
CONFIG_VARIABLE = "STOREBRIDGE_CONFIG"


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every command about data."""

    config: Annotated[str, Parameter(help="The configuration file.")] = field(
        default_factory=lambda: os.environ.get(CONFIG_VARIABLE, DEFAULT_CONFIG)
    )
    workspace: Annotated[str | None, Parameter(help="Which merchant, where there are several.")] = None
    store: Annotated[str | None, Parameter(help="Use this database instead of the configured one.")] = None
    policy: Annotated[str | None, Parameter(help="Use this policy, as the running serve does.")] = None
    json: Annotated[bool, Parameter(help="One JSON object on the last line of stdout.", negative="")] = False


def read_config(options: Common) -> Config:
    """The configuration with the overrides of this run. Raises ConfigurationError."""
    config = load_config(options.config, os.environ)
    if options.store is not None:
        config = msgspec.structs.replace(config, server=msgspec.structs.replace(config.server, store=options.store))
    if options.policy is not None:
        refuse_policy(options.policy)
        config = msgspec.structs.replace(
            config,
            workspaces={
                name: msgspec.convert({**msgspec.to_builtins(w), "policy": options.policy}, type(w))
                for name, w in config.workspaces.items()
            },
        )
    refuse_unguardable(config)
    return config


def refuse_policy(policy: str) -> None:
    """Raises ConfigurationError for a policy that does not exist."""
    if policy not in tuple(Policy):
        raise ConfigurationError(f"{policy!r} is not a policy: use mirror, escrow, hybrid or guarded.")


def demand_connection(options: Common, name: str | None) -> None:
    """Raises ConfigurationError for a store that the workspace does not have; None means every store."""
    known = choose_workspace(read_config(options), options).connections
    if name is not None and name not in known:
        raise ConfigurationError(f"--connection {name!r} is no store of this workspace: give {' or '.join(known)}.")


def choose_workspace(config: Config, options: Common) -> WorkspaceTerms:
    """The workspace that is meant: the named one, the only one, or ``main``."""
    names = list(config.workspaces)
    name = options.workspace or (names[0] if len(names) == 1 else "main")
    if name not in config.workspaces:
        raise ConfigurationError(f"There is no workspace {name!r}: give --workspace {' or '.join(names)}.")
    return terms_of(name, config.workspaces[name])


def units_of(lines: tuple[str, ...]) -> dict[str, int] | None:
    """``SKU=UNITS`` words; None when there are none. Raises ConfigurationError."""
    units: dict[str, int] = {}
    for word in lines:
        sku, equals, count = word.rpartition("=")
        if not equals or not sku or not count.isdigit():
            raise ConfigurationError(f"--line {word!r} is not SKU=UNITS, such as --line MUG-BLUE=2.")
        units[sku] = units.get(sku, 0) + int(count)
    return units or None
