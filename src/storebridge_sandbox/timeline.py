"""What a scripted timeline does by itself: deeds at their hour, and a vendor's clock that goes wrong."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping

from storebridge_sandbox.faults import Deed, FaultPlan
from storebridge_sandbox.world import World


class Timeline:
    """Carries out the deeds of the plan's steps, anew whenever the plan is set."""

    def __init__(self, world: World, faults: FaultPlan, deeds: Mapping[Deed, Callable[[], object]]) -> None:
        self._world = world
        self._faults = faults
        self._deeds = deeds
        self._tasks: list[asyncio.Task[None]] = []
        faults.when_set(self._begin)

    def stop(self) -> None:
        """What was still to come does not."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    def _begin(self) -> None:
        self.stop()
        for step, _ in self._faults.steps:
            for deed in step.do:
                self._tasks.append(self._world.spawn(self._do(step.at_seconds, deed)))

    async def _do(self, seconds: float, deed: Deed) -> None:
        await self._world.sleep(seconds)
        self._deeds[deed]()


def skewed(world: World, faults: FaultPlan) -> World:
    """The same world on the clock of a vendor whose clock the plan may set wrong."""
    return dataclasses.replace(world, now=lambda: world.now() + faults.clock_skew())
