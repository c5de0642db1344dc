"""A write that nobody answered: sent again where that is safe, judged where proof exists, else given to a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from storebridge.connectors.port import WriteStyle
from storebridge.inventory.resolver import (
    Doubt,
    Move,
    Sighting,
    add_sighting,
    doubt_of,
    evidence_of,
    may_land_until,
    may_send_again,
    next_move,
    tells_after,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
T_MAX = timedelta(seconds=120)
SECOND = timedelta(seconds=1)
AT_NINE = "2026-03-02T09:00:00.000+00:00"
AT_TEN = "2026-03-02T10:00:00.000+00:00"


@pytest.mark.parametrize(
    ("style", "hours", "again"),
    [
        (WriteStyle.KEYED, 1, True),
        (WriteStyle.KEYED, 22.99, True),
        (WriteStyle.KEYED, 23, False),  # the vendor may have forgotten the key
        (WriteStyle.REVISION, 100, True),  # a fence lands at most once, whenever it comes
        (WriteStyle.BLIND, 0, False),  # each sending would count
        (WriteStyle.NONE, 0, False),
    ],
)
def test_only_a_fresh_key_or_a_revision_makes_the_same_bytes_safe_to_send_again(
    style: WriteStyle, hours: float, again: bool
) -> None:
    assert may_send_again(style, NOON, NOON + timedelta(hours=hours)) is again


def _revision(*seen: Sighting, delta: int = -3, author: bool | None = None) -> Doubt:
    return Doubt("i-1", WriteStyle.REVISION, NOON, 10, "7", delta, seen, author)


def _saw(level: int | None, version: str | None, *, after: float = 1.0, stamp: str | None = None) -> Sighting:
    return Sighting(NOON + timedelta(seconds=after), level, version, stamp)


@pytest.mark.parametrize(
    ("seen", "move"),
    [
        ((), Move.WAIT),
        ((_saw(8, "8"),), Move.NOT_APPLIED),  # one change, and it is not ours
        ((_saw(7, "8"),), Move.WAIT),  # ours, or a sale of three
        ((_saw(7, "8", after=9.0),), Move.WAIT),  # a delivery may still name the author
        ((_saw(7, "8", after=10.0),), Move.ASK),
        ((_saw(7, "9", after=60.0),), Move.ASK),
        ((_saw(7, "7"),), Move.WAIT),
        ((_saw(None, "8"),), Move.WAIT),
        ((_saw(7, None),), Move.WAIT),
        ((_saw(7, AT_NINE),), Move.WAIT),
        ((_saw(7, "8", stamp="i-1"),), Move.APPLIED),
        ((_saw(3, "12", stamp="i-1"),), Move.APPLIED),  # sales since do not touch the stamp
        ((_saw(7, "8", stamp=""),), Move.NOT_APPLIED),
        ((_saw(7, "9", stamp="i-0"),), Move.NOT_APPLIED),
        ((_saw(7, "7", stamp="i-0"),), Move.WAIT),  # a replica that lags shows the stamp from before
        ((_saw(8, "8"), _saw(5, "9", after=70.0)), Move.NOT_APPLIED),  # an earlier sighting is proof enough
    ],
)
def test_a_doubt_about_a_guarded_write_ends_only_where_one_explanation_remains(
    seen: tuple[Sighting, ...], move: Move
) -> None:
    assert next_move(_revision(*seen), NOON + 90 * SECOND, late_landing=T_MAX) is move


@pytest.mark.parametrize(
    ("sent_before", "after", "move"),
    [
        (15.0, 59.0, Move.WAIT),  # a delivery that failed, while nothing of ours ran, comes again after a minute
        (15.0, 60.0, Move.ASK),
        (70.0, 9.0, Move.WAIT),
        (70.0, 10.0, Move.ASK),
        (2400.0, 10.0, Move.ASK),  # sent again for so long: what it could tell was told
    ],
)
def test_a_person_is_asked_when_a_delivery_of_the_first_sending_had_the_time_to_come_twice(
    sent_before: float, after: float, move: Move
) -> None:
    doubt = structs.replace(_revision(_saw(7, "8", after=after)), sent_at=NOON - timedelta(seconds=sent_before))
    assert next_move(doubt, NOON + timedelta(seconds=after), late_landing=T_MAX) is move


@pytest.mark.parametrize(("author", "move"), [(True, Move.APPLIED), (False, Move.NOT_APPLIED)])
def test_the_store_that_names_the_author_of_the_next_revision_decides(author: bool, move: Move) -> None:
    assert next_move(_revision(_saw(7, "9"), author=author), NOON + SECOND, late_landing=T_MAX) is move
    assert next_move(_revision(author=author), NOON + SECOND, late_landing=T_MAX) is Move.WAIT


@pytest.mark.parametrize("delta", [-3, 3])
@pytest.mark.parametrize("style", [WriteStyle.BLIND, WriteStyle.KEYED])
@pytest.mark.parametrize(
    ("after", "version", "move"),
    [
        (1.0, AT_TEN, Move.ASK),  # it changed: no standstill can prove anything any more
        (139.0, None, Move.WAIT),
        (139.0, AT_NINE, Move.WAIT),  # it may still land, or a replica may still hide it
        (140.0, AT_NINE, Move.NOT_APPLIED),
        (140.0, AT_TEN, Move.ASK),
        (140.0, None, Move.ASK),
    ],
)
def test_a_blind_write_is_settled_only_by_a_counter_that_nobody_touched(
    style: WriteStyle, delta: int, after: float, version: str | None, move: Move
) -> None:
    doubt = Doubt("i-1", style, NOON, 10, AT_NINE, delta, (_saw(10, version, after=after),))
    assert next_move(doubt, NOON + timedelta(seconds=after), late_landing=T_MAX) is move


def test_a_change_of_exactly_our_size_is_no_proof_on_a_blind_store() -> None:
    """Two worlds with the same readings: our lower of three landed, or staff took three off. No rule can tell."""
    doubt = Doubt("i-1", WriteStyle.BLIND, NOON, 10, AT_NINE, -3, (_saw(7, AT_TEN, after=150.0),))
    assert next_move(doubt, NOON + timedelta(seconds=150), late_landing=T_MAX) is Move.ASK


def test_a_store_that_cannot_be_read_for_a_quarter_of_an_hour_is_a_persons_matter() -> None:
    assert next_move(_revision(), NOON + timedelta(minutes=14), late_landing=T_MAX) is Move.WAIT
    assert next_move(_revision(), NOON + timedelta(minutes=15), late_landing=T_MAX) is Move.ASK


def test_evidence_survives_being_stored_and_only_what_was_seen_after_the_doubt_began_counts() -> None:
    told: dict[str, Any] = {"since": NOON, "level": 10, "version": "7", "delta": -3, "sent_at": NOON, "read_at": None}
    evidence = evidence_of("i-1", WriteStyle.REVISION, **told)
    early = add_sighting(evidence, _saw(9, "8", after=-1.0))
    both = add_sighting(early, _saw(7, "9", stamp="i-1"))
    assert doubt_of(both, "i-1") == structs.replace(_revision(_saw(7, "9", stamp="i-1")), sent_at=NOON)
    older = {**evidence, "seen": [[NOON.isoformat(), 7, "8"]]}
    del older["style"]  # as an earlier release stored it
    assert doubt_of(older, "i-1") == structs.replace(_revision(_saw(7, "8", after=0.0)), sent_at=NOON)


@pytest.mark.parametrize(("after", "move"), [(60.0, Move.WAIT), (139.0, Move.WAIT), (140.0, Move.NOT_APPLIED)])
def test_a_guarded_write_whose_counter_stands_still_is_waited_out(after: float, move: Move) -> None:
    """Its resend was refused for another reason than its revision, so the first sending may still land for a while."""
    doubt = _revision(_saw(10, "7", after=after, stamp="i-0"))
    assert next_move(doubt, NOON + timedelta(seconds=after), late_landing=T_MAX) is move


def test_nobody_can_say_not_applied_while_the_write_may_still_land() -> None:
    """A blind one lands within T_max, a replica hides it for a while longer; a revision that is past refuses it."""
    blind = Doubt("i-1", WriteStyle.BLIND, NOON, 10, AT_NINE, -3, (_saw(9, AT_TEN),))
    end = NOON + timedelta(seconds=140)
    assert may_land_until(blind, end - SECOND, late_landing=T_MAX) == end
    assert may_land_until(blind, end, late_landing=T_MAX) is None
    assert may_land_until(_revision(_saw(10, "7")), NOON + SECOND, late_landing=T_MAX) == end
    assert may_land_until(_revision(_saw(7, "8")), NOON + SECOND, late_landing=T_MAX) is None


def test_what_was_seen_before_a_person_saw_a_blind_write_land_is_not_taken_over() -> None:
    """It may be older than the landing: a level of zero or more would credit units that were sold (the search)."""
    blind = Doubt("i-1", WriteStyle.BLIND, NOON, 10, AT_NINE, -3, (_saw(9, AT_TEN),))
    assert (tells_after(blind, applied=True), tells_after(blind, applied=False)) == (False, True)
    assert (tells_after(_revision(_saw(7, "8")), applied=True), tells_after(_revision(), applied=True)) == (True, False)


def test_readings_of_a_doubt_are_judged_in_the_order_in_which_they_set_out() -> None:
    told: dict[str, Any] = {"since": NOON, "level": 10, "version": "7", "delta": -3, "sent_at": NOON, "read_at": None}
    evidence = evidence_of("i-1", WriteStyle.REVISION, **told)
    for seconds in (5.0, 2.0):
        evidence = add_sighting(evidence, _saw(7, "8", after=seconds))
    assert doubt_of(evidence, "i-1").sightings == (_saw(7, "8", after=2.0), _saw(7, "8", after=5.0))
