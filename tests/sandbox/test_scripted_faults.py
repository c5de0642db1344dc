"""Timelines, changed schemas, wrong clocks and broken answers: what is drawn when, and what a client then sees."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec
import pytest

from storebridge_sandbox.app import build_stores, load_both, serve_stores
from storebridge_sandbox.faults import FaultPlan, read_settings
from storebridge_sandbox.schema_changes import SchemaChange, reshape

START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


class Clock:
    """Time that only the test moves."""

    def __init__(self) -> None:
        self.now = START

    def at(self, seconds: float) -> None:
        self.now = START + timedelta(seconds=seconds)

    def __call__(self) -> datetime:
        return self.now


def plan(clock: Clock, settings: dict[str, Any], store: str = "shopify") -> FaultPlan:
    return FaultPlan(read_settings(json.dumps(settings).encode()), clock, random.Random(1), store=store)


def test_a_step_lasts_as_long_as_it_says_in_its_store_for_its_operations() -> None:
    clock = Clock()
    step = {
        "at_seconds": 20, "for_seconds": 60, "store": "wix", "operations": ["bulk*"], "faults": {"http_429": 1.0},
    }  # fmt: skip
    wix, shopify = (plan(clock, {"latency_ms": [5, 5], "steps": [step]}, store) for store in ("wix", "shopify"))
    seen = []
    for second in (19.9, 20, 79.9, 80):
        clock.at(second)
        seen.append([one.draw(name).fate for one, name in ((wix, "bulkUpdate"), (wix, "get"), (shopify, "bulkUpdate"))])
    refused, fine = ["http_429", "pass", "pass"], ["pass", "pass", "pass"]
    assert seen == [fine, refused, refused, fine]
    assert wix.draw("bulkUpdate").latency_seconds == 0.005, "what a step does not name stays as it was"


def test_steps_that_overlap_add_up_and_a_call_is_known_by_what_it_does() -> None:
    clock = Clock()
    faults = plan(
        clock,
        {
            "steps": [
                {"faults": {"latency_ms": [100, 100]}},
                {"operations": ["inventorySetQuantities"], "faults": {"http_5xx": 1.0}},
            ]
        },
    )
    draw = faults.draw("MyOwnName", "inventorySetQuantities")
    assert (draw.fate, draw.latency_seconds) == ("http_5xx", 0.1)
    assert faults.draw("MyOwnName", "inventoryActivate").fate == "pass"


def test_settings_may_be_for_some_operations_only() -> None:
    faults = plan(Clock(), {"operations": ["inventorySetQuantities"], "http_429": 1.0})
    assert [faults.draw(name).fate for name in ("inventorySetQuantities", "orders")] == ["http_429", "pass"]


def test_the_same_seed_draws_the_same_again() -> None:
    settings = {"http_5xx": 0.3, "cut_answer": 0.2, "steps": [{"at_seconds": 5, "faults": {"connection_reset": 0.5}}]}

    def draws() -> list[str]:
        clock = Clock()
        faults, seen = plan(clock, settings), []
        for second in range(60):
            clock.at(second)
            seen.append(faults.draw("orders").fate)
        return seen

    assert draws() == draws()
    assert {"pass", "http_5xx", "cut_answer", "connection_reset"} <= set(draws())


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"htp_429": 1}, "do you mean http_429"),
    ({"steps": [{"faults": {"http_42": 1}}]}, r"steps\[0\].faults: .*do you mean http_429"),
    ({"steps": [{"at_seconds": 3}]}, r"steps\[0\]: it does nothing"),
    ({"steps": [{"at_second": 3}]}, "do you mean at_seconds"),
    ({"steps": [{"for_seconds": 0, "do": ["revoke_tokens"]}]}, "for_seconds"),
    ({"steps": [{"do": ["burn_down"]}]}, "burn_down"),
    ({"steps": [{"faults": {"latency_ms": [9, 1]}}]}, "low end is above"),
    ({"schema": [{"change": "add_field", "field": "x"}]}, "type or a path"),
    ({"schema": [{"change": "rename_field", "field": "x"}]}, "new name"),
    ({"clock_skew_seconds": 1e9}, "clock_skew_seconds"),
)


@pytest.mark.parametrize(("settings", "told"), WRONG)
def test_a_wrong_scenario_is_refused_with_what_is_wrong_and_where(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=told):
        read_settings(json.dumps(settings).encode())


ANSWER = {
    "data": {
        "orders": {"nodes": [{"id": "gid://shopify/Order/1", "name": "#1", "status": "PAID", "lines": [{"name": "a"}]}]}
    }
}


@pytest.mark.parametrize(
    ("change", "order"),
    [
        ({"change": "add_field", "type": "Order", "field": "x", "value": 1}, {"x": 1}),
        ({"change": "rename_field", "type": "Order", "field": "name", "to": "title"}, {"name": None, "title": "#1"}),
        ({"change": "remove_field", "path": "data.orders.nodes", "field": "name"}, {"name": None}),
        ({"change": "retype_field", "path": "**.nodes", "field": "name", "new_type": "list"}, {"name": ["#1"]}),
        ({"change": "retype_field", "field": "status", "new_type": "object"}, {"status": {"value": "PAID"}}),
        ({"change": "new_value", "field": "status", "value": "AUTHORISED"}, {"status": "AUTHORISED"}),
        ({"change": "remove_field", "type": "Product", "field": "name"}, {}),
    ],
)
def test_a_change_of_the_schema_touches_what_it_names_and_nothing_else(
    change: dict[str, Any], order: dict[str, Any]
) -> None:
    changed = json.loads(reshape(json.dumps(ANSWER).encode(), [msgspec.convert(change, SchemaChange)]))
    before = ANSWER["data"]["orders"]["nodes"][0]
    wanted = {name: value for name, value in {**before, **order}.items() if value is not None}
    assert changed == {"data": {"orders": {"nodes": [wanted]}}}
    assert reshape(b"no json", [msgspec.convert(change, SchemaChange)]) == b"no json"


def test_on_a_real_socket_answers_break_off_slow_down_and_lie_about_their_length() -> None:
    async def play() -> None:
        stores = build_stores(seed=1)
        load_both(stores, seed=1, products=3)
        served = await serve_stores(stores)
        seen: dict[str, str] = {}
        async with aiohttp.ClientSession() as session:
            for fault in ("cut_answer", "wrong_length", "connection_reset", "proxy_5xx"):
                stores.wix.faults.set(read_settings(json.dumps({fault: 1.0}).encode()))
                try:
                    async with session.get(f"{served.wix_url}/stores/v3/provision/version") as answer:
                        seen[fault] = f"{answer.status // 100}xx {answer.content_type} {bool(await answer.text())}"
                except aiohttp.ClientError as error:
                    seen[fault] = type(error).__name__
            stores.wix.faults.set(read_settings(b'{"slow_answer_ms": [120, 120], "clock_skew_seconds": 7200}'))
            began = asyncio.get_running_loop().time()
            async with session.get(f"{served.wix_url}/stores/v3/provision/version") as answer:
                assert "error" in await answer.text() or answer.status == 401
                told = parsedate_to_datetime(answer.headers["date"])
        assert asyncio.get_running_loop().time() - began >= 0.12
        assert timedelta(minutes=119) < told - datetime.now(UTC) < timedelta(minutes=121)
        assert seen == {
            "cut_answer": "ClientPayloadError",
            "wrong_length": "ClientPayloadError",
            "connection_reset": seen["connection_reset"],
            "proxy_5xx": "5xx text/plain True",
        }
        assert seen["connection_reset"] in ("ServerDisconnectedError", "ClientOSError", "ClientConnectionResetError")
        await served.stop()
        await stores.stop()

    asyncio.run(play())
