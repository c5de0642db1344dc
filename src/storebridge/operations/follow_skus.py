"""A SKU was changed in a store after its goods were linked: the link stays, and the merchant is told.

The goods are kept in step by item, so nothing is written differently. Once every store calls them by the same new SKU,
so does storebridge: what the pool is called changes, and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.mappings.bundles import Recipe
from storebridge.mappings.renamed import (
    Catalogues,
    Names,
    Renames,
    SkuChanged,
    as_kept,
    find_renames,
    names_of_listing,
)
from storebridge.model.ids import LaneKey, PoolId, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.store.cases import open_subjects_of_reason
from storebridge.store.database import Tx
from storebridge.store.lanes import load_lanes, pool_of_sku
from storebridge.store.policies import lane_terms
from storebridge.store.renames import bundle_names, names_in_step, pool_ids, rename_skus
from storebridge.store.story import NewMovement, add_movements
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

AGAIN = timedelta(seconds=60)


class Followed(msgspec.Struct, frozen=True):
    """What a listing says about SKUs in step."""

    catalogues: Catalogues
    """By the SKUs under which items are kept in step."""
    lanes: list[LaneKey]
    """To be planned again: the terms of a SKU may be others under its new name."""


def follow_skus(
    tx: Tx, terms: WorkspaceTerms, catalogues: Catalogues, recipes: Mapping[str, Recipe], *, sign_off: bool
) -> Followed:
    """Tell of SKUs that were changed, and with ``sign_off`` take over those on which all stores agree.

    ``recipes`` are those of every bundle that configuration or stores tell of.
    """
    workspace = terms.workspace
    names: Names = names_in_step(tx, workspace)
    bundles = bundle_names(tx, workspace)
    taken = {sku for sku, _ in pool_ids(tx, workspace)} | {*bundles.values()}
    renames = find_renames(catalogues, names, recipes, taken)
    lanes = _rename(tx, terms, renames.moves) if sign_off and renames.moves else []
    if lanes:
        names = names_in_step(tx, workspace)
    names = names_of_listing(catalogues, names, bundles, recipes.keys())
    listing = as_kept(catalogues, names)
    _tell(tx, workspace, listing.changed, _with_bundles(renames, listing.changed, recipes))
    _settle(tx, workspace, catalogues, names, listing.changed)
    return Followed(listing.catalogues, lanes)


def _with_bundles(renames: Renames, changed: Sequence[SkuChanged], recipes: Mapping[str, Recipe]) -> Renames:
    """A bundle is called as its recipe is: no agreement of stores changes that."""
    own = {
        one.kept_as: f"it is a bundle, and its recipe is called {one.kept_as}: give the recipe the new name, too"
        for one in changed
        if one.kept_as in recipes
    }
    return Renames(renames.moves, renames.blocked | own)


def _rename(tx: Tx, terms: WorkspaceTerms, moves: Mapping[str, str]) -> list[LaneKey]:
    """Call pools by their new SKUs; returns their lanes, which are locked like for a turn."""
    workspace = terms.workspace
    found = {pool_id: (old, lane) for old in moves for pool_id, lane, _ in pool_of_sku(tx, workspace, old)}
    lanes = sorted({lane for _, lane in found.values()})
    load_lanes(tx, workspace, lanes, lane_terms(tx, terms))
    rename_skus(tx, workspace, moves)
    add_movements(tx, workspace, [_movement(pool_id, old, moves[old]) for pool_id, (old, _) in sorted(found.items())])
    append(
        tx,
        [
            AuditRow(workspace, kind="renamed", subject=new, actor="storebridge", record={"SKU before": old})
            for old, new in sorted(moves.items())
        ],
    )
    ask = Ask("catalogue", "all", int(Urgency.PRODUCTS), tx.now + AGAIN)
    ask_looks(tx, workspace, terms.system_of_record, [ask])  # bundles may be made of them by the new name
    return lanes


def _movement(pool_id: PoolId, old: str, new: str) -> NewMovement:
    return NewMovement(pool_id, "renamed", 0, actor="storebridge", note=f"it was {old} and is {new} in every store")


def _tell(tx: Tx, workspace: Workspace, changed: Sequence[SkuChanged], renames: Renames) -> None:
    raise_cases(tx, [_case(workspace, one, renames) for one in changed])


def _case(workspace: Workspace, one: SkuChanged, renames: Renames) -> CaseOpening:
    variant = one.variant
    title = " / ".join(filter(None, (variant.product_title, variant.variant_title)))
    details = {"SKU there now": variant.sku or "none", "variant": title}
    if one.kept_as in renames.blocked:
        details["not taken over because"] = renames.blocked[one.kept_as]
    return CaseOpening(
        workspace=workspace,
        reason=Reason.SKU_CHANGED,
        subject=one.subject,
        connection=one.connection,
        sku=one.kept_as,
        field="sku",
        details=details,
    )


def _settle(tx: Tx, workspace: Workspace, catalogues: Catalogues, names: Names, changed: Sequence[SkuChanged]) -> None:
    """Close what a listing proves; an item that it does not name proves nothing, unless it is in step no more."""
    open_subjects = open_subjects_of_reason(tx, workspace, Reason.SKU_CHANGED.value)
    listed = {f"{c}/{variant.item_id}" for c, found in catalogues.items() for variant in found}
    in_step = {f"{c}/{item}": sku for (c, item), sku in names.items()}
    over = open_subjects - {one.subject for one in changed}
    proofs = [
        (Reason.SKU_CHANGED, subject, f"its SKU is {in_step[subject]}, as which it is kept in step")
        for subject in sorted(over & listed & in_step.keys())
    ]
    gone = "the item is not kept in step any more"
    proofs += [(Reason.SKU_CHANGED, subject, gone) for subject in sorted(over - in_step.keys())]
    kept = f"it is kept in step; its case is {Reason.SKU_CHANGED}"
    for one in changed:
        if one.variant.sku:
            proofs.append((Reason.SKU_ONLY_ON_ONE_SIDE, f"{one.connection}/{one.variant.sku}", kept))
        else:
            proofs.append((Reason.SKU_BLANK, f"{one.connection}/{one.variant.variant_id}", kept))
    settle_by_proof(tx, workspace, proofs)
