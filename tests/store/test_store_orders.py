"""Whole orders on every database: stored, told in history, queued, and sent on as parcels once."""

from __future__ import annotations

import csv
import io
import random
from datetime import timedelta
from typing import Any

import pytest

from builders.databases import Database
from builders.orders import PLACED, SHOPIFY, WIX, make_line, make_order, make_parcel, make_shipment
from storebridge.clock import SeededIds
from storebridge.errors import NotFoundError, RefusedError
from storebridge.flows.queue import Place
from storebridge.model.ids import OrderId, Workspace
from storebridge.model.order_writes import AddParcel
from storebridge.model.sales import Address, Order, ParcelLine, PaymentState, ShipmentState, Standing, Tracking
from storebridge.model.settings import GroupTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.operations import export_orders
from storebridge.operations.list_orders import list_orders
from storebridge.operations.print_orders import MOST_PRINTED, print_orders
from storebridge.operations.ship_order import Step, change_parcel, hold_order, note_step, ship_order
from storebridge.operations.show_order import OrderView, show_order
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.store.database import Tx
from storebridge.store.order_writes import settle_write, writes_of_orders
from storebridge.store.sales import SalesRow, order_key_of, save_orders

MAIN = Workspace("main")
TERMS = WorkspaceTerms(
    workspace=MAIN,
    connections=(SHOPIFY, WIX),
    policy=Policy.MIRROR,
    system_of_record=SHOPIFY,
    groups=(GroupTerms("main", {SHOPIFY: ("*",), WIX: ("*",)}),),
    keep_orders=True,
)
IDS = SeededIds(random.Random(7))
DHL = Tracking("DHL", "123", "")


def arrive(database: Database, *orders: Order) -> None:
    """They were read from their stores."""

    def turn(tx: Tx) -> None:
        for order in orders:
            OrderTurn(tx, TERMS, IDS).read(order.connection, [order], [])

    database.run(turn)


def seen(database: Database, name: str = "#1001") -> OrderView:
    return database.play(show_order(database.store, TERMS, name))


def queue(database: Database, **wanted: Any) -> list[tuple[str, Place]]:
    page = database.play(list_orders(database.store, TERMS, **wanted))
    return [(order.name, order.place) for order in page.items]


def send(database: Database, name: str = "#1001", **facts: Any) -> Any:
    told = {"lines": None, "tracking": DHL, "actor": "ann", **facts}
    return database.run(ship_order, TERMS, IDS, name, **told)


def writes(database: Database) -> list[tuple[str, str]]:
    found = database.rows("select purpose, state from order_writes order by created_at, write_id")
    return [(purpose, state) for purpose, state in found]


def test_an_order_that_says_the_same_again_is_no_news(database: Database) -> None:
    arrive(database, make_order())
    arrive(database, make_order())
    view = seen(database)
    assert view.revision == 1
    assert [entry.kind for entry in view.history] == ["placed"]


def test_a_changed_order_gets_its_next_revision_and_a_line_of_history(database: Database) -> None:
    arrive(database, make_order(payment_state=PaymentState.UNPAID))
    arrive(database, make_order(minutes=5))
    view = seen(database)
    assert view.revision == 2
    assert [entry.kind for entry in view.history] == ["payment", "placed"]
    assert queue(database) == [("#1001", Place.READY)]


def test_a_reading_from_before_what_is_known_changes_nothing(database: Database) -> None:
    arrive(database, make_order(minutes=5))
    arrive(database, make_order(payment_state=PaymentState.UNPAID))
    assert seen(database).order.payment_state is PaymentState.PAID


def test_a_copy_is_never_taken_for_a_new_order(database: Database) -> None:
    arrive(database, make_order(origin="storebridge:wix:7"))
    assert queue(database) == []


def test_the_queue_shows_what_is_to_be_done_newest_first(database: Database) -> None:
    done = make_order(make_line(units=1, fulfilled=1), order_id=OrderId("o0"), name="#1000")
    wix = make_order(order_id=OrderId("w1"), name="10001", connection=WIX)
    arrive(database, done, make_order(), wix)
    assert queue(database) == [("10001", Place.READY), ("#1001", Place.READY)]
    assert queue(database, places=(Place.SHIPPED,)) == [("#1000", Place.SHIPPED)]
    assert queue(database, connection=WIX) == [("10001", Place.READY)]
    assert queue(database, search="1001", limit=1) == [("#1001", Place.READY)]


def test_pages_of_the_queue_follow_each_other_without_gap_or_overlap(database: Database) -> None:
    arrive(database, *(make_order(order_id=OrderId(f"o{n}"), name=f"#{n}") for n in range(5)))
    names, after = [], None
    while True:
        page = database.play(list_orders(database.store, TERMS, limit=2, after=after))
        names += [order.name for order in page.items]
        after = page.after
        if after is None:
            break
    assert sorted(names) == ["#0", "#1", "#2", "#3", "#4"]


