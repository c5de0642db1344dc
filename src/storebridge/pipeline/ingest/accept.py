"""Ingest: check the signature over the raw bytes, store, answer. Nothing of the body is believed.

The vendor's retries carry the same delivery id and are counted, not accepted again. What cannot be stored is answered
503, so that the vendor keeps it; afterwards everything is swept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from storebridge.audit.record import AuditRow, append
from storebridge.connectors.port import BadSignature, VerifiedDelivery, Webhooks
from storebridge.errors import StoreUnavailableError
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.signals import Flow, SignalState, Source, Stage
from storebridge.store.database import Store, Tx
from storebridge.store.deliveries import NewDelivery, accept_deliveries
from storebridge.store.tallies import add_tally
from storebridge.store.waiting import NewSignal, insert_signals

KEPT_HEADERS = frozenset(
    {
        "content-type",
        "user-agent",
        "x-shopify-topic",
        "x-shopify-shop-domain",
        "x-shopify-api-version",
        "x-shopify-webhook-id",
        "x-shopify-event-id",
        "x-shopify-triggered-at",
        "x-shopify-name",
        "x-shopify-sub-topic",
    }
)
"""Headers worth keeping; signatures and cookies are not."""


class Acceptance(StrEnum):
    """What the vendor is told."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    FORGED = "forged"
    UNKNOWN_CONNECTION = "unknown_connection"
    UNSTORABLE = "unstorable"


class Arrival(msgspec.Struct, frozen=True):
    """A verified delivery on its way into the store."""

    workspace: Workspace
    connection: ConnectionName
    verified: VerifiedDelivery
    headers: dict[str, str]
    body: bytes


class Wake(Protocol):
    """Called after something was stored that another part is waiting for."""

    def __call__(self) -> None: ...


class Intake:
    """Accepts deliveries for every connection of every workspace."""

    def __init__(
        self,
        store: Store,
        webhooks: Mapping[tuple[Workspace, ConnectionName], Webhooks],
        *,
        on_stored: Wake,
        on_gap: Wake,
    ) -> None:
        """``on_stored`` wakes the dispatcher; ``on_gap`` asks for a sweep: when storing works again after it
        failed, and for a delivery that nobody can read."""
        self._store = store
        self._webhooks = webhooks
        self._on_stored = on_stored
        self._on_gap = on_gap
        self._gap = False

    def connection_names(self) -> set[tuple[Workspace, ConnectionName]]:
        return set(self._webhooks)

    async def accept(
        self, workspace: Workspace, connection: ConnectionName, headers: Mapping[str, str], body: bytes
    ) -> Acceptance:
        """Verify and store one delivery; the answer may be given once this returns."""
        webhooks = self._webhooks.get((workspace, connection))
        if webhooks is None:
            return Acceptance.UNKNOWN_CONNECTION
        try:
            verified = webhooks.verify(headers, body)
        except BadSignature:
            return await self._refuse(workspace, connection)
        kept = {name: value[:500] for name, value in headers.items() if name in KEPT_HEADERS}
        arrival = Arrival(workspace, connection, verified, kept, body)
        try:
            new = await self._store.run_batch(store_arrivals, arrival)
        except StoreUnavailableError:
            self._gap = True
            return Acceptance.UNSTORABLE
        if self._gap or (new and verified.problem):
            self._gap = False
            self._on_gap()
        if new:
            self._on_stored()
        return Acceptance.STORED if new else Acceptance.DUPLICATE

    async def count_oversized(self, workspace: Workspace, connection: ConnectionName) -> None:
        """A body longer than allowed was refused unread."""
        await self._count(workspace, connection, "deliveries_oversized")

    async def _refuse(self, workspace: Workspace, connection: ConnectionName) -> Acceptance:
        await self._count(workspace, connection, "deliveries_forged")
        return Acceptance.FORGED

    async def _count(self, workspace: Workspace, connection: ConnectionName, name: str) -> None:
        try:
            await self._store.run(add_tally, workspace, connection, name, 1)
        except StoreUnavailableError:
            self._gap = True


def store_arrivals(tx: Tx, arrivals: list[Arrival]) -> list[bool]:
    """Store deliveries that wait together; says for each whether it is new. One transaction for all of them."""
    new = accept_deliveries(tx, [_as_delivery(arrival, tx.now) for arrival in arrivals])
    fresh = [arrival for arrival, is_new in zip(arrivals, new, strict=True) if is_new]
    signals = [signal for arrival in fresh for signal in signals_of(arrival, tx.now)]
    insert_signals(tx, signals)
    _raise_unreadable(tx, [arrival for arrival in fresh if arrival.verified.problem])
    append(tx, [_as_audit(arrival) for arrival in fresh])
    return new


def signals_of(arrival: Arrival, now: datetime) -> list[NewSignal]:
    """One signal for each place to look; a delivery that points nowhere still leaves one, already closed."""
    verified = arrival.verified
    if not verified.hints:
        unreadable = bool(verified.problem)
        return [
            NewSignal(
                workspace=arrival.workspace,
                connection=arrival.connection,
                source=Source.WEBHOOK,
                flow=Flow.STORE,
                entity="store",
                topic=verified.topic,
                delivery_id=verified.delivery_id,
                stage=Stage.INGEST,
                state=SignalState.EXCEPTION if unreadable else SignalState.CONFIRMED,
                stored_at=now,
                closed_at=now,
                note=verified.problem or "nothing to look at for this topic",
            )
        ]
    return [
        NewSignal(
            workspace=arrival.workspace,
            connection=arrival.connection,
            source=Source.WEBHOOK,
            flow=hint.flow,
            entity=hint.entity,
            topic=verified.topic,
            delivery_id=verified.delivery_id,
            seen_version=hint.seen_version,
            ours=hint.ours,
            stage=Stage.INGEST,
            state=SignalState.WAITING,
            stored_at=now,
        )
        for hint in verified.hints
    ]


def _as_delivery(arrival: Arrival, now: datetime) -> NewDelivery:
    return NewDelivery(
        workspace=arrival.workspace,
        connection=arrival.connection,
        delivery_id=arrival.verified.delivery_id,
        topic=arrival.verified.topic,
        received_at=now,
        headers=arrival.headers,
        body=arrival.body,
        digest=hashlib.sha256(arrival.body).hexdigest(),
        problem=arrival.verified.problem,
    )


def _as_audit(arrival: Arrival) -> AuditRow:
    verified = arrival.verified
    return AuditRow(
        workspace=arrival.workspace,
        kind="signal",
        subject=f"{arrival.connection}/{verified.delivery_id}",
        actor=arrival.connection,
        record={
            "topic": verified.topic,
            "points_at": [[hint.flow, hint.entity] for hint in verified.hints],
            "problem": verified.problem,
        },
    )


def _raise_unreadable(tx: Tx, arrivals: Sequence[Arrival]) -> None:
    raise_cases(
        tx,
        [
            CaseOpening(
                workspace=arrival.workspace,
                reason=Reason.DELIVERY_UNREADABLE,
                subject=f"{arrival.connection}/{arrival.verified.topic}",
                connection=arrival.connection,
                field=arrival.verified.problem,
                details={"delivery": arrival.verified.delivery_id, "topic": arrival.verified.topic},
            )
            for arrival in arrivals
        ],
    )
