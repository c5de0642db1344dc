"""``serve`` and ``worker``: the product itself, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import uvicorn
from starlette.applications import Starlette

from storebridge.bootstrap import Bridge, build_bridge
from storebridge.cli.options import Common, read_config
from storebridge.cli.output import give, tell
from storebridge.cli.running import run_until_stopped
from storebridge.cli.stopping import stop_on_signals
from storebridge.config import Config, is_loopback, parse_listen
from storebridge.environment import collect_less_often, real_environment
from storebridge.errors import ConfigurationError
from storebridge.telemetry.log import configure_logging
from storebridge.web.console.app import build_console_app
from storebridge.web.intake.app import build_intake_app

GRACE_SECONDS = 3


def serve(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Web, webhook intake and workers in one process."""
    config = read_config(common)
    configure_logging()
    if common.policy is not None:
        tell(f"policy: {common.policy} for this run; give status, stock and check the same --policy.")
    asyncio.run(_serve(config, with_web=True))
    give({"stopped": True}, [], as_json=common.json)
    return 0


def worker(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Workers only, any number of them, on PostgreSQL."""
    config = read_config(common)
    if not config.server.store.startswith("postgresql"):
        raise ConfigurationError(
            "storebridge worker needs PostgreSQL: SQLite has one writing process, storebridge serve."
        )
    configure_logging()
    asyncio.run(_serve(config, with_web=False))
    give({"stopped": True}, [], as_json=common.json)
    return 0


async def _serve(config: Config, *, with_web: bool) -> None:
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        environment = real_environment(os.environ)
        stack.push_async_callback(environment.transport.close)
        bridge = build_bridge(config, environment)
        collect_less_often()
        if with_web:
            await _open_web(bridge, stack, stop)
        else:
            tell("storebridge worker: started.")
        await run_until_stopped(bridge, stop)


async def _open_web(bridge: Bridge, stack: AsyncExitStack, stop: asyncio.Event) -> None:
    server = bridge.config.server
    try:
        console, intake = build_console_app(bridge), build_intake_app(bridge)
    except ConfigurationError:
        await bridge.stop()
        raise
    for name, app, listen in (
        ("console", console, server.console_listen),
        ("intake", intake, server.intake_listen),
    ):
        listener = _Listener(app, listen, stop)
        stack.push_async_callback(listener.close)
        try:
            await listener.open()
        except ConfigurationError:
            await bridge.stop()
            raise
        tell(f"{name}: http://{listen}" + ("" if is_loopback(listen) else " (reachable from outside)"))


class _Quiet(uvicorn.Server):
    """Leaves signals to the command."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Listener:
    """One application on one address."""

    def __init__(self, app: Starlette, listen: str, stop: asyncio.Event) -> None:
        host, port = parse_listen(listen)
        self._listen = listen
        self._stop = stop
        self._server = _Quiet(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Returns once it listens. Raises ConfigurationError when the address is taken."""
        self._task = asyncio.create_task(self._run())
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise ConfigurationError(f"{self._listen} cannot be listened on.")
            await asyncio.sleep(0.01)

    async def _run(self) -> None:
        try:
            await self._server.serve()
        except SystemExit as error:
            raise ConfigurationError(
                f"{self._listen} cannot be listened on (is another storebridge running?): "
                "change server.console_listen or server.intake_listen."
            ) from error
        finally:
            self._stop.set()

    async def close(self) -> None:
        self._server.should_exit = True
        if self._task is not None and not self._task.done():
            await self._task
