"""Who gets into the pretend Shopify shop, and how often: tokens, and the cost bucket."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from shopify_shop import BASE, Shop, with_shop

from storebridge.connectors.http import Request
from storebridge_sandbox.shopify.quirks import Plan, ShopifyOptions

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
    ("window", "message"),
    [
        ("", "you must provide one of first or last"),
        ("(first: 1, last: 1)", "providing both first and last is not supported"),
        ('(first: 1, before: "x")', "using first with before is not supported"),
        ('(last: 1, after: "x")', "using last with after is not supported"),
        ("(first: -1)", "first cannot be negative"),
        (
            "(last: 251)",
            "last cannot exceed 250. To query larger amounts of data with fewer limits, bulk operations should be used "
            "instead.",
        ),
    ],
)
def test_a_window_that_the_vendor_does_not_page_by_is_refused(window: str, message: str) -> None:
    async def play(shop: Shop) -> None:
        told = await shop.told(f"query Wrong {{ products{window} {{ nodes {{ id }} }} }}")
        assert [(one["message"], one["path"]) for one in told["errors"]] == [(message, ["products"])]
        assert (told["errors"][0]["extensions"], told["data"]) == ({"code": "BAD_REQUEST"}, None)

    with_shop(play)


@pytest.mark.parametrize("given", ["gid://shopify/Order/1", "gid://shopify/Product/0"])
def test_an_id_of_another_kind_is_refused_and_an_unknown_one_is_null(given: str) -> None:
    async def play(shop: Shop) -> None:
        ask = "query One($id: ID!) { product(id: $id) { id } }"
        told = await shop.told(ask, id=given)
        assert told["data"] == {"product": None}
        assert [(one["message"], one["extensions"]) for one in told["errors"]] == [
            (f"Invalid id: {given}", {"code": "RESOURCE_NOT_FOUND"})
        ]
        assert "errors" not in await shop.told(ask, id="gid://shopify/Product/999")

    with_shop(play)


@pytest.mark.parametrize("given", ["8800000001", 8800000001, ""])
def test_a_bare_number_is_no_global_id(given: object) -> None:
    async def play(shop: Shop) -> None:
        told = await shop.told("query One($id: ID!) { product(id: $id) { id } }", id=given)
        (error,) = told["errors"]
        assert error["message"] == "Variable $id of type ID! was provided invalid value"
        assert error["extensions"]["problems"][0]["explanation"] == f"Invalid global id '{given}'"

    with_shop(play)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"query": "{ shop { id } }", "variables": "{}"}', "application/json", 200),
        (b"{ shop { id } }", "application/graphql", 200),
        (b'{"query": ""}', "application/json", 400),
        (b'{"query": 5}', "application/json", 400),
        (b'{"query": "{ shop { id } }", "variables": [1]}', "application/json", 400),
        (b"{ shop { id } }", "application/json", 400),
    ],
)
def test_a_body_is_json_or_bare_graphql_of_that_type(body: bytes, kind: str, status: int) -> None:
    async def play(shop: Shop) -> None:
        token = shop.store.credentials()["access_token"]
        headers = {"x-shopify-access-token": token, "content-type": kind}
        path = f"{BASE}/admin/api/2026-10/graphql.json"
        answer = await shop.transport.send(Request("POST", path, headers, body, 9.0))
        told = msgspec.json.decode(answer.body)
        assert answer.status == status
        if status == 400:
            assert told == {"errors": {"query": "Required parameter missing or invalid"}}
        else:
            assert told["data"] == {"shop": {"id": "gid://shopify/Shop/1"}}

    with_shop(play)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ shop { name } } }", 'syntax error, unexpected RCURLY ("}") at [1, 19]'),
        ("foo", 'syntax error, unexpected IDENTIFIER ("foo") at [1, 1]'),
        ("{ shop(a 1) { id } }", 'syntax error, unexpected INT ("1"), expecting COLON at [1, 10]'),
        ("{ shop { ? } }", 'syntax error, unexpected invalid token ("?") at [1, 10]'),
        ("query wrong { shop { colour } }", "Field 'colour' doesn't exist on type 'Shop'"),
        ("query wrong {", "syntax error, unexpected end of file at [1, 13]"),
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


@pytest.mark.parametrize(("plan", "size", "name"), [("standard", 2000, "Basic"), ("plus", 20_000, "Shopify Plus")])
def test_a_dearer_plan_has_a_larger_bucket(plan: Plan, size: int, name: str) -> None:
    async def play(shop: Shop) -> None:
        told = await shop.told("query Plan { shop { plan { displayName } } }")
        status = told["extensions"]["cost"]["throttleStatus"]
        assert (status["maximumAvailable"], status["restoreRate"]) == (size, size / 20)
        assert told["data"]["shop"]["plan"]["displayName"] == name

    with_shop(play, ShopifyOptions(plan=plan))


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
