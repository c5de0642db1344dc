"""What was left of a pool at every moment, and the most that was ever sold of what was not there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from storebridge_proving.checker.records import Move, Pool


@dataclass(frozen=True, slots=True)
class Course:
    """``left`` after each moment at which something happened; the first entry is the opening (``at`` None).

    ``owed`` are units that were sold before the baseline and are owed still: an opening of -3 is no oversell of
    anybody's who began later. Goods that come in pay them first.
    """

    moments: list[tuple[datetime | None, int]]
    owed: int
    oversold: int
    """The largest value over time of max(0, sold − restocked − voided − existed)."""

    @property
    def left(self) -> int:
        """P: what the stores' records imply is left now; below zero when units were sold that never
        existed.
        """
        return self.moments[-1][1]

    def at(self, moment: datetime) -> int:
        """What was left just before a moment."""
        earlier = [left for at, left in self.moments if at is None or at < moment]
        return earlier[-1]


def follow(pool: Pool) -> Course:
    """The pool's course from the system of record's opening level.

    Changes of the very same moment in different stores have no order among themselves: only what is left
    after all of them counts, so that what is called oversold was oversold in any order.
    """
    left = pool.opening[pool.system_of_record]
    moments: list[tuple[datetime | None, int]] = [(None, left)]
    owed, oversold = max(0, -left), 0
    for at, together in groupby(pool.moves, key=lambda move: move.at):
        left = _after(left, list(together))
        moments.append((at, left))
        owed = min(owed, max(0, -left))
        oversold = max(oversold, -left - owed)
    return Course(moments, owed, oversold)


def _after(left: int, moves: list[Move]) -> int:
    left += sum(move.units for move in moves if move.moves_goods)
    voided = sum(move.units for move in moves if move.kind == "voided")
    return left + min(voided, max(0, -left))
