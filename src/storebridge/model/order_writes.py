"""Writes to orders, as the planners want them and as connectors encode them. None of them may touch stock: the units
follow from levels (design, section 3).

``purpose`` of a planned write says what it is for (``parcel:p1:shopify``); the same purpose is never planned twice, so
a plan that is made again after a crash cannot do the same thing again.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from storebridge.model.copying import CopiedGoods
from storebridge.model.ids import ConnectionName, OrderId, WriteId
from storebridge.model.sales import Address, Order, ParcelLine, Payment, Price, Tracking


class ShipmentPick(msgspec.Struct, frozen=True):
    """Units of one line of what waits at a location (Shopify: of a fulfilment order)."""

    shipment_id: str
    shipment_line_id: str
    quantity: int


class AddParcel(msgspec.Struct, frozen=True, tag="add_parcel"):
    """Tell a store that these units left. ``picks`` names them once more where the store keeps what waits by location;
    all of one parcel are at one location. ``notify`` lets the store write to the buyer. ``mark``: a store
    that takes a number once is told it with this mark (``Parcel.mark``)."""

    order_id: OrderId
    lines: tuple[ParcelLine, ...]
    tracking: Tracking
    notify: bool
    picks: tuple[ShipmentPick, ...] = ()
    mark: int = 0


class ChangeTracking(msgspec.Struct, frozen=True, tag="change_tracking"):
    """Tracking that came later, or was wrong. ``mark`` as in ``AddParcel``."""

    order_id: OrderId
    parcel_id: str
    tracking: Tracking
    notify: bool
    mark: int = 0


class UndoParcel(msgspec.Struct, frozen=True, tag="undo_parcel"):
    """The parcel did not leave after all."""

    order_id: OrderId
    parcel_id: str


class PrepareForPickup(msgspec.Struct, frozen=True, tag="prepare_for_pickup"):
    """The buyer can collect what waits in these shipments; the store writes to them."""

    order_id: OrderId
    shipments: tuple[str, ...]


class CreateCopy(msgspec.Struct, frozen=True, tag="create_copy"):
    """Repeat a whole order in another store: as paid already, without e-mails, without touching stock.

    ``order_id`` is the original's. ``original`` is the order as it is to be repeated: only lines that the buyer keeps.
    ``goods`` stands line by line beside its lines; None where a line is repeated by its name only. ``taken_off`` are
    refunds of the original that were made before: their units and their money are no part of the copy.
    """

    order_id: OrderId
    stamp: str
    original: Order
    goods: tuple[CopiedGoods | None, ...]
    taken_off: tuple[str, ...] = ()


class CancelOrder(msgspec.Struct, frozen=True, tag="cancel_order"):
    """An order is called off and no stock goes back: a copy whose original was cancelled (no money moves, nobody is
    written to), or an order whose goods do not exist (``refund``: the buyer's money goes back and the store tells
    them). ``note`` is for staff."""

    order_id: OrderId
    refund: bool = False
    note: str = ""


class PaymentBack(msgspec.Struct, frozen=True):
    """What of one payment of a copy is noted as given back; ``gateway`` as the store names the payment's way."""

    payment_id: str
    amount: Price
    gateway: str


class RefundCopy(msgspec.Struct, frozen=True, tag="refund_copy"):
    """Note a refund of the original in its copy: no provider is called, no stock goes back, nobody is written to.

    ``mark`` says which refund it repeats and is stored with it; by it the refund is known again.
    """

    order_id: OrderId
    mark: str
    lines: tuple[ParcelLine, ...]
    shipping: Price | None
    payments: tuple[PaymentBack, ...]


class RecordPayments(msgspec.Struct, frozen=True, tag="record_payments"):
    """Note in a copy the money that came in for its original; nobody is charged. ``paid`` is what it comes to then."""

    order_id: OrderId
    payments: tuple[Payment, ...]
    paid: Price


