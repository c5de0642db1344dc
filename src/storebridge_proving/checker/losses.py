"""What a store did or sent, and the bridge does not know of."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from storebridge_proving.checker.records import Pool


def unknown_deliveries(attempts: Iterable[Mapping[str, Any]], known: frozenset[str]) -> list[int]:
    """Numbers of the attempts that were answered 2xx and whose delivery the bridge does not know.

    ``known`` holds the bridge's delivery ids and the SHA-256 digests of the bodies it stored. A delivery is
    known when any identifier that it carries, in its headers or inside a signed body, is among them.
    """
    return [
        attempt["n"]
        for attempt in attempts
        if attempt["status"] is not None
        and 200 <= attempt["status"] < 300
        and not any(name in known for name in _identifiers(attempt))
    ]


def unexplained_units(pool: Pool, explained: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Per store: the units moved there by others than API clients, minus what the bridge's ledger says of
    them.

    ``explained`` maps (store, sku) to the sum of the ledger's entries. Stores without a difference are left
    out.
    """
    differences: dict[str, int] = {}
    for store in sorted({*pool.levels, *(move.store for move in pool.moves if move.bundle)}):
        moved = sum(
            move.units for move in pool.moves if move.store == store and move.moves_level and move.kind != "written"
        )
        difference = moved - explained.get((store, pool.sku), 0)
        if difference:
            differences[store] = difference
    return differences


def _identifiers(attempt: Mapping[str, Any]) -> Iterator[str]:
    """One after the other, what is cheap first: a body is only opened when nothing else is known."""
    body = attempt["body"]
    yield from map(str, attempt["headers"].values())
    yield hashlib.sha256(body.encode()).hexdigest()
    yield from _inside(_claims(body))


def _claims(body: str) -> object:
    """The payload of a signed token, read without any check: here it only names itself."""
    parts = body.strip().strip('"').split(".")
    if len(parts) != 3:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None


def _inside(value: object) -> Iterator[str]:
    """Every string in a JSON value, also in JSON that stands in a string."""
    if isinstance(value, dict):
        for part in value.values():
            yield from _inside(part)
    elif isinstance(value, list):
        for part in value:
            yield from _inside(part)
    elif isinstance(value, str):
        yield value
        if value.startswith("{"):
            yield from _inside(_parsed(value))


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
