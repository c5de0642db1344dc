"""Events: signals and how far each has come; one event with its delivery."""

from __future__ import annotations

import msgspec

from storebridge.errors import NotFoundError
from storebridge.model.ids import Workspace
from storebridge.operations.outcomes import number_after
from storebridge.store import views_lists
from storebridge.store.database import Store, Tx
from storebridge.store.views_lists import DeliveryRow, EventRow


class EventPage(msgspec.Struct, frozen=True):
    """Some signals, newest first."""

    items: list[EventRow]
    after: str | None


class Event(msgspec.Struct, frozen=True):
    """A delivery (or one signal without one) and everything that came of it."""

    event: str
    delivery: DeliveryRow | None
    signals: list[EventRow]


async def list_events(
    store: Store,
    workspace: Workspace,
    *,
    state: str | None = None,
    connection: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> EventPage:
    """One page of signals, newest first. Raises OutOfRangeError for a place that is none."""
    before = number_after(after)
    found = await store.read(
        views_lists.list_events, workspace, before=before, state=state, connection=connection, limit=limit + 1
    )
    page = found[:limit]
    return EventPage(page, str(page[-1].seq) if len(found) > limit else None)


async def show_event(store: Store, workspace: Workspace, event: str) -> Event:
    """One event by delivery id or signal number. Raises NotFoundError."""
    return await store.read(_read_event, workspace, event)


def _read_event(tx: Tx, workspace: Workspace, event: str) -> Event:
    signals = views_lists.list_events(tx, workspace, event=event)
    if not signals:
        raise NotFoundError(
            f"There is no event {event!r} in workspace {workspace!r}: give a delivery's id, or a signal's number."
        )
    delivery_id = signals[0].delivery_id
    delivery = None if delivery_id is None else views_lists.get_delivery(tx, workspace, delivery_id)
    return Event(event, delivery, signals)
