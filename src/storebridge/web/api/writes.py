"""The API's verbs: what a person can do, as the command line does it while a server holds the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Body, FastAPI
from starlette.responses import Response

from storebridge.model.signals import Stage
from storebridge.operations.book_goods import Booked, count_goods, receive_goods
from storebridge.operations.reconcile_stores import Reconciliation, reconcile_stores
from storebridge.operations.replay_event import Replayed, replay_event
from storebridge.operations.run_baseline import BaselineReport
from storebridge.operations.run_campaign import EVERYTHING, Campaigns, start_campaign, stop_campaign
from storebridge.operations.settle_case import About, Choice, Settled, settle_case
from storebridge.operations.undo_changes import Batch, Undone, undo_changes
from storebridge.web.api.answers import answer_with, described
from storebridge.web.api.reads import terms_in

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge

Actor = Annotated[str, Body(max_length=100, description="Who does it; stands in the audit.")]
Note = Annotated[str, Body(max_length=1000)]
Group = Annotated[str | None, Body(max_length=100, description="Location group, where a SKU has several.")]
Units = Annotated[int, Body(description="Units of goods.")]


def add_writes(api: FastAPI, bridge: Bridge) -> None:
    """Add every verb to the API."""
    _add_goods(api, bridge)
    _add_undo(api, bridge)
    _add_campaigns(api, bridge)
    _add_cases(api, bridge)
    _add_engine(api, bridge)


def _add_goods(api: FastAPI, bridge: Bridge) -> None:
    @api.post("/v1/{workspace}/receive/{sku:path}", responses=described(Booked), tags=["stock"])
    async def receive(workspace: str, sku: str, units: Units, group: Group = None, actor: Actor = "api") -> Response:
        """Book goods that arrived into the pool."""
        terms = terms_in(bridge, workspace)
        booked = await bridge.store.run(
            receive_goods, terms, bridge.environment.ids, sku, units, group=group, actor=actor
        )
        bridge.wake(terms.workspace, booked.wake)
        return answer_with(booked)

    @api.post("/v1/{workspace}/count/{sku:path}", responses=described(Booked), tags=["stock"])
    async def count(workspace: str, sku: str, units: Units, group: Group = None, actor: Actor = "api") -> Response:
        """A shelf count: this many can be sold now."""
        terms = terms_in(bridge, workspace)
        booked = await bridge.store.run(
            count_goods, terms, bridge.environment.ids, sku, units, group=group, actor=actor
        )
        bridge.wake(terms.workspace, booked.wake)
        return answer_with(booked)


def _add_undo(api: FastAPI, bridge: Bridge) -> None:
    @api.post("/v1/{workspace}/undo", responses=described(Undone), tags=["stock"])
    async def undo(
        workspace: str,
        since: Annotated[datetime | None, Body(description="From this time on; or `minutes`.")] = None,
        minutes: Annotated[float | None, Body(description="The last so many minutes.")] = None,
        until: Annotated[datetime | None, Body(description="Up to this time; now when absent.")] = None,
        skus: Annotated[str, Body(max_length=255, description="A SKU, a pattern, or collection:NAME.")] = EVERYTHING,
        connection: Annotated[str | None, Body(max_length=100, description="Edits of this store's staff only.")] = None,
        apply: Annotated[bool, Body(description="Without it, only what would be done.")] = False,
        actor: Actor = "api",
    ) -> Response:
        """Take back edits by staff, receipts, counts and corrections of a period; the writes follow. Never sales."""
        terms = terms_in(bridge, workspace)
        batch = Batch(_aware(since), minutes, _aware(until), skus, connection)
        undone = await bridge.store.run(undo_changes, terms, bridge.environment.ids, batch, apply=apply, actor=actor)
        bridge.wake(terms.workspace, undone.wake)
        return answer_with(undone)


def _aware(moment: datetime | None) -> datetime | None:
    """UTC where a time does not say."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _add_campaigns(api: FastAPI, bridge: Bridge) -> None:
    @api.post("/v1/{workspace}/campaigns/start", responses=described(Campaigns), tags=["stock"])
    async def start(
        workspace: str,
        hours: Annotated[float, Body(description="It ends by itself after this.")],
        skus: Annotated[str, Body(max_length=255, description="A SKU, a pattern, or collection:NAME.")] = EVERYTHING,
        actor: Actor = "api",
    ) -> Response:
        """Escrow for a period, whatever is configured."""
        terms = terms_in(bridge, workspace)
        started = await bridge.store.run(start_campaign, terms, hours, skus, actor=actor)
        bridge.wake(terms.workspace, started.wake)
        return answer_with(started)

    @api.post("/v1/{workspace}/campaigns/stop", responses=described(Campaigns), tags=["stock"])
    async def stop(
        workspace: str,
        skus: Annotated[str | None, Body(max_length=255, description="All when absent.")] = None,
        actor: Actor = "api",
    ) -> Response:
        """End campaigns before their time."""
        terms = terms_in(bridge, workspace)
        stopped = await bridge.store.run(stop_campaign, terms, skus, actor=actor)
        bridge.wake(terms.workspace, stopped.wake)
        return answer_with(stopped)


