"""Switches by name: what can be typed, what is refused, and that every assumption is a switch or says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storebridge.cli.main import run_command
from storebridge.cli.sandbox import read_faults
from storebridge_sandbox.switches import SwitchUnknown, all_switches, read_assignments, set_switches, shown


def test_every_switch_has_another_setting_and_says_what_it_means() -> None:
    assert {name for name, one in all_switches().items() if not one.others or not one.meaning} == set()


@pytest.mark.parametrize("name", all_switches())
def test_every_setting_can_be_typed_as_it_is_shown(name: str) -> None:
    switch = all_switches()[name]
    store, _, field = name.partition(".")
    for value in (switch.default, *switch.others):
        options = set_switches(read_assignments([f"{name}={shown(value)}"]))[store == "wix"]
        assert getattr(options, field) == value


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("shopify.stale=1", "do you mean shopify.stale_code"),
        ("shopify.stale_code", "say NAME=VALUE"),
        ("wix.w14_calls_per_minute=lots", "for example 200, none, 60"),
        ("shopify.replay_answer=maybe", "for example current, stored"),
        ("shopify.batch_is_atomic=perhaps", "for example true, false"),
    ],
)
def test_what_is_no_setting_is_refused_with_what_there_is(typed: str, told: str) -> None:
    with pytest.raises(SwitchUnknown, match=told):
        set_switches(read_assignments([typed]))


def test_the_command_names_them_and_refuses_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["sandbox", "--list-switches", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out.splitlines()[-1])["switches"]
    assert {one["name"] for one in listed} == set(all_switches())
    assert run_command(["sandbox", "--switch", "wix.w99=1"]) == 2
    assert "there is no switch wix.w99" in capsys.readouterr().err


def test_a_file_holds_faults_a_timeline_and_switches(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    path.write_text(
        'latency_ms = [1, 2]\n[switches.wix]\nw14_calls_per_minute = 60\n[switches.shopify]\nstale_code = "none"\n'
        '[[steps]]\nat_seconds = 20\nfor_seconds = 60\nstore = "wix"\nfaults = { http_429 = 1.0 }\n'
    )
    settings, switches = read_faults(str(path))
    shopify, wix = set_switches(switches)
    assert (settings.latency_ms, settings.steps[0].at_seconds) == ((1, 2), 20)
    assert (shopify.stale_code, wix.w14_calls_per_minute) == (None, 60)
