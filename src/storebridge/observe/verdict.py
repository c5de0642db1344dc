"""The verdict on a workspace: sentences that an operator can read aloud; none means that all is well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storebridge.observe.agreement import Totals
from storebridge.observe.conservation import Conservation
from storebridge.store.views import BaselineState, StoreHealth

SAYINGS = {
    "slow": "{store} asks for fewer calls; changes take longer to reach it",
    "down": "{store} does not answer",
    "refusing": "{store} does not take our calls",
    "unauthorized": "{store} refuses our credentials",
    "read_only": "{store} can be read but not written",
    "unknown": "{store} was not reached yet",
}


UNWRITABLE = frozenset({"down", "refusing", "unauthorized", "read_only"})


def find_problems(
    stores: Sequence[StoreHealth],
    totals: Totals,
    conservation: Conservation,
    cases_open: Mapping[str, int],
    baseline: BaselineState | None,
) -> list[str]:
    """What a person should know, worst first."""
    problems = [
        f"{SAYINGS[s.health].format(store=s.connection)}{_because(s.detail)}." for s in stores if s.health in SAYINGS
    ]
    stuck = [s.connection for s in stores if s.health in UNWRITABLE]
    if stuck and totals.mirrored:
        problems.append(_not_divided(stuck, totals.mirrored))
    if conservation.unaccounted:
        problems.insert(0, f"{conservation.unaccounted} signals are in no known state: report this.")
    if baseline is None:
        problems.append("No baseline is signed off, so nothing is written: run storebridge baseline, then --sign-off.")
    if totals.units_oversold:
        sold = "unit was sold that does" if totals.units_oversold == 1 else "units were sold that do"
        problems.append(f"{totals.units_oversold} {sold} not exist.")
    if totals.skus_out_of_step:
        named = ", ".join(totals.out_of_step[:5])
        are = "SKU is" if totals.skus_out_of_step == 1 else "SKUs are"
        problems.append(f"{totals.skus_out_of_step} {are} not in step at this moment ({named}).")
    if cases_open:
        count = sum(cases_open.values())
        are = "case is" if count == 1 else "cases are"
        problems.append(f"{count} {are} open: storebridge exceptions list.")
    return problems


def _not_divided(stuck: Sequence[str], mirrored: int) -> str:
    """Mirror has no shares to fall back to: what a store shows stays there until it is written again."""
    go, they = ("go", "they") if len(stuck) > 1 else ("goes", "it")
    skus = "SKU" if mirrored == 1 else "SKUs"
    return (
        f"{' and '.join(stuck)} {go} on showing what {they} last took: mirror divides nothing meanwhile, so the "
        f"last units of {mirrored} {skus} can be sold twice (hybrid would divide them by itself)."
    )


def _because(detail: str) -> str:
    return f": {detail.rstrip('.')}" if detail else ""
