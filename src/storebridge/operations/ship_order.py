"""Goods of an order are picked, packed and sent. What was sent is told to the store that sold it, parcel by parcel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Ids
from storebridge.errors import NotFoundError, RefusedError
from storebridge.flows.parcels import ParcelToTell, units_without_parcel, untellable
from storebridge.flows.queue import (
    PendingParcel,
    Place,
    held_units,
    in_words,
    place_in_queue,
    units_left_at,
    waits_at,
)
from storebridge.model.ids import ConnectionName, LocationId, OrderKey, Workspace
from storebridge.model.order_writes import CreateCopy
from storebridge.model.sales import Order, ParcelLine, Tracking
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.find_locations import find_location
from storebridge.operations.list_orders import packed_in
from storebridge.operations.pending_parcels import pending_parcels, units_pending
from storebridge.operations.show_order import find_order
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.store.database import Tx
from storebridge.store.order_writes import writes_of_orders
from storebridge.store.oversold import losers_of_orders
from storebridge.store.sales import (
    OrderFile,
    OurParcel,
    Picked,
    add_history,
    load_files,
    save_parcel,
    save_picks,
    set_queue,
)

LONGEST_WORD = 200
ON_THE_WAY = frozenset({"sent", "unclear", "applied"})
"""States of a write that may have taken effect, and that no read has shown yet."""


class Step(StrEnum):
    """What the warehouse did with units of a line."""

    PICKED = "picked"
    PACKED = "packed"


class OrderMoved(msgspec.Struct, frozen=True):
    """What was noted, and where the order stands now."""

    order_key: OrderKey
    place: Place
    parcel_key: str = ""
    units: int = 0
    repeated: bool = False
    """This parcel was noted before; nothing was changed."""
    wake: frozenset[ConnectionName] = frozenset()


def ship_order(
    tx: Tx,
    terms: WorkspaceTerms,
    ids: Ids,
    name: str,
    *,
    lines: Mapping[str, int] | None,
    tracking: Tracking,
    actor: str,
    notify: bool = True,
    location: str | None = None,
    reference: str = "",
) -> OrderMoved:
    """Note a parcel that left. ``lines`` are units per SKU or line id; None means everything that can be sent now, from
    ``location`` (a name or id) where one is named.

    ``reference`` is the caller's own name of the parcel: noting the same one again changes nothing, so a script may
    repeat itself. Raises NotFoundError, RefusedError; then nothing was changed.
    """
    _refuse_words(tracking, reference)
    key = find_order(tx, terms.workspace, name)
    parcel_key = f"{key}/{reference}" if reference else ids.new("parcel")
    file = load_files(tx, terms.workspace, [key])[key]
    _refuse_copied(tx, terms.workspace, file)
    if any(known.parcel_key == parcel_key for known in file.parcels):
        return OrderMoved(key, Place(file.queue), parcel_key, repeated=True)
    _refuse_unshippable(file)
    at = None if location is None else find_location(tx, terms.workspace, file.order.connection, location)
    pending = pending_parcels(tx, terms.workspace, [file])[key]
    left = units_without_parcel(file.order, [lines for lines, _ in pending])
    units = _by_line(file.order, lines, left) if lines is not None else _sendable(file.order, left, pending, at)
    _refuse_too_many(file.order, units, left)
    parcel = OurParcel(
        parcel_key=parcel_key,
        lines=tuple(ParcelLine(line_id, count) for line_id, count in units.items()),
        tracking=tracking,
        location_id=at,
        notify=notify,
        cancelled=False,
        actor=actor,
        at=tx.now,
    )
    _refuse_untellable(file.order, parcel)
    save_parcel(tx, terms.workspace, key, parcel)
    return _planned(tx, terms, ids, file, parcel_key, "parcel_noted", actor, sum(units.values()))


def change_parcel(
    tx: Tx,
    terms: WorkspaceTerms,
    ids: Ids,
    name: str,
    parcel_key: str,
    *,
    actor: str,
    tracking: Tracking | None = None,
    cancel: bool = False,
) -> OrderMoved:
    """New tracking for a parcel, or it did not leave after all. Raises NotFoundError, RefusedError."""
    key = find_order(tx, terms.workspace, name)
    file = load_files(tx, terms.workspace, [key])[key]
    known = next((one for one in file.parcels if parcel_key in (one.parcel_key, one.parcel_key.split("/")[-1])), None)
    if known is None:
        raise NotFoundError(f"Order {file.order.name} has no parcel {parcel_key!r} that was noted here.")
    if known.cancelled:
        raise RefusedError(f"Parcel {known.parcel_key} is cancelled already.")
    if tracking is not None:
        _refuse_words(tracking, "")
    changed = replace(known, tracking=tracking or known.tracking, cancelled=cancel)
    save_parcel(tx, terms.workspace, key, changed, replace=True)
    what = "parcel_withdrawn" if cancel else "tracking_noted"
    return _planned(tx, terms, ids, file, known.parcel_key, what, actor, 0)


def note_step(
    tx: Tx, terms: WorkspaceTerms, name: str, step: Step, lines: Mapping[str, int] | None, *, actor: str
) -> OrderMoved:
    """Units of lines were picked, or packed (which implies picked); None means all that can be sent now. Raises
    NotFoundError, RefusedError."""
    key = find_order(tx, terms.workspace, name)
    file = load_files(tx, terms.workspace, [key])[key]
    demand_shippable(tx, terms.workspace, file)
    pending = pending_parcels(tx, terms.workspace, [file])[key]
    waiting = units_without_parcel(file.order, [lines for lines, _ in pending])
    here = sum(waits_at(file.order, pending).values(), Counter[str]())
    units = here if lines is None else _by_line(file.order, lines, waiting)
    _refuse_too_many(file.order, units, waiting)
    known, gone = {one.line_id: one for one in file.picks}, units_pending(pending)
    left = {line.line_id: line.fulfilled + gone[line.line_id] for line in file.order.lines}
    rows = [
        _stepped(known.get(line_id, Picked(line_id, 0, 0)), step, left[line_id] + count)
        for line_id, count in units.items()
    ]
    save_picks(tx, terms.workspace, key, rows, actor=actor)
    _remember(tx, terms.workspace, key, step.value, actor, sum(units.values()))
    return OrderMoved(key, Place(file.queue), units=sum(units.values()))


def hold_order(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, name: str, *, hold: bool, actor: str, why: str = ""
) -> OrderMoved:
    """A person holds an order back from the warehouse, or lets it go. Raises NotFoundError, RefusedError: what is
    packed elsewhere is held there. Then nothing was changed."""
    key = find_order(tx, terms.workspace, name)
    file = load_files(tx, terms.workspace, [key])[key]
    if hold:
        _refuse_holding_copied(tx, terms.workspace, file)
    if hold == bool(file.held_by):
        raise RefusedError(f"Order {file.order.name} is {'held already' if hold else 'not held by anybody here'}.")
    oversold = bool(losers_of_orders(tx, terms.workspace, [key]))
    place = place_in_queue(file.order, held=hold, oversold=oversold)
    set_queue(tx, terms.workspace, key, queue=place.value, held_by=actor if hold else "")
    _remember(tx, terms.workspace, key, "held" if hold else "let_go", actor, 0, why=why[:LONGEST_WORD])
    turn = OrderTurn(tx, terms, ids)
    turn.changed([key])
    return OrderMoved(key, place, wake=frozenset(turn.wake))


def _refuse_holding_copied(tx: Tx, workspace: Workspace, file: OrderFile) -> None:
    """Where its copy stands, or may stand already, nobody hears of a hold here."""
    if packed_in(file):
        raise RefusedError(
            f"Order {file.order.name} is packed in {packed_in(file)}, and would leave there all the same: hold it "
            "there. Nothing was changed."
        )
    if store := _copied_to(tx, workspace, file):
        raise RefusedError(
            f"Order {file.order.name} is being copied to {store}, and would leave there all the same: "
            "hold it there as soon as it stands there. Nothing was changed."
        )


def _copied_to(tx: Tx, workspace: Workspace, file: OrderFile) -> ConnectionName | None:
    """The store to which a copy may be on its way."""
    writes = writes_of_orders(tx, workspace, [file.order_key])[file.order_key]
    return next(
        (one.connection for one in writes if isinstance(one.write, CreateCopy) and one.state in ON_THE_WAY), None
    )


def _refuse_copied(tx: Tx, workspace: Workspace, file: OrderFile) -> None:
    """It is packed where its copy stands, or may stand already; noted here as well, it would be sent twice."""
    if packed_in(file):
        raise RefusedError(
            f"Order {file.order.name} is packed in {packed_in(file)}: note the parcel there, and it will be told on."
        )
    if store := _copied_to(tx, workspace, file):
        raise RefusedError(
            f"Order {file.order.name} is being copied to {store}, and is packed there then: note the parcel there, and "
            "it will be told on. Nothing was changed."
        )


def _planned(
    tx: Tx, terms: WorkspaceTerms, ids: Ids, file: OrderFile, parcel_key: str, what: str, actor: str, units: int
) -> OrderMoved:
    _remember(tx, terms.workspace, file.order_key, what, actor, units, parcel=parcel_key)
    turn = OrderTurn(tx, terms, ids)
    turn.changed([file.order_key])
    return OrderMoved(file.order_key, Place(file.queue), parcel_key, units, wake=frozenset(turn.wake))


def _remember(tx: Tx, workspace: Workspace, key: OrderKey, kind: str, actor: str, units: int, **words: str) -> None:
    detail = {"units": units, **words} if units else dict(words)
    add_history(tx, workspace, [(key, kind, actor, detail)])
    append(tx, [AuditRow(workspace=workspace, kind=f"order_{kind}", subject=key, actor=actor, record=detail)])


def _stepped(known: Picked, step: Step, units: int) -> Picked:
    if step is Step.PACKED:
        return Picked(known.line_id, max(known.picked, units), units)
    return Picked(known.line_id, units, min(known.packed, units))


def _sendable(
    order: Order, left: Counter[str], pending: Sequence[PendingParcel], at: LocationId | None
) -> Counter[str]:
    """Of what is left, the units that may leave now and of which the store can be told."""
    units = left & units_left_at(order, pending, at)
    lines = tuple(ParcelLine(line_id, count) for line_id, count in units.items())
    return units - untellable(order, ParcelToTell("", lines, Tracking(), location_id=at))


def _by_line(order: Order, lines: Mapping[str, int], left: Counter[str]) -> Counter[str]:
    """Units per line id; a SKU stands for its lines, first come first served: what parcels hold of which no store was
    told yet is not there any more."""
    units = Counter[str]()
    for word, count in lines.items():
        if count < 1:
            raise RefusedError(f"{count} units of {word} cannot be sent: give a number from 1.")
        named = [line for line in order.lines if word in (line.line_id, line.sku)]
        if not named:
            raise RefusedError(f"Order {order.name} has no line {word!r}. Its lines: {_lines_of(order)}.")
        for number, line in enumerate(named):
            free = max(0, left[line.line_id] - units[line.line_id])
            share = count if number == len(named) - 1 else min(count, free)
            if share:
                units[line.line_id] += share
            count -= share
    return units


def _lines_of(order: Order) -> str:
    return ", ".join(line.sku or line.line_id for line in order.lines)


def _refuse_too_many(order: Order, units: Counter[str], left: Counter[str]) -> None:
    if not units:
        held = ", ".join(in_words(one) for one in held_units(order))
        why = f"can be sent now: its store has {held}" if held else "is left to be sent"
        raise RefusedError(f"Nothing of order {order.name} {why}.")
    for line_id, count in units.items():
        if count > left[line_id]:
            line = order.line(line_id)
            named = (line.sku or line.title) if line else line_id
            raise RefusedError(f"Order {order.name}: {count} of {named} cannot be sent, {left[line_id]} are left.")


def demand_shippable(tx: Tx, workspace: Workspace, file: OrderFile) -> None:
    """Raises RefusedError for what may not leave from here: cancelled, held, or packed where its copy stands."""
    _refuse_copied(tx, workspace, file)
    _refuse_unshippable(file)


def _refuse_unshippable(file: OrderFile) -> None:
    place = Place(file.queue)
    if place is Place.CANCELLED:
        raise RefusedError(f"Order {file.order.name} was cancelled: nothing of it may be sent.")
    if file.held_by:
        raise RefusedError(f"Order {file.order.name} is held by {file.held_by}: let it go first.")


def _refuse_untellable(order: Order, parcel: OurParcel) -> None:
    stuck = untellable(order, ParcelToTell(parcel.parcel_key, parcel.lines, parcel.tracking))
    if stuck:
        raise RefusedError(
            f"Order {order.name}: its store has {sum(stuck.values())} of these units on hold or scheduled for later, "
            "so it cannot be told that they left. Release them there, then note the parcel again."
        )


def _refuse_words(tracking: Tracking, reference: str) -> None:
    words = {"company": tracking.company, "number": tracking.number, "url": tracking.url, "reference": reference}
    for name, word in words.items():
        if len(word) > (2048 if name == "url" else LONGEST_WORD):
            raise RefusedError(f"The parcel's {name} is too long.")
    if ":" in reference or "/" in reference:
        raise RefusedError("A parcel's reference may hold neither a colon nor a slash.")
    if tracking.url and not tracking.url.startswith(("https://", "http://")):
        raise RefusedError(f"{tracking.url[:50]!r} is no link: it must begin with https://.")
