"""Values come back from a state file as what they were, and equal texts as one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from storebridge_sandbox.app import build_stores, load_both
from storebridge_sandbox.rows_in_order import Slots
from storebridge_sandbox.state_columns import SAMPLE, ColumnReader, ColumnWriter, shared_texts
from storebridge_sandbox.state_file import load_state, save_state

FIRST = {"nothing": None, "one text": "street"}
LATER: dict[str, list[Any]] = {
    "things as JSON": [{"city": "Lyon"}, ["Lyon"]],
    "numbers that are equal and not the same": [1, True, 1.0],
}


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("texts", [None, {}], ids=["of one column", "of all columns"])
def test_a_column_comes_back_as_it_was_whatever_follows_its_first_values(
    first: str, later: str, texts: dict[Any, Any] | None
) -> None:
    values = [FIRST[first]] * SAMPLE + LATER[later]
    read = ColumnReader({}, str, texts).column(ColumnWriter({}).column(values))
    assert [(type(one), one) for one in read] == [(type(one), one) for one in values]


def test_equal_texts_of_several_columns_are_one() -> None:
    known: dict[Any, Any] = {}
    first, second = (shared_texts([f"gid-{number}" for number in range(3)], known) for _ in range(2))
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_an_id_that_came_from_a_file_is_one_text_in_all_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "stores.json"

    async def play() -> None:
        written, read = build_stores(seed=1), build_stores(seed=1)
        load_both(written, seed=1, products=4)
        save_state(written, path, seed=1)
        load_state(read, path, seed=1)
        shelves, stock = read.shopify.shelves, read.shopify.stock
        assert len(shelves.by_item) > 3
        for key, variant in shelves.by_item.items():
            assert key is variant.item_id
            assert all(level.item_id is key for level in stock.levels_of(key))
        for key, sold in read.wix.shelf.by_key.items():
            assert key is sold.sellable.item_id
        await written.stop()
        await read.stop()

    asyncio.run(play())


def test_the_last_of_many_names_is_known_without_an_index() -> None:
    slots = Slots()
    slots.begin(f"order-{number}" for number in range(9))
    assert (slots.find("order-8"), slots._of) == (8, None)
    assert (slots.find("order-3"), slots.find("order-9"), slots.take("order-9"), slots.find("order-9")) == (
        3,
        None,
        9,
        9,
    )
