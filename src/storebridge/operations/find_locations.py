"""Which locations a person means, by name, id or location group, and which units of an order wait there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from storebridge.errors import NotFoundError, RefusedError
from storebridge.flows.queue import NOWHERE, PendingParcel, waits_at
from storebridge.model.ids import ConnectionName, LocationId, Workspace
from storebridge.model.sales import Order
from storebridge.store.database import Tx
from storebridge.store.whereabouts import Whereabouts, list_whereabouts


def find_locations(tx: Tx, workspace: Workspace, word: str | None) -> tuple[Whereabouts, ...]:
    """The locations that ``word`` names: the id or the name of one, or a location group; none for no word. Raises
    NotFoundError with the names that are known."""
    return _named(list_whereabouts(tx, workspace), word) if word else ()


def find_location(tx: Tx, workspace: Workspace, connection: ConnectionName, word: str) -> LocationId:
    """The one location of a store that ``word`` names. Raises NotFoundError, RefusedError where it names several."""
    known = [at for at in list_whereabouts(tx, workspace) if at.connection == connection]
    found = _named(known, word)
    if len(found) > 1:
        raise RefusedError(f"{word!r} names {len(found)} locations of {connection}: say which. {_names(found)}")
    return found[0].location_id


def units_by_location(
    order: Order,
    known: Sequence[Whereabouts],
    wanted: Sequence[Whereabouts] = (),
    pending: Sequence[PendingParcel] = (),
) -> dict[str, Counter[str]]:
    """Units that can be sent now per order line, by the name of the location that sends them; of those alone that are
    wanted, if any. An empty name where its store assigns no location and has no default that is known. ``pending``:
    parcels that left and that the store does not show yet."""
    names = _names_of(order, known)
    asked = set(_names_of(order, wanted)) if wanted else None
    found: dict[str, Counter[str]] = {}
    for place, units in waits_at(order, pending).items():
        if asked is None or place in asked:
            found.setdefault(names.get(place, place), Counter()).update(units)
    return found


def _names_of(order: Order, known: Sequence[Whereabouts]) -> dict[LocationId, str]:
    here = [at for at in known if at.connection == order.connection]
    names = {at.location_id: at.name for at in here}
    default = next((at.name for at in here if at.is_default), None)
    return names if default is None else names | {NOWHERE: default}


def _named(known: Sequence[Whereabouts], word: str) -> tuple[Whereabouts, ...]:
    exactly = [at for at in known if at.location_id == word]
    by_name = [at for at in known if at.name.casefold() == word.casefold()]
    found = exactly or by_name or [at for at in known if at.group == word]
    if not found:
        raise NotFoundError(f"No location or location group is called {word!r}. {_names(known)}")
    return tuple(found)


def _names(known: Collection[Whereabouts]) -> str:
    names = sorted({at.name for at in known} | {at.group for at in known if at.group})
    return f"Known: {', '.join(names)}." if names else "None is known yet: sign off a baseline first."
