"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from storebridge.errors import StoreUnavailableError
from storebridge.operations.show_health import database_answers

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge


def health_routes(bridge: Bridge) -> list[Route]:
    """``/healthz``: 200 unless a loop died of something that nobody waits for; while the database is away the process
    must not be ended by whoever asks here. ``/readyz``: 200 while the database answers and is worked with."""

    async def healthz(request: Request) -> Response:  # noqa: ARG001 - the route hands it in
        error = bridge.failed()
        waited_for = bridge.away or isinstance(error, StoreUnavailableError)
        if error is not None and not waited_for:
            return JSONResponse({"healthy": False, "reason": type(error).__name__}, 503)
        return JSONResponse({"healthy": True})

    async def readyz(request: Request) -> Response:
        alive = await healthz(request)
        if alive.status_code != 200:
            return alive
        try:
            away = bridge.away or str(bridge.failed() or "")
            if away:
                raise StoreUnavailableError(away)
            await database_answers(bridge.store)
        except StoreUnavailableError as error:
            return JSONResponse({"ready": False, "reason": str(error)}, 503)
        return JSONResponse({"ready": True})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
