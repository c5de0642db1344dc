"""A number that staff typed into a store that shows a share is believed as a difference, and shown to a person."""

from __future__ import annotations

import pytest

from builders.days import DAY, days_pass
from builders.journeys import MAIN, Journey, travel
from storebridge.cli.status import status_lines
from storebridge.connectors.http import Request
from storebridge.operations.book_goods import count_goods
from storebridge.operations.show_status import Status, show_status
from storebridge.operations.tell_typed import check_typed
from storebridge.web.console.app import build_console_app
from storebridge_proving.asgi_transport import AsgiTransport

RIGHT_IF = "right only if so many units came in. If it was a shelf count, book what is there: storebridge count A N."


async def status(journey: Journey) -> Status:
    return await show_status(journey.store, journey.bridge.workspaces[MAIN].terms)


async def warned(journey: Journey) -> list[str]:
    found = await check_typed(journey.store, journey.bridge.workspaces[MAIN].terms)
    assert all(one.passed and one.warning for one in found)
    return [one.detail for one in found]


async def first_page(journey: Journey) -> str:
    network = AsgiTransport({"http://localhost": build_console_app(journey.bridge)})
    request = Request("GET", "http://localhost/", {"accept": "text/html"}, b"", 20.0)
    return (await network.send(request)).body.decode()


async def type_in(journey: Journey, units: int) -> None:
    await journey.sandbox("wix", "POST", "adjust", {"sku": "A", "set": units})


@pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
@pytest.mark.parametrize("policy", ["escrow", "hybrid"])
def test_a_count_that_raced_a_sale_is_believed_and_told_until_somebody_counts(policy: str, postgres: bool) -> None:
    """Ten were left and ten typed; one was sold before the counter was read, so no reading ever showed a ten."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert (await journey.levels())["wix"] == 5
        await type_in(journey, 10)
        await journey.buy("wix", 1)
        await journey.pass_time(600.0)
        assert (await journey.goods_left(), await journey.reasons()) == (14, [])
        told = f"A: +5 typed into wix while 1 unit of it was sold, {RIGHT_IF}"
        found = await status(journey)
        assert [(one.sku, one.connection, one.units) for one in found.typed] == [("A", "wix", 5)]
        assert told in status_lines(found)
        assert found.healthy
        assert await warned(journey) == [told]
        assert "storebridge count A N" in await first_page(journey)
        terms = journey.bridge.workspaces[MAIN].terms
        booked = await journey.store.run(count_goods, terms, journey.ids, "A", 9, group=None, actor="ann")
        journey.bridge.wake(MAIN, booked.wake)
        await journey.pass_time(120.0)
        assert "storebridge count" not in await first_page(journey)
        assert (await journey.goods_left(), (await status(journey)).typed, await warned(journey)) == (9, [], [])

    travel(play, policy=policy, postgres=postgres)


def test_goods_that_are_booked_raises_that_are_held_and_lowers_are_no_typed_raises() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.receive(4)
        await journey.pass_time(120.0)
        await type_in(journey, 14)
        await journey.pass_time(120.0)
        assert await journey.reasons() == ["change_held"]
        assert (await status(journey)).typed == []
        await type_in(journey, 1)
        await journey.pass_time(600.0)
        assert (await status(journey)).typed == []

    travel(play, policy="escrow")


def test_after_a_day_and_under_mirror_nothing_is_said() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await type_in(journey, 12)
        await journey.pass_time(1200.0)
        typed = (await status(journey)).typed
        assert len(typed) == (journey.config.workspaces[MAIN].policy == "escrow")
        await journey.pass_time(DAY)
        assert (await status(journey)).typed == []

    for policy in ("mirror", "escrow"):
        days_pass(play, policy=policy, order_poll_seconds=600.0)
