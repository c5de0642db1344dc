"""``campaign``: escrow for a period, so that a rush cannot sell a unit twice."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from storebridge.cli.actor import actor
from storebridge.cli.desk import reading, run, write
from storebridge.cli.examples import teach
from storebridge.cli.options import Common
from storebridge.cli.output import give
from storebridge.operations.outcomes import as_told
from storebridge.operations.run_campaign import EVERYTHING, Campaigns, campaign_line, list_campaigns


def start(
    *,
    for_: Annotated[float, Parameter(name="--for", help="Hours until it ends by itself.")],
    sku: Annotated[
        str, Parameter(help="A SKU, a pattern such as TEE-*, or collection:NAME; every SKU unless given.")
    ] = EVERYTHING,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Begin: stores are lowered to their shares at once, and `stock SKU` shows when the guarantee holds."""
    body = {"hours": for_, "skus": sku, "actor": actor()}
    found = run(write(common, lambda desk: desk.start_campaign(for_, sku), "campaigns/start", body))
    return _give(found, common)


def stop(
    *,
    sku: Annotated[
        str | None, Parameter(help="The campaign of this SKU, pattern or collection; all unless given.")
    ] = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """End it before its time; the configured policies hold again."""
    found = run(write(common, lambda desk: desk.stop_campaign(sku), "campaigns/stop", {"skus": sku, "actor": actor()}))
    return _give(found, common)


def status(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Which campaigns run, and until when."""
    return _give(as_told(run(_list(common))), common)


async def _list(common: Common) -> Campaigns:
    async with reading(common) as (store, terms):
        return await list_campaigns(store, terms)


def _give(found: dict[str, Any], common: Common) -> int:
    running = msgspec.convert(found, Campaigns).running
    lines = [campaign_line(campaign) for campaign in running] or ["No campaign runs."]
    give({"running": running}, lines, as_json=common.json)
    return 0


group = App(name="campaign", help="Escrow for a period: while it runs, no unit is shown in two stores.")
group.default(status)
group.command(start)
group.command(stop)
group.command(status)
teach(group)
