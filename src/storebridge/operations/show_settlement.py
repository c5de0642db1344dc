"""The statement of a day: as the books are now, as a version that was kept, or several days."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from storebridge.errors import ConfigurationError, NotFoundError
from storebridge.flows.settlement import statement_of
from storebridge.model.days import day_of
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.settlement import Agreement, Difference, Figures, KeptStatement, StatementState
from storebridge.operations.list_orders import refuse_unkept
from storebridge.reconcile.settlement import facts_of
from storebridge.store.database import Store, Tx
from storebridge.store.settlements import digest_of, list_heads, load_version, newest_head

MOST_DAYS = 92
"""Days that are shown at once: a quarter."""

MOST_VERSIONS = 1_000_000
"""Of a day; a number that no database holds names none."""


class StatementSummary(msgspec.Struct, frozen=True):
    """The newest version of a day, without its lines."""

    day: date
    version: int
    made_at: datetime
    digest: str
    state: StatementState
    figures: tuple[Figures, ...]
    agreements: tuple[Agreement, ...]
    differences: tuple[Difference, ...]


class SettlementPage(msgspec.Struct, frozen=True):
    """Some days, the newest first."""

    items: list[StatementSummary]
    after: str | None


async def show_settlement(
    store: Store, terms: WorkspaceTerms, day: date, *, version: int | None = None
) -> KeptStatement:
    """The statement of a day. Without ``version`` as the books are now; it bears the number of the last version that
    was kept when it says the same, else 0. Raises NotFoundError (no such version), ConfigurationError (orders are not
    kept)."""
    refuse_unkept(terms)
    return await store.read(_show, terms, day, version)


async def show_settlements(store: Store, terms: WorkspaceTerms, first: date, last: date) -> list[KeptStatement]:
    """Every day of a stretch, as the books are now. Raises ConfigurationError."""
    refuse_unkept(terms)
    days = (last - first).days + 1
    if not 1 <= days <= MOST_DAYS:
        raise ConfigurationError(f"Name from one day to {MOST_DAYS}, the first before the last: {first} to {last}.")
    return [await store.read(_show, terms, first + timedelta(days=number), None) for number in range(days)]


async def list_settlements(
    store: Store, terms: WorkspaceTerms, *, after: str | None = None, limit: int = 100
) -> SettlementPage:
    """Days that have a statement, the newest version of each. Raises ConfigurationError."""
    refuse_unkept(terms)
    before = None if after is None else day_named(after)
    return await store.read(_page, terms, before, limit)


def day_named(word: str) -> date:
    """A day as people write it for machines: ``2026-11-25``. Raises ConfigurationError."""
    try:
        day = date.fromisoformat(word)
    except ValueError:
        day = date.min
    if not 2000 <= day.year < 3000:
        raise ConfigurationError(f"{word[:40]!r} is no day: write it as 2026-11-25.")
    return day


def yesterday(now: datetime, terms: WorkspaceTerms) -> date:
    """The last day that is over."""
    return day_of(now, terms.time_zone) - timedelta(days=1)


def _show(tx: Tx, terms: WorkspaceTerms, day: date, version: int | None) -> KeptStatement:
    if version is not None:
        kept = load_version(tx, terms.workspace, day, version) if version <= MOST_VERSIONS else None
        if kept is None:
            raise NotFoundError(f"There is no version {version} of the statement of {day}.")
        return kept
    statement = statement_of(facts_of(tx, terms, day))
    digest, last = digest_of(statement), newest_head(tx, terms.workspace, day)
    if last is not None and last.digest == digest:
        return KeptStatement(last.version, last.made_at, digest, statement)
    return KeptStatement(0, tx.now, digest, statement)


def _page(tx: Tx, terms: WorkspaceTerms, before: date | None, limit: int) -> SettlementPage:
    found = list_heads(tx, terms.workspace, before=before, limit=limit + 1)
    items = [
        StatementSummary(
            day=one.statement.day,
            version=one.version,
            made_at=one.made_at,
            digest=one.digest,
            state=one.statement.state,
            figures=one.statement.figures,
            agreements=one.statement.agreements,
            differences=one.statement.differences,
        )
        for one in found[:limit]
    ]
    return SettlementPage(items, items[-1].day.isoformat() if len(found) > limit else None)
