"""What is kept sorted shows what sorting everything would show, whatever came, changed and went."""

from __future__ import annotations

import random
from typing import Any

import pytest

from storebridge_sandbox.rows_in_order import RowsInOrder
from storebridge_sandbox.shopify.paging import page_of
from storebridge_sandbox.wix.query import ORDERING, Field, Language
from storebridge_sandbox.wix.query_in_order import TIE, page_in_order


@pytest.mark.parametrize("seed", range(6))
def test_rows_stay_sorted_while_things_come_change_and_go(seed: int) -> None:
    chance, values, number = random.Random(seed), dict[str, int](), 0
    kept = RowsInOrder(values, lambda name: (values[name], int(name)), str)
    for _ in range(400):
        deed = chance.choice(("come", "come", "change", "change", "go", "swap", "look", "told to go", "restart"))
        if deed in ("come", "swap") or not values:
            number += 1
            values[str(number)] = chance.randrange(50)
        if deed == "change":
            name = chance.choice(list(values))
            values[name] = chance.randrange(50)
            kept.changed(name)
        if deed in ("go", "swap", "told to go"):
            name = chance.choice(list(values))
            del values[name]
            if deed == "told to go":
                kept.changed(name)
        if deed == "restart":
            told = kept.told()
            kept = RowsInOrder(values, lambda name: (values[name], int(name)), str)
            kept.restore(lambda told=told: told)  # type: ignore[misc]
        if deed == "look":
            assert list(kept.rows()) == sorted((value, int(name), name) for name, value in values.items())
            wanted = chance.randrange(50)
            assert [row[2] for row in kept.having(wanted)] == [name for name in values if values[name] == wanted]


def test_a_change_makes_one_row_anew_and_not_all() -> None:
    values = {str(number): number for number in range(5000)}
    kept = RowsInOrder(values, lambda name: (values[name], int(name)), str)
    kept.rows()
    values["7"] = 9000
    kept.changed("7")
    values["5000"] = 3
    before = kept.made
    assert kept.rows()[-1] == (9000, 7, "7")
    assert kept.made == before + 2


@pytest.mark.parametrize("seed", range(4))
def test_a_page_of_rows_that_pass_is_the_page_of_those_rows(seed: int) -> None:
    chance = random.Random(seed)
    rows = sorted((f"{chance.randrange(9)}", number, number) for number in range(40))

    def passes(node: int) -> bool:
        return node % 3 != seed % 3

    passing = [row for row in rows if passes(row[2])]
    for size in (0, 1, 4, 100):
        for reverse in (False, True):
            for forward, back in (("first", "after"), ("last", "before")):
                cursor: str | None = None
                for _ in range(30):
                    args: dict[str, Any] = {forward: size, back: cursor, "reverse": reverse}
                    page = page_of(rows, args, passes)
                    assert page == page_of(passing, args)
                    cursor = page.cursor_at(-1 if forward == "first" else 0)
                    if cursor is None:
                        break


ROWS = Language(
    {
        "at": Field(lambda row: row[1], "moment", ORDERING, sortable=True),
        "kind": Field(lambda row: row[2]),
    },
    tie=lambda row: row[0],
    default_limit=4,
    most=10,
)
SECONDS = "1970-01-01T00:00:{:02}Z"
QUESTIONS: list[dict[str, Any]] = [
    {},
    {"filter": {"kind": "b"}},
    {"filter": {"kind": "nothing"}},
    {"sort": [{"fieldName": "at", "order": "ASC"}]},
    {"sort": [{"fieldName": "at", "order": "DESC"}], "filter": {"kind": {"$in": ["a", "c"]}}},
    {"sort": [{"fieldName": "at", "order": "DESC"}], "filter": {"at": {"$gte": SECONDS.format(8)}}},
    {"sort": [{"fieldName": "at"}], "filter": {"at": {"$gt": SECONDS.format(3), "$lt": SECONDS.format(7)}}},
    {"filter": {"at": {"$gt": SECONDS.format(8)}}},
]


@pytest.mark.parametrize("query", QUESTIONS)
def test_pages_of_a_kept_order_are_those_of_sorting_everything_forward_and_back(query: dict[str, Any]) -> None:
    chance = random.Random(1)
    rows = {str(number): (number, chance.randrange(10) * 1000, chance.choice("abc")) for number in range(40)}
    kept = {
        TIE: RowsInOrder(rows, lambda name: (int(name), 0), rows.__getitem__),
        "at": RowsInOrder(rows, lambda name: (rows[name][1], int(name)), rows.__getitem__),
    }
    shown = {name: row for name, row in rows.items() if row[0] % 5}
    asked: dict[str, Any] = {**query, "cursorPaging": {"limit": 4}}
    for direction in ("next", "prev"):
        for _ in range(20):
            question = ROWS.read(asked)
            cut = page_in_order(ROWS, question, kept, lambda row: row if row[0] % 5 else None)
            whole = ROWS.page(question, shown.values())
            assert cut is not None
            assert (cut.rows, cut.next, cut.prev) == (whole.rows, whole.next, whole.prev)
            cursor = cut.next if direction == "next" else cut.prev
            if cursor is None:
                break
            asked = {"cursorPaging": {"cursor": cursor}}
