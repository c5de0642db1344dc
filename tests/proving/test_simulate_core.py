"""The product's pure code against stores of four kinds: seeds hold and replay, and wrong code is caught."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import msgspec
import pytest

from storebridge.errors import ConfigurationError
from storebridge.inventory.planner import Plan, plan
from storebridge.inventory.versions import after
from storebridge.model.stock import LaneState, Policy
from storebridge.pipeline.plan import lane as planning
from storebridge_proving.simulate.core import run_core_seed
from storebridge_proving.simulate.core.naive import run_naive_seed
from storebridge_proving.simulate.core.play import BASELINE_SECONDS, Play
from storebridge_proving.simulate.core.stores import Kind
from storebridge_proving.simulate.picture import SCENES, Point, draw
from storebridge_proving.simulate.result import SeedResult
from storebridge_proving.simulate.seeds import for_people, replay_command, report_of, run_seeds


@pytest.mark.simulation
@pytest.mark.parametrize("policy", ["mirror", "escrow", "hybrid", "guarded"])
def test_twenty_five_seeds_in_a_storm(policy: str) -> None:
    told: list[str] = []
    report = run_seeds(25, policy, "storm", "core", workers=1, tell=told.append)
    assert (report["violations"], report["converged"], report["failing_seeds"]) == (0, 25, []), told
    assert report["wrong_inferences"] == 0
    assert report["held_by_kind"].get("keyed", 0) == report["held_by_kind"].get("stamped", 0) == 0
    if policy == "escrow":
        assert report["units_oversold"] == 0


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("seed", "policy"),
    [
        (4, "escrow"),  # a keyed counter was refused for an hour, because its reads were set aside
        (200099, "escrow"),  # units stayed in the reserve, waiting for a read that nobody asked for
        (201327, "escrow"),  # shares moved because sales figures aged
        (16, "escrow"),  # shares moved although nobody did anything
        (9, "hybrid"),  # both stores cut off one after the other
        (42, "hybrid"),  # a write before the first read
        (45, "hybrid"),  # a busy store of which nothing was known yet
        (47, "hybrid"),  # two counters took turns for ever
        (1254, "guarded"),  # sold by shares while the guard came back, and held by nobody
        (2036, "guarded"),  # a fall was taken for the wrong checkout's order
        (2315, "guarded"),  # units that a checkout held were handed out while goods were divided
        (323, "escrow"),  # judged at rest although a plan waited for a reading
        (8936, "escrow"),  # the same, and the reading was not an occasion to plan, as it is in the product
        (1254, "escrow"),  # a sale and a return that were not read yet added up to what was known
        (8618, "escrow"),  # a hold waited for its person
    ],
)
def test_seeds_that_failed_once(seed: int, policy: str) -> None:
    result = run_core_seed(seed, policy, "storm")
    assert (result.violations, result.converged) == ((), True)


def test_a_write_that_waits_for_a_reading_goes_out_when_it_comes_and_until_then_nothing_rests() -> None:
    """A counter has changed since it was read, and its next reading shows the same level: nothing moved, and still it
    is an occasion to plan. Seed 8936 went on a minute later, when it had been judged to be at rest."""
    play = Play(2, Policy.ESCROW, "none", "scarce", 0.001)
    play.timeline.run(BASELINE_SECONDS, play.checks.look)
    bridge, (dry, full, *_) = play.bridge, play.stores.values()
    assert (dry.kind, full.kind, play._waiting()) == (Kind.KEYED, Kind.REVISION, False)
    for key, stored in bridge.lane.positions.items():
        if key.connection == full.name:
            surpassed = msgspec.structs.replace(stored.position, version=after(stored.position.version))
            bridge.lane.positions[key] = msgspec.structs.replace(stored, position=surpassed)
    play.plan.weather.webhook_loss = 1.0  # staff type a wrong number and mend it; nobody tells us
    for listing in full.states:
        full.edit(listing, 1)
        full.edit(listing, -1)
    play.plan.weather.webhook_loss = 0.0
    for listing in dry.states:
        dry.sell(listing, dry.level(listing))
    play.timeline.run(BASELINE_SECONDS + 6.0, play.checks.look)
    assert (bridge.wants_to_write, bridge.is_looking, bridge.lane.intents) == (True, False, {})
    assert play._waiting()
    play.timeline.run(BASELINE_SECONDS + 6.0 + play.plan.sweep_seconds + 5.0, play.checks.look)
    assert (play._waiting(), play.disagreement(), play.checks.violations) == (False, "", [])
    assert all(dry.level(listing) > 0 for listing in dry.states)


def test_a_delivery_that_finds_no_process_comes_again_after_a_minute() -> None:
    play = Play(2, Policy.ESCROW, "none", "scarce", 0.001)
    play.timeline.run(BASELINE_SECONDS, play.checks.look)
    bridge, (_, store) = play.bridge, play.stores.values()
    bridge.crash()
    store.edit("item0", 1)
    made = (store.name, "item0", store.states["item0"][-1].revision)
    play.timeline.run(BASELINE_SECONDS + 50.0, play.checks.look)
    assert (bridge.alive, bridge._authors.get(made)) == (True, None)
    play.timeline.run(BASELINE_SECONDS + 64.0, play.checks.look)
    assert bridge._authors.get(made) is False


def test_a_silent_store_gets_nothing_new_that_could_become_a_question() -> None:
    play = Play(2, Policy.ESCROW, "none", "scarce", 0.001)
    play.timeline.run(BASELINE_SECONDS, play.checks.look)
    bridge, (_, store) = play.bridge, play.stores.values()
    play.plan.weather.partitions[store.name] = [(BASELINE_SECONDS, BASELINE_SECONDS + 300.0)]
    store.edit("item0", 1)
    play.timeline.run(BASELINE_SECONDS + 30.0, play.checks.look)  # the delivery comes, and nobody answers the read
    play._book(40, play.goods)
    play.timeline.run(BASELINE_SECONDS + 250.0, play.checks.look)
    waiting = [one.state for one in bridge.lane.intents.values() if one.position.connection == store.name]
    assert (waiting, bridge.ambiguous) == (["planned"], set())
    play.timeline.run(BASELINE_SECONDS + 330.0, play.checks.look)
    assert (play._waiting(), play.disagreement(), play.checks.violations) == (False, "", [])


def test_a_day_and_a_half_in_which_nobody_buys_moves_no_shares() -> None:
    """One store sells a hundred units in an evening, so it is shown most of what is left; when those sales are older
    than a day nothing has happened (I6)."""
    play = Play(2, Policy.ESCROW, "none", "scarce", 0.001)
    play.timeline.run(BASELINE_SECONDS, play.checks.look)
    busy, idle = play.stores.values()
    play._book(160, play.goods)
    for evening in range(1, 51):
        play.timeline.run(BASELINE_SECONDS + 60.0 * evening, play.checks.look)
        assert busy.sell("item0", 2)
    play._book(100, play.goods)
    play.timeline.run(2 * 3600.0, play.checks.look)
    shown, writes = (busy.level("item0"), idle.level("item0")), play.bridge.writes
    assert (shown, play.disagreement(), play.checks.violations) == ((152, 32), "", [])
    play.timeline.run(36 * 3600.0, play.checks.look)
    assert (busy.level("item0"), idle.level("item0"), play.bridge.writes) == (*shown, writes)


@pytest.mark.simulation
@pytest.mark.parametrize("policy", ["escrow", "hybrid", "guarded"])
def test_goods_for_a_week(policy: str) -> None:
    result = run_core_seed(1, policy, "some", "week")
    assert (result.violations, result.units_oversold, result.converged) == ((), 0, True)
    assert result.sales > 20


def test_a_seed_replays_byte_for_byte() -> None:
    assert run_core_seed(3, "escrow", "storm") == run_core_seed(3, "escrow", "storm")
    assert run_core_seed(3, "escrow", "storm").digest != run_core_seed(4, "escrow", "storm").digest


def test_a_storm_strikes_with_every_kind_of_fault() -> None:
    struck: set[str] = set()
    for seed in range(1, 13):
        play = Play(seed, Policy.ESCROW, "storm", "scarce", 0.001)
        play.run()
        struck |= play.struck
    assert struck == {
        "crash",
        "late_landing",
        "lost_answer",
        "lost_request",
        "partition",
        "restore",
        "too_many_calls",
        "undo",
        "webhook_delay",
        "webhook_duplicate",
        "webhook_loss",
    }


def test_a_planner_that_never_lowers_is_caught_and_the_replay_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_raises(state: LaneState) -> Plan:
        return Plan(tuple(write for write in plan(state).writes if write.delta > 0))

    monkeypatch.setattr(planning, "plan", only_raises)
    told: list[str] = []
    report = run_seeds(4, "escrow", "none", "core", workers=1, tell=told.append)
    assert report["failing_seeds"]
    failing = report["failing_seeds"][-1]
    assert f"  again with: {replay_command(failing, 'escrow', 'none', 'core')}" in told


def test_what_live_checkouts_hold_and_what_went_past_the_guard_are_counted_apart() -> None:
    report = run_seeds(12, "guarded", "storm", "core", workers=1)
    assert report["violations"] == 0
    assert report["refused_held"] > 0
    assert report["units_past"] > 0
    lines = for_people(report)
    assert lines[4].startswith("sales refused because live checkouts held the units: ")
    assert lines[5].startswith(f"units that went past the guard: {report['units_past']} of ")


def test_a_storm_tries_the_books_as_well() -> None:
    """A limit of written units, slips that are taken back, old databases that are put back, orders called off."""
    tried: set[str] = set()
    for seed in range(1, 31):
        play = Play(seed, Policy.MIRROR, "storm", "scarce", 0.001)
        assert play.run().violations == ()
        tried |= play.struck
        tried |= {"limit"} if play.bridge.limit.counted_from > 60.0 else set()
        tried |= {"void"} if any(cause.startswith("void:") for cause in play.bridge.books.causes) else set()
    assert tried >= {"limit", "undo", "restore", "void"}


def test_figures_come_with_n_and_bounds() -> None:
    lines = for_people(run_seeds(5, "escrow", "storm", "core", workers=1))
    assert lines[1] == "seeds with a violation: 0% (0 of 5; 95 %: 0 to 60)"
    assert lines[2].startswith("units oversold: 0 per 10,000 (0 of ")


def test_how_long_the_bridge_itself_needs_is_told_apart_from_the_waits_for_a_person() -> None:
    asked = SeedResult(1, (), True, 1, 0, converged_seconds=80.0, store_kinds=("keyed", "revision"))
    asked = replace(asked, waits=(("a person, about a write in doubt", 55.0), ("the next process", 20.0)))
    blind = SeedResult(2, (), True, 1, 0, converged_seconds=125.0, store_kinds=("keyed", "blind"))
    (line,) = [one for one in for_people(report_of([asked, blind])) if one.startswith("seconds until")]
    assert line.endswith("p50 80, p99 125; without blind stores p99 80, and 25 without the waits for a person")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"scope": "galaxy"}, "'galaxy' is no scope"),
        ({"faults": "drizzle"}, "'drizzle' is no fault profile"),
        ({"policy": "best"}, "'best' is no policy"),
        ({"workload": "year"}, "'year' is no workload"),
        ({"risk": 0.0}, "--risk takes a chance"),
        ({"seeds": 0}, "0 seeds are none"),
    ],
)
def test_what_does_not_exist_is_refused(changes: dict[str, object], sentence: str) -> None:
    asked = {"seeds": 1, "policy": "mirror", "faults": "none", "scope": "core", **changes}
    with pytest.raises(ConfigurationError, match=sentence):
        run_seeds(**asked)  # type: ignore[arg-type]


def test_the_picture_places_every_policy_and_marks_what_was_never_seen() -> None:
    points = [
        Point("escrow", SCENES[0][2], 0.25, 6.6, none_seen=True),
        Point("naive poller", SCENES[1][2], 12.0, 800.0, none_seen=False),
    ]
    picture = draw(points)
    root = ElementTree.fromstring(picture)
    labels = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"escrow", "naive poller", "0.01 %", "10000"} <= set(labels)
    assert (picture.count("<path"), picture.count("<circle"), picture.count("<rect")) == (1, 2, 3)


@pytest.mark.simulation
def test_the_naive_poller_oversells_where_the_bridge_does_not() -> None:
    assert sum(run_naive_seed(seed, "storm", "scarce").units_oversold for seed in range(1, 6)) > 50
