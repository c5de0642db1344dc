"""A vendor asks about a buyer: what is kept is forgotten or told, and nothing of stock changes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from builders.journeys import ANN, INTAKE_URL, Journey, travel
from storebridge_proving.store_client import CartLine

BEN = {"email": "ben@example.org", "phone": "+15550111", "first_name": "Ben", "last_name": "Ott"}
both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])


async def ask(journey: Journey, topic: str, **body: Any) -> None:
    """Shopify sends one of its compliance topics."""
    credentials = await journey.shopify.credentials()
    raw = json.dumps({"shop_domain": credentials["shop"], **body}).encode()
    signature = hmac.new(credentials["webhook_secret"].encode(), raw, hashlib.sha256).digest()
    headers = {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": credentials["shop"],
        "x-shopify-webhook-id": f"privacy-{topic}",
        "x-shopify-hmac-sha256": base64.b64encode(signature).decode(),
    }
    assert await journey.post(f"{INTAKE_URL}/hooks/shopify", headers, raw, 20.0) == 200
    await journey.pass_time(60.0)


async def told_of(journey: Journey, person: dict[str, str]) -> dict[str, int]:
    """In how many rows of each table somebody's address stands."""
    found = {}
    for table, column in (("sales", "document"), ("copies", "document"), ("deliveries", "body"), ("calls", "body")):
        rows = await journey.rows(f"select {column} from {table} where {column} is not null")
        texts = [bytes(text) if not isinstance(text, str) else text.encode() for (text,) in rows]
        found[table] = sum(person["email"].encode() in text for text in texts)
    audit = await journey.rows("select record from audit")
    found["audit"] = sum(person["email"] in str(record) for (record,) in audit)
    return found


def number(order_id: str) -> int:
    return int(order_id.rsplit("/", 1)[-1])


async def customer_of(journey: Journey, order_id: str) -> int:
    documents = [json.loads(text) for (text,) in await journey.rows("select document from sales")]
    (mine,) = [document for document in documents if document["order_id"] == order_id]
    return number(mine["buyer"]["customer_id"])


def register(journey: Journey, order_id: str, person: dict[str, str]) -> None:
    """The store knows the buyer of an order as a customer."""
    office = journey.stores.shopify.office
    asked = {"email": person["email"], "firstName": person["first_name"], "lastName": person["last_name"]}
    found = office.buyers.of_order({"toUpsert": asked})
    assert found is not None
    office.book.orders[order_id].customer_id = found[0]


async def trade(journey: Journey) -> tuple[str, str]:
    """Ann and Ben buy in the Shopify store; returns their orders."""
    await journey.begin()
    ann = await journey.shopify.checkout([CartLine("A", 1)], ANN, paid=True)
    ben = await journey.shopify.checkout([CartLine("A", 2)], BEN, paid=True)
    register(journey, ann, ANN)
    register(journey, ben, BEN)
    await journey.pass_time(120.0)
    assert (await told_of(journey, ANN))["sales"] == 1
    assert (await told_of(journey, ANN))["deliveries"] >= 1
    return ann, ben


NOBODY = {"sales": 0, "copies": 0, "deliveries": 0, "calls": 0, "audit": 0}


@both_databases
def test_a_buyer_who_is_to_be_forgotten_is_forgotten_and_nobody_else(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        ann, _ = await trade(journey)
        before, others = await journey.books(), await told_of(journey, BEN)
        customer = {"id": await customer_of(journey, ann), "email": ANN["email"], "phone": ANN["phone"]}
        await ask(journey, "customers/redact", customer=customer, orders_to_redact=[number(ann)])
        assert await told_of(journey, ANN) == NOBODY
        assert await told_of(journey, BEN) == others
        assert await journey.books() == before
        ((record,),) = await journey.rows("select record from audit where kind = 'privacy_request'")
        receipt = json.loads(record)
        assert (receipt["topic"], receipt["orders"]) == ("customers/redact", 1)
        assert receipt["deliveries"] >= 1
        assert await journey.reasons() == []
        waiting = await journey.rows("select entity, state from signals where flow = 'privacy'")
        assert waiting == [("forgotten", "confirmed")] * 2

    travel(play, orders={"keep": True}, postgres=postgres)


def test_orders_that_the_request_does_not_name_are_found_by_their_buyer() -> None:
    async def play(journey: Journey) -> None:
        ann, _ = await trade(journey)
        await ask(journey, "customers/redact", customer={"id": await customer_of(journey, ann)}, orders_to_redact=[])
        assert (await told_of(journey, ANN))["sales"] == 0
        assert (await told_of(journey, BEN))["sales"] == 1

    travel(play, orders={"keep": True})


def test_a_buyer_who_asks_what_is_kept_is_a_case_that_names_the_orders() -> None:
    async def play(journey: Journey) -> None:
        ann, _ = await trade(journey)
        before = await told_of(journey, ANN)
        customer = {"id": await customer_of(journey, ann)}
        await ask(journey, "customers/data_request", customer=customer, orders_requested=[number(ann)])
        (case,) = await journey.cases("buyer_asks_for_data")
        assert case.payload is not None
        assert len(case.payload["orders"]) == 1
        assert await told_of(journey, ANN) == before

    travel(play, orders={"keep": True})


def test_a_store_whose_app_was_removed_keeps_no_buyer_even_when_it_cannot_be_reached() -> None:
    async def play(journey: Journey) -> None:
        await trade(journey)
        await journey.faults("shopify", partitioned=True)
        goods = (await journey.books())["goods"]
        await ask(journey, "shop/redact", shop_id=1)
        assert await told_of(journey, ANN) == NOBODY
        assert await told_of(journey, BEN) == NOBODY
        assert (await journey.books())["goods"] == goods
        assert await journey.rows("select distinct state from signals where flow = 'privacy'") == [("confirmed",)]

    travel(play, orders={"keep": True})


def test_a_request_that_names_nobody_is_stored_and_told() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await ask(journey, "customers/redact", customer=None)
        (case,) = await journey.cases("delivery_unreadable")
        assert case.field == "the body has no id"

    travel(play)
