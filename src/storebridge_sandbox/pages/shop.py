"""The storefront: shelf, product, basket, checkout, and the order that came of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from storebridge_sandbox.control import Store
from storebridge_sandbox.orders import Order, OutOfStock, Refused, Wish
from storebridge_sandbox.pages.basket import MOST_UNITS, put_basket, read_basket
from storebridge_sandbox.pages.guard import read_form
from storebridge_sandbox.pages.looks import Look
from storebridge_sandbox.pages.render import Renderer
from storebridge_sandbox.pages.window import Goods, Offer, Window, left_in_words

PER_PAGE = 24
LONGEST_TEXT = 200
MOST_WATCHED = 120
CUSTOMER_FIELDS = ("email", "first_name", "last_name", "phone")
GUEST = {"email": "guest@example.org", "first_name": "Robin", "last_name": "Guest", "phone": ""}


class Shop:
    """Answers shoppers. ``key_of`` names an order in the address bar."""

    def __init__(self, store: Store, window: Window, look: Look, renderer: Renderer) -> None:
        self._store = store
        self._window = window
        self._renderer = renderer
        self._cookie = f"basket-{look.vendor.lower()}"

    async def shelf(self, request: Request) -> Response:
        sought = request.query_params.get("q", "").strip()[:LONGEST_TEXT]
        page = page_number(request)
        words = sought.casefold().split()
        found = [key for key, title in self._window.titles() if all(word in title.casefold() for word in words)]
        by_sku = self._window.goods_of(sought) if sought and not found else None
        found = [by_sku[0].key] if by_sku else found
        keys = found[(page - 1) * PER_PAGE : page * PER_PAGE]
        shown = [goods for goods in map(self._window.goods, keys) if goods is not None]
        return self._page(request, "shelf.html", goods=shown, sought=sought, found=len(found), page=page,
                          pages=max(1, -(-len(found) // PER_PAGE)))  # fmt: skip

    async def product(self, request: Request) -> Response:
        goods = self._window.goods(request.path_params["key"])
        if goods is None:
            return self._page(request, "nothing.html", 404, what="This product is not on our shelf.")
        return self._page(request, "product.html", goods=goods, chosen=request.query_params.get("sku", ""), trouble="")

    async def show_basket(self, request: Request) -> Response:
        return self._basket_page(request)

    async def change_basket(self, request: Request) -> Response:
        """``add`` puts units in, ``quantity:SKU`` fields set counts; 0 takes a line out."""
        form = await read_form(request)
        basket = read_basket(request, self._cookie)
        added = form.get("add", "")
        if added:
            if self._window.goods_of(added) is None:
                return self._page(request, "nothing.html", 404, what="This product is not on our shelf.")
            basket[added] = basket.get(added, 0) + count_of(form.get("quantity", "1"), 1)
        for name, value in form.items():
            if name.startswith("quantity:") and name.removeprefix("quantity:") in basket:
                basket[name.removeprefix("quantity:")] = count_of(value, 0)
        response = RedirectResponse("/basket", 303)
        if not put_basket(response, self._cookie, basket):
            return self._basket_page(request, 409, trouble="Your basket is full: please order what is in it first.")
        return response

    async def show_checkout(self, request: Request) -> Response:
        rows = self._rows(read_basket(request, self._cookie))
        if not rows:
            return RedirectResponse("/basket", 303)
        return self._page(request, "checkout.html", rows=rows, given={}, trouble="")

    async def check_out(self, request: Request) -> Response:
        form = await read_form(request)
        rows = self._rows(read_basket(request, self._cookie))
        if not rows:
            return RedirectResponse("/basket", 303)
        customer = {name: form.get(name, "").strip()[:LONGEST_TEXT] for name in CUSTOMER_FIELDS}
        trouble = trouble_with(customer)
        if trouble:
            return self._page(request, "checkout.html", 422, rows=rows, given=form, trouble=trouble)
        wishes = [Wish(offer.sku, units) for _, offer, units in rows]
        try:
            order = self._store.checkout(wishes, customer, paid=form.get("paid", "now") == "now")
        except OutOfStock as short:
            return self._basket_page(request, 409, trouble=self._sold_meanwhile(short.sku))
        response = RedirectResponse(f"/thanks/{key_of(order)}", 303)
        put_basket(response, self._cookie, {})
        return response

    async def buy_now(self, request: Request) -> Response:
        """One click: one unit, bought and paid by a guest."""
        form = await read_form(request)
        sku = form.get("sku", "")
        found = self._window.goods_of(sku)
        if found is None:
            return self._page(request, "nothing.html", 404, what="This product is not on our shelf.")
        try:
            order = self._store.checkout([Wish(sku, 1)], dict(GUEST), paid=True)
        except OutOfStock:
            told = self._sold_meanwhile(sku)
            return self._page(request, "product.html", 409, goods=found[0], chosen=sku, trouble=told)
        return RedirectResponse(f"/thanks/{key_of(order)}", 303)

    async def thanks(self, request: Request) -> Response:
        try:
            order = self._store.find_order(request.path_params["key"])
        except Refused:
            return self._page(request, "nothing.html", 404, what="There is no such order.")
        told = order.truth()
        lines = [(line, order.lines[place].variant.title) for place, line in enumerate(told["lines"])]
        return self._page(request, "thanks.html", order=told, lines=lines, key=key_of(order))

    async def live(self, request: Request) -> Response:
        """What is left now: ``?of=p:KEY`` (a product), ``v:SKU``, ``l:LOCATION:SKU`` (a level)."""
        asked = request.query_params.getlist("of")[:MOST_WATCHED]
        return JSONResponse({name: told for name in asked if (told := self._now(name)) is not None})

    def _now(self, name: str) -> list[str] | None:
        kind, _, rest = name.partition(":")
        if kind == "p" and (goods := self._window.goods(rest)) is not None:
            return list(left_in_words(goods.left))
        if kind == "v" and (found := self._window.goods_of(rest)) is not None:
            return list(left_in_words(found[1].left))
        if kind == "l":
            location, _, sku = rest.partition(":")
            places = self._window.places(sku)
            return next(([str(one.available), "level"] for one in places if key(one.location_id) == location), None)
        return None

    def _rows(self, basket: dict[str, int]) -> list[tuple[Goods, Offer, int]]:
        found = ((self._window.goods_of(sku), units) for sku, units in basket.items())
        return [(*pair, units) for pair, units in found if pair is not None]

    def _sold_meanwhile(self, sku: str) -> str:
        found = self._window.goods_of(sku)
        if found is None:
            return f"{sku} is no longer on our shelf."
        goods, offer = found
        return f"Of {goods.title} ({offer.name or sku}) we have {max(0, offer.left or 0)} left. Nothing was ordered."

    def _basket_page(self, request: Request, status: int = 200, trouble: str = "") -> Response:
        rows = self._rows(read_basket(request, self._cookie))
        return self._page(request, "basket.html", status, rows=rows, most=MOST_UNITS, trouble=trouble)

    def _page(self, request: Request, template: str, status: int = 200, **shown: Any) -> Response:
        basket = read_basket(request, self._cookie)
        shown.setdefault("sought", "")
        return self._renderer.page(
            template, status, currency=self._window.currency, in_basket=sum(basket.values()), **shown
        )


def key(identity: str) -> str:
    """The last part of an id: what it is called in the address bar."""
    return identity.rpartition("/")[2]


def key_of(order: Order) -> str:
    return quote(key(order.id))


def page_number(request: Request) -> int:
    """Which page of a list is asked for, from 1."""
    text = request.query_params.get("page", "1")
    return min(max(int(text), 1), 1_000_000) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def count_of(text: str, least: int) -> int:
    """A count out of a form; what is none counts as the least."""
    text = text.strip()
    return min(max(int(text), least), MOST_UNITS) if text.isascii() and text.isdigit() and len(text) < 6 else least


def trouble_with(customer: dict[str, str]) -> str:
    """What the shopper must still say; empty when all is there."""
    name, _, host = customer["email"].partition("@")
    if not (name and "." in host and " " not in customer["email"]):
        return "Please give an e-mail address such as you@example.org."
    if not customer["last_name"]:
        return "Please give your name."
    return ""
