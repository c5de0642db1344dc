"""The write-ahead log is folded back into the file beside the writer, not by it.

SQLite by itself lets the commit that fills the log fold it: that flushes the disk twice more and writes a thousand
pages, and everybody who waits for the writer waits for that too. Folding needs no lock that a commit needs, so another
connection does it while commits go on. What is committed stands flushed in the log before and after, so nothing about
this is less durable.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from storebridge.telemetry.log import get_logger

COMMITS_BETWEEN = 25
"""Commits after which the log is folded. Under load deliveries share them, and these make about the thousand pages
after which SQLite would do it."""
PAGES_AT_MOST = 8000
"""A log of this length is folded by the commit that finds it so, as SQLite does by itself: where commits follow each
other without a pause only that brings it to its end, and what is left to fold is little then."""

log = get_logger("sqlite")


class LogFolder:
    """Folds one file's log on a thread of its own. ``connect`` opens a connection to the file."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._folding = threading.Lock()
        self._due = threading.Event()
        self._ended = False
        self._commits = 0
        self._thread = threading.Thread(target=self._run, name="sqlite-folder", daemon=True)
        self._thread.start()

    def note_commit(self) -> None:
        """Called after each commit, by the writer."""
        self._commits += 1
        if self._commits >= COMMITS_BETWEEN:
            self._commits = 0
            self._due.set()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Inside, nothing is folded here: SQLite lets only one connection do it at a time."""
        with self._folding:
            yield

    def stop(self) -> None:
        """End the thread, once what it folds is folded; from any thread, before the file is closed."""
        self._ended = True
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        """What keeps the log from being folded is logged; it keeps everything until the next time."""
        connection: sqlite3.Connection | None = None
        while self._is_wanted():
            try:
                connection = connection or self._connect()
                with self._folding:
                    fold(connection)
            except sqlite3.Error as error:
                log.warning("log_not_folded", error=str(error))
        if connection is not None:
            connection.close()

    def _is_wanted(self) -> bool:
        self._due.wait()
        self._due.clear()
        return not self._ended


def fold(connection: sqlite3.Connection) -> None:
    """Fold as much as can be folded without making anybody wait. Raises sqlite3.Error."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
