"""The stock write of a Catalog V1 site: a difference, without key, revision or answer that tells anything.

Each sending counts, so nothing here may ever be sent twice (W5). A call carries one row: an error then names it, and a
lost one leaves a single counter in doubt. ``trackQuantity`` is not touched; the absolute update of V1 would overwrite
it, and sales as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from storebridge.connectors.http import Response
from storebridge.connectors.port import CallAnswer, EncodedCall, RowAnswer, RowOutcome, StockWrite
from storebridge.connectors.wix.client import Operation
from storebridge.connectors.wix.errors import RefusedCall
from storebridge.connectors.wix.translate import split_item_id

INCREMENT = Operation("incrementInventory", "POST", "/stores/v2/inventoryItems/increment", writes=True)
DECREMENT = Operation("decrementInventory", "POST", "/stores/v2/inventoryItems/decrement", writes=True)
BLIND_OPERATIONS = frozenset({INCREMENT.name, DECREMENT.name})
TOO_FEW = "INSUFFICIENT_INVENTORY"
JOURNAL_BYTES = 64 * 1024


def encode_blind_call(writes: Sequence[StockWrite]) -> EncodedCall:
    """The bytes of the first row's difference; the others wait for calls of their own. Raises ValueError for no row,
    and for anything but a change of a counted level."""
    if not writes:
        raise ValueError("a stock call of a V1 site takes a row")
    write = writes[0]
    delta = write.to_level - write.from_level
    if write.activate or delta == 0:
        raise ValueError("a V1 site takes differences, neither activations nor none at all")
    operation, verb = (INCREMENT, "increment") if delta > 0 else (DECREMENT, "decrement")
    product_id, variant_id = split_item_id(write.item_id)
    row = {"productId": product_id, "variantId": variant_id, f"{verb}By": abs(delta), "preorderRequest": False}
    return EncodedCall(
        operation=operation.name,
        method=operation.method,
        path=operation.path,
        body=msgspec.json.encode({f"{verb}Data": [row]}),
        key="",
        intents=(write.intent_id,),
    )


def rows_of_blind_call(call: EncodedCall, response: Response) -> CallAnswer:
    """Wix answers with an empty object; any success means that the difference was applied."""
    rows = tuple(RowAnswer(intent, RowOutcome.APPLIED) for intent in call.intents)
    return CallAnswer(rows=rows, status=response.status, body=response.body[:JOURNAL_BYTES])


def rows_of_refused_blind_call(call: EncodedCall, trouble: RefusedCall) -> CallAnswer | None:
    """A lower that the level no longer allows lost a race; any other refusal stays a CallTrouble."""
    refusal = trouble.refusal
    if refusal.code != TOO_FEW:
        return None
    rows = tuple(RowAnswer(intent, RowOutcome.STALE, refusal.code, refusal.message) for intent in call.intents)
    return CallAnswer(rows=rows, status=refusal.status, body=trouble.body[:JOURNAL_BYTES])
