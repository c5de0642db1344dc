"""The desk that a checkout waits at: it asks, waits for the lowers to be confirmed, and answers in time, always.

A question is only looked at once its signature is good. 200 with what stands against it, or nothing · 401 not signed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.port import BadSignature, CheckoutGuard, UnreadableQuestion
from storebridge.errors import StoreUnavailableError
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.guard_health import FAILED
from storebridge.model.checkouts import GuardMode, Question, Shortage, Verdict
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.pipeline.checkout.questions import ALLOWED, Counter
from storebridge.store.database import Store, Tx
from storebridge.store.guards import guard_of, save_probes
from storebridge.store.tallies import add_tally
from storebridge.telemetry.log import get_logger
from storebridge.work.wakes import Gong

MOST_AT_ONCE = 200
"""More questions than this are not waited for: each holds a place in the database's queue."""
LOOK_SECONDS = 0.1
RESERVED = 0.15
"""The part of the time that is kept for the last transaction and the way back."""
CANNOT_TELL = Verdict((Shortage("", "your basket", None),))

log = get_logger("checkout")


PROBE = b"probe"
"""What the bridge's own probe sends; it is turned away like anything unsigned, once the database has answered."""
UNSIGNED = 401


class Reply(msgspec.Struct, frozen=True):
    """What is said to whoever asked."""

    status: int
    body: bytes


class CheckoutDesk:
    """One store's checkout."""

    def __init__(
        self,
        terms: WorkspaceTerms,
        connection: ConnectionName,
        guard: CheckoutGuard,
        counter: Counter,
        *,
        store: Store,
        clock: Clock,
        gong: Gong,
        wake: Callable[[frozenset[ConnectionName]], None],
    ) -> None:
        self._workspace: Workspace = terms.workspace
        self._connection = connection
        self.path = guard.path
        self._guard = guard
        self._counter = counter
        self._store = store
        self._clock = clock
        self._gong = gong
        self._wake = wake
        self._seconds = terms.guard.answer_within / timedelta(seconds=1)
        self._waiting = 0

    async def receive(self, body: bytes) -> Reply:
        """Answer one question, whatever it is."""
        try:
            verdict = await self.answer(self._guard.read(body))
        except BadSignature:
            return Reply(await self._turn_away(body), b"")
        except UnreadableQuestion as unreadable:
            verdict = await self.cannot_read(str(unreadable))
        return Reply(200, self._guard.write(verdict))

    async def _turn_away(self, body: bytes) -> int:
        if body == PROBE:
            return UNSIGNED if await self._knock() else 503
        await self._count_forged()
        return UNSIGNED

    async def answer(self, question: Question) -> Verdict:
        """What is said to the buyer, within the time that the settings allow. What cannot be known is refused."""
        if self._waiting >= MOST_AT_ONCE:
            return CANNOT_TELL
        self._waiting += 1
        try:
            return await self._answer(question, self._clock.monotonic() + self._seconds * (1 - RESERVED))
        except StoreUnavailableError as error:
            log.error("checkout_not_answered", connection=self._connection, error=str(error))
            return CANNOT_TELL
        finally:
            self._waiting -= 1

    async def _answer(self, question: Question, deadline: float) -> Verdict:
        step = await self._store.run(self._counter.ask, question)
        while step.verdict is None:
            if step.wake:
                self._wake(step.wake)
            left = deadline - self._clock.monotonic()
            if left <= 0:
                step = await self._store.run(self._counter.give_up, question)
                break
            await self._gong.wait(min(left, LOOK_SECONDS))
            step = await self._store.run(self._counter.ask, question)
        if step.wake:
            self._wake(step.wake)
        return step.verdict or CANNOT_TELL

    async def cannot_read(self, problem: str) -> Verdict:
        """A signed question of an unknown shape: a case says so. It is refused until shares hold, which is soon."""
        try:
            return await self._store.run(self._note_unreadable, problem)
        except StoreUnavailableError:
            return CANNOT_TELL

    def _note_unreadable(self, tx: Tx, problem: str) -> Verdict:
        guard = guard_of(tx, self._workspace, self._connection)
        opening = CaseOpening(
            workspace=self._workspace,
            reason=Reason.DELIVERY_UNREADABLE,
            subject=f"{self._connection}/checkout",
            connection=self._connection,
            field=problem,
            details={"topic": "checkout"},
        )
        raise_cases(tx, [opening])
        if guard is None or guard.mode == GuardMode.SHARES:
            return ALLOWED
        save_probes(tx, self._workspace, self._connection, [*guard.probes[1:], FAILED])
        return CANNOT_TELL

    async def _knock(self) -> bool:
        """The bridge's own probe: whether the database answers, by the way that a question takes."""
        if self._waiting >= MOST_AT_ONCE:
            return False
        self._waiting += 1
        try:
            await self._store.read(guard_of, self._workspace, self._connection)
        except StoreUnavailableError:
            return False
        else:
            return True
        finally:
            self._waiting -= 1

    async def _count_forged(self) -> None:
        """A question that nobody at the vendor signed."""
        try:
            await self._store.run(add_tally, self._workspace, self._connection, "checkouts_forged", 1)
        except StoreUnavailableError as error:
            log.error("tally_not_kept", connection=self._connection, error=str(error))
