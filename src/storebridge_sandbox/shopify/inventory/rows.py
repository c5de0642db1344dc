"""The rows of a stock write and what comes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.stock import Level

__all__ = ["Change", "Outcome", "Row", "UserError"]


@dataclass(slots=True)
class Row:
    """One row of a write: absolute (``to``) or relative (``delta``); ``path`` is where it stands in the input."""

    item_id: str
    location_id: str
    path: list[str]
    name: str = "available"
    to: int | None = None
    delta: int = 0
    change_from: int | None = None
    ledger: str | None = None
    compared_by: str = "changeFromQuantity"
    """The field that says what the level was; ``compareQuantity`` until 2026-04."""


@dataclass(slots=True)
class Change:
    """One counter after a write; ``after`` is what it shows then."""

    level: Level
    delta: int
    after: int
    name: str = "available"
    ledger: str | None = None


@dataclass(slots=True)
class Outcome:
    """What a write did, or why not; ``level`` is the one that an activation was about."""

    changes: list[Change] = field(default_factory=list)
    errors: list[UserError] = field(default_factory=list)
    level: Level | None = None
    made: str | None = None
    """The id of what a keyed call made, when that was no change of stock."""
    group_id: str | None = None
    group_at: datetime | None = None
    """Of the group of adjustments that was told (S47)."""
