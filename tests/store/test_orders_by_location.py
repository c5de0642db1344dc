"""The queue of one warehouse: what waits at a location, how long, and for when it was promised."""

from __future__ import annotations

import csv
import io
import random
from datetime import timedelta
from typing import Any

import pytest

from builders.databases import Database
from builders.orders import PLACED, SHOPIFY, WIX, make_line, make_order, make_shipment
from storebridge.clock import SeededIds
from storebridge.errors import NotFoundError, RefusedError
from storebridge.flows.queue import Place
from storebridge.model.catalogue import Location
from storebridge.model.ids import LocationId, OrderId, Workspace
from storebridge.model.sales import Order, ShipmentState, Tracking
from storebridge.model.settings import GroupTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.operations.export_orders import export_orders
from storebridge.operations.import_parcels import import_parcels
from storebridge.operations.list_orders import OrderPage, list_orders
from storebridge.operations.print_orders import print_orders
from storebridge.operations.ship_order import Step, note_step, ship_order
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.store.catalogue import save_locations
from storebridge.store.database import Tx
from storebridge.store.views_sales import Sort

MAIN = Workspace("main")
TERMS = WorkspaceTerms(
    workspace=MAIN,
    connections=(SHOPIFY, WIX),
    policy=Policy.MIRROR,
    system_of_record=SHOPIFY,
    groups=(GroupTerms("north", {SHOPIFY: ("berlin",), WIX: ("*",)}), GroupTerms("south", {SHOPIFY: ("lyon",)})),
    keep_orders=True,
)
IDS = SeededIds(random.Random(7))
BERLIN, LYON, WEB = LocationId("berlin"), LocationId("lyon"), LocationId("w1")
TWO_LINES = (make_line("l1", units=3), make_line("l2", units=1, sku="TEA"))
SPLIT = (
    make_shipment("f1", [("l1", 2), ("l2", 1)], location=BERLIN),
    make_shipment("f2", [("l1", 1)], location=LYON),
)


@pytest.fixture
def shop(database: Database) -> Database:
    """Shopify sends from Berlin and Lyon, Wix says of no order from where."""

    def place(tx: Tx) -> None:
        found = [Location(BERLIN, "Berlin", is_default=True), Location(LYON, "Lyon")]
        save_locations(tx, MAIN, SHOPIFY, found, {BERLIN: ("north", 0), LYON: ("south", 1)})
        save_locations(tx, MAIN, WIX, [Location(WEB, "Website", is_default=True)], {WEB: ("north", 0)})

    database.run(place)
    return database


def arrive(database: Database, *orders: Order) -> None:
    def turn(tx: Tx) -> None:
        for order in orders:
            OrderTurn(tx, TERMS, IDS).read(order.connection, [order], [])

    database.run(turn)


def page(database: Database, **wanted: Any) -> OrderPage:
    return database.play(list_orders(database.store, TERMS, **wanted))


def names(database: Database, **wanted: Any) -> list[str]:
    return [order.name for order in page(database, **wanted).items]


def split_order() -> Order:
    return make_order(*TWO_LINES, shipments=SPLIT)


def wix_order() -> Order:
    return make_order(order_id=OrderId("w1"), name="10001", connection=WIX)


def test_a_warehouse_sees_the_units_that_wait_at_its_location_and_no_others(shop: Database) -> None:
    arrive(shop, split_order())
    (everywhere,) = page(shop).items
    assert (everywhere.units_to_ship, everywhere.locations) == (4, ("Berlin", "Lyon"))
    (lyon,) = page(shop, location="Lyon").items
    assert [(line.line_id, line.to_ship) for line in lyon.lines] == [("l1", 1), ("l2", 0)]
    (berlin,) = page(shop, location="berlin").items
    assert [(line.line_id, line.to_ship) for line in berlin.lines] == [("l1", 2), ("l2", 1)]


def test_orders_whose_store_assigns_no_location_wait_at_its_default(shop: Database) -> None:
    arrive(shop, wix_order(), make_order(shipments=(make_shipment(location=LYON),)))
    assert names(shop, location="Website") == ["10001"]
    assert names(shop, location="Lyon") == ["#1001"]
    assert names(shop, location="Berlin") == []


def test_a_location_group_is_what_one_warehouse_sends_for_both_stores(shop: Database) -> None:
    arrive(shop, wix_order(), split_order())
    assert names(shop, location="north") == ["10001", "#1001"]
    assert names(shop, location="south") == ["#1001"]
    assert page(shop).locations == ("north", "south", "Berlin", "Lyon", "Website")


