"""The audit chain: what was sealed can neither be changed, removed nor added to without being found."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta

import pytest

from builders.databases import NOON, Database
from builders.rows import MAIN, OTHER
from storebridge.audit.chain import FIRST_LINK, next_link, seal
from storebridge.audit.export import export_lines
from storebridge.audit.record import AuditRow, append, canonical, digest_of
from storebridge.audit.verify import Verification, verify_chain
from storebridge.store.database import Tx

LATER = NOON + timedelta(minutes=5)


def _write(database: Database, *subjects: str, workspace: str = MAIN) -> None:
    rows = [AuditRow(MAIN if workspace == MAIN else OTHER, "decision", s, "ann", {"b": 1, "a": "ä"}) for s in subjects]
    database.at(NOON, append, rows)


def _seal(database: Database, rows: int) -> None:
    """On a server that others use, too, a running transaction of theirs may hold the sealer back for a moment."""
    sealed = 0
    for _ in range(100):
        sealed += database.at(NOON, seal, MAIN)
        if sealed >= rows:
            break
        time.sleep(0.1)
    assert sealed == rows


def _verify(database: Database) -> Verification:
    return database.at(LATER, verify_chain, MAIN)


def _problems(database: Database) -> list[str]:
    return [problem.what for problem in _verify(database).problems]


@pytest.fixture
def sealed(database: Database) -> Database:
    """Five rows, chained."""
    _write(database, "A", "B", "C", "D", "E")
    _seal(database, 5)
    return database


def test_an_untouched_chain_is_intact(sealed: Database) -> None:
    found = _verify(sealed)
    assert (found.sealed, found.unsealed, found.intact, found.sealed_at) == (5, 0, True, NOON)
    assert found.head == sealed.rows("select link from seals where position = 5")[0][0]


def test_an_empty_trail_is_intact(database: Database) -> None:
    found = _verify(database)
    assert (found.sealed, found.unsealed, found.head, found.intact) == (0, 0, FIRST_LINK, True)


def test_sealing_goes_on_where_it_ended(sealed: Database) -> None:
    _write(sealed, "F", "G")
    _seal(sealed, 2)
    assert (_verify(sealed).sealed, _verify(sealed).intact) == (7, True)
    assert sealed.at(NOON, seal, MAIN) == 0


@pytest.mark.parametrize("change", ["subject = 'X'", "actor = 'bob'", "kind = 'x'", "record = '{}'", "at = at + 1"])
def test_an_edited_row_is_found(sealed: Database, change: str) -> None:
    sealed.execute(f"update audit set {change} where subject = 'C'")
    assert _problems(sealed) == ["edited"]


def test_an_edited_row_with_a_new_digest_breaks_the_chain(sealed: Database) -> None:
    sealed.execute(f"update audit set actor = 'bob', digest = '{'0' * 64}' where subject = 'C'")
    assert _problems(sealed) == ["edited", "broken_link"]


def test_a_forger_who_knows_how_digests_are_made_still_breaks_the_chain(sealed: Database) -> None:
    digest = digest_of(MAIN, NOON, "decision", "C", "bob", canonical({"a": "ä", "b": 1}))
    sealed.execute(f"update audit set actor = 'bob', digest = '{digest}' where subject = 'C'")
    assert _problems(sealed) == ["broken_link"]


def test_a_removed_row_is_found(sealed: Database) -> None:
    sealed.execute("delete from audit where subject = 'C'")
    (problem,) = _verify(sealed).problems
    assert (problem.what, "is gone" in problem.detail) == ("removed", True)


def test_a_row_removed_together_with_its_link_is_found(sealed: Database) -> None:
    sealed.execute("delete from audit where subject = 'C'")
    sealed.execute("delete from seals where position = 3")
    assert "removed" in _problems(sealed)


def test_a_row_slipped_in_between_is_found(database: Database) -> None:
    _write(database, "A", "B")
    database.execute("update audit set number = 10 where subject = 'B'")
    _seal(database, 2)
    database.execute(
        "insert into audit (number, workspace, at, kind, subject, actor, record, digest) "
        "select 5, workspace, at, kind, 'slipped', actor, record, digest from audit where subject = 'A'"
    )
    assert _problems(database) == ["inserted"]


def test_the_unsealed_tail_is_reported_and_is_no_problem(sealed: Database) -> None:
    _write(sealed, "F", "G", "H")
    found = _verify(sealed)
    assert (found.sealed, found.unsealed, found.intact) == (5, 3, True)


def test_merchants_have_chains_of_their_own(sealed: Database) -> None:
    _write(sealed, "A", workspace=OTHER)
    assert _verify(sealed).unsealed == 0
    assert sealed.at(LATER, verify_chain, OTHER).unsealed == 1


def test_the_export_can_be_checked_without_us(sealed: Database) -> None:
    import json

    lines = [json.loads(line) for line in sealed.run(lambda tx: list(export_lines(tx, MAIN)))]
    link = FIRST_LINK
    for line in lines:
        link = next_link(link, line["digest"], line["number"])
        assert line["link"] == link
    assert [(line["subject"], line["record"]) for line in lines] == [(s, {"a": "ä", "b": 1}) for s in "ABCDE"]


@pytest.mark.postgres
def test_two_workers_that_seal_together_make_one_chain(postgres: Database) -> None:
    """The second waits for the first, and then goes on after it instead of chaining the same rows again."""
    other, sealed_first, go = postgres.another(), threading.Event(), threading.Event()
    _write(postgres, "A", "B", "C")

    def first(tx: Tx) -> int:
        found = seal(tx, MAIN)
        sealed_first.set()
        go.wait(10)
        return found

    async def play() -> tuple[int, int]:
        one = asyncio.ensure_future(postgres.store.run(first))
        await asyncio.to_thread(sealed_first.wait, 10)
        two = asyncio.ensure_future(other.run(seal, MAIN))
        await asyncio.sleep(0.2)
        go.set()
        return await one, await two

    one, two = postgres.play(play())
    _seal(postgres, 3 - one - two)
    found = _verify(postgres)
    assert (found.sealed, found.unsealed, found.problems) == (3, 0, ())


@pytest.mark.postgres
def test_a_number_that_is_committed_late_is_not_left_out_of_the_chain(postgres: Database) -> None:
    """A slow transaction holds number 1 while number 2 is committed: the sealer waits for it."""
    other, written, go = postgres.another(), threading.Event(), threading.Event()
    row = [AuditRow(MAIN, "decision", "slow", "ann", {})]

    def slow(tx: Tx) -> None:
        append(tx, row)
        written.set()
        go.wait(10)

    async def play() -> int:
        one = asyncio.ensure_future(other.run(slow))
        await asyncio.to_thread(written.wait, 10)
        await postgres.store.run(append, [AuditRow(MAIN, "decision", "fast", "ann", {})])
        early = await postgres.store.run(seal, MAIN)
        go.set()
        await one
        return early

    assert postgres.play(play()) == 0
    _seal(postgres, 2)
    assert [subject for (subject,) in postgres.rows("select subject from audit order by number")] == ["slow", "fast"]
    assert _verify(postgres).intact
