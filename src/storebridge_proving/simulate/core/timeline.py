"""Virtual seconds, and a network that loses, delays and refuses what is sent over it."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ANSWER_SECONDS = 10.0
"""A caller waits this long for an answer."""
LANDS_WITHIN_SECONDS = 120.0
"""T_max: what was sent takes effect within this time, or never."""


class Timeline:
    """What happens when; the same order for the same seed."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def at(self, delay: float, act: Callable[..., None], *args: Any) -> None:
        """Do something ``delay`` seconds from now."""
        self._count += 1
        heapq.heappush(self._heap, (self.now + delay, self._count, act, args))

    def run(self, until: float, after_each: Callable[[], None]) -> None:
        """Let time pass; ``after_each`` looks at the world after every single event."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.now, _, act, args = heapq.heappop(heap)
            act(*args)
            after_each()
        self.now = until


class Trouble(StrEnum):
    """What a caller gets instead of an answer."""

    TIMEOUT = "timeout"
    """It may have taken effect, or still may."""
    REFUSED = "refused"
    """Too many calls: surely nothing was changed."""


@dataclass(slots=True)
class Weather:
    """The faults of one seed; shares from 0 to 1, all drawn anew for every seed."""

    webhook_loss: float = 0.0
    webhook_duplicate: float = 0.0
    webhook_delay: float = 0.0
    lost_request: float = 0.0
    lost_answer: float = 0.0
    late_landing: float = 0.0
    too_many_calls: float = 0.0
    stale_read: float = 0.0
    crash_at_send: float = 0.0
    crash_seconds: float = 0.0
    """Mean time between crashes; 0: none."""
    partitions: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    raging: bool = True
    """Over when the shoppers go home: then nothing is lost any more."""

    def cut_off(self, store: str, now: float) -> bool:
        """Whether nothing gets through to a store at this moment."""
        return self.raging and any(begin <= now < end for begin, end in self.partitions.get(store, ()))


class Network:
    """Calls between the bridge and the stores."""

    def __init__(self, timeline: Timeline, weather: Weather, chance: random.Random, struck: set[str]) -> None:
        self._timeline = timeline
        self._weather = weather
        self._chance = chance
        self._struck = struck

    def call(self, store: str, act: Callable[[], Any], answer: Callable[[Any], None]) -> None:
        """Carry a request to a store and its result back. ``answer`` is called once, with a result or a Trouble."""
        timeline, chance, weather = self._timeline, self._chance, self._weather
        there, back = chance.uniform(0.05, 0.6), chance.uniform(0.05, 0.6)
        done = False

        def give(result: Any) -> None:
            nonlocal done
            if not done:
                done = True
                answer(result)

        def land(heard: bool) -> None:
            result = act()
            if heard and not weather.cut_off(store, timeline.now):
                timeline.at(back, give, result)

        timeline.at(ANSWER_SECONDS, give, Trouble.TIMEOUT)
        if weather.cut_off(store, timeline.now):
            self._struck.add("partition")
            return
        fate = self._fate()
        if fate == "too_many_calls":
            timeline.at(there + back, give, Trouble.REFUSED)
        elif fate == "late_landing":
            timeline.at(chance.uniform(ANSWER_SECONDS, LANDS_WITHIN_SECONDS - 1), land, False)
        elif fate != "lost_request":
            timeline.at(there, land, fate != "lost_answer")

    def _fate(self) -> str:
        """What befalls one call; empty when nothing does."""
        if not self._weather.raging:
            return ""
        dice = self._chance.random()
        for kind in ("lost_request", "lost_answer", "late_landing", "too_many_calls"):
            dice -= getattr(self._weather, kind)
            if dice < 0:
                self._struck.add(kind)
                return kind
        return ""
