"""Stores whose orders sleep in the state file answer as the same stores do that hold everything awake."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from wix_site import Mailbox

from storebridge.connectors.http import Request
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.virtual_time import FIRST_MOMENT, VirtualClock, run_virtually
from storebridge_sandbox import sleeping
from storebridge_sandbox.app import Stores, build_stores, load_both
from storebridge_sandbox.control import truth_of
from storebridge_sandbox.history import Clock, make_history
from storebridge_sandbox.shopify.products.answers import options_of
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.state_file import load_state, save_state
from storebridge_sandbox.stock import Movement
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.world import World

BASE = "http://127.0.0.1:9101"
ORDERS = 60
MORNING_AFTER = FIRST_MOMENT + timedelta(days=1)
NODES = "{ nodes { id name updatedAt lineItems(first: 5) { nodes { id sku quantity variant { id } } } } "
NODES += "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
SHOPIFY_READS = {
    "the first page": f"{{ orders(first: 7) {NODES} }}",
    "the last page": f"{{ orders(last: 7, sortKey: UPDATED_AT) {NODES} }}",
    "newest first": f"{{ orders(first: 7, sortKey: CREATED_AT, reverse: true) {NODES} }}",
    "by an order that is not kept": f"{{ orders(first: 7, sortKey: TOTAL_PRICE) {NODES} }}",
    "by name": f'{{ orders(first: 7, query: "name:#1017") {NODES} }}',
    "by state": f'{{ orders(first: 9, query: "fulfillment_status:shipped financial_status:paid") {NODES} }}',
    "by a word": f'{{ orders(first: 9, query: "abel") {NODES} }}',
    "all of a moment": f'{{ orders(first: 9, query: "created_at:>2020-01-01", sortKey: UPDATED_AT) {NODES} }}',
    "how many": '{ ordersCount(query: "status:open", limit: 100) { count precision } }',
    "what is to be sent": "{ fulfillmentOrders(first: 5, includeClosed: true, reverse: true) { nodes { id status } } }",
    "payouts": "{ shopifyPaymentsAccount { balance { amount } payouts(first: 9) { nodes { net { amount } } } } }",
    "goods": "{ productVariants(first: 9, sortKey: SKU) { nodes { id sku inventoryQuantity } } }",
}
WIX_READS: dict[str, dict[str, Any]] = {
    "the first page": {"cursorPaging": {"limit": 7}},
    "last changed first": {"sort": [{"fieldName": "updatedDate", "order": "DESC"}], "cursorPaging": {"limit": 7}},
    "by an order that is not kept": {
        "sort": [{"fieldName": "priceSummary.total.amount"}],
        "cursorPaging": {"limit": 9},
    },
    "what is paid": {"filter": {"paymentStatus": "PAID"}, "cursorPaging": {"limit": 9}},
    "by number": {"filter": {"number": {"$gte": "10040"}}, "cursorPaging": {"limit": 9}},
    "by external id": {"filter": {"channelInfo.externalOrderId": "none"}},
}


class Talk:
    """Asks both stores and keeps every answer."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self.heard: list[Any] = []

    async def _ask(self, app: Any, method: str, path: str, body: object, headers: dict[str, str]) -> Any:
        raw = b"" if body is None else msgspec.json.encode(body)
        answer = await AsgiTransport({BASE: app}).send(Request(method, BASE + path, headers, raw, 20.0))
        told = msgspec.json.decode(answer.body) if answer.body[:1] in b"[{" else answer.body
        self.heard.append((method, path, answer.status, told))
        assert answer.status in (200, 201), (path, told)
        return told

    async def shopify(self, method: str, path: str, body: object = None) -> Any:
        proof = {"x-shopify-access-token": self._stores.shopify.credentials()["access_token"]}
        return await self._ask(self._stores.shopify.app, method, path, body, proof)

    async def query(self, text: str, **variables: object) -> Any:
        """GraphQL; every root field must have gone well."""
        told = await self.shopify("POST", "/admin/api/2026-10/graphql.json", {"query": text, "variables": variables})
        assert "errors" not in told, told
        for one in told["data"].values():
            assert not (isinstance(one, dict) and one.get("userErrors")), told
        return told["data"]

    async def wix(self, method: str, path: str, body: object = None) -> Any:
        access = self._stores.wix.access
        proof = {"authorization": access.api_key, "wix-site-id": access.site_id}
        return await self._ask(self._stores.wix.app, method, path, body, proof)


