"""The API's reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from storebridge.errors import NotFoundError
from storebridge.model.ids import Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations import list_cases as cases
from storebridge.operations import list_events as events
from storebridge.operations.explain_stock import StockStory, explain_stock
from storebridge.operations.list_audit import AuditPage, list_audit
from storebridge.operations.list_stock import StockPage, list_stock
from storebridge.operations.run_campaign import Campaigns, list_campaigns
from storebridge.operations.show_overview import Overview, show_overview
from storebridge.operations.show_status import Status, show_status
from storebridge.web.api.answers import answer_page, answer_with, described

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge

Limit = Annotated[int, Query(ge=1, le=1000, description="Rows of one page.")]
After = Annotated[str | None, Query(description="Where the page begins; taken from `next`.", max_length=300)]
Text = Annotated[str | None, Query(max_length=200)]


def terms_in(bridge: Bridge, workspace: str) -> WorkspaceTerms:
    """The terms of a workspace by name. Raises NotFoundError."""
    bench = bridge.workspaces.get(Workspace(workspace))
    if bench is None:
        known = ", ".join(sorted(bridge.workspaces))
        raise NotFoundError(f"There is no workspace {workspace!r}: this server knows {known}.")
    return bench.terms


def add_reads(api: FastAPI, bridge: Bridge) -> None:
    """Add every read to the API."""
    _add_stock(api, bridge)
    _add_lists(api, bridge)
    _add_single(api, bridge)


def _add_stock(api: FastAPI, bridge: Bridge) -> None:
    @api.get("/v1/{workspace}/status", responses=described(Status), tags=["status"])
    async def status(workspace: str) -> Response:
        """Health, backlog, counts, speed, drift, and the verdict in sentences."""
        return answer_with(await show_status(bridge.store, terms_in(bridge, workspace)))

    @api.get("/v1/{workspace}/campaigns", responses=described(Campaigns), tags=["stock"])
    async def campaigns(workspace: str) -> Response:
        """Campaigns that run: escrow for a period."""
        return answer_with(await list_campaigns(bridge.store, terms_in(bridge, workspace)))

    @api.get("/v1/{workspace}/overview", responses=described(Overview), tags=["status"])
    async def overview(workspace: str) -> Response:
        """What the console's first page shows."""
        return answer_with(await show_overview(bridge.store, terms_in(bridge, workspace)))

    @api.get("/v1/{workspace}/stock", responses=described(StockPage), tags=["stock"])
    async def stock(
        request: Request, workspace: str, limit: Limit = 100, after: After = None, search: Text = None
    ) -> Response:
        """Every SKU with what is left and what each store shows."""
        terms = terms_in(bridge, workspace)
        page = await list_stock(bridge.store, terms, search=search or "", after=after, limit=limit)
        return answer_page(page, request.url.path, {"limit": limit, "search": search})

    @api.get("/v1/{workspace}/stock/{sku:path}", responses=described(StockStory), tags=["stock"])
    async def story(
        workspace: str, sku: str, before: Annotated[int | None, Query(description="Older movements.")] = None
    ) -> Response:
        """The story of a number: pool, reserve, counters, unresolved writes, every movement with its cause."""
        return answer_with(await explain_stock(bridge.store, terms_in(bridge, workspace), sku, before=before))


def _add_lists(api: FastAPI, bridge: Bridge) -> None:
    @api.get("/v1/{workspace}/events", responses=described(events.EventPage), tags=["events"])
    async def event_list(
        request: Request,
        workspace: str,
        limit: Limit = 100,
        after: After = None,
        state: Literal["waiting", "confirmed", "superseded", "exception", "resolved"] | None = None,
        connection: Text = None,
    ) -> Response:
        """Signals and how far each has come, newest first."""
        name = terms_in(bridge, workspace).workspace
        page = await events.list_events(
            bridge.store, name, state=state, connection=connection, after=after, limit=limit
        )
        query = {"limit": limit, "state": state, "connection": connection}
        return answer_page(page, request.url.path, query)

    @api.get("/v1/{workspace}/exceptions", responses=described(cases.CasePage), tags=["exceptions"])
    async def exceptions(
        request: Request,
        workspace: str,
        limit: Limit = 100,
        after: After = None,
        state: Literal["open", "resolved", "any"] = "open",
        reason: Text = None,
        sku: Text = None,
        connection: Text = None,
        whose_move: Text = None,
    ) -> Response:
        """The exception queue, newest first."""
        name = terms_in(bridge, workspace).workspace
        wanted = cases.CaseFilter(None if state == "any" else state, reason, sku, connection, whose_move)
        page = await cases.list_cases(bridge.store, name, wanted, after=after, limit=limit)
        query = {"state": state, "reason": reason, "sku": sku, "connection": connection}
        return answer_page(page, request.url.path, {"limit": limit, **query, "whose_move": whose_move})

    @api.get("/v1/{workspace}/audit", responses=described(AuditPage), tags=["audit"])
    async def audit(
        request: Request,
        workspace: str,
        limit: Limit = 100,
        after: After = None,
        subject: Text = None,
        kind: Text = None,
    ) -> Response:
        """Who did what to which subject, newest first, with its place in the chain."""
        name = terms_in(bridge, workspace).workspace
        page = await list_audit(bridge.store, name, subject=subject, kind=kind, after=after, limit=limit)
        return answer_page(page, request.url.path, {"limit": limit, "subject": subject, "kind": kind})


def _add_single(api: FastAPI, bridge: Bridge) -> None:
    @api.get("/v1/{workspace}/events/{event:path}", responses=described(events.Event), tags=["events"])
    async def event(workspace: str, event: str) -> Response:
        """One delivery, or one signal by its number, with everything that came of it."""
        name = terms_in(bridge, workspace).workspace
        return answer_with(await events.show_event(bridge.store, name, event))

    @api.get("/v1/{workspace}/exceptions/{case_id}", responses=described(cases.CaseView), tags=["exceptions"])
    async def exception(workspace: str, case_id: str) -> Response:
        """One case, what closes it, and what can be said about it."""
        name = terms_in(bridge, workspace).workspace
        return answer_with(await cases.show_case(bridge.store, name, case_id))
