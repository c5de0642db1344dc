"""A write is proven by what a read shows, and by nothing else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from builders.orders import make_line, make_order, make_parcel
from storebridge.flows.amending import details_of
from storebridge.flows.confirm import left_of, shows, tells
from storebridge.model.copying import TAGS_OF_ORIGIN, CopiedGoods
from storebridge.model.ids import ItemId, OrderId, VariantId
from storebridge.model.order_writes import (
    AddParcel,
    ChangeDetails,
    ChangeTracking,
    EditLines,
    OrderWrite,
    RecordPayments,
    RefundCopy,
    ReplaceCopy,
    UndoParcel,
)
from storebridge.model.sales import Order, ParcelLine, Price, Tracking

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


def brought_in_anew(**facts: Any) -> tuple[ReplaceCopy, Order]:
    """One large shirt in the place of a small one of the same price; and the copy that shows it."""
    original = make_order(make_line("l1", 1, item_id=ItemId("shop-large")), **facts)
    goods = CopiedGoods(ItemId("p:large"), VariantId("large"), "p")
    write = ReplaceCopy(original.order_id, original.name, "stamp", original, (goods,), original.updated_at)
    later = original.updated_at + timedelta(minutes=1)
    told = ((TAGS_OF_ORIGIN, ", ".join(original.tags)),) if original.tags else ()
    line = make_line("c1", 1, item_id=ItemId("p:large"))
    return write, replace(original, lines=(line,), tags=(), attributes=told, updated_at=later)


@pytest.mark.parametrize("tags", [(), ("gift", "vip")])
def test_a_copy_that_was_brought_in_anew_is_proven_by_goods_tags_note_and_total(tags: tuple[str, ...]) -> None:
    write, copy = brought_in_anew(tags=tags, note="ring twice")
    assert shows(copy, write, {})
    assert not shows(replace(copy, note=""), write, {})
    assert not shows(replace(copy, updated_at=write.after), write, {})


def test_a_copy_that_was_packed_since_and_has_the_old_goods_proves_nothing() -> None:
    write, copy = brought_in_anew()
    old = make_line("c1", 1, item_id=ItemId("p:small"))
    assert not shows(replace(copy, lines=(old,), parcels=(make_parcel("p9", line="c1"),)), write, {})


def test_a_copy_that_was_packed_since_and_lacks_the_new_tag_proves_nothing() -> None:
    write, copy = brought_in_anew(tags=("gift",))
    assert not shows(replace(copy, attributes=(), parcels=(make_parcel("p9", line="c1"),)), write, {})
    assert not shows(replace(copy, attributes=((TAGS_OF_ORIGIN, "vip"),)), write, {})


def said(*changed: str, of: Order = ORDER) -> ChangeDetails:
    return ChangeDetails(ORDER.order_id, details_of(of), changed, of.tags, ORDER.updated_at)


def edited(units: int) -> EditLines:
    line = ParcelLine("l1", units)
    return EditLines(ORDER.order_id, (line,), (), (line,), ("l1",))


def number(parcel_id: str, of: str) -> ChangeTracking:
    return ChangeTracking(ORDER.order_id, parcel_id, Tracking("DHL", of), True)


def noted(mark: str) -> RefundCopy:
    return RefundCopy(ORDER.order_id, mark, (), None, ())


def paid(amount: str) -> RecordPayments:
    return RecordPayments(ORDER.order_id, (), Price.of(Decimal(amount), "EUR"))


NEWER = [
    (said("note"), said("note", "tags")),
    (said("note", "tags"), brought_in_anew()[0]),
    (edited(1), edited(2)),
    (brought_in_anew()[0], edited(2)),
    (number("p9", "123"), number("p9", "124")),
    (number("p9", "123"), UndoParcel(ORDER.order_id, "p9")),
    (paid("10"), paid("15")),
]
APART = [
    (said("note"), said("tags")),
    (said("note"), edited(2)),
    (edited(1), said("note")),
    (number("p9", "123"), number("p8", "124")),
    (number("p9", "123"), UndoParcel(ORDER.order_id, "p8")),
    (noted("Refund 1"), noted("Refund 2")),
    (left(number="123"), left(number="124")),
    (said("note"), left()),
]


@pytest.mark.parametrize(("older", "newer"), NEWER)
def test_nothing_is_left_of_a_write_after_one_that_says_the_same_thing_anew(
    older: OrderWrite, newer: OrderWrite
) -> None:
    assert left_of(older, [newer]) is None
    assert left_of(older, []) == older
    assert left_of(older, [replace(newer, order_id=OrderId("another"))]) == older


@pytest.mark.parametrize(("older", "newer"), APART)
def test_a_write_stands_beside_one_that_says_something_else(older: OrderWrite, newer: OrderWrite) -> None:
    assert left_of(older, [newer]) == older


def test_of_changed_details_those_are_left_that_no_later_write_changed_again() -> None:
    older = said("shipping_address", "email", "note")
    assert left_of(older, [said("note")]) == replace(older, changed=("shipping_address", "email"))
    assert left_of(older, [said("note"), said("shipping_address", "email")]) is None


def test_a_copy_that_is_to_be_brought_in_anew_says_what_was_said_of_it_since() -> None:
    write, _ = brought_in_anew(note="ring twice", tags=("gift",))
    now = replace(write.original, note="ring once", buyer=replace(write.original.buyer, email="ann@example.net"))
    told = replace(said("note", "email", of=now), order_id=write.order_id)
    assert left_of(write, [told]) == replace(write, original=now)


def test_a_carrier_whom_both_stores_know_gets_each_stores_own_link() -> None:
    wanted = Tracking("UPS", "1Z9", "https://ups.example/shopify/1Z9")
    assert tells(Tracking("ups", "1Z9", "https://ups.example/wix/1Z9"), wanted)
    assert not tells(Tracking("ups", "1Z8", "https://ups.example/wix/1Z8"), wanted)
    other = Tracking("Blue Van", "7", "https://van.example/7")
    assert not tells(Tracking("Blue Van", "7", "https://van.example/8"), other)
