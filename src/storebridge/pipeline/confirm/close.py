"""Confirm: a lane that is settled and was read again closes the signals which that read answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from storebridge.inventory.observe import shows_version
from storebridge.inventory.versions import is_surpassed
from storebridge.model.ids import ConnectionName, ItemId, LaneKey
from storebridge.model.stock import PositionKey
from storebridge.store.lanes import StoredLane, StoredPosition
from storebridge.store.waiting import ClaimedLook, WaitingSignal

PATIENCE = (timedelta(seconds=1), timedelta(seconds=4), timedelta(seconds=15))
"""How long to wait before reading again for a version that a delivery speaks of and a read does not show yet."""


class Unanswered(msgspec.Struct, frozen=True):
    """A signal whose change the read did not show yet."""

    signal: WaitingSignal
    again_in: timedelta
    attempts: int


def is_seen(stored: StoredPosition) -> bool:
    """Whether a counter was read after our last write to it, and nothing says that it changed since: a write that a
    sale had made stale was answered, and the sale called done before any read showed it."""
    return stored.confirmed and not is_surpassed(stored.position.version)


def lane_is_settled(lane: StoredLane) -> bool:
    """No write is open, and every counter was seen after the last change that we know of."""
    return not lane.intents and all(map(is_seen, lane.positions.values()))


def answered_signals(
    lane: StoredLane, signals: Iterable[WaitingSignal], answered: Mapping[tuple[ConnectionName, str], int]
) -> list[WaitingSignal]:
    """Signals of a settled lane whose look was answered; ``answered`` is by (connection, item)."""
    if not lane_is_settled(lane):
        return []
    return [signal for signal in signals if signal.look_number <= answered.get((signal.connection, signal.entity), 0)]


def not_shown_yet(
    lane: StoredLane,
    connection: ConnectionName,
    looks: Mapping[str, ClaimedLook],
    signals: Iterable[WaitingSignal],
    stale_items: set[ItemId],
) -> list[Unanswered]:
    """Signals of the items just read, ``looks`` by item, whose change the read does not show: they wait for another.

    A read may come from a replica that lags (S26, W15). Patience is bounded: the sweep is the net behind it.
    """
    waiting: list[Unanswered] = []
    for signal in signals:
        look = looks.get(signal.entity)
        if signal.connection != connection or look is None or look.attempts >= len(PATIENCE):
            continue
        item = ItemId(signal.entity)
        if item in stale_items or not _shown(lane, connection, item, signal.seen_version):
            waiting.append(Unanswered(signal, PATIENCE[look.attempts], look.attempts + 1))
    return waiting


def _shown(lane: StoredLane, connection: ConnectionName, item: ItemId, version: str | None) -> bool:
    if version is None:
        return True
    known = [
        stored.position.version
        for key, stored in lane.positions.items()
        if key.connection == connection and key.item_id == item
    ]
    return any(shows_version(seen, version) for seen in known)


class Spread(msgspec.Struct, frozen=True):
    """From a signal in one store to the answered write in another."""

    lane: LaneKey
    signalled_at: datetime
    written_at: datetime


def spreads_of(
    lane: StoredLane, written: Sequence[PositionKey], signals: Iterable[WaitingSignal], sent_at: datetime, now: datetime
) -> list[Spread]:
    """How long the oldest waiting signal of another store took until this write; one that came after the write was
    sent did not cause it (a turn that waited for its locks saw such signals, and told of negative delays)."""
    stores = {key.connection for key in written}
    causes = (s.stored_at for s in signals if s.connection not in stores and s.stored_at <= sent_at)
    since = min(causes, default=None)
    return [] if since is None or not written else [Spread(lane.lane, since, now)]
