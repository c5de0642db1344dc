"""The console: server-rendered pages, live where it matters, and the API, metrics and health beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from storebridge.config import is_loopback, resolve_secret
from storebridge.errors import ConfigurationError, StorebridgeError
from storebridge.operations.show_metrics import show_metrics
from storebridge.telemetry.metrics import CONTENT_TYPE, render_metrics
from storebridge.web.api.app import build_api
from storebridge.web.console.assets import Assets
from storebridge.web.console.pages import Pages
from storebridge.web.console.sign_in import SignIn
from storebridge.web.guard import Guard
from storebridge.web.health import health_routes

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge

SHORTEST_TOKEN = 16


def build_console_app(bridge: Bridge) -> Starlette:
    """The application of the console's own port. Raises ConfigurationError when it would stand open."""
    token = demanded_token(bridge)
    pages = Pages(bridge, signs_in=token is not None)
    routes = [
        *pages.routes(),
        *health_routes(bridge),
        Route("/metrics", _metrics_of(bridge)),
        Mount("/api", build_api(bridge)),
        Mount("/static", Assets()),
    ]
    if token is not None:
        routes.extend(SignIn(pages, token).routes())
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={404: pages.not_found, StorebridgeError: pages.explain},
    )


def demanded_token(bridge: Bridge) -> str | None:
    """The token that every request must carry; None on loopback, where this machine's own users are trusted."""
    server = bridge.config.server
    if is_loopback(server.console_listen):
        return None
    environment = bridge.environment
    token = resolve_secret(
        server.console_token, environment.environ, environment.read_file, setting="server.console_token"
    )
    if token is None or len(token) < SHORTEST_TOKEN:
        raise ConfigurationError(
            f"server.console_listen is {server.console_listen}, which others can reach: set server.console_token "
            f"to a secret of at least {SHORTEST_TOKEN} characters, or listen on 127.0.0.1."
        )
    return token


def _metrics_of(bridge: Bridge) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that writes the metrics of every workspace."""

    async def metrics(request: Request) -> Response:  # noqa: ARG001 - the route hands it in
        budgets = {
            (str(workspace), str(name)): connector.budget.ratio()
            for workspace, bench in bridge.workspaces.items()
            for name, connector in bench.connectors.items()
        }
        terms = [bench.terms for bench in bridge.workspaces.values()]
        figures = await show_metrics(bridge.store, terms, budgets)
        return Response(render_metrics(figures), headers={"content-type": CONTENT_TYPE})

    return metrics
