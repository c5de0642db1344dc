"""``init`` and ``check``: write a configuration by asking; verify that everything is in place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from cyclopts import App

from storebridge.bootstrap import Bridge, build_bridge
from storebridge.cli.desk import environment_of, run
from storebridge.cli.options import Common, choose_workspace, read_config, refuse_policy
from storebridge.cli.output import give, tell
from storebridge.config import Config, parse_config
from storebridge.environment import Environment, open_database
from storebridge.errors import ConfigurationError, StoreUnavailableError
from storebridge.operations.check_setup import Check, check_setup
from storebridge.operations.check_webhooks import check_webhooks
from storebridge.operations.run_baseline import kept_names

Ask = Callable[[str, str], str]

TEMPLATE = """\
# storebridge: written by `storebridge init`. Secrets stand in the environment, never here.

[server]
store = {store}
console_listen = "127.0.0.1:8790"
intake_listen = "127.0.0.1:8791"
intake_url = {intake_url}

[workspaces.main]
policy = {policy}
system_of_record = {system_of_record}
baseline = "ask"

[workspaces.main.connections.shopify]
kind = "shopify"
shop = {shop}
client_id = {client_id}
client_secret = {{ env = "SHOPIFY_CLIENT_SECRET" }}

[workspaces.main.connections.wix]
kind = "wix"
site_id = {site_id}
app_id = {app_id}
instance_id = {instance_id}
app_secret = {{ env = "WIX_APP_SECRET" }}
webhook_public_key = {{ env = "WIX_WEBHOOK_PUBLIC_KEY" }}
{stamps}
"""
NO_STAMPS = "none"

QUESTIONS = (
    ("store", "Database: a SQLite file, or postgresql://...", "storebridge.sqlite3"),
    ("intake_url", "Public address of the webhook intake (https://...)", ""),
    (
        "policy",
        "Policy: mirror (all, everywhere), escrow (never oversells), hybrid (nearly all, stated risk)",
        "mirror",
    ),
    ("system_of_record", "Whose levels are believed at the start: shopify or wix", "shopify"),
    ("shop", "Shopify: the shop's own domain, name.myshopify.com", ""),
    ("client_id", "Shopify: client id of your app", ""),
    ("site_id", "Wix: site id", ""),
    ("app_id", "Wix: app id", ""),
    ("instance_id", "Wix: instance id of the installation", ""),
    (
        "stamp_namespace",
        "Wix: namespace of the app's extension for stamps on stock, such as @acme/storebridge; with it a write whose "
        f"answer was lost hardly ever needs a person ({NO_STAMPS}: later, see Stamps on Wix in docs/operating.md)",
        NO_STAMPS,
    ),
)


def add_to(app: App) -> None:
    """Add the commands of this file."""
    app.command(init)
    app.command(check)


def init(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Write a configuration by asking. An existing file is never replaced."""
    path = Path(common.config)
    if common.policy is not None or common.store is not None:
        raise ConfigurationError("init asks for policy and database: leave --policy and --store out.")
    if path.exists():
        raise ConfigurationError(f"{path} exists: move it away, or name another file with --config.")
    text = compose(_ask_person)
    parse_config(text, str(path))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}).") from error
    lines = [
        f"{path} is written. Put the secrets into SHOPIFY_CLIENT_SECRET, WIX_APP_SECRET and WIX_WEBHOOK_PUBLIC_KEY,",
        "then run: storebridge check, storebridge baseline, storebridge baseline --sign-off, storebridge serve.",
    ]
    give({"written": str(path)}, lines, as_json=common.json)
    return 0


def compose(ask: Ask) -> str:
    """The file's text from the answers. Raises ConfigurationError for a policy that cannot be used."""
    answers = {name: ask(question, default) for name, question, default in QUESTIONS}
    refuse_policy(answers["policy"])
    quoted = {name: msgspec.json.encode(answer).decode() for name, answer in answers.items()}
    stamped = answers["stamp_namespace"] != NO_STAMPS
    stamps = f"stamp_namespace = {quoted['stamp_namespace']}" if stamped else '# stamp_namespace = "@acme/storebridge"'
    return TEMPLATE.format(**quoted, stamps=stamps)


def _ask_person(question: str, default: str) -> str:
    """A question on stderr, a line from stdin; an empty line takes the default, and without one it is asked again."""
    while True:
        sys.stderr.write(f"{question}{f' [{default}]' if default else ''}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise ConfigurationError("The answers ended early; nothing was written.")
        answer = line.strip() or default
        if answer:
            return answer
        tell("This one is needed.")


def check(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Verify configuration, credentials, scopes, clock, locations, webhooks and reachability. Changes nothing in any
    store."""
    found = run(_check(common), "Asking the stores")
    failed = [one for one in found if not one.passed]
    lines = [f"{'ok  ' if one.passed else 'FAIL'}  {one.subject}: {one.name}. {one.detail}" for one in found]
    lines.append("Everything is in place." if not failed else f"{len(failed)} of {len(found)} checks failed.")
    give({"passed": not failed, "checks": found}, lines, as_json=common.json)
    return 1 if failed else 0


async def _check(common: Common) -> tuple[Check, ...]:
    config = read_config(common)
    terms = choose_workspace(config, common)
    async with environment_of() as environment:
        bridge = _bridge_for_a_look(config, environment)
        try:
            guards = {name: bridge.address_of(terms.workspace, name, room="guard") for name in terms.guarded_stores}
            kept = await bridge.store.read(kept_names, terms.workspace)
            connectors = bridge.workspaces[terms.workspace].connectors
            addresses = {name: bridge.address_of(terms.workspace, name) for name in connectors}
            found = await check_setup(terms, connectors, guards, kept)
            return (*found, *await check_webhooks(bridge.store, terms.workspace, connectors, addresses))
        finally:
            await bridge.stop()


def _bridge_for_a_look(config: Config, environment: Environment) -> Bridge:
    """Tokens may lie in the database; before the first start there is none, and none is made."""
    try:
        store = open_database(config, environment, read_only=True)
    except StoreUnavailableError as error:
        tell(f"Checking without the database: {error}")
        environment.inline_store = True
        server = msgspec.structs.replace(config.server, store=":memory:")
        return build_bridge(msgspec.structs.replace(config, server=server), environment)
    return build_bridge(config, environment, store=store)
