"""Where a command's work is done: in the database itself, or by the server that holds its lock.

Reads open the file beside the server. Writes take the file's lock when no server runs; when one does, they go through
its API, so that only one process ever writes. PostgreSQL takes both from anywhere.

The verbs and the wiring are loaded by whoever writes: a look at the database needs neither, and they are most of what
there is to load.
"""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from storebridge.cli.options import Common, choose_workspace, read_config
from storebridge.cli.progress import told_while_waiting
from storebridge.config import ServerConfig, is_loopback, resolve_secret
from storebridge.environment import Environment, open_database, real_clock, real_environment
from storebridge.errors import (
    ConfigurationError,
    NotFoundError,
    RefusedError,
    StorebridgeError,
    StoreInUseError,
    StoreUnavailableError,
)
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.explain_trouble import AnyTrouble, explain_trouble
from storebridge.operations.outcomes import as_told

if TYPE_CHECKING:
    from storebridge.cli.verbs import Desk

PATIENCE_SECONDS = 300.0
LOST = (
    "it may have done it. Before you repeat it look whether it did, with storebridge stock, orders show, exceptions "
    "list, campaign or in the console's audit: what is booked twice counts twice."
)
"""Told of a request whose answer was lost: nothing here shows whether the server carried it out."""
ERRORS: dict[int, type[StorebridgeError]] = {
    400: ConfigurationError,
    404: NotFoundError,
    409: RefusedError,
    422: ConfigurationError,
}
T = TypeVar("T")


@asynccontextmanager
async def environment_of() -> AsyncIterator[Environment]:
    """The real world, for one command."""
    environment = real_environment(os.environ)
    try:
        yield environment
    finally:
        await environment.transport.close()


@asynccontextmanager
async def reading(options: Common) -> AsyncIterator[tuple[Any, WorkspaceTerms]]:
    """The database for reading, beside whoever writes it, and the terms of the workspace."""
    config = read_config(options)
    terms = choose_workspace(config, options)
    store = open_database(config, real_clock(), read_only=True)
    try:
        yield store, terms
    finally:
        await store.close()


def run(work: Coroutine[Any, Any, T], doing: str = "Working") -> T:
    """Run a command's coroutine; whoever waits is told what is done. An empty ``doing`` says nothing.

    Raises StorebridgeError, also for a store that cannot be read.
    """
    with told_while_waiting(doing):
        try:
            return asyncio.run(work)
        except AnyTrouble as trouble:
            raise StorebridgeError(explain_trouble(trouble)) from trouble


async def write(
    options: Common,
    locally: Callable[[Desk], Awaitable[msgspec.Struct]],
    path: str,
    body: dict[str, Any],
    *,
    may_make: bool = False,
) -> dict[str, Any]:
    """Do it here when the database is free, else let the running server do it. Only with ``may_make`` is a database
    made where there is none."""
    config = read_config(options)
    terms = choose_workspace(config, options)
    async with environment_of() as environment:
        try:
            store = open_database(config, environment.clock, may_make=may_make)
        except StoreInUseError as locked:
            address = f"/api/v1/{quote(terms.workspace)}/{path}"
            return await asyncio.to_thread(ask_server, config.server, address, body, locked)
        from storebridge.cli.verbs import Desk

        desk = Desk(config, environment, store, terms)
        try:
            found = await locally(desk)
        finally:
            await desk.close()
        return as_told(found)


async def work_alone(options: Common, seconds: float) -> None:
    """Read orders of the past here for so long, where nobody serves; else let whoever serves do it."""
    config = read_config(options)
    terms = choose_workspace(config, options)
    async with environment_of() as environment:
        try:
            store = open_database(config, environment.clock)
        except StoreInUseError:
            await asyncio.sleep(seconds)
            return
        from storebridge.bootstrap import build_bridge

        bridge = build_bridge(config, environment, store=store)
        try:
            await bridge.backfill(terms.workspace, seconds)
        finally:
            await bridge.stop()


def ask_server(server: ServerConfig, path: str, body: dict[str, Any], locked: StoreUnavailableError) -> dict[str, Any]:
    """POST to the running server. Raises what it answers as the error that it is; StoreUnavailableError when none
    answers, and when its answer was lost: then it may have done what it was asked."""
    headers = {"content-type": "application/json", "accept": "application/json"}
    if not is_loopback(server.console_listen):
        token = resolve_secret(server.console_token, os.environ, _read, setting="server.console_token")
        headers["authorization"] = f"Bearer {token}"
    url = f"http://{server.console_listen}{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE_SECONDS) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise _as_ours(error) from error
    except urllib.error.URLError as error:
        raise StoreUnavailableError(f"{locked} Its console does not answer at {server.console_listen}.") from error
    except (OSError, HTTPException, ValueError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise StoreUnavailableError(
            f"The server at {server.console_listen} was asked, and its answer was lost ({why}): {LOST}"
        ) from error


def _as_ours(error: urllib.error.HTTPError) -> StorebridgeError:
    try:
        sentence = str(json.load(error)["error"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        sentence = f"The server answered {error.code}."
    return ERRORS.get(error.code, StoreUnavailableError)(sentence)


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