def test_what_has_left_a_location_does_not_wait_there_any_more(shop: Database) -> None:
    arrive(shop, split_order())
    gone = make_shipment("f2", [("l1", 1)], location=LYON, state=ShipmentState.CLOSED)
    sent = (make_line("l1", units=3, fulfilled=1), TWO_LINES[1])
    arrive(shop, make_order(*sent, minutes=5, shipments=(SPLIT[0], gone)))
    assert names(shop, location="Lyon") == []
    assert names(shop, location="Berlin") == ["#1001"]


def test_a_location_that_nobody_knows_is_refused_with_those_that_are_known(shop: Database) -> None:
    with pytest.raises(NotFoundError, match=r"'Rome'. Known: Berlin, Lyon, Website, north, south\."):
        page(shop, location="Rome")


def test_orders_stored_before_locations_were_noted_wait_at_the_default_location(shop: Database) -> None:
    arrive(shop, split_order())
    shop.run(lambda tx: tx.conn.exec_driver_sql("update sales set waits_at = ''") and None)
    assert names(shop, location="Berlin") == ["#1001"]
    assert names(shop, location="Lyon") == []


def promised(number: int, days: int | None) -> Order:
    """Placed that many minutes after noon, promised for some day after."""
    ship_by = None if days is None else PLACED + timedelta(days=days)
    one = make_shipment(location=BERLIN, ship_by=ship_by)
    placed = PLACED + timedelta(minutes=number)
    return make_order(order_id=OrderId(f"o{number}"), name=f"#{number}", placed_at=placed, shipments=(one,))


def test_what_is_promised_soonest_comes_first_and_what_is_not_promised_last(shop: Database) -> None:
    arrive(shop, promised(1, None), promised(2, 3), promised(3, 1), promised(4, None), promised(5, 3))
    assert names(shop, sort=Sort.PROMISE) == ["#3", "#2", "#5", "#1", "#4"]
    assert names(shop, sort=Sort.OLDEST) == ["#1", "#2", "#3", "#4", "#5"]


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_follow_each_other_without_gap_or_overlap_however_they_are_sorted(sort: Sort, shop: Database) -> None:
    days = (None, 3, 1, None, 3, 2, None)
    arrive(shop, *(promised(number, promise) for number, promise in enumerate(days)))
    whole = names(shop, sort=sort)
    found, after = [], None
    while True:
        some = page(shop, sort=sort, limit=2, after=after)
        found += [order.name for order in some.items]
        after = some.after
        if after is None:
            break
    assert found == whole
    assert sorted(found) == [f"#{number}" for number in range(7)]


def test_the_pick_list_and_the_table_of_a_warehouse_hold_only_its_own_units(shop: Database) -> None:
    arrive(shop, split_order(), wix_order())
    (sheet,) = shop.play(print_orders(shop.store, TERMS, (Place.READY,), location="Lyon")).lists
    assert [(line.sku, line.to_ship) for line in sheet.queued.lines if line.to_ship] == [("MUG", 1)]
    table = shop.play(export_orders(shop.store, TERMS, location="Lyon")).csv
    assert [(row["sku"], row["units"], row["location"]) for row in csv.DictReader(io.StringIO(table))] == [
        ("MUG", "1", "Lyon")
    ]
    whole = shop.play(export_orders(shop.store, TERMS)).csv
    told = [(row["order"], row["sku"], row["units"], row["location"]) for row in csv.DictReader(io.StringIO(whole))]
    assert sorted(told) == [
        ("#1001", "MUG", "1", "Lyon"),
        ("#1001", "MUG", "2", "Berlin"),
        ("#1001", "TEA", "1", "Berlin"),
        ("10001", "MUG", "1", "Website"),
    ]


def test_what_a_store_holds_at_a_location_is_neither_listed_nor_sent_from_there(shop: Database) -> None:
    held = make_shipment("f2", [("l1", 1)], location=LYON, state=ShipmentState.SCHEDULED)
    arrive(shop, make_order(*TWO_LINES, shipments=(SPLIT[0], held)))
    assert names(shop, location="Lyon") == []
    assert page(shop, location="Berlin").items[0].store_holds == ("1 scheduled",)
    assert fetched(shop) == [("MUG", 2, 1), ("TEA", 1, 1)]
    table = shop.play(export_orders(shop.store, TERMS)).csv
    assert [(row["sku"], row["units"]) for row in csv.DictReader(io.StringIO(table))] == [("MUG", "2"), ("TEA", "1")]


