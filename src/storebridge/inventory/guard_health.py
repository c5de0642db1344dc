"""How far a checkout's guard can be relied on, from what was measured and seen. Pure.

The guard of a store is relied on when the store has asked, when own probes of the guard's public address are answered
in time, and when the stores that it lowers can be reached. A store some of whose orders went past it is kept apart by
what it could sell meanwhile. (Promise: docs/guarantee.md.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from storebridge.model.checkouts import GuardMode, GuardTerms

FAILED = -1
"""A probe that was not answered."""
KEPT_PROBES = 12
BAD_IN_A_ROW = 2
GOOD_IN_A_ROW = 3
PAST_COUNTS_FOR = timedelta(hours=24)
"""For so long after an order went past the guard, others are expected to."""


class GuardFacts(msgspec.Struct, frozen=True):
    """What is known of one guard."""

    mode: GuardMode
    proven_at: datetime | None
    past_at: datetime | None
    probes: Sequence[int]
    """Milliseconds, oldest first; FAILED for one that was not answered."""
    unreachable: str | None
    """A store that could not be lowered now, and why; None when all can."""


def judge_guard(facts: GuardFacts, terms: GuardTerms, now: datetime) -> tuple[GuardMode, str]:
    """What ``guarded`` means now, and why it is not more."""
    if facts.proven_at is None:
        return GuardMode.SHARES, "the store's checkout has not asked yet"
    if facts.unreachable is not None:
        return GuardMode.SHARES, facts.unreachable
    if (bad := _not_well(facts, terms)) is not None:
        return GuardMode.SHARES, bad
    if terms.bypass_channels:
        return GuardMode.BOUNDED, "the site has ways to buy that do not ask"
    if facts.past_at is not None and now - facts.past_at < PAST_COUNTS_FOR:
        return GuardMode.BOUNDED, f"an order went past it at {facts.past_at:%Y-%m-%d %H:%M} UTC"
    return GuardMode.GUARDED, ""


def _not_well(facts: GuardFacts, terms: GuardTerms) -> str | None:
    """Two bad probes in a row end it; three good ones in a row bring it back."""
    most = terms.answer_within / timedelta(milliseconds=1)
    bad = [not 0 <= milliseconds <= most for milliseconds in facts.probes]
    if facts.mode is GuardMode.SHARES:
        if len(bad) < GOOD_IN_A_ROW or any(bad[-GOOD_IN_A_ROW:]):
            return f"its last {GOOD_IN_A_ROW} probes were not all answered within {most:.0f} ms"
        return None
    if len(bad) >= BAD_IN_A_ROW and all(bad[-BAD_IN_A_ROW:]):
        return f"its last {BAD_IN_A_ROW} probes were not answered within {most:.0f} ms"
    return None
