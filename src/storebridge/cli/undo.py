"""``undo``: take a batch of stock writes back, by what caused them. Without ``--apply`` it only tells."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from storebridge.cli.actor import actor
from storebridge.cli.desk import run, write
from storebridge.cli.options import Common, demand_connection
from storebridge.cli.output import as_table, give
from storebridge.errors import ConfigurationError
from storebridge.model.words import in_skus, in_units
from storebridge.operations.undo_changes import Batch

SHOWN = 50


def undo(
    *,
    since: Annotated[str | None, Parameter(help="From this time on (2026-11-25T10:00, UTC unless it says).")] = None,
    minutes: Annotated[float | None, Parameter(help="Instead: the last so many minutes.")] = None,
    until: Annotated[str | None, Parameter(help="Up to this time; now unless given.")] = None,
    sku: Annotated[str, Parameter(help="A SKU, or a pattern such as TEE-*; every SKU unless given.")] = "*",
    connection: Annotated[str | None, Parameter(help="Edits of this store's staff only.")] = None,
    apply: Annotated[bool, Parameter(help="Do it; without, only tell what would be done.", negative="")] = False,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Take back edits by staff, receipts, counts and corrections of a period; the writes follow. Never sales."""
    if (since is None) == (minutes is None):
        raise ConfigurationError("Say from when: --since TIME or --minutes N, one of them.")
    demand_connection(common, connection)
    batch = Batch(_time(since, "--since"), minutes, _time(until, "--until"), sku, connection)
    body = {
        "since": None if batch.since is None else batch.since.isoformat(),
        "minutes": minutes,
        "until": None if batch.until is None else batch.until.isoformat(),
        "skus": sku,
        "connection": connection,
        "apply": apply,
        "actor": actor(),
    }
    found = run(write(common, lambda desk: desk.undo(batch, apply), "undo", body))
    give(found, undo_lines(found), as_json=common.json)
    return 0


def undo_lines(found: dict[str, Any]) -> list[str]:
    """A dry run, or what was done, as text."""
    rows = [
        (
            pool["sku"],
            pool["group"],
            f"{pool['units']:+d}",
            f"{pool['left_before']} → {pool['left_after']}",
            ", ".join(f"{store} {units:+d}" for store, units in pool["written"].items()) or "nothing",
            ", ".join(sorted({movement["kind"] for movement in pool["movements"]})),
        )
        for pool in found["pools"][:SHOWN]
    ]
    lines = as_table(("SKU", "group", "goods", "left", "we wrote", "takes back"), rows)
    more = len(found["pools"]) - SHOWN
    lines += [f"... and {in_skus(more)} more (--json shows all)."] if more > 0 else []
    done = "Taken back" if found["applied"] else "Would take back"
    lines.append(f"{done}: {in_units(found['units'])} of {in_skus(len(found['pools']))}.")
    return lines if found["applied"] else [*lines, "Nothing was changed; add --apply to do it."]


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"{option} {text!r} is no time: write 2026-11-25T10:00 (UTC).") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
