"""The fulfilment queue in the console: what is to be done, one order, and a list to print for the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from storebridge.errors import ConfigurationError, NotFoundError, RefusedError
from storebridge.flows.changes import balance_of
from storebridge.flows.queue import TO_DO, Place
from storebridge.model.sales import Delivery, Tracking
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.backfill_orders import backfill_line, list_backfills
from storebridge.operations.export_orders import export_orders
from storebridge.operations.hand_over import handed_over, ready_for_pickup
from storebridge.operations.import_parcels import MOST_BYTES, import_parcels
from storebridge.operations.list_orders import Sort, list_orders
from storebridge.operations.print_orders import print_orders
from storebridge.operations.ship_order import Step, change_parcel, hold_order, note_step, ship_order
from storebridge.operations.show_order import show_order
from storebridge.operations.step_orders import Stepped, step_orders
from storebridge.web.console.forms import read_form, read_upload
from storebridge.web.tables import csv_headers

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge

ROWS = 100
AGES = {"24": "a day ago", "72": "three days ago", "168": "a week ago"}
"""Hours since an order was placed."""
WAYS = {"shipping": "sent by a carrier", "pickup": "collected", "local": "brought by you"}
ACTOR = "console"


class Frame(Protocol):
    """What every page of the console stands in: the bridge, the workspace that is meant, the templates."""

    bridge: Bridge

    def terms_of(self, request: Request) -> WorkspaceTerms: ...

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> Response: ...


class OrderPages:
    """The pages about orders."""

    def __init__(self, pages: Frame) -> None:
        self._pages = pages
        self._store = pages.bridge.store

    def routes(self) -> list[Route]:
        return [
            Route("/orders", self.queue),
            Route("/orders/print", self.printed),
            Route("/orders/print", self.picked, methods=["POST"]),
            Route("/orders/export.csv", self.exported),
            Route("/orders/import", self.importing),
            Route("/orders/import", self.imported, methods=["POST"]),
            Route("/orders/{order:path}", self.order),
            Route("/orders/{order:path}", self.change, methods=["POST"]),
        ]

    async def queue(self, request: Request) -> Response:
        terms, query = self._pages.terms_of(request), request.query_params
        if not terms.keep_orders:
            return self._pages.render(request, "orders_unkept.html")
        places = places_of(query.get("place", ""))
        search, location, sort = query.get("search", "")[:100], _location(request), query.get("sort", "")
        connection, older = query.get("connection", ""), query.get("older", "")
        page = await list_orders(
            self._store,
            terms,
            places=places,
            search=search,
            location=location or None,
            connection=connection or None,
            deliveries=_deliveries(request),
            older_than_hours=float(older) if older in AGES else None,
            sort=Sort(sort) if sort in tuple(Sort) else Sort.NEWEST,
            after=query.get("after"),
            limit=ROWS,
        )
        chosen = query.get("place", "") if len(places) == 1 else ""
        return self._pages.render(
            request,
            "orders.html",
            page=page,
            backfills=(await list_backfills(self._store, terms)).stores,
            backfill_line=backfill_line,
            search=search,
            asked={
                "location": location,
                "connection": connection,
                "delivery": query.get("delivery", ""),
                "older": older,
                "sort": sort,
            },
            ways=WAYS,
            stores=terms.connections,
            ages=AGES,
            chosen=chosen,
            to_do=sum(page.places.get(place.value, 0) for place in TO_DO),
            tabs=[place.value for place in Place if page.places.get(place.value)],
        )

    async def printed(self, request: Request) -> Response:
        """Pick and pack lists, one order after the other, for paper."""
        terms = self._pages.terms_of(request)
        return await self._printed(request, terms)

    async def _printed(self, request: Request, terms: WorkspaceTerms, done: Stepped | None = None) -> Response:
        places, location = to_send(request.query_params.get("place", "")), _location(request)
        again = request.query_params.get("picked") == "yes"
        ways = _deliveries(request)
        found = await print_orders(self._store, terms, places, location=location or None, picked=again, deliveries=ways)
        told: dict[str, Any] = {"goods": found.goods, "views": found.lists, "more": found.more, "location": location}
        told["delivery"] = request.query_params.get("delivery", "")
        told |= {"done": done, "again": again, "place": request.query_params.get("place", "")}
        return self._pages.render(request, "orders_print.html", 409 if done and done.refused else 200, **told)

    async def picked(self, request: Request) -> Response:
        """The orders that were printed are picked: exactly those that the page named."""
        terms, form = self._pages.terms_of(request), await read_form(request)
        named, location = form.get("orders", "").split(), _location(request) or None
        done = await step_orders(self._store, terms, named, Step.PICKED, actor=ACTOR, location=location)
        return await self._printed(request, terms, done)

    async def exported(self, request: Request) -> Response:
        terms, query = self._pages.terms_of(request), request.query_params
        places = to_send(query.get("place", ""))
        connection, location = query.get("connection") or None, _location(request) or None
        wanted: dict[str, Any] = {"location": location, "connection": connection, "deliveries": _deliveries(request)}
        table = await export_orders(self._store, terms, places=places, **wanted)
        return Response(table.csv, headers=csv_headers(table))

    async def importing(self, request: Request) -> Response:
        return self._pages.render(request, "orders_import.html", told=None, problem="")

    async def imported(self, request: Request) -> Response:
        """Parcels of a file: what was noted, and each row that was not, with its reason."""
        bridge, terms = self._pages.bridge, self._pages.terms_of(request)
        told, problem, ids = None, "", bridge.environment.ids
        try:
            form = await read_upload(request, "file", MOST_BYTES)
            text = form.file or form.fields.get("csv", "")
            told = await import_parcels(self._store, terms, ids, text, actor=ACTOR, notify="notify" in form.fields)
            bridge.wake(terms.workspace, told.wake)
        except (RefusedError, ConfigurationError) as error:
            problem = str(error)
        return self._pages.render(request, "orders_import.html", 409 if problem else 200, told=told, problem=problem)

    async def order(self, request: Request) -> Response:
        return await self._order(request)

    async def _order(self, request: Request, problem: str = "") -> Response:
        view = await show_order(self._store, self._pages.terms_of(request), request.path_params["order"])
        return self._pages.render(
            request,
            "order.html",
            409 if problem else 200,
            view=view,
            order=view.order,
            balance=balance_of(view.order),
            problem=problem,
        )

    async def change(self, request: Request) -> Response:
        """Picked, packed, sent, followed, withdrawn, held or let go."""
        form = await read_form(request)
        try:
            await self._carry_out(request, form)
        except (RefusedError, ConfigurationError, NotFoundError) as error:
            return await self._order(request, str(error))
        return RedirectResponse(str(request.url), 303)

    async def _carry_out(self, request: Request, form: dict[str, str]) -> None:
        terms, key, what = self._pages.terms_of(request), request.path_params["order"], form.get("what", "")
        bridge = self._pages.bridge
        ids = bridge.environment.ids
        if what in ("hold", "release"):
            why = form.get("why", "")
            held = await self._store.run(hold_order, terms, ids, key, hold=what == "hold", actor=ACTOR, why=why)
            bridge.wake(terms.workspace, held.wake)
            return
        if what in ("track", "withdraw"):
            await self._change_parcel(terms, key, form)
            return
        if what == "ready":
            told = await self._store.run(ready_for_pickup, terms, ids, key, actor=ACTOR)
            bridge.wake(terms.workspace, told.wake)
            return
        lines = units_of(form)
        if what == "handed_over":
            notify = "notify" in form
            over = await self._store.run(handed_over, terms, ids, key, lines=lines, actor=ACTOR, notify=notify)
            bridge.wake(terms.workspace, over.wake)
            return
        if what in tuple(Step):
            await self._store.run(note_step, terms, key, Step(what), lines, actor=ACTOR)
            return
        if what != "ship":
            raise RefusedError("Choose what was done; nothing was changed.")
        tracking = Tracking(form.get("company", ""), form.get("number", ""), form.get("url", ""))
        moved = await self._store.run(
            ship_order,
            terms,
            ids,
            key,
            lines=lines,
            tracking=tracking,
            actor=ACTOR,
            notify="notify" in form,
            location=form.get("location") or None,
        )
        bridge.wake(terms.workspace, moved.wake)

    async def _change_parcel(self, terms: WorkspaceTerms, key: str, form: dict[str, str]) -> None:
        """Tracking that came later or was wrong, or the parcel did not leave after all."""
        cancel, ids = form["what"] == "withdraw", self._pages.bridge.environment.ids
        tracking = None if cancel else Tracking(form.get("company", ""), form.get("number", ""), form.get("url", ""))
        if tracking == Tracking():
            raise RefusedError("Say the carrier, the number or the link; nothing was changed.")
        parcel = form.get("parcel", "")
        moved = await self._store.run(
            change_parcel, terms, ids, key, parcel, actor=ACTOR, tracking=tracking, cancel=cancel
        )
        self._pages.bridge.wake(terms.workspace, moved.wake)


def _deliveries(request: Request) -> tuple[Delivery, ...]:
    """One way, or any."""
    word = request.query_params.get("delivery", "")
    return (Delivery(word),) if word in tuple(Delivery) else ()


def _location(request: Request) -> str:
    return request.query_params.get("location", "")[:200]


def places_of(word: str) -> tuple[Place, ...]:
    """One place, or everything that is to be done."""
    return (Place(word),) if word in tuple(Place) else TO_DO


def to_send(word: str) -> tuple[Place, ...]:
    """One place, or those from which orders are sent."""
    return (Place(word),) if word in tuple(Place) else (Place.READY, Place.PARTLY_SHIPPED)


def units_of(form: dict[str, str]) -> dict[str, int]:
    """Units per line id, of the fields ``units:LINE``; lines with none are left out. Raises RefusedError."""
    units: dict[str, int] = {}
    for name, value in form.items():
        if not name.startswith("units:") or value in ("", "0"):
            continue
        if not value.isdecimal() or len(value) > 6:
            raise RefusedError(f"{value[:20]!r} is no number of units; nothing was changed.")
        units[name.removeprefix("units:")] = int(value)
    if not units:
        raise RefusedError("Say how many units of which line; nothing was changed.")
    return units
