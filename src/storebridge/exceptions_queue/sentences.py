"""Sentences of cases, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

IDENTIFIERS = ("location", "id", "copy_id")
"""Facts of a case that only a machine reads; they stand among the facts."""


def plainly(sentence: str, payload: Mapping[str, Any] | None) -> str:
    """A case's sentence without the vendors' identifiers, which stand among the facts."""
    for name in IDENTIFIERS:
        value = (payload or {}).get(name)
        told = f"{name.replace('_', ' ')} {value}"
        if value:
            sentence = sentence.replace(f", {told}", "").replace(f"{told}, ", "").replace(f" ({told})", "")
    return sentence