def _add_cases(api: FastAPI, bridge: Bridge) -> None:
    @api.post("/v1/{workspace}/exceptions/{case_id}/resolve", responses=described(Settled), tags=["exceptions"])
    async def resolve(
        workspace: str,
        case_id: str,
        choice: Annotated[Choice, Body(description="What is decided; the case says which fit.")],
        note: Note = "",
        actor: Actor = "api",
        orders: Annotated[
            list[Annotated[str, Body(max_length=200)]] | None,
            Body(max_length=1000, description="Of `oversold`: the losing orders that are meant; all when absent."),
        ] = None,
        whole: Annotated[bool, Body(description="`cancel` calls off all that is in the orders.")] = False,
    ) -> Response:
        """Settle a case, or look again (`retry`)."""
        terms, about = terms_in(bridge, workspace), About(tuple(orders or ()), whole)
        settled = await bridge.store.run(
            settle_case, terms, bridge.environment.ids, case_id, choice, actor=actor, note=note, about=about
        )
        bridge.wake(terms.workspace, settled.wake)
        return answer_with(settled)


def _add_engine(api: FastAPI, bridge: Bridge) -> None:
    @api.post("/v1/{workspace}/replay", responses=described(Replayed), tags=["events"])
    async def replay(
        workspace: str,
        event: Annotated[str, Body(max_length=300, description="A delivery id or a signal's number.")],
        from_stage: Annotated[Stage, Body()] = Stage.NORMALIZE,
        actor: Actor = "api",
    ) -> Response:
        """Run an event again: everything is read anew, no stored plan is sent."""
        terms = terms_in(bridge, workspace)
        replayed = await bridge.store.run(replay_event, terms, event, from_stage, actor=actor)
        bridge.wake(terms.workspace, replayed.wake)
        return answer_with(replayed)

    @api.post("/v1/{workspace}/reconcile", responses=described(Reconciliation), tags=["stock"])
    async def reconcile(workspace: str, repair: Annotated[bool, Body(embed=True)] = False) -> Response:
        """Compare both stores with the ledger now; repair what is safe."""
        terms = terms_in(bridge, workspace)
        bench = bridge.workspaces[terms.workspace]
        found = await reconcile_stores(bridge.store, terms, bench.connectors, repair=repair)
        bridge.wake(terms.workspace, frozenset(bench.connectors))
        return answer_with(found)

    @api.post("/v1/{workspace}/baseline", responses=described(BaselineReport), tags=["stock"])
    async def baseline(workspace: str, sign_off: Annotated[bool, Body()] = False, actor: Actor = "api") -> Response:
        """Survey the stores; with `sign_off` take in every linked SKU that is new."""
        terms = terms_in(bridge, workspace)
        return answer_with(await bridge.baseline(terms.workspace, sign_off=sign_off, actor=actor))
