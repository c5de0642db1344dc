"""What was left of a pool at every moment, and the most that was ever sold of what was not there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from storebridge_proving.checker.records import Move, Pool


@dataclass(frozen=True, slots=True)
class Course:
    """``left`` after each moment at which something happened; the first entry is the opening (``at`` None)."""

    moments: list[tuple[datetime | None, int]]

    @property
    def left(self) -> int:
        """P: what the stores' records imply is left now; below zero when units were sold that never
        existed.
        """
        return self.moments[-1][1]

    @property
    def oversold(self) -> int:
        """The largest value over time of max(0, sold − restocked − voided − existed)."""
        return max(0, *(-left for _, left in self.moments))

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
    for at, together in groupby(pool.moves, key=lambda move: move.at):
        left = _after(left, list(together))
        moments.append((at, left))
    return Course(moments)


def _after(left: int, moves: list[Move]) -> int:
    left += sum(move.units for move in moves if move.moves_goods)
    voided = sum(move.units for move in moves if move.kind == "voided")
    return left + min(voided, max(0, -left))
