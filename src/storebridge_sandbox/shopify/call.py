"""What a resolver knows of the API call that it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Resolver = Callable[[Any, dict[str, Any], Any], Any]
Resolvers = dict[tuple[str, str], Resolver]


@dataclass(slots=True)
class Call:
    """``keys`` are the idempotency keys by root field; ``read_moment`` is set when a lagging replica answers."""

    now: datetime
    ref: str
    read_moment: datetime | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    input_locations: list[dict[str, int]] = field(default_factory=list)


def shows(name: str) -> Resolver:
    """A field that stands in the state under another name, or the same."""
    return lambda source, _args, _call: getattr(source, name)


def shows_time(name: str) -> Resolver:
    """A moment in Shopify's form, or null."""

    def resolve(source: Any, _args: dict[str, Any], _call: Any) -> str | None:
        moment = getattr(source, name)
        return None if moment is None else iso(moment)

    return resolve


def iso(moment: datetime) -> str:
    """``2026-11-24T02:16:19Z``: Shopify's times are whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
