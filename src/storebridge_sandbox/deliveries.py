"""The webhook outbox of a store: attempts, retries, and the log of every attempt.

A delivery keeps its original body and address through all retries. Attempts run apart from each other, so no
order is promised, as at both vendors.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storebridge_sandbox.faults import FaultPlan
from storebridge_sandbox.schema_changes import reshape
from storebridge_sandbox.world import Unreachable, World, stamp

KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice to one address.

    ``sign(attempt)`` gives headers and body of an attempt (numbered from 0); most stores ignore the number.
    """

    topic: str
    url: str
    subscription_id: str
    sign: Callable[[int], tuple[Mapping[str, str], bytes]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt with its answer; ``status`` is None when none came."""

    n: int
    at: datetime
    url: str
    topic: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None


@dataclass(frozen=True, slots=True)
class _Copy:
    """One copy of the delivery that was taken on as the ``number``-th."""

    number: int
    delay_seconds: float
    again: bool
    held_back: bool


class Outbox:
    """Delivers in the background; an exhausted delivery is handed to ``gave_up``.

    Any status 2xx accepts a delivery, or ``only_200`` does.
    """

    def __init__(
        self,
        world: World,
        faults: FaultPlan,
        *,
        timeout_seconds: float,
        retry_delays_seconds: Sequence[float],
        gave_up: Callable[[Delivery], None],
        answered: Callable[[Delivery, bool], None] | None = None,
        only_200: bool = False,
    ) -> None:
        self._world = world
        self._faults = faults
        self._timeout_seconds = timeout_seconds
        self._retry_delays_seconds = tuple(retry_delays_seconds)
        self._gave_up = gave_up
        self._answered = answered
        self._accepted = range(200, 201 if only_200 else 300)
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts: deque[Attempt] = deque(maxlen=KEPT)
        self.attempted = 0
        self._taken_on = self._latest_gone = 0
        self.struck: Counter[str] = Counter()
        """How often each fault came about, by its setting: deliveries that were lost, second copies and late ones that
        set out, and those held back that a later delivery overtook."""

    def send(self, delivery: Delivery) -> None:
        """Take a delivery on; returns at once. Loss, copies and delays are drawn here."""
        draw = self._faults.draw_webhook(delivery.topic)
        self._taken_on += 1
        self.struck["webhook_loss"] += not draw.delays_seconds
        for number, (delay, held_back) in enumerate(zip(draw.delays_seconds, draw.held_back, strict=True)):
            copy = _Copy(self._taken_on, delay, number > 0, held_back)
            task = self._world.spawn(self._deliver(delivery, copy))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def reshape(self, topic: str, kind: str, body: bytes) -> bytes:
        """A payload about an entity of this kind as the vendor's present schema tells it, before it is signed."""
        changes = self._faults.schema_for(f"webhook:{topic}")
        return reshape(body, changes, kind) if changes else body

    @property
    def under_way(self) -> int:
        """Deliveries not yet accepted nor given up."""
        return len(self._tasks)

    def since(self, n: int) -> list[dict[str, Any]]:
        """Attempts numbered above ``n``, oldest first; an attempt is numbered when its answer is in."""
        return [_shown(attempt) for attempt in self._attempts if attempt.n > n]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _deliver(self, delivery: Delivery, copy: _Copy) -> None:
        if copy.delay_seconds:
            await self._world.sleep(copy.delay_seconds)
        self._note(copy)
        waits = (*self._retry_delays_seconds, None)
        for number, wait in enumerate(waits):
            accepted = await self._attempt(delivery, number)
            if self._answered is not None:
                self._answered(delivery, accepted)
            if accepted:
                return
            if wait is None:
                self._gave_up(delivery)
                return
            await self._world.sleep(wait)

    def _note(self, copy: _Copy) -> None:
        """A copy sets out: what its faults really did is known now."""
        self.struck["webhook_delay"] += copy.delay_seconds > 0
        self.struck["webhook_duplicate"] += copy.again
        self.struck["webhook_reorder"] += copy.held_back and copy.number < self._latest_gone
        self._latest_gone = max(self._latest_gone, copy.number)

    async def _attempt(self, delivery: Delivery, number: int) -> bool:
        headers, body = delivery.sign(number)
        began = self._world.now()
        status = await self._post(delivery.url, headers, body)
        self.attempted += 1
        self._attempts.append(Attempt(self.attempted, began, delivery.url, delivery.topic, headers, body, status))
        return status in self._accepted

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int | None:
        if self._faults.partitioned():
            await self._world.sleep(self._timeout_seconds)
            return None
        try:
            return await self._world.post(url, headers, body, self._timeout_seconds)
        except Unreachable:
            return None


def _shown(attempt: Attempt) -> dict[str, Any]:
    return {
        "n": attempt.n,
        "at": stamp(attempt.at),
        "url": attempt.url,
        "topic": attempt.topic,
        "headers": dict(attempt.headers),
        "body": attempt.body.decode("utf-8", "replace"),
        "status": attempt.status,
    }
