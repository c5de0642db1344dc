"""The courier: the one sender of a connection. All I/O with a store happens here.

It reads what looks ask for and sends what lanes have planned, as soon as a call slot and budget are free: no artificial
delay when idle, full batches under load. Every call is journaled before it goes on the wire; after a start or takeover
every unanswered call is in doubt: it goes out again, byte for byte, where its key or revision makes that safe.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from storebridge.clock import Clock, Ids
from storebridge.connectors.port import CallTrouble, Connector, EncodedCall
from storebridge.errors import StoreUnavailableError
from storebridge.model.ids import CallId, ConnectionName, Workspace
from storebridge.pipeline.deliver.answers import AnswerDesk
from storebridge.pipeline.deliver.batch import BatchSize
from storebridge.pipeline.deliver.diagnosis import counts_against_the_store
from storebridge.pipeline.deliver.jobs import WRITING_LOOKS, Desk, Idle, Job, Limits, Read, Send, next_job, take_desk
from storebridge.pipeline.deliver.reading import Errand, ReadingDesk
from storebridge.store.database import Store
from storebridge.store.leases import LostLease, release
from storebridge.telemetry.log import get_logger
from storebridge.work.retry import Breaker
from storebridge.work.wakes import Bell

LEASE_SECONDS = 30.0
PLENTY = 0.75
"""Free part of the budget from which on writes to orders take every free call slot at once, and orders that fill a read
are read before their beat; below, such writes go one after the other, so that stock never waits behind several of
them, and orders wait."""

log = get_logger("courier")


class Courier:
    """One connection's courier. ``run`` until cancelled; ``ring`` the bell when something was stored for it."""

    def __init__(
        self,
        workspace: Workspace,
        connector: Connector,
        *,
        owner: str,
        store: Store,
        clock: Clock,
        ids: Ids,
        bell: Bell,
        breaker: Breaker,
        answers: AnswerDesk,
        errands: dict[str, Errand],
        nap_seconds: float,
    ) -> None:
        self._workspace = workspace
        self._connector = connector
        self._owner = owner
        self._store = store
        self._clock = clock
        self._ids = ids
        self._bell = bell
        self._breaker = breaker
        self._answers = answers
        self._errands = errands
        self._reading_desk = ReadingDesk(connector, answers, errands)
        self._nap_seconds = nap_seconds
        self._batch = BatchSize(connector.capabilities.rows_per_write)
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: set[tuple[str, str]] = set()
        self._desk: Desk | None = None
        self._marked_since: datetime | None = None
        self._lease_until = 0.0
        self._unheard = True
        """The last call was not answered, or none was made."""

    @property
    def connection(self) -> ConnectionName:
        return self._connector.name

    def write_nothing_before_mark(self, since: datetime) -> None:
        """Wait with every write until a mark was compared after ``since`` (reconcile/mark.py)."""
        self._marked_since = since

    async def run(self) -> None:
        """Take the lease, then job after job. When cancelled: await what is on the wire, give the lease back."""
        try:
            while True:
                await self._work_once()
        finally:
            await self._drain()

    async def _work_once(self) -> None:
        desk = await self._lease()
        if desk is None:
            await self._nap(self._nap_seconds)
            return
        wait = self._must_wait_seconds()
        if wait > 0:
            await self._nap(wait)
            return
        try:
            job = await self._next(desk)
        except LostLease:
            self._desk = None
            return
        if isinstance(job, Idle):
            await self._nap(self._pause_seconds(job))
        elif isinstance(job, Read) and job.kind in WRITING_LOOKS:
            for look in job.looks:
                self._start(Read(job.kind, (look,)))
        else:
            self._start(job)

    async def _lease(self) -> Desk | None:
        now = self._clock.monotonic()
        if self._desk is not None and now < self._lease_until - LEASE_SECONDS / 2:
            return self._desk
        desk = await self._store.run(
            take_desk, self._workspace, self.connection, self._owner, LEASE_SECONDS, held=self._desk
        )
        if desk is not None:
            self._lease_until = now + LEASE_SECONDS
            if desk != self._desk:
                self._answers.forget()
        self._desk = desk
        return desk

    def _must_wait_seconds(self) -> float:
        if len(self._tasks) >= self._connector.capabilities.parallel_calls:
            return self._nap_seconds
        wait = self._breaker.wait_seconds(self._clock.monotonic())
        return max(wait, self._connector.budget.wait_seconds("", 1))

    async def _next(self, desk: Desk) -> Job:
        capabilities = self._connector.capabilities
        limits = Limits(
            rows_per_write=self._batch.rows,
            rows_per_read={
                "levels": capabilities.levels_per_read,
                **{kind: errand.rows_per_read for kind, errand in self._errands.items()},
                **dict.fromkeys(WRITING_LOOKS & self._errands.keys(), self._writes_at_once()),
            },
            may_write=capabilities.write_style != "none",
            in_flight_looks=frozenset(self._reading),
            marked_since=self._marked_since,
            plenty=self._connector.budget.ratio() >= PLENTY,
            reads_first=self._unheard and not capabilities.tells_lost_writes,
        )
        return await self._store.run(
            next_job,
            desk,
            limits,
            self._connector.encode_stock_call,
            CallId(self._ids.new("call")),
            self._ids.new("key"),
        )

    def _writes_at_once(self) -> int:
        """How many writes to orders may be picked together; each is sent alone."""
        free = self._connector.capabilities.parallel_calls - len(self._tasks)
        return free if self._connector.budget.ratio() >= PLENTY else 1

    def _pause_seconds(self, job: Idle) -> float:
        seconds = self._nap_seconds if job.pause is None else job.pause / timedelta(seconds=1)
        return min(seconds, self._nap_seconds)

    async def _nap(self, seconds: float) -> None:
        await self._bell.wait(seconds)

    def _start(self, job: Send | Read) -> None:
        if isinstance(job, Read):
            self._reading |= {(look.kind, look.key) for look in job.looks}
        self._breaker.begin(self._clock.monotonic())
        task = asyncio.get_running_loop().create_task(self._carry_out(job))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._bell.ring()
        if not task.cancelled() and task.exception() is not None:
            log.error("courier_job_failed", connection=self.connection, error=repr(task.exception()))

    async def _carry_out(self, job: Send | Read) -> None:
        if isinstance(job, Send):
            error = await self._try_to_send(job)
            if error is not None:
                await self._answers.unkept(job, error)
            if error is not None and not isinstance(error, StoreUnavailableError):
                await self._answers.failed(job.call.operation, error)
            return
        try:
            await self._guarded(
                lambda: self._reading_desk.read(job),
                lambda trouble: self._answers.unread(self.connection, job, trouble),
            )
        finally:
            self._reading -= {(look.kind, look.key) for look in job.looks}

    async def _try_to_send(self, job: Send) -> Exception | None:
        """What kept the outcome from being taken in, whatever it is: the call must not wait for an answer for ever."""
        try:
            if job.resent and not self._answers.may_send_again(job):
                self._breaker.tell_nothing()
                await self._answers.give_up(job)
            else:
                await self._guarded(lambda: self._send(job), lambda trouble: self._answers.troubled(job, trouble))
        except Exception as error:  # noqa: BLE001 - the caller gets it
            return error
        return None

    async def _guarded(
        self, act: Callable[[], Awaitable[None]], on_trouble: Callable[[CallTrouble], Awaitable[None]]
    ) -> None:
        begun = self._clock.monotonic()
        try:
            await act()
        except CallTrouble as trouble:
            if counts_against_the_store(trouble):
                self._unheard = True
                self._breaker.fail(self._clock.monotonic(), begun_seconds=begun)
            else:
                self._breaker.tell_nothing()
            self._batch.troubled(trouble)
            await on_trouble(trouble)
        except BaseException:
            self._breaker.tell_nothing()
            raise
        else:
            self._unheard = False
            self._breaker.succeed()
            await self._answers.well(self.connection)
        finally:
            await self._answers.note_drift()

    async def _send(self, job: Send) -> None:
        call = job.call
        answer = await self._connector.send_stock_call(
            EncodedCall(
                operation=call.operation,
                method=call.method,
                path=call.path,
                body=call.body,
                key=call.idempotency_key,
                intents=call.intents,
            )
        )
        self._batch.answered(answer.rows, refuses_all=self._connector.capabilities.one_stale_row_refuses_all)
        await self._answers.answered(job, answer)
        await self._answers.worked(call.operation)

    async def _drain(self) -> None:
        # First of all: when it runs again, every unanswered call is in doubt again. Cancelled while it waited for
        # one, it kept the desk, and a call that a restart of the database had cut off stayed open for ever.
        desk, self._desk = self._desk, None
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if desk is not None:
            with contextlib.suppress(LostLease):
                await self._store.run(release, self._workspace, desk.lease, desk.owner, desk.epoch)
