"""An order that is paid in part waits for the rest; one that was paid and owes again does not."""

from __future__ import annotations

import pytest

from builders.copying import ask_shopify, both_databases, copying
from builders.journeys import Goods, Journey, travel
from storebridge.flows.queue import Place
from storebridge.model.sales import PaymentState

SKUS = (Goods("A"), Goods("B"))
CREATE = """mutation($order: OrderCreateOrderInput!) { orderCreate(order: $order) { order { id }
  userErrors { message } } }"""
PAY = "mutation($id: ID!) { orderMarkAsPaid(input: {id: $id}) { userErrors { message } } }"


def eur(amount: str) -> dict[str, dict[str, str]]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


async def with_deposit(journey: Journey) -> str:
    """An order over 39.80 EUR of which 10 EUR were paid."""
    variant = journey.stores.shopify.shelves.by_sku["A"]
    order = {
        "lineItems": [{"variantId": variant.variant_id, "quantity": 2, "requiresShipping": True}],
        "financialStatus": "PARTIALLY_PAID",
        "transactions": [{"kind": "SALE", "status": "SUCCESS", "amountSet": eur("10.00")}],
        "currency": "EUR",
    }
    made = (await ask_shopify(journey, CREATE, order=order))["orderCreate"]
    assert made["userErrors"] == []
    return str(made["order"]["id"])


@both_databases
def test_a_deposit_waits_and_is_not_copied_before_the_rest_is_paid(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await with_deposit(journey)
        await journey.pass_time(120.0)
        view = (await journey.queue())["shopify"]
        assert (view.order.payment_state, view.queued.place) == (PaymentState.PARTLY_PAID, Place.AWAITING_PAYMENT)
        assert view.copies == ()
        assert (await ask_shopify(journey, PAY, id=order_id))["orderMarkAsPaid"]["userErrors"] == []
        await journey.pass_time(180.0)
        view = (await journey.queue())["shopify"]
        assert (view.order.payment_state, view.queued.place) == (PaymentState.PAID, Place.READY)
        assert [copy.connection for copy in view.copies] == ["wix"]

    travel(play, *SKUS, postgres=postgres, **copying("wix"))


@both_databases
@pytest.mark.parametrize("store", ["shopify", "wix"])
def test_what_was_paid_does_not_wait_for_goods_that_an_edit_added(store: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy(store, 2)
        await journey.pass_time(60.0)
        for units in (1, 2):
            await journey.sandbox(
                store, "POST", f"orders/{order_id}/edit", {"lines": [{"sku": "B", "quantity": units}]}
            )
            await journey.pass_time(120.0)
            view = (await journey.queue())[store]
            assert (view.order.payment_state, view.queued.place) == (PaymentState.PARTLY_PAID, Place.READY)

    travel(play, *SKUS, orders={"keep": True}, postgres=postgres)
