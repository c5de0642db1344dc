"""``orders backfill``: orders of the past, read when nothing else is to be done."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from storebridge.cli.actor import actor
from storebridge.cli.desk import reading, run, work_alone, write
from storebridge.cli.options import Common
from storebridge.cli.output import give, tell
from storebridge.errors import ConfigurationError
from storebridge.operations.backfill_orders import Backfills, backfill_line, is_open, list_backfills
from storebridge.operations.outcomes import as_told

LOOK_AGAIN_SECONDS = 5.0


def add_backfill(group: App) -> None:
    """Add the command to ``orders``."""
    group.command(backfill)


def backfill(
    *,
    days: Annotated[int | None, Parameter(help="Read the orders of so many days; without, show how far it is.")] = None,
    connection: Annotated[str | None, Parameter(help="Of this store only.")] = None,
    copy: Annotated[
        bool, Parameter(help="Copy those that still wait to be shipped, as if they were new.", negative="")
    ] = False,
    cancel: Annotated[bool, Parameter(help="Read no more; what was read stays.", negative="")] = False,
    wait: Annotated[
        bool, Parameter(help="Stay until it is over, and do the work here if nobody serves.", negative="")
    ] = False,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Read the orders of the past, newest first, beside the live work; exit status 1 when a store refused."""
    if cancel and (days is not None or copy or wait):
        raise ConfigurationError("--cancel goes alone: it ends what is under way.")
    if copy and days is None:
        raise ConfigurationError("--copy goes with --days: only what is read anew can be copied.")
    doing = "" if wait else "Working"  # while it waits it tells how far it is
    found = run(_carry_out(common, days, connection, copy=copy, cancel=cancel, wait=wait), doing)
    stores = msgspec.convert(found, Backfills).stores
    lines = [backfill_line(one) for one in stores] or ["No backfill was asked for."]
    if not wait and any(is_open(one) for one in stores):
        lines.append("storebridge serve reads them beside its other work; --wait stays until it is over.")
    give({"stores": stores}, lines, as_json=common.json)
    return 1 if any(one.state == "stopped" for one in stores) else 0


async def _carry_out(
    common: Common, days: int | None, connection: str | None, *, copy: bool, cancel: bool, wait: bool
) -> dict[str, Any]:
    if cancel:
        return await write(common, lambda desk: desk.cancel_backfill(), "backfills/cancel", {"actor": actor()})
    if days is not None:
        body = {"days": days, "copies": copy, "connection": connection, "actor": actor()}
        await write(common, lambda desk: desk.start_backfill(days, copy, connection), "backfills", body)
    if wait:
        await _until_over(common)
    async with reading(common) as (store, terms):
        return as_told(await list_backfills(store, terms))


async def _until_over(common: Common) -> None:
    """Tell how far it is until it is over; work here while nobody serves."""
    told: list[str] = []
    while True:
        async with reading(common) as (store, terms):
            stores = (await list_backfills(store, terms)).stores
        lines = [backfill_line(one) for one in stores]
        for line in lines:
            if line not in told:
                tell(line)
        told = lines
        if not any(is_open(one) for one in stores):
            return
        await work_alone(common, LOOK_AGAIN_SECONDS)
