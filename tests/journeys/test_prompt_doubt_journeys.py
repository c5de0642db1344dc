"""Writes in doubt are judged by the reading that tells, and nothing new is sent into a store that fell silent."""

from __future__ import annotations

import pytest

from builders.journeys import Journey, travel

CUT_OFF = {"timeout_not_applied": 1.0}


async def calls_to_wix(journey: Journey) -> int:
    """Stock calls that were journaled for Wix."""
    ((count,),) = await journey.rows("select count(*) from calls where connection = 'wix' and flow = 'stock'")
    return int(count)


async def silent_wix(journey: Journey) -> None:
    """Nothing gets through to Wix, and a read has found that out."""
    await journey.begin()
    await journey.faults("wix", **CUT_OFF)
    await journey.wix.adjust("A", delta=1)
    await journey.pass_time(30.0)


def test_a_change_that_is_not_ours_ends_a_doubt_seconds_after_it_was_read() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        lost = {"operation": "bulkUpdateInventoryItems", "calls": 1, "rates": {"timeout_not_applied": 1.0}}
        await journey.faults("wix", webhook_loss=1.0, rules=[lost])
        await journey.buy("shopify", 2)
        await journey.pass_time(5.0)
        await journey.wix.adjust("A", delta=-1)
        await journey.pass_time(25.0)  # twenty seconds until the call is given up; it goes out again and is refused
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.cases("write_outcome_unclear", state=None) == []

    travel(play)


@pytest.mark.parametrize(("stamp_namespace", "sent_into_the_silence"), [(None, 0), ("@acme/storebridge", 1)])
def test_a_silent_store_is_read_before_it_gets_a_write_that_could_become_a_question(
    stamp_namespace: str | None, sent_into_the_silence: int
) -> None:
    async def play(journey: Journey) -> None:
        await silent_wix(journey)
        before = await calls_to_wix(journey)
        await journey.buy("shopify", 2)
        await journey.pass_time(60.0)
        assert await calls_to_wix(journey) - before == sent_into_the_silence
        await journey.faults("wix")
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 9, "wix": 9}
        assert await journey.reasons() == []
        assert await journey.cases("write_outcome_unclear", state=None) == []

    travel(play, stamp_namespace=stamp_namespace)
