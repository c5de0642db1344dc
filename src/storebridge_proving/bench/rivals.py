"""Other durable pipelines doing four empty stages, for comparison; installed and run in a temporary environment."""

from __future__ import annotations

import subprocess
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from storebridge_proving.bench.databases import NoServer, postgres_database

PACKAGES = ("pgqueuer", "asyncpg", "dbos", "psycopg[binary]")
PROGRAMS = {"PgQueuer": "pgqueuer_stages.py", "DBOS": "dbos_stages.py"}
INSTALL_SECONDS = 300.0
RUN_SECONDS = 300.0


class RivalsUnavailable(Exception):
    """They cannot be had here; the text says why."""


class RivalResult(msgspec.Struct, frozen=True):
    """``done`` items went through all four stages."""

    version: str
    done: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.done / self.seconds


class Rivals:
    """Programs that can be run; none when they are not wanted."""

    def __init__(self, python: Path | None) -> None:
        self._python = python
        self.names = tuple(PROGRAMS) if python is not None else ()

    def run(self, name: str, items: int) -> RivalResult:
        """So many items through four empty stages, on an empty database. Raises RivalsUnavailable."""
        program = Path(__file__).with_name("rival_programs") / PROGRAMS[name]
        try:
            with postgres_database() as url:
                done = _call([str(self._python), str(program), url, str(items)], RUN_SECONDS)
        except NoServer as error:
            raise RivalsUnavailable(str(error)) from error
        return msgspec.json.decode(done.strip().splitlines()[-1], type=RivalResult)


@contextmanager
def open_rivals(folder: Path, *, wanted: bool) -> Iterator[Rivals]:
    """Install them below ``folder``. Raises RivalsUnavailable."""
    if not wanted:
        yield Rivals(None)
        return
    place = folder / "rivals"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    _call([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], INSTALL_SECONDS)
    yield Rivals(python)


def _call(words: list[str], seconds: float) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise RivalsUnavailable(f"{Path(words[-3]).name} did not end within {seconds:.0f} s") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise RivalsUnavailable(f"{' '.join(words[1:4])}: {reason[:300]}")
    return done.stdout
