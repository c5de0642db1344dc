"""Who gets into the pretend Shopify shop, and how often: tokens, and the cost bucket."""

from __future__ import annotations

import asyncio

import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.quirks import ShopifyOptions

LOCATIONS = "query places($n: Int!) { locations(first: $n) { nodes { id name } } }"


# -- costs ---------------------------------------------------------------------------------------------------


def test_a_call_beyond_the_bucket_is_throttled_with_status_200() -> None:
    async def play(shop: Shop) -> None:
        fits = await shop.told(LOCATIONS, n=2)
        spent = await shop.told(LOCATIONS, n=250)
        await asyncio.sleep(1)
        later = await shop.told(LOCATIONS, n=2)

        assert fits["extensions"]["cost"] == {
            "requestedQueryCost": 3,
            "actualQueryCost": 3,
            "throttleStatus": {"maximumAvailable": 10.0, "currentlyAvailable": 7, "restoreRate": 1.0},
        }
        assert "data" not in spent
        assert spent["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert spent["extensions"]["cost"]["requestedQueryCost"] == 13
        assert spent["extensions"]["cost"]["actualQueryCost"] is None
        assert later["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 5

    with_shop(play, ShopifyOptions(bucket_size=10.0, restore_rate=1.0))


def test_throttled_may_come_with_status_429() -> None:
    async def play(shop: Shop) -> None:
        assert (await shop.answer_to(LOCATIONS, {"n": 250})).status == 429

    with_shop(play, ShopifyOptions(bucket_size=1.0, throttled_status=429))


def test_a_single_question_has_a_highest_cost() -> None:
    async def play(shop: Shop) -> None:
        dear = (
            "query dear { products(first: 250) { nodes { variants(first: 250) { nodes { inventoryItem {"
            " inventoryLevels(first: 250) { nodes { location { id } } } } } } } } }"
        )
        told = await shop.told(dear)

        assert told["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
        assert told["errors"][0]["extensions"]["maxCost"] == 1000

    with_shop(play)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("query wrong { shop { colour } }", "Field 'colour' doesn't exist on type 'Shop'"),
        ("query wrong {", "syntax error, Expected Name, found <EOF>."),
    ],
)
def test_a_question_that_does_not_fit_the_schema_is_refused(query: str, message: str) -> None:
    async def play(shop: Shop) -> None:
        assert [error["message"] for error in (await shop.told(query))["errors"]] == [message]

    with_shop(play)


# -- tokens --------------------------------------------------------------------------------------------------


async def status_with(shop: Shop, token: str) -> int:
    return (await shop.answer_to(LOCATIONS, {"n": 1}, token)).status


def test_a_token_is_granted_and_ends() -> None:
    async def play(shop: Shop) -> None:
        status, told = await shop.grant(grant_type="client_credentials")
        token = told["access_token"]

        assert (status, told["expires_in"], "write_inventory" in told["scope"].split(",")) == (200, 86_399, True)
        assert await status_with(shop, token) == 200
        await asyncio.sleep(86_400)
        assert await status_with(shop, token) == 401

    with_shop(play)


def test_a_refresh_token_works_once() -> None:
    async def play(shop: Shop) -> None:
        first = shop.store.credentials()["refresh_token"]
        status, told = await shop.grant(grant_type="refresh_token", refresh_token=first)
        again = await shop.grant(grant_type="refresh_token", refresh_token=first)
        successor, _ = await shop.grant(grant_type="refresh_token", refresh_token=told["refresh_token"])

        assert (status, told["expires_in"], successor) == (200, 3600, 200)
        assert told["refresh_token"] != first
        assert (again[0], again[1]["error"]) == (400, "invalid_grant")
        assert await status_with(shop, told["access_token"]) == 200

    with_shop(play)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "x", "grant_type": "client_credentials"}, "application_cannot_be_found"),
        ({"client_secret": "x", "grant_type": "client_credentials"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_is_not_given_to_everybody(form: dict[str, str], error: str) -> None:
    async def play(shop: Shop) -> None:
        status, told = await shop.grant(**form)
        assert (status, told["error"]) == (400, error)

    with_shop(play)


def test_revoked_tokens_are_401() -> None:
    async def play(shop: Shop) -> None:
        held = shop.store.credentials()
        granted = (await shop.grant(grant_type="client_credentials"))[1]["access_token"]
        assert await shop.play("tokens/revoke") == (200, {})

        assert [await status_with(shop, token) for token in (held["access_token"], granted, "nonsense")] == [401] * 3
        assert (await shop.grant(grant_type="refresh_token", refresh_token=held["refresh_token"]))[0] == 400
        fresh = (await shop.grant(grant_type="client_credentials"))[1]["access_token"]
        assert await status_with(shop, fresh) == 200

    with_shop(play)
