"""The store itself, looked at now and then: who it is, whether the preconditions hold, whether it still tells us.

A webhook subscription that the vendor deleted is noticed here and restored; until then sweeps are the net.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

from storebridge.connectors.port import Connector, Finding, Precondition, StoreFacts, SubscriptionReport
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases, settle_by_proof
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.catalogue import Location
from storebridge.model.ids import ConnectionName
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.signals import Flow, SignalState
from storebridge.reconcile.locations import grouped_outside_default, record_locations, sells_from_several_groups
from storebridge.reconcile.sweep import ask_sweep
from storebridge.store.connections import note_promise, save_facts, was_looked_at
from storebridge.store.database import Store, Tx
from storebridge.store.deliveries import topics_received, was_ever_told
from storebridge.store.lanes import break_guarantee, set_writable
from storebridge.store.listings import has_sold_since
from storebridge.store.waiting import (
    Ask,
    ClaimedLook,
    answer_looks,
    ask_looks,
    close_signals,
    waiting_of_entities,
)
from storebridge.work.urgency import Urgency

REASON_OF_PRECONDITION = {
    Precondition.COUNTED_WHEN_PLACED: Reason.COUNTED_WHEN_PAID,
    Precondition.CATALOGUE_WRITABLE: Reason.CATALOGUE_READ_ONLY,
    Precondition.SCOPES_GRANTED: Reason.SCOPE_MISSING,
    Precondition.CLOCK_AGREES: Reason.CLOCK_SKEWED,
    Precondition.STAMPS_KEPT: Reason.STAMPS_NOT_KEPT,
}


SILENCE_DAYS = 7
"""A store whose subscriptions cannot be listed is taken to be silent when nothing came for so long."""


class LookAtStore:
    """Errand: probe the store, mend its subscriptions, record what was found."""

    rows_per_read = 1

    def __init__(
        self,
        terms: WorkspaceTerms,
        connector: Connector,
        store: Store,
        *,
        address: str | None,
        wake: Callable[[frozenset[ConnectionName]], None],
    ) -> None:
        """``address`` is where the store must deliver to; None when nothing listens (a one-off command)."""
        self._terms = terms
        self._connector = connector
        self._store = store
        self._address = address
        self._wake = wake

    async def __call__(self, looks: tuple[ClaimedLook, ...]) -> None:
        facts = await self._connector.probe()
        locations = await self._connector.list_locations()
        report = None if self._address is None else await self._connector.ensure_subscriptions(self._address)
        await self._store.run(self._commit, looks, facts, locations, report)
        self._wake(frozenset({self._connector.name}))

    def _commit(
        self,
        tx: Tx,
        looks: tuple[ClaimedLook, ...],
        facts: StoreFacts,
        locations: tuple[Location, ...],
        report: SubscriptionReport | None,
    ) -> None:
        workspace, name = self._terms.workspace, self._connector.name
        known = was_looked_at(tx, workspace, name)
        save_facts(tx, workspace, name, self._connector.kind, msgspec.to_builtins(facts), facts.can_write_stock)
        set_writable(tx, workspace, name, facts.can_write_stock)
        record_findings(tx, self._terms, name, facts.findings)
        record_locations(tx, self._terms, name, locations)
        outside: tuple[str, ...] = ()
        if self._connector.capabilities.sells_from_default_only:
            outside = grouped_outside_default(self._terms, name, locations)
        record_promise(tx, self._terms, name, facts.findings, locations, outside)
        if report is not None:
            self._record_subscriptions(tx, report, known=known)
        answer_looks(tx, workspace, name, looks)
        up_to = {look.key: look.number for look in looks}
        done = waiting_of_entities(tx, workspace, name, Flow.STORE, up_to)
        close_signals(tx, done, SignalState.CONFIRMED, "the store was looked at")
        again = tx.now + timedelta(seconds=self._terms.subscription_check_seconds)
        ask_looks(tx, workspace, name, [Ask("store", "all", int(Urgency.ORDERS), again)])

    def _record_subscriptions(self, tx: Tx, report: SubscriptionReport, *, known: bool) -> None:
        """``known``: the store was looked at before, so what is missing now was there. A first look that broke off
        half-way leaves some subscriptions behind, and nobody removed the others."""
        name = self._connector.name
        workspace = self._terms.workspace
        if report.restored:
            ask_sweep(tx, self._terms, name, everything=True)
        since = tx.now - timedelta(days=SILENCE_DAYS)
        arrives = topics_received(tx, workspace, name, since)
        if report.restored and known and (report.present or arrives):
            opening = CaseOpening(
                workspace=workspace,
                reason=Reason.SUBSCRIPTION_REMOVED,
                subject=name,
                connection=name,
                field="subscriptions",
                details={"topics": list(report.restored)},
            )
            raise_cases(tx, [opening])
        elif not report.manual:
            settle_by_proof(tx, workspace, [(Reason.SUBSCRIPTION_REMOVED, name, "every topic is subscribed")])
        missing = report.missing_kinds(arrives) if arrives else report.manual
        quiet = not has_sold_since(tx, workspace, name, since) and was_ever_told(tx, workspace, name)
        if missing and quiet:
            return  # a shop on holiday has nothing to tell, which says nothing of its subscriptions
        if missing:
            opening = CaseOpening(
                workspace=self._terms.workspace,
                reason=Reason.SUBSCRIPTION_MANUAL,
                subject=name,
                connection=name,
                field="subscriptions",
                details={"address": self._address or "", "topics": list(missing)},
            )
            raise_cases(tx, [opening])
        else:
            proof = f"deliveries arrive ({len(arrives)} topics)" if report.manual else "every topic is subscribed"
            settle_by_proof(tx, workspace, [(Reason.SUBSCRIPTION_MANUAL, name, proof)])


def record_promise(
    tx: Tx,
    terms: WorkspaceTerms,
    connection: ConnectionName,
    findings: tuple[Finding, ...],
    locations: tuple[Location, ...],
    outside: tuple[str, ...] = (),
) -> None:
    """What stands against the guarantee in the store as a whole is a case, and shown at every SKU.

    ``outside``: locations in a group from which the store's checkout does not sell.
    """
    several = sells_from_several_groups(terms, connection, locations)
    subject = (Reason.SELLS_FROM_SEVERAL_GROUPS, connection)
    if several:
        opening = CaseOpening(
            workspace=terms.workspace,
            reason=subject[0],
            subject=connection,
            connection=connection,
            field="locations",
            details={"groups": list(several)},
        )
        raise_cases(tx, [opening])
    else:
        settle_by_proof(tx, terms.workspace, [(*subject, "its online locations are in one group")])
    late = any(f.precondition is Precondition.COUNTED_WHEN_PLACED and not f.holds for f in findings)
    why_not = f"does not sell from {', '.join(outside)}, which is in a group" if outside else None
    why_not = "lowers stock only when an order is paid" if late else why_not
    why_not = "sells online from several groups of locations" if several else why_not
    note_promise(tx, terms.workspace, connection, why_not)
    if why_not:
        break_guarantee(tx, terms.workspace, f"{connection} {why_not}")


def record_findings(tx: Tx, terms: WorkspaceTerms, connection: ConnectionName, findings: tuple[Finding, ...]) -> None:
    """A precondition that does not hold is a case; one that holds again closes it."""
    raise_cases(
        tx,
        [
            CaseOpening(
                workspace=terms.workspace,
                reason=REASON_OF_PRECONDITION[finding.precondition],
                subject=connection,
                connection=connection,
                field=finding.precondition.value,
                details={"found": finding.detail},
            )
            for finding in findings
            if not finding.holds
        ],
    )
    settle_by_proof(
        tx,
        terms.workspace,
        [
            (REASON_OF_PRECONDITION[finding.precondition], connection, finding.detail)
            for finding in findings
            if finding.holds and finding.known
        ],
    )
