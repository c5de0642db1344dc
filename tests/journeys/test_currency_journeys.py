"""A buyer who saw another currency than the shop's: the original keeps both, the copy the shop's amounts and a word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from builders.copying import both_databases, copying, stamp, stamps
from builders.journeys import Journey, travel
from builders.weather import in_every_weather
from fakes.odd_answers import OddAnswers, walk
from storebridge.connectors.http import Request
from storebridge.connectors.shopify.copies import copy_of as as_shopify
from storebridge.model.copying import BUYERS_TOTAL, buyers_total
from storebridge.model.order_writes import CreateCopy
from storebridge.model.sales import Order

RATE = Decimal("1.09")


def in_dollars(journey: Journey) -> None:
    """From now on buyers of the Shopify shop see dollars; the shop keeps its books in euros."""
    answers = OddAnswers(journey.network)
    journey.wrap_transport = lambda _transport: answers

    def change(request: Request, answer: Any) -> Any:
        def edit(node: dict[str, Any]) -> None:
            if "shopMoney" in node and "presentmentMoney" in node:
                amount = (Decimal(node["shopMoney"]["amount"]) * RATE).quantize(Decimal("0.01"))
                node["presentmentMoney"] = {"amount": str(amount), "currencyCode": "USD"}
            if "presentmentCurrencyCode" in node:
                node["presentmentCurrencyCode"] = "USD"

        return walk(answer, edit) if "shop.sim" in request.url else answer

    answers.change = change


async def sold_for_dollars(journey: Journey) -> tuple[str, Order, Order]:
    in_dollars(journey)
    await journey.begin()
    order_id = await journey.buy("shopify", 2)
    await journey.pass_time(120.0)
    view = (await journey.queue())["shopify"]
    (copy,) = view.copies
    assert copy.order is not None
    return order_id, view.order, copy.order


@in_every_weather
@both_databases
def test_the_copy_has_the_shops_amounts_and_says_what_the_buyer_saw(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id, original, copy = await sold_for_dollars(journey)
        assert await stamps(journey, "wix") == [stamp("shopify", order_id)]
        euros, dollars = original.totals.total.shop, original.totals.total.presentment
        assert (euros.currency, dollars.currency) == ("EUR", "USD")
        assert dollars.amount == (euros.amount * RATE).quantize(Decimal("0.01"))
        assert copy.currency == "EUR"
        assert copy.totals.total.shop == copy.totals.total.presentment == euros
        assert copy.totals.paid.shop == euros
        assert dict(copy.attributes)[BUYERS_TOTAL] == f"{dollars.amount} USD"
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying("wix"))


@in_every_weather
@pytest.mark.parametrize("amount", ["10.00", "39.80"])
def test_a_refund_is_noted_in_the_shops_currency(amount: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, _, _ = await sold_for_dollars(journey)
        refund = {"lines": [], "amount": amount}
        await journey.sandbox("shopify", "POST", f"orders/{order_id}/refund", refund)
        await journey.pass_time(300.0)
        view = (await journey.queue())["shopify"]
        (copy,) = view.copies
        assert copy.order is not None
        back = view.order.totals.refunded
        assert back.shop.amount == Decimal(amount)
        assert back.presentment.currency == "USD"
        assert copy.order.totals.refunded.shop == back.shop
        assert await journey.reasons() == []

    travel(play, **copying("wix"))


@in_every_weather
def test_a_copy_in_another_shopify_shop_says_it_too_and_names_one_currency_only() -> None:
    async def play(journey: Journey) -> None:
        _, original, _ = await sold_for_dollars(journey)
        goods = tuple(None for _ in original.lines)
        told = as_shopify(CreateCopy(original.order_id, "storebridge:main:shopify:1", original, goods))
        said = {one["key"]: one["value"] for one in told["customAttributes"]}
        assert said[BUYERS_TOTAL] == buyers_total(original) != ""
        assert told["currency"] == "EUR"
        assert "USD" not in str(told["lineItems"])

    travel(play, **copying("wix"))


@in_every_weather
def test_an_order_in_the_shops_own_currency_says_nothing_more() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 1)
        await journey.pass_time(120.0)
        (copy,) = (await journey.queue())["shopify"].copies
        assert copy.order is not None
        assert BUYERS_TOTAL not in dict(copy.order.attributes)

    travel(play, **copying("wix"))
