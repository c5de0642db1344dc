"""What the demo shows while it runs, and what it says at the end."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from storebridge_proving.demo import DemoReport
from storebridge_proving.live import ESCROW_NOTE, MIRROR_NOTE, Picture, Tally, draw, draw_report


def _news(sku: str, available: int, *movements: tuple[str, int]) -> dict[str, Any]:
    moved = [{"sku": sku, "cause": cause, "delta": delta} for cause, delta in movements]
    return {"levels": [{"sku": sku, "location_id": "L", "available": available}], "movements": moved}


def _text(shown: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(shown)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_tally_follows_what_is_left() -> None:
    tally = Tally({"shopify": _news("A", 1), "wix": _news("A", 1)}, "shopify")
    assert tally.out_of_step("mirror") == 0
    tally.see("shopify", _news("A", 0, ("sale", -1)))
    assert (tally.units_sold, tally.oversold, tally.out_of_step("mirror")) == (1, 0, 1)
    tally.see("wix", _news("A", 0, ("sale", -1)))
    assert (tally.units_sold, tally.oversold, tally.out_of_step("mirror")) == (2, 1, 0)
    tally.book("A", 3)
    tally.see("wix", _news("A", 2, ("api", 2)))
    assert (tally.oversold, tally.out_of_step("escrow")) == (1, 0)


REPORT: dict[str, Any] = {
    "policy": "escrow",
    "skus": 1,
    "held": 0,
    "orders": {"shopify": 3, "wix": 2},
    "units_sold": 7,
    "units_oversold": 0,
    "skus_disagreeing": 0,
    "events": {"received": 9, "duplicates": 1, "confirmed": 8, "open_exceptions": 1, "lost": 0},
    "propagation_ms": {"n": 0, "p50": None, "p95": None, "p99": None},
}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 0),
        ({"units_oversold": 1}, 1),
        ({"units_oversold": 1, "policy": "mirror"}, 0),
        ({"units_oversold": 1, "policy": "guarded", "checkouts": {"unanswered": 0}}, 1),
        ({"units_oversold": 1, "policy": "guarded", "checkouts": {"unanswered": 1}}, 0),
        ({"skus_disagreeing": 1}, 1),
        ({"events": {**REPORT["events"], "lost": 1}}, 1),
    ],
)
def test_the_exit_status_says_whether_a_promise_was_broken(changes: dict[str, Any], status: int) -> None:
    assert DemoReport({**REPORT, **changes}).exit_status == status


def test_the_panels_say_what_escrow_means() -> None:
    first_words = ESCROW_NOTE[:60]
    assert first_words in _text(draw_report(REPORT, ["A: 1 oversold"]))
    assert "A: 1 oversold" in _text(draw_report(REPORT, ["A: 1 oversold"]))
    assert first_words in _text(draw(Picture("escrow", "http://127.0.0.1:1")))
    assert first_words not in _text(draw(Picture("mirror", "http://127.0.0.1:1")))
    assert "open cases" in _text(draw_report(REPORT, []))


def test_the_panels_say_that_mirror_may_oversell() -> None:
    told = MIRROR_NOTE[:50]
    assert told in _text(draw_report({**REPORT, "policy": "mirror"}, []))
    assert told in _text(draw(Picture("mirror", "http://127.0.0.1:1")))
    assert told not in _text(draw_report(REPORT, []))
