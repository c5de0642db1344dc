"""What a courier does with what came back: fold it into lanes by a turn, or note the trouble."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import timedelta

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.clock import Clock
from storebridge.connectors.drift import Drift
from storebridge.connectors.port import (
    Blame,
    CallAnswer,
    CallTrouble,
    Connector,
    Remedy,
    RowAnswer,
    RowOutcome,
)
from storebridge.errors import StoreUnavailableError
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.resolver import may_send_again
from storebridge.model.ids import ConnectionName, ItemId, Workspace
from storebridge.model.stock import LevelsRead
from storebridge.pipeline.deliver.diagnosis import MENDED_BY_AN_ANSWER, diagnose
from storebridge.pipeline.deliver.jobs import Read, Send
from storebridge.store.cases import open_subjects_of_reason
from storebridge.store.connections import note_health
from storebridge.store.database import Store, Tx
from storebridge.store.journal import close_call, hasten_calls, lanes_of_intents, postpone_call, replan_intents
from storebridge.store.waiting import Ask, ask_looks, delay_looks, hasten_looks
from storebridge.telemetry.log import get_logger, mask
from storebridge.work.retry import backoff_seconds
from storebridge.work.urgency import Urgency

log = get_logger("answers")

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)
"""How long a look waits that alone spoils a read."""
LONGEST_PAUSE_SECONDS = 30.0
"""Between two tries of a call or a read, where the store does not ask for more: as long as the circuit stays open."""
FIRST_LOOK = timedelta(seconds=1)
"""After an unanswered call its counters are read."""
KEEP_TRYING_SECONDS = 30.0
"""How long the end of a call is held in memory while the database is away."""


class FoldLevels(msgspec.Struct, frozen=True):
    """Hand levels to the lanes (the flow's ``ReadCameBack``)."""

    connection: ConnectionName
    read: LevelsRead
    job: Read


class FoldAnswer(msgspec.Struct, frozen=True):
    """Hand a call's answers to the lanes (the flow's ``CallWasAnswered``)."""

    connection: ConnectionName
    job: Send
    rows: tuple[RowAnswer, ...]


TakeTurn = Callable[[Tx, FoldLevels | FoldAnswer], frozenset[ConnectionName]]
"""The flow's lane turn; returns the connections whose courier has something to do."""


class AnswerDesk:
    """Stores what came back for one connection."""

    def __init__(
        self,
        workspace: Workspace,
        connector: Connector,
        *,
        store: Store,
        clock: Clock,
        chance: random.Random,
        take_turn: TakeTurn,
        wake: Callable[[frozenset[ConnectionName]], None],
    ) -> None:
        self._workspace = workspace
        self._connector = connector
        self._store = store
        self._clock = clock
        self._chance = chance
        self._take_turn = take_turn
        self._wake = wake
        self._health = ""
        self._failing: set[str] | None = None
        """What failed and did not succeed since; None: not looked up yet."""

    def forget(self) -> None:
        """Another worker may have written since we last held the connection: what we told it is no news to nobody."""
        self._health = ""
        self._failing = None

    @staticmethod
    def items_of(job: Read) -> tuple[ItemId, ...]:
        return tuple(ItemId(look.key) for look in job.looks)

    async def levels(self, connection: ConnectionName, job: Read, read: LevelsRead) -> None:
        """Levels came back."""
        self._wake(await self._store.run(self._take_turn, FoldLevels(connection, read, job)))

    async def answered(self, job: Send, answer: CallAnswer) -> None:
        """A call was answered row by row: close the journal and fold, in one transaction."""
        self._wake(await self._store.run(self._commit_answer, job, answer.rows, answer.status, answer.body))

    def _commit_answer(
        self, tx: Tx, job: Send, rows: tuple[RowAnswer, ...], status: int | None, body: bytes
    ) -> frozenset[ConnectionName]:
        close_call(tx, job.call.call_id, "answered", status=status, answer=body)
        append(tx, [self._audit(job, [[row.intent_id, row.outcome.value, row.code] for row in rows])])
        return self._take_turn(tx, FoldAnswer(self._connector.name, job, rows))

    def _audit(self, job: Send, rows: list[list[str]]) -> AuditRow:
        return AuditRow(
            workspace=self._workspace,
            kind="write_answered",
            subject=f"{self._connector.name}/{job.call.call_id}",
            actor=self._connector.name,
            record={"operation": job.call.operation, "sends": job.call.sends, "rows": rows},
        )

    async def troubled(self, job: Send, trouble: CallTrouble) -> None:
        """A call gave no usable answer: resend it later, take it back, or give its rows to a person."""
        if self._surely_unchanged(trouble) and not job.resent:
            if trouble.remedy is Remedy.STOP and len(job.call.intents) == 1:
                await self._refuse(job, trouble)
            else:
                await self._take_back(job, trouble)
        elif self.may_send_again(job):
            pause = self._pause(job.call.sends, trouble)
            await self._store.run(self._commit_postponed, job, pause, str(trouble))
        else:
            await self.give_up(job)
        await self._ill(trouble)

    def _commit_postponed(self, tx: Tx, job: Send, pause: timedelta, sentence: str) -> None:
        """Its counters are read meanwhile: a read that comes back tells that the store can be reached again, often
        long before the same bytes are due."""
        postpone_call(tx, job.call.call_id, pause, sentence)
        keys = {position.item_id for _, position in lanes_of_intents(tx, job.call.intents).values()}
        asks = [Ask("levels", item, int(Urgency.STOCK_READ), tx.now + FIRST_LOOK) for item in sorted(keys)]
        ask_looks(tx, self._workspace, self._connector.name, asks)

    @staticmethod
    def _surely_unchanged(trouble: CallTrouble) -> bool:
        return trouble.remedy is not Remedy.UNKNOWN_OUTCOME

    def may_send_again(self, job: Send) -> bool:
        """Whether these bytes, once sent, are safe to send again."""
        style = self._connector.style_of(job.call.operation)
        return may_send_again(style, job.call.first_sent_at, job.taken_at)

    def _pause(self, tries: int, trouble: CallTrouble) -> timedelta:
        pause = backoff_seconds(tries, self._chance, longest_seconds=LONGEST_PAUSE_SECONDS)
        return timedelta(seconds=max(pause, trouble.retry_after_seconds or 0.0))

    async def _take_back(self, job: Send, trouble: CallTrouble) -> None:
        """Nothing was changed: the rows wait again and may be replaced by a newer plan."""
        pause = self._pause(1, trouble)
        await self._store.run(self._commit_take_back, job, pause, str(trouble), trouble.status)

    def _commit_take_back(self, tx: Tx, job: Send, pause: timedelta, sentence: str, status: int | None) -> None:
        close_call(tx, job.call.call_id, "taken_back", status=status, answer=b"", trouble=sentence)
        replan_intents(tx, job.call.intents, pause)

    async def _refuse(self, job: Send, trouble: CallTrouble) -> None:
        """The one row of a call that the vendor will never accept; one that is turned away at the door says nothing of
        its rows."""
        if trouble.blame is not Blame.OURSELVES:
            await self._take_back(job, trouble)
            return
        rows = tuple(RowAnswer(intent, RowOutcome.REFUSED, trouble.code, str(trouble)) for intent in job.call.intents)
        self._wake(await self._store.run(self._commit_answer, job, rows, trouble.status, b""))

    async def give_up(self, job: Send) -> None:
        """Unanswered, and a resend could apply twice (no key, or one that is too old): its rows are in doubt."""
        rows = tuple(RowAnswer(intent, RowOutcome.UNCLEAR, "unanswered") for intent in job.call.intents)
        self._wake(await self._store.run(self._commit_answer, job, rows, None, b""))

    async def unkept(self, job: Send, error: Exception) -> None:
        """What became of a call could not be taken in, which is as good as no answer: the same bytes are due again.

        Without this the call would wait for an answer for ever, and its counters with it. Tried for a while; raises
        StoreUnavailableError when the database stays away: then the courier, begun anew, asks again.
        """
        give_up_at = self._clock.monotonic() + KEEP_TRYING_SECONDS
        for attempt in itertools.count(1):
            pause = backoff_seconds(attempt, self._chance)
            try:
                await self._store.run(postpone_call, job.call.call_id, timedelta(seconds=pause), str(error))
            except StoreUnavailableError:
                if self._clock.monotonic() + pause > give_up_at:
                    raise
                await self._clock.sleep(pause)
            else:
                return

    async def unread(self, connection: ConnectionName, job: Read, trouble: CallTrouble) -> None:
        """A read gave nothing: its looks still wait, a little later."""
        pause = self._pause(max(look.attempts for look in job.looks) + 1, trouble)
        await self._store.run(delay_looks, self._workspace, connection, job.looks, pause)
        await self._ill(trouble)

    async def set_aside(self, job: Read, spoiled: Exception, what: str) -> None:
        """Looks that cannot be taken in wait ever longer; a person is told, by a case of drift or by one of its own."""
        attempts = max(look.attempts for look in job.looks)
        pause = min(FIRST_WAIT * 4 ** min(attempts, 10), LONGEST_WAIT)
        await self._store.run(delay_looks, self._workspace, self._connector.name, job.looks, pause)
        if not isinstance(spoiled, CallTrouble):
            await self.failed(what, spoiled)

    async def failed(self, what: str, error: Exception) -> None:
        """Our own work failed in a way that nobody foresaw."""
        log.error("work_failed", connection=self._connector.name, what=what, error=repr(error))
        await self._store.run(self._commit_failed, what, error)
        self._failing = None

    def _commit_failed(self, tx: Tx, what: str, error: Exception) -> None:
        opening = CaseOpening(
            workspace=self._workspace,
            reason=Reason.WORK_FAILED,
            subject=f"{self._connector.name}/{what}",
            connection=self._connector.name,
            field=type(error).__name__,
            details={"error": str(mask("error", str(error)))[:500]},
        )
        raise_cases(tx, [opening])

    async def worked(self, *names: str) -> None:
        """Something was taken in: what failed about it before is mended."""
        if self._failing is None:
            found = await self._store.read(open_subjects_of_reason, self._workspace, Reason.WORK_FAILED.value)
            self._failing = {subject for subject in found if subject.startswith(f"{self._connector.name}/")}
        mended = self._failing.intersection(f"{self._connector.name}/{name}" for name in names)
        if mended:
            closings = [(Reason.WORK_FAILED, subject, "it succeeded") for subject in sorted(mended)]
            await self._store.run(settle_by_proof, self._workspace, closings)
            self._failing -= mended

    async def note_drift(self) -> None:
        """Answers that were not as promised become cases, one for each call and path."""
        drifts = self._connector.drift.take()
        if drifts:
            await self._store.run(self._commit_drift, drifts)

    def _commit_drift(self, tx: Tx, drifts: tuple[Drift, ...]) -> None:
        raise_cases(tx, [self._as_case(drift) for drift in drifts])

    def _as_case(self, drift: Drift) -> CaseOpening:
        return CaseOpening(
            workspace=self._workspace,
            reason=Reason.SCHEMA_DRIFT,
            subject=f"{self._connector.name}/{drift.operation} {drift.path}",
            connection=self._connector.name,
            field=drift.path,
            details={"call": drift.operation, "found": drift.told},
        )

    async def well(self, connection: ConnectionName) -> None:
        """The store answers; note it when that is news, and close what said otherwise."""
        if self._health != "ok":
            await self._store.run(self._commit_well, connection, self._health in ("", "down"))
            self._health = "ok"

    def _commit_well(self, tx: Tx, connection: ConnectionName, was_away: bool) -> None:
        """What waited because the store was away, ever longer, waits no more; one that asked us to slow down is given
        the time that it asked for."""
        note_health(tx, self._workspace, connection, "ok", "")
        if was_away:
            hasten_calls(tx, self._workspace, connection)
            hasten_looks(tx, self._workspace, connection)
        closings = [(reason, connection, "a call was answered") for reason in MENDED_BY_AN_ANSWER]
        settle_by_proof(tx, self._workspace, closings)

    async def _ill(self, trouble: CallTrouble) -> None:
        health, reason = diagnose(trouble)
        if health == self._health or not health:
            return
        await self._store.run(self._commit_ill, health, reason, str(trouble), trouble.code)
        self._health = health

    def _commit_ill(self, tx: Tx, health: str, reason: Reason | None, sentence: str, code: str) -> None:
        note_health(tx, self._workspace, self._connector.name, health, sentence)
        if reason is not None:
            opening = CaseOpening(
                workspace=self._workspace,
                reason=reason,
                subject=self._connector.name,
                connection=self._connector.name,
                field=code or "no word",
                details={"message": sentence[:500]},
            )
            raise_cases(tx, [opening])