def test_an_order_that_is_held_whole_is_found_where_it_is_held(shop: Database) -> None:
    arrive(shop, make_order(shipments=(make_shipment(location=LYON, state=ShipmentState.ON_HOLD),)))
    (order,) = page(shop, location="Lyon").items
    assert (order.place, order.units_to_ship, order.store_holds) == (Place.ON_HOLD, 0, ("1 on hold",))
    assert names(shop, location="Berlin") == []


def fetched(database: Database, **wanted: Any) -> list[tuple[str, int, int]]:
    found = database.play(print_orders(database.store, TERMS, (Place.READY, Place.PARTLY_SHIPPED), **wanted))
    return [(one.sku, one.units, one.orders) for one in found.goods]


def test_the_goods_of_all_orders_are_fetched_at_once_but_for_those_that_lie_picked(shop: Database) -> None:
    arrive(shop, split_order(), wix_order())
    assert fetched(shop) == [("MUG", 4, 2), ("TEA", 1, 1)]
    assert fetched(shop, location="Lyon") == [("MUG", 1, 1)]
    shop.run(note_step, TERMS, "#1001", Step.PICKED, {"MUG": 2, "TEA": 1}, actor="ann")
    assert fetched(shop) == [("MUG", 2, 2)]


def test_what_left_does_not_lie_picked_any_more(shop: Database) -> None:
    arrive(shop, make_order(make_line(units=5)))
    shop.run(note_step, TERMS, "#1001", Step.PACKED, {"MUG": 3}, actor="ann")
    arrive(shop, make_order(make_line(units=5, fulfilled=2), minutes=5))
    (line,) = page(shop).items[0].lines
    assert (line.to_ship, line.picked, line.packed) == (3, 1, 1)
    shop.run(note_step, TERMS, "#1001", Step.PICKED, {"MUG": 3}, actor="ann")
    (line,) = page(shop).items[0].lines
    assert (line.to_ship, line.picked, line.packed) == (3, 3, 1)
    arrive(shop, make_order(make_line(units=5, fulfilled=5), minutes=9))
    (line,) = page(shop, places=(Place.SHIPPED,)).items[0].lines
    assert (line.to_ship, line.picked, line.packed) == (0, 0, 0)


def parcels(database: Database) -> list[Any]:
    return database.rows("select lines, location_id from parcels order by at, parcel_key")


def test_all_that_waits_at_a_location_is_sent_from_there_and_the_rest_stays(shop: Database) -> None:
    arrive(shop, split_order())
    moved = shop.run(ship_order, TERMS, IDS, "#1001", lines=None, tracking=Tracking(), actor="ann", location="Lyon")
    assert moved.units == 1
    assert [row[1] for row in parcels(shop)] == [LYON]
    with pytest.raises(RefusedError, match="Nothing of order #1001 is left to be sent"):
        shop.run(ship_order, TERMS, IDS, "#1001", lines=None, tracking=Tracking(), actor="ann", location="Lyon")
    assert len(parcels(shop)) == 1
    rest = shop.run(ship_order, TERMS, IDS, "#1001", lines=None, tracking=Tracking(), actor="ann")
    assert rest.units == 3


def test_a_parcel_from_a_location_of_another_store_is_refused_and_nothing_is_noted(shop: Database) -> None:
    arrive(shop, split_order())
    with pytest.raises(NotFoundError, match="'Website'"):
        shop.run(ship_order, TERMS, IDS, "#1001", lines=None, tracking=Tracking(), actor="ann", location="Website")
    assert parcels(shop) == []


def test_a_file_of_a_warehouse_may_say_from_where_a_parcel_left(shop: Database) -> None:
    arrive(shop, split_order())
    text = "order,sku,units,carrier,tracking_number,location\n#1001,MUG,1,DHL,77,Lyon\n#1001,TEA,1,DHL,78,Rome\n"
    told = shop.play(import_parcels(shop.store, TERMS, IDS, text, actor="ann"))
    assert told.noted == 1
    assert [(row.lines, row.why.split(".")[0]) for row in told.refused] == [
        ((3,), "No location or location group is called 'Rome'")
    ]
    assert [row[1] for row in parcels(shop)] == [LYON]
