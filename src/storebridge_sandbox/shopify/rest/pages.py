"""Pages of the REST API: ``limit``, ``since_id``, ``ids``, ``fields`` and cursors in the ``Link`` header."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

USUAL, LARGEST = 50, 250
ALLOWED_WITH_CURSOR = {"page_info", "limit", "fields"}


class RestRefused(Exception):
    """An answer that is an error: its status and what stands under ``errors``."""

    def __init__(self, status: int, errors: Any) -> None:
        super().__init__(str(errors))
        self.status = status
        self.errors = errors


@dataclass(frozen=True, slots=True)
class RestPage:
    """The rows of a page and the cursors of its neighbours."""

    rows: list[dict[str, Any]]
    previous: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a list was asked for: its filters, how many rows, and from where on."""

    filters: Mapping[str, str]
    limit: int
    offset_id: int | None = None
    backwards: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Wish:
        """Raises RestRefused; a cursor brings the filters that its first page was asked with."""
        limit = _limit(query.get("limit"))
        if "page_info" not in query:
            return cls({name: value for name, value in query.items() if name not in ("limit", "fields")}, limit)
        if set(query) - ALLOWED_WITH_CURSOR:
            wrong = ", ".join(sorted(set(query) - ALLOWED_WITH_CURSOR))
            raise RestRefused(400, {"page_info": f"Invalid parameters with page_info: {wrong}"})
        try:
            held = msgspec.json.decode(base64.urlsafe_b64decode(query["page_info"]), type=_Cursor)
        except (binascii.Error, ValueError, msgspec.DecodeError):
            raise RestRefused(400, {"page_info": "Invalid value."}) from None
        return cls(held.filters, limit, held.last_id, held.direction == "prev")


class _Cursor(msgspec.Struct):
    last_id: int
    direction: str
    filters: dict[str, str] = {}


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not text.isdecimal() or not text.isascii() or int(text) < 1:
        raise RestRefused(400, {"limit": "Limit must be a positive number."})
    if len(text) > 9 or int(text) > LARGEST:
        raise RestRefused(400, f"Limit exceeds maximum limit of {LARGEST}")
    return int(text)


def page_of(rows: Sequence[dict[str, Any]], wish: Wish) -> RestPage:
    """Cut a page out of rows that stand in their order; a cursor names the row that it goes on after or before."""
    ids = [row["id"] for row in rows]
    start, end = 0, min(len(rows), wish.limit)
    if wish.offset_id is not None:
        place = ids.index(wish.offset_id) if wish.offset_id in ids else None
        if place is None:
            raise RestRefused(400, {"page_info": "Invalid value."})
        start = max(0, place - wish.limit) if wish.backwards else place + 1
        end = place if wish.backwards else min(len(rows), start + wish.limit)
    before = _cursor(ids[start], "prev", wish) if 0 < start < end else None
    after = _cursor(ids[end - 1], "next", wish) if start < end < len(rows) else None
    return RestPage(list(rows[start:end]), before, after)


def _cursor(last_id: int, direction: str, wish: Wish) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(_Cursor(last_id, direction, dict(wish.filters)))).decode()


def link_header(page: RestPage, address: str, limit: int, fields: str | None) -> str | None:
    """``<address?limit=..&page_info=..>; rel="next"``; None where a page has no neighbours."""
    links = []
    for word, cursor in (("previous", page.previous), ("next", page.next)):
        if cursor is not None:
            asked = {"limit": str(limit), **({"fields": fields} if fields else {}), "page_info": cursor}
            links.append(f'<{address}?{urlencode(asked)}>; rel="{word}"')
    return ", ".join(links) or None


def cut(row: dict[str, Any], fields: str | None) -> dict[str, Any]:
    """Only the fields that were asked for."""
    wanted = {name.strip() for name in fields.split(",")} if fields else None
    return row if wanted is None else {name: value for name, value in row.items() if name in wanted}
