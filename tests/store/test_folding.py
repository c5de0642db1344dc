"""SQLite's write-ahead log is folded back into the file while commits go on."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from builders.databases import Database, sqlite_database
from storebridge.store.database import Tx
from storebridge.store.dialects import folding
from storebridge.store.dialects.folding import COMMITS_BETWEEN, LogFolder, fold

LONG_SECONDS = 30.0


def put(tx: Tx) -> None:
    tx.conn.exec_driver_sql("insert into notes values ('kept')")


def commit(database: Database, times: int) -> None:
    for _ in range(times):
        database.run(put)


class WatchedFold:
    """Folds, and tells of it; held up by whoever clears ``gate``."""

    def __init__(self) -> None:
        self.gate, self.begun = threading.Event(), threading.Semaphore(0)
        self.threads: list[str] = []
        self.gate.set()

    def __call__(self, connection: sqlite3.Connection) -> None:
        self.threads.append(threading.current_thread().name)
        self.begun.release()
        assert self.gate.wait(LONG_SECONDS)
        fold(connection)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> WatchedFold:
    watching = WatchedFold()
    monkeypatch.setattr(folding, "fold", watching)
    return watching


def rows_in_file_alone(path: Path, folder: Path) -> int:
    """What the file holds without its log."""
    copy = folder / "copy.sqlite3"
    shutil.copy(path, copy)
    with sqlite3.connect(copy) as connection:
        return int(connection.execute("select count(*) from notes").fetchone()[0])


def test_after_some_commits_the_log_is_folded_by_a_thread_of_its_own(tmp_path: Path, watched: WatchedFold) -> None:
    for database in sqlite_database(tmp_path):
        database.execute("create table notes (text)")
        commit(database, COMMITS_BETWEEN - 2)
        assert watched.threads == []
        commit(database, 1)
        assert watched.begun.acquire(timeout=LONG_SECONDS)
        commit(database, COMMITS_BETWEEN)
        assert watched.begun.acquire(timeout=LONG_SECONDS)
        assert watched.threads == ["sqlite-folder", "sqlite-folder"]


def test_commits_go_on_while_the_log_is_folded_and_nothing_is_lost(tmp_path: Path, watched: WatchedFold) -> None:
    for database in sqlite_database(tmp_path):
        watched.gate.clear()
        database.execute("create table notes (text)")
        commit(database, COMMITS_BETWEEN - 1)
        assert watched.begun.acquire(timeout=LONG_SECONDS)
        commit(database, 10)
        assert database.rows("select count(*) from notes") == [(COMMITS_BETWEEN - 1 + 10,)]
        watched.gate.set()
    assert rows_in_file_alone(tmp_path / "bridge.sqlite3", tmp_path) == COMMITS_BETWEEN - 1 + 10


def test_folding_brings_what_was_committed_into_the_file(tmp_path: Path) -> None:
    for database in sqlite_database(tmp_path):
        database.execute("create table notes (text)")
        commit(database, 3)
        with sqlite3.connect(database.url) as other:
            fold(other)
        assert rows_in_file_alone(tmp_path / "bridge.sqlite3", tmp_path) == 3


def test_the_janitor_cuts_the_log_also_while_it_is_folded(tmp_path: Path, watched: WatchedFold) -> None:
    async def cut(database: Database) -> None:
        cutting = asyncio.create_task(database.store.maintain())
        await asyncio.sleep(0)
        watched.gate.set()
        await cutting

    for database in sqlite_database(tmp_path):
        watched.gate.clear()
        database.execute("create table notes (text)")
        commit(database, COMMITS_BETWEEN - 1)
        assert watched.begun.acquire(timeout=LONG_SECONDS)
        database.play(cut(database))
        assert (tmp_path / "bridge.sqlite3-wal").stat().st_size == 0


def test_what_keeps_the_log_from_being_folded_is_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tried = threading.Semaphore(0)

    def refuse() -> sqlite3.Connection:
        tried.release()
        raise sqlite3.OperationalError("unable to open database file")

    with caplog.at_level(logging.WARNING):
        folder = LogFolder(refuse)
        for _ in range(2):
            for _ in range(COMMITS_BETWEEN):
                folder.note_commit()
            assert tried.acquire(timeout=LONG_SECONDS)
        folder.stop()
    told = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "log_not_folded"]
    assert told == [{"error": "unable to open database file"}] * 2
