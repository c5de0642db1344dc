"""A SQLite file belongs to one process at a time; the next is told whose it is, and waits for nobody's clean end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builders.databases import HandClock
from storebridge.errors import StoreUnavailableError
from storebridge.store.database import open_store
from storebridge.store.dialects.sqlite import FileLock

HOLD = "import sys; from pathlib import Path; from storebridge.store.dialects.sqlite import FileLock; "
HOLD += "lock = FileLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"


def test_a_second_opening_is_refused_and_names_the_holder(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite3.lock"
    lock = FileLock(path)
    with pytest.raises(StoreUnavailableError, match=rf"shop.sqlite3 is in use .* \(process {os.getpid()}\)"):
        FileLock(path)
    lock.release()
    FileLock(path).release()


def test_reading_needs_no_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "shop.sqlite3")
    open_store(path, clock=HandClock(), inline=True)
    lock = FileLock(Path(f"{path}.lock"))
    open_store(path, clock=HandClock(), read_only=True)
    lock.release()


@pytest.mark.process
def test_the_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite3.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreUnavailableError, match=rf"\(process {holder.pid}\)"):
            FileLock(path)
        holder.kill()
        holder.wait(30)
    FileLock(path).release()
