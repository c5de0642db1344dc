"""The mark in a store, in the pure play: an old copy of the books is noticed before it writes anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from storebridge.reconcile import mark as product
from storebridge.store.marks import Mark
from storebridge_proving.simulate.core.guard_desk import moment
from storebridge_proving.simulate.core.timeline import Network, Timeline, Trouble

EVERY_SECONDS = 60.0


class Owner(Protocol):
    """The bridge, as far as the mark needs it."""

    network: Network

    def may_write_again(self) -> None: ...

    def mine(self, act: Callable[..., None]) -> Callable[..., None]: ...


class MarkDesk:
    """Compares the mark before anything is written, and every minute."""

    def __init__(self, bridge: Owner, timeline: Timeline, bearer: str) -> None:
        self._bridge, self._timeline, self._bearer = bridge, timeline, bearer
        self.borne: product.SeenMark | None = None
        """What the store bears; it survives everything."""
        self.own = Mark("bridge", 0, "ours", None, "", None)
        """What the database knows."""
        self._since, self._asked = 0.0, -EVERY_SECONDS

    def restart(self) -> None:
        """A process starts: nothing is written before the mark was compared."""
        self._since, self._asked = self._timeline.now, -EVERY_SECONDS

    @property
    def allows_writing(self) -> bool:
        return not self._bearer or self.own.allows_writing(moment(self._since))

    @property
    def is_in_trouble(self) -> bool:
        return self.own.state != "ours"

    def begin_anew(self) -> None:
        """A person signed a new beginning off."""
        epoch = 0 if self.borne is None else self.borne.epoch
        self.own = msgspec.structs.replace(self.own, state="ours", epoch=epoch, compared_at=None)
        self._asked = -EVERY_SECONDS

    def tick(self) -> None:
        """Have it compared where it was not for a minute."""
        if self._bearer and self._timeline.now - self._asked >= EVERY_SECONDS:
            self._asked = self._timeline.now
            self._bridge.network.call(self._bearer, lambda: (self.borne,), self._bridge.mine(self._compare))

    def _compare(self, seen: tuple[product.SeenMark | None] | Trouble) -> None:
        if isinstance(seen, Trouble):
            self._asked = -EVERY_SECONDS
            return
        now = moment(self._timeline.now)
        state = product.state_of(self.own, seen[0], now)
        if state != "ours":
            self.own = msgspec.structs.replace(self.own, state=state, compared_at=None)
            return
        self.own = msgspec.structs.replace(self.own, epoch=self.own.epoch + 1, compared_at=now)
        renewed = product.SeenMark(self.own.installation, self.own.epoch, now, "main")
        self._bridge.network.call(self._bearer, lambda: self._bear(renewed), self._bridge.mine(lambda _: None))
        self._bridge.may_write_again()

    def _bear(self, renewed: product.SeenMark) -> None:
        self.borne = renewed
