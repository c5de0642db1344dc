"""A write is proven by what a read shows, and by nothing else."""

from __future__ import annotations

from builders.orders import make_order, make_parcel
from storebridge.flows.confirm import shows
from storebridge.model.order_writes import AddParcel, ChangeTracking, UndoParcel
from storebridge.model.sales import ParcelLine, Tracking

ORDER = make_order()


def left(units: int = 1, number: str = "123") -> AddParcel:
    return AddParcel(ORDER.order_id, (ParcelLine("l1", units),), Tracking("DHL", number), True)


def test_the_parcel_that_the_answer_named_proves_the_write() -> None:
    order = make_order(parcels=(make_parcel("p9", number="other"),))
    assert shows(order, left(), {"parcel_id": "p9"})
    assert not shows(order, left(), {"parcel_id": "p8"})


def test_after_a_lost_answer_a_parcel_of_the_same_units_and_number_proves_it() -> None:
    order = make_order(parcels=(make_parcel("p9", number="123"),))
    assert shows(order, left(), {})
    assert not shows(order, left(units=2), {})
    assert not shows(order, left(number="124"), {})


def test_a_parcel_that_another_write_made_proves_nothing() -> None:
    order = make_order(parcels=(make_parcel("p9", number="123"),))
    assert not shows(order, left(), {}, {"p9"})


def test_a_cancelled_parcel_proves_nothing() -> None:
    order = make_order(parcels=(make_parcel("p9", number="123", cancelled=True),))
    assert not shows(order, left(), {})


def test_new_tracking_is_proven_by_the_parcel_that_shows_it() -> None:
    order = make_order(parcels=(make_parcel("p9", number="123"),))
    assert shows(order, ChangeTracking(order.order_id, "p9", Tracking("DHL", "123"), True), {})
    assert not shows(order, ChangeTracking(order.order_id, "p9", Tracking("DHL", "124"), True), {})


def test_an_undone_parcel_is_gone_or_cancelled() -> None:
    undo = UndoParcel(ORDER.order_id, "p9")
    assert shows(make_order(), undo, {})
    assert shows(make_order(parcels=(make_parcel("p9", cancelled=True),)), undo, {})
    assert not shows(make_order(parcels=(make_parcel("p9"),)), undo, {})
