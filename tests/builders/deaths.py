"""A process that dies around its next stock write, and its funeral."""

from __future__ import annotations

from builders.journeys import Journey
from fakes.mortality import DoomedTransport, Mortality
from storebridge_proving.simulate.crashes import Life, MortalStore


async def dying(journey: Journey, moment: str) -> Life:
    """A bridge whose next stock write is its last deed; it starts only now."""
    mortality = Mortality()
    life = Life(mortality)
    journey.wrap_transport = lambda transport: DoomedTransport(transport, life, mortality, moment)
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
