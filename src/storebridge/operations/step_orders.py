"""Several orders were picked, or packed, at once: what a pick list held is not fetched from the shelf again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from storebridge.errors import RefusedError, StorebridgeError
from storebridge.flows.queue import Place
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.find_locations import find_locations, units_by_location
from storebridge.operations.pending_parcels import pending_parcels, units_pending
from storebridge.operations.print_orders import MOST_PRINTED, print_orders
from storebridge.operations.ship_order import OrderMoved, Step, note_step
from storebridge.operations.show_order import find_order
from storebridge.store.database import Store, Tx
from storebridge.store.sales import load_files
from storebridge.store.whereabouts import list_whereabouts


class RefusedOrder(msgspec.Struct, frozen=True):
    """An order of which nothing was noted, and why."""

    order: str
    why: str


class Stepped(msgspec.Struct, frozen=True):
    """What became of several orders; ``units`` were picked, or packed."""

    orders: int
    units: int
    refused: list[RefusedOrder]


async def step_orders(
    store: Store,
    terms: WorkspaceTerms,
    orders: Sequence[str] | None,
    step: Step,
    *,
    actor: str,
    location: str | None = None,
) -> Stepped:
    """All that can be sent now of these orders was picked, or packed; None: of those that the pick list holds now. With
    a location, or a location group, what waits there. An order that is refused leaves the others alone.

    Raises NotFoundError for a location that nobody knows, RefusedError for more orders than a pick list holds.
    """
    names = await _on_the_list(store, terms, location) if orders is None else list(dict.fromkeys(orders))
    if len(names) > MOST_PRINTED:
        raise RefusedError(f"{len(names)} orders are more than the {MOST_PRINTED} of a pick list; nothing was noted.")
    await store.read(lambda tx: find_locations(tx, terms.workspace, location))
    done, units, refused = 0, 0, []
    for name in names:
        try:
            moved = await store.run(_step, terms, name, step, location, actor)
        except StorebridgeError as error:
            refused.append(RefusedOrder(name, str(error)))
            continue
        done, units = done + 1, units + moved.units
    return Stepped(done, units, refused)


async def _on_the_list(store: Store, terms: WorkspaceTerms, location: str | None) -> list[str]:
    found = await print_orders(store, terms, (Place.READY, Place.PARTLY_SHIPPED), location=location)
    return [str(one.queued.order_key) for one in found.lists]


def _step(tx: Tx, terms: WorkspaceTerms, name: str, step: Step, location: str | None, actor: str) -> OrderMoved:
    if not location:
        return note_step(tx, terms, name, step, None, actor=actor)
    key = find_order(tx, terms.workspace, name)
    file = load_files(tx, terms.workspace, [key])[key]
    known, wanted = list_whereabouts(tx, terms.workspace), find_locations(tx, terms.workspace, location)
    pending = pending_parcels(tx, terms.workspace, [file])[key]
    here = sum(units_by_location(file.order, known, wanted, pending).values(), Counter[str]())
    if not here:
        raise RefusedError(f"Nothing of order {file.order.name} is to be sent from {location}.")
    lying = {one.line_id: one.picked if step is Step.PICKED else one.packed for one in file.picks}
    gone = units_pending(pending)
    left = {line.line_id: line.fulfilled + gone[line.line_id] for line in file.order.lines}
    # What lies picked for another location stays so.
    units = {line_id: max(count, lying.get(line_id, 0) - left[line_id]) for line_id, count in here.items()}
    return note_step(tx, terms, key, step, units, actor=actor)
