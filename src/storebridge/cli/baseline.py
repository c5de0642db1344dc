"""``baseline``: agree on a starting point; first as a dry run."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from storebridge.cli.actor import actor
from storebridge.cli.desk import run, write
from storebridge.cli.options import Common
from storebridge.cli.output import as_table, give, of_pairs
from storebridge.model.words import in_skus

SHOWN = 30


def baseline(
    *,
    sign_off: Annotated[bool, Parameter(help="Begin: take in every linked SKU that is new.", negative="")] = False,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """What would be kept in step, what not and why, and which levels would change. Changes nothing by itself."""
    body = {"sign_off": sign_off, "actor": actor()}
    doing = "Reading every variant and level of the stores"
    found = run(write(common, lambda desk: desk.baseline(sign_off), "baseline", body, may_make=True), doing)
    lines = [
        f"{in_skus(found['linked'])} in every store; {found['already_in_step']} are kept in step already.",
        f"{found['units']} units, as {found['system_of_record']} counts them.",
        f"Not kept in step: {of_pairs(found['unlinked'])}.",
    ]
    if found["remade"]:
        lines.append(f"Made anew under another item, to be linked again: {', '.join(found['remade'][:SHOWN])}.")
    lines += [f"Bundle {sku}: {made_of}." for sku, made_of in found["bundles"].items()]
    lines += [f"Bundle {sku} is not kept in step: {why}." for sku, why in found["bundles_not_kept"].items()]
    if found["waiting"]:
        names = ", ".join(found["waiting"][:SHOWN])
        lines.append(f"Not taken in before every store can be read whole, where they may be bundles: {names}.")
    differences = found["differences"]
    if differences:
        rows = [(d["sku"], d["group"], of_pairs(d["levels"])) for d in differences[:SHOWN]]
        lines += ["", f"Levels of {in_skus(len(differences))} differ:", *as_table(("SKU", "group", "levels"), rows)]
        if len(differences) > SHOWN:
            lines.append(f"... and {len(differences) - SHOWN} more (--json lists them all).")
    lines.append("Signed off." if found["signed_off"] else "Nothing was changed. To begin: --sign-off.")
    give(found, lines, as_json=common.json)
    return 0
