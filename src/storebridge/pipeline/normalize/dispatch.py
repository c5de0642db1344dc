"""Dispatch: which lane does a signal concern, and what has to be read to answer it?

A look is asked for in the same transaction, and the number of its asking is noted on the signal: only a read that was
sent after this asking may close the signal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from storebridge.model.ids import ConnectionName, ItemId, LaneKey, Workspace
from storebridge.model.signals import Flow, SignalState
from storebridge.store.database import Tx
from storebridge.store.lanes import lanes_of_items
from storebridge.store.waiting import (
    Ask,
    NewlyStored,
    ask_looks,
    close_signals,
    route_signals,
    take_new_signals,
)
from storebridge.work.urgency import Urgency

ORDER_BEAT = timedelta(seconds=5)
"""Orders are due together at the next beat: one order causes several deliveries, and a read carries many orders. Each
read for itself, they used up the budget that stock needs (p95 of a change grew from 2.0 to 3.7 s). Where they fill a
read sooner and there is budget to spare, the courier does not wait for the beat (deliver/jobs.py)."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CATALOGUE_COALESCING = timedelta(seconds=10)

LOOK_KIND = {
    Flow.STOCK: "levels",
    Flow.ORDERS: "orders",
    Flow.PRODUCTS: "catalogue",
    Flow.STORE: "store",
}


class Dispatched(msgspec.Struct, frozen=True):
    """What a dispatch did: how many signals, and whose courier has something to read."""

    signals: int
    connections: frozenset[tuple[Workspace, ConnectionName]]
    privacy: frozenset[Workspace]
    """Workspaces with a request about a person; no store has to be asked for it."""


def dispatch_signals(tx: Tx, limit: int) -> Dispatched:
    """Route up to ``limit`` new signals, oldest first, fairly over workspaces."""
    new = take_new_signals(tx, limit)
    touched: set[tuple[Workspace, ConnectionName]] = set()
    for (workspace, connection), group in _by_connection(new).items():
        _dispatch_group(tx, workspace, connection, group)
        touched.add((workspace, connection))
    private = frozenset(signal.workspace for signal in new if signal.flow is Flow.PRIVACY)
    return Dispatched(len(new), frozenset(touched), private)


def _by_connection(
    signals: Iterable[NewlyStored],
) -> dict[tuple[Workspace, ConnectionName], list[NewlyStored]]:
    grouped: defaultdict[tuple[Workspace, ConnectionName], list[NewlyStored]] = defaultdict(list)
    for signal in signals:
        grouped[signal.workspace, signal.connection].append(signal)
    return dict(grouped)


def _dispatch_group(tx: Tx, workspace: Workspace, connection: ConnectionName, signals: Sequence[NewlyStored]) -> None:
    stock_items = sorted({ItemId(signal.entity) for signal in signals if signal.flow == Flow.STOCK})
    lanes = lanes_of_items(tx, workspace, connection, stock_items)
    unlinked = [s.seq for s in signals if s.flow == Flow.STOCK and ItemId(s.entity) not in lanes]
    if unlinked:
        close_signals(tx, unlinked, SignalState.CONFIRMED, "not kept in step: this item is not linked")
    route_signals(tx, [(signal.seq, None, 0) for signal in signals if signal.flow is Flow.PRIVACY])
    looked_up = [s for s in signals if s.flow is not Flow.PRIVACY]
    routed = [s for s in looked_up if s.flow != Flow.STOCK or ItemId(s.entity) in lanes]
    numbers = ask_looks(tx, workspace, connection, _asks(tx, routed))
    route_signals(
        tx,
        [(signal.seq, _lane_of(signal, lanes), numbers[LOOK_KIND[signal.flow], _key_of(signal)]) for signal in routed],
    )


def _key_of(signal: NewlyStored) -> str:
    return signal.entity if signal.flow in (Flow.STOCK, Flow.ORDERS) else "all"


def _lane_of(signal: NewlyStored, lanes: dict[ItemId, LaneKey]) -> LaneKey | None:
    return lanes.get(ItemId(signal.entity)) if signal.flow == Flow.STOCK else None


def _asks(tx: Tx, signals: Sequence[NewlyStored]) -> list[Ask]:
    due = {
        Flow.STOCK: tx.now,
        Flow.ORDERS: next_beat(tx.now, ORDER_BEAT),
        Flow.PRODUCTS: tx.now + CATALOGUE_COALESCING,
        Flow.STORE: tx.now,
    }
    urgency = {
        Flow.STOCK: Urgency.STOCK_READ,
        Flow.ORDERS: Urgency.ORDERS,
        Flow.PRODUCTS: Urgency.PRODUCTS,
        Flow.STORE: Urgency.ORDERS,
    }
    unique = {(LOOK_KIND[s.flow], _key_of(s)): s.flow for s in signals}
    return [
        Ask(kind=kind, key=key, urgency=int(urgency[flow]), due_at=due[flow])
        for (kind, key), flow in sorted(unique.items())
    ]


def next_beat(now: datetime, beat: timedelta) -> datetime:
    """The next moment that all processes share: whole beats since 1970."""
    return now + beat - (now - EPOCH) % beat
