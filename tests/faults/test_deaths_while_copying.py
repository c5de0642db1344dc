"""The process dies before and after every transaction and every call while an order is copied, sent, refunded, edited,
called off: each write reaches its store once, whatever died, in both directions and on both databases."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from builders.copying import copying, fulfil
from builders.deaths import CountedDeath, begin_mortal
from builders.journeys import Goods, Journey, travel
from builders.quiet import until_quiet

Deed = Callable[[Journey, str, str], Awaitable[None]]
"""(the world, the store that sold the goods, the store of the copy)."""
EVERY_DEATH = os.environ.get("STOREBRIDGE_TEST_EVERY_DEATH") == "true"
FIRST = int(os.environ.get("STOREBRIDGE_TEST_FIRST_SEED", "0"))
DRAWN = 5
"""Deaths of each story in an ordinary run; all of them when STOREBRIDGE_TEST_EVERY_DEATH is true."""
TWO = (Goods("A"), Goods("B"))
WAYS = [("wix", "shopify"), ("shopify", "wix")]
MAKES_COPY = {"shopify": {"orderCreate"}, "wix": {"importOrder"}}
MAKES_PARCEL = {"shopify": {"fulfillmentCreate"}, "wix": {"createFulfillment"}}
NOTES_REFUND = {"shopify": {"refundCreate"}, "wix": {"refundPayments"}}
EDITS = {"shopify": {"orderEditCommit"}, "wix": {"importOrder"}}
CANCELS = {"shopify": {"orderCancel"}, "wix": {"cancelOrder", "refundPayments"}}


@dataclass(frozen=True)
class Story:
    """What people do to an order, and which writes of ours must follow, once each, in which store."""

    name: str
    do: Deed
    written: dict[str, set[str]]
    in_store: str = "copied"
    """``sold`` or ``copied``."""


@dataclass
class Seen:
    """What one life and its end showed."""

    points: list[str]
    outcome: dict[str, Any]


async def _buy(journey: Journey, sold_in: str, _copied_to: str) -> None:
    await journey.buy(sold_in, 2)


async def _send(journey: Journey, _sold_in: str, copied_to: str) -> None:
    await fulfil(journey, copied_to, await _only(journey, copied_to), 1, "1Z1")


async def _refund(journey: Journey, sold_in: str, _copied_to: str) -> None:
    asked = {"lines": [{"sku": "A", "quantity": 1, "restock": True}], "amount": "19.90"}
    await journey.sandbox(sold_in, "POST", f"orders/{await _only(journey, sold_in)}/refund", asked)


async def _edit(journey: Journey, sold_in: str, _copied_to: str) -> None:
    asked = {"lines": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 2}]}
    await journey.sandbox(sold_in, "POST", f"orders/{await _only(journey, sold_in)}/edit", asked)


async def _cancel(journey: Journey, sold_in: str, _copied_to: str) -> None:
    await journey.sandbox(sold_in, "POST", f"orders/{await _only(journey, sold_in)}/cancel", {"restock": True})


async def _only(journey: Journey, store: str) -> str:
    (order,) = (await journey.sandbox(store, "GET", "truth"))["orders"]
    return str(order["id"])


STORIES = [
    Story("copy", _buy, MAKES_COPY),
    Story("send", _send, MAKES_PARCEL, "sold"),
    Story("refund", _refund, NOTES_REFUND),
    Story("edit", _edit, EDITS),
    Story("cancel", _cancel, CANCELS),
]


def played(story: Story, sold_in: str, copied_to: str, at: int, postgres: bool) -> Seen:
    """One life that ends at that point (0: at none), and what the next one made of it."""
    found: list[Seen] = []

    async def play(journey: Journey) -> None:
        death = CountedDeath(at)
        heir = await begin_mortal(journey, death)
        try:
            if story.do is not _buy:
                await journey.buy(sold_in, 2)
                await until_quiet(journey)
            before = await _writes(journey)
            death.armed = True
            await story.do(journey, sold_in, copied_to)
            await until_quiet(journey)
            if at:
                await heir
                await until_quiet(journey)
            death.armed = False
            found.append(Seen(death.points, await _outcome(journey, before)))
        finally:
            heir.cancel()

    travel(play, *TWO, postgres=postgres, order_poll_seconds=60.0, **copying(copied_to))
    return found[0]


async def _writes(journey: Journey) -> Counter[str]:
    """Calls that reached the stores and changed an order, by operation."""
    known = {name for story in STORIES for names in story.written.values() for name in names}
    calls = [call["operation"] for client in journey.clients for call in await client.requests()]
    return Counter(name for name in calls if name in known)


async def _outcome(journey: Journey, before: Counter[str]) -> dict[str, Any]:
    """What the stores' own records and the bridge's say in the end; ids are the same in every life."""
    truths = {client.name: await client.truth() for client in journey.clients}
    sales = {store: [_told(order) for order in truth["orders"]] for store, truth in truths.items()}
    levels = {sku: await journey.levels(sku) for sku in ("A", "B")}
    made = dict(await _writes(journey) - before)
    states = await journey.rows("select distinct state from order_writes")
    open_calls = await journey.rows("select count(*) from calls where state = 'open'")
    return {
        "sales": sales,
        "levels": levels,
        "made": made,
        "states": states,
        "open": open_calls,
        "cases": await journey.reasons(),
    }


def _told(order: dict[str, Any]) -> dict[str, Any]:
    parcels = [(one["tracking"].get("number"), one["lines"]) for one in order["fulfilments"]]
    refunds = [(one["amount"], one["lines"]) for one in order["refunds"]]
    lines = [{name: line[name] for name in sorted(line)} for line in order["lines"]]
    gone = order["cancelled_at"] is not None
    return {"copy": bool(order["origin"]), "lines": lines, "parcels": parcels, "refunds": refunds, "gone": gone}


def _deaths(points: int, story: int) -> Iterator[int]:
    """Which points are tried: all, or a few that are others in every run."""
    if EVERY_DEATH or points <= DRAWN:
        yield from range(1, points + 1)
        return
    stride = points / DRAWN
    yield from sorted({1 + int(number * stride + (FIRST + story) % stride) for number in range(DRAWN)})


@pytest.mark.simulation
@pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
@pytest.mark.parametrize(("sold_in", "copied_to"), WAYS)
@pytest.mark.parametrize("story", STORIES, ids=[story.name for story in STORIES])
def test_whenever_the_process_dies_the_end_is_the_same_and_each_write_was_made_once(
    story: Story, sold_in: str, copied_to: str, postgres: bool
) -> None:
    calm = played(story, sold_in, copied_to, 0, postgres)
    store = sold_in if story.in_store == "sold" else copied_to
    assert calm.outcome["made"] == dict.fromkeys(story.written[store], 1)
    assert (calm.outcome["states"], calm.outcome["open"]) == ([("confirmed",)], [(0,)])
    assert calm.outcome["cases"] == []
    for at in _deaths(len(calm.points), STORIES.index(story)):
        died = played(story, sold_in, copied_to, at, postgres)
        assert died.outcome == calm.outcome, f"it died at {at} ({died.points[at - 1]})"
