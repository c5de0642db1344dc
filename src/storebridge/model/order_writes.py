"""Writes to orders, as the planners want them and as connectors encode them. None of them may touch stock: the units
follow from levels (design, section 3).

``purpose`` of a planned write says what it is for (``parcel:p1:shopify``); the same purpose is never planned twice, so
a plan that is made again after a crash cannot do the same thing again.
"""

from __future__ import annotations

import msgspec

from storebridge.model.copying import CopiedGoods
from storebridge.model.ids import ConnectionName, OrderId
from storebridge.model.sales import Order, ParcelLine, Tracking


class ShipmentPick(msgspec.Struct, frozen=True):
    """Units of one line of what waits at a location (Shopify: of a fulfilment order)."""

    shipment_id: str
    shipment_line_id: str
    quantity: int


class AddParcel(msgspec.Struct, frozen=True, tag="add_parcel"):
    """Tell a store that these units left. ``picks`` names them once more where the store keeps what waits by location;
    all of one parcel are at one location. ``notify`` lets the store write to the buyer."""

    order_id: OrderId
    lines: tuple[ParcelLine, ...]
    tracking: Tracking
    notify: bool
    picks: tuple[ShipmentPick, ...] = ()


class ChangeTracking(msgspec.Struct, frozen=True, tag="change_tracking"):
    """Tracking that came later, or was wrong."""

    order_id: OrderId
    parcel_id: str
    tracking: Tracking
    notify: bool


class UndoParcel(msgspec.Struct, frozen=True, tag="undo_parcel"):
    """The parcel did not leave after all."""

    order_id: OrderId
    parcel_id: str


class CreateCopy(msgspec.Struct, frozen=True, tag="create_copy"):
    """Repeat a whole order in another store: as paid already, without e-mails, without touching stock.

    ``order_id`` is the original's. ``original`` is the order as it is to be repeated: only lines that the buyer keeps.
    ``goods`` stands line by line beside its lines; None where a line is repeated by its name only.
    """

    order_id: OrderId
    stamp: str
    original: Order
    goods: tuple[CopiedGoods | None, ...]


class CancelOrder(msgspec.Struct, frozen=True, tag="cancel_order"):
    """A copy whose original was cancelled: no stock goes back, no money moves, nobody is written to."""

    order_id: OrderId


OrderWrite = AddParcel | ChangeTracking | UndoParcel | CreateCopy | CancelOrder


class PlannedOrderWrite(msgspec.Struct, frozen=True):
    """A write that is missing somewhere, and why."""

    connection: ConnectionName
    purpose: str
    write: OrderWrite
    reason: str