def test_a_parcel_of_all_that_is_left_is_planned_once(database: Database) -> None:
    arrive(database, make_order(make_line(units=2), connection=WIX))
    moved = send(database)
    assert (moved.units, moved.repeated, moved.wake) == (2, False, frozenset({WIX}))
    assert writes(database) == [(f"parcel:{moved.parcel_key}:wix:0", "planned")]
    arrive(database, make_order(make_line(units=2), connection=WIX, minutes=1))
    assert writes(database) == [(f"parcel:{moved.parcel_key}:wix:0", "planned")]


def test_a_parcel_noted_twice_under_one_reference_is_one_parcel(database: Database) -> None:
    arrive(database, make_order(make_line(units=2), connection=WIX))
    first = send(database, lines={"MUG": 1}, reference="box 1")
    again = send(database, lines={"MUG": 1}, reference="box 1")
    assert (first.parcel_key, first.repeated, again.parcel_key, again.repeated) == (
        again.parcel_key,
        False,
        first.parcel_key,
        True,
    )
    assert len(writes(database)) == 1


def test_more_than_is_left_is_refused_and_nothing_is_noted(database: Database) -> None:
    arrive(database, make_order(make_line(units=2), connection=WIX))
    send(database, lines={"MUG": 1})
    with pytest.raises(RefusedError, match="2 of MUG cannot be sent, 1 are left"):
        send(database, lines={"MUG": 2})
    assert len(seen(database).parcels) == 1


def test_a_parcel_that_the_store_shows_is_not_counted_twice(database: Database) -> None:
    arrive(database, make_order(make_line(units=2), connection=WIX))
    send(database, lines={"MUG": 1})

    def answered(tx: Tx) -> None:
        key = order_key_of(WIX, OrderId("o1"))
        (write,) = writes_of_orders(tx, MAIN, [key])[key]
        settle_write(tx, write.write_id, "applied", result={"parcel_id": "p1"})

    database.run(answered)
    shown = make_order(
        make_line(units=2, fulfilled=1), connection=WIX, parcels=(make_parcel("p1", number="123"),), minutes=1
    )
    arrive(database, shown)
    assert [state for _, state in writes(database)] == ["confirmed"]
    assert send(database).units == 1


def test_a_cancelled_or_held_order_is_not_sent(database: Database) -> None:
    arrive(database, make_order(standing=Standing.CANCELLED))
    with pytest.raises(RefusedError, match="was cancelled"):
        send(database)
    arrive(database, make_order(order_id=OrderId("o2"), name="#1002"))
    database.run(hold_order, TERMS, IDS, "#1002", hold=True, actor="ann")
    with pytest.raises(RefusedError, match="held by ann"):
        send(database, "#1002")
    assert writes(database) == []


def test_units_on_hold_in_their_store_are_refused_because_it_could_not_be_told(database: Database) -> None:
    held = make_shipment(state=ShipmentState.ON_HOLD)
    free = make_shipment("f2", [("l2", 1)])
    order = make_order(make_line(), make_line("l2", sku="CUP"), shipments=(held, free))
    arrive(database, order)
    with pytest.raises(RefusedError, match="1 of these units on hold"):
        send(database, lines={"MUG": 1, "CUP": 1})
    assert (send(database).units, writes(database)) == (1, writes(database)[:1])
    with pytest.raises(RefusedError, match="Nothing of order #1001 can be sent now: its store has 1 on hold"):
        send(database)


def test_what_its_store_holds_is_not_picked_with_the_rest(database: Database) -> None:
    held = make_shipment(waiting=[("l1", 2)], state=ShipmentState.ON_HOLD, hold_reasons=("awaiting_payment",))
    arrive(database, make_order(make_line(units=3), shipments=(held, make_shipment("f2", [("l1", 1)]))))
    database.run(note_step, TERMS, "#1001", Step.PICKED, None, actor="ann")
    queued = seen(database).queued
    (line,) = queued.lines
    assert (line.ordered, line.to_ship, line.picked, line.held) == (3, 1, 1, 2)
    assert (queued.units_to_ship, queued.store_holds) == (1, ("2 on hold: awaiting payment",))


def test_a_hold_survives_the_next_reading_of_the_order(database: Database) -> None:
    arrive(database, make_order())
    database.run(hold_order, TERMS, IDS, "#1001", hold=True, actor="ann", why="asks for blue")
    arrive(database, make_order(note="please", minutes=5))
    assert queue(database) == [("#1001", Place.ON_HOLD)]
    database.run(hold_order, TERMS, IDS, "#1001", hold=False, actor="ann")
    assert queue(database) == [("#1001", Place.READY)]
    with pytest.raises(RefusedError, match="not held"):
        database.run(hold_order, TERMS, IDS, "#1001", hold=False, actor="ann")


def test_what_is_packed_was_picked(database: Database) -> None:
    arrive(database, make_order(make_line(units=3)))
    database.run(note_step, TERMS, "#1001", Step.PICKED, {"MUG": 1}, actor="ann")
    database.run(note_step, TERMS, "#1001", Step.PACKED, None, actor="ann")
    (line,) = seen(database).queued.lines
    assert (line.picked, line.packed, line.to_ship) == (3, 3, 3)
    with pytest.raises(RefusedError, match="4 of MUG cannot be sent, 3 are left"):
        database.run(note_step, TERMS, "#1001", Step.PICKED, {"MUG": 4}, actor="ann")


