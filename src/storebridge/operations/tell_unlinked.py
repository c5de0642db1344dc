"""Variants that cannot be linked: a case each, closed when a listing does not show the reason any more."""

from __future__ import annotations

from collections.abc import Collection

from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.mappings.link import Links, Obstacle, Unlinked
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.store.cases import open_cases_of_stores
from storebridge.store.database import Tx
from storebridge.store.lanes import skus_with_gone_items

_REASONS = {
    Obstacle.SKU_BLANK: Reason.SKU_BLANK,
    Obstacle.SKU_DUPLICATE: Reason.SKU_DUPLICATE_IN_STORE,
    Obstacle.ONE_SIDE_ONLY: Reason.SKU_ONLY_ON_ONE_SIDE,
    Obstacle.UNTRACKED: Reason.ITEM_UNTRACKED,
    Obstacle.NOT_ADJUSTABLE: Reason.ITEM_NOT_ADJUSTABLE,
}


def tell_unlinked(
    tx: Tx,
    workspace: Workspace,
    links: Links,
    incomplete: Collection[ConnectionName],
    connections: Collection[ConnectionName],
) -> None:
    """Open what a listing shows, and close what it shows no more. ``incomplete`` stores listed something that could not
    be read: what they do not show may be there all the same."""
    gone = skus_with_gone_items(tx, workspace)
    told = [one for one in links.unlinked if not _is_told(one, gone) and not _may_be_listed(one, incomplete)]
    raise_cases(tx, [_case(workspace, one) for one in told])
    proofs = [
        (reason, f"{connection}/{sku.sku}", "the SKU is linked now")
        for sku in links.linked
        for connection in sku.variants
        for reason in (Reason.SKU_ONLY_ON_ONE_SIDE, Reason.SKU_DUPLICATE_IN_STORE)
    ]
    proofs += [
        (reason, f"{connection}/{sku}", "the SKU is a bundle")
        for sku in sorted(links.recipes)
        for connection in connections
        for reason in (Reason.SKU_ONLY_ON_ONE_SIDE, Reason.ITEM_NOT_ADJUSTABLE)
    ]
    settle_by_proof(tx, workspace, proofs)
    listed = set(connections) - set(incomplete)
    settle_by_proof(tx, workspace, _shown_no_more(tx, workspace, links, listed))


def _shown_no_more(
    tx: Tx, workspace: Workspace, links: Links, listed: Collection[ConnectionName]
) -> list[tuple[Reason, str, str]]:
    """Open cases of stores that were ``listed`` whole: the variant is gone or as it should be."""
    shown = {(_REASONS[one.obstacle].value, _subject(one)) for one in links.unlinked}
    return [
        (Reason(reason), subject, f"a listing of {connection} does not show this any more")
        for reason, subject, connection, sku in open_cases_of_stores(tx, workspace, sorted(_REASONS.values()))
        if connection in listed and (reason, subject) not in shown and _is_about_sku(reason, subject, connection, sku)
    ]


def _is_about_sku(reason: str, subject: str, connection: ConnectionName, sku: str | None) -> bool:
    """A case about a counter in step has the same reason and names its item: a read closes that one."""
    return reason == Reason.SKU_BLANK if sku is None else subject == f"{connection}/{sku}"


def _subject(unlinked: Unlinked) -> str:
    return f"{unlinked.connection}/{unlinked.sku or unlinked.variants[0].variant_id}"


def _is_told(unlinked: Unlinked, gone: Collection[str]) -> bool:
    """A SKU whose other item is gone is one case, ``item_gone``, and not two."""
    return unlinked.obstacle is Obstacle.ONE_SIDE_ONLY and unlinked.sku in gone


def _may_be_listed(unlinked: Unlinked, incomplete: Collection[ConnectionName]) -> bool:
    """Whether the SKU's twin may be what another store listed and nobody could read."""
    return unlinked.obstacle is Obstacle.ONE_SIDE_ONLY and bool(set(incomplete) - {unlinked.connection})


def _case(workspace: Workspace, unlinked: Unlinked) -> CaseOpening:
    return CaseOpening(
        workspace=workspace,
        reason=_REASONS[unlinked.obstacle],
        subject=_subject(unlinked),
        connection=unlinked.connection,
        sku=unlinked.sku,
        field="sku",
        details={"variants": [f"{v.product_title} / {v.variant_title}" for v in unlinked.variants][:20]},
    )
