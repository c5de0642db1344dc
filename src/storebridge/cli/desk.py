"""Where a command's work is done: in the database itself, or by the server that holds its lock.

Reads open the file beside the server. Writes take the file's lock when no server runs; when one does, they go through
its API, so that only one process ever writes. PostgreSQL takes both from anywhere.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from storebridge.bootstrap import Bridge, build_bridge
from storebridge.cli.options import Common, choose_workspace, read_config
from storebridge.cli.progress import told_while_waiting
from storebridge.config import Config, ServerConfig, is_loopback, resolve_secret
from storebridge.environment import Environment, open_database, real_environment
from storebridge.errors import (
    ConfigurationError,
    NotFoundError,
    RefusedError,
    StorebridgeError,
    StoreInUseError,
    StoreUnavailableError,
)
from storebridge.model.sales import Tracking
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.backfill_orders import cancel_backfill, start_backfill
from storebridge.operations.book_goods import count_goods, receive_goods
from storebridge.operations.explain_trouble import AnyTrouble, explain_trouble
from storebridge.operations.hand_over import handed_over, ready_for_pickup
from storebridge.operations.import_parcels import import_parcels
from storebridge.operations.outcomes import as_told
from storebridge.operations.reconcile_stores import reconcile_stores
from storebridge.operations.replay_event import replay_event
from storebridge.operations.run_campaign import start_campaign, stop_campaign
from storebridge.operations.settle_case import About, Choice, settle_case
from storebridge.operations.ship_order import Step, change_parcel, hold_order, note_step, ship_order
from storebridge.operations.step_orders import step_orders
from storebridge.operations.undo_changes import Batch, undo_changes

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


def actor() -> str:
    """Who stands in the audit for what a command does."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


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
    async with environment_of() as environment:
        store = open_database(config, environment, read_only=True)
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
            store = open_database(config, environment, may_make=may_make)
        except StoreInUseError as locked:
            address = f"/api/v1/{quote(terms.workspace)}/{path}"
            return await asyncio.to_thread(ask_server, config.server, address, body, locked)
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
            store = open_database(config, environment)
        except StoreInUseError:
            await asyncio.sleep(seconds)
            return
        bridge = build_bridge(config, environment, store=store)
        try:
            await bridge.backfill(terms.workspace, seconds)
        finally:
            await bridge.stop()


