"""The envelope of bulk calls: each row has its own result, and the answer is 200 even when all of them fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from storebridge_sandbox.wix.wire import WixRefusal

Row = dict[str, Any]
Asked = TypeVar("Asked")


def carry_out(rows: Sequence[Asked], apply: Callable[[Asked], Row], name_of: Callable[[Asked], str]) -> Row:
    """Row by row in the given order; a refused one leaves the others alone (W7).

    ``apply`` returns ``{"id"}`` and, where the caller wants it, ``{"item"}``; ``name_of`` is the id of a row
    that failed, empty for one that never had any.
    """
    results: list[Row] = []
    for number, row in enumerate(rows):
        try:
            told = apply(row)
        except WixRefusal as refusal:
            results.append(failed(number, name_of(row), refusal))
        else:
            results.append(succeeded(number, **told))
    return {"results": results, "bulkActionMetadata": summary(results)}


def failed(number: int, entity_id: str, refusal: WixRefusal) -> Row:
    """The result of one refused row."""
    metadata: Row = {"originalIndex": number, "success": False, "error": refusal.told_in_bulk()}
    if entity_id:
        metadata["id"] = entity_id
    return {"itemMetadata": metadata}


def succeeded(number: int, id: str, **more: Any) -> Row:
    """The result of one row that was carried out."""
    return {"itemMetadata": {"id": id, "originalIndex": number, "success": True}, **more}


def summary(results: Sequence[Row]) -> Row:
    """How many rows went well."""
    successes = sum(1 for result in results if result["itemMetadata"]["success"])
    return {
        "totalSuccesses": successes,
        "totalFailures": len(results) - successes,
        "undetailedFailures": 0,
    }
