"""Workers as real processes on PostgreSQL: one is asked to end while its call is on the wire, one is killed. Nothing is
lost, nothing is done twice, and nobody has to do anything."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

from builders.databases import postgres_schema

COMMAND = [sys.executable, "-m", "storebridge.cli.main"]
PATIENCE_SECONDS = 60.0
QUICK_NET = """[workspaces.main]
sweep_seconds = 10.0
hot_sweep_seconds = 5.0
order_poll_seconds = 5.0
"""
"""What deliveries did not bring is found in seconds instead of minutes."""
T = TypeVar("T")

pytestmark = [pytest.mark.process, pytest.mark.postgres]


class Running:
    """A command that runs until it is ended, one way or the other."""

    def __init__(self, *words: str, says: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ}
        )
        assert self.process.stdout is not None
        assert any(says in line for line in self.process.stdout), f"{words} never said {says!r}"

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; returns the exit status."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def running(*words: str, says: str) -> Iterator[Running]:
    one = Running(*words, says=says)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def until(ask: Callable[[], T], wanted: Callable[[T], bool], what: str) -> T:
    """Ask until the answer is as wanted; fails when it is not in time."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not wanted(found := ask()):
        assert time.monotonic() < give_up_at, f"{what}: still {found}"
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Stage:
    """Both stores and the database, as a test sees and plays them."""

    def __init__(self, config: str, database: str) -> None:
        text = Path(config).read_text()
        found = re.findall(r'api_url = "([^"]+)"', text)
        self.urls = dict(zip(("shopify", "wix"), found, strict=True))
        self.database = database

    def ask(self, store: str, path: str, body: object = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.urls[store]}/_sandbox/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer) if answer.status != 204 else None

    def levels(self) -> dict[str, dict[str, int]]:
        shown: dict[str, dict[str, int]] = {}
        for store in self.urls:
            for level in self.ask(store, "truth")["levels"]:
                of_sku = shown.setdefault(level["sku"], {})
                of_sku[store] = of_sku.get(store, 0) + level["available"]
        return shown

    def in_step(self) -> list[str]:
        """SKUs whose stores differ."""
        return [sku for sku, shown in self.levels().items() if shown["shopify"] != shown["wix"]]

    def buy(self, store: str, sku: str) -> None:
        self.ask(store, "checkout", {"lines": [{"sku": sku, "quantity": 1}], "customer": {}, "paid": True})

    def slow(self, store: str, milliseconds: int) -> None:
        self.ask(store, "faults", {"latency_ms": [milliseconds, milliseconds]}, method="PUT")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[arg-type]

    def open_calls(self) -> list[str]:
        return [call for (call,) in self.rows("select call_id from calls where state = 'open'")]

    def unsettled(self) -> tuple[int, int]:
        """Signals that wait, and writes that are not settled."""
        waiting = self.rows("select count(*) from signals where state = 'waiting'")
        writes = self.rows("select count(*) from intents where state in ('planned', 'sent', 'unclear')")
        return waiting[0][0], writes[0][0]


def test_workers_come_and_go_and_the_stores_stay_in_step(tmp_path: Path) -> None:
    config = str(tmp_path / "storebridge.toml")
    intake, console = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    sandbox = ["sandbox", "--shopify-port", "0", "--wix-port", "0", "--variants", "12", "--write-config", config]
    with ExitStack() as stack:
        url = stack.enter_context(postgres_schema())
        listen = ["--intake-listen", intake, "--console-listen", console]
        stack.enter_context(running(*sandbox, *listen, says="Configuration:"))
        text = Path(config).read_text().replace('"storebridge.sqlite3"', json.dumps(url))
        Path(config).write_text(text.replace("[workspaces.main]\n", QUICK_NET, 1))
        stage = Stage(config, url)

        # the first worker has the leases when serve comes
        first = stack.enter_context(running("worker", "--config", config, says="started"))
        leases = "select name, owner from leases where name like 'courier/%'"
        until(lambda: stage.rows(leases), lambda held: len(held) == 2, "both leases")
        served = stack.enter_context(running("serve", "--config", config, says="intake:"))
        opening = {sku: shown["shopify"] for sku, shown in stage.levels().items()}
        until(stage.in_step, lambda differing: differing == [], "the baseline")
        until(stage.unsettled, lambda counts: counts == (0, 0), "the baseline's writes")
        sold = sorted(sku for sku, level in opening.items() if level >= 3)[:5]
        assert len(sold) == 5

        # asked to end while a call is on the wire: it finishes that call and gives its leases back
        stage.slow("wix", 1500)
        for sku in sold:
            stage.buy("shopify", sku)
        (on_the_wire, *_) = until(stage.open_calls, lambda calls: calls != [], "a call on the wire")
        owners = dict(stage.rows(leases))
        assert first.end(signal.SIGTERM) == 0
        call = stage.rows(f"select state, sends from calls where call_id = '{on_the_wire}'")
        assert call == [("answered", 1)]
        kept = f"owner = '{owners['courier/wix']}' and \"until\" > extract(epoch from clock_timestamp()) * 1000000"
        assert stage.rows(f"select name from leases where {kept} and name like 'courier/%'") == []
        until(stage.in_step, lambda differing: differing == [], "after the first worker ended")

        # killed while a call is on the wire: another worker asks again, byte for byte, with the same key
        stack.enter_context(running("worker", "--config", config, says="started"))
        stage.slow("wix", 0)
        stage.slow("shopify", 1500)
        for sku in sold:
            stage.buy("wix", sku)
        until(stage.open_calls, lambda calls: calls != [], "another call on the wire")
        assert served.end(signal.SIGKILL) == -signal.SIGKILL
        stage.buy("wix", sold[0])  # while nobody listens
        stage.slow("shopify", 0)
        stack.enter_context(running("serve", "--config", config, says="intake:"))
        until(stage.in_step, lambda differing: differing == [], "after the kill")
        until(stage.unsettled, lambda counts: counts == (0, 0), "everything to be settled")

        units = dict.fromkeys(opening, 0) | dict.fromkeys(sold, 2) | {sold[0]: 3}
        expected = {sku: dict.fromkeys(("shopify", "wix"), opening[sku] - units[sku]) for sku in opening}
        assert stage.levels() == expected
        assert stage.rows("select reason from cases where state = 'open' and reason not like 'sku_%'") == []
