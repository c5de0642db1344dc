"""``orders``: the single fulfilment queue."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from storebridge.cli.actor import actor
from storebridge.cli.backfill import add_backfill
from storebridge.cli.desk import reading, run, write
from storebridge.cli.examples import teach
from storebridge.cli.handing_over import add_handing_over
from storebridge.cli.options import Common, demand_connection, units_of
from storebridge.cli.output import as_table, give, more_of, of_pairs
from storebridge.errors import ConfigurationError
from storebridge.flows.changes import balance_of
from storebridge.flows.queue import TO_DO, Place
from storebridge.model.sales import Delivery, Tracking
from storebridge.model.sales import Order as SoldOrder
from storebridge.model.words import in_units
from storebridge.operations.export_orders import MOST_ORDERS, OrderTable, export_orders
from storebridge.operations.list_orders import MOST_HOURS, OrderPage, QueuedOrder, Sort, list_orders
from storebridge.operations.print_orders import PickLists, print_orders
from storebridge.operations.ship_order import Step
from storebridge.operations.show_order import OrderView, show_order

if TYPE_CHECKING:
    from storebridge.cli.verbs import Desk

Order = Annotated[str, Parameter(help="Its key, its store's id, or its name, such as '#1001'.")]
Location = Annotated[str | None, Parameter(help="Only what waits at this location, or in this location group.")]
Deliveries = Annotated[
    tuple[Delivery, ...], Parameter(name="--delivery", help="Only what is sent, collected, or brought by you.")
]
Lines = Annotated[
    tuple[str, ...],
    Parameter(name="--line", help="SKU=UNITS, once per line; none: all that can be sent now.", negative=""),
]


WAYS = {
    Delivery.SHIPPING: "sent",
    Delivery.PICKUP: "collected",
    Delivery.LOCAL: "brought",
    Delivery.NONE: "not sent",
}


def listing(
    *,
    place: Annotated[tuple[Place, ...], Parameter(help="Where it stands; default: all that is to be done.")] = TO_DO,
    connection: Annotated[str | None, Parameter(help="Orders of this store only.")] = None,
    search: Annotated[str, Parameter(help="A part of its name, of the buyer's name or e-mail, or of a SKU.")] = "",
    location: Location = None,
    delivery: Deliveries = (),
    older_than_hours: Annotated[float | None, Parameter(help="Placed so long ago at least.")] = None,
    sort: Annotated[Sort, Parameter(help="By what was promised: promise.")] = Sort.NEWEST,
    limit: Annotated[int, Parameter(help="At most so many.")] = 50,
    after: Annotated[str | None, Parameter(help="Where the page begins; from the page before.")] = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Orders of every store, each where its next step is."""
    demand_connection(common, connection)
    demand_hours(older_than_hours)
    wanted = {"places": tuple(place), "connection": connection, "search": search, "location": location, "sort": sort}
    page = run(
        _orders(
            common,
            {**wanted, "deliveries": delivery, "older_than_hours": older_than_hours, "limit": limit, "after": after},
        )
    )
    give(page, order_lines(page), as_json=common.json)
    return 0


def demand_hours(hours: float | None) -> None:
    """Raises ConfigurationError for what is no time that an order can be old."""
    if hours is not None and not 0 <= hours <= MOST_HOURS:
        raise ConfigurationError(f"--older-than-hours takes 0 to {MOST_HOURS}, not {hours}.")


async def _orders(common: Common, wanted: dict[str, Any]) -> OrderPage:
    async with reading(common) as (store, terms):
        return await list_orders(store, terms, **wanted)


def order_lines(page: OrderPage) -> list[str]:
    """One line per order, without columns that say nothing of any, and how many stand where."""
    if not page.items:
        return ["No orders stand here.", f"In all: {of_pairs(page.places)}."]
    head = ("placed", "store", "order", "place", "how", "to ship", "from", "ship by", "goods")
    rows = [_row(order) for order in page.items]
    told = [at for at in range(len(head)) if any(row[at] is not None for row in rows)]
    table = as_table([head[at] for at in told], [[row[at] for at in told] for row in rows])
    return [*table, "", *more_of(page.after), f"In all: {of_pairs(page.places)}."]


