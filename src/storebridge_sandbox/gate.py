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
from storebridge_sandbox.schema_changes import reshape
from storebridge_sandbox.world import World

PLAIN = [(b"content-type", b"text/plain")]
PROXY_ANSWERS = (
    (502, b"upstream connect error or disconnect/reset before headers. reset reason: connection termination", PLAIN),
    (503, b"no healthy upstream", PLAIN),
    (504, b"upstream request timeout", PLAIN),
)
"""What a proxy before the vendor says for it: plain text, whatever the API speaks."""

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

    def names_of(self, method: str, path: str, body: bytes) -> tuple[str, ...]:
        """All names that a call goes by: the operation, and where that is a caller's own word also what it does."""
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
        names: tuple[str, ...] = (operation,)
        if self._faults.targets_operations:
            names = self._vendor.names_of(scope["method"], scope["path"], body)
        draw = self._faults.draw(*names)
        if draw.latency_seconds:
            await self._world.sleep(draw.latency_seconds)
        answer = await self._play(scope, body, call, draw)
        if answer is None and draw.fate == "connection_reset":
            _reset(scope)
            return
        if answer is None:
            await self._hang(receive)
            answer = Answer(504, b"")
        else:
            call.status = answer.status
            self._reshape(answer, names)
        await self._answer(send, answer, draw)

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
        if draw.fate in ("cut_answer", "wrong_length"):
            return await self._carry_out(scope, body, call)
        if draw.fate in ("proxy_5xx", "connection_reset") and draw.applied:
            await self._carry_out(scope, body, call)
        if draw.fate == "proxy_5xx":
            return Answer(*PROXY_ANSWERS[len(call.path) % len(PROXY_ANSWERS)])
        if draw.fate == "timeout_applied":
            await self._land(scope, body, call, draw.landing_seconds)
        return None

    def _reshape(self, answer: Answer, names: tuple[str, ...]) -> None:
        """What the vendor's changed schema makes of an answer."""
        changes = self._faults.schema_for(*names)
        if changes:
            answer.body = reshape(answer.body, changes)
            answer.headers = [one for one in answer.headers if one[0] != b"content-length"]

    async def _answer(self, send: Send, answer: Answer, draw: Draw) -> None:
        if draw.fate == "cut_answer":
            await _send_part(send, answer, len(answer.body) // 2, len(answer.body))
        elif draw.fate == "wrong_length":
            await _send_part(send, answer, len(answer.body), len(answer.body) + 1 + len(answer.body) // 2)
        elif draw.slow_seconds:
            await _send_part(send, answer, len(answer.body) // 2, len(answer.body))
            await self._world.sleep(draw.slow_seconds)
            await send({"type": "http.response.body", "body": answer.body[len(answer.body) // 2 :]})
        else:
            await _send(send, answer)

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


async def _send_part(send: Send, answer: Answer, part: int, told: int) -> None:
    """The beginning of an answer whose length is told; who sends no more leaves a broken connection behind."""
    headers = [one for one in answer.headers or [(b"content-type", b"application/json")] if one[0] != b"content-length"]
    headers.append((b"content-length", str(told).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body[:part], "more_body": True})


def _reset(scope: Scope) -> None:
    """Break the connection without a word. Where there is no socket, an answer that never begins is the same."""
    abort = scope.get("sandbox.abort")
    if abort is not None:
        abort()
