"""An order with taxes and a discount that staff edit: Shopify's lines go on telling both for units that are gone."""

from __future__ import annotations

from typing import Any

import pytest

from builders.copying import ask_shopify, both_databases, copying
from builders.journeys import Journey, travel
from builders.weather import in_every_weather

CREATE = """mutation($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {
  orderCreate(order: $order, options: $options) { userErrors { message } order { id } } }"""


def _bag(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


def _taxed(amount: str) -> list[dict[str, Any]]:
    return [{"title": "VAT", "rate": "0.19", "priceSet": _bag(amount)}]


async def place_taxed(journey: Journey, *, discount: str, included: bool) -> str:
    """Three units of A, sent for five euros, taxed at 19 per cent, and paid."""
    variant = journey.stores.shopify.shelves.by_sku["A"].variant_id
    line = {"variantId": variant, "sku": "A", "title": "Thing A", "quantity": 3, "requiresShipping": True}
    order: dict[str, Any] = {
        "currency": "EUR",
        "email": "ann@example.org",
        "financialStatus": "PAID",
        "taxesIncluded": included,
        "lineItems": [line | {"priceSet": _bag("19.90"), "taxLines": _taxed("11.34")}],
        "shippingLines": [{"title": "Post", "priceSet": _bag("5.00"), "taxLines": _taxed("0.95")}],
    }
    if discount:
        order["discountCode"] = {"itemFixedDiscountCode": {"code": "TEN", "amountSet": _bag(discount)}}
    options = {"inventoryBehaviour": "DECREMENT_OBEYING_POLICY"}
    told = (await ask_shopify(journey, CREATE, order=order, options=options))["orderCreate"]
    assert told["userErrors"] == []
    return str(told["order"]["id"])


@in_every_weather
@both_databases
@pytest.mark.parametrize(
    ("discount", "included", "total"),
    [("", False, "53.31"), ("5.97", False, "49.33"), ("", True, "44.80"), ("5.97", True, "40.82")],
    ids=["tax on top", "tax on top, discount", "tax included", "tax included, discount"],
)
def test_a_unit_that_is_edited_out_takes_its_tax_and_discount_along_and_its_money_goes_back(
    discount: str, included: bool, total: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await place_taxed(journey, discount=discount, included=included)
        await journey.pass_time(120.0)
        edit = {"lines": [{"sku": "A", "quantity": 2}]}
        await journey.sandbox("shopify", "POST", f"orders/{order_id}/edit", edit)
        await journey.pass_time(600.0)
        view = (await journey.queue())["shopify"]
        (copy,) = view.copies
        assert copy.order is not None
        (line,) = copy.order.lines
        assert (line.current, [f"{tax.amount.shop.amount:.2f}" for tax in line.taxes]) == (2, ["7.56"])
        assert f"{copy.order.totals.total.shop.amount:.2f}" == total
        assert copy.order.totals.total.shop == view.order.totals.total.shop
        assert await journey.reasons() == []
        over = view.order.totals.paid.shop.amount - view.order.totals.total.shop.amount
        await journey.sandbox("shopify", "POST", f"orders/{order_id}/refund", {"lines": [], "amount": f"{over:.2f}"})
        await journey.pass_time(600.0)
        view = (await journey.queue())["shopify"]
        (copy,) = view.copies
        assert copy.order is not None
        assert copy.order.totals.refunded.shop == view.order.totals.refunded.shop
        assert f"{view.order.totals.refunded.shop.amount:.2f}" == f"{over:.2f}"
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying("wix"))
