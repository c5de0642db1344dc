"""A PostgreSQL server of the test's own, which may be hurt: its processes killed, its memory lost."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builders.processes import free_port

OPTIONS = "-c fsync=off -c listen_addresses=127.0.0.1 -c max_connections=60 -c restart_after_crash=on"
"""Without fsync a crash of the machine would lose data; a crash of processes does not, and it is the only one here."""
PATIENCE_SECONDS = 60.0


class Cluster:
    """A running server with a database ``postgres`` and nobody else in it."""

    def __init__(self, tools: Path, folder: Path, user: str | None) -> None:
        self._tools = tools
        self._folder = folder
        self._user = user
        self._port = free_port()

    @property
    def url(self) -> str:
        return f"postgresql://shop@127.0.0.1:{self._port}/postgres"

    def make(self) -> None:
        self._run("initdb", "-U", "shop", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        options = f"{OPTIONS} -p {self._port} -k {self._folder}"
        self._run("pg_ctl", "-w", "-t", "60", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop_at_once(self) -> None:
        """Immediate shutdown: no goodbye to anybody, nothing written back; the next start recovers."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def kill_a_child(self, process_id: int) -> None:
        """SIGKILL one server process: the server then drops all others and its shared memory, and recovers."""
        os.kill(process_id, signal.SIGKILL)

    def _run(self, tool: str, *words: str) -> None:
        # pg_ctl leaves the server behind, which would keep a pipe open for ever: hence no pipes.
        with (self._folder / "tools.log").open("ab") as log:
            done = subprocess.run(
                [str(self._tools / tool), "-D", str(self._folder / "data"), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self._folder,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        assert done.returncode == 0, (self._folder / "tools.log").read_text()[-2000:]


def postgres_tools() -> Path | None:
    """Where initdb and pg_ctl are; None when they are not installed."""
    places = [shutil.which("initdb"), *sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))]
    found = [Path(place).parent for place in places if place]
    return found[-1] if found else None


def unprivileged_user() -> str | None:
    """The server refuses to run as root: then as somebody who is nobody."""
    if os.geteuid() != 0:
        return None
    known = {one.pw_name for one in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


@contextmanager
def own_cluster(tools: Path) -> Iterator[Cluster]:
    """Made, started, and thrown away."""
    folder, user = Path(tempfile.mkdtemp(prefix="storebridge-pg-")), unprivileged_user()
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    cluster = Cluster(tools, folder, user)
    try:
        cluster.make()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop_at_once()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
