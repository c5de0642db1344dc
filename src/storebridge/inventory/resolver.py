"""Did a revision-guarded write whose answer was lost take effect? Pure; None when two explanations remain.

The resend was refused as stale, so the counter has a later revision than ours was guarded with, and the first sending
can never land any more. Either it made that revision, or somebody else did (design, section 4).
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Doubt(msgspec.Struct, frozen=True):
    """What is known about one write in doubt."""

    level_before: int
    version_before: str | None
    delta: int
    seen_at: datetime
    """When the newest reading after the doubt began was sent."""
    seen_level: int | None
    seen_version: str | None


def judge(doubt: Doubt, unexplained: int, *, uncertain: int = 0, hidden_orders: bool = False) -> bool | None:
    """Applied, not applied, or None: a person must look.

    ``unexplained`` are the units of change up to the reading that neither orders nor settled writes nor booked edits
    explain; ``uncertain`` are units of orders that do not tell whether they took stock; ``hidden_orders`` says that the
    store may have sold on orders that it does not list yet (Wix, INITIALIZED).

    A single new revision whose level is not ours was made by somebody else, whatever the orders say. Otherwise the
    orders must agree; where orders may be hidden they prove nothing, because a sale under way, or one that was taken
    for an edit and came back, can feign either answer (escrow, storm, seed 106; mirror, storm, seed 310).
    """
    steps = _steps(doubt)
    if steps is None or steps < 1 or doubt.seen_level is None:
        return None
    if steps == 1 and doubt.seen_level != doubt.level_before + doubt.delta:
        return False
    if uncertain or hidden_orders:
        return None
    if unexplained == doubt.delta:
        return True
    return False if unexplained == 0 else None


def _steps(doubt: Doubt) -> int | None:
    before, seen = doubt.version_before, doubt.seen_version
    if before is None or seen is None or not (before.isdigit() and seen.isdigit()):
        return None
    return int(seen) - int(before)