def _row(order: QueuedOrder) -> tuple[object, ...]:
    units = [f"{line.to_ship} x {line.sku or line.title}" for line in order.lines if line.to_ship]
    goods = ", ".join((*units, *order.store_holds))
    return (
        f"{order.placed_at:%Y-%m-%d %H:%M}",
        order.connection,
        order.name,
        f"packed in {order.packed_in}" if order.packed_in else order.place.value.replace("_", " "),
        way_of(order),
        order.units_to_ship,
        ", ".join(order.locations) or None,
        f"{order.ship_by:%Y-%m-%d}" if order.ship_by else None,
        goods or "nothing",
    )


def way_of(order: QueuedOrder) -> str | None:
    """How the goods get to the buyer, where no carrier takes them all, and whether they can be collected."""
    ways = ", ".join(WAYS[one] for one in order.delivery if one is not Delivery.SHIPPING or len(order.delivery) > 1)
    return f"{ways}, ready" if order.ready_by else ways or None


def show(order: Order, /, *, common: Common = Common()) -> int:  # noqa: B008
    """One order: goods, money, parcels, what is being written, and its history."""
    view = run(_view(common, order))
    give(view, view_lines(view), as_json=common.json)
    return 0


async def _view(common: Common, name: str) -> OrderView:
    async with reading(common) as (store, terms):
        return await show_order(store, terms, name)


def view_lines(view: OrderView) -> list[str]:
    """The story of an order, for a person."""
    order, queued = view.order, view.queued
    total = order.totals.total.shop
    found = [
        f"{order.name} of {order.connection} ({view.queued.order_key}), placed {order.placed_at:%Y-%m-%d %H:%M} UTC",
        f"{queued.place.value.replace('_', ' ')}; {order.payment_state.value.replace('_', ' ')}; "
        f"{total.amount} {total.currency}",
        *([f"How: {way_of(queued)}."] if way_of(queued) else []),
        *([f"{balance_of(order)[0].upper()}{balance_of(order)[1:]}."] if balance_of(order) else []),
        *_about_buyer(order),
        *(f"packed in {copy.connection} as {copy.order.name}" for copy in view.copies if copy.order is not None),
        "",
        *as_table(
            ("goods", "ordered", "to ship", "picked", "packed"),
            [(line.sku or line.title, line.ordered, line.to_ship, line.picked, line.packed) for line in queued.lines],
        ),
        *(f"{held}; its store will not have it sent now" for held in queued.store_holds),
    ]
    if view.cases:
        found += ["", "Open cases:", *(f"  {case.case_id}  {case.sentence}" for case in view.cases)]
    if order.parcels:
        found += ["", "Parcels that the store shows:", *(f"  {_parcel(parcel)}" for parcel in order.parcels)]
    if view.writes:
        found += ["", "Writes:", *(f"  {one.purpose}: {one.state} {one.message}".rstrip() for one in view.writes)]
    told = [f"  {one.at:%Y-%m-%d %H:%M:%S}  {one.kind}  {one.actor}  {_words(one.detail)}" for one in view.history]
    return [*found, "", "History, newest first:", *told]


def _about_buyer(order: SoldOrder) -> list[str]:
    """Where to, and what the buyer and staff wrote."""
    to = order.shipping_address
    names = (f"{to.first_name} {to.last_name}", to.company, to.street, to.street_2) if to else ()
    place = (f"{to.postal_code} {to.city}", to.region, to.country, to.phone) if to else ()
    address = ", ".join(word.strip() for word in (*names, *place) if word.strip())
    codes = ", ".join(one.code or one.title for one in order.discounts if one.code or one.title)
    told = {"To": address, "E-mail": order.buyer.email, "Note": order.note, "Tags": ", ".join(order.tags)}
    told |= {"Discounts": codes}
    return [f"{name}: {words}" for name, words in told.items() if words]


def _parcel(parcel: Any) -> str:
    units = sum(line.quantity for line in parcel.lines)
    numbers = ", ".join(f"{t.company} {t.number}".strip() for t in parcel.tracking) or "no tracking"
    return f"{in_units(units)}, {numbers}{' (cancelled)' if parcel.cancelled else ''}"


def _words(detail: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in detail.items())


