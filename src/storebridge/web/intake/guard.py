"""Where a store's checkout asks whether it may go on (policy guarded); it waits for the answer.

200 with what stands against it, or nothing · 401 not signed · 404 no such guard · 413 too large.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from storebridge.web.intake.bodies import BodyTooLarge, read_bounded

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge


def guard_routes(bridge: Bridge) -> list[Route]:
    """The addresses of the guards, short where one workspace alone has such a connection."""
    return [Route("/guard/{connection}/{path:path}", GuardRoom(bridge).receive, methods=["POST"])]


class GuardRoom:
    """Takes one question at a time from the wire to its desk."""

    def __init__(self, bridge: Bridge) -> None:
        self._most_bytes = bridge.config.server.max_delivery_bytes
        self._desks = {}
        desks = bridge.checkout_desks()
        for (workspace, connection), desk in desks.items():
            self._desks[f"{workspace}/{connection}{desk.path}"] = desk
            if sum(name == connection for _, name in desks) == 1:
                self._desks[f"{connection}{desk.path}"] = desk

    async def receive(self, request: Request) -> Response:
        """Answer one question. The body is only looked at by the desk."""
        desk = self._desks.get(f"{request.path_params['connection']}/{request.path_params['path']}")
        if desk is None:
            return PlainTextResponse("unknown guard\n", 404)
        try:
            body = await read_bounded(request, self._most_bytes)
        except BodyTooLarge:
            return PlainTextResponse("too large\n", 413, headers={"connection": "close"})
        except ClientDisconnect:
            return PlainTextResponse("incomplete\n", 400)
        reply = await desk.receive(body)
        return Response(reply.body, reply.status, media_type="application/json")
