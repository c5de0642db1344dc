"""The console's pages. Each reads through one operation and renders one template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from storebridge.errors import NotFoundError, RefusedError
from storebridge.model.ids import Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.operations.book_goods import count_goods, receive_goods
from storebridge.operations.explain_stock import bundle_lines, explain_stock, happenings
from storebridge.operations.list_audit import list_audit
from storebridge.operations.list_cases import CaseFilter, show_case, show_desk
from storebridge.operations.list_stock import list_stock
from storebridge.operations.settle_case import Choice, settle_case
from storebridge.operations.show_status import PROMISES
from storebridge.web.api.answers import status_of
from storebridge.web.console.answers import about_of, answers_to
from storebridge.web.console.campaign_pages import CampaignPages
from storebridge.web.console.forms import read_form
from storebridge.web.console.live import LiveOverview
from storebridge.web.console.order_pages import OrderPages
from storebridge.web.console.render import build_templates, link
from storebridge.web.console.settlement_pages import SettlementPages

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge

ROWS = 100
ACTOR = "console"


class Pages:
    """Every page that a person sees."""

    def __init__(self, bridge: Bridge, *, signs_in: bool) -> None:
        self.bridge = bridge
        self._signs_in = signs_in
        self._templates = build_templates()
        self._live = LiveOverview(bridge, self._templates)

    def routes(self) -> list[Route]:
        return [
            Route("/", self.overview),
            Route("/live", self.live),
            Route("/stock", self.stock),
            Route("/stock/{sku:path}", self.story),
            Route("/stock/{sku:path}", self.book, methods=["POST"]),
            *CampaignPages(self).routes(),
            *OrderPages(self).routes(),
            *SettlementPages(self).routes(),
            Route("/exceptions", self.exceptions),
            Route("/exceptions/{case_id}", self.exception),
            Route("/exceptions/{case_id}", self.settle, methods=["POST"]),
            Route("/audit", self.audit),
        ]

    def terms_of(self, request: Request) -> WorkspaceTerms:
        """The workspace that the address names; the first one otherwise."""
        benches = self.bridge.workspaces
        name = request.query_params.get("workspace") or next(iter(benches))
        bench = benches.get(Workspace(name))
        if bench is None:
            raise NotFoundError(f"There is no workspace {name!r} here.")
        return bench.terms

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """A page, with what every page needs."""
        names = list(self.bridge.workspaces)
        chosen = request.query_params.get("workspace") if len(names) > 1 else None
        page = self._templates.get_template(template).render(
            here=request.url.path,
            workspaces=names,
            workspace=chosen or names[0],
            signs_in=self._signs_in,
            now=self.bridge.environment.clock.now(),
            link=lambda path, **query: link(path, workspace=chosen, **query),
            **values,
        )
        return HTMLResponse(page, status)

    async def overview(self, request: Request) -> Response:
        terms = self.terms_of(request)
        glance = await self._live.glance(terms)
        return self.render(request, "overview.html", glance=glance, policy=terms.policy.value)

    async def live(self, request: Request) -> Response:
        return self._live.stream(self.terms_of(request))

    async def stock(self, request: Request) -> Response:
        terms = self.terms_of(request)
        search = request.query_params.get("search", "")[:100]
        page = await list_stock(
            self.bridge.store, terms, search=search, after=request.query_params.get("after"), limit=ROWS
        )
        return self.render(
            request,
            "stock.html",
            page=page,
            search=search,
            stores=terms.connections,
            divided=any(line.policy != Policy.MIRROR for line in page.items),
            usual=terms.policy.value,
        )

    async def story(self, request: Request) -> Response:
        return await self._story(request)

    async def _story(self, request: Request, problem: str = "") -> Response:
        terms = self.terms_of(request)
        before = request.query_params.get("before", "")
        story = await explain_stock(
            self.bridge.store,
            terms,
            request.path_params["sku"],
            before=int(before) if before.isdecimal() and len(before) < 19 else None,
        )
        policy = story.pools[0].line.policy if story.pools else terms.policy.value
        return self.render(
            request,
            "story.html",
            409 if problem else 200,
            story=story,
            bundle=[line.strip() for one in story.bundle for line in bundle_lines(one)],
            happenings=happenings(story),
            sentences={movement.row.seq: movement.sentence for movement in story.movements},
            promise=PROMISES.get(Policy(policy), ""),
            usual=terms.policy.value,
            keeps_orders=terms.keep_orders,
            problem=problem,
        )

    async def book(self, request: Request) -> Response:
        """Receive goods, or count the shelf."""
        terms, sku, form = self.terms_of(request), request.path_params["sku"], await read_form(request)
        verb = count_goods if form.get("what") == "count" else receive_goods
        units = form.get("units", "")
        if not units.isdecimal() or len(units) > 9:
            return await self._story(request, "Give a whole number of units.")
        try:
            booked = await self.bridge.store.run(
                verb,
                terms,
                self.bridge.environment.ids,
                sku,
                int(units),
                group=form.get("group") or None,
                actor=ACTOR,
            )
        except RefusedError as error:
            return await self._story(request, str(error))
        self.bridge.wake(terms.workspace, booked.wake)
        return RedirectResponse(str(request.url), 303)

    async def exceptions(self, request: Request) -> Response:
        terms, query = self.terms_of(request), request.query_params
        state = "resolved" if query.get("state") == "resolved" else "open"
        wanted = CaseFilter(state=state, reason=query.get("reason") or None, sku=query.get("sku") or None)
        desk = await show_desk(self.bridge.store, terms.workspace, wanted, after=query.get("after"), limit=ROWS)
        return self.render(request, "exceptions.html", page=desk.page, open_of=desk.open_of, wanted=wanted, state=state)

    async def exception(self, request: Request) -> Response:
        return await self._exception(request)

    async def _exception(self, request: Request, problem: str = "") -> Response:
        terms = self.terms_of(request)
        view = await show_case(self.bridge.store, terms.workspace, request.path_params["case_id"])
        return self.render(
            request,
            "exception.html",
            409 if problem else 200,
            view=view,
            case=view.case,
            answers=answers_to(view.choices),
            problem=problem,
        )

    async def settle(self, request: Request) -> Response:
        """Carry out what a person decided."""
        terms, form = self.terms_of(request), await read_form(request)
        case_id = request.path_params["case_id"]
        try:
            choice = Choice(form.get("choice", ""))
            settled = await self.bridge.store.run(
                settle_case,
                terms,
                self.bridge.environment.ids,
                case_id,
                choice,
                actor=ACTOR,
                note=form.get("note", "")[:1000],
                about=about_of(form, choice),
            )
        except ValueError:
            return await self._exception(request, "Choose one of the answers.")
        except RefusedError as error:
            return await self._exception(request, str(error))
        self.bridge.wake(terms.workspace, settled.wake)
        return RedirectResponse(str(request.url), 303)

    async def audit(self, request: Request) -> Response:
        terms, query = self.terms_of(request), request.query_params
        subject, kind = query.get("subject") or None, query.get("kind") or None
        page = await list_audit(
            self.bridge.store,
            terms.workspace,
            subject=subject,
            kind=kind,
            after=query.get("after"),
            limit=ROWS,
        )
        return self.render(request, "audit.html", page=page, subject=subject, kind=kind)

    async def not_found(self, request: Request, error: Exception) -> Response:  # noqa: ARG002
        """Nothing here; machines get JSON."""
        return self._explained(request, "There is nothing at this address.", 404)

    async def explain(self, request: Request, error: Exception) -> Response:
        """An error that explains itself."""
        status = status_of(error)
        return self._explained(request, str(error), status)

    def _explained(self, request: Request, sentence: str, status: int) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"error": sentence}, status)
        return self.render(request, "explain.html", status, sentence=sentence)
