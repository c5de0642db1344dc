"""A process that dies around its next write of a kind, and its funeral."""

from __future__ import annotations

import asyncio
import random

from builders.journeys import Journey
from fakes.mortality import STOCK_WRITES, DoomedTransport, Mortality
from storebridge_proving.simulate.crashes import Death, Life, MortalStore, MortalTransport

RESTART_SECONDS = 5.0


async def dying(journey: Journey, moment: str, marks: tuple[bytes, ...] = STOCK_WRITES) -> Life:
    """A bridge whose next such write is its last deed; it starts only now."""
    mortality = Mortality()
    life = Life(mortality)
    journey.wrap_transport = lambda transport: DoomedTransport(transport, life, mortality, moment, marks)
    journey.wrap_store = lambda store: MortalStore(store, life)
    await journey.start()
    return life


async def buried(journey: Journey, life: Life) -> None:
    """Waits for that death; the next process is a healthy one."""
    await life.over.wait()
    life.end()
    await journey.kill()
    journey.wrap_transport = lambda transport: transport
    journey.wrap_store = lambda store: store


class CountedDeath(Death):
    """Counts the points that are passed while it is ``armed``, and strikes at the one of that number; 0 for never."""

    def __init__(self, at: int) -> None:
        super().__init__(random.Random(0))
        self.armed = False
        self.points: list[str] = []
        self._at = at

    def strikes(self, point: str) -> bool:
        if not self.armed:
            return False
        self.points.append(point)
        return len(self.points) == self._at


async def begin_mortal(journey: Journey, death: CountedDeath) -> asyncio.Task[None]:
    """Begin with a process that dies when ``death`` strikes; the task buries it and starts a healthy one."""
    life = Life(death)
    journey.wrap_transport = lambda transport: MortalTransport(transport, life)
    journey.wrap_store = lambda store: MortalStore(store, life)
    await journey.begin()
    return asyncio.ensure_future(_succeed(journey, life))


async def _succeed(journey: Journey, life: Life) -> None:
    await buried(journey, life)
    await journey.clock.sleep(RESTART_SECONDS)
    await journey.start()
