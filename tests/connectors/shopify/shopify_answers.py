"""What the unit tests of the Shopify connector need: a scripted wire, a clock that a test moves, a vault in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from storebridge.connectors.http import Request, Response
from storebridge.connectors.secret import Secret
from storebridge.connectors.shopify.connector import ShopifyConnector
from storebridge.connectors.shopify.settings import ShopifySettings
from storebridge.model.ids import ConnectionName

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SHOP = "my-shop.myshopify.com"
CLIENT_SECRET = "the-client-secret-that-must-not-leak"
TOKEN_PATH = "/admin/oauth/access_token"
GRAPHQL_PATH = "/admin/api/2026-10/graphql.json"
THROTTLED: dict[str, Any] = {
    "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
    "extensions": {
        "cost": {
            "requestedQueryCost": 862,
            "actualQueryCost": None,
            "throttleStatus": {"maximumAvailable": 4000.0, "currentlyAvailable": 572, "restoreRate": 200.0},
        }
    },
}


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


class MemoryVault:
    """Keeps tokens as the encrypted table would, and what was saved when."""

    def __init__(self, **kept: str) -> None:
        self.kept = dict(kept)
        self.saved: list[str] = []

    async def read(self, name: str) -> str | None:
        await asyncio.sleep(0)
        return self.kept.get(name)

    async def save(self, name: str, value: str) -> None:
        await asyncio.sleep(0)
        self.kept[name] = value
        self.saved.append(value)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        yield

    async def begin(self, name: str, value: str) -> None:
        self.kept[f"{name}.begun"] = value

    async def was_begun(self, name: str, value: str) -> bool:
        return self.kept.get(f"{name}.begun") == value


Answer = Response | Exception | Callable[[Request], Response]


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as Shopify sends it; bytes and text go as they are."""
    if isinstance(body, str):
        body = body.encode()
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(status, dict(headers or {}), raw)


def data(**roots: object) -> Response:
    """A GraphQL answer that only has data."""
    return answer({"data": roots})


def top_error(code: str, message: str = "", **around: object) -> Response:
    """A GraphQL answer with one top-level error."""
    return answer({"errors": [{"message": message, "extensions": {"code": code}}], **around})


def rows(*nodes: object, cursor: str | None = None) -> dict[str, object]:
    """A page of a connection; with a cursor when there are more."""
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}}


class ScriptedWire:
    """Answers each operation from its list, the last answer again and again; keeps every request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answer]] = {}
        self.tokens = 0
        self.token_seconds = 86399
        self.on("token", self._token)

    def on(self, operation: str, *answers: Answer) -> None:
        """``operation`` is the document's name, or ``token``."""
        self._answers[operation] = list(answers)

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        await asyncio.sleep(0)
        answers = self._answers[_operation(request)]
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, Response) else given(request)

    async def close(self) -> None: ...

    def sent(self, operation: str) -> list[Request]:
        return [request for request in self.requests if _operation(request) == operation]

    def variables(self, operation: str) -> list[dict[str, Any]]:
        return [msgspec.json.decode(request.body)["variables"] for request in self.sent(operation)]

    def forms(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(request.body.decode())) for request in self.sent("token")]

    def _token(self, request: Request) -> Response:
        self.tokens += 1
        return answer({"access_token": f"token-{self.tokens}", "scope": "", "expires_in": self.token_seconds})


def _operation(request: Request) -> str:
    if request.url.endswith(TOKEN_PATH):
        return "token"
    assert request.url == f"https://{SHOP}{GRAPHQL_PATH}"
    document: str = msgspec.json.decode(request.body)["query"]
    return document.split()[1].partition("(")[0]


def app_settings(**changes: Any) -> ShopifySettings:
    """An app's credentials: the client-credentials grant."""
    settings = ShopifySettings(
        name=ConnectionName("shopify"), shop=SHOP, client_id="client-1", client_secret=Secret(CLIENT_SECRET)
    )
    return msgspec.structs.replace(settings, **changes)


def connect(
    wire: ScriptedWire, clock: HandClock | None = None, vault: MemoryVault | None = None, **changes: Any
) -> ShopifyConnector:
    """The connector on a scripted wire."""
    return ShopifyConnector(app_settings(**changes), wire, clock or HandClock(), vault or MemoryVault())
