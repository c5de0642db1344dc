"""The real way out, against a server on loopback: what surely never left, and what may have arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from storebridge.connectors import aiohttp_transport
from storebridge.connectors.aiohttp_transport import AiohttpTransport
from storebridge.connectors.http import NoAnswer, NotSent, Request, Response

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def exchange(handler: Handler, *requests: tuple[str, str, bytes], seconds: float = 5.0) -> list[Response]:
    """What comes back for each (method, path, body)."""

    async def play() -> list[Response]:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        transport = AiohttpTransport()
        try:
            return [
                await transport.send(Request(method, base + path, {"x-told": "yes"}, body, seconds))
                for method, path, body in requests
            ]
        finally:
            await transport.close()
            await runner.cleanup()

    return asyncio.run(play())


def test_a_request_and_its_answer_byte_for_byte() -> None:
    async def echo(request: web.Request) -> web.Response:
        told = f"{request.method} {request.path_qs} {request.headers['x-told']} ".encode()
        return web.Response(status=418, body=told + await request.read(), headers={"X-Kind": "Teapot"})

    (answer,) = exchange(echo, ("POST", "/a?b=c", b'{"\x00": 1}'))
    assert (answer.status, answer.body) == (418, b'POST /a?b=c yes {"\x00": 1}')
    assert answer.headers["x-kind"] == "Teapot"


def test_no_redirect_is_followed() -> None:
    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": "/elsewhere"})

    (answer,) = exchange(redirect, ("GET", "/", b""))
    assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")


def test_no_cookie_is_kept() -> None:
    async def bake(request: web.Request) -> web.Response:
        return web.Response(text=request.headers.get("cookie", "none"), headers={"set-cookie": "a=b"})

    assert [answer.body for answer in exchange(bake, ("GET", "/", b""), ("GET", "/", b""))] == [b"none", b"none"]


def test_a_refused_connection_was_surely_not_sent() -> None:
    async def play() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        transport = AiohttpTransport()
        with pytest.raises(NotSent):
            await transport.send(Request("GET", f"http://127.0.0.1:{port}/", {}))
        await transport.close()

    asyncio.run(play())


def test_an_address_that_is_none_was_surely_not_sent() -> None:
    async def play() -> None:
        transport = AiohttpTransport()
        with pytest.raises(NotSent):
            await transport.send(Request("GET", "http://", {}))
        await transport.close()

    asyncio.run(play())


def test_a_server_that_hangs_up_may_have_taken_it_in() -> None:
    async def hang_up(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    with pytest.raises(NoAnswer):
        exchange(hang_up, ("POST", "/", b"x"))


def test_a_server_that_is_silent_may_have_taken_it_in() -> None:
    async def say_nothing(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    with pytest.raises(NoAnswer):
        exchange(say_nothing, ("POST", "/", b"x"), seconds=0.05)


def test_an_answer_that_breaks_off_may_have_been_carried_out() -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    with pytest.raises(NoAnswer):
        exchange(break_off, ("POST", "/", b"x"))


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp_transport, "MAX_ANSWER_BYTES", 1000)

    async def talk(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 1001 if request.path == "/long" else b"x" * 1000)

    assert len(exchange(talk, ("GET", "/", b""))[0].body) == 1000
    with pytest.raises(NoAnswer):
        exchange(talk, ("GET", "/long", b""))


def test_a_transport_that_sent_nothing_closes_quietly() -> None:
    asyncio.run(AiohttpTransport().close())