async def look(talk: Talk) -> None:
    for text in SHOPIFY_READS.values():
        page = next(iter((await talk.query(text)).values()))
        if isinstance(page, dict) and (page.get("pageInfo") or {}).get("hasNextPage") and "first: 7" in text:
            after = text.replace("first: 7", f'first: 7, after: "{page["pageInfo"]["endCursor"]}"')
            await talk.query(after)
    for path in ("orders.json?limit=9&status=any", "orders/count.json", "customers.json"):
        await talk.shopify("GET", f"/admin/api/2026-10/{path}")
    for search in WIX_READS.values():
        told = await talk.wix("POST", "/ecom/v1/orders/search", {"search": search})
        following = (told["metadata"].get("cursors") or {}).get("next")
        if following:
            await talk.wix("POST", "/ecom/v1/orders/search", {"search": {"cursorPaging": {"cursor": following}}})
    count = {"aggregation": {"states": {"$count": ["paymentStatus", "fulfillmentStatus"]}}}
    await talk.wix("POST", "/ecom/v1/orders/aggregate", count)
    for ask in (talk.shopify, talk.wix):
        await ask("GET", "/_sandbox/truth")
        await ask("GET", "/_sandbox/truth?since_movement=80")
        await ask("GET", "/staff?q=abel")


def _one(truth: dict[str, Any], fits: Callable[[dict[str, Any]], bool], place: int) -> str:
    order_id: str = [order["id"] for order in truth["orders"] if fits(order)][place]
    return order_id


def _a_unit_of(truth: dict[str, Any], order_id: str) -> dict[str, Any]:
    (order,) = (order for order in truth["orders"] if order["id"] == order_id)
    return {"lines": [{"sku": order["lines"][0]["sku"], "quantity": 1}]}


def _sent(order: dict[str, Any]) -> bool:
    return bool(order["fulfilments"] and not order["refunds"])


def _open(order: dict[str, Any]) -> bool:
    return not (order["fulfilments"] or order["cancelled_at"]) and order["payment"] == "paid"


async def trade(talk: Talk) -> None:
    """Staff, shoppers and the API change orders that sleep, by every way to them."""
    for ask in (talk.shopify, talk.wix):
        truth = await ask("GET", "/_sandbox/truth")
        sent, waits = _one(truth, _sent, 3), _one(truth, _open, 0)
        await ask("POST", f"/_sandbox/orders/{sent}/refund", _a_unit_of(truth, sent))
        comes_back = _one(truth, _sent, 5)
        await ask("POST", f"/_sandbox/orders/{comes_back}/return", _a_unit_of(truth, comes_back))
        await ask(
            "POST", f"/_sandbox/orders/{waits}/edit", {"lines": [{"sku": truth["levels"][0]["sku"], "quantity": 2}]}
        )
        await ask("POST", f"/_sandbox/orders/{waits}/fulfil", {"tracking": {"company": "Post", "number": "9"}})
        await ask("POST", f"/_sandbox/orders/{_one(truth, _open, 1)}/cancel", {})
        await ask("POST", "/_sandbox/checkout", _a_unit_of(truth, sent))
        await ask("GET", f"/_sandbox/truth?since_movement={truth['next_movement']}")
    name = _one(await talk.shopify("GET", "/_sandbox/truth"), _sent, 7)
    await talk.query('mutation($id: ID!) { tagsAdd(id: $id, tags: ["seen"]) { userErrors { message } } }', id=name)
    note = "mutation($input: OrderInput!) { orderUpdate(input: $input) { order { id note } userErrors { message } } }"
    await talk.query(note, input={"id": name, "note": "by hand"})
    await ship_by_api(talk)
    await edit_by_api(talk)
    await change_by_wix_api(talk)


