"""Work that Shopify does a moment after it answered: cancellations, and closing what is done."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, ClassVar, Literal

from storebridge_sandbox.sleeping import only_looking
from storebridge_sandbox.world import World

Work = Literal["cancel", "archive", "bundle"]


@dataclass(slots=True, eq=False)
class Job:
    """``Job`` of the Admin API; ``content`` is what the work needs to know."""

    graphql_type: ClassVar[str] = "Job"
    id: str
    work: Work
    due_at: datetime
    subject: Any
    content: dict[str, Any] = field(default_factory=dict)
    done: bool = False


class Jobs:
    """Carried out when their time has come, by one timer, which is set for the soonest."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._chance = Random(f"shopify-jobs-{seed}")
        self._timer: asyncio.Task[None] | None = None
        self._wakes_at: datetime | None = None
        self.waiting: list[Job] = []
        self.known: dict[str, Job] = {}
        self.workers: dict[str, Callable[[Job], None]] = {}

    def later(self, seconds: float, work: Work, subject: Any, content: dict[str, Any] | None = None) -> Job:
        """Ask for work; the answer to the caller goes out before it is done."""
        number = uuid.UUID(int=self._chance.getrandbits(128), version=4)
        due_at = self._world.now() + timedelta(seconds=seconds)
        job = Job(f"gid://shopify/Job/{number}", work, due_at, subject, content or {})
        self.waiting.append(job)
        if work == "cancel":
            self.known[job.id] = job
        if self._timer is not None and self._wakes_at is not None and due_at < self._wakes_at:
            self.stop()
        if self._timer is None:
            self._timer = self._world.spawn(self._wait())
        return job

    def under_way(self, work: Work, subject: Any) -> bool:
        return any(job.work == work and job.subject is subject for job in self.waiting)

    def catch_up(self) -> None:
        """Do what is due, in the order in which it falls due."""
        if not self.waiting:
            return
        now = self._world.now()
        for job in sorted((job for job in self.waiting if job.due_at <= now), key=lambda one: one.due_at):
            self._do(job)

    def at_once(self, job_id: str) -> None:
        """For a caller who does not get to see the job: it is done before the answer."""
        job = self.known[job_id]
        if job in self.waiting:
            self._do(job)

    def _do(self, job: Job) -> None:
        self.waiting.remove(job)
        with only_looking(yes=False):  # whatever it was that looked at the clock
            self.workers[job.work](job)
        job.done = True

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _wait(self) -> None:
        while self.waiting:
            self._wakes_at = min(job.due_at for job in self.waiting)
            await self._world.sleep(max(0.0, (self._wakes_at - self._world.now()).total_seconds()))
            self.catch_up()
        self._timer = None
