"""``/async-jobs/v1/async-jobs``: what became of calls by filter.

The vendor's pages name two addresses for this (with and without ``/async-jobs``); both are served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.jobs.state import Job, JobItem, Jobs
from storebridge_sandbox.wix.wire import WixRefusal, application_error, wix_date

READ = "SCOPE.ASYNC_JOB.READ"
Entity = TypeVar("Entity")
BASES = ("/async-jobs/v1/async-jobs", "/v1/async-jobs")


class JobAnswers:
    """Answers about jobs."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def operations(self) -> list[Operation]:
        told: list[Operation] = []
        for base in BASES:
            told.append(Operation("getAsyncJob", ("GET",), base + "/{jobId}", self.get, READ))
            told.append(Operation("listAsyncJobItems", ("GET",), base + "/{jobId}/items", self.items, READ))
        return told

    def get(self, call: Call) -> dict[str, Any]:
        job = self._find(call)
        counters = {
            "itemsToProcess": len(job.items),
            "itemsSucceeded": len(job.items) - job.failed,
            "itemsFailed": job.failed,
        }
        at = wix_date(job.started_at)
        return {
            "job": {
                "id": job.id,
                "status": "FINISHED",
                "metadata": {"operation": job.operation},
                "counters": counters,
                "createdDate": at,
                "updatedDate": at,
            }
        }

    def items(self, call: Call) -> dict[str, Any]:
        job = self._find(call)
        return {
            "items": [_item(job, item) for item in job.items],
            "pagingMetadata": {"count": len(job.items), "cursors": {}, "hasNext": False},
        }

    def _find(self, call: Call) -> Job:
        job = self._jobs.jobs.get(call.params["jobId"])
        if job is None:
            raise application_error(404, "NOT_FOUND", f"Job {call.params['jobId']!r} was not found")
        return job


def _item(job: Job, item: JobItem) -> dict[str, Any]:
    told: dict[str, Any] = {"id": item.entity_id, "jobId": job.id, "success": not item.code}
    if item.code:
        told["error"] = {"code": item.code, "description": item.description}
    return told


def work_through(
    jobs: Jobs,
    operation: str,
    entities: Iterable[tuple[str, Entity]],
    apply: Callable[[Entity], object],
) -> dict[str, Any]:
    """Do to each entity what the call asks; what one refuses is told in the job, not in the answer."""
    job = jobs.start(operation)
    for entity_id, entity in entities:
        try:
            apply(entity)
        except WixRefusal as refusal:
            error = refusal.told_in_bulk()
            job.items.append(JobItem(entity_id, error["code"], error["description"]))
        else:
            job.items.append(JobItem(entity_id))
    return {"jobId": job.id}
