"""A parcel that left is told to the store that sold it, in as many parcels as that store needs, and once."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from builders.orders import SHOPIFY, WIX, make_line, make_order, make_parcel, make_shipment
from storebridge.flows.orders import plan_order
from storebridge.flows.parcels import (
    ParcelToTell,
    held_back,
    offers,
    plan_parcel,
    share,
    units_without_parcel,
    untellable,
)
from storebridge.model.ids import LocationId
from storebridge.model.order_writes import AddParcel, ChangeTracking, ShipmentPick, UndoParcel
from storebridge.model.sales import Order, ParcelLine, Shipment, ShipmentState, Standing, Tracking

DHL = Tracking("DHL", "123", "")


def sent(units: int = 1, **facts: object) -> ParcelToTell:
    return ParcelToTell("k1", (ParcelLine("l1", units),), DHL, **facts)  # type: ignore[arg-type]


def writes(order: Order, parcel: ParcelToTell) -> list[object]:
    return [plan.write for plan in plan_parcel(order, parcel)]


def test_a_store_without_shipments_is_told_lines_and_tracking() -> None:
    order = make_order(make_line(units=2), connection=WIX)
    (plan,) = plan_parcel(order, sent(2))
    assert (plan.connection, plan.purpose) == (WIX, "parcel:k1:wix:0")
    assert plan.write == AddParcel(order.order_id, (ParcelLine("l1", 2),), DHL, True)


def test_a_store_that_keeps_what_waits_is_told_which_of_it_left() -> None:
    order = make_order(make_line(units=2), shipments=(make_shipment("f1", [("l1", 2)]),))
    picks = (ShipmentPick("f1", "f1/l1", 2),)
    assert writes(order, sent(2)) == [AddParcel(order.order_id, (ParcelLine("l1", 2),), DHL, True, picks)]


def test_units_from_two_locations_become_two_parcels() -> None:
    here, there = make_shipment("f1", [("l1", 1)]), make_shipment("f2", [("l1", 2)], location="outlet")
    order = make_order(make_line(units=3), shipments=(here, there))
    plans = plan_parcel(order, sent(3))
    assert [plan.purpose for plan in plans] == ["parcel:k1:shopify:0", "parcel:k1:shopify:1"]
    assert [plan.write.lines for plan in plans if isinstance(plan.write, AddParcel)] == [
        (ParcelLine("l1", 1),),
        (ParcelLine("l1", 2),),
    ]


def test_the_location_of_the_parcel_comes_first() -> None:
    here, there = make_shipment("f1", [("l1", 2)]), make_shipment("f2", [("l1", 2)], location="outlet")
    order = make_order(make_line(units=4), shipments=(here, there))
    (write,) = writes(order, sent(2, location_id=LocationId("outlet")))
    assert isinstance(write, AddParcel)
    assert write.picks == (ShipmentPick("f2", "f2/l1", 2),)


def test_what_a_write_covers_already_is_not_told_again() -> None:
    order = make_order(make_line(units=2), connection=WIX)
    assert writes(order, sent(2, covered=(ParcelLine("l1", 2),), parts=1)) == []


def test_two_writes_that_cover_one_line_count_together() -> None:
    """In a mirror storm (seed 114) only the last one counted: the same units were told 415 times."""
    order = make_order(make_line(units=5), connection=WIX)
    covered = (ParcelLine("l1", 2), ParcelLine("l1", 1))
    assert writes(order, sent(3, covered=covered, parts=2)) == []
    (write,) = writes(order, sent(4, covered=covered, parts=2))
    assert isinstance(write, AddParcel)
    assert write.lines == (ParcelLine("l1", 1),)


def test_what_is_on_hold_in_the_store_is_not_told_but_named() -> None:
    order = make_order(make_line(units=2), shipments=(make_shipment("f1", [("l1", 2)], state=ShipmentState.ON_HOLD),))
    assert writes(order, sent(2)) == []
    assert untellable(order, sent(2)) == {"l1": 2}


def test_of_a_parcel_of_which_a_part_was_refunded_the_rest_is_told_and_the_refunded_is_named() -> None:
    refunded = make_order(make_line(units=3, current=2, refunded=1), shipments=(make_shipment("f1", [("l1", 2)]),))
    (write,) = writes(refunded, sent(3))
    assert isinstance(write, AddParcel)
    assert (write.lines, write.picks) == ((ParcelLine("l1", 2),), (ShipmentPick("f1", "f1/l1", 2),))
    assert untellable(refunded, sent(3)) == {"l1": 1}
    assert held_back(refunded, sent(3)) == {}


def test_a_store_without_shipments_takes_what_was_refunded_but_not_what_an_edit_took_out() -> None:
    refunded = make_order(make_line(units=3, current=2, refunded=1), connection=WIX)
    assert writes(refunded, sent(3)) == [AddParcel(refunded.order_id, (ParcelLine("l1", 3),), DHL, True)]
    edited = make_order(make_line(units=3, current=2), connection=WIX)
    assert writes(edited, sent(3)) == [AddParcel(edited.order_id, (ParcelLine("l1", 2),), DHL, True)]
    assert untellable(edited, sent(3)) == {"l1": 1}
    cancelled = make_order(make_line(units=3), connection=WIX, standing=Standing.CANCELLED)
    assert (writes(cancelled, sent(3)), untellable(cancelled, sent(3))) == ([], {"l1": 3})


def test_a_write_holds_while_all_that_it_names_still_waits_there() -> None:
    (write,) = writes(make_order(make_line(units=2), shipments=(make_shipment("f1", [("l1", 2)]),)), sent(2))
    assert isinstance(write, AddParcel)
    kept = make_order(make_line(units=3), shipments=(make_shipment("f1", [("l1", 3)]),))
    fewer = make_order(make_line(units=2, current=1), shipments=(make_shipment("f1", [("l1", 1)]),))
    moved = make_order(make_line(units=2), shipments=(make_shipment("f2", [("l1", 2)], location="outlet"),))
    held = make_order(make_line(units=2), shipments=(make_shipment("f1", [("l1", 2)], state=ShipmentState.ON_HOLD),))
    assert [offers(order, write) for order in (kept, fewer, moved, held)] == [True, False, False, False]
    assert held_back(held, sent(2)) == {"l1": 2}


def test_tracking_that_came_later_is_told_to_the_parcel_that_is_there() -> None:
    order = make_order(parcels=(make_parcel("p9"),))
    parcel = sent(covered=(ParcelLine("l1", 1),), parts=1, made=("p9",))
    assert writes(order, parcel) == [ChangeTracking(order.order_id, "p9", DHL, True)]


def test_tracking_that_the_store_shows_already_is_left_alone_even_where_it_made_a_link_of_its_own() -> None:
    shown = make_parcel("p9", tracking=(Tracking("DHL Express", "123", "https://dhl.example/123"),))
    order = make_order(parcels=(shown,))
    assert writes(order, sent(covered=(ParcelLine("l1", 1),), parts=1, made=("p9",))) == []


def test_a_number_that_changes_back_is_told_again_and_one_that_staff_replaced_is_not() -> None:
    order = make_order(parcels=(make_parcel("p9", number="777"),))
    covered = {"covered": (ParcelLine("l1", 1),), "parts": 1, "made": ("p9",)}
    changed = {"retracked": {"p9": Tracking("DHL", "777", "")}, "changes": 2}
    (plan,) = plan_parcel(order, sent(**covered, **changed))
    assert (plan.purpose, plan.write) == ("tracking:k1:p9:2", ChangeTracking(order.order_id, "p9", DHL, True))
    assert writes(order, sent(**covered, retracked={"p9": DHL}, changes=3)) == []


def test_no_number_is_told_while_an_earlier_one_may_still_land() -> None:
    order = make_order(parcels=(make_parcel("p9"),))
    parcel = sent(covered=(ParcelLine("l1", 1),), parts=1, made=("p9",), changes=1, unsure=True)
    assert writes(order, parcel) == []


def marks(order: Order, *parcels: ParcelToTell) -> dict[str, int]:
    found = ((plan.purpose, plan.write) for plan in plan_order(order, parcels))
    return {purpose: write.mark for purpose, write in found if isinstance(write, AddParcel | ChangeTracking)}


def test_parcels_under_one_number_are_told_one_after_the_other_each_with_a_mark_of_its_own() -> None:
    first, second = sent(1), ParcelToTell("k2", (ParcelLine("l1", 1),), DHL)
    blank = make_order(make_line(units=4), connection=WIX)
    assert marks(blank, first, second) == {"parcel:k1:wix:0": 0}
    (plan,) = plan_parcel(blank, first)
    assert isinstance(plan.write, AddParcel)
    under_way = sent(1, covered=(ParcelLine("l1", 1),), parts=1, under_way=(plan.write,))
    assert marks(blank, under_way, second) == {}
    other = ParcelToTell("k2", (ParcelLine("l1", 1),), Tracking("DHL", "124"))
    assert marks(blank, under_way, other) == {"parcel:k2:wix:0": 0}
    shown = make_order(make_line(units=4, fulfilled=1), connection=WIX, parcels=(make_parcel("p1", number="123"),))
    told = sent(1, covered=(ParcelLine("l1", 1),), parts=1, made=("p1",))
    assert marks(shown, told, second) == {"parcel:k2:wix:0": 2}
    assert marks(shown, told, replace(second, taken=frozenset({2, 3}))) == {"parcel:k2:wix:0": 4}
    nameless = ParcelToTell("k2", (ParcelLine("l1", 1),), Tracking())
    assert marks(shown, told, nameless) == {"parcel:k2:wix:0": 0}


def test_a_mark_that_is_free_again_is_given_again() -> None:
    stands = replace(make_parcel("p2", number="123"), mark=2)
    gone = replace(make_parcel("p1", number="123"), cancelled=True)
    order = make_order(make_line(units=4, fulfilled=1), connection=WIX, parcels=(gone, stands))
    assert marks(order, ParcelToTell("k3", (ParcelLine("l1", 1),), DHL)) == {"parcel:k3:wix:0": 0}


def test_a_number_that_several_parcels_get_is_told_to_each_with_a_mark_of_its_own() -> None:
    parcels = (make_parcel("p1"), make_parcel("p2"), make_parcel("p3", number="123"))
    order = make_order(make_line(units=4, fulfilled=3), connection=WIX, parcels=parcels)
    told = [
        ParcelToTell(f"k{one}", (ParcelLine("l1", 1),), DHL, covered=(ParcelLine("l1", 1),), made=(f"p{one}",))
        for one in (1, 2, 3)
    ]
    assert marks(order, *told) == {"tracking:k1:p1:0": 2, "tracking:k2:p2:0": 3}


@pytest.mark.parametrize("shipments", [(), (make_shipment("f1", [("l1", 2)]),)], ids=["wix", "shopify"])
def test_units_that_are_on_their_way_to_the_store_are_not_told_for_what_it_cannot_book(
    shipments: tuple[Shipment, ...],
) -> None:
    """Three left, one was taken out of the order: in a storm the two were told as two parcels of one."""
    order = make_order(make_line(units=2), connection=SHOPIFY if shipments else WIX, shipments=shipments)
    (plan,) = plan_parcel(order, sent(3))
    assert isinstance(plan.write, AddParcel)
    assert plan.write.lines == (ParcelLine("l1", 2),)
    again = sent(3, covered=plan.write.lines, parts=1, under_way=(plan.write,))
    assert plan_order(order, [again]) == []
    assert plan_order(order, [again, ParcelToTell("k2", (ParcelLine("l1", 1),), Tracking("DHL", "124"))]) == []
    assert untellable(order, sent(3)) == {"l1": 1}


def test_units_that_staff_noted_are_those_of_one_parcel_only() -> None:
    noted = Counter({"l1": 3})
    assert share(noted, (ParcelLine("l1", 2),), ()) == (ParcelLine("l1", 2),)
    assert share(noted, (ParcelLine("l1", 2),), (ParcelLine("l1", 1),)) == (ParcelLine("l1", 1),)
    assert share(noted, (ParcelLine("l1", 2),), ()) == ()


def test_a_parcel_that_did_not_leave_is_undone_once() -> None:
    order = make_order(parcels=(make_parcel("p9"),))
    parcel = sent(covered=(ParcelLine("l1", 1),), parts=1, made=("p9",), cancelled=True)
    (plan,) = plan_parcel(order, parcel)
    assert (plan.purpose, plan.write) == ("undo:shopify:p9", UndoParcel(order.order_id, "p9"))
    undone = make_order(parcels=(make_parcel("p9", cancelled=True),))
    assert writes(undone, parcel) == []


def test_no_more_units_go_into_parcels_than_the_buyer_is_to_get() -> None:
    order = make_order(make_line(units=5, current=4, fulfilled=1), connection=SHOPIFY)
    assert units_without_parcel(order, [(ParcelLine("l1", 2),)]) == {"l1": 1}
