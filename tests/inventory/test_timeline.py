"""The drawn course of a SKU says what was left and what each store showed after every movement."""

from __future__ import annotations

from datetime import timedelta

from builders.databases import NOON
from storebridge.observe.timeline import as_bars, timeline_of
from storebridge.store.views_stock import Counter, MovementRow, StoredPool

SHOPIFY, WIX = ("shopify", "main"), ("wix", "site")


def _counter(place: tuple[str, str], granted: int, level: int, held: int = 0, **more: str) -> Counter:
    return Counter(place[0], "item", place[1], place[1], granted, level, held, 1, True, True, True, None, None, **more)


def _pool(goods: int, *counters: Counter) -> StoredPool:
    return StoredPool("A@main", "A@main", "A", "main", "", goods, False, None, None, counters)


def _row(
    number: int, kind: str, units: int, place: tuple[str, str] | None = None, after: int | None = None, **more: str
) -> MovementRow:
    connection, location = place or (None, None)
    at = NOON + timedelta(seconds=number)
    given = {"cause": None, "actor": "", "note": "", **more}
    return MovementRow(number, at, "main", kind, connection, location, units, after, **given)


def _course(pool: StoredPool, *rows: MovementRow) -> list[tuple[int, dict[str, int]]]:
    return [(step.left, step.shown) for step in timeline_of(pool, rows).steps]


def test_a_sale_lowers_what_is_left_at_once_and_the_other_store_when_it_is_written() -> None:
    pool = _pool(16, _counter(SHOPIFY, 14, 14), _counter(WIX, 16, 14))
    rows = (
        _row(4, "write", -2, SHOPIFY, 14),
        _row(3, "level", -2, WIX, 14),
        _row(2, "write", 1, WIX, 16),
        _row(1, "baseline", 16),
    )
    assert _course(pool, *rows) == [
        (16, {"shopify": 16, "wix": 15}),
        (16, {"shopify": 16, "wix": 16}),
        (14, {"shopify": 16, "wix": 14}),
        (14, {"shopify": 14, "wix": 14}),
    ]


def test_units_that_staff_typed_and_nobody_accepted_are_never_left_to_sell() -> None:
    waiting = _pool(7, _counter(WIX, 7, 500, held=493))
    assert _course(waiting, _row(2, "level", 493, WIX, 500), _row(1, "baseline", 7)) == [
        (7, {"wix": 7}),
        (7, {"wix": 500}),
    ]
    refused = _pool(-486, _counter(WIX, -486, 7))
    rows = (
        _row(4, "write", -493, WIX, 7),
        _row(3, "correction", -493, cause="case_1/A@main"),
        _row(2, "level", 493, WIX, 500),
        _row(1, "baseline", 7),
    )
    assert [left for left, _ in _course(refused, *rows)] == [7, 7, 7, 7]


def test_what_a_copied_order_moved_comes_back_and_a_write_whose_answer_was_lost_is_marked() -> None:
    pool = _pool(10, _counter(SHOPIFY, 8, 8), _counter(WIX, 10, 10))
    rows = (
        _row(3, "write", 0, WIX, 10, note="found applied by a read"),
        _row(2, "copy", -2, SHOPIFY),
        _row(1, "level", -2, SHOPIFY, 8),
    )
    steps = timeline_of(pool, rows).steps
    assert [(step.left, step.in_doubt) for step in steps] == [(8, False), (10, False), (10, True)]


def test_a_pool_that_a_bundle_draws_on_shows_only_what_is_left() -> None:
    pool = _pool(10, _counter(WIX, 10, 9), _counter(WIX, 0, 0, bundle="SET"))
    assert _course(pool, _row(1, "level", -1, WIX, 9)) == [(9, {})]


def test_bars_reach_from_nothing_to_the_highest_and_show_what_is_below_zero() -> None:
    assert as_bars([0, 4, 8, -1], 8) == "▁▄█-"
