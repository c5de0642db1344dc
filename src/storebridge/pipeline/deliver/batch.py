"""How many rows the next call carries.

Where one stale row refuses a whole call (S2), a big batch under load would rarely go through: the size halves when a
call was spoiled (rows were not tried, or are in doubt) and doubles when one went through. A call that a vendor refuses
as a whole without naming a row is halved until the poisoned row stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from storebridge.connectors.port import Blame, CallTrouble, Remedy, RowAnswer, RowOutcome


class BatchSize:
    """Between one row and what the vendor allows."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self.rows = most_rows

    def answered(self, answers: Sequence[RowAnswer], *, refuses_all: bool) -> None:
        spoiled = any(answer.outcome in (RowOutcome.NOT_TRIED, RowOutcome.UNCLEAR) for answer in answers)
        if spoiled and refuses_all:
            self.rows = max(1, len(answers) // 2)
        else:
            self.rows = min(self._most_rows, self.rows * 2)

    def troubled(self, trouble: CallTrouble) -> None:
        if trouble.remedy is Remedy.STOP and trouble.blame is Blame.OURSELVES:
            self.rows = max(1, self.rows // 2)
