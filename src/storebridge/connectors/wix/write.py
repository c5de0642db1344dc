"""The stock write of a Catalog V3 site: a bulk update in which every row carries the revision it was planned
on.

A resend of the same bytes is a fence (W3): a row whose revision has moved is refused and changes nothing.
There is no idempotency key. Where the site keeps them (W34), a row carries its write's stamp besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from storebridge.connectors.http import Response
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
from storebridge.connectors.wix.client import Operation
from storebridge.connectors.wix.errors import RefusedCall, is_stale, row_outcome
from storebridge.connectors.wix.stamps import Stamps, blames_stamp, stamped
from storebridge.connectors.wix.translate import ExtendedFields, InventoryItem, Shape
from storebridge.model.ids import IntentId

UPDATE_ITEMS = Operation("bulkUpdateInventoryItems", "POST", "/stores/v3/bulk/inventory-items/update", writes=True)
ROWS_PER_WRITE = 1000
JOURNAL_BYTES = 64 * 1024


class ItemError(Shape, frozen=True):
    """Why a row was not applied."""

    code: str | int | None = None
    description: str | None = None


class ItemMetadata(Shape, frozen=True):
    """Which row of the call this is, and how it went."""

    id: str | None = None
    original_index: int | None = None
    success: bool = False
    error: ItemError | None = None


class ItemResult(Shape, frozen=True):
    """One row's answer."""

    item_metadata: ItemMetadata
    item: InventoryItem | None = None


class BulkAnswer(Shape, frozen=True):
    """All rows' answers; 200 although rows failed."""

    results: list[ItemResult]


def encode_stock_call(writes: Sequence[StockWrite], stamp_namespace: str | None = None) -> EncodedCall:
    """The bytes of one bulk update, rows in the given order; each is stamped with its write where there is a namespace.

    Raises ValueError for rows Wix cannot be asked for.
    """
    if not 0 < len(writes) <= ROWS_PER_WRITE:
        raise ValueError(f"a stock call of Wix takes 1 to {ROWS_PER_WRITE} rows, not {len(writes)}")
    rows = [_row(write, stamp_namespace) for write in writes]
    if len({row["inventoryItem"]["id"] for row in rows}) != len(rows):
        raise ValueError("a stock call of Wix takes each inventory item once")
    body = {"inventoryItems": rows, "returnEntity": True, "reason": "MANUAL"}
    return EncodedCall(
        operation=UPDATE_ITEMS.name,
        method=UPDATE_ITEMS.method,
        path=UPDATE_ITEMS.path,
        body=msgspec.json.encode(body),
        key="",
        intents=tuple(write.intent_id for write in writes),
    )


def _row(write: StockWrite, stamp_namespace: str | None) -> dict[str, dict[str, Any]]:
    if write.activate or write.as_adjustment:
        raise ValueError("Wix takes levels guarded by a revision, neither activations nor adjustments")
    if write.native_id is None or write.version is None:
        raise ValueError(f"{write.item_id} has not been read: inventory item id and revision are needed")
    item: dict[str, Any] = {"id": write.native_id, "revision": write.version, "quantity": write.to_level}
    if stamp_namespace is not None:
        item["extendedFields"] = stamped(stamp_namespace, write.intent_id)
    return {"inventoryItem": item}


def learn_stamps(stamps: Stamps, call: EncodedCall, rows: Sequence[RowAnswer], answer: BulkAnswer) -> None:
    """Whether the site keeps stamps, as its answer to a stamped call shows it."""
    if not carries_stamps(call):
        return
    items = {result.item.id: result.item for result in answer.results if result.item is not None}
    for row, item_id in zip(rows, sent_ids(call.body), strict=True):
        if row.outcome is RowOutcome.APPLIED and item_id in items:
            stamps.answered(row.intent_id, items[item_id].extended_fields)
        elif row.outcome is RowOutcome.NOT_TRIED and blames_stamp(row.code, row.message):
            stamps.refused(row.message)


