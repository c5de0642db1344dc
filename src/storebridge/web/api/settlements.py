"""Money in the API: statements of days, and invoices of orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from storebridge.model.settlement import Invoice, KeptStatement
from storebridge.operations.export_settlement import settlement_csv
from storebridge.operations.show_invoice import show_invoice
from storebridge.operations.show_settlement import SettlementPage, day_named, list_settlements, show_settlement
from storebridge.web.api.answers import answer_page, answer_with, described
from storebridge.web.api.reads import After, Limit, terms_in

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge

Version = Annotated[int | None, Query(ge=1, description="A version as it was made; the books as of now unless given.")]


def add_settlements(api: FastAPI, bridge: Bridge) -> None:
    """Add statements and invoices."""

    @api.get("/v1/{workspace}/settlements", responses=described(SettlementPage), tags=["money"])
    async def settlements(request: Request, workspace: str, limit: Limit = 100, after: After = None) -> Response:
        """Days that have a statement, the newest first, without their lines."""
        page = await list_settlements(bridge.store, terms_in(bridge, workspace), after=after, limit=limit)
        return answer_page(page, request.url.path, {"limit": limit})

    @api.get("/v1/{workspace}/settlements/{day}", responses=described(KeptStatement), tags=["money"])
    async def settlement(workspace: str, day: str, version: Version = None) -> Response:
        """The statement of a day (`2026-11-25`), line by line; `version` 0 in the answer: not kept yet."""
        terms = terms_in(bridge, workspace)
        return answer_with(await show_settlement(bridge.store, terms, day_named(day), version=version))

    @api.get("/v1/{workspace}/settlements/{day}/lines.csv", tags=["money"])
    async def lines(workspace: str, day: str, version: Version = None) -> Response:
        """The same as CSV, one row a line."""
        terms = terms_in(bridge, workspace)
        found = await show_settlement(bridge.store, terms, day_named(day), version=version)
        return Response(settlement_csv([found]), media_type="text/csv; charset=utf-8")

    @api.get("/v1/{workspace}/invoices/{order:path}", responses=described(Invoice), tags=["money"])
    async def invoice(workspace: str, order: str) -> Response:
        """What an order charged and what was paid of it; by its key, its store's id or its name."""
        return answer_with(await show_invoice(bridge.store, terms_in(bridge, workspace), order))
