"""A blind write without an answer whose counter changed at once: a person is asked at once, and heard in time."""

from __future__ import annotations

from datetime import datetime

import pytest

from builders.journeys import Journey, travel
from storebridge.errors import RefusedError
from storebridge.operations.settle_case import Choice
from storebridge.reconcile.doubts import MAY_LAND_UNTIL
from storebridge_sandbox.wix.settings import WixOptions

LOST = {"operation": "decrementInventory", "calls": 1}


@pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
def test_a_person_is_asked_when_the_counter_moved_and_cannot_say_not_applied_too_early(fate: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", rules=[{**LOST, "rates": {fate: 1.0}}])
        await journey.buy("shopify", 2)
        await journey.pass_time(5.0)
        await journey.wix.adjust("A", delta=-1)
        await journey.pass_time(75.0)
        (case,) = await journey.cases("write_outcome_unclear")
        until = datetime.fromisoformat((case.payload or {})[MAY_LAND_UNTIL])
        assert until > journey.clock.now()
        with pytest.raises(RefusedError, match="may still take effect until"):
            await journey.settle("write_outcome_unclear", Choice.NOT_APPLIED)
        assert await journey.reasons() == ["write_outcome_unclear"]
        if fate == "timeout_applied":
            await journey.settle("write_outcome_unclear", Choice.APPLIED)
        else:
            await journey.pass_time(100.0)
            await journey.settle("write_outcome_unclear", Choice.NOT_APPLIED)
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert (await journey.goods_left(), await journey.reasons()) == (7, [])

    travel(play, wix=WixOptions(catalog="v1"))
