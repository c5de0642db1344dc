"""Jobs of the site: what a call by filter started, and how far it came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from storebridge_sandbox.wix.identities import Guids


@dataclass(slots=True)
class JobItem:
    """One entity that a job worked on; ``code`` says why it failed, empty when it did not."""

    entity_id: str
    code: str = ""
    description: str = ""


@dataclass(slots=True)
class Job:
    """A job that has ended: the pretend site works on it before it answers."""

    id: str
    operation: str
    started_at: datetime
    items: list[JobItem] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(1 for item in self.items if item.code)


class Jobs:
    """All jobs, by id."""

    def __init__(self, now: Callable[[], datetime], new_id: Guids) -> None:
        self._now = now
        self._new_id = new_id
        self.jobs: dict[str, Job] = {}

    def start(self, operation: str) -> Job:
        job = Job(self._new_id(), operation, self._now())
        self.jobs[job.id] = job
        return job
