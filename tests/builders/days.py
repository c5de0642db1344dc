"""Stories in which days pass: what only stock needs happens seldom, or a day takes half a minute."""

from __future__ import annotations

from typing import Any

from builders.journeys import WEATHER, Goods, Journey, Play, travel
from builders.weather import CALM
from storebridge.environment import Pace

DAY = 86_400.0
SLOW = Pace(nap_seconds=1800.0, seal_seconds=7200.0, sweep_tick_seconds=7200.0, settle_seconds=900.0)
QUIET = {
    "sweep_seconds": 7 * DAY,
    "hot_sweep_seconds": 7 * DAY,
    "order_poll_seconds": 7200.0,
    "subscription_check_seconds": 7 * DAY,
    "settlement_poll_seconds": 3600.0,
}
FOUL = {"order_poll_seconds": 1800.0}
"""Whose deliveries are lost needs its polls before the evening."""


def days_pass(play: Play, *goods: Goods, **facts: Any) -> None:
    """Play a journey of days."""

    async def slowly(journey: Journey) -> None:
        journey.pace = SLOW
        await play(journey)

    travel(slowly, *goods, **{**QUIET, **({} if WEATHER.get() == CALM else FOUL), **facts})
