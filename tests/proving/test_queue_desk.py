"""The simulated staff of the queue do all that a warehouse does, and the judge of their parcels sees each fault."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from storebridge_proving.checker.orders import OrderClaims
from storebridge_proving.checker.slips import Slip, judge_slips, offered_again
from storebridge_proving.simulate.queue_desk import DEEDS, QueueDesk
from storebridge_proving.simulate.theatre import WORKSPACE, build_theatre
from storebridge_proving.store_client import CartLine
from storebridge_proving.virtual_time import VirtualClock, run_virtually

MINE = ("shopify", "o1")


def slip(units: int = 2, number: str = "1Z", **facts: Any) -> Slip:
    return Slip(MINE, "p1", Counter(A=units), number, **facts)


def parcel(units: int = 2, number: str = "1Z", url: str = "") -> dict[str, Any]:
    return {"id": "p", "tracking": {"number": number, "url": url}, "lines": [{"sku": "A", "quantity": units}]}


def carried(units: int) -> dict[str, Any]:
    """A parcel without a number that a carrier has all the same."""
    return {**parcel(units, ""), "tracking": {"company": "UPS", "number": "", "url": ""}}


def order(*parcels: dict[str, Any], order_id: str = "o1", origin: str | None = None) -> dict[str, Any]:
    lines = [{"sku": "A", "quantity": 3}]
    return {"id": order_id, "name": "#1", "origin": origin, "fulfilments": list(parcels), "lines": lines}


def findings(first: dict[str, Any], *slips: Slip, copy: dict[str, Any] | None = None, told: bool = False) -> list[str]:
    claims = OrderClaims((), told={MINE: frozenset({"parcels"})} if told else {})
    truths = {"shopify": {"orders": [first]}, "wix": {"orders": [copy] if copy else []}}
    return list(judge_slips(truths, slips, claims))


def test_parcels_of_the_book_stand_in_the_store_as_they_were_sent() -> None:
    assert findings(order(parcel()), slip()) == []
    assert findings(order(parcel(1), parcel(1)), slip()) == [], "a store makes a parcel for each location"
    assert findings(order(parcel(1), parcel(2, "1Z (2)")), slip(1), slip(2)) == []
    assert findings(order(), slip(withdrawn=True)) == []
    assert findings(order(carried(2)), slip(number="")) == [], "its number comes later"
    assert findings(order(parcel(2, "")), slip(number="", handed_over=True)) == [], "nobody follows it"
    assert findings(order(parcel(3, "typed in by staff"))) == [], "of what the book does not know it says nothing"


@pytest.mark.parametrize(
    ("parcels", "slips"),
    [
        ((), (slip(),)),
        ((parcel(1),), (slip(),)),
        ((parcel(2, "1Y"),), (slip(),)),
        ((parcel(2, ""),), (slip(),)),
        ((parcel(),), (slip(withdrawn=True),)),
        ((parcel(), parcel()), (slip(),)),
        ((parcel(2, "1Z", "https://carrier.example/1Y"),), (slip(),)),
        ((carried(2),), (slip(number="", handed_over=True),)),
    ],
)
def test_a_parcel_that_the_store_shows_otherwise_is_a_finding_unless_a_person_was_told(
    parcels: tuple[dict[str, Any], ...], slips: tuple[Slip, ...]
) -> None:
    (found,) = findings(order(*parcels), *slips)
    assert found.startswith("shopify #1: ")
    assert findings(order(*parcels), *slips, told=True) == []


def test_what_was_sent_from_the_queue_and_as_a_copy_was_sent_twice() -> None:
    copy = order(parcel(), order_id="k1", origin="storebridge:main:shopify:o1")
    found = "shopify #1 was sent from the queue, and its copy as well"
    assert findings(order(parcel()), slip(), copy=copy, told=True) == [found]
    assert findings(order(), slip(withdrawn=True), copy=copy) == []
    assert findings(order(parcel()), slip(withdrawn=True), copy=copy) == [], "its copy sent it instead"
    assert findings(order(parcel()), slip(), copy={**copy, "fulfilments": []}) == []


def test_a_parcel_of_no_order_is_a_finding() -> None:
    assert findings(order(order_id="o2"), slip()) == ["a parcel of an order that does not exist: ('shopify', 'o1')"]


def test_units_that_left_are_not_offered_again() -> None:
    assert offered_again(order(), [slip(2)], {"A": 1}) == []
    assert offered_again(order(), [slip(2)], {"A": 2}) == ["A"]
    assert offered_again(order(), [slip(2, withdrawn=True)], {"A": 3}) == []


async def work(clock: VirtualClock, copy_to: str, *deliveries: str) -> tuple[QueueDesk, list[str]]:
    """Six orders of the store that gets the copies, and a desk that is busy for an hour."""
    theatre = await build_theatre(clock, 1, "mirror", copy_to)
    theatre.raise_curtain()
    try:
        await clock.sleep(5.0)
        assert theatre.bridge is not None
        await theatre.bridge.baseline(WORKSPACE, sign_off=True, actor="merchant")
        await clock.sleep(60.0)
        (client,) = [one for one in theatre.clients if one.name == copy_to]
        levels = sorted((await client.truth())["levels"], key=lambda level: -level["available"])
        for number in range(6):
            lines = [CartLine(level["sku"], 3) for level in (levels[number % 3], levels[3 + number % 3])]
            delivery = deliveries[number % len(deliveries)] if deliveries else "shipping"
            await client.checkout(lines, {"email": "ada@example.com"}, paid=True, delivery=delivery)
        await clock.sleep(60.0)
        desk = QueueDesk(theatre, copy_to, random.Random(2))
        for _ in range(12):
            for deed in DEEDS:
                await desk.act(deed)
                await clock.sleep(20.0)
        await clock.sleep(300.0)
        truths = {one.name: await one.truth() for one in theatre.clients}
        return desk, [*desk.findings, *judge_slips(truths, desk.slips, OrderClaims(()))]
    finally:
        await theatre.lower_curtain()


@pytest.mark.parametrize("copy_to", ["shopify", "wix"])
def test_staff_do_all_that_a_warehouse_does_and_the_store_shows_their_parcels(copy_to: str) -> None:
    desk, found = run_virtually(lambda clock: work(clock, copy_to))
    assert found == []
    assert {*DEEDS} <= {*desk.done}
    assert all(desk.done[deed] for deed in DEEDS)
    standing = [one for one in desk.slips if not one.withdrawn]
    parcels_per_order = Counter(one.order for one in standing)
    assert max(parcels_per_order.values()) > 1
    assert any(one.withdrawn for one in desk.slips)
    assert {"", *(one.number for one in standing)} > {""}


@pytest.mark.parametrize("copy_to", ["shopify", "wix"])
def test_staff_hand_over_what_is_collected_or_brought_and_no_carrier_stands_on_it(copy_to: str) -> None:
    desk, found = run_virtually(lambda clock: work(clock, copy_to, "pickup", "local"))
    assert found == []
    assert desk.done["handed_over"] >= 2
    assert desk.done["ready"] >= 1
    handed = [one for one in desk.slips if one.handed_over]
    assert handed
    assert {one.number for one in handed} == {""}