class Desk:
    """The verbs, on a database that this process may write."""

    def __init__(self, config: Config, environment: Environment, store: Any, terms: WorkspaceTerms) -> None:
        self._config = config
        self._environment = environment
        self._store = store
        self._terms = terms
        self._bridge: Bridge | None = None

    async def receive(self, sku: str, units: int, group: str | None) -> msgspec.Struct:
        return await self._book(receive_goods, sku, units, group)

    async def count(self, sku: str, units: int, group: str | None) -> msgspec.Struct:
        return await self._book(count_goods, sku, units, group)

    async def _book(self, verb: Any, sku: str, units: int, group: str | None) -> msgspec.Struct:
        ids = self._environment.ids
        booked: msgspec.Struct = await self._store.run(verb, self._terms, ids, sku, units, group=group, actor=actor())
        return booked

    async def start_campaign(self, hours: float, skus: str) -> msgspec.Struct:
        started: msgspec.Struct = await self._store.run(start_campaign, self._terms, hours, skus, actor=actor())
        return started

    async def stop_campaign(self, skus: str | None) -> msgspec.Struct:
        stopped: msgspec.Struct = await self._store.run(stop_campaign, self._terms, skus, actor=actor())
        return stopped

    async def start_backfill(self, days: int, copy: bool, connection: str | None) -> msgspec.Struct:
        started: msgspec.Struct = await self._store.run(
            start_backfill, self._terms, days, copy=copy, connection=connection, actor=actor()
        )
        return started

    async def cancel_backfill(self) -> msgspec.Struct:
        ended: msgspec.Struct = await self._store.run(cancel_backfill, self._terms, actor=actor())
        return ended

    async def undo(self, batch: Batch, apply: bool) -> msgspec.Struct:
        ids = self._environment.ids
        undone: msgspec.Struct = await self._store.run(
            undo_changes, self._terms, ids, batch, apply=apply, actor=actor()
        )
        return undone

    async def settle(self, case_id: str, choice: Choice, note: str, about: About) -> msgspec.Struct:
        ids = self._environment.ids
        settled: msgspec.Struct = await self._store.run(
            settle_case, self._terms, ids, case_id, choice, actor=actor(), note=note, about=about
        )
        return settled

    async def ship(
        self,
        order: str,
        lines: dict[str, int] | None,
        tracking: Tracking,
        *,
        notify: bool,
        location: str | None,
        reference: str,
    ) -> msgspec.Struct:
        moved: msgspec.Struct = await self._store.run(
            ship_order,
            self._terms,
            self._environment.ids,
            order,
            lines=lines,
            tracking=tracking,
            actor=actor(),
            notify=notify,
            location=location,
            reference=reference,
        )
        return moved

    async def ready(self, order: str) -> msgspec.Struct:
        ids = self._environment.ids
        moved: msgspec.Struct = await self._store.run(ready_for_pickup, self._terms, ids, order, actor=actor())
        return moved

    async def handed_over(
        self, order: str, lines: dict[str, int] | None, *, notify: bool, reference: str
    ) -> msgspec.Struct:
        told = {"lines": lines, "actor": actor(), "notify": notify, "reference": reference}
        moved: msgspec.Struct = await self._store.run(handed_over, self._terms, self._environment.ids, order, **told)
        return moved

    async def import_parcels(self, text: str, notify: bool) -> msgspec.Struct:
        ids = self._environment.ids
        return await import_parcels(self._store, self._terms, ids, text, actor=actor(), notify=notify)

    async def change_parcel(self, order: str, parcel: str, tracking: Tracking | None, cancel: bool) -> msgspec.Struct:
        ids = self._environment.ids
        moved: msgspec.Struct = await self._store.run(
            change_parcel, self._terms, ids, order, parcel, actor=actor(), tracking=tracking, cancel=cancel
        )
        return moved

    async def step(self, order: str, step: Step, lines: dict[str, int] | None) -> msgspec.Struct:
        moved: msgspec.Struct = await self._store.run(note_step, self._terms, order, step, lines, actor=actor())
        return moved

    async def steps(self, orders: list[str] | None, step: Step, location: str | None) -> msgspec.Struct:
        return await step_orders(self._store, self._terms, orders, step, actor=actor(), location=location)

    async def hold(self, order: str, hold: bool, why: str) -> msgspec.Struct:
        ids = self._environment.ids
        moved: msgspec.Struct = await self._store.run(
            hold_order, self._terms, ids, order, hold=hold, actor=actor(), why=why
        )
        return moved

    async def replay(self, event: str, stage: Any) -> msgspec.Struct:
        replayed: msgspec.Struct = await self._store.run(replay_event, self._terms, event, stage, actor=actor())
        return replayed

    async def reconcile(self, repair: bool) -> msgspec.Struct:
        bridge = self._wired()
        connectors = bridge.workspaces[self._terms.workspace].connectors
        return await reconcile_stores(self._store, self._terms, connectors, repair=repair)

    async def baseline(self, sign_off: bool) -> msgspec.Struct:
        return await self._wired().baseline(self._terms.workspace, sign_off=sign_off, actor=actor())

    def _wired(self) -> Bridge:
        """Only what talks to stores needs credentials."""
        if self._bridge is None:
            self._bridge = build_bridge(self._config, self._environment, store=self._store)
        return self._bridge

    async def close(self) -> None:
        if self._bridge is not None:
            await self._bridge.stop()
        else:
            await self._store.close()


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
