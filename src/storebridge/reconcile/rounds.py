"""What is due in a workspace although nobody said a word, looked for every few seconds in one transaction: five of them
were most of what a quiet shop cost, and an agency has a hundred quiet shops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from storebridge.model.ids import ConnectionName
from storebridge.model.settings import WorkspaceTerms
from storebridge.reconcile.brake import measure_writes
from storebridge.reconcile.campaigns import end_due_campaigns
from storebridge.reconcile.mark import renew_marks
from storebridge.reconcile.sweep import ask_sweep
from storebridge.store.database import Tx


def make_round(
    tx: Tx, terms: WorkspaceTerms, connections: Iterable[ConnectionName], bearers: Sequence[ConnectionName]
) -> frozenset[ConnectionName]:
    """Measure what was written, end campaigns that had their time, ask for reads of counters that were not read for too
    long and for the marks of ``bearers``; says which stores have something to do now."""
    measure_writes(tx, terms)
    wake = set(end_due_campaigns(tx, terms))
    wake |= {name for name in connections if ask_sweep(tx, terms, name)}
    return frozenset(wake | renew_marks(tx, terms.workspace, bearers))
