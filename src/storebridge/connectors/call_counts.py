"""How often a store is called: the figures behind ``storebridge_api_calls_total``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

UNANSWERED = "unanswered"


class CallCounts:
    """Calls since the last ``take``, by the vendor's name of the operation and what came of it.

    Kept in memory and taken into the database now and then: a row for every read would cost more than the read.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, operation: str, status: int | None) -> None:
        """One call; None when no answer came."""
        self._counts[operation, UNANSWERED if status is None else str(status)] += 1

    def take(self) -> Mapping[tuple[str, str], int]:
        """What was counted, which then begins at zero again."""
        taken, self._counts = self._counts, Counter()
        return taken
