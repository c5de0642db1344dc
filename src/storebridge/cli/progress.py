"""Whoever waits for a command longer than two seconds is told that it is at work, and for how long; on stderr."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from storebridge.clock import SystemClock

PATIENCE_SECONDS = 2.0
LINE_EVERY_SECONDS = 10.0
"""Where no person watches (a log), a line now and then is enough."""


@contextmanager
def told_while_waiting(doing: str, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Say what is being done while the block lasts, once it lasts longer than ``patience_seconds``; says nothing where
    ``doing`` is empty (the command tells its own progress)."""
    over = threading.Event()
    watching = threading.Thread(target=_tell, args=(doing, patience_seconds, over), daemon=True)
    if doing:
        watching.start()
    try:
        yield
    finally:
        over.set()
        if doing:
            watching.join()


def _tell(doing: str, patience_seconds: float, over: threading.Event) -> None:
    """A line that counts the seconds on a terminal, a line now and then in a log."""
    clock, person = SystemClock(), sys.stderr.isatty()
    began = clock.monotonic()
    pause = patience_seconds
    while not over.wait(pause):
        told = f"{doing} … {clock.monotonic() - began:.0f} s"
        sys.stderr.write(f"\r{told}" if person else f"{told}\n")
        sys.stderr.flush()
        pause = 1.0 if person else LINE_EVERY_SECONDS
    if person and clock.monotonic() - began > patience_seconds:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
