"""The product's pure code against stores of four kinds: seeds hold and replay, and wrong code is caught."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from storebridge.errors import ConfigurationError
from storebridge.inventory.planner import Plan, plan
from storebridge.model.stock import LaneState, Policy
from storebridge.pipeline.plan import lane as planning
from storebridge_proving.simulate.core import run_core_seed
from storebridge_proving.simulate.core.naive import run_naive_seed
from storebridge_proving.simulate.core.play import Play
from storebridge_proving.simulate.picture import SCENES, Point, draw
from storebridge_proving.simulate.seeds import for_people, replay_command, run_seeds


@pytest.mark.parametrize("policy", ["mirror", "escrow", "hybrid"])
def test_twenty_five_seeds_in_a_storm(policy: str) -> None:
    told: list[str] = []
    report = run_seeds(25, policy, "storm", "core", workers=1, tell=told.append)
    assert (report["violations"], report["converged"], report["failing_seeds"]) == (0, 25, []), told
    assert report["wrong_inferences"] == 0
    assert report["held_by_kind"].get("keyed", 0) == report["held_by_kind"].get("stamped", 0) == 0
    if policy == "escrow":
        assert report["units_oversold"] == 0


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
    ],
)
def test_seeds_that_failed_once(seed: int, policy: str) -> None:
    result = run_core_seed(seed, policy, "storm")
    assert (result.violations, result.converged) == ((), True)


@pytest.mark.parametrize("policy", ["escrow", "hybrid"])
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
        "too_many_calls",
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


def test_figures_come_with_n_and_bounds() -> None:
    lines = for_people(run_seeds(5, "escrow", "storm", "core", workers=1))
    assert lines[1] == "seeds with a violation: 0% (0 of 5; 95 %: 0 to 60)"
    assert lines[2].startswith("units oversold: 0 per 10,000 (0 of ")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"scope": "galaxy"}, "'galaxy' is no scope"),
        ({"faults": "drizzle"}, "'drizzle' is no fault profile"),
        ({"policy": "guarded"}, "'guarded' is not built"),
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


def test_the_naive_poller_oversells_where_the_bridge_does_not() -> None:
    assert sum(run_naive_seed(seed, "storm", "scarce").units_oversold for seed in range(1, 6)) > 50
