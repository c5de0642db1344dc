"""Reads for looks, and the search for the one look that spoils a read.

A read of many looks fails as a whole when one of them cannot be taken in: an answer that its contract does not fit, or
a fault of ours with one entity. Its parts are then read apart, by halves, until the culprit stands alone and is set
aside; the others go on. The search is bounded: where everything fails, halving would only burn the call budget.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from storebridge.connectors.port import SCHEMA_DRIFT, CallTrouble, Connector
from storebridge.errors import StoreUnavailableError
from storebridge.pipeline.deliver.answers import AnswerDesk
from storebridge.pipeline.deliver.jobs import Read
from storebridge.store.waiting import ClaimedLook

MOST_FAILURES = 16
"""Failed parts of one read before the rest is left for later; one culprit among 1,000 looks costs ten."""


class Errand(Protocol):
    """Work that is not about levels (orders, writes to them, catalogue, the store), done for looks that ask for it."""

    rows_per_read: int

    async def __call__(self, looks: tuple[ClaimedLook, ...]) -> None: ...


class ReadingDesk:
    """Carries out reads of one connection."""

    def __init__(self, connector: Connector, answers: AnswerDesk, errands: dict[str, Errand]) -> None:
        self._connector = connector
        self._answers = answers
        self._errands = errands

    async def read(self, job: Read) -> None:
        """Do a read. Raises CallTrouble when the store is in trouble; what only some looks cause stays with them."""
        parts, failures = [job], 0
        while parts:
            part = parts.pop(0)
            spoiled = await self._try(part)
            if spoiled is None:
                await self._answers.worked(*names_of(part))
                continue
            failures += 1
            if len(part.looks) == 1 or failures >= MOST_FAILURES:
                await self._set_aside(part, spoiled)
            else:
                parts[:0] = _halves(part)

    async def _try(self, job: Read) -> Exception | None:
        """What spoiled the read; None when it was taken in."""
        try:
            await self._act(job)()
        except StoreUnavailableError:
            raise
        except CallTrouble as trouble:
            if trouble.code != SCHEMA_DRIFT:
                raise
            return trouble
        except Exception as error:  # noqa: BLE001 - the caller gets it
            return error
        return None

    def _act(self, job: Read) -> Callable[[], Awaitable[None]]:
        return (lambda: self._levels(job)) if job.kind == "levels" else (lambda: self._errands[job.kind](job.looks))

    async def _levels(self, job: Read) -> None:
        read = await self._connector.read_levels(self._answers.items_of(job))
        await self._answers.levels(self._connector.name, job, read)

    async def _set_aside(self, job: Read, spoiled: Exception) -> None:
        names = names_of(job)
        await self._answers.set_aside(job, spoiled, names[1] if len(names) == 2 else names[0])


def names_of(job: Read) -> list[str]:
    """By what names cases speak of a read: its kind, and each entity."""
    return [job.kind, *(look.key for look in job.looks if look.key != "all")]


def _halves(job: Read) -> list[Read]:
    middle = len(job.looks) // 2
    return [Read(job.kind, looks) for looks in (job.looks[:middle], job.looks[middle:]) if looks]
