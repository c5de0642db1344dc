"""Check: do the stores tell us of changes? Reads only; ``serve`` is what subscribes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from storebridge.connectors.port import CallTrouble, Connector, SubscriptionReport
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.operations.check_setup import Check
from storebridge.store.database import Store, Tx
from storebridge.store.deliveries import topics_received

LATELY = timedelta(days=7)
HERE = ("http://127.0.0.1", "http://localhost")


async def check_webhooks(
    store: Store,
    workspace: Workspace,
    connectors: Mapping[ConnectionName, Connector],
    addresses: Mapping[ConnectionName, str],
) -> tuple[Check, ...]:
    """Store by store: where it delivers to, which topics are missing, what arrived lately. One that cannot be asked is
    left out: why, another check says."""
    arrived = await store.read(_arrived, workspace, tuple(connectors))
    found: list[Check] = []
    for name, connector in connectors.items():
        try:
            report = await connector.ensure_subscriptions(addresses[name], mend=False)
        except CallTrouble:
            continue
        passed, detail = judge_webhooks(report, addresses[name], arrived[name])
        found.append(Check("webhooks", name, passed, detail))
    return tuple(found)


def judge_webhooks(report: SubscriptionReport, address: str, arrived: Collection[str]) -> tuple[bool, str]:
    """Whether a store tells us of its changes, and what was found or is to be done. Pure."""
    if not address.startswith(("https://", *HERE)):
        return False, f"{address} is not https, and stores deliver to no other address: set server.intake_url."
    if report.manual:
        return _judge_by_hand(report, address, arrived)
    missing = report.restored
    if missing and arrived:
        total = len(missing) + len(report.present)
        return False, (
            f"{len(missing)} of {total} topics do not come to {address} any more ({', '.join(missing)}): start serve, "
            "which subscribes them, or see whether another address is meant by server.intake_url."
        )
    if missing:
        return True, f"serve subscribes {len(missing)} topics at {address} when it starts."
    return True, f"{len(report.present)} topics come to {address}."


def _judge_by_hand(report: SubscriptionReport, address: str, arrived: Collection[str]) -> tuple[bool, str]:
    if not arrived:
        topics = ", ".join(report.manual)
        return True, f"nothing has come lately. Subscribe in the app's dashboard, with the address {address}: {topics}."
    if missing := report.missing_kinds(arrived):
        topics = ", ".join(missing)
        return (
            False,
            f"of some changes nothing came for a week: subscribe in the app's dashboard, at {address}: {topics}.",
        )
    return True, f"{len(arrived)} kinds of deliveries came to {address} in the last week."


def _arrived(tx: Tx, workspace: Workspace, names: Collection[ConnectionName]) -> dict[ConnectionName, set[str]]:
    return {name: topics_received(tx, workspace, name, tx.now - LATELY) for name in names}
