"""Whatever bytes arrive, the connector answers in its own words and never takes nonsense for success."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from shopify_answers import CLIENT_SECRET, SHOP, ScriptedWire, answer, app_settings, connect

from storebridge.connectors.port import CallTrouble, Remedy, RowOutcome, StockWrite
from storebridge.connectors.shopify.webhooks import NEEDED_TOPICS, ShopifyWebhooks
from storebridge.model.ids import IntentId, ItemId, LocationId

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2026-11-24T04:00:00-05:00", "0001-01-01T00:00:00+14:00"])
)


def objects(*names: str) -> st.SearchStrategy[Any]:
    """JSON whose objects have these keys, so that it comes close to what is expected."""

    def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=len(names))

    return st.recursive(LEAVES, around, max_leaves=12)


HOOK_BODIES = st.binary(max_size=60) | objects("id", "order_id", "inventory_item_id", "updated_at", "order_edit").map(
    lambda value: json.dumps(value).encode()
)
STOCK_NAMES = ("data", "stock", "userErrors", "errors", "message", "code", "field", "inventoryAdjustmentGroup", "id")
STOCK_ANSWERS = st.binary(max_size=60) | objects(*STOCK_NAMES).map(lambda value: json.dumps(value).encode())
ROWS = [
    StockWrite(
        IntentId(f"i{n}"), ItemId(f"gid://shopify/InventoryItem/{n}"), LocationId("gid://shopify/Location/7"), 5, 3
    )
    for n in (1, 2)
]


@settings(max_examples=400, derandomize=True, deadline=None)
@given(body=HOOK_BODIES, topic=st.sampled_from([*NEEDED_TOPICS, "carts/update", ""]))
def test_a_signed_delivery_has_hints_or_a_problem(body: bytes, topic: str) -> None:
    signature = base64.b64encode(hmac.new(CLIENT_SECRET.encode(), body, hashlib.sha256).digest()).decode()
    headers = {"x-shopify-topic": topic, "x-shopify-hmac-sha256": signature, "x-shopify-shop-domain": SHOP}
    found = ShopifyWebhooks(app_settings()).verify(headers, body)

    assert bool(found.hints) is not bool(found.problem)
    assert found.delivery_id == hashlib.sha256(body).hexdigest()


def all_done(body: bytes) -> bool:
    """Whether an answer says that the whole call was carried out."""
    stock = json.loads(body)["data"]["stock"]
    return isinstance(stock["userErrors"], list) and not stock["userErrors"]


@settings(max_examples=600, derandomize=True, deadline=None)
@given(body=STOCK_ANSWERS)
def test_an_answer_to_a_write_is_rows_or_trouble(body: bytes) -> None:
    wire = ScriptedWire()
    wire.on("inventorySetQuantities", answer(body))
    connector = connect(wire)
    call = connector.encode_stock_call(ROWS, "key-1", "call_1")
    try:
        given_rows = asyncio.run(connector.send_stock_call(call)).rows
    except CallTrouble as trouble:
        known = (Remedy.UNKNOWN_OUTCOME, Remedy.STOP, Remedy.SLOW_DOWN)
        found, applied = trouble.remedy in known, False
    else:
        found = [row.intent_id for row in given_rows] == ["i1", "i2"]
        applied = any(row.outcome is RowOutcome.APPLIED for row in given_rows)

    assert found
    assert not applied or all_done(body)
