"""The door of a store: notes every API call and plays the faults on it.

Pure ASGI, so that it works behind uvicorn and in one process alike. "No answer" means that the response is
held until the client gives up; never longer than ``HANG_SECONDS``, then a gateway's 504 goes out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from storebridge_sandbox.faults import HANG_SECONDS, Draw, FaultPlan
from storebridge_sandbox.requests_log import ApiCall, RequestLog
from storebridge_sandbox.world import World

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class Vendor(Protocol):
    """What the gate must know of a store: how it names calls and how it refuses them."""

    def operation_of(self, method: str, path: str, body: bytes) -> str:
        """A short name with bounded values, e.g. ``inventorySetQuantities``."""
        ...

    def overloaded(self) -> Answer:
        """A 5xx as this vendor words it."""
        ...

    def throttled(self) -> Answer:
        """A refusal for too many calls as this vendor words it."""
        ...


def read_moment(scope: Scope) -> datetime | None:
    """For read paths: show levels as of this moment (a lagging replica), None for the present."""
    moment = scope.get("sandbox.read_moment")
    return moment if isinstance(moment, datetime) else None


def note_cost(scope: Scope, cost: float) -> None:
    """Let the request log show what a call cost."""
    call = scope.get("sandbox.call")
    if isinstance(call, ApiCall):
        call.cost = cost


class FaultGate:
    """Stands in front of a store's app; ``/_sandbox/`` passes untouched and unlogged."""

    def __init__(self, app: App, world: World, vendor: Vendor, faults: FaultPlan, log: RequestLog) -> None:
        self._app = app
        self._world = world
        self._vendor = vendor
        self._faults = faults
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        operation = self._vendor.operation_of(scope["method"], scope["path"], body)
        call = self._log.open(scope["method"], scope["path"], operation)
        scope["sandbox.call"] = call
        draw = self._faults.draw(operation)
        if draw.latency_seconds:
            await self._world.sleep(draw.latency_seconds)
        answer = await self._play(scope, body, call, draw)
        if answer is None:
            await self._hang(receive)
            answer = Answer(504, b"")
        else:
            call.status = answer.status
        await _send(send, answer)

    def stop(self) -> None:
        """Calls that were still to land never will."""
        for task in self._tasks:
            task.cancel()

    async def _play(self, scope: Scope, body: bytes, call: ApiCall, draw: Draw) -> Answer | None:
        if draw.fate == "pass":
            if draw.stale_seconds:
                scope["sandbox.read_moment"] = self._world.now() - timedelta(seconds=draw.stale_seconds)
            return await self._carry_out(scope, body, call)
        call.fate = draw.fate
        if draw.fate == "http_429":
            return self._vendor.throttled()
        if draw.fate == "http_5xx":
            if draw.applied:
                await self._carry_out(scope, body, call)
            return self._vendor.overloaded()
        if draw.fate == "timeout_applied":
            await self._land(scope, body, call, draw.landing_seconds)
        return None

    async def _land(self, scope: Scope, body: bytes, call: ApiCall, landing_seconds: float) -> None:
        if not landing_seconds:
            await self._carry_out(scope, body, call)
            return
        task = self._world.spawn(self._land_later(scope, body, call, landing_seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _land_later(self, scope: Scope, body: bytes, call: ApiCall, seconds: float) -> None:
        await self._world.sleep(seconds)
        await self._carry_out(scope, body, call)

    async def _carry_out(self, scope: Scope, body: bytes, call: ApiCall) -> Answer:
        call.carried_out = True
        answer = Answer(500)
        delivered = False

        async def receive() -> Message:
            nonlocal delivered
            if delivered:
                return {"type": "http.disconnect"}
            delivered = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = list(message.get("headers", ()))
            else:
                answer.body += message.get("body", b"")

        await self._app(scope, receive, send)
        return answer

    async def _hang(self, receive: Receive) -> None:
        gone = asyncio.ensure_future(_client_gone(receive))
        patience = asyncio.ensure_future(_as_coroutine(self._world.sleep(HANG_SECONDS)))
        try:
            await asyncio.wait((gone, patience), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            patience.cancel()


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(send: Send, answer: Answer) -> None:
    headers = answer.headers or [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
