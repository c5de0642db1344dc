"""Between us and the stores: answers are changed on their way, as by a vendor who changes an API unannounced."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from storebridge.connectors.http import Request, Response, Transport

Change = Callable[[Request, Any], Any]


class OddAnswers:
    """Hands each JSON answer to ``change`` while there is one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.change: Change | None = None

    async def send(self, request: Request) -> Response:
        answer = await self._transport.send(request)
        if self.change is None or b"{" not in answer.body:
            return answer
        changed = self.change(request, json.loads(answer.body))
        body = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
        return msgspec.structs.replace(answer, body=body)

    async def close(self) -> None:
        await self._transport.close()


def walk(value: Any, edit: Callable[[dict[str, Any]], None]) -> Any:
    """Let ``edit`` see every object of an answer."""
    if isinstance(value, dict):
        edit(value)
        for inner in value.values():
            walk(inner, edit)
    elif isinstance(value, list):
        for inner in value:
            walk(inner, edit)
    return value
