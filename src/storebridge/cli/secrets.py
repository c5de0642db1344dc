"""``secrets``: the encrypted table. Values go in and never come out again."""

from __future__ import annotations

import base64
import getpass
import os
import secrets as randomness
import sys
from typing import Annotated

from cyclopts import App, Parameter

from storebridge.cli.actor import actor
from storebridge.cli.desk import environment_of, reading, run
from storebridge.cli.examples import teach
from storebridge.cli.options import Common, choose_workspace, read_config
from storebridge.cli.output import give
from storebridge.config import read_text, resolve_secret
from storebridge.environment import open_database
from storebridge.errors import ConfigurationError
from storebridge.operations.keep_secret import keep_given_secret, list_secret_names

KEY_BYTES = 32

SecretName = Annotated[str, Parameter(help='What the configuration calls it: { table = "NAME" }.')]


def set_(name: SecretName, /, *, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Seal a secret. It is asked for without echo, or read from standard input when that is no terminal."""
    value = getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not value.strip():
        raise ConfigurationError("An empty secret is not kept.")
    run(_set(common, name, value.strip()))
    give({"name": name, "kept": True}, [f"{name} is sealed."], as_json=common.json)
    return 0


async def _set(common: Common, name: str, value: str) -> None:
    config = read_config(common)
    terms = choose_workspace(config, common)
    sealing = resolve_secret(config.server.secrets_key, os.environ, read_text, setting="server.secrets_key")
    if sealing is None:
        raise ConfigurationError(
            'There is no key to seal with: set server.secrets_key = { env = "STOREBRIDGE_KEY" } and make one with '
            "storebridge secrets key."
        )
    async with environment_of() as environment:
        store = open_database(config, environment.clock)
        try:
            await keep_given_secret(
                store,
                terms.workspace,
                name,
                value,
                key=sealing,
                chance=environment.secure_chance,
                actor=actor(),
            )
        finally:
            await store.close()


def list_(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Names of the sealed secrets."""
    names = run(_names(common))
    give({"names": names}, names or ["No secret is sealed."], as_json=common.json)
    return 0


async def _names(common: Common) -> list[str]:
    async with reading(common) as (store, terms):
        return await list_secret_names(store, terms.workspace)


def key(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Make a new key for ``server.secrets_key``. Keep it outside the database, and keep a copy."""
    made = base64.b64encode(randomness.token_bytes(KEY_BYTES)).decode()
    give({"key": made}, [made], as_json=common.json)
    return 0


group = App(name="secrets", help="The encrypted table of secrets.")
group.command(set_, name="set")
group.command(list_, name="list")
group.command(key)
teach(group)
