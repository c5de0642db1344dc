"""How much was written in the last hour, measured now and then, so that a turn has only the last seconds to add."""

from __future__ import annotations

from datetime import timedelta

from storebridge.model.settings import WorkspaceTerms
from storebridge.store.brakes import load_brake, planned_since, save_measure
from storebridge.store.database import Tx

HOUR = timedelta(hours=1)


def measure_writes(tx: Tx, terms: WorkspaceTerms) -> None:
    """Count the writes of the last hour, but for those that a person agreed to."""
    if not (terms.most_units_per_hour or terms.most_skus_per_hour):
        return
    brake = load_brake(tx, terms.workspace)
    since = tx.now - HOUR if brake is None else max(tx.now - HOUR, brake.counted_from)
    save_measure(tx, terms.workspace, planned_since(tx, terms.workspace, since))
