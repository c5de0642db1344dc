"""Recorded answers of a real shop are the judge: what the sandbox answers must have their status, shape and errors."""

from __future__ import annotations

import pytest
from score import ratchet, reasons, score, table

LEAST_SHARE = 0.95
"""Of the exchanges whose operations the sandbox serves. It only ever rises."""

pytestmark = pytest.mark.usefixtures("shared_shopify_data")


def test_the_sandbox_answers_as_the_recorded_shop_did(capsys: pytest.CaptureFixture[str]) -> None:
    areas = score()
    with capsys.disabled():
        print("\n" + table(areas))  # noqa: T201
    matched = sum(len(area.matched) for area in areas.values())
    assert matched / sum(area.total for area in areas.values()) >= LEAST_SHARE


def test_no_exchange_that_matched_once_differs_now() -> None:
    areas, before = score(), ratchet()
    lost = {
        one: area.differing.get(one, ["it is excused now"])
        for name, area in areas.items()
        for one in sorted(before.get(name, set()) - area.matched)
    }
    assert lost == {}


def test_every_exception_names_an_exchange_that_differs_and_says_why() -> None:
    differing = {one for area in score().values() for one in area.excused}
    stale = [
        name for name in reasons() if not any(one == name or one.startswith(name.rstrip("*")) for one in differing)
    ]
    assert stale == []
    assert all(len(reason) > 20 for reason in reasons().values())
