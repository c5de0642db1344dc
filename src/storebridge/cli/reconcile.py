"""``reconcile`` and ``replay``: look again, on purpose."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from storebridge.cli.actor import actor
from storebridge.cli.desk import run, write
from storebridge.cli.options import Common
from storebridge.cli.output import as_table, give
from storebridge.model.signals import Stage


def reconcile(
    *,
    repair: Annotated[bool, Parameter(help="Read what differs through the engine, which then plans.", negative="")] = (
        False
    ),
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Compare both stores with the ledger now; exit status 1 when they differ."""
    doing = "Reading every counter of every store"
    found = run(write(common, lambda desk: desk.reconcile(repair), "reconcile", {"repair": repair}), doing)
    rows = [(d["connection"], d["sku"], d["location_id"], d["believed"], d["shown"]) for d in found["drifts"]]
    lines = [f"{found['counters']} counters compared, {len(rows)} differ."]
    if rows:
        lines += ["", *as_table(("store", "SKU", "location", "believed", "shown"), rows)]
    if found["repairing"]:
        lines.append(f"{found['repairing']} counters are being read again.")
    give(found, lines, as_json=common.json)
    return 1 if rows else 0


def replay(
    *,
    event: Annotated[str, Parameter(help="A delivery id, or the number of a signal.")],
    from_: Annotated[Stage, Parameter(name="--from", help="From this stage on.")] = Stage.NORMALIZE,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Run an event again. Everything is read anew; a stored plan is never sent."""
    body = {"event": event, "from_stage": from_.value, "actor": actor()}
    found = run(write(common, lambda desk: desk.replay(event, from_), "replay", body))
    count = found["signals"]
    give(found, [f"{count} signal{'' if count == 1 else 's'} of {event} will be read again."], as_json=common.json)
    return 0
