"""What comes from outside: time, identity, chance, the network, secrets, the database. Tests hand in their own."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from storebridge.clock import Clock, ForwardClock, Ids, RandomIds, SystemClock
from storebridge.config import Config
from storebridge.connectors.http import Transport
from storebridge.errors import StoreUnavailableError
from storebridge.store.database import Store, open_store

MADE_BETWEEN_COLLECTIONS = 10_000
"""Objects; Python's own 700 are passed within one batch of signals."""


def collect_less_often() -> None:
    """For a process that does one of our jobs: look for garbage rarely, and not among what is loaded by now.

    A turn makes thousands of small objects, few of them in cycles; looking through them again and again took a sixth of
    the processor time of a signal. What lingers meanwhile is a few megabytes.
    """
    gc.freeze()
    gc.set_threshold(MADE_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])


class Pace(msgspec.Struct, frozen=True):
    """How often parts look at the database by themselves; in one process bells make most of it unnecessary."""

    nap_seconds: float = 1.0
    seal_seconds: float = 0.5
    sweep_tick_seconds: float = 5.0
    janitor_seconds: float = 3600.0
    settle_seconds: float = 60.0


class Environment:
    """Everything that comes from outside: time, identity, chance, the network, secrets."""

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        chance: random.Random | None = None,
        environ: Mapping[str, str] | None = None,
        read_file: Callable[[str], str] = lambda path: Path(path).read_text(encoding="utf-8"),
        inline_store: bool = False,
        wrap_store: Callable[[Store], Store] = lambda store: store,
        pace: Pace | None = None,
    ) -> None:
        self.transport = transport
        self.clock = clock or real_clock()
        self.ids = ids or RandomIds()
        self.chance = chance or random.Random()
        self.secure_chance: random.Random = chance or random.SystemRandom()
        """For what must not be guessed (nonces); a simulation hands in its own."""
        self.environ = environ or {}
        self.read_file = read_file
        self.inline_store = inline_store
        self.wrap_store = wrap_store
        self.pace = pace or Pace()


def real_clock() -> Clock:
    """The machine's own."""
    return ForwardClock(SystemClock())


def real_environment(environ: Mapping[str, str]) -> Environment:
    """The machine's own clock, chance and network; close its ``transport`` when done. Needs a running event loop."""
    from storebridge.connectors.aiohttp_transport import AiohttpTransport  # not for a look at the database

    return Environment(AiohttpTransport(), environ=environ)


def open_database(config: Config, clock: Clock, *, read_only: bool = False, may_make: bool = True) -> Store:
    """The configured database, for a command. Raises StoreUnavailableError, also where there is none yet and none is to
    be made: a mistyped name must not become an empty database that knows no SKU."""
    address = config.server.store
    path = address.removeprefix("sqlite:///")
    if (read_only or not may_make) and "://" not in path and not Path(path).exists():
        raise StoreUnavailableError(
            f"There is no database {path} yet: run storebridge baseline or serve first. Should it be there, correct "
            "server.store or --store."
        )
    return open_store(address, clock=clock, read_only=read_only)
