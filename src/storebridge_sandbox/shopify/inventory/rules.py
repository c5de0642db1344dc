"""What Shopify checks before a stock write looks at any level; wording and codes are recorded ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from storebridge_sandbox.shopify.inventory.rows import Row, UserError

REASONS = (
    "correction", "cycle_count_available", "damaged", "movement_canceled", "movement_created", "movement_received",
    "movement_updated", "other", "promotion", "quality_control", "received", "reservation_created",
    "reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage",
)  # fmt: skip
ADJUSTABLE = ("available", "damaged", "incoming", "quality_control", "reserved", "safety_stock")
SETTABLE = ("available", "on_hand")
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def reason_error(reason: str) -> UserError | None:
    if reason in REASONS:
        return None
    told = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
    return UserError(["input", "reason"], told, "INVALID_REASON")


def adjustable_error(name: str, path: list[str]) -> UserError | None:
    if name in ADJUSTABLE:
        return None
    told = f"The specified quantity name is invalid. Valid values are: {', '.join(ADJUSTABLE)}."
    return UserError(path, told, "INVALID_QUANTITY_NAME")


def settable_error(name: str) -> UserError | None:
    if name in SETTABLE:
        return None
    told = "The quantity name must be either 'available' or 'on_hand'."
    return UserError(["input", "name"], told, "INVALID_NAME")


def reference_error(given: str | None) -> UserError | None:
    """The reference document is a URI of any scheme; nothing stands behind it."""
    if not given or URI.fullmatch(given):
        return None
    told = "The specified reference document is invalid."
    return UserError(["input", "referenceDocumentUri"], told, "INVALID_REFERENCE_DOCUMENT")


def moved_ledgers_error(rows: Sequence[Row]) -> UserError | None:
    """A move may name two ledger documents in all."""
    if len({row.ledger for row in rows if row.ledger}) <= 2:
        return None
    told = "Only a maximum of 2 ledger document URIs across all changes is allowed."
    return UserError(["input", "changes"], told, "MAXIMUM_LEDGER_DOCUMENT_URIS")


def ledger_errors(rows: Sequence[Row]) -> Iterator[UserError]:
    """Other states than available need a ledger document, the same for all rows; available may not have one."""
    documents = {row.ledger for row in rows if row.name != "available" and row.ledger}
    if len(documents) > 1:
        told = (
            "All changes must have the same ledger document URI or, in the case of adjusting available, "
            "no ledger document URI."
        )
        yield UserError(["input", "changes"], told, "MAX_ONE_LEDGER_DOCUMENT")
        return
    for row in rows:
        path = [*row.path, "ledgerDocumentUri"]
        if row.name == "available" and row.ledger:
            told = "A ledger document URI is not allowed when adjusting available."
            yield UserError(path, told, "INVALID_AVAILABLE_DOCUMENT")
        elif row.name != "available" and not row.ledger:
            told = "A ledger document URI is required except when adjusting available."
            yield UserError(path, told, "INVALID_QUANTITY_DOCUMENT")
        elif row.ledger and row.ledger.startswith("gid://shopify/"):
            told = "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API."
            yield UserError(path, told, "INTERNAL_LEDGER_DOCUMENT")
        elif row.ledger and not URI.fullmatch(row.ledger):
            yield UserError(path, "The specified ledger document is invalid.", "INVALID_LEDGER_DOCUMENT")


def twin_errors(rows: Sequence[Row]) -> Iterator[UserError]:
    """The same item at the same location twice in one call: both rows are told. Only one mutation has a code for it."""
    code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR" if rows[0].path[1] == "quantities" else None
    pairs = [(row.item_id, row.location_id, row.name) for row in rows]
    for row, pair in zip(rows, pairs, strict=True):
        if pairs.count(pair) > 1:
            told = "The combination of inventoryItemId and locationId must be unique."
            yield UserError([*row.path, "locationId"], told, code)
