"""The webhook outbox of a store: attempts, retries, and the log of every attempt.

A delivery keeps its original body and address through all retries. Attempts run apart from each other, so no
order is promised, as at both vendors.
"""

from __future__ import annotations

import asyncio
from collections import deque
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


class Outbox:
    """Delivers in the background; an exhausted delivery is handed to ``gave_up``."""

    def __init__(
        self,
        world: World,
        faults: FaultPlan,
        *,
        timeout_seconds: float,
        retry_delays_seconds: Sequence[float],
        gave_up: Callable[[Delivery], None],
        answered: Callable[[Delivery, bool], None] | None = None,
    ) -> None:
        self._world = world
        self._faults = faults
        self._timeout_seconds = timeout_seconds
        self._retry_delays_seconds = tuple(retry_delays_seconds)
        self._gave_up = gave_up
        self._answered = answered
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts: deque[Attempt] = deque(maxlen=KEPT)
        self.attempted = 0

    def send(self, delivery: Delivery) -> None:
        """Take a delivery on; returns at once. Loss, copies and delays are drawn here."""
        draw = self._faults.draw_webhook(delivery.topic)
        for delay in draw.delays_seconds:
            task = self._world.spawn(self._deliver(delivery, delay))
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

    async def _deliver(self, delivery: Delivery, delay_seconds: float) -> None:
        if delay_seconds:
            await self._world.sleep(delay_seconds)
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

    async def _attempt(self, delivery: Delivery, number: int) -> bool:
        headers, body = delivery.sign(number)
        began = self._world.now()
        status = await self._post(delivery.url, headers, body)
        self.attempted += 1
        self._attempts.append(Attempt(self.attempted, began, delivery.url, delivery.topic, headers, body, status))
        return status is not None and 200 <= status < 300

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
