"""A Wix copy is brought in anew by one call: whenever the process dies there is one copy, the old one or the new."""

from __future__ import annotations

import pytest

from builders.copying import both_databases, change_order, copied, copying, fulfil, stamp, stamps
from builders.deaths import buried, dying
from builders.journeys import Goods, Journey, travel
from builders.weather import CALM, in_every_weather
from storebridge.flows.queue import Place

SKUS = (Goods("A"), Goods("B"))
IMPORT = (b'"externalOrderId":"storebridge:',)


async def edited(journey: Journey, order_id: str) -> None:
    """Staff of the Shopify store add two of B."""
    await journey.sandbox("shopify", "POST", f"orders/{order_id}/edit", {"lines": [{"sku": "B", "quantity": 2}]})


async def copy_units(journey: Journey) -> dict[str, int]:
    """From Wix' own records: what the copies hold, all together."""
    orders = [one for one in (await journey.sandbox("wix", "GET", "truth"))["orders"] if one["origin"]]
    assert len(orders) == 1
    return {line["sku"]: line["quantity"] for line in orders[0]["lines"]}


@in_every_weather
@both_databases
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_dies_around_the_call_leaves_one_copy_that_ends_as_the_original_is(
    moment: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "shopify", "wix")
        await journey.kill()
        life = await dying(journey, moment, IMPORT)
        await edited(journey, order_id)
        await buried(journey, life)
        if journey.weather == CALM:  # in any other the call may have failed
            assert await copy_units(journey) == ({"A": 2} if moment == "before" else {"A": 2, "B": 2})
        await journey.start()
        await journey.pass_time(900.0)
        assert await copy_units(journey) == {"A": 2, "B": 2}
        assert await stamps(journey, "wix") == [stamp("shopify", order_id)]
        (copy,) = (await journey.queue())["shopify"].copies
        assert copy.order_id == copy_id
        assert {write.state for write in (await journey.queue())["shopify"].writes} == {"confirmed"}
        assert await journey.levels("B") == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == []

    travel(play, *SKUS, postgres=postgres, **copying("wix"))


# Calm: the moment of the call is the story.
def test_a_parcel_that_staff_note_while_the_call_is_on_the_wire_is_a_case_and_is_not_sent_twice() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "shopify", "wix")
        slow = {"operation": "importOrder", "rates": {"latency_ms": [8000, 8000]}}
        await journey.faults("wix", rules=[slow])
        await edited(journey, order_id)
        for _ in range(200):
            await journey.wait(0.1)
            if await journey.rows("select count(*) from order_writes where state = 'sent'") == [(1,)]:
                break
        await fulfil(journey, "wix", copy_id, 2, "OUT-1")
        await journey.pass_time(900.0)
        await journey.faults("wix")
        await journey.pass_time(900.0)
        assert await stamps(journey, "wix") == [stamp("shopify", order_id)]
        assert await journey.parcels("wix") == [], "it went with the copy that was replaced"
        assert await journey.parcels("shopify") == [("OUT-1", 2)]
        view = (await journey.queue())["shopify"]
        assert view.queued.place is Place.PARTLY_SHIPPED
        assert {line.sku: line.to_ship for line in view.queued.lines} == {"A": 0, "B": 2}
        (case,) = await journey.cases()
        assert case.reason == "copy_differs"
        assert case.payload is not None
        assert case.payload["parcels"] == "1 here that are not there any more"

    travel(play, *SKUS, **copying("wix"))


# Calm: the one delivery that is lost is the story.
@pytest.mark.parametrize("fate", ["pass", "http_5xx", "timeout_not_applied"])
def test_a_parcel_of_which_nobody_was_told_does_not_go_with_a_copy_that_is_brought_in_anew(fate: str) -> None:
    """In a storm (weather seed 11) the copy was replaced by what was known of it: its parcel was told to nobody, and
    its units were to be sent again."""

    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "shopify", "wix")
        unread = {"operation": "searchOrders", "calls": 2, "rates": {} if fate == "pass" else {fate: 1.0}}
        await journey.faults("wix", rules=[unread], webhook_loss=1.0)
        await fulfil(journey, "wix", copy_id, 2, "OUT-1")
        await edited(journey, order_id)
        await journey.pass_time(900.0)
        assert await journey.parcels("wix") == await journey.parcels("shopify") == [("OUT-1", 2)]
        view = (await journey.queue())["shopify"]
        assert view.queued.place is Place.PARTLY_SHIPPED
        assert {line.sku: line.to_ship for line in view.queued.lines} == {"A": 0, "B": 2}
        (case,) = await journey.cases()
        assert (case.reason, (case.payload or {})["lines"]) == (
            "copy_differs",
            "2 units of the original's lines, otherwise there",
        )
        (replaced,) = [write for write in view.writes if write.purpose.startswith("replace:")]
        assert replaced.state == "superseded"
        assert await journey.rows("select count(*) from calls where state = 'open'") == [(0,)]

    travel(play, *SKUS, order_poll_seconds=600.0, **copying("wix"))


@both_databases
@pytest.mark.parametrize(
    ("fate", "calls", "unheard"),
    [("timeout_not_applied", 9, 0.0), ("http_5xx", 9, 0.0), ("http_5xx", 1, 1.0), ("http_429", 9, 0.0)],
    ids=["timeout", "5xx", "5xx-nothing-delivered", "429"],
)
@in_every_weather
def test_a_copy_that_is_packed_before_its_new_tag_reached_it_keeps_its_parcel_and_a_person_is_told(
    fate: str, calls: int, unheard: float, postgres: bool
) -> None:
    """In a mirror storm (seed 7005) the packing was taken for the proof that the tag had arrived."""

    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "shopify", "wix")
        lost = {"operation": "importOrder", "calls": calls, "rates": {fate: 1.0, "http_5xx_applied": 0.0}}
        await journey.faults("wix", rules=[lost], webhook_loss=unheard)
        await change_order(journey, "shopify", order_id, tag="gift")
        for _ in range(600):
            await journey.wait(0.1)
            if await journey.rows("select count(*) from order_writes where kind = 'replace_copy'") == [(1,)]:
                break
        await fulfil(journey, "wix", copy_id, 1, "OUT-1")
        await journey.pass_time(120.0)
        await journey.faults("wix")
        await journey.pass_time(900.0)
        assert await journey.parcels("wix") == await journey.parcels("shopify") == [("OUT-1", 1)]
        (case,) = await journey.cases()
        assert (case.reason, (case.payload or {})["tags"]) == ("copy_differs", "changed here, not there")
        writes = (await journey.queue())["shopify"].writes
        states = {write.purpose.partition(":")[0]: write.state for write in writes}
        assert states == {"copy": "confirmed", "replace": "superseded", "parcel": "confirmed"}

    travel(play, *SKUS, postgres=postgres, order_poll_seconds=600.0, **copying("wix"))
