"""``status`` and ``stock``: how it is, and why a number is what it is."""

from __future__ import annotations

from typing import Annotated

import msgspec
from cyclopts import Parameter

from storebridge.cli.desk import reading, run
from storebridge.cli.options import Common, SkuArgument
from storebridge.cli.output import as_table, give, of_pairs
from storebridge.model.words import in_skus
from storebridge.operations.backfill_orders import backfill_line
from storebridge.operations.explain_stock import StockStory, explain_stock, story_lines
from storebridge.operations.run_campaign import campaign_line
from storebridge.operations.show_status import Status, guard_line, show_status
from storebridge.operations.tell_typed import typed_line

Before = Annotated[int | None, Parameter(help="Only movements older than this number: the next page.")]


def status(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Both stores' health, backlog and oldest age per stage, open exceptions, drift."""
    found = run(_status(common))
    give(found, status_lines(found), as_json=common.json)
    return 0 if found.healthy else 1


async def _status(common: Common) -> Status:
    async with reading(common) as (store, terms):
        return await show_status(store, terms)


def status_lines(found: Status) -> list[str]:
    """The status as a person would read it aloud."""
    stock, speed, traffic = found.stock, found.propagation_ms, found.traffic
    lines = [f"Workspace {found.workspace}, policy {found.policy}. {found.promise}"]
    lines += [campaign_line(campaign) for campaign in found.campaigns]
    lines += [*(guard_line(guard) for guard in found.guards), *(backfill_line(one) for one in found.backfills), ""]
    lines += as_table(
        ("store", "health", "writes", "off by", "detail"),
        [
            (
                s.connection,
                s.health,
                "yes" if s.can_write else "no",
                stock.drift.get(s.connection, 0),
                s.detail or s.name,
            )
            for s in found.stores
        ],
    )
    lines += [
        "",
        f"{in_skus(stock.skus)}, {stock.units_left} units left, {stock.skus_out_of_step} not in step, "
        f"{stock.units_oversold} oversold, {stock.held} held{_guarantee(found)}.",
        f"Orders: {of_pairs(traffic.orders)}. Units sold: {traffic.units_sold}.",
        f"Deliveries: {traffic.deliveries}, {traffic.duplicates} repeated; refused: {of_pairs(traffic.refused)}.",
    ]
    if speed.n:
        lines.append(f"A change reaches the other store in {speed.p50} ms (p50), {speed.p95} ms (p95).")
    lines.append("")
    waiting = [(b.stage, b.waiting, f"{b.oldest_age_seconds:.1f} s") for b in found.backlog if b.waiting]
    lines += as_table(("stage", "waiting", "oldest"), waiting) if waiting else ["Nothing waits."]
    lines += ["", *(typed_line(one) for one in found.typed), *(found.problems or ["All is well."])]
    return lines


def _guarantee(found: Status) -> str:
    """Mirror promises nothing, so nothing is said about it."""
    return "" if found.policy == "mirror" else f", {found.stock.not_guaranteed} not guaranteed"


def stock(sku: SkuArgument, /, *, before: Before = None, common: Common = Common()) -> int:  # noqa: B008
    """Why this number: pool, reserve, each store's level, unresolved writes, every movement with its cause."""
    story = run(_story(common, sku, before))
    give(msgspec.to_builtins(story), story_lines(story), as_json=common.json)
    return 0


async def _story(common: Common, sku: str, before: int | None) -> StockStory:
    async with reading(common) as (store, terms):
        return await explain_stock(store, terms, sku, before=before)
