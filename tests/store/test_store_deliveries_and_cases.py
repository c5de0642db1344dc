"""Deliveries are stored once; cases are open once per reason and subject."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from builders.databases import NOON, Database
from builders.rows import MAIN, OTHER, SHOPIFY, case, delivery
from storebridge.model.ids import LaneKey
from storebridge.store.cases import (
    case_id_of,
    close_case,
    close_cases,
    get_case,
    open_cases,
    open_subjects_of_lanes,
)
from storebridge.store.database import Tx
from storebridge.store.deliveries import accept_deliveries
from storebridge.store.retention import empty_deliveries


def test_a_copy_within_one_batch_is_counted_not_stored(database: Database) -> None:
    new = database.run(accept_deliveries, [delivery("d1"), delivery("d2"), delivery("d1"), delivery("d1")])
    assert new == [True, True, False, False]
    assert database.rows("select delivery_id, copies from deliveries order by 1") == [("d1", 3), ("d2", 1)]


def test_a_copy_that_comes_later_is_counted_not_stored(database: Database) -> None:
    assert database.run(accept_deliveries, [delivery("d1")]) == [True]
    assert database.run(accept_deliveries, [delivery("d1"), delivery("d2")]) == [False, True]
    assert database.rows("select delivery_id, copies from deliveries order by 1") == [("d1", 2), ("d2", 1)]


def test_the_same_id_of_another_merchant_is_another_delivery(database: Database) -> None:
    assert database.run(accept_deliveries, [delivery("d1"), delivery("d1", workspace=OTHER)]) == [True, True]


def test_a_delivery_is_kept_byte_for_byte(database: Database) -> None:
    body = bytes(range(256))
    database.run(accept_deliveries, [delivery("d1", body=body)])
    ((kept, headers),) = database.rows("select body, headers from deliveries")
    assert (bytes(kept), headers) == (body, '{"a":"b"}')


def test_no_deliveries_are_no_work(database: Database) -> None:
    assert database.run(accept_deliveries, []) == []


def test_old_bodies_are_emptied_and_their_digests_stay(database: Database) -> None:
    database.run(
        accept_deliveries,
        [delivery("old", at=NOON - timedelta(days=31)), delivery("young", at=NOON - timedelta(days=29))],
    )
    assert database.at(NOON, empty_deliveries, MAIN, NOON - timedelta(days=30)) == 1
    assert database.at(NOON, empty_deliveries, MAIN, NOON - timedelta(days=30)) == 0
    found = database.rows("select delivery_id, body is null, headers, digest from deliveries order by 1")
    assert [(name, bool(empty), headers, digest) for name, empty, headers, digest in found] == [
        ("old", True, "{}", "digest"),
        ("young", False, '{"a":"b"}', "digest"),
    ]


def test_a_doubt_that_is_open_already_is_counted_once_more_with_the_newest_words(database: Database) -> None:
    assert database.at(NOON, open_cases, [case(), case(subject="B"), case()]) == [True, True, False]
    later = NOON + timedelta(minutes=1)
    assert database.at(later, open_cases, [case(sentence="More again.", payload={"units short": 2})]) == [False]
    found = database.run(get_case, MAIN, case_id_of(MAIN, "oversold", "A", 0))
    assert found is not None
    assert (found.occurrences, found.sentence, found.payload) == (3, "More again.", {"units short": 2})
    assert (found.opened_at, found.last_seen_at, found.state) == (NOON, later, "open")


def test_a_doubt_that_comes_back_is_a_case_of_its_own(database: Database) -> None:
    database.run(open_cases, [case()])
    done = database.run(close_cases, MAIN, [("oversold", "A", "goods came")], closed_by="proof")
    assert done == [("oversold", "A", "goods came")]
    assert database.run(open_cases, [case()]) == [True]
    first, second = (case_id_of(MAIN, "oversold", "A", earlier) for earlier in (0, 1))
    found = [database.run(get_case, MAIN, name) for name in (first, second)]
    assert [(c.state, c.closed_by, c.resolution) for c in found if c] == [
        ("resolved", "proof", "goods came"),
        ("open", "", ""),
    ]


def test_only_what_is_open_is_closed(database: Database) -> None:
    database.run(open_cases, [case()])
    closings = [("oversold", "A", "proof"), ("oversold", "B", "proof"), ("item_gone", "A", "proof")]
    assert database.run(close_cases, MAIN, closings, closed_by="proof") == [("oversold", "A", "proof")]
    assert database.run(close_cases, MAIN, closings, closed_by="proof") == []


def test_a_case_of_another_merchant_is_neither_found_nor_closed(database: Database) -> None:
    database.run(open_cases, [case(), case(workspace=OTHER)])
    database.run(close_cases, OTHER, [("oversold", "A", "proof")], closed_by="proof")
    mine = case_id_of(MAIN, "oversold", "A", 0)
    assert database.run(get_case, OTHER, mine) is None
    found = database.run(get_case, MAIN, mine)
    assert found is not None
    assert found.state == "open"


def test_what_a_person_closed_stays_closed(database: Database) -> None:
    database.run(open_cases, [case()])
    name = case_id_of(MAIN, "oversold", "A", 0)
    database.at(NOON, close_case, MAIN, name, closed_by="ann", resolution="x" * 600)
    database.at(NOON + timedelta(hours=1), close_case, MAIN, name, closed_by="bob", resolution="again")
    found = database.run(get_case, MAIN, name)
    assert found is not None
    assert (found.closed_by, found.closed_at, found.resolution) == ("ann", NOON, "x" * 500)


def test_the_open_cases_of_lanes_are_named(database: Database) -> None:
    database.run(open_cases, [case(), case("item_gone", "B", lane=LaneKey("B@main")), case("item_untracked", "C")])
    database.run(close_cases, MAIN, [("item_untracked", "C", "")], closed_by="proof")
    assert database.run(open_subjects_of_lanes, MAIN, [LaneKey("A@main")]) == {("oversold", "A")}
    assert database.run(open_subjects_of_lanes, OTHER, [LaneKey("A@main")]) == set()


def test_a_connection_is_part_of_a_delivery_s_name(database: Database) -> None:
    database.run(accept_deliveries, [delivery("d1")])
    assert database.rows("select connection from deliveries") == [(SHOPIFY,)]


@pytest.mark.postgres
def test_two_workers_that_are_handed_the_same_delivery_store_it_once(postgres: Database) -> None:
    other, stored, go = postgres.another(), threading.Event(), threading.Event()

    def first(tx: Tx) -> list[bool]:
        new = accept_deliveries(tx, [delivery("d1")])
        stored.set()
        go.wait(10)
        return new

    async def play() -> tuple[list[bool], list[bool]]:
        one = asyncio.ensure_future(postgres.store.run(first))
        await asyncio.to_thread(stored.wait, 10)
        two = asyncio.ensure_future(other.run(accept_deliveries, [delivery("d1"), delivery("d2")]))
        await asyncio.sleep(0.2)
        go.set()
        return await one, await two

    assert postgres.play(play()) == ([True], [False, True])
    assert postgres.rows("select delivery_id, copies from deliveries order by 1") == [("d1", 2), ("d2", 1)]


@pytest.mark.postgres
def test_two_workers_that_meet_the_same_doubt_open_one_case(postgres: Database) -> None:
    other = postgres.another()

    async def play() -> list[list[bool]]:
        return await asyncio.gather(
            *(store.run(open_cases, [case()]) for store in (postgres.store, other) for _ in range(4))
        )

    assert sorted(postgres.play(play())) == [[False]] * 7 + [[True]]
    assert postgres.rows("select state, occurrences from cases") == [("open", 8)]
