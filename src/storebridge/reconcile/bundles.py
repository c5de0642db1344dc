"""Edits of bundles: a lower that no order explains was taken for sold components, and a person is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import ConnectionName, ItemId, Workspace
from storebridge.store.bundles import bundles_among
from storebridge.store.cases import open_subjects_of_reason
from storebridge.store.database import Tx
from storebridge.store.labels import Residual, beyond


def tell_edited_bundles(
    tx: Tx,
    workspace: Workspace,
    connection: ConnectionName,
    seen: Sequence[Residual],
    booked: Collection[Residual],
) -> None:
    """Open a case for each bundle whose units were just ``booked`` as edits; close those that orders explain now."""
    skus = bundles_among(tx, workspace, connection, {item for one in seen for item, _, _ in one.by_item})
    if not skus:
        return
    counted = [row for one in booked for row in one.by_item if row[0] in skus]
    edited = {item: units for item, moved, uncertain in counted if (units := beyond(moved, uncertain))}
    raise_cases(tx, [_case(workspace, connection, item, skus[item], edited[item]) for item in sorted(edited)])
    explained = {item for one in seen for item, units, _ in one.by_item if item in skus and not units}
    subjects = {f"{connection}/{item}" for item in explained}
    over = sorted(subjects & open_subjects_of_reason(tx, workspace, Reason.BUNDLE_EDITED.value))
    settle_by_proof(tx, workspace, [(Reason.BUNDLE_EDITED, one, "orders explain every unit of it") for one in over])


def _case(workspace: Workspace, connection: ConnectionName, item: ItemId, sku: str, units: int) -> CaseOpening:
    return CaseOpening(
        workspace=workspace,
        reason=Reason.BUNDLE_EDITED,
        subject=f"{connection}/{item}",
        connection=connection,
        sku=sku,
        field="available",
        details={"units": units},
    )
