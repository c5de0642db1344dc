"""Rows as the engine stores them, with everything that a test does not care about filled in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from builders.databases import NOON
from storebridge.model.ids import CallId, ConnectionName, IntentId, LaneKey, Workspace
from storebridge.model.signals import Flow, SignalState, Source, Stage
from storebridge.store.cases import NewCase
from storebridge.store.database import Tx
from storebridge.store.deliveries import NewDelivery
from storebridge.store.journal import JournaledCall
from storebridge.store.lanes import insert_draws, insert_pools, insert_positions
from storebridge.store.waiting import NewSignal

MAIN, OTHER = Workspace("main"), Workspace("other")
SHOPIFY, WIX = ConnectionName("shopify"), ConnectionName("wix")


def delivery(delivery_id: str, *, workspace: Workspace = MAIN, body: bytes = b"{}", at: datetime = NOON) -> NewDelivery:
    return NewDelivery(workspace, SHOPIFY, delivery_id, "inventory_levels/update", at, {"a": "b"}, body, "digest", "")


def case(reason: str = "oversold", subject: str = "A", *, workspace: Workspace = MAIN, **changes: Any) -> NewCase:
    values: dict[str, Any] = {
        "connection": SHOPIFY,
        "sku": "A",
        "lane": LaneKey("A@main"),
        "field": "goods",
        "sentence": "More was sold.",
        "payload": {"units short": 1},
        "whose_move": "merchant",
        **changes,
    }
    return NewCase(workspace=workspace, reason=reason, subject=subject, **values)


def signal(entity: str = "item-a", **changes: Any) -> NewSignal:
    values: dict[str, Any] = {
        "workspace": MAIN,
        "connection": SHOPIFY,
        "source": Source.WEBHOOK,
        "flow": Flow.STOCK,
        "stage": Stage.INGEST,
        "state": SignalState.WAITING,
        "stored_at": NOON,
        **changes,
    }
    return NewSignal(entity=entity, **values)


def intent(intent_id: str, *, due_at: datetime = NOON, **changes: Any) -> dict[str, Any]:
    return {
        "intent_id": intent_id,
        "workspace": MAIN,
        "lane": "A@main",
        "connection": SHOPIFY,
        "item_id": "item-a",
        "location_id": "loc",
        "kind": "level",
        "from_level": 5,
        "to_level": 4,
        "version": "7",
        "native_id": "native",
        "priority": 10,
        "state": "planned",
        "reason": "show_pool",
        "created_at": due_at,
        "due_at": due_at,
        **changes,
    }


def call(call_id: str, *intent_ids: str) -> JournaledCall:
    return JournaledCall(
        call_id=CallId(call_id),
        connection=SHOPIFY,
        operation="setQuantities",
        method="POST",
        path="/graphql",
        body=b"exact bytes",
        idempotency_key=f"key-{call_id}",
        intents=tuple(IntentId(name) for name in intent_ids),
        sends=0,
        first_sent_at=None,
        due_at=None,
    )


def add_lane(tx: Tx, sku: str = "A", *, goods: int = 10, workspace: Workspace = MAIN) -> LaneKey:
    """A pool with one counter in each store, all showing ``goods``."""
    pool_id = f"{sku}@main"
    insert_pools(
        tx,
        [
            {
                "workspace": workspace,
                "pool_id": pool_id,
                "lane": pool_id,
                "sku": sku,
                "location_group": "main",
                "goods": goods,
                "frozen": False,
            }
        ],
    )
    keys = [
        {"workspace": workspace, "connection": name, "item_id": f"item-{sku}", "location_id": "loc"}
        for name in (SHOPIFY, WIX)
    ]
    counted = {"lane": pool_id, "granted": goods, "level": goods, "opening": goods, "rank": 0, "version": "7"}
    insert_positions(tx, [{**key, **counted} for key in keys])
    insert_draws(tx, [{**key, "pool_id": pool_id, "weight": 1} for key in keys])
    return LaneKey(pool_id)