async def ship_by_api(talk: Talk) -> None:
    """The fulfilment order of an order that sleeps is found by its own id."""
    asked = (
        '{ fulfillmentOrders(first: 1, query: "status:open") { nodes { id lineItems(first: 1) { nodes { id } } } } }'
    )
    (waits,) = (await talk.query(asked))["fulfillmentOrders"]["nodes"]
    send = "mutation($it: FulfillmentInput!) { fulfillmentCreate(fulfillment: $it) { fulfillment { id } "
    send += "userErrors { message } } }"
    it = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": waits["id"]}]}
    made = (await talk.query(send, it=it))["fulfillmentCreate"]["fulfillment"]["id"]
    await talk.query("query($id: ID!) { node(id: $id) { ... on Fulfillment { status order { name } } } }", id=made)


async def edit_by_api(talk: Talk) -> None:
    """An edit is begun, goes through a restart, and is committed."""
    (order,) = (await talk.query('{ orders(first: 1, query: "status:open") { nodes { id } } }'))["orders"]["nodes"]
    begin = (
        "mutation($id: ID!) { orderEditBegin(id: $id) { calculatedOrder { id lineItems(first: 9) { nodes { id } } } "
    )
    begun = (await talk.query(begin + "userErrors { message } } }", id=order["id"]))["orderEditBegin"][
        "calculatedOrder"
    ]
    more = "mutation($id: ID!, $line: ID!) { orderEditSetQuantity(id: $id, lineItemId: $line, quantity: 3) "
    more += "{ userErrors { message } } }"
    await talk.query(more, id=begun["id"], line=begun["lineItems"]["nodes"][0]["id"])


async def change_by_wix_api(talk: Talk) -> None:
    truth = await talk.wix("GET", "/_sandbox/truth")
    order_id = _one(truth, _sent, 6)
    order = (await talk.wix("GET", f"/ecom/v1/orders/{order_id}"))["order"]
    tags = {"orderIds": [order_id], "assignTags": {"tags": {"tagIds": ["seen"]}}}
    await talk.wix("POST", "/ecom/v1/bulk/orders/update-tags", tags)
    told = await talk.wix("GET", f"/ecom/v1/payments/orders/{order_id}")
    line = [{"lineItemId": order["lineItems"][0]["id"], "quantity": 1}]
    refund = {
        "orderId": order_id,
        "paymentRefunds": [{"paymentId": told["orderTransactions"]["payments"][0]["id"], "amount": {"amount": "1.00"}}],
        "refundItems": {"lineItems": line},
        "sideEffects": {"restock": {"lineItems": line}},
    }
    await talk.wix("POST", "/ecom/v1/order-billing/refund-payments", refund)
    address = {"order": {"id": order_id, "buyerInfo": {"email": "new@example.org"}}}
    await talk.wix("PATCH", f"/ecom/v1/orders/{order_id}", address)


def opened(clock: VirtualClock, now: Clock | None = None) -> Stores:
    world = World(now or clock.now, clock.sleep, random.Random(1), Mailbox(), asyncio.ensure_future)
    no_limits = ShopifyOptions(bucket_size=0)
    return build_stores(seed=1, world=world, shopify_options=no_limits, wix_options=WixOptions(webhook_url=None))


def wake_all(stores: Stores) -> None:
    for book in (stores.shopify.orders.orders, stores.wix.orders.orders):
        for name in book:
            assert book[name]
            assert not book.is_asleep(name)


