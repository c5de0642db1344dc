"""``audit``: check the hash chain; write it out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from storebridge.cli.desk import reading, run
from storebridge.cli.examples import teach
from storebridge.cli.options import Common
from storebridge.cli.output import give
from storebridge.errors import ConfigurationError
from storebridge.operations.export_audit import export_audit
from storebridge.operations.verify_audit import Verification, verify_audit


def verify(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Has any sealed row been edited, removed or slipped in? Exit status 1 when one has."""
    found = run(_verify(common), "Digesting every row")
    lines = [f"{problem.what}: {problem.detail}" for problem in found.problems]
    lines.append(f"{found.sealed} rows sealed, {found.unsealed} not yet. Head: {found.head}")
    lines.append(_verdict(found))
    give({**msgspec.to_builtins(found), "intact": found.intact}, lines, as_json=common.json)
    return 0 if found.intact else 1


def _verdict(found: Verification) -> str:
    """A chain without a row says nothing of what may have been there."""
    if not found.intact:
        return "The chain is BROKEN."
    return "The chain is intact." if found.sealed else "There is no chain yet: is this the right database?"


async def _verify(common: Common) -> Verification:
    async with reading(common) as (store, terms):
        return await verify_audit(store, terms.workspace)


def export(
    *,
    out: Annotated[Path | None, Parameter(help="A new file; default: stdout.")] = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Every sealed row, oldest first, one JSON object a line, with the links of the chain."""
    doing = "" if out is None and sys.stdout.isatty() else "Writing rows"  # rows on a terminal show by themselves
    rows = run(_export(common, out), doing)
    if out is not None or common.json:
        where = "stdout" if out is None else str(out)
        give({"rows": rows, "written_to": where}, [f"{rows} rows written to {where}."], as_json=common.json)
    return 0


async def _export(common: Common, out: Path | None) -> int:
    async with reading(common) as (store, terms):
        if out is None:
            return await export_audit(store, terms.workspace, lambda line: sys.stdout.write(f"{line}\n"))
        try:
            with out.open("x", encoding="utf-8") as file:
                return await export_audit(store, terms.workspace, lambda line: file.write(f"{line}\n"))
        except OSError as error:
            raise ConfigurationError(f"--out {out} cannot be written ({error.strerror}).") from error


group = App(name="audit", help="The audit and its hash chain.")
group.command(verify)
group.command(export)
teach(group)