def ship(
    order: Order,
    /,
    *,
    line: Lines = (),
    company: Annotated[str, Parameter(help="The carrier.")] = "",
    number: Annotated[str, Parameter(help="The tracking number.")] = "",
    url: Annotated[str, Parameter(help="Where to follow it.")] = "",
    notify: Annotated[bool, Parameter(help="Whether the store writes to the buyer.")] = True,
    location: Annotated[str | None, Parameter(help="From where it left; without --line all of that.")] = None,
    reference: Annotated[str, Parameter(help="Your name of the parcel; the same again does nothing.")] = "",
    common: Common = Common(),  # noqa: B008
) -> int:
    """A parcel left: the store that sold the goods is told, once."""
    units = units_of(line)
    body = {
        "order": order,
        "lines": units,
        "company": company,
        "number": number,
        "url": url,
        "notify": notify,
        "location": location,
        "reference": reference,
        "actor": actor(),
    }
    tracking = Tracking(company, number, url)

    async def here(desk: Desk) -> Any:
        return await desk.ship(order, units, tracking, notify=notify, location=location, reference=reference)

    moved = run(write(common, here, "parcels", body))
    said = "It was noted before; nothing was changed." if moved["repeated"] else f"Noted: {moved['units']} units."
    give(moved, [f"{said} Parcel {moved['parcel_key']}."], as_json=common.json)
    return 0


def track(
    order: Order,
    parcel: Annotated[str, Parameter(help="Its key, or your reference.")],
    /,
    *,
    number: Annotated[str, Parameter(help="The tracking number.")],
    company: Annotated[str, Parameter(help="The carrier.")] = "",
    url: Annotated[str, Parameter(help="Where to follow it.")] = "",
    common: Common = Common(),  # noqa: B008
) -> int:
    """Tracking of a parcel that came later, or was wrong."""
    return _change(common, order, parcel, Tracking(company, number, url), cancel=False)


def withdraw(
    order: Order,
    parcel: Annotated[str, Parameter(help="Its key, or your reference.")],
    /,
    *,
    common: Common = Common(),  # noqa: B008
) -> int:
    """The parcel did not leave after all: the store is told to undo it."""
    return _change(common, order, parcel, None, cancel=True)


def _change(common: Common, order: str, parcel: str, tracking: Tracking | None, *, cancel: bool) -> int:
    said = tracking or Tracking()
    body = {
        "order": order,
        "parcel": parcel,
        "company": said.company,
        "number": said.number,
        "url": said.url,
        "cancel": cancel,
        "actor": actor(),
    }
    moved = run(write(common, lambda desk: desk.change_parcel(order, parcel, tracking, cancel), "parcels/change", body))
    give(moved, [f"Parcel {moved['parcel_key']}: {'withdrawn' if cancel else 'tracking noted'}."], as_json=common.json)
    return 0


def step(
    *words: Annotated[str, Parameter(help="Orders, and picked or packed.")],
    line: Lines = (),
    all_of_pick_list: Annotated[bool, Parameter(help="Every order that the pick list holds now.", negative="")] = False,
    location: Annotated[str | None, Parameter(help="With the pick list: only what waits there.")] = None,
    common: Common = Common(),  # noqa: B008
) -> int:
    """Units of an order, or all of several orders, were picked or packed."""
    orders, done = _orders_and_step(words)
    if len(orders) == 1 and not all_of_pick_list and location is None:
        return _step_one(common, orders[0], done, units_of(line))
    if all_of_pick_list == bool(orders) or line:
        raise ConfigurationError("Name one order with --line, several without it, or none with --all-of-pick-list.")
    named = None if all_of_pick_list else orders
    body = {"orders": named, "step": done.value, "location": location, "actor": actor()}
    told = run(write(common, lambda desk: desk.steps(named, done, location), "picks/several", body))
    lines = [f"{in_units(told['units'])} of {told['orders']} orders {done.value}."]
    lines += [f"{row['order']}: {row['why']}" for row in told["refused"]]
    give(told, lines, as_json=common.json)
    return 1 if told["refused"] else 0


def _orders_and_step(words: tuple[str, ...]) -> tuple[list[str], Step]:
    """The step stands before the orders or behind them. Raises ConfigurationError."""
    for at in (-1, 0):
        if words and words[at] in tuple(Step):
            return [*(words[:-1] if at else words[1:])], Step(words[at])
    raise ConfigurationError("Say what was done: storebridge orders step '#1001' picked, or packed.")


def _step_one(common: Common, order: str, done: Step, units: dict[str, int] | None) -> int:
    body = {"order": order, "step": done.value, "lines": units, "actor": actor()}
    moved = run(write(common, lambda desk: desk.step(order, done, units), "picks", body))
    give(moved, [f"{in_units(moved['units'])} of {order} {done.value}."], as_json=common.json)
    return 0


