"""SIGTERM and Ctrl-C, as an event that a long-running command waits for."""

from __future__ import annotations

import asyncio
import signal


def stop_on_signals() -> asyncio.Event:
    """Set once the process is asked to end; the command then drains. Needs the main thread's running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # The handler wakes the loop through its own pipe, which works on every platform.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop
