"""Around the guard of a checkout: orders end what their purchases hold; the guard is watched before buyers notice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from storebridge.audit.record import AuditRow, append
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.inventory.guard_health import KEPT_PROBES, GuardFacts, judge_guard
from storebridge.inventory.reservations import UNEXPLAINED
from storebridge.model.checkouts import TAKES_HOLD, GuardMode
from storebridge.model.ids import ConnectionName, OrderId, Workspace
from storebridge.model.orders import OrderFacts
from storebridge.model.settings import WorkspaceTerms
from storebridge.reconcile.campaigns import plan_anew
from storebridge.store.database import Tx
from storebridge.store.guards import StoredGuard, begin_guard, guard_of, guards_of, note_past, save_mode, save_probes
from storebridge.store.policies import guarded_skus
from storebridge.store.reservations import (
    Placed,
    forget_over,
    items_due,
    items_holding,
    mark_past,
    order_placed,
    orders_past,
)
from storebridge.store.views import store_healths
from storebridge.store.waiting import Ask, ask_looks
from storebridge.work.urgency import Urgency

UNREACHABLE = {"down": "does not answer", "unauthorized": "refuses our credentials", "read_only": "cannot be written"}
AWAY = timedelta(seconds=20)
"""A store that answers nothing for so long is not only slow."""
SETTLING = timedelta(minutes=3)
"""A checkout that was opened before the guard was relied on may be placed shortly after."""
READ_LATELY = timedelta(minutes=15)
KEPT_FOR = timedelta(days=7)
SPEAKS_FOR = timedelta(days=6)
"""An older order does not say whether it went past the guard: what its checkout held may be forgotten. Each that was
sent or refunded after a week, and so was read again, ended the guard's promise for a day."""


def note_placed(tx: Tx, workspace: Workspace, connection: ConnectionName, facts: Iterable[OrderFacts]) -> int:
    """Orders are known: what their purchases hold ends with the next reading; returns how many counters to read."""
    placed = [
        Placed(fact.purchase_flow, fact.order_id, fact.created_at) for fact in facts if fact.purchase_flow is not None
    ]
    if not placed or guard_of(tx, workspace, connection) is None:
        return 0
    flows = order_placed(tx, workspace, placed)
    items = items_holding(tx, workspace, flows).get(connection, set())
    ask_looks(tx, workspace, connection, [Ask("levels", i, int(Urgency.STOCK_READ), tx.now) for i in sorted(items)])
    return len(items)


def watch_guard(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, probe_ms: int) -> frozenset[ConnectionName]:
    """Take in a probe, judge the guard anew, and have everything planned again when what it means has changed."""
    workspace = terms.workspace
    begin_guard(tx, workspace, connection, "the store's checkout has not asked yet")
    guard = guard_of(tx, workspace, connection)
    assert guard is not None
    probes = [*guard.probes, probe_ms][-KEPT_PROBES:]
    save_probes(tx, workspace, connection, probes)
    if _note_past(tx, terms, guard):
        guard = guard_of(tx, workspace, connection) or guard
    facts = GuardFacts(
        GuardMode(guard.mode), guard.proven_at, guard.past_at, probes, _unreachable(tx, terms, connection)
    )
    mode, why = judge_guard(facts, terms.guard, tx.now)
    _tell(tx, workspace, guard, mode, why)
    forget_over(tx, workspace, tx.now - KEPT_FOR)
    wake = _ask_due(tx, workspace)
    if mode == guard.mode:
        return wake
    save_mode(tx, workspace, connection, mode, why)
    record = {"from": guard.mode, "to": mode.value, "why": why}
    append(tx, [AuditRow(workspace=workspace, kind="guard", subject=connection, actor="storebridge", record=record)])
    later = tx.now + TAKES_HOLD if mode is GuardMode.GUARDED else tx.now
    return wake | plan_anew(tx, workspace, guarded_skus(tx, terms), due_at=later)


def _unreachable(tx: Tx, terms: WorkspaceTerms, guarded: ConnectionName) -> str | None:
    """A store that would have to be lowered and cannot be. One that missed a call may answer the next: until then
    baskets are refused one by one, which is less than dividing everything."""
    for health in store_healths(tx, terms.workspace):
        if health.connection in terms.guarded_stores or health.health not in UNREACHABLE:
            continue
        if health.health != "down" or health.since is None or tx.now - health.since >= AWAY:
            return f"{health.connection} {UNREACHABLE[health.health]}, so nothing can be held for {guarded}"
    return None


def _note_past(tx: Tx, terms: WorkspaceTerms, guard: StoredGuard) -> bool:
    """Orders that took guarded goods while the guard was relied on, and that nothing was held for."""
    if guard.mode != GuardMode.GUARDED:
        return False
    guarded = set(guarded_skus(tx, terms))
    units: defaultdict[OrderId, int] = defaultdict(int)
    since = max(guard.since + SETTLING, tx.now - SPEAKS_FOR)
    for order_id, sku, sold in orders_past(
        tx, terms.workspace, guard.connection, created_after=since, read_after=tx.now - READ_LATELY
    ):
        if sku in guarded:
            units[order_id] += sold
    if not units:
        return False
    mark_past(tx, terms.workspace, guard.connection, sorted(units))
    note_past(tx, terms.workspace, guard.connection, len(units), sum(units.values()))
    opening = CaseOpening(
        workspace=terms.workspace,
        reason=Reason.CHECKOUT_BYPASSED,
        subject=guard.connection,
        connection=guard.connection,
        details={"orders": sorted(units)[:20], "units": sum(units.values())},
    )
    raise_cases(tx, [opening])
    return True


def _tell(tx: Tx, workspace: Workspace, guard: StoredGuard, mode: GuardMode, why: str) -> None:
    """A guard that is not relied on is a case; one that is closes it."""
    if mode is GuardMode.SHARES and (guard.mode != mode or guard.why != why or guard.probed_at is None):
        opening = CaseOpening(
            workspace=workspace,
            reason=Reason.CHECKOUT_UNGUARDED,
            subject=guard.connection,
            connection=guard.connection,
            details={"why": why},
        )
        raise_cases(tx, [opening])
    if mode is not GuardMode.SHARES and guard.mode == GuardMode.SHARES:
        settle_by_proof(
            tx, workspace, [(Reason.CHECKOUT_UNGUARDED, guard.connection, "its probes are answered in time")]
        )
    if mode is GuardMode.GUARDED and guard.mode != mode:
        settle_by_proof(
            tx, workspace, [(Reason.CHECKOUT_BYPASSED, guard.connection, "no order went past it for a day")]
        )


def _ask_due(tx: Tx, workspace: Workspace) -> frozenset[ConnectionName]:
    """Have the counters read whose reading ends a hold."""
    found = items_due(tx, workspace, free_before=tx.now, seen_before=tx.now - UNEXPLAINED)
    for connection, items in found.items():
        asks = [Ask("levels", item, int(Urgency.STOCK_READ), tx.now) for item in sorted(items)]
        ask_looks(tx, workspace, connection, asks)
    return frozenset(found)


def guards_shown(tx: Tx, terms: WorkspaceTerms) -> list[StoredGuard]:
    """The guards that this workspace relies on, for people."""
    return [guard for guard in guards_of(tx, terms.workspace) if guard.connection in terms.guarded_stores]
