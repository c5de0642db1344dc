"""Deliveries that nobody should send: forged, too large, too deep, ambiguous, unknown."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from builders.journeys import INTAKE_URL, Journey, travel
from storebridge_sandbox.wix.signing import webhook_body

MOST_BYTES = 2 * 1024 * 1024


async def _deliver(journey: Journey, body: bytes, *, sign_with: bytes | None = None, **headers: str) -> int:
    """As Shopify would, with the shop's own secret unless told otherwise."""
    credentials = await journey.shopify.credentials()
    secret = credentials["webhook_secret"].encode() if sign_with is None else sign_with
    told = {
        "content-type": "application/json",
        "x-shopify-topic": "inventory_levels/update",
        "x-shopify-shop-domain": credentials["shop"],
        "x-shopify-webhook-id": hashlib.sha256(body).hexdigest()[:20],
        "x-shopify-hmac-sha256": base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode(),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return await journey.post(f"{INTAKE_URL}/hooks/shopify", told, body, 20.0)


async def _stored(journey: Journey) -> int:
    return int((await journey.rows("select count(*) from deliveries"))[0][0])


async def _tallies(journey: Journey) -> dict[str, int]:
    counted = "select name, sum(count) from tallies where name like 'deliveries%' group by name"
    return {str(name): int(count) for name, count in await journey.rows(counted)}


def test_a_forged_delivery_is_refused_counted_and_changes_nothing() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        before, stored = await journey.books(), await _stored(journey)
        body = b'{"inventory_item_id": 1}'
        assert await _deliver(journey, body, sign_with=b"guess") == 401
        assert await _deliver(journey, body, x_shopify_hmac_sha256="") == 401
        assert await _deliver(journey, body, x_shopify_hmac_sha256="é".encode().decode("latin-1")) == 401
        assert await _deliver(journey, body, x_shopify_shop_domain="another.myshopify.com") == 401
        assert await journey.post(f"{INTAKE_URL}/hooks/wix", {}, b"a.b.c", 20.0) == 401
        assert await journey.post(f"{INTAKE_URL}/hooks/nobody", {}, body, 20.0) == 404
        await journey.pass_time(60.0)
        assert await journey.books() == before
        assert await _stored(journey) == stored
        assert await _tallies(journey) == {"deliveries_forged": 5}

    travel(play)


def test_an_oversized_delivery_is_refused_unread() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        before, stored = await journey.books(), await _stored(journey)
        assert await _deliver(journey, b" " * (MOST_BYTES + 1)) == 413
        await journey.pass_time(60.0)
        assert await journey.books() == before
        assert await _stored(journey) == stored
        assert await _tallies(journey) == {"deliveries_oversized": 1}

    travel(play)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[" * 65 + b"]" * 65, "it is nested deeper than 64"),
        (b"[" * 100_000, "it is nested deeper than 64"),
        (b'{"inventory_item_id": 1, "inventory_item_id": 2}', "a key stands twice in one object"),
        (b"not json", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b'{"inventory_item_id": NaN}', ""),
        (b"[]", "the body is not an object"),
        (b"{}", "the body has no inventory_item_id"),
        (b'{"inventory_item_id": "1"}', "the body has no inventory_item_id"),
        (b'{"inventory_item_id": true}', "the body has no inventory_item_id"),
    ],
)
def test_a_signed_delivery_that_cannot_be_read_is_stored_and_told(body: bytes, problem: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        goods = (await journey.books())["goods"]
        assert await _deliver(journey, body) == 200
        assert await _deliver(journey, body) == 200
        await journey.pass_time(60.0)
        (case,) = await journey.cases("delivery_unreadable")
        assert problem in case.field
        ((kept, copies),) = await journey.rows("select body, copies from deliveries where problem <> ''")
        assert (bytes(kept), copies) == (body, 2)
        states = await journey.rows(
            "select distinct s.state from signals s join deliveries d on d.delivery_id = s.delivery_id "
            "where d.problem <> ''"
        )
        assert states == [("exception",)]
        assert (await journey.books())["goods"] == goods
        await journey.buy("shopify", 1)
        await journey.pass_time(20.0)
        assert await journey.levels() == {"shopify": 9, "wix": 9}

    travel(play)


def test_an_unknown_topic_is_stored_and_told() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        assert await _deliver(journey, b"{}", x_shopify_topic="moons/full") == 200
        await journey.pass_time(60.0)
        (case,) = await journey.cases("delivery_unreadable")
        assert case.field == "unknown topic moons/full"

    travel(play)


def test_a_delivery_about_goods_that_we_do_not_keep_is_closed_without_a_write() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        before = await journey.books()
        assert await _deliver(journey, b'{"inventory_item_id": 987654321, "available": 0}') == 200
        await journey.pass_time(400.0)
        assert await journey.books() == before
        assert await journey.rows("select distinct state from signals where state = 'waiting'") == []

    travel(play)


def test_the_number_in_a_delivery_is_never_believed() -> None:
    """A signed lie about a level causes a read, and the read decides."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        ((item,),) = await journey.rows("select distinct item_id from positions where connection = 'shopify'")
        number = item.rsplit("/", 1)[-1]
        lie = f'{{"inventory_item_id": {number}, "available": 0, "updated_at": "2026-03-02T08:00:00Z"}}'
        assert await _deliver(journey, lie.encode()) == 200
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        assert await journey.goods_left() == 10
        assert await journey.stock_writes("wix") == 0

    travel(play)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"data": "{}"}, 200),
        ({"data": "not json"}, 200),
        ({"data": "[" * 100 + "]" * 100}, 200),
        ({"data": "{}", "instanceId": "another"}, 401),
    ],
)
def test_odd_wix_deliveries_are_stored_when_they_are_signed_for_us(event: dict[str, Any], status: int) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        goods, stored = (await journey.books())["goods"], await _stored(journey)
        instance = (await journey.wix.credentials())["instance_id"]
        envelope = {"instanceId": instance, "eventType": "wix.odd", "identity": "{}", **event}
        body = webhook_body(envelope, int(journey.clock.now().timestamp()))
        assert await journey.post(f"{INTAKE_URL}/hooks/wix", {}, body, 20.0) == status
        await journey.pass_time(60.0)
        assert await _stored(journey) == stored + (status == 200)
        assert (await journey.books())["goods"] == goods
        assert len(await journey.cases("delivery_unreadable")) == (status == 200)

    travel(play)
