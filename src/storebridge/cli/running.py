"""The engine of ``serve`` and ``worker`` from its start to its end, and through a database that goes away for a while.

Whatever a loop had in hand when the database went is found again as after a crash: the journal, the looks and the
deliveries say what is still to do. So the loops are dropped and begun anew, as another process would begin; the web
stays, answers 503 and says why.
"""

from __future__ import annotations

import asyncio
import contextlib

from storebridge.bootstrap import Bridge
from storebridge.errors import StoreUnavailableError
from storebridge.telemetry.log import get_logger
from storebridge.work.retry import backoff_seconds

LOOK_SECONDS = 0.2
"""Between looks whether a loop died."""
LONGEST_REST_SECONDS = 10.0
STEADY_SECONDS = 60.0
"""A database that stayed for so long is well again: when it goes the next time, we wait little at first."""

log = get_logger("process")


async def run_until_stopped(bridge: Bridge, stop: asyncio.Event) -> None:
    """Serve until told to stop, then drain. Raises what a loop died of, unless that is a database that went away: that
    is waited for."""
    clock = bridge.environment.clock
    tries = 0
    try:
        while not stop.is_set():
            began = clock.monotonic()
            try:
                await _run(bridge, stop)
            except StoreUnavailableError as error:
                tries = 1 if clock.monotonic() - began > STEADY_SECONDS else tries + 1
                await _rest(bridge, stop, error, tries)
    finally:
        await bridge.stop()


async def _run(bridge: Bridge, stop: asyncio.Event) -> None:
    """Until told to stop. Raises what a loop died of."""
    await bridge.start()
    bridge.begin()
    if bridge.away:
        bridge.away = ""
        log.info("database_back")
    while not await _told_to_stop(stop, LOOK_SECONDS):
        error = bridge.failed()
        if error is not None:
            raise error


async def _rest(bridge: Bridge, stop: asyncio.Event, error: StoreUnavailableError, tries: int) -> None:
    bridge.away = str(error)
    log.error("database_away", reason=bridge.away, tries=tries)
    await bridge.kill()
    chance = bridge.environment.chance
    await _told_to_stop(stop, backoff_seconds(tries, chance, longest_seconds=LONGEST_REST_SECONDS))


async def _told_to_stop(stop: asyncio.Event, within_seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_seconds):
            await stop.wait()
    return stop.is_set()
