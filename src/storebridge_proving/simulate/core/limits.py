"""The hourly limit of written units in the pure play: held when it is reached, until a person agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from storebridge.model.ids import ConnectionName, Workspace
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.pipeline.plan.brake import is_over
from storebridge.store.brakes import Amount

HOUR = 3600.0
AGREED_FOR_SECONDS = 120.0
"""What a person released may go out for so long, however much it is."""


@dataclass(slots=True)
class Limit:
    """``units`` in an hour; 0: no limit."""

    units: int = 0
    counted_from: float = 0.0
    held: bool = False
    written: list[tuple[float, int]] = field(default_factory=list)

    def lets_go(self, rows: Sequence[dict[str, Any]], now: float) -> Sequence[dict[str, Any]]:
        """The new writes that may be made now: all of them, or none."""
        if not (self.units and rows):
            return rows
        own = sum(abs(row["to_level"] - row["from_level"]) for row in rows)
        if not self.held and (
            now < self.counted_from or not is_over(_terms(self.units), Amount(own + self._lately(now), 1))
        ):
            self.written.append((now, own))
            return rows
        self.held = True
        return ()

    def _lately(self, now: float) -> int:
        """Units of the last hour that count."""
        since = max(now - HOUR, self.counted_from)
        return sum(units for at, units in self.written if at > since)

    def release(self, now: float) -> bool:
        """A person agrees; False when nothing is held."""
        if not self.held:
            return False
        self.held, self.counted_from = False, now + AGREED_FOR_SECONDS
        return True


def _terms(units: int) -> WorkspaceTerms:
    name = ConnectionName("shop")
    return WorkspaceTerms(Workspace("main"), (name,), Policy.MIRROR, name, (), most_units_per_hour=units)
