"""The exception queue, read: cases by filter, and one case with what can be done about it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from storebridge.errors import NotFoundError
from storebridge.exceptions_queue.reasons import Reason, catalogue_entry
from storebridge.model.ids import Workspace
from storebridge.operations.losing_orders import LosingOrder, losing_orders
from storebridge.operations.outcomes import moment_after
from storebridge.operations.settle_case import CHOICES, Choice
from storebridge.store import views, views_lists
from storebridge.store.cases import StoredCase, get_case
from storebridge.store.database import Store, Tx
from storebridge.store.views_lists import AuditEntry
from storebridge.store.whereabouts import list_whereabouts

HISTORY = 50


class CaseFilter(msgspec.Struct, frozen=True):
    """Which cases; None means any."""

    state: str | None = "open"
    reason: str | None = None
    sku: str | None = None
    connection: str | None = None
    whose_move: str | None = None


class CasePage(msgspec.Struct, frozen=True):
    """Some cases, newest first."""

    items: list[StoredCase]
    after: str | None


class Desk(msgspec.Struct, frozen=True):
    """The queue as a screen shows it: a page of it, and how many open cases there are of each reason."""

    page: CasePage
    open_of: dict[str, int]


class CaseView(msgspec.Struct, frozen=True):
    """A case, what closes it, and what a person can say about it."""

    case: StoredCase
    advice: str
    closes_when: str
    retried: bool
    choices: list[str]
    """Empty once the case is resolved."""
    history: list[AuditEntry]
    losers: list[LosingOrder] = []
    """Of an open ``oversold`` case the orders that cannot be met."""
    location: str = ""
    """What the store calls the location that it is about."""


async def list_cases(
    store: Store, workspace: Workspace, wanted: CaseFilter, *, after: str | None = None, limit: int = 100
) -> CasePage:
    """One page of cases."""
    return await store.read(_read_page, workspace, wanted, after, limit)


async def show_desk(
    store: Store, workspace: Workspace, wanted: CaseFilter, *, after: str | None = None, limit: int = 100
) -> Desk:
    """The queue as a screen shows it, in one look; counts are of the SKU that is wanted."""

    def look(tx: Tx) -> Desk:
        open_of = views.open_cases_by_reason(tx, workspace, sku=wanted.sku)
        return Desk(_read_page(tx, workspace, wanted, after, limit), open_of)

    return await store.read(look)


def _read_page(tx: Tx, workspace: Workspace, wanted: CaseFilter, after: str | None, limit: int) -> CasePage:
    found = views_lists.list_cases(
        tx, workspace, **msgspec.structs.asdict(wanted), before=split_after(after), limit=limit + 1
    )
    page = found[:limit]
    more = f"{page[-1].opened_at.isoformat()}/{page[-1].case_id}" if len(found) > limit else None
    return CasePage(page, more)


def split_after(after: str | None) -> tuple[datetime, str] | None:
    """``time/id`` of a page link; None when there is none. Raises OutOfRangeError."""
    if not after:
        return None
    time, _, last_id = after.partition("/")
    return moment_after(time, after), last_id


async def show_case(store: Store, workspace: Workspace, case_id: str) -> CaseView:
    """One case. Raises NotFoundError."""
    return await store.read(_read_case, workspace, case_id)


def _read_case(tx: Tx, workspace: Workspace, case_id: str) -> CaseView:
    case = get_case(tx, workspace, case_id)
    if case is None:
        raise NotFoundError(
            f"There is no case {case_id!r} in workspace {workspace!r}: storebridge exceptions list names those that "
            "are open."
        )
    reason = Reason(case.reason)
    entry = catalogue_entry(reason)
    choices = CHOICES.get(reason, {Choice.RETRY, Choice.DONE}) if case.state == "open" else set()
    subject = case.sku or case.subject
    return CaseView(
        case=case,
        advice=entry.advice,
        closes_when=entry.closes_when,
        retried=entry.retried,
        choices=sorted(choice.value for choice in choices),
        history=views_lists.list_audit(tx, workspace, subject=subject, limit=HISTORY),
        losers=losing_orders(tx, workspace, case) if choices and reason is Reason.OVERSOLD else [],
        location=_location_of(tx, workspace, case),
    )


def _location_of(tx: Tx, workspace: Workspace, case: StoredCase) -> str:
    found = (case.payload or {}).get("location")
    known = list_whereabouts(tx, workspace) if found else []
    return next((at.name for at in known if (at.connection, at.location_id) == (case.connection, found)), "")
