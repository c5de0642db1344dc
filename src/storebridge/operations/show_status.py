"""Status: both stores' health, backlog and its age, counts, speed, drift, and the verdict in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from storebridge.model.settings import WorkspaceTerms
from storebridge.model.signals import Stage
from storebridge.model.stock import Policy
from storebridge.observe.agreement import Totals, judge_all
from storebridge.observe.conservation import Conservation, account_for
from storebridge.observe.verdict import find_problems
from storebridge.operations.run_campaign import CampaignView, read_campaigns
from storebridge.store import views
from storebridge.store.database import Store, Tx
from storebridge.store.policies import lane_terms
from storebridge.store.views import BaselineState, Percentiles, StoreHealth
from storebridge.store.views_stock import list_pools

PROMISES = {
    Policy.MIRROR: (
        "Every store shows all that is left. A sale lowers the other store as soon as it is known; two shoppers "
        "who buy the last unit within that moment can oversell it."
    ),
    Policy.ESCROW: (
        "What is left is divided: each store shows its share, and no unit is shown twice. A sale lowers the other "
        "store only when shares are rebalanced."
    ),
    Policy.HYBRID: (
        "Each store shows what is left, less what the others could sell before that is known. A small pool is divided, "
        "and so is every pool while a store cannot be read; then no unit is shown twice."
    ),
}


class Backlog(msgspec.Struct, frozen=True):
    """What waits in one stage."""

    stage: str
    waiting: int
    oldest_age_seconds: float


class Traffic(msgspec.Struct, frozen=True):
    """What came in since the beginning."""

    deliveries: int
    duplicates: int
    refused: dict[str, int]
    orders: dict[str, int]
    units_sold: int


class Status(msgspec.Struct, frozen=True):
    """One workspace at one moment."""

    workspace: str
    at: datetime
    policy: str
    promise: str
    """The policy in plain words."""
    healthy: bool
    """Cases alone do not make a workspace unhealthy: they may wait for a person for days."""
    problems: list[str]
    """Sentences, worst first; empty when all is well."""
    campaigns: list[CampaignView]
    baseline: BaselineState | None
    stores: list[StoreHealth]
    backlog: list[Backlog]
    looks_waiting: int
    events: Conservation
    traffic: Traffic
    stock: Totals
    propagation_ms: Percentiles
    cases_open: dict[str, int]


async def show_status(store: Store, terms: WorkspaceTerms) -> Status:
    """How one workspace is. Raises StoreUnavailableError."""
    return await store.read(read_status, terms)


def read_status(tx: Tx, terms: WorkspaceTerms) -> Status:
    """The same, inside a transaction."""
    workspace = terms.workspace
    counted = views.counts(tx, workspace)
    stores = _with_silent(terms, views.store_healths(tx, workspace))
    cases_open = views.open_cases_by_reason(tx, workspace)
    totals = judge_all(list_pools(tx, workspace), lane_terms(tx, terms))
    events = account_for(counted.signals)
    baseline = views.last_baseline(tx, workspace)
    problems = find_problems(stores, totals, events, cases_open, baseline)
    return Status(
        workspace=workspace,
        at=tx.now,
        policy=terms.policy.value,
        promise=PROMISES.get(terms.policy, ""),
        healthy=not find_problems(stores, totals, events, {}, baseline),
        problems=problems,
        campaigns=read_campaigns(tx, terms),
        baseline=baseline,
        stores=stores,
        backlog=_backlog(tx, terms),
        looks_waiting=counted.looks_waiting,
        events=events,
        traffic=_traffic(counted),
        stock=totals,
        propagation_ms=percentiles(views.recent_spreads(tx, workspace)),
        cases_open=cases_open,
    )


def _traffic(counted: views.Counts) -> Traffic:
    return Traffic(counted.deliveries, counted.duplicates, counted.tallies, counted.orders, counted.units_sold)


def _with_silent(terms: WorkspaceTerms, known: Sequence[StoreHealth]) -> list[StoreHealth]:
    """A configured store that never answered is shown, too."""
    by_name = {health.connection: health for health in known}
    return [by_name.get(name) or _never_reached(name) for name in terms.connections]


def _never_reached(name: str) -> StoreHealth:
    return StoreHealth(
        connection=name,
        kind="",
        health="unknown",
        detail="",
        since=None,
        last_answer_at=None,
        can_write=False,
        account="",
        name="",
        budget_percent=None,
    )


def _backlog(tx: Tx, terms: WorkspaceTerms) -> list[Backlog]:
    """Every stage, in order, also where nothing waits."""
    waiting = {row.stage: row for row in views.backlog(tx, terms.workspace)}
    rows: list[Backlog] = []
    for stage in Stage:
        found = waiting.get(stage.value)
        oldest = None if found is None else found.oldest_at
        age = 0.0 if oldest is None else max(0.0, (tx.now - oldest).total_seconds())
        rows.append(Backlog(stage.value, 0 if found is None else found.waiting, round(age, 3)))
    return rows


def percentiles(milliseconds: Sequence[int]) -> Percentiles:
    """Nearest-rank percentiles of sorted values."""
    n = len(milliseconds)
    if n == 0:
        return Percentiles(0)

    def at(percent: int) -> int:
        return milliseconds[max(0, -(-n * percent // 100) - 1)]

    return Percentiles(n, at(50), at(95), at(99))
