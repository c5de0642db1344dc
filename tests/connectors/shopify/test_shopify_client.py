"""One call and its answer: what goes on the wire, and what each kind of refusal means for a question."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from shopify_answers import (
    CLIENT_SECRET,
    GRAPHQL_PATH,
    SHOP,
    THROTTLED,
    HandClock,
    ScriptedWire,
    answer,
    connect,
    data,
    rows,
    top_error,
)

from storebridge.connectors.http import NoAnswer, NotSent, Response
from storebridge.connectors.port import Blame, CallTrouble, Remedy, RowOutcome, StockWrite
from storebridge.connectors.shopify.client import MAX_ANSWER_BYTES, server_time
from storebridge.connectors.shopify.read import LIST_LOCATIONS
from storebridge.model.ids import IntentId, ItemId, LocationId

NOBODY = answer({"errors": "[API] Invalid API key or access token"}, 401)
DONE = data(stock={"inventoryAdjustmentGroup": {"id": "gid://shopify/InventoryAdjustmentGroup/1"}, "userErrors": []})
PLACE = {"id": "gid://shopify/Location/7", "name": "Main", "isActive": True, "fulfillsOnlineOrders": True}
WRITE = StockWrite(
    IntentId("intent-1"), ItemId("gid://shopify/InventoryItem/1"), LocationId("gid://shopify/Location/7"), 5, 3
)


def asked(*answers: Any, clock: HandClock | None = None) -> tuple[CallTrouble, ScriptedWire]:
    """The trouble that a question ran into."""
    wire = ScriptedWire()
    wire.on("locations", *answers)
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connect(wire, clock).list_locations())
    return caught.value, wire


def test_a_question_byte_for_byte() -> None:
    wire = ScriptedWire()
    wire.on("locations", data(page=rows(PLACE)))
    asyncio.run(connect(wire, timeout_seconds=7.5).list_locations())
    (request,) = wire.sent("locations")

    assert (request.method, request.url) == ("POST", f"https://{SHOP}{GRAPHQL_PATH}")
    assert dict(request.headers) == {
        "accept": "application/json",
        "content-type": "application/json",
        "x-shopify-access-token": "token-1",
    }
    assert request.timeout_seconds == 7.5
    assert msgspec.json.decode(request.body) == {"query": LIST_LOCATIONS.document, "variables": {"after": None}}


@pytest.mark.parametrize(
    ("given", "remedy", "blame", "code"),
    [
        (NotSent("no route"), Remedy.RETRY, Blame.NETWORK, ""),
        (NoAnswer("timed out"), Remedy.RETRY, Blame.NETWORK, ""),
        (answer("down", 500), Remedy.RETRY, Blame.VENDOR, "500"),
        (answer("<html>bad gateway</html>", 502), Remedy.RETRY, Blame.VENDOR, "502"),
        (answer("down", 503), Remedy.RETRY, Blame.VENDOR, "503"),
        (answer("slow", 429), Remedy.SLOW_DOWN, Blame.OURSELVES, "429"),
        (answer(THROTTLED), Remedy.SLOW_DOWN, Blame.OURSELVES, "THROTTLED"),
        (answer("frozen", 402), Remedy.STOP, Blame.CONFIGURATION, "402"),
        (answer("gone", 404), Remedy.STOP, Blame.CONFIGURATION, "404"),
        (answer("locked", 423), Remedy.STOP, Blame.CONFIGURATION, "423"),
        (answer("", 301, {"location": "https://elsewhere.test/"}), Remedy.STOP, Blame.CONFIGURATION, "301"),
        (answer("bad", 400), Remedy.STOP, Blame.OURSELVES, "400"),
        (answer("too long", 413), Remedy.STOP, Blame.OURSELVES, "413"),
        (top_error("INTERNAL_SERVER_ERROR", "Request ID: 1"), Remedy.RETRY, Blame.VENDOR, "INTERNAL_SERVER_ERROR"),
        (top_error("TIMEOUT", "Timeout"), Remedy.RETRY, Blame.VENDOR, "TIMEOUT"),
        (top_error("ACCESS_DENIED", "no"), Remedy.STOP, Blame.CREDENTIALS, "ACCESS_DENIED"),
        (top_error("SHOP_INACTIVE", "closed"), Remedy.STOP, Blame.CONFIGURATION, "SHOP_INACTIVE"),
        (top_error("undefinedField", "no such field"), Remedy.STOP, Blame.OURSELVES, "undefinedField"),
        (answer({"errors": [{"message": "syntax error"}]}), Remedy.STOP, Blame.OURSELVES, "GRAPHQL"),
        (answer({"errors": []}), Remedy.RETRY, Blame.VENDOR, "SCHEMA_DRIFT"),
        (answer({"data": None}), Remedy.RETRY, Blame.VENDOR, "SCHEMA_DRIFT"),
        (answer("<html>maintenance</html>"), Remedy.RETRY, Blame.VENDOR, "SCHEMA_DRIFT"),
        (answer(b""), Remedy.RETRY, Blame.VENDOR, "SCHEMA_DRIFT"),
        (answer(b'{"data": ' + b"[" * 100_000), Remedy.RETRY, Blame.VENDOR, "SCHEMA_DRIFT"),
        (answer(b'{"data": {"page": {"nodes": [\xff]}}}'), Remedy.RETRY, Blame.VENDOR, "SCHEMA_DRIFT"),
        (data(page=rows({**PLACE, "isActive": "perhaps"})), Remedy.RETRY, Blame.VENDOR, "SCHEMA_DRIFT"),
    ],
)
def test_what_a_refused_question_means(given: Any, remedy: Remedy, blame: Blame, code: str) -> None:
    trouble, wire = asked(given)
    assert (trouble.remedy, trouble.blame, trouble.code) == (remedy, blame, code)
    assert len(wire.sent("locations")) == 1
    assert CLIENT_SECRET not in str(trouble)
    assert "token-1" not in str(trouble)


def test_an_answer_without_end_is_not_read() -> None:
    trouble, _ = asked(Response(200, {}, b" " * (MAX_ANSWER_BYTES + 1)))
    assert (trouble.remedy, trouble.code) == (Remedy.RETRY, "SCHEMA_DRIFT")


def test_fields_that_nobody_asked_for_are_ignored() -> None:
    wire = ScriptedWire()
    body = {"data": {"page": rows({**PLACE, "colour": "red"}), "more": 1}, "extensions": {"cost": "high"}, "new": []}
    wire.on("locations", answer(body))
    (place,) = asyncio.run(connect(wire).list_locations())
    assert (place.location_id, place.name) == ("gid://shopify/Location/7", "Main")


@pytest.mark.parametrize(
    ("told", "pause"),
    [("4.0", 4.0), ("0", 0.0), ("", 1.0), ("-3", 1.0), ("inf", 1.0), ("nan", 1.0), ("soon", 1.0), ("7200", 60.0)],
)
def test_how_long_a_429_pauses(told: str, pause: float) -> None:
    trouble, _ = asked(answer("slow", 429, {"retry-after": told}))
    assert trouble.retry_after_seconds == pause


def test_a_refused_token_is_renewed_once_and_never_in_a_circle() -> None:
    trouble, wire = asked(NOBODY)
    assert (trouble.remedy, trouble.blame, trouble.status) == (Remedy.STOP, Blame.CREDENTIALS, 401)
    assert [request.headers["x-shopify-access-token"] for request in wire.sent("locations")] == ["token-1", "token-2"]


def test_a_write_whose_token_was_refused_goes_out_again_with_the_same_bytes() -> None:
    wire = ScriptedWire()
    wire.on("inventorySetQuantities", NOBODY, DONE)
    connector = connect(wire)
    call = connector.encode_stock_call([WRITE], "key-1", "call_1")
    given = asyncio.run(connector.send_stock_call(call))

    assert [request.body for request in wire.sent("inventorySetQuantities")] == [call.body, call.body]
    assert [row.outcome for row in given.rows] == [RowOutcome.APPLIED]


@pytest.mark.parametrize(
    ("second", "remedy"),
    [
        (NotSent("no route"), Remedy.RETRY),
        (NoAnswer("timed out"), Remedy.UNKNOWN_OUTCOME),
        (answer("down", 502), Remedy.UNKNOWN_OUTCOME),
        (NOBODY, Remedy.STOP),
    ],
)
def test_what_happens_to_a_write_after_its_token_was_renewed(second: Any, remedy: Remedy) -> None:
    wire = ScriptedWire()
    wire.on("inventorySetQuantities", NOBODY, second)
    connector = connect(wire)
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connector.send_stock_call(connector.encode_stock_call([WRITE], "key-1", "call_1")))
    assert caught.value.remedy is remedy


def test_a_write_that_gets_no_token_was_surely_not_sent() -> None:
    wire = ScriptedWire()
    wire.on("token", NoAnswer("timed out"))
    connector = connect(wire)
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connector.send_stock_call(connector.encode_stock_call([WRITE], "key-1", "call_1")))
    assert (caught.value.remedy, wire.sent("inventorySetQuantities")) == (Remedy.RETRY, [])


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("Tue, 24 Nov 2026 09:00:05 GMT", datetime(2026, 11, 24, 9, 0, 5, tzinfo=UTC)),
        ("Tue, 24 Nov 2026 10:00:05 +0100", datetime(2026, 11, 24, 9, 0, 5, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_the_servers_own_time(told: str | None, moment: datetime | None) -> None:
    assert server_time(Response(200, {} if told is None else {"date": told}, b"")) == moment
