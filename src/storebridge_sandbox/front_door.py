"""Where a store's calls go in: pages and control calls to their routes, the vendor's API straight to the gate."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from storebridge_sandbox.gate import App, Receive, Scope, Send


class FrontDoor:
    """An ASGI app. Behind it the routes are tried one after the other, and most calls are to the vendor's API, whose
    addresses begin otherwise than all of them: trying forty routes cost as much as answering."""

    def __init__(self, routes: Sequence[Route], gate: App) -> None:
        self._gate = gate
        self._own = frozenset(_first_part(route.path) for route in routes)
        self._desk = Starlette(routes=[*routes, Mount("/", app=gate)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        vendors = scope["type"] == "http" and _first_part(scope["path"]) not in self._own
        await (self._gate if vendors else self._desk)(scope, receive, send)


def _first_part(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else ""
