"""A refund is never sent twice by hope: it is paid once also where a repeated key pays again."""

from __future__ import annotations

import pytest

from builders.copying import copied, copying
from builders.journeys import Journey, travel
from storebridge_sandbox.switches import set_switches

FATES = ("timeout_applied", "timeout_not_applied", "http_5xx", "http_5xx_applied", "cut_answer", "connection_reset")
PAYS_AGAIN, _ = set_switches({"shopify.refund_key_pays_once": False})


async def refund(journey: Journey, order_id: str) -> None:
    lines = [{"sku": "A", "quantity": 1, "restock": False}]
    await journey.sandbox("wix", "POST", f"orders/{order_id}/refund", {"lines": lines, "amount": "10.00"})


async def refunds_of(journey: Journey, order_id: str) -> list[str]:
    """The amounts of the copy's refunds, from the store's own records."""
    orders = (await journey.sandbox("shopify", "GET", "truth"))["orders"]
    return [refund["amount"] for order in orders if order["id"] == order_id for refund in order["refunds"]]


async def paid_once(journey: Journey, copy_id: str) -> None:
    """Nothing is on its way, and nobody is asked."""
    assert await refunds_of(journey, copy_id) == ["10.00"]
    assert {write.state for write in (await journey.queue())["wix"].writes} == {"confirmed"}
    assert await journey.reasons() == []


@pytest.mark.parametrize("fate", FATES)
def test_a_refund_whose_answer_was_lost_is_paid_once_where_its_key_would_pay_again(fate: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 2)
        await journey.faults("shopify", rules=[{"operation": "refundCreate", "calls": 1, "rates": {fate: 1.0}}])
        await refund(journey, order_id)
        await journey.pass_time(900.0)
        await paid_once(journey, copy_id)

    travel(play, shopify=PAYS_AGAIN, **copying("shopify"))


def test_a_refund_that_lands_two_minutes_after_it_was_sent_is_paid_once() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 2)
        late = {"timeout_applied": 1.0, "late_landing_ms": [115_000, 115_000]}
        await journey.faults("shopify", rules=[{"operation": "refundCreate", "calls": 1, "rates": late}])
        await refund(journey, order_id)
        await journey.pass_time(900.0)
        await paid_once(journey, copy_id)

    travel(play, shopify=PAYS_AGAIN, **copying("shopify"))


def test_a_process_that_dies_during_a_refund_pays_once_where_its_key_would_pay_again() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 2)
        await journey.faults("shopify", rules=[{"operation": "refundCreate", "rates": {"latency_ms": [8000, 8000]}}])
        await refund(journey, order_id)
        sent = "select count(*) from order_writes where state = 'sent' and kind = 'refund_copy'"
        while await journey.rows(sent) != [(1,)]:
            await journey.wait(0.1)
        await journey.kill()
        await journey.faults("shopify")
        await journey.start()
        await journey.pass_time(900.0)
        await paid_once(journey, copy_id)

    travel(play, shopify=PAYS_AGAIN, **copying("shopify"))
