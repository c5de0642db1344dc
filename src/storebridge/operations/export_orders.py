"""The queue as a table for a warehouse that only knows files: one row a line, everything that a parcel needs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

import msgspec

from storebridge.flows.queue import PendingParcel, Place, deliveries_of
from storebridge.model.sales import Address, Delivery, Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.find_locations import find_locations, units_by_location
from storebridge.operations.list_orders import buyer_name, refuse_unkept
from storebridge.operations.pending_parcels import pending_parcels
from storebridge.store import views_sales
from storebridge.store.database import Store, Tx
from storebridge.store.sales import load_files
from storebridge.store.views_sales import QueueFilter, QueueRow, Sort
from storebridge.store.whereabouts import Whereabouts, list_whereabouts

MOST_ORDERS = 5000
COLUMNS = (
    "order",
    "order_key",
    "store",
    "placed_at",
    "ship_by",
    "sku",
    "line_id",
    "title",
    "units",
    "recipient",
    "company",
    "street",
    "street_2",
    "city",
    "region",
    "postal_code",
    "country",
    "phone",
    "email",
    "shipping",
    "note",
    "location",
    "delivery",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be run by a spreadsheet; it is written with a quote before it."""
PHONE = re.compile(r"\+[(]?[0-9][0-9 ()-]*")
"""A plus before nothing but digits is a number: a quote would stand in every phone number on a carrier's label."""


class OrderTable(msgspec.Struct, frozen=True):
    """The queue as CSV."""

    csv: str
    rows: int
    more: bool
    """More orders wait than were taken: those that wait longest stand in it."""


async def export_orders(
    store: Store,
    terms: WorkspaceTerms,
    *,
    places: Sequence[Place] = (Place.READY, Place.PARTLY_SHIPPED),
    location: str | None = None,
    connection: str | None = None,
    deliveries: Sequence[Delivery] = (),
) -> OrderTable:
    """Oldest order first, the 5,000 orders that wait longest and are packed from here, not as a copy in another store;
    only units that can be sent now, one row for a line and the location that sends it, and those of one location or
    location group, of one store, or that get to the buyer in one way, where it is named.
    Raises ConfigurationError where orders are not kept, NotFoundError for a location that nobody knows."""
    refuse_unkept(terms)
    names = tuple(place.value for place in places)
    wanted = QueueFilter(names, connection, deliveries=tuple(one.value for one in deliveries))
    rows, more = await store.read(_rows, terms, wanted, location)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(COLUMNS)
    table.writerows(rows)
    return OrderTable(text.getvalue(), len(rows), more)


def _rows(tx: Tx, terms: WorkspaceTerms, wanted: QueueFilter, location: str | None) -> tuple[list[list[str]], bool]:
    known, at = list_whereabouts(tx, terms.workspace), find_locations(tx, terms.workspace, location)
    filtered = msgspec.structs.replace(wanted, at=at, packed_here=True)
    found = views_sales.list_queue(tx, terms.workspace, filtered, sort=Sort.OLDEST, limit=MOST_ORDERS + 1)
    taken = found[:MOST_ORDERS]
    files = load_files(tx, terms.workspace, [row.order_key for row in taken], lock=False)
    pending = pending_parcels(tx, terms.workspace, files.values())
    rows = [[safe(cell) for cell in row] for one in taken for row in _lines(one, known, at, pending[one.order_key])]
    return rows, len(found) > len(taken)


def _lines(
    row: QueueRow, known: Sequence[Whereabouts], wanted: Sequence[Whereabouts], pending: Sequence[PendingParcel]
) -> Iterable[list[str]]:
    order = row.order
    place = order.shipping_address or Address()
    lines = {line.line_id: line for line in order.lines}
    for location, units in units_by_location(order, known, wanted, pending).items():
        for line_id, count in units.items():
            line = lines[line_id]
            yield [
                order.name,
                row.order_key,
                order.connection,
                f"{order.placed_at:%Y-%m-%dT%H:%M:%SZ}",
                f"{row.ship_by:%Y-%m-%dT%H:%M:%SZ}" if row.ship_by else "",
                line.sku or "",
                line.line_id,
                f"{line.title} {line.variant_title}".strip(),
                str(count),
                buyer_name(order),
                *_address(place),
                place.phone or order.buyer.phone,
                order.buyer.email,
                _shipping(order),
                order.note,
                location,
                " ".join(deliveries_of(order)),
            ]


def _address(place: Address) -> list[str]:
    return [place.company, place.street, place.street_2, place.city, place.region, place.postal_code, place.country]


def _shipping(order: Order) -> str:
    return order.shipping[0].title if order.shipping else ""


def safe(cell: str) -> str:
    """A cell that no spreadsheet runs."""
    return f"'{cell}" if cell.startswith(FORMULA) and not PHONE.fullmatch(cell) else cell
