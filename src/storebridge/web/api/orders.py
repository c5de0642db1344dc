"""Orders in the API: the queue, and what a warehouse, or a script of a third-party warehouse, tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Body, FastAPI, Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from storebridge.flows.queue import TO_DO, Place
from storebridge.model.sales import Delivery, Tracking
from storebridge.operations.backfill_orders import Backfills, cancel_backfill, list_backfills, start_backfill
from storebridge.operations.export_orders import export_orders
from storebridge.operations.hand_over import handed_over, ready_for_pickup
from storebridge.operations.import_parcels import Imported, import_parcels
from storebridge.operations.list_orders import MOST_HOURS, OrderPage, Sort, list_orders
from storebridge.operations.print_orders import PickLists, print_orders
from storebridge.operations.ship_order import OrderMoved, Step, change_parcel, hold_order, note_step, ship_order
from storebridge.operations.show_order import OrderView, show_order
from storebridge.operations.step_orders import Stepped, step_orders
from storebridge.web.api.answers import answer_page, answer_with, described
from storebridge.web.api.reads import After, Limit, Text, terms_in
from storebridge.web.tables import csv_headers

if TYPE_CHECKING:
    from storebridge.bootstrap import Bridge

Actor = Annotated[str, Body(max_length=100, description="Who does it; stands in the audit and the order's history.")]
Name = Annotated[str, Body(max_length=300, description="The order: its key, its store's id, or its name.")]
Lines = Annotated[
    dict[str, int] | None,
    Body(max_length=1000, description="Units per SKU or line id; null: all that can be sent now."),
]
Ways = Annotated[list[Delivery] | None, Query(description="How the goods get to the buyer; any when absent.")]
Word = Annotated[str, Body(max_length=200)]
Url = Annotated[str, Body(max_length=2048)]


def add_order_reads(api: FastAPI, bridge: Bridge) -> None:
    """Add the queue and one order."""

    @api.get("/v1/{workspace}/orders", responses=described(OrderPage), tags=["orders"])
    async def orders(
        request: Request,
        workspace: str,
        limit: Limit = 100,
        after: After = None,
        connection: Text = None,
        place: Annotated[list[Place] | None, Query(description="Where it stands; default: what is to be done.")] = None,
        search: Text = None,
        location: Text = None,
        delivery: Ways = None,
        older_than_hours: Annotated[float | None, Query(ge=0, le=MOST_HOURS, description="Placed so long ago.")] = None,
        sort: Annotated[Sort, Query(description="newest, oldest or promise: by what was promised.")] = Sort.NEWEST,
    ) -> Response:
        """The single fulfilment queue; with a location, or a location group, only what waits there."""
        terms = terms_in(bridge, workspace)
        page = await list_orders(
            bridge.store,
            terms,
            places=tuple(place or TO_DO),
            connection=connection,
            search=search or "",
            location=location or None,
            deliveries=tuple(delivery or ()),
            older_than_hours=older_than_hours,
            sort=sort,
            after=after,
            limit=limit,
        )
        query: dict[str, Any] = {
            "limit": limit,
            "connection": connection,
            "place": place,
            "search": search,
            "location": location,
            "delivery": delivery,
        }
        query |= {"sort": sort.value, "older_than_hours": older_than_hours}
        return answer_page(page, request.url.path, query)

    _add_tables(api, bridge)

    @api.get("/v1/{workspace}/backfills", responses=described(Backfills), tags=["orders"])
    async def backfills(workspace: str) -> Response:
        """How far the last backfill of each store is."""
        return answer_with(await list_backfills(bridge.store, terms_in(bridge, workspace)))

    @api.get("/v1/{workspace}/orders/{order:path}", responses=described(OrderView), tags=["orders"])
    async def order(workspace: str, order: str) -> Response:
        """One order by its key, its store's id or its name: document, parcels, writes, history."""
        return answer_with(await show_order(bridge.store, terms_in(bridge, workspace), order))


