"""The stock writes: set with a compare value, adjust, activate. Each call carries an idempotency key (S3 to S6).

A key covers a call, not a row, and one stale row refuses them all (S2): the stale row is told by its path, the others
were not tried. Should Shopify carry out the good rows all the same, the answer names an adjustment group beside the
errors, and the other rows are unclear: a read decides. So are all rows when the first answer was lost and the key is
burnt by now: that says that some row failed, and not whether it refused the others. The exact bytes are journaled and
resent unchanged until they are answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

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
from storebridge.connectors.shopify.errors import BUSY, KEY_BURNT, KEY_MISMATCH, UserError, coded, drift, row_outcome
from storebridge.model.ids import IntentId

ROWS_PER_WRITE = 100
JOURNAL_BYTES = 64 * 1024
ERRORS = "userErrors { field message code }"
GROUP = "inventoryAdjustmentGroup { id createdAt }"
"""Levels are not asked for: ``quantityAfterChange`` was null in every recorded answer."""
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
    " @idempotent(key: $key) { inventoryLevel { id } userErrors { field message } } }",
    writes=True,
)
OPERATIONS = {operation.name: operation for operation in (SET, ADJUST, ACTIVATE)}
UNNAMED = (RowOutcome.NOT_TRIED, "WHOLE_CALL_REFUSED")
UNNAMED_IN_PART = (RowOutcome.UNCLEAR, "PERHAPS_DONE_IN_PART")
BURNT_BY_SOME_ROW = (RowOutcome.UNCLEAR, KEY_BURNT)
GROUP_IS_LATE_BY = timedelta(seconds=2)
"""A level is stamped with its write's time, the group perhaps a moment later (S47)."""
_ROW = re.compile(r"[0-9]{1,4}")


class GroupRef(Shape, frozen=True):
    """What is used of Shopify's group."""

    id: str
    created_at: datetime | None = None


class Payload(Shape, frozen=True):
    """What is used of Shopify's payload."""

    user_errors: tuple[UserError, ...]
    inventory_adjustment_group: GroupRef | None = None


class StockAnswer(Shape, frozen=True):
    """What is used of Shopify's stock."""

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
    """The answered rows.

    Raises CallTrouble(UNKNOWN_OUTCOME) while another sending of the same key is still being carried out, when Shopify
    says that it is not able to now, and when the answer is empty: the same bytes then go out again.
    """
    payload = answer.data.stock
    if payload is None:
        raise drift(f"Shopify's answer to {call.operation} says nothing", writes=True)
    errors = [coded(error) for error in payload.user_errors]
    busy = next((error for error in errors if error.code in BUSY), None)
    if busy is not None:
        message = f"Shopify has not finished {call.operation}: {busy.message[:300]}"
        raise CallTrouble(Remedy.UNKNOWN_OUTCOME, Blame.VENDOR, message, code=busy.code or "")
    group = payload.inventory_adjustment_group
    rows = tuple(_rows(call.intents, errors, in_part=group is not None))
    if not errors and group is not None and group.created_at is not None:
        moment = (group.created_at - GROUP_IS_LATE_BY).astimezone(UTC)
        rows = tuple(msgspec.structs.replace(row, later_than=f"{moment:%Y-%m-%dT%H:%M:%SZ}") for row in rows)
    return CallAnswer(rows=rows, status=answer.response.status, body=answer.response.body[:JOURNAL_BYTES])


def rows_of_spoiled_key(call: EncodedCall, trouble: CallTrouble) -> CallAnswer | None:
    """The rows when trouble with the key came as a top-level error (S5); None for any other trouble.

    Sending the same bytes again would bring the same answer until the key is forgotten.
    """
    if trouble.code not in (KEY_BURNT, KEY_MISMATCH):
        return None
    error = UserError(message=str(trouble), code=trouble.code)
    rows = tuple(_rows(call.intents, [error], in_part=False))
    return CallAnswer(rows=rows, status=trouble.status or 200, body=b"")


def _rows(intents: Sequence[IntentId], errors: Sequence[UserError], *, in_part: bool) -> list[RowAnswer]:
    if not errors:
        return [RowAnswer(intent, RowOutcome.APPLIED) for intent in intents]
    named: dict[int, UserError] = {}
    for error in errors:
        place = _place(error, len(intents))
        if place is not None:
            named.setdefault(place, error)
    general = next((error for error in errors if _place(error, len(intents)) is None), None)
    if general is not None and general.code == KEY_BURNT:
        return [RowAnswer(intent, *BURNT_BY_SOME_ROW, general.message) for intent in intents]
    rest = UNNAMED_IN_PART if in_part else UNNAMED
    return [_row(intent, named.get(place) or general, rest) for place, intent in enumerate(intents)]


def _place(error: UserError, rows: int) -> int | None:
    """The row that an error's path names; a single row needs no name."""
    numbers = [int(part) for part in error.field or [] if _ROW.fullmatch(part)]
    if numbers and numbers[0] < rows:
        return numbers[0]
    return 0 if rows == 1 else None


def _row(intent: IntentId, error: UserError | None, rest: tuple[RowOutcome, str]) -> RowAnswer:
    if error is None:
        return RowAnswer(intent, *rest)
    return RowAnswer(intent, row_outcome(error), error.code or "", error.message)
