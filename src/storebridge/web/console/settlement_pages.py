"""Money in the console: days, the statement of one, and the invoice of an order; all of them print well."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from storebridge.flows.settlement_sums import NOTES
from storebridge.model.settlement import KeptStatement
from storebridge.operations.export_settlement import settlement_csv
from storebridge.operations.show_invoice import show_invoice
from storebridge.operations.show_settlement import day_named, list_settlements, show_settlement, yesterday
from storebridge.web.console.order_pages import Frame

ROWS = 62
LINES = 400
"""Lines on one page; a busy day has thousands, and the CSV holds them all."""


class SettlementPages:
    """The pages about money."""

    def __init__(self, pages: Frame) -> None:
        self._pages = pages
        self._store = pages.bridge.store

    def routes(self) -> list[Route]:
        return [
            Route("/settlements", self.days),
            Route("/settlements/{day}", self.day),
            Route("/settlements/{day}/lines.csv", self.lines),
            Route("/invoices/{order:path}", self.invoice),
        ]

    async def days(self, request: Request) -> Response:
        terms = self._pages.terms_of(request)
        if not terms.keep_orders:
            return self._pages.render(request, "orders_unkept.html")
        page = await list_settlements(self._store, terms, after=request.query_params.get("after"), limit=ROWS)
        last = yesterday(self._pages.bridge.environment.clock.now(), terms)
        return self._pages.render(request, "settlements.html", page=page, last=last, today=last + timedelta(days=1))

    async def day(self, request: Request) -> Response:
        kept = await self._kept(request)
        asked = request.query_params.get("line", "")
        last_page = max(0, len(kept.statement.lines) - 1) // LINES * LINES
        first = min(int(asked), last_page) if asked.isdecimal() and len(asked) < 9 else 0
        return self._pages.render(
            request,
            "settlement.html",
            kept=kept,
            statement=kept.statement,
            lines=kept.statement.lines[first : first + LINES],
            first=first,
            lines_shown=LINES,
            notes=NOTES,
        )

    async def lines(self, request: Request) -> Response:
        kept = await self._kept(request)
        headers = {
            "content-disposition": f'attachment; filename="settlement-{kept.statement.day}.csv"',
            "content-type": "text/csv; charset=utf-8",
        }
        return Response(settlement_csv([kept]), headers=headers)

    async def invoice(self, request: Request) -> Response:
        found = await show_invoice(self._store, self._pages.terms_of(request), request.path_params["order"])
        return self._pages.render(request, "invoice.html", invoice=found)

    async def _kept(self, request: Request) -> KeptStatement:
        version = request.query_params.get("version", "")
        return await show_settlement(
            self._store,
            self._pages.terms_of(request),
            day_named(request.path_params["day"]),
            version=int(version) if version.isdecimal() and len(version) < 7 else None,
        )
