"""The catalogue was listed again: answer the looks that asked for it and close their signals."""

from __future__ import annotations

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.signals import Flow, SignalState
from storebridge.store.database import Tx
from storebridge.store.waiting import ClaimedLook, answer_looks, close_signals, waiting_of_entities


def finish_listing(tx: Tx, workspace: Workspace, connection: ConnectionName, looks: tuple[ClaimedLook, ...]) -> None:
    """Called after the listing that began when ``looks`` were claimed."""
    answer_looks(tx, workspace, connection, looks)
    up_to = {look.key: look.number for look in looks}
    done = waiting_of_entities(tx, workspace, connection, Flow.PRODUCTS, up_to)
    close_signals(tx, done, SignalState.CONFIRMED, "the catalogue was listed again")