def hold(
    order: Order,
    /,
    *,
    release: Annotated[bool, Parameter(help="Let it go instead.", negative="")] = False,
    why: Annotated[str, Parameter(help="For the order's history.")] = "",
    common: Common = Common(),  # noqa: B008
) -> int:
    """Hold an order back from the warehouse, or let it go."""
    body = {"order": order, "hold": not release, "why": why, "actor": actor()}
    moved = run(write(common, lambda desk: desk.hold(order, not release, why), "holds", body))
    give(moved, [f"{order}: {moved['place'].replace('_', ' ')}."], as_json=common.json)
    return 0


def export(
    *,
    place: Annotated[tuple[Place, ...], Parameter(help="Where they stand.")] = (Place.READY, Place.PARTLY_SHIPPED),
    location: Location = None,
    delivery: Deliveries = (),
    connection: Annotated[str | None, Parameter(help="Orders of this store only.")] = None,
    output: Annotated[str, Parameter(help="The file to write; '-' is standard output.")] = "-",
    common: Common = Common(),  # noqa: B008
) -> int:
    """What is to be shipped, as a CSV table: one row a line, with the address. Exit status 1 when not all fits."""
    demand_connection(common, connection)
    wanted = {"places": place, "location": location, "connection": connection, "deliveries": delivery}
    table = run(_export(common, wanted))
    told = [f"{table.rows} rows."]
    if table.more:
        told.append(f"More orders wait than fit: the {MOST_ORDERS} that wait longest stand in the table.")
    if output != "-":
        Path(output).write_text(table.csv, encoding="utf-8", newline="")
    if output == "-" and not common.json:
        sys.stdout.write(table.csv)
        sys.stderr.writelines(f"{line}\n" for line in told[1:])
    else:
        text = table.csv if output == "-" else None
        answer = {"rows": table.rows, "more": table.more, "file": output, "csv": text}
        give(answer, told, as_json=common.json)
    return 1 if table.more else 0


async def _export(common: Common, wanted: dict[str, Any]) -> OrderTable:
    async with reading(common) as (store, terms):
        return await export_orders(store, terms, **wanted)


def pick_list(*, location: Location = None, delivery: Deliveries = (), common: Common = Common()) -> int:  # noqa: B008
    """Goods to fetch from the shelf for the orders that are ready, summed by SKU; the 200 that wait longest."""
    found = run(_pick_lists(common, location, delivery))
    rows = [(one.units, one.sku or None, one.title, one.orders) for one in found.goods]
    told = as_table(("units", "sku", "goods", "orders"), rows) if rows else ["Nothing is to be picked."]
    more = ["", "More orders wait than fit: send these first."] if found.more else []
    give(found, [*told, *more], as_json=common.json)
    return 0


async def _pick_lists(common: Common, location: str | None, delivery: tuple[Delivery, ...]) -> PickLists:
    ready = (Place.READY, Place.PARTLY_SHIPPED)
    async with reading(common) as (store, terms):
        return await print_orders(store, terms, ready, location=location, deliveries=delivery)


def import_(
    file: Annotated[Path, Parameter(help="CSV: order, sku, units, carrier, tracking_number, parcel, location.")],
    /,
    *,
    notify: Annotated[bool, Parameter(help="Whether the stores write to the buyers.")] = True,
    common: Common = Common(),  # noqa: B008
) -> int:
    """Parcels that a warehouse sent, from its file; tracking that came later is taken over, the same again is known."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read ({getattr(error, 'strerror', None) or error}).") from error
    body = {"csv": text, "notify": notify, "actor": actor()}
    told = run(write(common, lambda desk: desk.import_parcels(text, notify), "parcels/import", body))
    lines = [f"{told['noted']} parcels noted, {told['changed']} changed, {told['repeated']} were known."]
    lines += [f"line {', '.join(map(str, row['lines']))}: {row['why']}" for row in told["refused"]]
    give(told, lines, as_json=common.json)
    return 1 if told["refused"] else 0


group = App(name="orders", help="The single fulfilment queue: what is to be picked, packed and shipped.")
group.default(listing)
group.command(listing, name="list")
group.command(export, name="export")
group.command(import_, name="import")
for command in (show, pick_list, ship, track, withdraw, step, hold):
    group.command(command)
add_handing_over(group)
add_backfill(group)
teach(group)
