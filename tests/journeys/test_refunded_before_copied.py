"""Units that were refunded before an order could be copied are no part of its copy, nor of what a day wants of it."""

from __future__ import annotations

from datetime import timedelta

from builders.copying import both_databases, both_ways, copying
from builders.days import DAY
from builders.journeys import MAIN, Journey, travel
from storebridge.operations.show_settlement import show_settlement

CREATES = {"shopify": "orderCreate", "wix": "importOrder"}


async def refund(journey: Journey, store: str, order_id: str) -> None:
    """One unit comes back, restocked, for what it cost."""
    body = {"lines": [{"sku": "A", "quantity": 1, "restock": True}], "amount": "19.90"}
    await journey.sandbox(store, "POST", f"orders/{order_id}/refund", body)


# Calm: the copy has to wait until the first refund is read.
@both_databases
@both_ways
def test_a_refund_on_each_side_of_the_copys_birth_leaves_a_day_whose_sums_agree(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        day = journey.clock.now().date()
        rates = {"http_5xx": 1.0}
        await journey.faults(copied_to, rules=[{"operation": CREATES[copied_to], "rates": rates}])
        order_id = await journey.buy(sold_in, 3)
        await journey.wait(3.0)
        await refund(journey, sold_in, order_id)
        await journey.pass_time(100.0)
        await journey.faults(copied_to)
        await journey.pass_time(600.0)
        await refund(journey, sold_in, order_id)
        await journey.pass_time(600.0)
        (copy,) = (await journey.queue())[sold_in].copies
        assert copy.order is not None
        totals = copy.order.totals
        assert [f"{one.shop.amount:.2f}" for one in (totals.paid, totals.refunded)] == ["39.80", "19.90"]
        assert await journey.reasons() == []
        await journey.pass_time(DAY)
        await journey.pass_time(7200.0)
        terms = journey.bridge.workspaces[MAIN].terms
        kept = (await show_settlement(journey.store, terms, day)).statement
        assert kept.begins_at.date() == day
        assert kept.ends_at - kept.begins_at == timedelta(days=1)
        told = {one.what: (one.ours.in_coins, one.theirs.in_coins) for one in kept.agreements if "copied" in one.what}
        assert told == {"copied_paid": ("39.80", "39.80"), "copied_refunded": ("19.90", "19.90")}
        assert kept.differences == ()
        assert kept.copies == 1

    travel(play, postgres=postgres, **copying(copied_to))


# Calm: the copy has to wait until both refunds are read.
@both_ways
def test_a_unit_that_is_called_off_first_and_paid_back_an_hour_later_is_no_part_of_the_copy(
    sold_in: str, copied_to: str
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        rates = {"http_5xx": 1.0}
        await journey.faults(copied_to, rules=[{"operation": CREATES[copied_to], "rates": rates}])
        order_id = await journey.buy(sold_in, 3)
        await journey.wait(3.0)
        unit = {"lines": [{"sku": "A", "quantity": 1, "restock": True}], "amount": "10.00"}
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/refund", unit)
        await journey.pass_time(300.0)
        await journey.faults(copied_to)
        await journey.pass_time(600.0)
        assert await journey.reasons() == ["order_not_copied"], "a part of its money is still to go back"
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/refund", {"lines": [], "amount": "9.90"})
        await journey.pass_time(600.0)
        (copy,) = (await journey.queue())[sold_in].copies
        assert copy.order is not None
        totals = copy.order.totals
        told = [f"{one.shop.amount:.2f}" for one in (totals.total, totals.paid, totals.refunded)]
        assert told == ["39.80", "39.80", "0.00"]
        assert [line.current for line in copy.order.lines] == [2]
        assert await journey.reasons() == []

    travel(play, **copying(copied_to))
