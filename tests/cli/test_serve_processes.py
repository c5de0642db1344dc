"""``sandbox`` and ``serve`` as real processes: the written configuration works, commands go through the server, SIGTERM
drains."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "storebridge.cli.main"]
PATIENCE_SECONDS = 60

pytestmark = pytest.mark.process


@contextmanager
def started(*words: str, says: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until it is told to stop; ``says``: what it says once it serves."""
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ}
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if says in line:
                break
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        status = process.wait(PATIENCE_SECONDS)
        process.stdout.close()
        assert status == 0


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def run(*words: str) -> tuple[int, Any]:
    done = subprocess.run(
        [*COMMAND, *words, "--json"], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    lines = done.stdout.splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else done.stderr


def test_a_newcomers_first_commands(tmp_path: Path) -> None:
    config = str(tmp_path / "storebridge.toml")
    words = ["sandbox", "--shopify-port", "0", "--wix-port", "0", "--write-config", config]
    intake, console = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    listen = ["--intake-listen", intake, "--console-listen", console]
    with started(*words, *listen, says="Configuration:"):
        text = Path(config).read_text().replace('"storebridge.sqlite3"', f'"{tmp_path / "file.sqlite3"}"')
        Path(config).write_text(text.replace('baseline = "automatic"', 'baseline = "ask"'))
        status, checked = run("check", "--config", config)
        assert (status, checked["passed"]) == (0, True)
        with started("serve", "--config", config, says="intake:"):
            with urllib.request.urlopen(f"http://{console}/healthz", timeout=PATIENCE_SECONDS) as answer:
                assert json.load(answer) == {"healthy": True}
            status, dry = run("baseline", "--config", config)
            assert (status, dry["linked"], dry["signed_off"]) == (0, 430, False)
            status, signed = run("baseline", "--sign-off", "--config", config)
            assert (status, signed["signed_off"]) == (0, True)
            sku = signed["differences"][0]["sku"]
            before = signed["differences"][0]["levels"]["shopify"]
            status, booked = run("receive", sku, "5", "--config", config)
            assert (status, booked["units"], booked["goods_left"]) == (0, 5, before + 5)
            status, story = run("stock", sku, "--config", config)
            assert (status, story["pools"][0]["line"]["left"]) == (0, before + 5)
            status, replayed = run("replay", "--event", "no such", "--config", config)
            assert (status, replayed) == (
                1,
                {
                    "error": "There is no event 'no such' in workspace 'main': give a delivery's id, or a signal's "
                    "number.",
                    "exit_status": 1,
                },
            )
        status, verified = run("audit", "verify", "--config", config)
        assert (status, verified["intact"]) == (0, True)


def test_old_orders_are_read_by_the_server_and_by_the_command_where_nobody_serves(tmp_path: Path) -> None:
    config = str(tmp_path / "storebridge.toml")
    words = ["sandbox", "--shopify-port", "0", "--wix-port", "0", "--write-config", config]
    intake, console = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    listen = ["--intake-listen", intake, "--console-listen", console]
    with started(*words, *listen, says="Configuration:"):
        text = Path(config).read_text().replace('"storebridge.sqlite3"', f'"{tmp_path / "file.sqlite3"}"')
        Path(config).write_text(text)
        status, unborn = run("orders", "backfill", "--days", "30", "--wait", "--config", config)
        assert (status, unborn["error"][:20]) == (1, "There is no database")
        assert run("baseline", "--config", config)[0] == 0
        status, alone = run("orders", "backfill", "--days", "30", "--wait", "--config", config)
        assert status == 0
        assert [(one["connection"], one["state"]) for one in alone["stores"]] == [("shopify", "done"), ("wix", "done")]
        with started("serve", "--config", config, says="intake:"):
            status, served = run("orders", "backfill", "--days", "60", "--wait", "--config", config)
            assert status == 0
            assert [one["state"] for one in served["stores"]] == ["done", "done"]
            assert served["stores"][0]["since"] < alone["stores"][0]["since"]
        status, refused = run("orders", "backfill", "--days", "5", "--copy", "--config", config)
        assert (status, refused["error"][:17]) == (1, "There is nowhere ")
        status, refused = run("orders", "backfill", "--cancel", "--wait", "--config", config)
        assert (status, refused["error"][:17]) == (2, "--cancel goes alo")
