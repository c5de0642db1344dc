"""The pure planner against the tiny model: seeds hold, replay, and the model can tell a wrong planner."""

from __future__ import annotations

import pytest

from storebridge.errors import ConfigurationError
from storebridge.inventory.planner import Plan, plan
from storebridge.model.stock import LaneState
from storebridge_proving.simulate import core
from storebridge_proving.simulate.seeds import replay_command, run_seeds


@pytest.mark.parametrize("policy", ["mirror", "escrow"])
def test_twenty_seeds_in_a_storm(policy: str) -> None:
    told: list[str] = []
    report = run_seeds(20, policy, "storm", "core", workers=1, tell=told.append)
    assert (report["violations"], report["converged"], report["failing_seeds"]) == (0, 20, []), told
    assert report["minima"]["skus"] == 10
    assert report["minima"]["fault_kinds"] == 2
    if policy == "escrow":
        assert report["units_oversold"] == 0


def test_a_seed_replays_byte_for_byte() -> None:
    assert core.run_core_seed(3, "escrow", "storm") == core.run_core_seed(3, "escrow", "storm")
    assert core.run_core_seed(3, "escrow", "storm").digest != core.run_core_seed(4, "escrow", "storm").digest


def test_a_planner_that_never_lowers_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_raises(state: LaneState) -> Plan:
        return Plan(tuple(write for write in plan(state).writes if write.delta > 0))

    monkeypatch.setattr(core, "plan", only_raises)
    told: list[str] = []
    report = run_seeds(1, "escrow", "none", "core", workers=1, tell=told.append)
    assert report["failing_seeds"] == [1]
    assert told[1] == f"  again with: {replay_command(1, 'escrow', 'none', 'core')}"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"scope": "galaxy"}, "'galaxy' is no scope"),
        ({"faults": "drizzle"}, "'drizzle' is no fault profile"),
        ({"policy": "hybrid"}, "'hybrid' is not built"),
        ({"seeds": 0}, "0 seeds are none"),
    ],
)
def test_what_does_not_exist_is_refused(changes: dict[str, object], sentence: str) -> None:
    asked = {"seeds": 1, "policy": "mirror", "faults": "none", "scope": "core", **changes}
    with pytest.raises(ConfigurationError, match=sentence):
        run_seeds(**asked)  # type: ignore[arg-type]
