"""The verbs of the commands that write, on a database that this process may write."""

from __future__ import annotations

from typing import Any

import msgspec

from storebridge.bootstrap import Bridge, build_bridge
from storebridge.cli.actor import actor
from storebridge.config import Config
from storebridge.environment import Environment
from storebridge.model.sales import Tracking
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.backfill_orders import cancel_backfill, start_backfill
from storebridge.operations.book_goods import count_goods, receive_goods
from storebridge.operations.hand_over import handed_over, ready_for_pickup
from storebridge.operations.import_parcels import import_parcels
from storebridge.operations.reconcile_stores import reconcile_stores
from storebridge.operations.replay_event import replay_event
from storebridge.operations.run_campaign import start_campaign, stop_campaign
from storebridge.operations.settle_case import About, Choice, settle_case
from storebridge.operations.ship_order import Step, change_parcel, hold_order, note_step, ship_order
from storebridge.operations.step_orders import step_orders
from storebridge.operations.undo_changes import Batch, undo_changes


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