class PaymentRefund(msgspec.Struct, frozen=True):
    """Money of one payment that goes back; ``offline``: no provider took it, staff hand it back."""

    payment_id: str
    amount: Decimal
    offline: bool


class RefundOrder(msgspec.Struct, frozen=True, tag="refund_order"):
    """Everything that was paid goes back, in a store whose cancellation moves no money. ``note`` is how the refund is
    told from others: it holds what it is for."""

    order_id: OrderId
    payments: tuple[PaymentRefund, ...]
    lines: tuple[ParcelLine, ...]
    note: str


class MoneyBack(msgspec.Struct, frozen=True):
    """Money of one payment that goes back to the buyer, in both currencies; ``gateway`` and ``offline`` as the payment
    says."""

    payment_id: str
    amount: Price
    gateway: str
    offline: bool


class TakeOff(msgspec.Struct, frozen=True, tag="take_off"):
    """Units that do not exist are taken off an order that stands: paid back as far as they were paid, not restocked,
    and the store writes to the buyer. ``note`` is how it is told from other refunds (``note_of_take_off``)."""

    order_id: OrderId
    lines: tuple[ParcelLine, ...]
    shipping: Price | None
    payments: tuple[MoneyBack, ...]
    note: str


def note_of_take_off(case_id: str, write_id: WriteId) -> str:
    """What the refund of a take-off bears in its store."""
    return f"storebridge {case_id} {write_id}"


def take_off_named(note: str) -> WriteId | None:
    """The write that a refund with this note was made by; None for any other refund."""
    words = note.split()
    return WriteId(words[2]) if len(words) == 3 and words[0] == "storebridge" else None


class CopiedDetails(msgspec.Struct, frozen=True):
    """What a copy repeats of an order beside goods and money."""

    email: str
    note: str
    tags: tuple[str, ...]
    shipping_address: Address | None


class ChangeDetails(msgspec.Struct, frozen=True, tag="change_details"):
    """Address, e-mail, note or tags of the original changed. ``changed`` names which of ``details``; ``tags`` are all
    that the copy is to have; ``after``: when the copy was changed last before this."""

    order_id: OrderId
    details: CopiedDetails
    changed: tuple[str, ...]
    tags: tuple[str, ...]
    after: datetime


class AddedLine(msgspec.Struct, frozen=True):
    """A line that an edit brought into the original; ``goods`` None where it is repeated by its name only."""

    line_id: str
    title: str
    units: int
    price: Price
    goods: CopiedGoods | None
    needs_shipping: bool
    taxable: bool


class EditLines(msgspec.Struct, frozen=True, tag="edit_lines"):
    """Lines of the copy get other quantities (0 takes one out), and new ones come in; nothing is restocked.

    ``units`` are the copy's lines as they are to be. ``wanted`` are the original's units that this makes it follow,
    ``before`` the lines that the copy had.
    """

    order_id: OrderId
    units: tuple[ParcelLine, ...]
    added: tuple[AddedLine, ...]
    wanted: tuple[ParcelLine, ...]
    before: tuple[str, ...]


class ReplaceCopy(msgspec.Struct, frozen=True, tag="replace_copy"):
    """Bring a copy in anew in place of itself, while nothing has happened to it. ``name`` is kept; ``taken_off`` as in
    ``CreateCopy``."""

    order_id: OrderId
    name: str
    stamp: str
    original: Order
    goods: tuple[CopiedGoods | None, ...]
    after: datetime
    taken_off: tuple[str, ...] = ()


OrderWrite = (
    AddParcel
    | ChangeTracking
    | UndoParcel
    | CreateCopy
    | CancelOrder
    | RefundCopy
    | RecordPayments
    | ChangeDetails
    | EditLines
    | ReplaceCopy
    | RefundOrder
    | TakeOff
    | PrepareForPickup
)


class PlannedOrderWrite(msgspec.Struct, frozen=True):
    """A write that is missing somewhere, and why."""

    connection: ConnectionName
    purpose: str
    write: OrderWrite
    reason: str
