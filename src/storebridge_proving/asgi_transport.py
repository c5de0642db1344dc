"""HTTP without sockets: requests led straight into ASGI apps of the same process, in both directions.

``AsgiTransport`` is the bridge's way to the stores, ``AsgiPost`` the stores' way to the bridge's intake. As
behind a real server, an app goes on working when its client has lost patience: a call that timed out may
still take effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from storebridge.connectors.http import NoAnswer, NotSent, Request, Response
from storebridge_sandbox.world import Unreachable

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Exchange:
    """One request and what the app answers to it."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        self._scope = scope
        self._body: bytes | None = body
        self._gone = asyncio.Event()
        self._status = 0
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self.answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    async def play(self, app: App) -> None:
        """Let the app work; an answer that it leaves unfinished never comes."""
        try:
            await app(self._scope, self._receive, self._send)
        finally:
            if not self.answered.done():
                self.answered.cancel()

    def hang_up(self) -> None:
        """The client is gone; the app learns it when it asks."""
        self._gone.set()

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = _readable(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False) and not self.answered.done():
                self.answered.set_result(Response(self._status, self._headers, b"".join(self._parts)))
                self._gone.set()


class Apps:
    """Which app answers at which base address, the calls under way in them, and the errors they raised."""

    def __init__(self, apps: Mapping[str, App]) -> None:
        self._apps = {base.rstrip("/"): app for base, app in apps.items()}
        self._under_way: dict[asyncio.Task[None], None] = {}
        self.errors: list[BaseException] = []
        """What apps raised: a client sees only a broken connection, a test must see more."""

    def find(self, url: str) -> tuple[App, str] | None:
        """The app for an address and the base to take off it; the longest base that fits."""
        fitting = [base for base in self._apps if url == base or url.startswith((f"{base}/", f"{base}?"))]
        if not fitting:
            return None
        base = max(fitting, key=len)
        return self._apps[base], base

    async def ask(self, app: App, base: str, request: Request) -> Response:
        """The app's answer; raises TimeoutError after the request's time, NoAnswer when it breaks off."""
        exchange = Exchange(_scope(base, request), request.body)
        task = asyncio.get_running_loop().create_task(exchange.play(app), name=f"{request.method} {request.url}")
        self._under_way[task] = None
        task.add_done_callback(self._finished)
        try:
            async with asyncio.timeout(request.timeout_seconds):
                await asyncio.wait((exchange.answered,))
        finally:
            exchange.hang_up()
        if exchange.answered.cancelled():
            raise NoAnswer(f"{request.url}: the connection broke")
        return exchange.answered.result()

    def abort(self) -> None:
        """Every call under way breaks off at once, as when the server's process dies."""
        for task in list(self._under_way):
            task.cancel()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.errors.append(error)


class AsgiTransport:
    """The bridge's transport, leading into apps by base address, e.g. ``{"https://shop.example": app}``."""

    def __init__(self, apps: Mapping[str, App]) -> None:
        self._apps = Apps(apps)

    @property
    def errors(self) -> list[BaseException]:
        """What apps raised while answering."""
        return self._apps.errors

    async def send(self, request: Request) -> Response:
        """One request; raises NotSent for an address nobody serves, NoAnswer when its time is up."""
        found = self._apps.find(request.url)
        if found is None:
            raise NotSent(f"nobody serves {request.url}")
        try:
            return await self._apps.ask(*found, request)
        except TimeoutError as error:
            raise NoAnswer(f"{request.url}: no answer within {request.timeout_seconds} s") from error

    async def close(self) -> None:
        """Nothing to close; calls under way go on, as they would in another process."""


class AsgiPost:
    """The stores' way to a webhook intake that can be taken down and brought up again."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._apps: Apps | None = None
        self._app: App | None = None
        self.errors: list[BaseException] = []

    async def door(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The intake as an app: who knocks while it is down gets no answer."""
        if self._app is not None:
            await self._app(scope, receive, send)

    def connect(self, app: App) -> None:
        """The intake is up."""
        self._app = app
        self._apps = Apps({self._base: app})
        self._apps.errors = self.errors

    def disconnect(self) -> None:
        """The intake's process is gone, with every delivery that it had not answered."""
        if self._apps is not None:
            self._apps.abort()
        self._apps = self._app = None

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> int:
        """Deliver; raises Unreachable when the intake is down, too slow, or breaks off."""
        status, _ = await self.ask(url, headers, body, timeout_seconds)
        return status

    async def ask(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> tuple[int, bytes]:
        """The same where the answer's body matters."""
        found = None if self._apps is None else self._apps.find(url)
        if self._apps is None or found is None:
            raise Unreachable(f"nobody listens at {url}")
        try:
            answer = await self._apps.ask(*found, Request("POST", url, headers, body, timeout_seconds))
        except (NoAnswer, TimeoutError) as error:
            raise Unreachable(str(error) or "no answer in time") from error
        return answer.status, answer.body


def _scope(base: str, request: Request) -> Scope:
    whole, parts = urlsplit(request.url), urlsplit(request.url[len(base) :])
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": whole.scheme,
        "path": unquote(parts.path or "/"),
        "raw_path": (parts.path or "/").encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": _wire_headers(whole, request),
        "client": ("127.0.0.1", 0),
        "server": (whole.hostname or "", whole.port or 0),
    }


def _wire_headers(url: SplitResult, request: Request) -> list[tuple[bytes, bytes]]:
    headers = {"host": url.netloc, "content-length": str(len(request.body))}
    headers.update({name.lower(): value for name, value in request.headers.items()})
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _readable(headers: Any) -> dict[str, str]:
    readable: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        readable[name] = f"{readable[name]}, {value}" if name in readable else value
    return readable
