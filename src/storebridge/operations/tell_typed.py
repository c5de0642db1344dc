"""Raises that staff typed into a store where stores show shares: right only if so many units came in.

A store shows its share there, so a shelf count that is typed into it makes units that do not exist. Nothing tells one
from goods that came in (a reading shows a difference, and a sale in between changes that as well), so each raise
that was believed is shown until the SKU is counted. One that is just what was left in all stores is held instead.
"""

from __future__ import annotations

from datetime import timedelta

from storebridge.model.settings import LaneTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.model.words import in_units
from storebridge.operations.check_setup import Check
from storebridge.store.database import Store, Tx
from storebridge.store.policies import terms_shown
from storebridge.store.typed import TypedRaise, typed_raises

LATELY = timedelta(days=1)
SHARED = (Policy.ESCROW, Policy.HYBRID)


def read_typed(tx: Tx, terms: WorkspaceTerms, shown: LaneTerms) -> list[TypedRaise]:
    """Those of the last day whose SKU is divided now, the newest last."""
    found = typed_raises(tx, terms.workspace, tx.now - LATELY)
    return [one for one in found if shown.of(one.sku).policy in SHARED]


def typed_line(one: TypedRaise) -> str:
    """What a person should know of it."""
    was = "was" if one.sold_meanwhile == 1 else "were"
    sold = f" while {in_units(one.sold_meanwhile)} of it {was} sold" if one.sold_meanwhile else ""
    return (
        f"{one.sku}: {one.units:+d} typed into {one.connection}{sold}, right only if so many units came in. "
        f"If it was a shelf count, book what is there: storebridge count {one.sku} N."
    )


async def check_typed(store: Store, terms: WorkspaceTerms) -> tuple[Check, ...]:
    """The same among the checks: only warnings, because nobody but who typed can know."""
    found = await store.read(_read, terms)
    return tuple(Check("typed count", one.sku, True, typed_line(one), warning=True) for one in found)


def _read(tx: Tx, terms: WorkspaceTerms) -> list[TypedRaise]:
    return read_typed(tx, terms, terms_shown(tx, terms))
