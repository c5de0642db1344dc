"""Who keeps this store in step: a mark in the store is compared before anything is written, every minute while
something happens, and once an hour while nothing does.

The mark names our installation and an epoch that the database stores before the store gets it. A mark of ours with a
higher epoch than the database knows means that the database is an old copy: rights, writes and orders of later are
missing from it. A mark of another installation means a second bridge. In both cases nothing is written any more until a
person signs a new baseline off (docs/decisions/marks.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from storebridge.clock import Ids
from storebridge.connectors.port import Blame, CallTrouble, Connector, Remedy, StoreMark
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.store.audit import newest_audit_at
from storebridge.store.database import Store, Tx
from storebridge.store.marks import Mark, ensure_mark, load_mark, note_ours, note_trouble
from storebridge.store.views import last_baseline
from storebridge.store.waiting import Ask, ClaimedLook, answer_looks, ask_looks
from storebridge.work.urgency import Urgency

MARK_LOOK = "mark"
EVERY = timedelta(minutes=1)
RESTING = timedelta(hours=1)
"""Between renewals while nothing happens: a copy of the database from then is as good as the database."""
ABANDONED = timedelta(days=1)
"""A mark of another installation that was not renewed for so long belongs to a bridge that is no more."""
REASON_OF = {"restored": Reason.DATABASE_RESTORED, "foreign": Reason.STORE_CLAIMED}


class SeenMark(msgspec.Struct, frozen=True):
    """What the store bears."""

    installation: str
    epoch: int
    at: datetime
    workspace: str = ""


class KeepMark:
    """Errand: compare the mark, then renew it."""

    rows_per_read = 1

    def __init__(
        self,
        terms: WorkspaceTerms,
        connector: Connector,
        mark: StoreMark,
        store: Store,
        ids: Ids,
        wake: Callable[[frozenset[ConnectionName]], None],
    ) -> None:
        self._terms = terms
        self._connector = connector
        self._mark = mark
        self._store = store
        self._ids = ids
        self._wake = wake

    async def __call__(self, looks: tuple[ClaimedLook, ...]) -> None:
        try:
            seen = _parsed(await self._mark.read())
            text = await self._store.run(self._compare, seen)
            if text is not None:
                await self._mark.write(text)
        except CallTrouble as trouble:
            if not _is_about_the_mark(trouble):
                raise
            await self._store.run(self._go_without, trouble)
        await self._store.run(self._again, looks)
        self._wake(frozenset(self._terms.connections))

    def _compare(self, tx: Tx, seen: SeenMark | None) -> str | None:
        """The mark to write; None while nothing may be written."""
        workspace = self._terms.workspace
        mine = ensure_mark(tx, workspace, self._ids.new("bridge"))
        state = state_of(mine, seen, tx.now)
        if state != "ours":
            assert seen is not None
            note_trouble(tx, workspace, state, msgspec.json.encode(seen).decode())
            raise_cases(tx, [self._case(state, mine, seen)] if mine.state == "ours" else [])
            return None
        epoch = note_ours(tx, workspace)
        settle_by_proof(tx, workspace, [(Reason.MARK_NOT_KEPT, self._connector.name, "the mark was read")])
        return msgspec.json.encode(SeenMark(mine.installation, epoch, tx.now, workspace)).decode()

    def _case(self, state: str, mine: Mark, seen: SeenMark) -> CaseOpening:
        return CaseOpening(
            workspace=self._terms.workspace,
            reason=REASON_OF[state],
            subject=self._connector.name,
            connection=self._connector.name,
            field="mark",
            details={
                "marked by": seen.installation,
                "at": f"{seen.at:%Y-%m-%d %H:%M:%S} UTC",
                "mark": seen.epoch,
                "we are": mine.installation,
                "our last": mine.epoch,
            },
        )

    def _go_without(self, tx: Tx, trouble: CallTrouble) -> None:
        """The store will not keep a mark: stock goes on, and a person hears that two dangers are not watched."""
        ensure_mark(tx, self._terms.workspace, self._ids.new("bridge"))
        note_ours(tx, self._terms.workspace)
        name = self._connector.name
        opening = CaseOpening(
            workspace=self._terms.workspace,
            reason=Reason.MARK_NOT_KEPT,
            subject=name,
            connection=name,
            field="mark",
            details={"message": str(trouble)[:500]},
        )
        raise_cases(tx, [opening])

    def _again(self, tx: Tx, looks: tuple[ClaimedLook, ...]) -> None:
        name, workspace = self._connector.name, self._terms.workspace
        answer_looks(tx, workspace, name, looks)
        ask_looks(tx, workspace, name, [Ask(MARK_LOOK, "all", int(Urgency.ORDERS), tx.now + RESTING)])


def ask_for_marks(tx: Tx, workspace: Workspace, bearers: Sequence[ConnectionName]) -> datetime:
    """A process starts: have the marks compared at once; returns the moment after which that counts."""
    for name in bearers:
        ask_looks(tx, workspace, name, [Ask(MARK_LOOK, "all", int(Urgency.STOCK_LOWER), tx.now)])
    return tx.now


def renew_marks(tx: Tx, workspace: Workspace, bearers: Sequence[ConnectionName]) -> frozenset[ConnectionName]:
    """Have marks renewed that are a minute old and older than the newest line of the audit log; says whose."""
    mark = load_mark(tx, workspace)
    if mark is None or mark.compared_at is None or tx.now - mark.compared_at < EVERY:
        return frozenset()
    newest = newest_audit_at(tx, workspace)
    if newest is None or newest <= mark.compared_at:
        return frozenset()
    for name in bearers:
        ask_looks(tx, workspace, name, [Ask(MARK_LOOK, "all", int(Urgency.ORDERS), tx.now)])
    return frozenset(bearers)


def may_take_in(tx: Tx, workspace: Workspace, by_itself: bool) -> bool:
    """Whether new SKUs may be taken in by themselves: a baseline was signed off, or needs nobody (``by_itself``), and
    no disaster waits for a person."""
    mark = load_mark(tx, workspace)
    agreed = by_itself or last_baseline(tx, workspace) is not None
    return agreed and (mark is None or mark.state == "ours")


def state_of(mine: Mark, seen: SeenMark | None, now: datetime) -> str:
    """What the mark in the store says about us; pure. Once in trouble, only a person ends it."""
    if mine.state != "ours":
        return mine.state if seen is not None else "ours"
    if seen is None:
        return "ours"
    if seen.installation == mine.installation:
        return "restored" if seen.epoch > mine.epoch else "ours"
    accepted = _parsed(mine.seen)
    is_known = accepted is not None and (accepted.installation, accepted.epoch) == (seen.installation, seen.epoch)
    return "ours" if is_known or now - seen.at > ABANDONED else "foreign"


def _is_about_the_mark(trouble: CallTrouble) -> bool:
    """The shop answered, and will not keep this one thing; a shop that takes no calls at all is another matter."""
    answered = trouble.status in (None, 200) and trouble.code != "SHOP_INACTIVE"
    return answered and trouble.remedy is Remedy.STOP and trouble.blame is not Blame.CREDENTIALS


def epoch_of(text: str) -> int:
    """The epoch of a mark as it was found; 0 when it is none."""
    seen = _parsed(text)
    return 0 if seen is None else seen.epoch


def _parsed(text: str | None) -> SeenMark | None:
    """None for a shop without a mark, and for one that nobody can read."""
    try:
        return None if text is None else msgspec.json.decode(text, type=SeenMark)
    except msgspec.MsgspecError:
        return None
