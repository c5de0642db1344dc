"""The weather of a journey: calm, unless a test asks for another with ``in_every_weather``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from builders import journeys
from builders.weather import CALM, Weather


@pytest.fixture(autouse=True)
def weather(request: pytest.FixtureRequest) -> Iterator[Weather]:
    journeys.WEATHER.set(getattr(request, "param", CALM))
    yield journeys.WEATHER.get()
    journeys.WEATHER.set(CALM)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Faults are played on one database; the other sees the same stories in calm weather. What faults do is drawn by a
    seed, so a story in foul weather is a simulation."""
    twice = [item for item in items if _is_weather_on_postgres(item)]
    if twice:
        config.hook.pytest_deselected(items=twice)
        items[:] = [item for item in items if item not in set(twice)]
    for item in items:
        if _weather_of(item) != CALM:
            item.add_marker(pytest.mark.simulation)


def _is_weather_on_postgres(item: pytest.Item) -> bool:
    return _weather_of(item) != CALM and bool(item.callspec.params.get("postgres"))  # type: ignore[attr-defined]


def _weather_of(item: pytest.Item) -> Weather:
    call = getattr(item, "callspec", None)
    return CALM if call is None else call.params.get("weather", CALM)
