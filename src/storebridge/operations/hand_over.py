"""Orders that no carrier takes: the buyer collects them, or the merchant brings them.

``ready`` says that the buyer can come. A store that keeps that word (Shopify) is told, and writes to the buyer; for any
other it is noted here. ``handed_over`` says that the goods are with the buyer: a parcel without tracking, told to the
store like any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.errors import RefusedError
from storebridge.flows.queue import TELLABLE, Place, deliveries_of
from storebridge.model.ids import LocationId, OrderKey, WriteId
from storebridge.model.order_writes import PlannedOrderWrite, PrepareForPickup
from storebridge.model.sales import Delivery, Order, Shipment, Tracking
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.pending_parcels import pending_parcels, units_pending
from storebridge.operations.ship_order import OrderMoved, demand_shippable, ship_order
from storebridge.operations.show_order import find_order
from storebridge.pipeline.order_flow import WRITE_LOOK
from storebridge.store.database import Tx
from storebridge.store.order_writes import plan_order_writes, writes_of_orders
from storebridge.store.sales import add_history, load_files, note_ready
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

WITHOUT_CARRIER = frozenset({Delivery.PICKUP, Delivery.LOCAL})


def ready_for_pickup(tx: Tx, terms: WorkspaceTerms, ids: Ids, name: str, *, actor: str) -> OrderMoved:
    """The buyer can collect the order. Saying it again changes nothing. Raises NotFoundError, RefusedError: it is not
    collected, or cannot leave now; then nothing was changed."""
    key = find_order(tx, terms.workspace, name)
    file = load_files(tx, terms.workspace, [key])[key]
    order = file.order
    demand_shippable(tx, terms.workspace, file)
    if not order.units_to_ship:
        raise RefusedError(f"Nothing of order {order.name} is left to be collected. Nothing was changed.")
    if Delivery.PICKUP not in deliveries_of(order):
        raise RefusedError(f"Order {order.name} is not collected by its buyer. Nothing was changed.")
    units = order.units_to_ship
    if file.ready_by:
        return OrderMoved(key, Place(file.queue), units=units, repeated=True)
    note_ready(tx, terms.workspace, key, actor)
    detail = {"units": units}
    add_history(tx, terms.workspace, [(key, "ready_for_pickup", actor, detail)])
    row = AuditRow(
        workspace=terms.workspace, kind="order_ready_for_pickup", subject=key, actor=actor, record=dict(detail)
    )
    append(tx, [row])
    waiting = [one for one in _collected(order) if one.delivery is Delivery.PICKUP]
    if not waiting:
        return OrderMoved(key, Place(file.queue), units=units)
    _tell(tx, terms, ids, key, order, waiting)
    return OrderMoved(key, Place(file.queue), units=units, wake=frozenset({order.connection}))


def handed_over(
    tx: Tx,
    terms: WorkspaceTerms,
    ids: Ids,
    name: str,
    *,
    lines: Mapping[str, int] | None,
    actor: str,
    notify: bool = True,
    reference: str = "",
) -> OrderMoved:
    """The goods were collected, or brought. ``lines`` are units per SKU or line id; None means all that gets to the
    buyer so. Raises NotFoundError, RefusedError: it is sent by a carrier, or see ``ship_order``; then nothing was
    changed."""
    key = find_order(tx, terms.workspace, name)
    file = load_files(tx, terms.workspace, [key])[key]
    order = file.order
    if not WITHOUT_CARRIER & set(deliveries_of(order)):
        raise RefusedError(
            f"Order {order.name} is neither collected nor brought by you: note its parcel (storebridge orders ship). "
            "Nothing was changed."
        )
    waiting = _collected(order)
    units = lines
    if lines is None and waiting:
        gone = units_pending(pending_parcels(tx, terms.workspace, [file])[key])
        units = dict(_units_in(waiting) - gone or _units_in(waiting))
    return ship_order(
        tx,
        terms,
        ids,
        name,
        lines=units,
        tracking=Tracking(),
        actor=actor,
        notify=notify,
        location=_one_place(waiting),
        reference=reference,
    )


def _collected(order: Order) -> list[Shipment]:
    return [one for one in order.shipments if one.delivery in WITHOUT_CARRIER and one.state in TELLABLE]


def _units_in(waiting: Sequence[Shipment]) -> Counter[str]:
    """Also where other units of the order are sent by a carrier."""
    units = Counter[str]()
    for shipment in waiting:
        units.update({line.line_id: line.remaining for line in shipment.lines if line.remaining})
    return units


def _one_place(waiting: Sequence[Shipment]) -> LocationId | None:
    places = {one.location_id for one in waiting}
    return places.pop() if len(places) == 1 else None


def _tell(tx: Tx, terms: WorkspaceTerms, ids: Ids, key: OrderKey, order: Order, waiting: Sequence[Shipment]) -> None:
    before = writes_of_orders(tx, terms.workspace, [key])[key]
    number = sum(isinstance(one.write, PrepareForPickup) for one in before)
    write_id, priority = WriteId(ids.new("write")), int(Urgency.ORDERS)
    write = PrepareForPickup(order.order_id, tuple(one.shipment_id for one in waiting))
    plan = PlannedOrderWrite(order.connection, f"ready:{key}:{number}", write, "its buyer can collect it")
    plan_order_writes(tx, terms.workspace, key, [(write_id, plan)], priority=priority)
    ask_looks(tx, terms.workspace, order.connection, [Ask(WRITE_LOOK, write_id, priority, tx.now)])
