"""What the unit tests of the Wix connector need: a scripted wire and a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from storebridge.connectors.http import Request, Response
from storebridge.connectors.wix.connector import WixConnector
from storebridge.connectors.wix.settings import Secret, WixSettings
from storebridge.model.ids import ConnectionName

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
INSTANCE = "6f1c1d5e-0000-4000-8000-00000000aaaa"
APP = "11111111-2222-4333-8444-555555555555"
APP_SECRET = "the-app-secret-that-must-not-leak"
V3 = {"catalogVersion": "V3_CATALOG"}
V1 = {"catalogVersion": "V1_CATALOG"}
PLACED = {"ordersSettings": {"inventoryUpdateTrigger": "ON_ORDER_PLACED"}}
VERSION = "/stores/v3/provision/version"
SETTINGS = "/ecom/v1/orders-settings"
TOKEN = "/oauth2/token"


class HandClock:
    """Time stands still until a test moves it, or somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds - 1000.0)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


Answer = Response | Exception | Callable[[Request], Response]


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as Wix sends it; bytes and text go as they are."""
    if isinstance(body, str):
        body = body.encode()
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(status, dict(headers or {}), raw)


def app_error(code: str, status: int, message: str = "") -> Response:
    """Wix's own error JSON."""
    told = {"message": message, "details": {"applicationError": {"code": code, "description": message}}}
    return answer(told, status)


class ScriptedWire:
    """Answers each path from its list, the last answer again and again; keeps every request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answer]] = {}
        self.on(VERSION, answer(V3))
        self.on(SETTINGS, answer(PLACED))
        self.tokens = 0
        self.token_seconds = 14400
        self.on(TOKEN, self._token)

    def on(self, path: str, *answers: Answer) -> None:
        self._answers[path] = list(answers)

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        await asyncio.sleep(0)
        path = request.url.partition("wixapis.com")[2] or request.url
        answers = self._answers[path]
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, Response) else given(request)

    async def close(self) -> None: ...

    def sent(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.url.endswith(path)]

    def bodies(self, path: str) -> list[dict[str, object]]:
        return [msgspec.json.decode(request.body) for request in self.sent(path)]

    def _token(self, request: Request) -> Response:
        self.tokens += 1
        return answer(
            {
                "access_token": f"token-{self.tokens}",
                "token_type": "Bearer",
                "expires_in": self.token_seconds,
            }
        )


def app_settings(**changes: object) -> WixSettings:
    """An app's credentials."""
    settings = WixSettings(name=ConnectionName("wix"), app_id=APP, app_secret=Secret(APP_SECRET), instance_id=INSTANCE)
    return msgspec.structs.replace(settings, **changes)


def connect(wire: ScriptedWire, clock: HandClock | None = None, **changes: object) -> WixConnector:
    """The connector on a scripted wire."""
    return WixConnector(app_settings(**changes), wire, clock or HandClock())
