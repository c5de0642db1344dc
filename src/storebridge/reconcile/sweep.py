"""Sweeps: every counter is read now and then, webhooks or not; what moved lately or is low, sooner."""

from __future__ import annotations

from datetime import timedelta

from storebridge.model.ids import ConnectionName
from storebridge.model.settings import WorkspaceTerms
from storebridge.reconcile.catalogue import ask_first_listing
from storebridge.store.database import Tx
from storebridge.store.sweeps import unread_items
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

ITEMS_AT_ONCE = 1000


def ask_sweep(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, *, everything: bool = False) -> int:
    """Ask for reads of counters that were not read for too long; ``everything`` after deliveries may have been lost."""
    patience = timedelta(0) if everything else timedelta(seconds=terms.sweep_seconds)
    hot = timedelta(0) if everything else timedelta(seconds=terms.hot_sweep_seconds)
    items = unread_items(
        tx,
        terms.workspace,
        connection,
        read_before=tx.now - patience,
        hot_read_before=tx.now - hot,
        hot_below_units=terms.hot_below_units,
        limit=1_000_000 if everything else ITEMS_AT_ONCE,
    )
    ask_looks(tx, terms.workspace, connection, [Ask("levels", item, int(Urgency.SWEEP), tx.now) for item in items])
    return len(items)


def ask_periodic(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName) -> None:
    """At start: poll orders and look at the store itself now; each asks for its own next time when done. The goods were
    or will be listed by the baseline, so the next listing is a day away, unless a setting goes by collections."""
    ask_looks(
        tx,
        terms.workspace,
        connection,
        [
            Ask("order_poll", "all", int(Urgency.ORDERS), tx.now),
            Ask("store", "all", int(Urgency.ORDERS), tx.now),
        ],
    )
    ask_first_listing(tx, terms, connection)
