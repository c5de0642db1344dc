"""``check``: verify that everything is in place."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from storebridge.bootstrap import Bridge, build_bridge
from storebridge.cli.desk import environment_of, run
from storebridge.cli.options import Common, choose_workspace, read_config
from storebridge.cli.output import give, tell
from storebridge.config import Config
from storebridge.environment import Environment, open_database
from storebridge.errors import StoreUnavailableError
from storebridge.operations.check_setup import Check, check_setup
from storebridge.operations.check_webhooks import check_webhooks
from storebridge.operations.run_baseline import kept_names
from storebridge.operations.tell_typed import check_typed


def check(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Verify configuration, credentials, scopes, clock, locations, webhooks and reachability. Changes nothing in any
    store."""
    found = run(_check(common), "Asking the stores")
    failed = [one for one in found if not one.passed]
    give({"passed": not failed, "checks": found}, lines_of(found), as_json=common.json)
    return 1 if failed else 0


def lines_of(found: Sequence[Check]) -> list[str]:
    """What was found as plain text, for a terminal."""
    lines = [f"{_word(one)}  {one.subject}: {one.name}. {one.detail}" for one in found]
    failed, warned = sum(not one.passed for one in found), sum(one.warning for one in found)
    warnings = "" if not warned else "; 1 warning" if warned == 1 else f"; {warned} warnings"
    verdict = f"{failed} of {len(found)} checks failed" if failed else "Everything is in place"
    return [*lines, f"{verdict}{warnings}."]


def _word(one: Check) -> str:
    return "FAIL" if not one.passed else "warn" if one.warning else "ok  "


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
            webhooks = await check_webhooks(bridge.store, terms.workspace, connectors, addresses)
            return (*found, *webhooks, *await check_typed(bridge.store, terms))
        finally:
            await bridge.stop()


def _bridge_for_a_look(config: Config, environment: Environment) -> Bridge:
    """Tokens may lie in the database; before the first start there is none, and none is made."""
    try:
        store = open_database(config, environment.clock, read_only=True)
    except StoreUnavailableError as error:
        tell(f"Checking without the database: {error}")
        environment.inline_store = True
        server = msgspec.structs.replace(config.server, store=":memory:")
        return build_bridge(msgspec.structs.replace(config, server=server), environment)
    return build_bridge(config, environment, store=store)
