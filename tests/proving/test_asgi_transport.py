"""Requests led straight into apps: answers, patience, broken connections, and an intake that goes down."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from storebridge.connectors.http import NoAnswer, NotSent, Request
from storebridge_proving.asgi_transport import AsgiPost, AsgiTransport
from storebridge_proving.virtual_time import VirtualClock, run_virtually
from storebridge_sandbox.world import Unreachable

landed: list[str] = []


async def echo(asked: Asked) -> Response:
    body = (await asked.body()).decode()
    return JSONResponse(
        {
            "path": asked.url.path,
            "q": asked.query_params.get("q"),
            "host": asked.headers["host"],
            "body": body,
        },
        headers={"X-Seen": asked.headers.get("x-colour", "")},
    )


async def slow(asked: Asked) -> Response:
    await asyncio.sleep(30.0)
    landed.append("slow")
    return JSONResponse({})


APP = Starlette(
    routes=[
        Route("/echo", echo, methods=["GET", "POST"]),
        Route("/slow", slow, methods=["GET", "POST"]),
    ]
)


def test_an_answer_comes_back_with_lower_case_headers() -> None:
    async def play(clock: VirtualClock) -> tuple[int, str, bytes]:
        transport = AsgiTransport({"https://shop.example": APP})
        answer = await transport.send(
            Request("POST", "https://shop.example/echo?q=a%20b", {"X-Colour": "red"}, b"hello")
        )
        return answer.status, answer.headers["x-seen"], answer.body

    assert run_virtually(play) == (
        200,
        "red",
        b'{"path":"/echo","q":"a b","host":"shop.example","body":"hello"}',
    )


def test_the_longest_base_wins_and_is_taken_off_the_path() -> None:
    async def play(clock: VirtualClock) -> bytes:
        transport = AsgiTransport({"http://one": APP, "http://one/wix": APP})
        return (await transport.send(Request("GET", "http://one/wix/echo", {}))).body

    assert b'"path":"/echo"' in run_virtually(play)


def test_a_host_that_nobody_serves_was_not_sent_to() -> None:
    async def play(clock: VirtualClock) -> None:
        with pytest.raises(NotSent):
            await AsgiTransport({"https://shop.example": APP}).send(Request("GET", "https://shop.example.org/", {}))

    run_virtually(play)


def test_patience_ends_on_time_and_the_call_lands_all_the_same() -> None:
    async def play(clock: VirtualClock) -> float:
        landed.clear()
        transport = AsgiTransport({"https://shop.example": APP})
        with pytest.raises(NoAnswer, match=r"within 20\.0 s"):
            await transport.send(Request("GET", "https://shop.example/slow", {}))
        gave_up_at = clock.monotonic()
        await clock.sleep(60.0)
        assert landed == ["slow"]
        return gave_up_at

    assert run_virtually(play) == 20.0


@pytest.mark.parametrize("path", ["broken", "abort"])
def test_an_app_that_breaks_off_gives_no_answer(path: str) -> None:
    async def bare(scope: object, receive: object, send: object) -> None:
        raise ZeroDivisionError if path == "broken" else asyncio.CancelledError

    async def play(clock: VirtualClock) -> list[str]:
        transport = AsgiTransport({"https://shop.example": bare})
        with pytest.raises(NoAnswer, match="broke"):
            await transport.send(Request("GET", "https://shop.example/", {}))
        await clock.sleep(0)
        return [type(error).__name__ for error in transport.errors]

    assert run_virtually(play) == (["ZeroDivisionError"] if path == "broken" else [])


def test_an_intake_can_go_down_with_a_delivery_in_its_hands() -> None:
    async def play(clock: VirtualClock) -> int:
        post = AsgiPost("http://bridge.example")
        with pytest.raises(Unreachable, match="nobody listens"):
            await post("http://bridge.example/echo", {}, b"{}", 5.0)
        post.connect(APP)
        waiting = asyncio.ensure_future(post("http://bridge.example/slow", {}, b"", 60.0))
        await clock.sleep(1.0)
        post.disconnect()
        with pytest.raises(Unreachable, match="broke"):
            await waiting
        post.connect(APP)
        return await post("http://bridge.example/echo", {"a": "b"}, b"{}", 5.0)

    assert run_virtually(play) == 200


def test_a_slow_intake_is_unreachable_in_time() -> None:
    async def play(clock: VirtualClock) -> float:
        post = AsgiPost("http://bridge.example")
        post.connect(APP)
        with pytest.raises(Unreachable):
            await post("http://bridge.example/slow", {}, b"", 5.0)
        return clock.monotonic()

    assert run_virtually(play) == 5.0
