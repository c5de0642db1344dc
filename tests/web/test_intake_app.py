"""The intake: bounded, counted, and silent about why it refuses."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from typing import Any

import pytest
from console_world import Answer, ask, in_world
from sqlalchemy import select

from storebridge.bootstrap import Bridge
from storebridge.errors import StoreUnavailableError
from storebridge.store.tables import deliveries, tallies
from storebridge.web.intake.app import build_intake_app

BODY = b'{"inventory_item_id": 5, "location_id": 6, "available": 3}'


def signed(body: bytes = BODY, delivery: str = "d-1") -> dict[str, str]:
    mac = base64.b64encode(hmac.new(b"secret", body, hashlib.sha256).digest()).decode()
    return {
        "x-shopify-hmac-sha256": mac,
        "x-shopify-topic": "inventory_levels/update",
        "x-shopify-shop-domain": "shop.myshopify.com",
        "x-shopify-webhook-id": delivery,
        "content-type": "application/json",
    }


async def _tallies(bridge: Bridge) -> dict[str, int]:
    return await bridge.store.read(
        lambda tx: {str(name): int(count) for name, count in tx.conn.execute(select(tallies.c.name, tallies.c.count))}
    )


async def _stored(bridge: Bridge) -> list[tuple[str, int]]:
    rows = await bridge.store.read(
        lambda tx: tx.conn.execute(select(deliveries.c.delivery_id, deliveries.c.copies)).all()
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("path", ["/hooks/shopify", "/hooks/main/shopify"])
def test_a_signed_delivery_is_stored_once_and_answered_200(path: str) -> None:
    async def play(bridge: Bridge) -> Any:
        app = build_intake_app(bridge)
        first = await ask(app, path, method="POST", body=[BODY[:10], BODY[10:]], headers=signed())
        again = await ask(app, path, method="POST", body=BODY, headers=signed())
        return first.status, first.text, again.status, again.text, len(await _stored(bridge))

    assert in_world(play) == (200, "stored\n", 200, "duplicate\n", 1)


def test_a_forged_delivery_is_refused_and_counted() -> None:
    async def play(bridge: Bridge) -> Any:
        answer = await ask(build_intake_app(bridge), "/hooks/shopify", method="POST", body=b"{}", headers=signed())
        return answer.status, await _tallies(bridge), await _stored(bridge)

    assert in_world(play) == (401, {"deliveries_forged": 1}, [])


@pytest.mark.parametrize("headers", [{"content-length": "4096"}, {}], ids=["declared", "only found out"])
def test_an_oversized_delivery_is_refused_before_it_is_held(headers: dict[str, str]) -> None:
    async def play(bridge: Bridge) -> Any:
        chunks = [b"x" * 1024] * 4
        answer = await ask(
            build_intake_app(bridge), "/hooks/shopify", method="POST", body=chunks, headers={**signed(), **headers}
        )
        return answer.status, await _tallies(bridge), await _stored(bridge)

    assert in_world(play) == (413, {"deliveries_oversized": 1}, [])


def test_an_unknown_connection_and_anything_else_is_not_found() -> None:
    async def play(bridge: Bridge) -> Any:
        app = build_intake_app(bridge)
        unknown: Answer = await ask(app, "/hooks/etsy", method="POST", body=b"{}")
        console = await ask(app, "/stock")
        get = await ask(app, "/hooks/shopify")
        return unknown.status, console.status, get.status

    assert in_world(play) == (404, 404, 405)


def test_health_says_whether_loops_and_database_are_well() -> None:
    async def play(bridge: Bridge) -> Any:
        app = build_intake_app(bridge)
        return (await ask(app, "/healthz")).json, (await ask(app, "/readyz")).json

    assert in_world(play) == ({"healthy": True}, {"ready": True})


@pytest.mark.parametrize(
    ("died_of", "away", "healthy", "ready"),
    [
        ([StoreUnavailableError("the database is away")], "", 200, 503),
        ([StoreUnavailableError("the database is away"), ValueError("a bug")], "", 503, 503),
        ([RuntimeError("dropped")], "the database is away", 200, 503),
        ([], "the database is away", 200, 503),
        ([ValueError("a bug")], "", 503, 503),
    ],
)
def test_a_loop_that_the_database_ended_is_waited_for_and_any_other_ends_the_process(
    died_of: list[Exception], away: str, healthy: int, ready: int
) -> None:
    async def die(error: Exception) -> None:
        raise error

    async def play(bridge: Bridge) -> Any:
        bridge.away = away
        for error in died_of:
            bridge._spawn(die(error), "loop")
        await asyncio.sleep(0)
        app = build_intake_app(bridge)
        return (await ask(app, "/healthz")).status, (await ask(app, "/readyz")).status, bridge.failed()

    assert in_world(play) == (healthy, ready, died_of[-1] if died_of else None)
