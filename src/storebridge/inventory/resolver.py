"""What to do about a write that nobody answered, and what became of it. Pure.

A key or a revision makes the same bytes safe to send again; a blind difference is never sent twice. What sending again
cannot settle is a doubt. It is ended by proof only: by evidence that the other explanation cannot have left. A change
that our write could have made, and a member of staff as well, proves nothing, however likely it is (design, section 4;
docs/decisions/doubts.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from storebridge.connectors.port import WriteStyle
from storebridge.inventory.versions import STALE_AT_MOST, is_older

KEY_LIFETIME = timedelta(hours=23)
"""S3: an idempotency key is believed to be kept for 24 hours; past that the same key could apply twice."""
PATIENCE = timedelta(minutes=15)
"""A doubt about a store that cannot even be read goes to a person after this."""
WAIT_FOR_DELIVERIES = timedelta(seconds=10)
"""How long after a revision refused our write a delivery may come that tells who made it."""
DELIVERED_AGAIN = timedelta(seconds=75)
"""The same after a write was first sent: a delivery that failed, as while nothing of ours ran, comes again after a
minute (W24), and is worth more than a question."""


def may_send_again(style: WriteStyle, first_sent_at: datetime | None, now: datetime) -> bool:
    """Whether the same bytes may go out once more; otherwise the write is in doubt from now on."""
    if style is WriteStyle.REVISION:
        return True  # a fence: it lands at most once, whenever it comes
    if style is not WriteStyle.KEYED:
        return False
    return first_sent_at is None or now - first_sent_at < KEY_LIFETIME


class Sighting(msgspec.Struct, frozen=True):
    """A reading of a counter whose write is in doubt."""

    sent_at: datetime
    level: int | None
    version: str | None
    stamp: str | None = None


class Doubt(msgspec.Struct, frozen=True):
    """What is known about one write in doubt."""

    intent_id: str
    style: WriteStyle
    since: datetime
    """When it was given up to send it again: from then on nobody holds the bytes any more."""
    level_before: int
    version_before: str | None
    delta: int
    sightings: tuple[Sighting, ...] = ()
    """Readings sent after the doubt began, oldest first."""
    author: bool | None = None
    """Whether the store itself said that the very next version was ours (True) or somebody else's (False)."""
    sent_at: datetime | None = None
    """When it was sent first; None: not known."""


class Move(StrEnum):
    """What comes next for a doubt."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    WAIT = "wait"
    ASK = "ask"
    """Two explanations remain: a person looks into the store's admin."""


def next_move(doubt: Doubt, now: datetime, *, late_landing: timedelta) -> Move:
    """Judge a doubt by what was seen so far. ``late_landing`` is T_max: how long a request may still take effect."""
    if not doubt.sightings:
        return Move.WAIT if now - doubt.since < PATIENCE else Move.ASK
    if doubt.author is not None:
        return _settled(doubt.author)
    for sighting in reversed(doubt.sightings):
        applied = _proof(doubt, sighting, late_landing)
        if applied is not None:
            return _settled(applied)
    newest = doubt.sightings[-1]
    patient = late_landing + STALE_AT_MOST
    if doubt.style is WriteStyle.REVISION and newest.version != doubt.version_before:
        patient = _until_deliveries_came(doubt)
    elif is_older(doubt.version_before, newest.version):
        patient = timedelta(0)  # it changed, so that no standstill can prove anything any more
    return Move.ASK if min(newest.sent_at, now) >= doubt.since + patient else Move.WAIT


def _until_deliveries_came(doubt: Doubt) -> timedelta:
    """How long after the doubt began its author may still be told."""
    if doubt.sent_at is None:
        return WAIT_FOR_DELIVERIES
    return max(WAIT_FOR_DELIVERIES, doubt.sent_at + DELIVERED_AGAIN - doubt.since)


def may_land_until(doubt: Doubt, now: datetime, *, late_landing: timedelta) -> datetime | None:
    """Until when a write in doubt may still take effect, so that nobody can say yet that it was not applied; None when
    it cannot any more. A revision that is past refuses it for good."""
    if doubt.style is WriteStyle.REVISION:
        steps = (_steps(doubt.version_before, sighting.version) for sighting in doubt.sightings)
        if any(one is not None and one > 0 for one in steps):
            return None
    until = doubt.since + late_landing + STALE_AT_MOST
    return until if now < until else None


