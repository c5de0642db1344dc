"""Both stores behind real sockets on 127.0.0.1, in the event loop that is running."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn

from storebridge_sandbox.gate import App, Receive, Scope, Send

HOST = "127.0.0.1"
GRACE_SECONDS = 1
BACKLOG = 2048

KEEP_ALIVE_SECONDS = 120
"""Longer than any client keeps an idle connection: a request must not meet a connection that is just being closed. On a
busy machine that once ended a demo in the middle."""


class Served(Protocol):
    """A store as far as serving goes."""

    @property
    def app(self) -> App: ...


class ServedPair(Protocol):
    """Two stores as far as serving goes."""

    @property
    def shopify(self) -> Served: ...

    @property
    def wix(self) -> Served: ...


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ServedStores:
    """Two running servers; stop them when done."""

    def __init__(self, shopify: ServedApp, wix: ServedApp) -> None:
        self._served = (shopify, wix)
        self.shopify_url = shopify.url
        self.wix_url = wix.url

    async def stop(self) -> None:
        """Take no more calls; those under way get a second to end."""
        await asyncio.gather(*(served.stop() for served in self._served))


class ServedApp:
    """One server on one socket."""

    def __init__(self, app: App, port: int) -> None:
        self._socket = _listen(port)
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        # The stores tell their own time in the Date header, which need not be the machine's.
        config = uvicorn.Config(
            _with_abort(app),
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            log_config=None,
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._server = _Server(config)
        self._task = asyncio.get_running_loop().create_task(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        self._server.should_exit = True
        await self._task
        self._socket.close()


async def serve_stores(stores: ServedPair, shopify_port: int = 0, wix_port: int = 0) -> ServedStores:
    """Serve both; port 0 takes a free one. The sockets listen when this returns. Raises OSError when a port
    is taken."""
    shopify = ServedApp(stores.shopify.app, shopify_port)
    try:
        wix = ServedApp(stores.wix.app, wix_port)
    except OSError:
        await shopify.stop()
        raise
    return ServedStores(shopify, wix)


def _with_abort(app: App) -> App:
    """Lets the app break its connection off: ``scope["sandbox.abort"]``. ASGI itself has no word for that."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            scope["sandbox.abort"] = transport.abort
        await app(scope, receive, send)

    return served


def _listen(port: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's algorithm off only where it is: else answers in two pieces
    # wait 40 ms for the client's delayed acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
