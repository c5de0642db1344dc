"""Audit records and figures as a person reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from storebridge.web.console.records import LONGEST_GIST, gist, plainly, pretty
from storebridge.web.console.render import count, duration

MOVED: dict[str, Any] = {
    "normalized": {"movements": [["shopify", "i", "l", -1, 3]], "answers": []},
    "planned": {"writes": [["wix", "i", "l", 3, 1], ["wix", "j", "l", 2, 1]], "replaced": []},
    "validated": {"opened": ["change_held"]},
    "trigger": "ReadCameBack",
}


@pytest.mark.parametrize(
    ("kind", "content", "told"),
    [
        ("signal", {"topic": "orders/create", "problem": "", "points_at": []}, "orders/create"),
        ("signal", {"topic": "orders/create", "problem": "no signature"}, "orders/create: no signature"),
        ("decision", MOVED, "read came back: 1 movement, 2 writes, opened change held"),
        ("decision", {"trigger": "PersonChanged"}, "person changed: nothing to do"),
        (
            "write_answered",
            {"operation": "set", "rows": [["a", "applied", ""], ["b", "not_applied", ""], ["c", "applied", ""]]},
            "set: 2 applied, 1 not applied",
        ),
        ("goods_receive", {"units": 6, "group": "main", "note": "", "more": [1]}, "units 6, group main"),
    ],
)
def test_a_record_is_told_in_one_line(kind: str, content: dict[str, Any], told: str) -> None:
    assert gist(json.dumps(content), kind) == told


def test_what_is_no_record_is_shown_as_it_is() -> None:
    assert gist("not json", "decision") == "not json"
    assert gist("[1]", "signal") == "[1]"
    assert gist("x" * 500, "signal") == "x" * (LONGEST_GIST - 1) + "…"
    assert pretty("not json") == "not json"
    assert pretty('{"a":"é"}') == '{\n  "a": "é"\n}'


def test_the_vendors_identifier_of_a_location_is_left_to_the_facts() -> None:
    sentence = "Somebody changed A (location gid://x/1, level 4)."
    assert plainly(sentence, {"location": "gid://x/1", "level": 4}) == "Somebody changed A (level 4)."
    assert plainly(sentence, None) == sentence


def test_figures_are_short() -> None:
    assert [count(12_345), count(-1_000)] == ["12,345", "−1,000"]
    assert [duration(None), duration(999), duration(1_575)] == ["–", "999 ms", "1.6 s"]
