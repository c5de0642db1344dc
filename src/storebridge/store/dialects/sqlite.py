"""SQLite: one writer thread with group commit, readers beside it (WAL).

Functions that wait together run one after the other, each in its own savepoint, and share one COMMIT with
synchronous=FULL: what was acknowledged survives a power cut, and a disk flush is paid once for all of them. Results are
handed out only after that COMMIT.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import filelock
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool, StaticPool

from storebridge.clock import Clock
from storebridge.errors import StoreInUseError, StoreUnavailableError
from storebridge.store.dialects.batches import Batch
from storebridge.store.dialects.folding import PAGES_AT_MOST, LogFolder
from storebridge.store.migrate import demand_current, migrate
from storebridge.store.prepared import run_plainly
from storebridge.store.transactions import DialectName, Tx

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")

MOST_AT_ONCE = 200
"""Functions in one group commit; more would make the first wait for the last."""
READERS = 2


class _Waiting:
    """A function that waits for the writer thread."""

    __slots__ = ("done", "fn")

    def __init__(self, fn: Callable[[Tx], Any] | None) -> None:
        self.fn = fn
        """None: not a transaction but a checkpoint, which must run outside one."""
        self.done: Future[Any] = Future()


def sqlite_engine(path: str, *, read_only: bool = False, shared: bool = False) -> Engine:
    """An engine whose transactions are begun by us: the driver would otherwise begin them late and deferred."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: _connect(path, read_only),
        poolclass=StaticPool if shared else QueuePool,
    )

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        run_plainly(conn, "BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _connect(path: str, read_only: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA foreign_keys = ON")
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_AT_MOST}")
    else:
        connection.execute("PRAGMA query_only = ON")
    return connection


class FileLock:
    """Only one process may write to a file; a note beside the lock names its holder.

    The lock is the operating system's, so it ends with its process, however that ends. The name stands in a file of its
    own because Windows lets nobody else read a locked one.
    """

    def __init__(self, path: Path) -> None:
        self._holder = path.with_name(f"{path.name}.holder")
        self._lock = filelock.FileLock(path, blocking=False)
        try:
            self._lock.acquire()
        except filelock.Timeout as error:
            raise StoreInUseError(
                f"{path.stem} is in use by another storebridge (process {self._told()}). Commands reach it through "
                "that server; stop it to open the file here."
            ) from error
        except OSError as error:
            raise StoreUnavailableError(f"The lock {path} cannot be taken: {error.strerror or error}.") from error
        with contextlib.suppress(OSError):  # on a full disk there is no room for a note
            self._holder.write_text(str(os.getpid()), encoding="utf-8")

    def _told(self) -> str:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return self._holder.read_text(encoding="utf-8").strip() or "unknown"
        return "unknown"

    def release(self) -> None:
        self._holder.unlink(missing_ok=True)
        self._lock.release()


