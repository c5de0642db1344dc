"""The staff's desk: orders and what one does to them, levels by place, and the last movements."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from storebridge_sandbox.control import Store
from storebridge_sandbox.orders import Order, OutOfStock, Refused, Wish
from storebridge_sandbox.pages.guard import read_form
from storebridge_sandbox.pages.render import Renderer
from storebridge_sandbox.pages.shop import LONGEST_TEXT, key, key_of, page_number
from storebridge_sandbox.pages.window import Window
from storebridge_sandbox.sleeping import only_looking
from storebridge_sandbox.world import stamp

PER_PAGE = 25
SKUS_PER_PAGE = 40
LAST_MOVEMENTS = 100
CAUSES = {
    "sale": "sold", "cancel": "order cancelled", "refund": "refunded and put back", "return": "came back",
    "edit": "order edited", "transfer": "moved to another place", "revert": "payment failed", "fulfil": "shipped",
    "manual": "edited by staff", "api": "written by an app",
}  # fmt: skip
Form = dict[str, str]


class NotUnderstood(Exception):
    """A field of a form says nothing that can be done."""


class Staff:
    """Answers the staff. Every verb is the store's own, with the webhooks that follow from it."""

    def __init__(self, store: Store, window: Window, renderer: Renderer) -> None:
        self._store = store
        self._window = window
        self._renderer = renderer
        self._verbs: dict[str, Callable[[Order, Form], None]] = {
            "pay": lambda order, _form: store.pay(order),
            "fail": lambda order, _form: store.fail(order),
            "cancel": lambda order, form: store.cancel(order, restock="restock" in form),
            "fulfil": self._fulfil,
            "refund": self._refund,
            "return": self._give_back,
            "edit": self._edit,
        }

    async def orders(self, request: Request) -> Response:
        sought = request.query_params.get("q", "").strip()[:LONGEST_TEXT]
        page = page_number(request)
        found = [order.id for order in reversed(self._store.all_orders()) if _fits(order, sought.casefold())]
        with only_looking():
            shown = map(self._store.find_order, found[(page - 1) * PER_PAGE : page * PER_PAGE])
            rows = [(key_of(order), order.truth(), _buyer(order)) for order in shown]
        return self._page("staff_orders.html", tab="orders", rows=rows, sought=sought, found=len(found), page=page,
                          pages=max(1, -(-len(found) // PER_PAGE)))  # fmt: skip

    async def order(self, request: Request) -> Response:
        try:
            order = self._store.find_order(request.path_params["key"])
        except Refused:
            return self._page("staff_nothing.html", 404, tab="orders", what="There is no such order.")
        return self._order_page(order, done=request.query_params.get("done", ""))

    async def act(self, request: Request) -> Response:
        form = await read_form(request)
        try:
            order = self._store.find_order(request.path_params["key"])
            verb = self._verbs[request.path_params["verb"]]
        except (Refused, KeyError):
            return self._page("staff_nothing.html", 404, tab="orders", what="There is no such order, or no such deed.")
        try:
            verb(order, form)
        except OutOfStock as short:
            return self._order_page(order, 409, trouble=f"There is not enough of {short.sku}. Nothing was changed.")
        except (Refused, NotUnderstood) as refused:
            return self._order_page(order, 409, trouble=f"{str(refused).rstrip('.')}. Nothing was changed.")
        return RedirectResponse(f"/staff/orders/{key_of(order)}?done={request.path_params['verb']}", 303)

    async def stock(self, request: Request) -> Response:
        return self._stock_page(request)

    async def set_level(self, request: Request) -> Response:
        form = await read_form(request)
        sku, place = form.get("sku", ""), form.get("location", "")
        location = next((one.location_id for one in self._window.places(sku) if key(one.location_id) == place), None)
        if location is None:
            return self._stock_page(request, 404, trouble=f"{sku} has no level there.")
        try:
            self._store.adjust(sku, location, **_change(form))
        except (Refused, NotUnderstood) as refused:
            return self._stock_page(request, 409, trouble=f"{str(refused).rstrip('.')}. Nothing was changed.")
        return RedirectResponse(f"/staff/stock?q={quote(form.get('q', ''))}&page={page_number(request)}&done=1", 303)

    async def movements(self, _request: Request) -> Response:
        last = list(self._store.all_movements()[-LAST_MOVEMENTS:])[::-1]
        names = {
            place.location_id: place.name for sku in {one.sku for one in last} for place in self._window.places(sku)
        }
        rows = [
            (stamp(one.at), one, names.get(one.location_id, one.location_id), CAUSES.get(one.cause, one.cause))
            for one in last
        ]
        return self._page("staff_movements.html", tab="movements", rows=rows)

    # -- deeds ----------------------------------------------------------------------------------------------------

    def _fulfil(self, order: Order, form: Form) -> None:
        tracking = {name: form.get(name, "").strip()[:LONGEST_TEXT] for name in ("company", "number", "url")}
        self._store.fulfil(order, _wishes(form, least=1), tracking)

    def _refund(self, order: Order, form: Form) -> None:
        wishes = _wishes(form, least=1, restock="restock" in form)
        self._store.refund(order, wishes, _amount(form.get("amount", "")))

    def _give_back(self, order: Order, form: Form) -> None:
        wishes = _wishes(form, least=1, restock="restock" in form)
        if not wishes:
            raise NotUnderstood("Say how many units came back")
        self._store.give_back(order, wishes)

    def _edit(self, order: Order, form: Form) -> None:
        current = {line.variant.sku: line.current_quantity for line in order.lines}
        wishes = [wish for wish in _wishes(form, least=0) if current.get(wish.sku) != wish.quantity]
        added = form.get("add", "").strip()
        if added:
            wishes.append(Wish(added, _whole(form.get("add_quantity", "1"), "The quantity", 1)))
        if not wishes:
            raise NotUnderstood("No line was changed")
        self._store.edit(order, wishes)

    # -- pages ----------------------------------------------------------------------------------------------------

    def _order_page(self, order: Order, status: int = 200, *, trouble: str = "", done: str = "") -> Response:
        told = order.truth()
        lines = [(line, order.lines[place].variant.title) for place, line in enumerate(told["lines"])]
        return self._page("staff_order.html", status, tab="orders", order=told, lines=lines, key=key_of(order),
                          buyer=_buyer(order), customer=order.customer, trouble=trouble, done=done)  # fmt: skip

    def _stock_page(self, request: Request, status: int = 200, trouble: str = "") -> Response:
        sought = request.query_params.get("q", "").strip()[:LONGEST_TEXT]
        page, word = page_number(request), sought.casefold()
        found = [pair for pair in self._window.skus() if word in pair[0].casefold() or word in pair[1].casefold()]
        shown = found[(page - 1) * SKUS_PER_PAGE : page * SKUS_PER_PAGE]
        rows = [(sku, title, [(key(one.location_id), one) for one in self._window.places(sku)]) for sku, title in shown]
        return self._page("staff_stock.html", status, tab="stock", rows=rows, sought=sought, page=page,
                          found=len(found), pages=max(1, -(-len(found) // SKUS_PER_PAGE)), trouble=trouble,
                          done=request.query_params.get("done", ""))  # fmt: skip

    def _page(self, template: str, status: int = 200, **shown: Any) -> Response:
        return self._renderer.page(template, status, currency=self._window.currency, **shown)


def _fits(order: Order, sought: str) -> bool:
    told = (order.name, str(order.customer.get("email") or ""), _buyer(order))
    return not sought or any(sought in text.casefold() for text in told)


def _buyer(order: Order) -> str:
    names = (order.customer.get("first_name"), order.customer.get("last_name"))
    return " ".join(str(name) for name in names if name) or str(order.customer.get("email") or "somebody")


def _wishes(form: Form, *, least: int, restock: bool = True) -> list[Wish]:
    """The lines of a form: ``quantity:SKU`` fields; empty ones, and those below the least, are left out."""
    told = ((name.removeprefix("quantity:"), text) for name, text in form.items() if name.startswith("quantity:"))
    counted = [(sku, _whole(text, sku, 0)) for sku, text in told if text.strip()]
    return [Wish(sku, units, restock) for sku, units in counted if units >= least]


def _change(form: Form) -> dict[str, int | None]:
    if form.get("how") == "delta":
        return {"delta": _whole(form.get("units", ""), "The change", -99_999), "to": None}
    return {"delta": None, "to": _whole(form.get("units", ""), "The level", -99_999)}


def _whole(text: str, name: str, least: int) -> int:
    try:
        value = int(text.strip())
    except ValueError:
        raise NotUnderstood(f"{name} must be a whole number, not {text[:20]!r}") from None
    if not least <= value <= 1_000_000_000:
        raise NotUnderstood(f"{name} must be at least {least}")
    return value


def _amount(text: str) -> Decimal | None:
    if not text.strip():
        return None
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise NotUnderstood(f"The amount must be a sum such as 12.50, not {text[:20]!r}") from None
    if not (amount.is_finite() and 0 <= amount <= 1_000_000 and amount == round(amount, 2)):
        raise NotUnderstood("The amount must be a sum such as 12.50")
    return amount
