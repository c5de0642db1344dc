"""How the older addresses take a query: filter and sort are JSON inside strings, pages go by offset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from storebridge_sandbox.wix.query import Language, Page, Question
from storebridge_sandbox.wix.wire import validation_error

MOST_OFFSET = 10_000


def read_legacy(language: Language, query: Mapping[str, Any]) -> Question:
    """Understand an older query; raises WixRefusal."""
    question = language.read(
        {
            "filter": _inner(query.get("filter"), "query.filter"),
            "sort": _sort(query.get("sort")),
            "paging": query.get("paging"),
        }
    )
    if question.offset > MOST_OFFSET:
        raise validation_error(
            "query.paging.offset",
            f"must be less than or equal to {MOST_OFFSET}",
            "MAX",
            {"threshold": MOST_OFFSET},
        )
    return question


def page_metadata(page: Page, question: Question) -> dict[str, Any]:
    """What stands beside the rows."""
    return {"metadata": {"items": question.limit, "offset": question.offset}, "totalResults": page.total}


def _inner(text: Any, name: str) -> Any:
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise validation_error(name, "must be JSON in a string", "FORMAT")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise validation_error(name, "is not valid JSON", "FORMAT") from error


def _sort(text: Any) -> list[dict[str, str]]:
    """``[{"numericId": "asc"}]`` in the words of the newer language."""
    wanted = _inner(text, "query.sort") or []
    rows = wanted if isinstance(wanted, list) else [wanted]
    if not all(isinstance(row, dict) for row in rows):
        raise validation_error("query.sort", "must be a list of objects", "FORMAT")
    return [{"fieldName": str(name), "order": str(order).upper()} for row in rows for name, order in row.items()]
