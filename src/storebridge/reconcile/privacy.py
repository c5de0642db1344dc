"""Requests of a vendor about a person: what is kept of a buyer is forgotten or told, and the audit holds a receipt.

Shopify's three compliance topics come here. They name a person, so the delivery itself is emptied once it is answered,
and the receipt says only how much was forgotten. Nothing of stock changes: goods, money and parcels name nobody.
"""

from __future__ import annotations

from storebridge.audit.record import AuditRow, append
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import Workspace
from storebridge.model.signals import SignalState
from storebridge.store.database import Tx
from storebridge.store.privacy import (
    PrivacyRequest,
    empty_deliveries_about,
    empty_delivery,
    empty_store,
    forget_buyers_of,
    forget_entities,
    orders_of_person,
    orders_with_buyers,
    waiting_privacy_requests,
)
from storebridge.store.waiting import close_signals

FORGET_BUYER = "customers/redact"
TELL_BUYER = "customers/data_request"
FORGET_STORE = "shop/redact"


def answer_privacy_request(tx: Tx, workspace: Workspace) -> bool:
    """Answer the oldest waiting request, or a part of it; False when none waits."""
    waiting = waiting_privacy_requests(tx, workspace)
    if not waiting:
        return False
    request = waiting[0]
    if request.topic == FORGET_STORE:
        _forget_store(tx, workspace, request)
    elif request.topic == FORGET_BUYER:
        _forget_buyer(tx, workspace, request)
    else:
        _tell_buyer(tx, workspace, request)
    return True


def _forget_buyer(tx: Tx, workspace: Workspace, request: PrivacyRequest) -> None:
    orders = orders_of_person(tx, workspace, request.connection, request.entities)
    forget_buyers_of(tx, workspace, [order.order_key for order in orders])
    emptied = empty_deliveries_about(tx, workspace, request.connection, request.entities)
    empty_delivery(tx, workspace, request.connection, request.delivery_id)
    _close(tx, workspace, request, {"orders": len(orders), "deliveries": emptied}, "what was kept is forgotten")
    forget_entities(tx, request.seqs)


def _forget_store(tx: Tx, workspace: Workspace, request: PrivacyRequest) -> None:
    """Some orders in each transaction; the request waits until none is left."""
    keys = orders_with_buyers(tx, workspace, request.connection)
    forget_buyers_of(tx, workspace, keys)
    if not keys:
        emptied = empty_store(tx, workspace, request.connection)
        _close(tx, workspace, request, {"deliveries": emptied}, "every buyer of the store is forgotten")


def _tell_buyer(tx: Tx, workspace: Workspace, request: PrivacyRequest) -> None:
    orders = orders_of_person(tx, workspace, request.connection, request.entities)
    opening = CaseOpening(
        workspace=workspace,
        reason=Reason.BUYER_ASKS_FOR_DATA,
        subject=f"{request.connection}/{request.delivery_id}",
        connection=request.connection,
        field="buyer",
        details={"orders": [order.name for order in orders] or "none", "delivery": request.delivery_id},
    )
    raise_cases(tx, [opening])
    _close(tx, workspace, request, {"orders": len(orders)}, "a case tells what to hand out")


def _close(tx: Tx, workspace: Workspace, request: PrivacyRequest, counts: dict[str, int], note: str) -> None:
    close_signals(tx, request.seqs, SignalState.CONFIRMED, note)
    row = AuditRow(
        workspace=workspace,
        kind="privacy_request",
        subject=f"{request.connection}/{request.delivery_id}",
        actor=request.connection,
        record={"topic": request.topic, **counts},
    )
    append(tx, [row])
