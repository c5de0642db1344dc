"""The addresses of the pages."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from storebridge_sandbox.control import Store
from storebridge_sandbox.pages.guard import Handler, guarded
from storebridge_sandbox.pages.looks import Look
from storebridge_sandbox.pages.render import Renderer
from storebridge_sandbox.pages.shop import Shop
from storebridge_sandbox.pages.staff import Staff
from storebridge_sandbox.pages.window import Window


def page_routes(store: Store, window: Window, look: Look) -> list[Route]:
    """Shop and staff's desk of one store. None of these paths is a vendor's."""
    renderer = Renderer(look)
    shop, staff = Shop(store, window, look, renderer), Staff(store, window, renderer)

    async def css(_request: Request) -> Response:
        return Response(renderer.css, media_type="text/css")

    async def script(_request: Request) -> Response:
        return Response(renderer.script, media_type="text/javascript")

    get: dict[str, Handler] = {
        "/": shop.shelf,
        "/goods/{key}": shop.product,
        "/basket": shop.show_basket,
        "/checkout": shop.show_checkout,
        "/thanks/{key}": shop.thanks,
        "/live": shop.live,
        "/pages.css": css,
        "/live.js": script,
        "/staff": staff.orders,
        "/staff/orders/{key}": staff.order,
        "/staff/stock": staff.stock,
        "/staff/movements": staff.movements,
    }
    post: dict[str, Handler] = {
        "/basket": shop.change_basket,
        "/checkout": shop.check_out,
        "/buy": shop.buy_now,
        "/staff/orders/{key}/{verb}": staff.act,
        "/staff/stock": staff.set_level,
    }
    routes = [Route(path, guarded(handler), methods=["GET"]) for path, handler in get.items()]
    return [*routes, *(Route(path, guarded(handler), methods=["POST"]) for path, handler in post.items())]
