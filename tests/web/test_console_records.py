"""Audit records and figures as a person reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from storebridge.exceptions_queue.sentences import plainly
from storebridge.web.console.records import LONGEST_GIST, about, fact_name, gist, order_of, pretty
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


def test_what_only_machines_read_is_left_out_of_a_sentence_about_an_order() -> None:
    sentence = "They differ (order 7, of wix, id 0-1, copy #9, copied to shopify, copy id gid://9, total 3 EUR)."
    payload = {"order": "7", "of": "wix", "id": "0-1", "copy": "#9", "copied_to": "shopify", "copy_id": "gid://9"}
    assert plainly(sentence, payload) == "They differ (order 7, of wix, copy #9, copied to shopify, total 3 EUR)."


def test_facts_have_names_that_say_what_they_are() -> None:
    assert [fact_name(name) for name in ("of", "copy_id", "held_units")] == ["Sold in", "The copy’s id", "Held units"]


class _Case:
    """As much of a case as a page asks for."""

    def __init__(self, subject: str, sku: str | None = None, **payload: str) -> None:
        self.subject, self.sku, self.payload = subject, sku, payload


@pytest.mark.parametrize(
    ("case", "word", "key"),
    [
        (_Case("wix/MUG", "MUG"), "MUG", ""),
        (_Case("wix-a1", order="10078", of="wix"), "10078", ""),
        (_Case("shopify:total:x", order="#7", order_key="shopify-b2"), "#7", "shopify-b2"),
        (_Case("shopify:total:x", order="#77", order_key=""), "#77", ""),
        (_Case("wix"), "", ""),
    ],
)
def test_a_case_names_its_goods_or_its_order_and_leads_to_it(case: _Case, word: str, key: str) -> None:
    assert (about(case), order_of(case)) == (word, key)