def carries_stamps(call: EncodedCall) -> bool:
    """Whether the journaled bytes are stamped; what was sent counts, not what would be sent now."""
    sent = msgspec.json.decode(call.body, type=_SentBody)
    return any(row.inventory_item.extended_fields is not None for row in sent.inventory_items)


def rows_of(call: EncodedCall, response: Response, answer: BulkAnswer) -> CallAnswer:
    """The answered rows. A row that Wix does not mention, or mentions twice, is UNCLEAR."""
    told: dict[int, list[ItemResult]] = {}
    for place, result in enumerate(answer.results):
        index = result.item_metadata.original_index
        told.setdefault(place if index is None else index, []).append(result)
    sent = sent_ids(call.body)
    rows = tuple(
        _row_of(intent, item_id, told.get(place, []))
        for place, (intent, item_id) in enumerate(zip(call.intents, sent, strict=True))
    )
    return CallAnswer(rows=rows, status=response.status, body=response.body[:JOURNAL_BYTES])


class _SentItem(Shape, frozen=True):
    id: str
    extended_fields: ExtendedFields | None = None


class _SentRow(Shape, frozen=True):
    inventory_item: _SentItem


class _SentBody(Shape, frozen=True):
    inventory_items: list[_SentRow]


def sent_ids(body: bytes) -> tuple[str, ...]:
    """The inventory item ids of a call that ``encode_stock_call`` made, in its order."""
    sent = msgspec.json.decode(body, type=_SentBody)
    return tuple(row.inventory_item.id for row in sent.inventory_items)


def _row_of(intent: IntentId, item_id: str, results: Sequence[ItemResult]) -> RowAnswer:
    if len(results) != 1 or results[0].item_metadata.id not in (None, item_id):
        return RowAnswer(intent, RowOutcome.UNCLEAR, "NO_RESULT", "Wix's answer does not tell about this row")
    metadata, item = results[0].item_metadata, results[0].item
    if metadata.success:
        if item is None:
            return RowAnswer(intent, RowOutcome.APPLIED)
        version = None if item.revision is None else str(item.revision)
        return RowAnswer(intent, RowOutcome.APPLIED, level=item.quantity, version=version)
    error = metadata.error or ItemError()
    code, message = str(error.code or ""), error.description or ""
    outcome = RowOutcome.NOT_TRIED if blames_stamp(code, message) else row_outcome(code, message)
    return RowAnswer(intent, outcome, code, message)


def rows_of_refused_call(call: EncodedCall, trouble: RefusedCall) -> CallAnswer | None:
    """The rows of a call that lost a race as a whole (409, W1); None when the refusal says nothing about rows.

    Which row was stale is not told, so every row is: nothing was changed, and each is read again. The same holds for a
    call that was refused because of its stamps: its rows are planned anew, without. Any other refusal stays a
    CallTrouble: the courier halves the call until the row that Wix will not have stands alone.
    """
    refusal = trouble.refusal
    if not is_stale(refusal) and not refuses_stamps(trouble):
        return None
    outcome = RowOutcome.STALE if is_stale(refusal) else RowOutcome.NOT_TRIED
    rows = tuple(RowAnswer(intent, outcome, refusal.code, refusal.message) for intent in call.intents)
    return CallAnswer(rows=rows, status=refusal.status, body=trouble.body[:JOURNAL_BYTES])


def refuses_stamps(trouble: RefusedCall) -> bool:
    """Whether Wix itself refused the call as a whole because of its extended fields; then nothing was changed."""
    refusal = trouble.refusal
    return refusal.from_wix and 400 <= refusal.status < 500 and blames_stamp(refusal.code, refusal.message)


def not_writable(version: str) -> CallTrouble:
    """The bytes were made for another catalogue: nothing is sent, and nothing was changed."""
    return CallTrouble(
        Remedy.RETRY,
        Blame.CONFIGURATION,
        f"the site's catalogue is {version}: the call was made for another one, nothing was sent",
        code="CATALOGUE_CHANGED",
    )
