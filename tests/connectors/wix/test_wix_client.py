"""One request: proven, paced, bounded, judged, and silent about secrets."""

from __future__ import annotations

import asyncio
import traceback

import pytest
from wix_answers import (
    APP,
    APP_SECRET,
    INSTANCE,
    SETTINGS,
    TOKEN,
    V3,
    VERSION,
    HandClock,
    ScriptedWire,
    answer,
    app_error,
    app_settings,
    connect,
)

from storebridge.connectors.http import NoAnswer, NotSent
from storebridge.connectors.port import Blame, CallTrouble, Remedy
from storebridge.connectors.wix.connector import WixConnector
from storebridge.connectors.wix.errors import SCHEMA_DRIFT
from storebridge.connectors.wix.settings import Secret, WixSettings
from storebridge.errors import ConfigurationError
from storebridge.model.ids import ConnectionName

LOCATIONS = "/stores/v3/locations/query"
SHOWN = answer({"storesLocations": [{"id": "loc-1", "name": "Shop", "defaultLocation": True}]})


def wire_with(*answers: object) -> ScriptedWire:
    wire = ScriptedWire()
    wire.on(LOCATIONS, *answers)  # type: ignore[arg-type]
    return wire


def trouble_of(connector: WixConnector) -> CallTrouble:
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connector.list_locations())
    return caught.value


def test_the_raw_token_proves_the_app_and_is_asked_for_once() -> None:
    wire = wire_with(SHOWN)

    asyncio.run(connect(wire).list_locations())

    assert wire.tokens == 1
    assert wire.bodies(TOKEN) == [
        {
            "grant_type": "client_credentials",
            "client_id": APP,
            "client_secret": APP_SECRET,
            "instance_id": INSTANCE,
        }
    ]
    assert {request.headers.get("authorization") for request in wire.sent(LOCATIONS)} == {"token-1"}


def test_many_calls_at_once_share_one_token_request() -> None:
    wire = wire_with(SHOWN)
    connector = connect(wire)

    async def all_at_once() -> None:
        await asyncio.gather(*(connector.list_locations() for _ in range(8)))

    asyncio.run(all_at_once())

    assert wire.tokens == 1
    assert len(wire.sent(LOCATIONS)) == 8


def test_a_token_is_renewed_before_it_ends() -> None:
    wire, clock = wire_with(SHOWN), HandClock()
    connector = connect(wire, clock)

    async def work() -> None:
        await connector.list_locations()
        clock.seconds += 14400 - 301
        await connector.list_locations()
        clock.seconds += 2
        await connector.list_locations()

    asyncio.run(work())

    assert [r.headers["authorization"] for r in wire.sent(LOCATIONS)] == ["token-1", "token-1", "token-2"]


def test_a_short_lived_token_is_used_for_half_its_life() -> None:
    wire, clock = wire_with(SHOWN), HandClock()
    wire.token_seconds = 60
    connector = connect(wire, clock)

    async def work() -> None:
        for _ in range(3):
            await connector.list_locations()
            clock.seconds += 20

    asyncio.run(work())

    assert [r.headers["authorization"] for r in wire.sent(LOCATIONS)] == ["token-1", "token-1", "token-2"]


def test_a_refused_token_is_renewed_once_and_the_call_repeated() -> None:
    wire = wire_with(app_error("UNAUTHENTICATED", 401), SHOWN)

    assert len(asyncio.run(connect(wire).list_locations())) == 1

    assert [r.headers["authorization"] for r in wire.sent(LOCATIONS)] == ["token-1", "token-2"]


def test_a_token_refused_twice_stops_until_a_person_acts() -> None:
    wire = wire_with(app_error("UNAUTHENTICATED", 401))

    trouble = trouble_of(connect(wire))

    assert (trouble.remedy, trouble.blame, trouble.status) == (Remedy.STOP, Blame.CREDENTIALS, 401)
    assert len(wire.sent(LOCATIONS)) == 2


def test_a_missing_permission_does_not_cost_a_token_each_time() -> None:
    wire, clock = wire_with(app_error("PERMISSION_DENIED", 403)), HandClock()
    connector = connect(wire, clock)

    assert trouble_of(connector).remedy is Remedy.STOP
    assert wire.tokens == 1
    clock.seconds += 61
    assert trouble_of(connector).remedy is Remedy.STOP
    assert wire.tokens == 2


def test_an_api_key_names_its_site_and_is_never_renewed() -> None:
    wire = wire_with(app_error("UNAUTHENTICATED", 401))
    settings = WixSettings(name=ConnectionName("wix"), api_key=Secret("key-1"), site_id="site-1")

    assert trouble_of(WixConnector(settings, wire, HandClock())).remedy is Remedy.STOP

    [request] = wire.sent(LOCATIONS)
    assert (request.headers["authorization"], request.headers["wix-site-id"]) == ("key-1", "site-1")
    assert wire.tokens == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_wrong_app_credentials_stop_and_say_which_setting_to_look_at(status: int) -> None:
    wire = wire_with(SHOWN)
    wire.on(TOKEN, app_error("INVALID_CLIENT", status, f"bad {APP_SECRET}"))

    trouble = trouble_of(connect(wire))

    assert (trouble.remedy, trouble.blame) == (Remedy.STOP, Blame.CREDENTIALS)
    assert "app_secret" in str(trouble)
    assert wire.sent(LOCATIONS) == []