def lived(path: Path, *, awake: bool) -> list[Any]:
    """A day from the file on: everything that was answered, before and after one more restart."""
    evening = path.with_name(f"evening-{awake}.json")

    async def day(clock: VirtualClock) -> list[Any]:
        stores = opened(clock)
        load_state(stores, path, seed=1)
        if awake:
            wake_all(stores)
        talk = Talk(stores)
        for deed in (look, trade, look):
            await deed(talk)
            await clock.sleep(3600)
        save_state(stores, evening, seed=1)
        await stores.stop()
        return talk.heard

    async def night(clock: VirtualClock) -> list[Any]:
        stores = opened(clock)
        load_state(stores, evening, seed=1)
        talk = Talk(stores)
        (edit,) = stores.shopify.office.edits.open
        commit = "mutation($id: ID!) { orderEditCommit(id: $id) { order { id totalPriceSet { shopMoney { amount } } } "
        await talk.query(commit + "userErrors { message } } }", id=edit)
        await look(talk)
        await stores.stop()
        return talk.heard

    heard = run_virtually(day, start=MORNING_AFTER)
    return heard + run_virtually(night, start=MORNING_AFTER + timedelta(days=1))


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stores with a past, in small blocks of which few are remembered."""
    monkeypatch.setattr(sleeping, "PER_BLOCK", 4)
    monkeypatch.setattr(sleeping, "RECORDS_PER_BLOCK", 16)
    monkeypatch.setattr(sleeping, "AWAKE_BLOCKS", 2)
    path = tmp_path / "stores.json"

    async def play(clock: VirtualClock) -> None:
        now = Clock(clock.now)
        stores = opened(clock, now)
        load_both(stores, seed=1, products=9)
        list(make_history(stores, now, orders=ORDERS, seed=1))
        save_state(stores, path, seed=1)
        await stores.stop()

    run_virtually(play)
    return path


def test_stores_whose_orders_sleep_answer_as_those_that_are_awake(past: Path) -> None:
    asleep, awake = lived(past, awake=False), lived(past, awake=True)
    assert len(asleep) == len(awake) > 100
    for mine, theirs in zip(asleep, awake, strict=True):
        assert mine == theirs


def test_who_only_looks_wakes_nobody_and_who_changes_an_order_wakes_that_one(past: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        stores = opened(clock)
        load_state(stores, past, seed=1)
        talk = Talk(stores)
        await look(talk)
        for book in (stores.shopify.orders.orders, stores.wix.orders.orders):
            assert len(book) == ORDERS
            assert [name for name in book if not book.is_asleep(name)] == []
        order = _one(await talk.shopify("GET", "/_sandbox/truth"), _sent, 0)
        await talk.shopify("POST", f"/_sandbox/orders/{order}/refund", {"amount": "1.00"})
        book = stores.shopify.orders.orders
        assert [name for name in book if not book.is_asleep(name)] == [order]
        await stores.stop()

    run_virtually(play, start=MORNING_AFTER)


def test_a_change_of_an_order_that_was_only_looked_at_is_kept(past: Path) -> None:
    again = past.with_name("again.json")

    async def play(clock: VirtualClock) -> str:
        stores = opened(clock)
        load_state(stores, past, seed=1)
        with sleeping.only_looking():
            order = next(one for one in stores.shopify.all_orders() if one.fulfilments and not one.refunds)
        stores.shopify.refund(order, [], order.total / 4)
        list(stores.shopify.all_orders())
        assert stores.shopify.find_order(order.id) is order
        save_state(stores, again, seed=1)
        await stores.stop()
        return order.id

    order_id = run_virtually(play, start=MORNING_AFTER)

    async def later(clock: VirtualClock) -> int:
        stores = opened(clock)
        load_state(stores, again, seed=1)
        return len(stores.shopify.find_order(order_id).refunds)

    assert run_virtually(later, start=MORNING_AFTER) == 1


def test_a_deleted_order_is_gone_also_from_the_file(past: Path) -> None:
    again = past.with_name("again.json")

    async def play(clock: VirtualClock) -> tuple[str, str]:
        stores = opened(clock)
        load_state(stores, past, seed=1)
        truth = truth_of(stores.shopify)
        gone, line = _one(truth, _sent, 2), ""
        with sleeping.only_looking():
            line = stores.shopify.orders.orders[gone].lines[0].id
            assert stores.shopify.office.things.get(line).id == line
        stores.shopify.orders.delete(stores.shopify.orders.orders[gone])
        assert stores.shopify.office.things.get(line) is None
        save_state(stores, again, seed=1)
        await stores.stop()
        return gone, line

    gone, line = run_virtually(play, start=MORNING_AFTER)

    async def later(clock: VirtualClock) -> None:
        stores = opened(clock)
        load_state(stores, again, seed=1)
        assert gone not in stores.shopify.orders.orders
        assert len(stores.shopify.orders.orders) == ORDERS - 1
        assert stores.shopify.office.things.get(line) is None
        assert [order["id"] for order in truth_of(stores.shopify)["orders"]] == list(stores.shopify.orders.orders)

    run_virtually(later, start=MORNING_AFTER)


def test_movements_in_the_file_are_a_list_like_any_other(past: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        stores = opened(clock)
        load_state(stores, past, seed=1)
        kept = stores.shopify.stock.movements
        for number in range(20):
            kept.append(Movement(len(kept) + 1, clock.now(), "X", "item", "place", number, "manual", "staff", "ref"))
        whole = list(kept)
        assert [one.n for one in whole] == list(range(1, len(kept) + 1))
        for start in (0, 5, 17, len(whole) - 20, len(whole) - 3, len(whole)):
            assert kept[start:] == whole[start:]
            assert kept[start : start + 7] == whole[start : start + 7]
            assert kept[-start - 2 :] == whole[-start - 2 :]
        assert (kept[0], kept[40], kept[-1], kept[::9]) == (whole[0], whole[40], whole[-1], whole[::9])

    run_virtually(play, start=MORNING_AFTER)


MAKE = """mutation($input: ProductBundleCreateInput!) { productBundleCreate(input: $input) {
  productBundleOperation { id } userErrors { message } } }"""
MADE = """query($id: ID!) { productOperation(id: $id) { status product { id title
  bundleComponents(first: 3) { nodes { quantity } } variants(first: 3) { nodes { requiresComponents } } } } }"""
GROUPS = """query($id: ID!) { order(id: $id) { lineItems(first: 5) { nodes { quantity
  lineItemGroup { id title variantSku } } } } }"""


def test_bundles_what_was_sold_of_them_and_what_is_being_made_survive_the_file(past: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundles.json"
    asked: dict[str, str] = {}

    async def day(clock: VirtualClock) -> dict[str, Any]:
        stores = opened(clock)
        load_state(stores, past, seed=1)
        shop = stores.shopify
        levels = [level for level in shop.stock.all_levels() if level.available > 3 and level.active]
        sku_of_product = {(one := shop.shelves.by_item[level.item_id]).product_id: one.sku for level in levels}
        part, bundle = list(sku_of_product.values())[:2]
        shop.make_bundle(bundle, {part: 2})
        talk = Talk(stores)
        body = {"lines": [{"sku": bundle, "quantity": 1}], "customer": {}}
        asked["order"] = (await talk.shopify("POST", "/_sandbox/checkout", body))["order_id"]
        product = shop.shelves.by_sku[part].product
        chosen = [
            {"componentOptionId": one.id, "name": one.name, "values": [value.name for value in one.values]}
            for one in options_of(product)
        ]
        given = {"title": "Set", "components": [{"productId": product.id, "quantity": 3, "optionSelections": chosen}]}
        told = await talk.query(MAKE, input=given)
        asked["operation"] = told["productBundleCreate"]["productBundleOperation"]["id"]
        before = await talk.query(GROUPS, id=asked["order"])
        save_state(stores, file, seed=1)
        await stores.stop()
        return dict(before)

    async def night(clock: VirtualClock) -> tuple[Any, Any]:
        stores = opened(clock)
        load_state(stores, file, seed=1)
        talk = Talk(stores)
        groups = await talk.query(GROUPS, id=asked["order"])
        group = groups["order"]["lineItems"]["nodes"][0]["lineItemGroup"]["id"]
        assert (await talk.query("query($id: ID!) { node(id: $id) { id } }", id=group))["node"]["id"] == group
        stores.shopify.office.jobs.catch_up()
        made = (await talk.query(MADE, id=asked["operation"]))["productOperation"]
        await stores.stop()
        return groups, made

    before = run_virtually(day, start=MORNING_AFTER)
    groups, made = run_virtually(night, start=MORNING_AFTER + timedelta(days=1))
    assert groups == before
    assert [line["quantity"] for line in before["order"]["lineItems"]["nodes"]] == [2]
    assert (made["status"], made["product"]["title"]) == ("COMPLETE", "Set")
    assert made["product"]["bundleComponents"]["nodes"] == [{"quantity": 3}]
    assert all(one["requiresComponents"] for one in made["product"]["variants"]["nodes"])
