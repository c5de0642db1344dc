"""The stock writes: set with a compare value, adjust, activate. Each call carries an idempotency key (S3 to S6).

A key covers a call, not a row, and one stale row refuses them all (S2): the stale row is told by its path, the others
were not tried. The exact bytes are journaled and resent unchanged until they are answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from storebridge.connectors.port import (
    Blame,
    CallAnswer,
    CallTrouble,
    EncodedCall,
    Remedy,
    RowAnswer,
    RowOutcome,
    StockWrite,
)
from storebridge.connectors.shopify.client import PATH, Answer, Operation, Shape
from storebridge.connectors.shopify.errors import IN_PROGRESS, KEY_BURNT, UserError, row_outcome
from storebridge.model.ids import IntentId

ROWS_PER_WRITE = 100
JOURNAL_BYTES = 64 * 1024
ERRORS = "userErrors { field message code }"
GROUP = "inventoryAdjustmentGroup { id changes { name quantityAfterChange item { id } location { id } } }"
SET = Operation(
    "inventorySetQuantities",
    "mutation inventorySetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {"
    f" stock: inventorySetQuantities(input: $input) @idempotent(key: $key) {{ {GROUP} {ERRORS} }} }}",
    writes=True,
)
ADJUST = Operation(
    "inventoryAdjustQuantities",
    "mutation inventoryAdjustQuantities($input: InventoryAdjustQuantitiesInput!, $key: String!) {"
    f" stock: inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {{ {GROUP} {ERRORS} }} }}",
    writes=True,
)
ACTIVATE = Operation(
    "inventoryActivate",
    "mutation inventoryActivate($item: ID!, $location: ID!, $available: Int!, $key: String!) {"
    " stock: inventoryActivate(inventoryItemId: $item, locationId: $location, available: $available)"
    " @idempotent(key: $key) { userErrors { field message } } }",
    writes=True,
)
OPERATIONS = {operation.name: operation for operation in (SET, ADJUST, ACTIVATE)}
_ROW = re.compile(r"\d+")


class Payload(Shape, frozen=True):
    user_errors: tuple[UserError, ...] = ()


class StockAnswer(Shape, frozen=True):
    stock: Payload | None = None


def encode_stock_call(writes: Sequence[StockWrite], key: str, reference: str) -> EncodedCall:
    """The bytes of one call, rows in the given order. Raises ValueError for rows that cannot share a call."""
    if not 0 < len(writes) <= ROWS_PER_WRITE:
        raise ValueError(f"a stock call of Shopify takes 1 to {ROWS_PER_WRITE} rows, not {len(writes)}")
    if len({(write.as_adjustment, write.activate) for write in writes}) != 1:
        raise ValueError("levels, adjustments and activations never share a call")
    if writes[0].activate and len(writes) != 1:
        raise ValueError("an activation stands alone")
    operation, variables = _content(writes, reference)
    body = {"query": operation.document, "variables": {**variables, "key": key}}
    return EncodedCall(
        operation=operation.name,
        method="POST",
        path=PATH,
        body=msgspec.json.encode(body),
        key=key,
        intents=tuple(write.intent_id for write in writes),
    )


def _content(writes: Sequence[StockWrite], reference: str) -> tuple[Operation, dict[str, object]]:
    first = writes[0]
    if first.activate:
        where = {"item": first.item_id, "location": first.location_id}
        return ACTIVATE, {**where, "available": first.to_level}
    common = {"name": "available", "reason": "correction", "referenceDocumentUri": f"storebridge://call/{reference}"}
    if first.as_adjustment:
        changes = [{**_counter(w), "delta": w.to_level - w.from_level, "changeFromQuantity": None} for w in writes]
        return ADJUST, {"input": {**common, "changes": changes}}
    rows = [{**_counter(w), "quantity": w.to_level, "changeFromQuantity": w.from_level} for w in writes]
    return SET, {"input": {**common, "quantities": rows}}


def _counter(write: StockWrite) -> dict[str, object]:
    return {"inventoryItemId": write.item_id, "locationId": write.location_id}


def rows_of(call: EncodedCall, answer: Answer[StockAnswer]) -> CallAnswer:
    """The answered rows. Raises CallTrouble while another sending of the same key is still being carried out."""
    errors = answer.data.stock.user_errors if answer.data.stock else []
    in_progress = next((error for error in errors if error.code in IN_PROGRESS), None)
    if in_progress is not None:
        raise CallTrouble(
            Remedy.UNKNOWN_OUTCOME, Blame.VENDOR, f"Shopify still carries out {call.operation}", code="IN_PROGRESS"
        )
    rows = tuple(_rows(call.intents, errors))
    return CallAnswer(rows=rows, status=answer.response.status, body=answer.response.body[:JOURNAL_BYTES])


def _rows(intents: Sequence[IntentId], errors: Sequence[UserError]) -> list[RowAnswer]:
    if not errors:
        return [RowAnswer(intent, RowOutcome.APPLIED) for intent in intents]
    named: dict[int, UserError] = {}
    for error in errors:
        place = _place(error, len(intents))
        if place is not None:
            named.setdefault(place, error)
    general = next((error for error in errors if _place(error, len(intents)) is None), None)
    return [_row(intent, named.get(place), general) for place, intent in enumerate(intents)]


def _place(error: UserError, rows: int) -> int | None:
    """The row that an error's path names; a single row needs no name."""
    numbers = [int(part) for part in error.field or [] if _ROW.fullmatch(part)]
    if numbers and numbers[0] < rows:
        return numbers[0]
    return 0 if rows == 1 else None


def _row(intent: IntentId, error: UserError | None, general: UserError | None) -> RowAnswer:
    if error is not None and error.code in KEY_BURNT:
        # the same key failed before: nothing was changed then and nothing is now
        return RowAnswer(intent, RowOutcome.NOT_TRIED, error.code or "", error.message)
    if error is not None:
        return RowAnswer(intent, row_outcome(error), error.code or "", error.message)
    if general is not None and general.code not in KEY_BURNT:
        return RowAnswer(intent, row_outcome(general), general.code or "", general.message)
    return RowAnswer(intent, RowOutcome.NOT_TRIED, "WHOLE_CALL_REFUSED")
