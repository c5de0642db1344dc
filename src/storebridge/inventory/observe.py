"""What a reading does to a position. Pure.

A change of a level is a movement of goods by somebody else, whoever it was: orders and cases only label it. Three
things are not simply believed: a reading older than what is known, a missing value (null is not zero), and a raise by
staff that is too big, types a shelf count into one store, or is typed into a bundle.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from storebridge.inventory.versions import (
    LAGS_AT_MOST,
    STALE_AT_MOST,
    is_exact,
    is_older,
    last_read,
    may_be_older,
    shows_version,
)
from storebridge.model.stock import LevelReading, Policy, Position

__all__ = ["Condition", "Folded", "HoldRules", "fold_reading", "settle_hold", "shows_version"]


class Condition(StrEnum):
    """What is odd about a counter."""

    LEVEL_MISSING = "level_missing"
    ITEM_GONE = "item_gone"
    UNTRACKED = "untracked"
    LEVEL_NEGATIVE = "level_negative"
    NOT_DENYING = "not_denying"
    CHANGE_HELD = "change_held"


class HoldRules(msgspec.Struct, frozen=True):
    """When a raise is held for a person."""

    policy: Policy
    hold_above_units: int

    @property
    def shares(self) -> bool:
        """Stores show a share only, so that a counter which is set to the whole pool must be held."""
        return self.policy in (Policy.ESCROW, Policy.HYBRID)


class Folded(msgspec.Struct, frozen=True):
    """A position after a reading."""

    position: Position
    movement: int = 0
    """Units by which the counter was moved by somebody else's hand, held ones among them."""
    condition: Condition | None = None
    stale: bool = False
    """The reading was older than what is known: nothing was folded."""


def fold_reading(
    position: Position,
    reading: LevelReading,
    *,
    sent_at: datetime,
    rules: HoldRules,
    written_at: datetime | None,
    former_pool: int | None = None,
) -> Folded:
    """Fold one reading; ``former_pool`` is what was left of the pool before it (for the shelf-count rule)."""
    if _is_stale(position, reading, sent_at, written_at):
        return Folded(position, stale=True)
    seen = msgspec.structs.replace(
        position,
        read_at=sent_at,
        tracked=reading.tracked,
        denies_oversell=reading.denies_oversell,
        gone=reading.tracked and (reading.available is None or not reading.active),
        version=reading.version or last_read(position.version),
        native_id=reading.native_id or position.native_id,
    )
    if reading.available is None:
        return Folded(seen, condition=Condition.LEVEL_MISSING if reading.tracked else Condition.UNTRACKED)
    change = reading.available - position.level
    held = _held_after(position, change, rules, former_pool)
    uncredited = 0 if reading.available >= 0 else position.uncredited
    folded = msgspec.structs.replace(seen, level=reading.available, held=held, uncredited=uncredited)
    return Folded(folded, change, _condition(folded))


def _is_stale(position: Position, reading: LevelReading, sent_at: datetime, written_at: datetime | None) -> bool:
    if position.read_at is not None and sent_at < position.read_at:
        return True
    if written_at is not None and sent_at < written_at:
        return True
    if is_older(reading.version, position.version) and not _clock_went_back(position, sent_at, written_at):
        return True
    if not may_be_older(reading.version, position.version):
        return False
    if is_exact(position.version):
        return True
    # Read since our last write, the later version is somebody else's (a sale in the same second, which made our next
    # write stale): what differs is that one. Taken for a lagging copy, it stayed unseen for twenty seconds.
    unread = written_at is not None and (position.read_at is None or position.read_at < written_at)
    lately = written_at is not None and sent_at < written_at + STALE_AT_MOST
    return unread and lately and reading.available != position.level


def _clock_went_back(position: Position, sent_at: datetime, written_at: datetime | None) -> bool:
    """Times that are still earlier long after the last believed reading and our last write come from a clock, and not
    from a lagging copy.

    A store whose clock was set back would else never be believed again. Revisions are no times and do not go back.
    """
    if is_exact(position.version) or position.read_at is None:
        return False
    known_at = position.read_at if written_at is None else max(position.read_at, written_at)
    return sent_at > known_at + LAGS_AT_MOST


def _held_after(position: Position, change: int, rules: HoldRules, former_pool: int | None) -> int:
    if change < 0 and position.held > 0:
        return 0 if -change >= position.held else position.held  # staff took the held raise back
    if position.bundle is not None and change > 0:
        return position.held + change  # its level is derived: nobody counts bundles on a shelf
    if change > rules.hold_above_units or _types_a_shelf_count(position, change, rules, former_pool):
        return position.held + change
    return position.held


def _types_a_shelf_count(position: Position, change: int, rules: HoldRules, former_pool: int | None) -> bool:
    """Under escrow a store shows only its share: somebody who sets it to the whole pool would create goods."""
    return rules.shares and change > 0 and former_pool is not None and position.level + change == former_pool


def _condition(position: Position) -> Condition | None:
    if position.held:
        return Condition.CHANGE_HELD
    if position.gone:
        return Condition.LEVEL_MISSING
    if position.level < 0:
        return Condition.LEVEL_NEGATIVE
    return None if position.denies_oversell else Condition.NOT_DENYING


def settle_hold(position: Position, *, accept: bool) -> tuple[Position, int]:
    """A person decided; returns the position and how many units of goods to take back (below zero).

    Rejected units are still shown by the store; without the goods behind them the next plan lowers the counter.
    """
    return msgspec.structs.replace(position, held=0), 0 if accept else -position.held