def test_tracking_that_comes_later_is_told_once_the_parcel_is_there(database: Database) -> None:
    arrive(database, make_order(connection=WIX))
    moved = send(database, tracking=Tracking(), reference="box")

    def answered(tx: Tx) -> None:
        key = order_key_of(WIX, OrderId("o1"))
        (write,) = writes_of_orders(tx, MAIN, [key])[key]
        assert write.write == AddParcel(OrderId("o1"), (ParcelLine("l1", 1),), Tracking(), True)
        settle_write(tx, write.write_id, "applied", result={"parcel_id": "p1"})

    database.run(answered)
    arrive(database, make_order(make_line(fulfilled=1), connection=WIX, parcels=(make_parcel("p1"),), minutes=1))
    database.run(change_parcel, TERMS, IDS, "#1001", "box", actor="ann", tracking=DHL)
    assert (f"tracking:{moved.parcel_key}:p1:0", "planned") in writes(database)


def test_a_parcel_that_nobody_noted_cannot_be_changed(database: Database) -> None:
    arrive(database, make_order())
    with pytest.raises(NotFoundError, match="no parcel 'box'"):
        database.run(change_parcel, TERMS, IDS, "#1001", "box", actor="ann", tracking=DHL)


def test_a_name_that_two_stores_use_must_be_told_apart_by_its_key(database: Database) -> None:
    arrive(database, make_order(), make_order(order_id=OrderId("w1"), connection=WIX))
    with pytest.raises(RefusedError, match="names 2 orders"):
        seen(database)
    assert seen(database, order_key_of(WIX, OrderId("w1"))).order.connection == WIX


def test_an_order_that_is_not_known_says_so(database: Database) -> None:
    with pytest.raises(NotFoundError, match="No order '#9'"):
        seen(database, "#9")


def wait_in_line(database: Database, count: int) -> None:
    """Orders #0, #1 and so on, placed one minute after the other, are to be sent; they were read in no order."""
    one = timedelta(minutes=1)
    orders = [make_order(order_id=OrderId(f"o{n}"), name=f"#{n}", placed_at=PLACED + n * one) for n in range(count)]
    rows = [SalesRow(order, Place.READY.value, None) for order in random.Random(7).sample(orders, count)]
    database.run(save_orders, MAIN, rows)


def test_pick_lists_begin_with_the_order_that_waits_longest_however_many_wait(database: Database) -> None:
    wait_in_line(database, MOST_PRINTED + 3)
    found = database.play(print_orders(database.store, TERMS, (Place.READY,)))
    assert [one.order.name for one in found.lists] == [f"#{n}" for n in range(MOST_PRINTED)]
    assert found.more


def test_pick_lists_of_as_many_orders_as_fit_say_that_none_is_left_out(database: Database) -> None:
    wait_in_line(database, MOST_PRINTED)
    found = database.play(print_orders(database.store, TERMS, (Place.READY,)))
    assert [one.order.name for one in found.lists] == [f"#{n}" for n in range(MOST_PRINTED)]
    assert not found.more


def test_a_table_of_the_queue_leaves_out_the_newest_orders_where_not_all_fit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_orders, "MOST_ORDERS", 2)
    wait_in_line(database, 4)
    table = database.play(export_orders.export_orders(database.store, TERMS))
    assert [line.split(",")[0] for line in table.csv.splitlines()[1:]] == ["#0", "#1"]
    assert (table.rows, table.more) == (2, True)
    monkeypatch.setattr(export_orders, "MOST_ORDERS", 4)
    assert not database.play(export_orders.export_orders(database.store, TERMS)).more


def test_a_phone_number_is_no_formula_and_a_formula_stays_text(database: Database) -> None:
    plain = ["+15550100", "+49 (30) 123-45", "Mug", ""]
    assert [export_orders.safe(cell) for cell in plain] == plain
    guarded = ["+A1", "+1+A1", "+", "+1*2", "+-1", "=1", "-1", "@A", "+1\n=A1", "+1\t"]
    assert [export_orders.safe(cell) for cell in guarded] == [f"'{cell}" for cell in guarded]
    arrive(database, make_order(shipping_address=Address(phone="+15550100", company="=HYPERLINK(A1)")))
    (row,) = csv.DictReader(io.StringIO(database.play(export_orders.export_orders(database.store, TERMS)).csv))
    assert (row["phone"], row["company"]) == ("+15550100", "'=HYPERLINK(A1)")


def test_a_table_of_one_store_holds_its_orders_only(database: Database) -> None:
    arrive(database, make_order(), make_order(order_id=OrderId("w1"), name="10001", connection=WIX))
    table = database.play(export_orders.export_orders(database.store, TERMS, connection=WIX))
    assert [row["order"] for row in csv.DictReader(io.StringIO(table.csv))] == ["10001"]
