"""The pages of both stores without a browser: what is refused, what is escaped, and that nothing changes on refusal."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from storebridge_sandbox.app import Stores, build_stores, load_both
from storebridge_sandbox.control import Store, truth_of
from storebridge_sandbox.orders import Wish

HEAD = (
    "Handle,Title,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,"
    "Variant Inventory Tracker,Variant Inventory Qty\n"
)
CATALOGUE = HEAD + (
    "tee,Harbour Tee,active,Size,S,TEE-S,20.00,shopify,6\n"
    "tee,,,,M,TEE-M,25.00,shopify,0\n"
    "mug,<i>Mug</i>,active,Title,Default Title,MUG,12.50,shopify,3\n"
    "old,Old Lamp,draft,Title,Default Title,LAMP,40.00,shopify,9\n"
)
HOST = "127.0.0.1:9101"
STORES = ("shopify", "wix")


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.text = body.decode()

    @property
    def place(self) -> str:
        return self.headers["location"]


class Person:
    """Somebody with a browser that keeps cookies."""

    def __init__(self, store: Any) -> None:
        self.store: Store = store
        self._app = store.app
        self._cookies: dict[str, str] = {}

    async def get(self, path: str, **headers: str) -> Answer:
        return await self._ask("GET", path, b"", headers)

    async def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        return await self._ask("POST", path, urlencode(form or {}).encode(), {"origin": f"http://{HOST}", **headers})

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        told = {"host": HOST, "cookie": cookies, **{name.replace("_", "-"): value for name, value in headers.items()}}
        bare, _, query = path.partition("?")
        scope = {
            "type": "http", "method": method, "path": bare, "raw_path": bare.encode(), "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in told.items()],
            "scheme": "http", "server": ("127.0.0.1", 9101), "client": ("127.0.0.1", 1), "root_path": "",
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        held = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        for name, value in held:
            if name == "set-cookie":
                cookie, _, rest = value.partition(";")
                key, _, content = cookie.partition("=")
                self._cookies[key] = "" if "Max-Age=0" in rest else content.strip('"')
        return Answer(sent[0]["status"], dict(held), b"".join(one.get("body", b"") for one in sent[1:]))


def visit(play: Callable[[Person], Awaitable[None]], which: str) -> None:
    async def run() -> None:
        stores: Stores = build_stores(seed=1)
        load_both(stores, CATALOGUE, seed=1, opening_levels_differ=False)
        try:
            await play(Person(getattr(stores, which)))
        finally:
            await stores.stop()

    asyncio.run(run())


def left_of(store: Store, sku: str) -> int:
    return sum(level["available"] for level in truth_of(store)["levels"] if level["sku"] == sku)


@pytest.mark.parametrize("which", STORES)
def test_a_shopper_finds_chooses_and_buys_and_the_goods_are_gone_from_the_shelf(which: str) -> None:
    async def play(person: Person) -> None:
        shelf = await person.get("/?q=harbour")
        assert "1 product" in shelf.text
        goods = re.search(r'href="(/goods/[^"]+)"', shelf.text)
        assert goods is not None
        page = await person.get(goods[1])
        assert [word in page.text for word in ("6 left", "sold out", "20.00", "25.00")] == [True] * 4
        assert (await person.post("/basket", {"add": "TEE-S", "quantity": "2"})).place == "/basket"
        assert (await person.post("/checkout", {"email": "eva@example.org"})).status == 422
        assert truth_of(person.store)["orders"] == []
        done = await person.post(
            "/checkout", {"email": "eva@example.org", "last_name": "Novak", "phone": "1", "paid": "later"}
        )
        (order,) = truth_of(person.store)["orders"]
        assert (order["payment"], order["lines"][0]["sku"], order["lines"][0]["quantity"]) == ("pending", "TEE-S", 2)
        assert order["name"] in (await person.get(done.place)).text
        assert left_of(person.store, "TEE-S") == 4
        assert "4 left" in (await person.get(goods[1])).text
        assert "Nothing is in it yet" in (await person.get("/basket")).text

    visit(play, which)


@pytest.mark.parametrize("which", STORES)
def test_what_was_sold_meanwhile_is_said_and_nothing_is_ordered(which: str) -> None:
    async def play(person: Person) -> None:
        await person.post("/basket", {"add": "MUG", "quantity": "3"})
        person.store.checkout([Wish("MUG", 1)], {}, paid=True)
        before = truth_of(person.store)
        answer = await person.post("/checkout", {"email": "eva@example.org", "last_name": "Novak"})
        assert answer.status == 409
        assert "we have 2 left" in answer.text
        after = truth_of(person.store)
        assert (after["orders"], after["levels"]) == (before["orders"], before["levels"])

    visit(play, which)


@pytest.mark.parametrize("which", STORES)
def test_what_is_not_on_sale_is_not_shown_and_not_sold(which: str) -> None:
    async def play(person: Person) -> None:
        assert "Old Lamp" not in (await person.get("/")).text
        assert (await person.post("/basket", {"add": "LAMP"})).status == 404
        assert (await person.post("/buy", {"sku": "LAMP"})).status == 404
        assert (await person.post("/buy", {"sku": "TEE-M"})).status == 409
        assert truth_of(person.store)["orders"] == []

    visit(play, which)


@pytest.mark.parametrize("which", STORES)
def test_the_text_of_goods_and_buyers_is_never_markup(which: str) -> None:
    async def play(person: Person) -> None:
        person.store.checkout([Wish("MUG", 1)], {"last_name": "<script>alert(1)</script>"}, paid=True)
        for path in ("/", "/?q=<script>", "/staff", "/staff/stock", "/staff/movements"):
            text = (await person.get(path)).text
            assert "<i>Mug" not in text
            assert "<script>" not in text.replace('<script src="/live.js" defer></script>', "")
        assert "&lt;script&gt;alert(1)" in (await person.get("/staff")).text

    visit(play, which)


FOREIGN: tuple[dict[str, str], ...] = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9102"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("which", STORES)
def test_a_form_sent_by_another_site_does_nothing(which: str, headers: dict[str, str]) -> None:
    async def play(person: Person) -> None:
        before = truth_of(person.store)["levels"]
        for path, form in (("/buy", {"sku": "MUG"}), ("/staff/stock", {"sku": "MUG", "units": "9", "how": "set"})):
            assert (await person.post(path, form, **headers)).status == 403
        assert truth_of(person.store)["levels"] == before

    visit(play, which)


def test_a_page_elsewhere_cannot_point_its_own_name_at_the_store() -> None:
    async def play(person: Person) -> None:
        assert (await person.get("/staff", host="evil.example")).status == 421
        assert (await person.get("/staff", host="localhost:9101")).status == 200

    visit(play, "wix")


@pytest.mark.parametrize("which", STORES)
def test_staff_ships_refunds_takes_back_edits_and_cancels(which: str) -> None:
    async def play(person: Person) -> None:
        order = person.store.checkout([Wish("TEE-S", 3)], {"last_name": "Novak"}, paid=True)
        path = f"/staff/orders/{order.id.rpartition('/')[2]}"
        line = order.lines[0]
        shipped = await person.post(f"{path}/fulfil", {"quantity:TEE-S": "2", "company": "Post", "number": "N 1"})
        assert (shipped.status, line.fulfilled) == (303, 2)
        assert "N 1" in (await person.get(path)).text
        refunded = await person.post(f"{path}/refund", {"quantity:TEE-S": "1", "restock": "on", "amount": "5.00"})
        assert (refunded.status, line.refunded, str(order.refunds[0].amount)) == (303, 1, "5.00")
        assert left_of(person.store, "TEE-S") == 4
        too_many = await person.post(f"{path}/fulfil", {"quantity:TEE-S": "9"})
        assert (too_many.status, line.fulfilled) == (409, 2)
        assert "Nothing was changed" in too_many.text
        odd = await person.post(f"{path}/refund", {"quantity:TEE-S": "1", "amount": "ten"})
        assert (odd.status, line.refunded) == (409, 1)
        second = person.store.checkout([Wish("MUG", 2)], {}, paid=True)
        other = f"/staff/orders/{second.id.rpartition('/')[2]}"
        assert (await person.post(f"{other}/edit", {"quantity:MUG": "1"})).status == 303
        assert left_of(person.store, "MUG") == 2
        assert (await person.post(f"{other}/cancel")).status == 303
        assert left_of(person.store, "MUG") == 2, "cancelled without putting back"
        assert (await person.post(f"{other}/sing")).status == 404

    visit(play, which)


@pytest.mark.parametrize("which", STORES)
def test_staff_changes_a_level_and_sees_why_it_moved(which: str) -> None:
    async def play(person: Person) -> None:
        place = re.search(r'name="location" value="([^"]+)"', (await person.get("/staff/stock?q=MUG")).text)
        assert place is not None
        form = {"sku": "MUG", "location": place[1], "units": "-2", "how": "delta"}
        assert (await person.post("/staff/stock", form)).status == 303
        assert left_of(person.store, "MUG") == 1
        assert (await person.post("/staff/stock", {**form, "units": "many"})).status == 409
        assert (await person.post("/staff/stock", {**form, "location": "nowhere"})).status == 404
        assert left_of(person.store, "MUG") == 1
        moved = (await person.get("/staff/movements")).text
        assert ("-2" in moved, "edited by staff" in moved) == (True, True)

    visit(play, which)


@pytest.mark.parametrize("cookie", ["", "%%%", "e30", "eyJNVUciOiAiYSJ9", "eyJNVUciOiAtNX0=", "W10="])
def test_an_odd_basket_is_an_empty_one(cookie: str) -> None:
    async def play(person: Person) -> None:
        answer = await person.get("/basket", cookie=f"basket-wix={cookie}")
        assert "Nothing is in it yet" in answer.text

    visit(play, "wix")


def test_forms_beyond_any_size_are_refused_and_the_vendors_own_paths_stay_theirs() -> None:
    async def play(person: Person) -> None:
        assert (await person.post("/basket", {"add": "x" * 70_000})).status == 413
        assert (await person.post("/basket", {f"quantity:{n}": "1" for n in range(500)})).status == 413
        assert (await person.get("/stores/v3/provision/version")).status == 401
        assert (await person.get("/staff/orders/%00")).status == 404

    visit(play, "wix")
