"""Every interleaving of few events holds the invariants, and planted bugs are caught."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from storebridge_proving.simulate import likeness
from storebridge_proving.simulate.core.stores import Kind
from storebridge_proving.simulate.explore import OPENINGS, PAIRS, World, explore, fingerprint, opened, steps, work
from storebridge_proving.simulate.mutants import MUTANTS, Mutant, hunt, planted

OPENED, EVENTS, BEAM, COMPARED, ONWARDS = 3, 7, 60, 12, 3
"""Openings, events, worlds that go on after each, pairs of either sort, and events that they are followed for."""
QUICK = [mutant for mutant in MUTANTS if mutant.events in (0, 3)]


@pytest.mark.simulation
@pytest.mark.parametrize("kinds", PAIRS, ids=lambda kinds: "+".join(kinds))
def test_every_interleaving_of_four_events_holds_from_every_opening(kinds: tuple[Kind, Kind]) -> None:
    for opening in OPENINGS:
        found = explore(kinds, opening, 4)
        assert (found.violation, found.path) == ("", ())
        assert found.transitions > found.states > 60
        assert found.seconds > 0


@pytest.mark.simulation
@pytest.mark.parametrize("kinds", PAIRS, ids=lambda kinds: "+".join(kinds))
def test_worlds_that_count_as_alike_go_on_alike(kinds: tuple[Kind, Kind]) -> None:
    """Of worlds that are not walked because a like one was: each event leads both to worlds that count as alike again,
    and so on for several events."""
    told_apart = list(comparisons(kinds))
    assert (any(told_apart), len(told_apart) > 200) == (False, True)


@pytest.mark.parametrize(
    ("left_out", "nothing", "kinds"),
    [
        ("_revision", (False, 0), (Kind.KEYED, Kind.STAMPED)),
        ("_revision", (False, 0), (Kind.KEYED, Kind.REVISION)),
        ("_revision", (False, 0), (Kind.BLIND, Kind.REVISION)),
        ("_is_fresh", False, (Kind.KEYED, Kind.BLIND)),
        ("_weight", (False, 0, 0), (Kind.KEYED, Kind.BLIND)),
    ],
)
def test_a_fingerprint_that_leaves_out_what_matters_is_found(
    left_out: str, nothing: object, kinds: tuple[Kind, Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likeness, left_out, lambda *_: nothing)
    assert any(comparisons(kinds))


def comparisons(kinds: tuple[Kind, Kind]) -> Iterator[bool]:
    """Of each pair that counts as alike, whether it parts later on."""
    for number in range(OPENED):
        chance = random.Random(f"{kinds} {number}")
        for one, other in alike_pairs(kinds, chance):
            yield parts(one, other, chance)


def alike_pairs(kinds: tuple[Kind, Kind], chance: random.Random) -> Iterator[tuple[World, World]]:
    """From a random opening, a beam of random worlds through seven events, and of each event some of the pairs that
    count as alike: half of them with counters that were moved more often in the one than in the other."""
    start = work(opened(kinds, chance.choice(OPENINGS)))
    first, level = {fingerprint(start): start}, [start]
    for _ in range(EVENTS):
        following, plain, telling = list[World](), list[tuple[World, World]](), list[tuple[World, World]]()
        for world in level:
            for _, step in steps(world):
                after = work(step(world))
                like = first.setdefault(fingerprint(after), after)
                if like is after:
                    following.append(after)
                elif like.lane.intents or like.readings:
                    (plain if _revisions(like) == _revisions(after) else telling).append((like, after))
        for pairs in (telling, plain):
            yield from chance.sample(pairs, min(len(pairs), COMPARED))
        level = chance.sample(following, min(len(following), BEAM))


def parts(one: World, other: World, chance: random.Random) -> bool:
    """Whether two worlds do not count as alike any more after some event, or after one of several at random."""
    for _ in range(ONWARDS):
        here, there = _next(one), _next(other)
        if here.keys() != there.keys():
            return True
        mark = chance.choice(list(here))
        one, other = here[mark], there[mark]
    return False


def _next(world: World) -> dict[object, World]:
    return {fingerprint(after): after for _, step in steps(world) for after in (work(step(world)),)}


def _revisions(world: World) -> list[int]:
    return [counter.revision for counter in world.counters]


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


@pytest.mark.simulation
@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught(mutant: Mutant) -> None:
    assert hunt(mutant, 60).by


def test_a_bug_is_taken_out_again() -> None:
    mutant = next(one for one in MUTANTS if one.name == "raise before lower")
    with planted(mutant):
        assert explore((Kind.KEYED, Kind.STAMPED), (2, 0), 2).violation
    assert not explore((Kind.KEYED, Kind.STAMPED), (2, 0), 2).violation