def _add_tables(api: FastAPI, bridge: Bridge) -> None:
    @api.get("/v1/{workspace}/orders.csv", response_class=PlainTextResponse, tags=["orders"])
    async def table(
        workspace: str,
        place: Annotated[list[Place] | None, Query(description="Default: ready and partly_shipped.")] = None,
        connection: Text = None,
        location: Text = None,
        delivery: Ways = None,
    ) -> Response:
        """What can be sent now as CSV, the longest waiting first. x-storebridge-more is true when not all fitted."""
        terms = terms_in(bridge, workspace)
        places = tuple(place or (Place.READY, Place.PARTLY_SHIPPED))
        wanted: dict[str, Any] = {"location": location or None, "connection": connection}
        found = await export_orders(bridge.store, terms, places=places, deliveries=tuple(delivery or ()), **wanted)
        return Response(found.csv, headers=csv_headers(found))

    @api.get("/v1/{workspace}/pick-lists", responses=described(PickLists), tags=["orders"])
    async def pick_lists(
        workspace: str, location: Text = None, picked: bool = False, delivery: Ways = None
    ) -> Response:
        """The 200 orders ready to be sent that wait longest, behind the goods to fetch for all of them. Orders of which
        all lies picked are left out, unless picked is true."""
        ready = (Place.READY, Place.PARTLY_SHIPPED)
        terms = terms_in(bridge, workspace)
        wanted: dict[str, Any] = {"location": location or None, "deliveries": tuple(delivery or ())}
        return answer_with(await print_orders(bridge.store, terms, ready, picked=picked, **wanted))


def add_order_writes(api: FastAPI, bridge: Bridge) -> None:
    """Add every verb about orders."""
    _add_parcels(api, bridge)
    _add_pickups(api, bridge)
    _add_warehouse(api, bridge)
    _add_backfills(api, bridge)


def _add_parcels(api: FastAPI, bridge: Bridge) -> None:
    @api.post("/v1/{workspace}/parcels", responses=described(OrderMoved), tags=["orders"])
    async def parcel(
        workspace: str,
        order: Name,
        lines: Lines = None,
        company: Word = "",
        number: Word = "",
        url: Url = "",
        notify: Annotated[bool, Body(description="Whether the store writes to the buyer.")] = True,
        location: Annotated[str | None, Body(max_length=200, description="From where it left: a name or id.")] = None,
        reference: Annotated[
            str, Body(max_length=200, description="Your name of it: the same again does nothing.")
        ] = "",
        actor: Actor = "api",
    ) -> Response:
        """A parcel left: the store that sold the goods is told, once."""
        terms = terms_in(bridge, workspace)
        moved = await bridge.store.run(
            ship_order,
            terms,
            bridge.environment.ids,
            order,
            lines=lines,
            tracking=Tracking(company, number, url),
            actor=actor,
            notify=notify,
            location=location or None,
            reference=reference,
        )
        bridge.wake(terms.workspace, moved.wake)
        return answer_with(moved)

    @api.post("/v1/{workspace}/parcels/import", responses=described(Imported), tags=["orders"])
    async def several(
        workspace: str,
        csv: Annotated[str, Body(max_length=8 * 1024 * 1024, description="order, sku, units, carrier, ...")],
        notify: Annotated[bool, Body()] = True,
        actor: Actor = "api",
    ) -> Response:
        """Parcels from a file of a warehouse; rows that cannot be noted are named, the others are."""
        terms = terms_in(bridge, workspace)
        ids = bridge.environment.ids
        told = await import_parcels(bridge.store, terms, ids, csv, actor=actor, notify=notify)
        bridge.wake(terms.workspace, told.wake)
        return answer_with(told)

    @api.post("/v1/{workspace}/parcels/change", responses=described(OrderMoved), tags=["orders"])
    async def change(
        workspace: str,
        order: Name,
        parcel: Annotated[str, Body(max_length=300, description="Its key, or your reference.")],
        company: Word = "",
        number: Word = "",
        url: Url = "",
        cancel: Annotated[bool, Body(description="It did not leave after all.")] = False,
        actor: Actor = "api",
    ) -> Response:
        """Tracking of a parcel that came later or was wrong, or the parcel did not leave."""
        terms = terms_in(bridge, workspace)
        tracking = None if cancel else Tracking(company, number, url)
        ids = bridge.environment.ids
        moved = await bridge.store.run(
            change_parcel, terms, ids, order, parcel, actor=actor, tracking=tracking, cancel=cancel
        )
        bridge.wake(terms.workspace, moved.wake)
        return answer_with(moved)


