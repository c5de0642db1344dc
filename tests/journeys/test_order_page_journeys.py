"""One order's page: what a person changes there reaches the store, and what the order says stands there."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from builders.journeys import Goods, Journey, travel
from builders.orders import eur, make_order
from storebridge.cli.orders import view_lines
from storebridge.connectors.http import Request
from storebridge.model.sales import Address, Buyer, Discount, Tracking
from storebridge.web.console.app import build_console_app
from storebridge_proving.asgi_transport import AsgiTransport

MUG = Goods("A", {"shopify": 9, "wix": 9})


async def ask(journey: Journey, path: str, **form: str) -> tuple[int, str]:
    network = AsgiTransport({"http://localhost": build_console_app(journey.bridge)})
    headers = {"content-type": "application/x-www-form-urlencoded"} if form else {}
    method, body = ("POST" if form else "GET"), urlencode(form).encode()
    answer = await network.send(Request(method, f"http://localhost{path}", headers, body, 20.0))
    return answer.status, answer.body.decode()


def test_a_parcel_gets_its_number_on_the_orders_page_and_is_withdrawn_there() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 2)
        await journey.pass_time(60.0)
        moved = await journey.ship("shopify", tracking=Tracking(), reference="box")
        await journey.pass_time(120.0)
        path = "/orders/%231001"
        assert f'value="{moved.parcel_key}"' in (await ask(journey, path))[1]
        tracked = {"what": "track", "parcel": moved.parcel_key}
        assert (await ask(journey, path, **tracked))[0] == 409
        assert (await ask(journey, path, what="track", parcel="other", number="1"))[0] == 409
        assert (await ask(journey, path, company="DHL", number="JD9", **tracked))[0] == 303
        await journey.pass_time(120.0)
        assert await journey.parcels("shopify") == [("JD9", 2)]
        assert (await ask(journey, path, what="withdraw", parcel=moved.parcel_key))[0] == 303
        await journey.pass_time(120.0)
        assert (await journey.queue())["shopify"].queued.units_to_ship == 2
        assert f'value="{moved.parcel_key}"' not in (await ask(journey, path))[1]

    travel(play, MUG)


def test_show_tells_where_to_and_what_was_written() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 2)
        await journey.pass_time(60.0)
        view = (await journey.queue())["shopify"]
        order = make_order(
            shipping_address=Address("Ann", "Lee", street="High Street 1", city="Leith", country="GB"),
            buyer=Buyer(email="ann@example.org"),
            note="ring twice",
            tags=("gift", "vip"),
            discounts=(Discount("Summer", eur("1.00"), "SUMMER"),),
        )
        lines = view_lines(msgspec.structs.replace(view, order=order))
        assert "To: Ann Lee, High Street 1, Leith, GB" in lines
        assert lines.index("Note: ring twice") == lines.index("E-mail: ann@example.org") + 1
        assert ("Tags: gift, vip" in lines, "Discounts: SUMMER" in lines) == (True, True)

    travel(play, MUG)
