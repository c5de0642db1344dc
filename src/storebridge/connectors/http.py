"""The one way out: a small transport port, so that tests can lead straight into the sandbox's ASGI app.

Real: ``AiohttpTransport``. Certainty matters more than detail: a failed request either surely never left
(``NotSent``) or may have taken effect (``NoAnswer``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Request(msgspec.Struct, frozen=True):
    """What goes on the wire."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    timeout_seconds: float = 20.0


class Response(msgspec.Struct, frozen=True):
    """What came back; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The request surely did not reach the vendor (no connection, name not resolved)."""


class NoAnswer(Exception):
    """The request may have reached the vendor: timed out, or the connection broke after sending."""


class Transport(Protocol):
    """Sends one request; follows no redirects; raises NotSent or NoAnswer."""

    async def send(self, request: Request) -> Response: ...

    async def close(self) -> None: ...