def _add_pickups(api: FastAPI, bridge: Bridge) -> None:
    @api.post("/v1/{workspace}/pickups/ready", responses=described(OrderMoved), tags=["orders"])
    async def ready(workspace: str, order: Name, actor: Actor = "api") -> Response:
        """The buyer can collect the order; Shopify is told and writes to them."""
        terms = terms_in(bridge, workspace)
        moved = await bridge.store.run(ready_for_pickup, terms, bridge.environment.ids, order, actor=actor)
        bridge.wake(terms.workspace, moved.wake)
        return answer_with(moved)

    @api.post("/v1/{workspace}/pickups/handed-over", responses=described(OrderMoved), tags=["orders"])
    async def handed(
        workspace: str,
        order: Name,
        lines: Lines = None,
        notify: Annotated[bool, Body(description="Whether the store writes to the buyer.")] = True,
        reference: Annotated[
            str, Body(max_length=200, description="Your name of it: the same again does nothing.")
        ] = "",
        actor: Actor = "api",
    ) -> Response:
        """The buyer collected the goods, or you brought them; the store that sold them is told, without tracking."""
        terms, ids = terms_in(bridge, workspace), bridge.environment.ids
        told: dict[str, Any] = {"lines": lines, "actor": actor, "notify": notify, "reference": reference}
        moved = await bridge.store.run(handed_over, terms, ids, order, **told)
        bridge.wake(terms.workspace, moved.wake)
        return answer_with(moved)


def _add_warehouse(api: FastAPI, bridge: Bridge) -> None:
    @api.post("/v1/{workspace}/picks", responses=described(OrderMoved), tags=["orders"])
    async def step(
        workspace: str, order: Name, step: Annotated[Step, Body()], lines: Lines = None, actor: Actor = "api"
    ) -> Response:
        """Units were picked or packed."""
        terms = terms_in(bridge, workspace)
        return answer_with(await bridge.store.run(note_step, terms, order, step, lines, actor=actor))

    @api.post("/v1/{workspace}/picks/several", responses=described(Stepped), tags=["orders"])
    async def steps(
        workspace: str,
        step: Annotated[Step, Body()],
        orders: Annotated[
            list[str] | None, Body(max_length=1000, description="Their names or keys; null: all of the pick list.")
        ] = None,
        location: Annotated[str | None, Body(max_length=200, description="Only what waits there.")] = None,
        actor: Actor = "api",
    ) -> Response:
        """All that can be sent now of several orders was picked or packed; those that are refused are named."""
        terms = terms_in(bridge, workspace)
        return answer_with(await step_orders(bridge.store, terms, orders, step, actor=actor, location=location or None))

    @api.post("/v1/{workspace}/holds", responses=described(OrderMoved), tags=["orders"])
    async def hold(
        workspace: str,
        order: Name,
        hold: Annotated[bool, Body(description="false lets it go.")] = True,
        why: Word = "",
        actor: Actor = "api",
    ) -> Response:
        """Hold an order back from the warehouse, or let it go."""
        terms = terms_in(bridge, workspace)
        ids = bridge.environment.ids
        moved = await bridge.store.run(hold_order, terms, ids, order, hold=hold, actor=actor, why=why)
        bridge.wake(terms.workspace, moved.wake)
        return answer_with(moved)


def _add_backfills(api: FastAPI, bridge: Bridge) -> None:
    @api.post("/v1/{workspace}/backfills", responses=described(Backfills), tags=["orders"])
    async def backfill(
        workspace: str,
        days: Annotated[int, Body(description="Orders of so many days.")],
        copies: Annotated[bool, Body(description="Copy those that still wait to be shipped.")] = False,
        connection: Annotated[str | None, Body(max_length=200, description="Of this store only.")] = None,
        actor: Actor = "api",
    ) -> Response:
        """Read orders of the past, newest first, beside the live work."""
        terms = terms_in(bridge, workspace)
        started = await bridge.store.run(start_backfill, terms, days, copy=copies, connection=connection, actor=actor)
        bridge.wake(terms.workspace, started.wake)
        return answer_with(started)

    @api.post("/v1/{workspace}/backfills/cancel", responses=described(Backfills), tags=["orders"])
    async def cancel(workspace: str, actor: Annotated[str, Body(max_length=100, embed=True)] = "api") -> Response:
        """Read no more; what was read stays."""
        return answer_with(await bridge.store.run(cancel_backfill, terms_in(bridge, workspace), actor=actor))