@pytest.mark.parametrize(
    "refusal", [NotSent("refused"), NoAnswer("timed out"), answer("upstream", 503), answer("[]", 200)]
)
def test_a_token_address_in_trouble_is_tried_again(refusal: object) -> None:
    wire = wire_with(SHOWN)
    wire.on(TOKEN, refusal)  # type: ignore[arg-type]

    assert trouble_of(connect(wire)).remedy is Remedy.RETRY


def test_secrets_stand_in_no_repr_exception_or_traceback() -> None:
    echo = f"you sent {APP_SECRET} and token-1"
    wire = wire_with(app_error("X", 400, echo), NotSent(echo))
    connector = connect(wire)
    told = [repr(app_settings()), str(app_settings().app_secret), f"{app_settings().app_secret}"]
    for _ in range(2):
        try:
            asyncio.run(connector.list_locations())
        except CallTrouble as trouble:
            told += [str(trouble), repr(trouble)]
            told += traceback.format_exception(trouble)[-1:]
    told.append(repr(vars(connector)))
    told += [repr(getattr(part, "__dict__", "")) for part in vars(connector).values() if part is not wire]

    assert len(told) > 8
    for text in told:
        assert APP_SECRET not in text
        assert "token-1" not in text


def test_the_consistency_token_is_sent_back_so_that_own_writes_are_read() -> None:
    wire = wire_with(answer({"storesLocations": []}, headers={"x-wix-consistent": "mark-1"}), SHOWN)
    connector = connect(wire)

    async def work() -> None:
        await connector.list_locations()
        await connector.list_locations()
        await connector.list_locations()

    asyncio.run(work())

    marks = [request.headers.get("x-wix-consistent") for request in wire.sent(LOCATIONS)]
    assert marks == [None, "mark-1", "mark-1"]


def test_a_429_starts_a_pause_in_which_nothing_is_sent() -> None:
    wire, clock = wire_with(answer({}, 429, {"retry-after": "33"}), SHOWN), HandClock()
    connector = connect(wire, clock)

    first, second = trouble_of(connector), trouble_of(connector)

    assert (first.remedy, first.retry_after_seconds) == (Remedy.SLOW_DOWN, 33.0)
    assert (second.remedy, second.retry_after_seconds) == (Remedy.SLOW_DOWN, 33.0)
    assert len(wire.sent(LOCATIONS)) == 1
    assert connector.budget.wait_seconds("any", 1) == 33.0
    clock.seconds += 33
    assert len(asyncio.run(connector.list_locations())) == 1


@pytest.mark.parametrize("told", ["nan", "inf", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_retry_after_that_is_no_number_is_ignored(told: str) -> None:
    wire = wire_with(answer({}, 429, {"retry-after": told}))

    assert trouble_of(connect(wire)).retry_after_seconds == 2.0


def test_calls_wait_for_the_budget_a_little_and_are_refused_rather_than_kept_for_long() -> None:
    wire, clock = wire_with(SHOWN), HandClock()
    connector = connect(wire, clock, calls_per_minute=60)

    async def work() -> None:
        for _ in range(9):
            await connector.list_locations()

    asyncio.run(work())
    assert clock.slept
    assert max(clock.slept) < 2.0

    for _ in range(8):
        connector.budget.charge()
    before = len(wire.requests)
    trouble = trouble_of(connector)
    assert (trouble.remedy, trouble.code) == (Remedy.SLOW_DOWN, "BUDGET")
    assert len(wire.requests) == before


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirects_are_not_followed(status: int) -> None:
    wire = wire_with(answer("", status, {"location": "https://evil.example/"}))

    assert trouble_of(connect(wire)).remedy is Remedy.STOP
    assert len(wire.sent(LOCATIONS)) == 1


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", '{"storesLocations": 1}', "[" * 100_000, '{"storesLocations":[{}]}']
)
def test_an_answer_of_unknown_shape_is_told_as_such(body: str) -> None:
    trouble = trouble_of(connect(wire_with(answer(body))))

    assert (trouble.code, trouble.remedy, trouble.blame) == (SCHEMA_DRIFT, Remedy.RETRY, Blame.VENDOR)


def test_an_oversized_answer_is_not_read() -> None:
    body = b'{"storesLocations":[]' + b" " * (16 * 1024 * 1024) + b"}"

    assert trouble_of(connect(wire_with(answer(body)))).code == SCHEMA_DRIFT


def test_numbers_may_come_as_text() -> None:
    wire = wire_with(SHOWN)
    wire.on(SETTINGS, answer({"ordersSettings": {}}))
    wire.on(VERSION, answer({**V3, "unknownField": {"a": [1, 2]}}))

    assert len(asyncio.run(connect(wire).list_locations())) == 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"app_secret": None}, "app_id, app_secret and instance_id"),
        ({"instance_id": None}, "api_key and site_id"),
        ({"calls_per_minute": 1}, "calls_per_minute"),
        ({"api_url": "https://wixapis.example"}, "https://www.wixapis.com"),
        ({"api_url": "ftp://127.0.0.1", "sandbox": True}, "api_url"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_sent(changes: dict[str, object], word: str) -> None:
    wire = ScriptedWire()

    with pytest.raises(ConfigurationError, match=word):
        connect(wire, **changes)

    assert wire.requests == []
