"""Every interleaving of few events holds the invariants, and planted bugs are caught."""

from __future__ import annotations

import pytest

from storebridge_proving.simulate.core.stores import Kind
from storebridge_proving.simulate.explore import OPENINGS, PAIRS, explore, fingerprint, opened, steps, work
from storebridge_proving.simulate.mutants import MUTANTS, Mutant, hunt, planted

QUICK = [mutant for mutant in MUTANTS if mutant.events == 3]


@pytest.mark.parametrize("kinds", PAIRS, ids=lambda kinds: "+".join(kinds))
def test_every_interleaving_of_three_events_holds_from_every_opening(kinds: tuple[Kind, Kind]) -> None:
    for opening in OPENINGS:
        found = explore(kinds, opening, 3)
        assert (found.violation, found.path) == ("", ())
        assert found.states > 20


def test_a_crash_is_tried_after_every_event() -> None:
    world = work(opened((Kind.KEYED, Kind.BLIND), (2, 0)))
    for name, step in steps(world):
        after = work(step(world))
        assert name == "crash" or "crash" in [following for following, _ in steps(after)]


def test_states_that_differ_only_in_names_and_hours_are_walked_once() -> None:
    world = work(opened((Kind.KEYED, Kind.STAMPED), (2, 0)))
    by_name = dict(steps(world))
    one = work(by_name["sale in 0"](world))
    again = work(by_name["sale in 0"](world))
    assert fingerprint(one) == fingerprint(again) != fingerprint(world)


def test_there_are_thirty_planted_bugs_with_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 30


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught(mutant: Mutant) -> None:
    assert hunt(mutant, 60).by


def test_a_bug_is_taken_out_again() -> None:
    mutant = next(one for one in MUTANTS if one.name == "raise before lower")
    with planted(mutant):
        assert explore((Kind.KEYED, Kind.STAMPED), (2, 0), 2).violation
    assert not explore((Kind.KEYED, Kind.STAMPED), (2, 0), 2).violation
