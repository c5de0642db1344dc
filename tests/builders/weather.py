"""Journeys under the fault profiles: the same story, the same end, whatever goes wrong on the way.

A story that is played in a weather has its faults from its beginning on. Whenever it lets time pass, the faults go on
for that long; then the sky clears until the bridge is quiet, and the story looks at what came of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Weather:
    """A fault profile of both stores, and the seed of their dice."""

    profile: str = "none"
    seed: int = 11

    def __str__(self) -> str:
        return self.profile if self.profile == "none" else f"{self.profile}-{self.seed}"


CALM = Weather()
FIRST = int(os.environ.get("STOREBRIDGE_TEST_WEATHER_SEED", "11"))
"""Another seed is another weather for every story; the name of a failing test holds it."""
SOME, STORM = Weather("some", FIRST), Weather("storm", FIRST)

in_every_weather = pytest.mark.parametrize("weather", [CALM, SOME, STORM], indirect=True, ids=str)
"""For stories whose end is the same whatever goes wrong on the way."""
