"""Status: both stores' health, backlog and its age, counts, speed, drift, and the verdict in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from storebridge.model.checkouts import GuardMode
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.signals import Stage
from storebridge.model.stock import Policy
from storebridge.model.words import in_units
from storebridge.observe.agreement import Totals, judge_all
from storebridge.observe.conservation import Conservation, account_for
from storebridge.observe.verdict import find_problems
from storebridge.operations.backfill_orders import BackfillView, is_open, read_backfills
from storebridge.operations.run_campaign import CampaignView, read_campaigns
from storebridge.operations.tell_typed import read_typed
from storebridge.pipeline.checkout.questions import Outcome
from storebridge.reconcile.checkouts import guards_shown
from storebridge.store import views
from storebridge.store.database import Store, Tx
from storebridge.store.guards import StoredGuard
from storebridge.store.policies import terms_shown
from storebridge.store.typed import TypedRaise
from storebridge.store.views import BaselineState, Percentiles, StoreHealth
from storebridge.store.views_judged import pools_to_judge

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
    Policy.GUARDED: (
        "Every store shows all that is left, and a checkout that asks gets its units before it may go on: no unit is "
        "sold twice while every checkout of such a store asks and is answered."
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


class GuardView(msgspec.Struct, frozen=True):
    """The guard of one store's checkout."""

    connection: str
    mode: str
    """guarded | bounded | shares"""
    since: datetime
    why: str
    """Why it is not more than that."""
    slowest_probe_ms: int | None
    orders_past: int
    units_past: int
    """Units sold that the guard was not asked about, or could not answer for in time."""
    questions: dict[str, int]
    """allowed, refused, unanswered: what was said to checkouts since the beginning."""


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
    backfills: list[BackfillView]
    """Orders of the past that are being read."""
    typed: list[TypedRaise]
    """Raises of the last day that staff typed into a store where stores show shares, and that nobody counted since."""
    guards: list[GuardView]
    """Stores whose checkout is to ask before it sells."""
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
    shown = terms_shown(tx, terms)
    totals = judge_all(pools_to_judge(tx, workspace), shown)
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
        backfills=[one for one in read_backfills(tx, terms) if is_open(one)],
        typed=read_typed(tx, terms, shown),
        guards=[_as_guard(guard, counted.tallies) for guard in guards_shown(tx, terms)],
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
    refused = {name: count for name, count in counted.tallies.items() if name.startswith("deliveries_")}
    return Traffic(counted.deliveries, counted.duplicates, refused, counted.orders, counted.units_sold)


def _as_guard(guard: StoredGuard, tallies: Mapping[str, int]) -> GuardView:
    return GuardView(
        connection=guard.connection,
        mode=guard.mode,
        since=guard.since,
        why=guard.why,
        slowest_probe_ms=max(guard.probes, default=None),
        orders_past=guard.orders_past,
        units_past=guard.units_past,
        questions={outcome.value.removeprefix("checkouts_"): tallies.get(outcome.value, 0) for outcome in Outcome},
    )


def guard_line(guard: GuardView) -> str:
    """How a guard is, as a person reads it."""
    asked = guard.questions
    past = f" {in_units(guard.units_past)} in {guard.orders_past} orders went past it." if guard.orders_past else ""
    return (
        f"Checkout of {guard.connection}: {MEANT[guard.mode]}{f' ({guard.why})' if guard.why else ''}; "
        f"{asked['allowed']} allowed, {asked['refused']} refused, {asked['unanswered']} not held in time.{past}"
    )


MEANT = {
    GuardMode.GUARDED.value: "guarded",
    GuardMode.BOUNDED.value: "guarded in part, stores are kept apart as under hybrid",
    GuardMode.SHARES.value: "not guarded now, goods are divided as under escrow",
}


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