def tells_after(doubt: Doubt, *, applied: bool) -> bool:
    """Whether the last sighting is what the counter shows after the write. A person may have seen it land after that
    sighting; only a revision says so itself."""
    return bool(doubt.sightings) and (not applied or doubt.style is WriteStyle.REVISION)


def _settled(applied: bool) -> Move:
    return Move.APPLIED if applied else Move.NOT_APPLIED


def _proof(doubt: Doubt, sighting: Sighting, late_landing: timedelta) -> bool | None:
    if doubt.style is WriteStyle.REVISION:
        applied = _proof_by_revision(doubt, sighting)
        if applied is not None:
            return applied
    return _proof_by_standstill(doubt, sighting, late_landing)


def _proof_by_revision(doubt: Doubt, sighting: Sighting) -> bool | None:
    """The resend was refused, so a later revision exists and the first sending can never land any more.

    A stamp names the last writer through the API. Without one, a single new revision whose level is not ours was made
    by somebody else. A single one with our level may be ours, or a sale or an edit of the same size (escrow, storm,
    seed 106; mirror, storm, seed 310).
    """
    steps = _steps(doubt.version_before, sighting.version)
    if steps is None or steps < 1 or sighting.level is None:
        return None
    if sighting.stamp is not None:
        return sighting.stamp == doubt.intent_id
    if steps == 1 and sighting.level != doubt.level_before + doubt.delta:
        return False
    return None


def _proof_by_standstill(doubt: Doubt, sighting: Sighting, late_landing: timedelta) -> bool | None:
    """A counter whose version is still the old one when nothing can land any more was not changed by anybody."""
    if sighting.sent_at < doubt.since + late_landing + STALE_AT_MOST:
        return None
    unchanged = sighting.version is not None and sighting.version == doubt.version_before
    return False if unchanged else None


def _steps(before: str | None, seen: str | None) -> int | None:
    if before is None or seen is None or not (before.isdigit() and seen.isdigit()):
        return None
    return int(seen) - int(before)


def evidence_of(
    intent_id: str,
    style: WriteStyle,
    *,
    since: datetime,
    level: int,
    version: str | None,
    delta: int,
    sent_at: datetime,
    read_at: datetime | None,
) -> dict[str, Any]:
    """What is stored when a doubt begins; sightings are added to ``seen``."""
    return {
        "intent": intent_id,
        "style": style.value,
        "sent_at": sent_at.isoformat(),
        "since": since.isoformat(),
        "level_before": level,
        "version_before": version,
        "read_before_at": None if read_at is None else read_at.isoformat(),
        "delta": delta,
        "seen": [],
    }


def doubt_of(evidence: Mapping[str, Any], intent_id: str, author: bool | None = None) -> Doubt:
    """The stored evidence, as the judge needs it."""
    since = datetime.fromisoformat(evidence["since"])
    seen = (
        Sighting(datetime.fromisoformat(at), level, version, *stamp) for at, level, version, *stamp in evidence["seen"]
    )
    return Doubt(
        intent_id=intent_id,
        style=WriteStyle(evidence.get("style", WriteStyle.REVISION.value)),
        since=since,
        level_before=evidence["level_before"],
        version_before=evidence["version_before"],
        delta=evidence["delta"],
        sightings=tuple(sorted((one for one in seen if one.sent_at >= since), key=lambda one: one.sent_at)),
        author=author,
        sent_at=datetime.fromisoformat(evidence["sent_at"]) if evidence.get("sent_at") else None,
    )


def add_sighting(evidence: Mapping[str, Any], sighting: Sighting) -> dict[str, Any]:
    """The evidence with one more reading; the newest twenty are kept."""
    seen = [sighting.sent_at.isoformat(), sighting.level, sighting.version, sighting.stamp]
    return {**evidence, "seen": [*evidence["seen"][-19:], seen]}
