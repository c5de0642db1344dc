"""The storefront's checkout asks an app before it sells: the Validations service plugin, with its unproven points."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from wix_site import Site, with_site

from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import STORES_APP_ID, WixOptions
from storebridge_sandbox.world import Unreachable

GUARD = "https://bridge.test/guard"


@dataclass
class App:
    """An app that answers with one violation after the other, then with none; ``seconds`` is how slow it is."""

    answers: list[Any] = field(default_factory=list)
    seconds: float = 0.0
    status: int = 200
    urls: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> tuple[int, bytes]:
        assert headers["content-type"].startswith("text/plain")
        self.urls.append(url)
        self.bodies.append(body)
        await asyncio.sleep(min(self.seconds, timeout_seconds))
        if self.seconds > timeout_seconds:
            raise Unreachable("too slow")
        found = self.answers.pop(0) if self.answers else []
        return self.status, found if isinstance(found, bytes) else msgspec.json.encode({"violations": found})


def against(description: str, severity: str = "ERROR", line_id: str | None = None) -> list[dict[str, Any]]:
    other: dict[str, Any] = {"other": {"name": "OTHER_DEFAULT"}}
    target = {"lineItem": {"name": "LINE_ITEM_DEFAULT", "id": line_id}} if line_id else other
    return [{"severity": severity, "target": target, "description": description}]


def play_with(app: App, play: Any, **quirks: Any) -> None:
    async def guarded(site: Site) -> None:
        site.store.guard._ask = app
        answer = await site.ask("PUT", "/_sandbox/checkout_guard", {"deployment_uri": GUARD, "validate_in_cart": False})
        assert answer.status == 200
        await play(site)

    with_site(guarded, WixOptions(quirks=WixQuirks(**quirks)))


async def control(site: Site, path: str, body: object = None, method: str = "POST") -> tuple[int, Any]:
    answer = await site.ask(method, f"/_sandbox/{path}", body)
    return answer.status, msgspec.json.decode(answer.body)


def opened(site: Site, body: bytes) -> dict[str, Any]:
    """As the vendor's own server code opens it: RS256, issuer and audience checked."""
    key = RSAKey.import_key(site.store.credentials()["webhook_public_key"])
    claims = jwt.decode(body.decode(), key, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"]) == ("wix.com", site.store.access.app_id)
    assert claims["exp"] > claims["iat"]
    return dict(claims["data"])


def test_nobody_is_asked_unless_an_app_says_where_it_answers() -> None:
    app = App([against("No")])

    async def play(site: Site) -> None:
        await control(site, "checkout_guard", {"deployment_uri": None}, "PUT")
        assert (await site.buy("MUG", 1))[0] == 201

    play_with(app, play)
    assert app.bodies == []


def test_one_purchase_asks_several_times_under_one_purchase_flow_that_ends_in_the_order() -> None:
    app = App()

    async def play(site: Site) -> None:
        status, told = await site.buy("SHIRT-S", 2, customer={"email": "ann@example.org", "first_name": "Ann"})
        _, got = await site.call("GET", f"/ecom/v1/orders/{told['order_id']}")
        order, variant = got["order"], site.store.shelf.by_sku["SHIRT-S"]
        asked = [opened(site, body) for body in app.bodies]
        first = asked[0]["request"]["validationInfo"]

        assert (status, set(app.urls)) == (201, {f"{GUARD}/v1/get-violations"})
        assert len(asked) == 4
        assert {one["request"]["sourceInfo"]["purchaseFlowId"] for one in asked} == {order["purchaseFlowId"]}
        assert {one["request"]["sourceInfo"]["source"] for one in asked} == {"CHECKOUT"}
        assert asked[0]["metadata"]["appExtensionType"] == "ECOM_VALIDATIONS"
        assert asked[0]["metadata"]["instanceId"] == site.store.access.instance_id
        assert first["buyerDetails"] == {"email": "ann@example.org"}
        assert first["priceSummary"]["total"]["amount"] == "25.00"
        (line,) = first["lineItems"]
        assert (line["id"], line["quantity"]) == (order["lineItems"][0]["id"], 2)
        assert line["physicalProperties"]["sku"] == "SHIRT-S"
        assert line["catalogReference"] == {
            "catalogItemId": variant.product.id,
            "appId": STORES_APP_ID,
            "options": {"variantId": variant.variant_id},
        }

    play_with(app, play)


def test_an_error_refuses_the_order_in_the_apps_words_and_nothing_is_sold() -> None:
    app = App([against("Only 1 left in our other shop")])

    async def play(site: Site) -> None:
        assert await site.buy("MUG", 2) == (
            409,
            {"error": "violation", "description": "Only 1 left in our other shop"},
        )
        truth = await site.truth()

        assert (truth["orders"], truth["movements"]) == ([], [])
        assert (await site.buy("MUG", 2))[0] == 201

    play_with(app, play)


def test_a_warning_lets_the_order_pass() -> None:
    app = App([against("Ships slowly", "WARNING")] * 4)

    async def play(site: Site) -> None:
        assert (await site.buy("MUG", 2))[0] == 201

    play_with(app, play)


def test_a_checkout_goes_step_by_step_and_a_violation_names_its_line_until_it_is_gone() -> None:
    app = App()

    async def play(site: Site) -> None:
        body = {"lines": [{"sku": "MUG", "quantity": 3}]}
        _, checkout = await control(site, "checkouts", body)
        path, line = f"checkouts/{checkout['checkout_id']}", checkout["lines"][0]["id"]
        app.answers = [against("Too many", line_id=line)] * 2
        _, changed = await control(site, f"{path}/change", {"lines": [{"sku": "MUG", "quantity": 4}]})
        refused = await control(site, f"{path}/place")
        await control(site, f"{path}/change", {"lines": [{"sku": "MUG", "quantity": 2}]})
        status, placed = await control(site, f"{path}/place", {"paid": False})

        assert changed["violations"][0]["description"] == "Too many"
        assert changed["lines"][0]["id"] == line
        assert refused == (409, {"error": "violation", "description": "Too many", "sku": "MUG"})
        assert (status, (await site.levels())["MUG"]) == (201, 3)
        assert (await control(site, f"{path}/place"))[0] == 404
        _, told = await control(site, "checkout_guard", None, "GET")
        assert {call["purchase_flow_id"] for call in told["calls"]} == {checkout["purchase_flow_id"]}
        assert placed["name"] == "10001"

    play_with(app, play)


def test_an_abandoned_checkout_sells_nothing_and_tells_nobody() -> None:
    app = App()

    async def play(site: Site) -> None:
        _, checkout = await control(site, "checkouts", {"lines": [{"sku": "MUG", "quantity": 3}]})
        path = f"checkouts/{checkout['checkout_id']}"
        assert (await control(site, path, None, "DELETE"))[0] == 200
        assert (await control(site, path, None, "DELETE"))[0] == 404
        assert (await site.levels())["MUG"] == 5

    play_with(app, play)
    assert len(app.bodies) == 1


def test_the_cart_is_validated_too_when_the_app_asks_for_it() -> None:
    app = App()

    async def play(site: Site) -> None:
        await control(site, "checkout_guard", {"deployment_uri": GUARD, "validate_in_cart": True}, "PUT")
        await site.buy("MUG", 1)
        sources = [opened(site, body)["request"]["sourceInfo"]["source"] for body in app.bodies]

        assert sources == ["CART", *["CHECKOUT"] * 4]

    play_with(app, play)


@pytest.mark.parametrize(("again", "status"), [(True, 409), (False, 201)])
def test_g1_whether_the_guard_is_asked_once_more_at_placement(again: bool, status: int) -> None:
    app = App([[], [], [], against("Sold elsewhere")])

    async def play(site: Site) -> None:
        assert (await site.buy("MUG", 1))[0] == status

    play_with(app, play, g1_called_at_placement=again)
    assert len(app.bodies) == (4 if again else 3)


@pytest.mark.parametrize(("passes", "status"), [(True, 201), (False, 409)])
@pytest.mark.parametrize("trouble", ["slow", "error", "nonsense"])
def test_g2_what_a_guard_that_does_not_answer_means(passes: bool, status: int, trouble: str) -> None:
    app = App([against("No")] * 9)
    if trouble == "slow":
        app.seconds = 3.0
    elif trouble == "error":
        app.status = 500
    else:
        app.answers = [b"<html>"] * 9

    async def play(site: Site) -> None:
        began = site.clock.now()
        assert (await site.buy("MUG", 1))[0] == status
        waited = (site.clock.now() - began).total_seconds()
        assert waited == pytest.approx(2.0 * len(app.bodies) if trouble == "slow" else 0.0, abs=0.5)

    play_with(app, play, g2_passes_without_answer=passes, g2_timeout_seconds=2.0)


def test_a_partition_keeps_the_questions_in() -> None:
    app = App([against("No")])

    async def play(site: Site) -> None:
        await site.ask("PUT", "/_sandbox/faults", {"partitioned": True})
        assert (await site.buy("MUG", 1))[0] == 201

    play_with(app, play)
    assert app.bodies == []


@pytest.mark.parametrize(
    ("bypass", "statuses"), [(("express", "pos", "manual"), [201, 201, 201]), ((), [409, 409, 409])]
)
def test_g3_which_ways_to_buy_go_past_the_guard(bypass: tuple[str, ...], statuses: list[int]) -> None:
    app = App([against("No")] * 3)

    async def play(site: Site) -> None:
        answers = [await site.buy("MUG", 1, channel=channel) for channel in ("express", "pos", "manual")]
        assert [status for status, _ in answers] == statuses
        _, told = await site.call("POST", "/ecom/v1/orders/search", {"search": {"sort": [{"fieldName": "number"}]}})
        types = [order["channelInfo"]["type"] for order in told["orders"]]
        assert types == (["WEB", "POS", "BACKOFFICE_MERCHANT"] if bypass else [])

    play_with(app, play, g3_bypass_channels=bypass)


@pytest.mark.parametrize(("quantity", "past"), [(1, False), (2, True)], ids=["as it was", "one more"])
def test_units_that_staff_add_to_an_order_go_past_the_guard(quantity: int, past: bool) -> None:
    async def play(site: Site) -> None:
        _, told = await site.buy("MUG", 1)
        _, shirt = await site.buy("SHIRT-S", 2)
        assert [order["past_guard"] for order in (await control(site, "truth", method="GET"))[1]["orders"]] == [
            False
        ] * 2
        edit = {"lines": [{"sku": "MUG", "quantity": quantity}]}
        status, _ = await control(site, f"orders/{told['order_id']}/edit", edit)
        assert status == 200
        orders = (await control(site, "truth", method="GET"))[1]["orders"]
        assert {order["id"]: order["past_guard"] for order in orders} == {
            told["order_id"]: past,
            shirt["order_id"]: False,
        }

    play_with(App(), play)


@pytest.mark.parametrize(("when", "error", "asked"), [("before", "out_of_stock", 0), ("after", "violation", 1)])
def test_g4_whether_the_site_looks_at_its_own_stock_first(when: Any, error: str, asked: int) -> None:
    app = App([against("No")])

    async def play(site: Site) -> None:
        status, told = await site.buy("MUG", 6)
        assert (status, told["error"]) == (409, error)

    play_with(app, play, g4_own_stock_check=when)
    assert len(app.bodies) == asked


def test_the_stock_is_looked_at_when_the_order_is_made_whatever_the_guard_said() -> None:
    app = App()

    async def play(site: Site) -> None:
        _, checkout = await control(site, "checkouts", {"lines": [{"sku": "MUG", "quantity": 3}]})
        await site.ask("POST", "/_sandbox/adjust", {"sku": "MUG", "set": 1})
        path = f"checkouts/{checkout['checkout_id']}/place"

        assert await control(site, path) == (409, {"error": "out_of_stock", "sku": "MUG"})
        assert (await site.levels())["MUG"] == 1

    play_with(app, play, g4_own_stock_check="after")


def test_two_shoppers_at_the_last_unit_get_one_order_while_the_guard_thinks() -> None:
    app = App(seconds=1.0)

    async def play(site: Site) -> None:
        await site.ask("POST", "/_sandbox/adjust", {"sku": "MUG", "set": 1})
        answers = await asyncio.gather(*(site.buy("MUG", 1) for _ in range(5)))

        assert sorted(status for status, _ in answers) == [201, 409, 409, 409, 409]
        assert (await site.levels())["MUG"] == 0

    play_with(app, play)