class SqliteStore:
    """A SQLite file."""

    dialect: DialectName = "sqlite"

    def __init__(self, path: str, *, clock: Clock, read_only: bool = False) -> None:
        self._clock = clock
        self._path = path
        self._lock = None if read_only else FileLock(Path(f"{path}.lock"))
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._batches: dict[tuple[Callable[..., Any], asyncio.AbstractEventLoop], Batch] = {}
        self._batch_lock = threading.Lock()
        self._left_over: _Waiting | None = None
        self._closed = False
        self._reader = sqlite_engine(path, read_only=True)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._writer: Engine | None = None
        if not read_only:
            self._writer = sqlite_engine(path, shared=True)
            self._open_file(self._writer)
            self._folder = LogFolder(lambda: _connect(path, read_only=False))
            self._thread = threading.Thread(target=self._write, name="sqlite-writer", daemon=True)
            self._thread.start()
        else:
            self._open_file(self._reader)

    def _open_file(self, engine: Engine) -> None:
        """Bring the schema up to date, or see that it is. Raises StoreUnavailableError."""
        verb = "read" if self._writer is None else "written"
        try:
            demand_current(engine) if self._writer is None else migrate(engine)
        except (DatabaseError, StoreUnavailableError) as error:
            if self._lock is not None:
                self._lock.release()
            if isinstance(error, StoreUnavailableError):
                raise StoreUnavailableError(f"{self._path}: {error}") from error
            raise StoreUnavailableError(
                f"The database file {self._path} cannot be {verb} ({error.orig}): correct server.store or --store, or "
                "its permissions."
            ) from error

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        waiting = _Waiting(lambda tx: fn(tx, *args, **kwargs))
        self._put(waiting)
        result: T = await asyncio.wrap_future(waiting.done)
        return result

    async def run_batch(self, fn: Callable[[Tx, list[A]], list[R]], item: A) -> R:
        key = fn, asyncio.get_running_loop()
        with self._batch_lock:
            batch = self._batches.get(key)
            if batch is None:
                batch = Batch(key[1])
                self._put(self._waiting_batch(key, batch))
                self._batches[key] = batch
            answer = batch.add(item)
        result: R = await answer
        return result

    def _waiting_batch(self, key: tuple[Callable[..., Any], asyncio.AbstractEventLoop], batch: Batch) -> _Waiting:
        def run(tx: Tx) -> list[Any]:
            self._close_batch(key, batch)
            results: list[Any] = key[0](tx, batch.items)
            return results

        def hand_out(done: Future[Any]) -> None:
            self._close_batch(key, batch)
            error = done.exception()
            batch.set_exception(error) if error else batch.set_result(done.result())

        waiting = _Waiting(run)
        waiting.done.add_done_callback(hand_out)
        return waiting

    def _close_batch(self, key: tuple[Callable[..., Any], asyncio.AbstractEventLoop], batch: Batch) -> None:
        """From here on newcomers start a batch of their own."""
        with self._batch_lock:
            if self._batches.get(key) is batch:
                del self._batches[key]

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._demand_open()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: self._read(lambda tx: fn(tx, *args, **kwargs)))

    def read_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._read(lambda tx: fn(tx, *args, **kwargs))

    def _read(self, fn: Callable[[Tx], T]) -> T:
        try:
            with self._reader.begin() as conn:
                return fn(Tx(conn, self._clock.now(), "sqlite"))
        except OperationalError as error:
            raise StoreUnavailableError(f"The database file {self._path} cannot be read: {error.orig}.") from error

    def _put(self, waiting: _Waiting) -> None:
        if self._writer is None:
            raise StoreUnavailableError("This database was opened for reading only; nothing was changed.")
        self._demand_open()
        self._queue.put(waiting)

    def _demand_open(self) -> None:
        """Who comes after the end would wait for ever: a delivery that arrives while the process stops is answered."""
        if self._closed:
            raise StoreUnavailableError("This process stops: its database is closed.")

    def _write(self) -> None:
        assert self._writer is not None
        with self._writer.connect() as conn:
            self._write_on(conn)

    def _write_on(self, conn: Connection) -> None:
        while True:
            group = self._take_group()
            if group is None:
                return
            # Whoever asked may have gone (a browser that left, a server that stops): then nothing is done for it.
            wanted = [waiting for waiting in group if waiting.done.set_running_or_notify_cancel()]
            if wanted and wanted[0].fn is None:
                self._checkpoint(wanted[0])
            elif wanted:
                self._commit(conn, wanted)

    def _take_group(self) -> list[_Waiting] | None:
        """What waits now, in order; None when the store is closing. A checkpoint stands alone."""
        if self._left_over is not None:
            first, self._left_over = self._left_over, None
        else:
            taken = self._queue.get()
            if taken is None:
                return None
            first = taken
        group = [first]
        while first.fn is not None and len(group) < MOST_AT_ONCE:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._queue.put(None)
                break
            if more.fn is None:
                self._left_over = more
                break
            group.append(more)
        return group

    def _commit(self, conn: Connection, group: Sequence[_Waiting]) -> None:
        results: list[tuple[_Waiting, Any, BaseException | None]] = []
        try:
            with conn.begin():
                tx = Tx(conn, self._clock.now(), "sqlite")
                alone = len(group) == 1
                results.extend((waiting, *_run_one(tx, waiting, alone=alone)) for waiting in group)
        except _AloneFailed as alone_failed:
            group[0].done.set_exception(alone_failed.error)
            return
        except DBAPIError as error:
            for waiting in group:
                waiting.done.set_exception(_unavailable(error))
            return
        self._folder.note_commit()
        for waiting, result, raised in results:
            if raised is None:
                waiting.done.set_result(result)
            else:
                waiting.done.set_exception(raised)

    def _checkpoint(self, waiting: _Waiting) -> None:
        assert self._writer is not None
        try:
            raw = self._writer.raw_connection()
            with self._folder.resting():
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            waiting.done.set_exception(StoreUnavailableError(f"The write-ahead log cannot be folded: {error}"))
        else:
            waiting.done.set_result(None)

    async def maintain(self) -> None:
        """Fold the write-ahead log back into the file and cut it, so that it does not grow for ever."""
        waiting = _Waiting(None)
        self._put(waiting)
        await asyncio.wrap_future(waiting.done)

    async def close(self) -> None:
        self._closed = True
        if self._writer is not None:
            self._queue.put(None)
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
            await asyncio.get_running_loop().run_in_executor(None, self._folder.stop)
            self._writer.dispose()
        self._readers.shutdown(wait=True)
        self._reader.dispose()
        if self._lock is not None:
            self._lock.release()


class _AloneFailed(Exception):
    """The only function of a group raised: the transaction is rolled back instead of a savepoint."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


def _run_one(tx: Tx, waiting: _Waiting, *, alone: bool) -> tuple[Any, BaseException | None]:
    """Run one function of a group; what it raises goes to the one who asked, whatever it is."""
    assert waiting.fn is not None
    if alone:
        try:
            return waiting.fn(tx), None
        except BaseException as error:
            raise _AloneFailed(_told(error)) from error
    run_plainly(tx.conn, "SAVEPOINT one_of_group")
    try:
        result = waiting.fn(tx)
    except OperationalError:
        raise  # no room, or no disk: SQLite may have rolled everything back, and nobody of the group fares better
    except BaseException as error:  # noqa: BLE001 - whoever asked for this function gets it
        run_plainly(tx.conn, "ROLLBACK TO one_of_group")
        run_plainly(tx.conn, "RELEASE one_of_group")
        return None, error
    run_plainly(tx.conn, "RELEASE one_of_group")
    return result, None


def _told(error: BaseException) -> BaseException:
    """What the one who asked gets: a full disk or a file that cannot be written is no fault of what was asked."""
    return _unavailable(error) if isinstance(error, OperationalError) else error


def _unavailable(error: DBAPIError) -> StoreUnavailableError:
    return StoreUnavailableError(f"The database did not take the change: {error.orig}")
