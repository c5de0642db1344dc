"""Options that many commands share."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from cyclopts import Parameter

from storebridge.bootstrap import terms_of
from storebridge.config import BUILT_POLICIES, Config, load_config, refuse_unbuilt_policies
from storebridge.errors import ConfigurationError
from storebridge.model.settings import WorkspaceTerms

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
    json: Annotated[bool, Parameter(help="One JSON object on the last line of stdout.", negative="")] = False


def read_config(options: Common, policy: str | None = None) -> Config:
    """The configuration with the overrides of this run. Raises ConfigurationError."""
    config = load_config(options.config, os.environ)
    if options.store is not None:
        config = msgspec.structs.replace(config, server=msgspec.structs.replace(config.server, store=options.store))
    if policy is not None:
        refuse_policy(policy)
        config = msgspec.structs.replace(
            config,
            workspaces={
                name: msgspec.convert({**msgspec.to_builtins(w), "policy": policy}, type(w))
                for name, w in config.workspaces.items()
            },
        )
    refuse_unbuilt_policies(config)
    return config


def refuse_policy(policy: str) -> None:
    """Raises ConfigurationError for a policy that does not exist or is not built yet."""
    built = f"{', '.join(BUILT_POLICIES[:-1])} or {BUILT_POLICIES[-1]}"
    if policy == "guarded":
        raise ConfigurationError(f"The policy {policy} is not built yet: use {built}.")
    if policy not in BUILT_POLICIES:
        raise ConfigurationError(f"{policy!r} is not a policy: use {built}.")


def choose_workspace(config: Config, options: Common) -> WorkspaceTerms:
    """The workspace that is meant: the named one, the only one, or ``main``."""
    names = list(config.workspaces)
    name = options.workspace or (names[0] if len(names) == 1 else "main")
    if name not in config.workspaces:
        raise ConfigurationError(f"There is no workspace {name!r}: give --workspace {' or '.join(names)}.")
    return terms_of(name, config.workspaces[name])
