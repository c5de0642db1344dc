"""What a subscription's filter lets through, and what its includeFields leave of a payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from storebridge_sandbox.shopify.paging import Search, compile_search

LONGEST_FILTER_BYTES = 65_535


class _AnyField(dict[str, Callable[[Any], Any]]):
    """Every dotted name is a field of the payload."""

    def get(self, name: str, _default: Any = None) -> Any:
        parts = name.split(".")
        return lambda payload: _at(payload, parts)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Search:
    return compile_search(text, _AnyField())


def passes(text: str, payload: Mapping[str, Any]) -> bool:
    """Whether ``vendor:Larkfield AND variants.price:>=10`` and the like fit a payload."""
    return _compiled(text).test(payload)


def _at(value: Any, parts: list[str]) -> Any:
    """The values at a dotted place; a list is looked through."""
    if isinstance(value, list):
        found = [_at(one, parts) for one in value]
        flat = [inner for one in found for inner in (one if isinstance(one, list) else [one])]
        return [one for one in flat if one is not None]
    if not parts:
        return value
    return _at(value.get(parts[0]), parts[1:]) if isinstance(value, Mapping) else None


def only(payload: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    """The payload with these fields and no others; ``variants.id`` keeps the ids of its variants."""
    kept: dict[str, Any] = {}
    for name in fields:
        head, dot, rest = name.partition(".")
        if head not in payload:
            continue
        held = payload[head]
        if not dot:
            kept[head] = held
        elif isinstance(held, list):
            before = kept.get(head) or [{} for _ in held]
            kept[head] = [{**one, **only(part, [rest])} for one, part in zip(before, held, strict=True)]
        elif isinstance(held, Mapping):
            kept[head] = {**kept.get(head, {}), **only(held, [rest])}
    return kept
