"""The catalogue is listed when a delivery or a lost item asks for it, and once a day whatever was heard."""

from __future__ import annotations

from datetime import timedelta

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.signals import Flow, SignalState
from storebridge.store.database import Tx
from storebridge.store.waiting import Ask, ClaimedLook, answer_looks, ask_looks, close_signals, waiting_of_entities
from storebridge.work.urgency import Urgency

LIST_AGAIN = timedelta(days=1)
"""A product whose delivery was lost would else never be kept in step, and a changed SKU never be seen."""


def ask_listing(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName) -> None:
    """Ask for the next listing in a day. One listing reads every store, so one store's errand is enough."""
    _ask(tx, terms, connection, LIST_AGAIN)


def ask_first_listing(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName) -> None:
    """At start: in a day, or at once where a setting goes by collections, which no listing may have told so far."""
    _ask(tx, terms, connection, timedelta(0) if terms.for_pools().collections_named else LIST_AGAIN)


def _ask(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, after: timedelta) -> None:
    if connection == terms.system_of_record:
        ask = Ask("catalogue", "all", int(Urgency.PRODUCTS), tx.now + after)
        ask_looks(tx, terms.workspace, connection, [ask])


def finish_listing(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, looks: tuple[ClaimedLook, ...]) -> None:
    """Called after the listing that began when ``looks`` were claimed."""
    workspace: Workspace = terms.workspace
    answer_looks(tx, workspace, connection, looks)
    up_to = {look.key: look.number for look in looks}
    done = waiting_of_entities(tx, workspace, connection, Flow.PRODUCTS, up_to)
    close_signals(tx, done, SignalState.CONFIRMED, "the catalogue was listed again")
    ask_listing(tx, terms, connection)
