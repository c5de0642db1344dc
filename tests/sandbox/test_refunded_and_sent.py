"""What a store's own records tell of units that were refunded: whether they had left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from shopify_shop import Shop, with_shop
from wix_site import Site, with_site

REFUND = """mutation($id: ID!, $lines: [RefundLineItemInput!]!) {
  refundCreate(input: {orderId: $id, refundLineItems: $lines, transactions: []}) @idempotent(key: "one") {
    refund { id } userErrors { message } } }"""


async def said(store: Any, path: str, body: dict[str, Any]) -> int:
    """The status with which a verb of staff is answered."""
    status: int = (await store.ask("POST", f"/_sandbox/{path}", body)).status
    return status


async def bought_and_sent(store: Any, units: int) -> str:
    """An order of three mugs, of which so many left."""
    _, order = await store.buy("MUG", 3)
    number = str(order["order_id"]).rsplit("/", 1)[-1]
    if units:
        assert await said(store, f"orders/{number}/fulfil", {"lines": [{"sku": "MUG", "quantity": units}]}) == 200
    return number


async def refund(store: Any, number: str, units: int) -> None:
    lost = {"lines": [{"sku": "MUG", "quantity": units, "restock": False}]}
    assert (await said(store, f"orders/{number}/refund", lost)) == 200


async def told(store: Any) -> tuple[int, int]:
    """Refunded units of the only line, and how many of them never left."""
    ((line,),) = [order["lines"] for order in (await store.truth())["orders"]]
    return line["refunded"], line["refunded_unshipped"]


@pytest.mark.parametrize(("sent", "unsent"), [(0, [1, 2]), (1, [0, 1]), (2, [0, 0])])
def test_wix_does_not_ask_which_units_are_refunded_and_sent_ones_go_first(sent: int, unsent: list[int]) -> None:
    async def play(site: Site) -> None:
        number = await bought_and_sent(site, sent)
        await refund(site, number, 1)
        found = [await told(site)]
        await refund(site, number, 1)
        found.append(await told(site))
        assert found == [(1, unsent[0]), (2, unsent[1])]

    with_site(play)


def test_where_units_came_back_to_wix_none_counts_as_sent() -> None:
    async def play(site: Site) -> None:
        number = await bought_and_sent(site, 1)
        back = {"lines": [{"sku": "MUG", "quantity": 1, "restock": True}]}
        assert await said(site, f"orders/{number}/refund", back) == 200
        assert await told(site) == (1, 1)

    with_site(play)


def test_what_leaves_wix_after_a_refund_does_not_change_what_was_refunded() -> None:
    async def play(site: Site) -> None:
        number = await bought_and_sent(site, 0)
        await refund(site, number, 1)
        await asyncio.sleep(60)
        assert (await said(site, f"orders/{number}/fulfil", {"lines": [{"sku": "MUG", "quantity": 1}]})) == 200
        assert await told(site) == (1, 1)

    with_site(play)


def test_shopify_knows_which_units_had_been_sent() -> None:
    """Staff's dialog takes what never left; an app that says RETURN means goods that were sent."""

    async def play(shop: Shop) -> None:
        number = await bought_and_sent(shop, 1)
        (order,) = shop.store.orders.orders.values()
        back = {
            "lineItemId": order.lines[0].id,
            "quantity": 1,
            "restockType": "RETURN",
            "locationId": shop.place(0),
        }
        answer = await shop.told(REFUND, id=order.id, lines=[back])
        assert answer["data"]["refundCreate"]["userErrors"] == []
        assert await told(shop) == (1, 0)
        await refund(shop, number, 1)
        assert await told(shop) == (2, 1)

    with_shop(play)
