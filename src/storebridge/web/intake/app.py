"""The webhook intake: bounded memory, stored before the answer, no word about why a delivery was refused.

Deliveries: 200 stored (or known already) · 401 bad signature · 404 no such connection · 413 too large · 503 not stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.web.health import health_routes
from storebridge.web.intake.bodies import BodyTooLarge, read_bounded
from storebridge.web.intake.guard import guard_routes

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge

STATUS = {"stored": 200, "duplicate": 200, "forged": 401, "unknown_connection": 404, "unstorable": 503}
"""What the vendor is told, by ``Acceptance``. It retries anything but 2xx, and later drops the subscription."""


def build_intake_app(bridge: Bridge) -> Starlette:
    """The application that stores deliver to; it serves nothing else but health."""
    desk = IntakeDesk(bridge)
    routes = [
        Route("/hooks/{connection}", desk.receive, methods=["POST"]),
        Route("/hooks/{workspace}/{connection}", desk.receive, methods=["POST"]),
        *guard_routes(bridge),
        *health_routes(bridge),
    ]
    return Starlette(routes=routes)


class IntakeDesk:
    """Takes one delivery at a time from the wire to the intake."""

    def __init__(self, bridge: Bridge) -> None:
        self._intake = bridge.intake
        self._most_bytes = bridge.config.server.max_delivery_bytes
        self._known = frozenset(bridge.intake.connection_names())

    async def receive(self, request: Request) -> Response:
        """Answer one delivery. The body is only looked at by the connection's own verifier."""
        found = self._find(request.path_params.get("workspace"), request.path_params["connection"])
        if found is None:
            return PlainTextResponse("unknown connection\n", 404)
        try:
            body = await read_bounded(request, self._most_bytes)
        except BodyTooLarge:
            await self._intake.count_oversized(*found)
            return PlainTextResponse("too large\n", 413, headers={"connection": "close"})
        except ClientDisconnect:
            return PlainTextResponse("incomplete\n", 400)
        headers = {name.lower(): value for name, value in request.headers.items()}
        acceptance = await self._intake.accept(*found, headers, body)
        return PlainTextResponse(f"{acceptance.value}\n", STATUS[acceptance.value])

    def _find(self, workspace: str | None, connection: str) -> tuple[Workspace, ConnectionName] | None:
        """The short address works as long as one workspace alone has a connection of that name."""
        named = [key for key in self._known if key[1] == connection and (workspace is None or key[0] == workspace)]
        return named[0] if len(named) == 1 else None
