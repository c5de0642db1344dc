"""The command line: exit statuses, one line on stderr, one JSON object on stdout."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from storebridge.bootstrap import build_bridge
from storebridge.cli import desk
from storebridge.cli.desk import ask_server
from storebridge.cli.init import Composed, compose
from storebridge.cli.main import run_command
from storebridge.cli.output import as_table, folded, say, tell
from storebridge.clock import SystemClock
from storebridge.config import Config, ServerConfig, parse_config
from storebridge.connectors.aiohttp_transport import AiohttpTransport
from storebridge.environment import Environment
from storebridge.errors import ConfigurationError, RefusedError, StoreUnavailableError
from storebridge.store.database import open_store
from storebridge_sandbox.wix.signing import public_key_pem

CONFIG = """
[server]
store = "{store}"
console_listen = "127.0.0.1:{port}"

[workspaces.main]
policy = "mirror"

[workspaces.main.connections.shopify]
kind = "shopify"
shop = "shop.myshopify.com"

[workspaces.main.connections.wix]
kind = "wix"
"""
CLOSED_PORT = 9
"""The discard service: nothing listens there."""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "storebridge.toml"
    path.write_text(CONFIG.format(store=tmp_path / "file.sqlite3", port=CLOSED_PORT))
    return str(path)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """An empty database that nobody holds."""
    path = tmp_path / "file.sqlite3"
    asyncio.run(_make(path))
    return path


async def _make(path: Path) -> None:
    await open_store(str(path), clock=SystemClock()).close()


def last_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_status_before_the_first_start_says_what_to_do(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["status", "--config", config]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "file.sqlite3 yet: run storebridge baseline or serve first." in captured.err


def test_status_of_an_empty_database(config: str, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["status", "--config", config, "--json"]) == 1
    found = last_json(capsys)
    assert found["workspace"] == "main"
    assert [(store["connection"], store["health"]) for store in found["stores"]] == [
        ("shopify", "unknown"),
        ("wix", "unknown"),
    ]
    assert found["problems"][-1] == (
        "No baseline is signed off, so nothing is written: run storebridge baseline, then --sign-off."
    )


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        (["nope"], 2, 'Unknown command "nope".'),
        (["stock"], 2, "stock needs SKU. For example: `storebridge stock MUG-BLUE`."),
        (["receive", "A", "many"], 2, "many"),
        (["status", "--config", "none.toml"], 2, "The configuration none.toml cannot be read"),
        (["serve", "--config", "CONFIG", "--policy", "guarded"], 2, "guarded needs a Wix connection of an app"),
        (["demo", "--policy", "best"], 2, "'best' is not a policy: use mirror, escrow, hybrid or guarded."),
        (["simulate", "--seeds", "1", "--policy", "best"], 2, "'best' is not a policy"),
        (["worker", "--config", "CONFIG"], 2, "storebridge worker needs PostgreSQL"),
        (["status", "--config", "CONFIG", "--workspace", "x"], 2, "There is no workspace 'x'"),
        (["exceptions", "resolve", "--config", "CONFIG"], 2, "Name cases by id, or give --reason"),
        (["stock", "NONE", "--config", "CONFIG"], 1, "No SKU 'NONE' is kept in step in workspace 'main'."),
        (["receive", "NONE", "5", "--config", "CONFIG"], 1, "No SKU 'NONE' is kept in step"),
        (
            ["exceptions", "edit", "c1", "--sku", "A"],
            2,
            "Change the SKU to 'A' in the store's admin, then: storebridge exceptions retry c1.",
        ),
        (["exceptions", "show", "none", "--config", "CONFIG"], 1, "There is no case 'none'"),
        (["replay", "--event", "7", "--config", "CONFIG"], 1, "There is no event '7'"),
        (["sandbox", "--faults", "gale"], 2, "--faults gale: give none, some, storm, or a TOML file."),
        (["demo", "--catalogue", "none.csv"], 2, "--catalogue none.csv cannot be read"),
    ],
)
def test_what_goes_wrong_is_one_line(
    words: list[str],
    status: int,
    error: str,
    config: str,
    database: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command([config if word == "CONFIG" else word for word in words]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert error in captured.err
    assert captured.err.startswith("storebridge: ")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["orders"], {"items": [], "places": {}, "after": None, "locations": []}),
        (["exceptions", "list"], {"items": [], "after": None}),
        (["exceptions", "retry", "--sku", "A"], {"settled": [], "refused": []}),
        (["secrets", "list"], {"names": []}),
    ],
)
def test_an_empty_database_gives_empty_answers(
    words: list[str], answer: Any, config: str, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*words, "--config", config, "--json"]) == 0
    assert last_json(capsys) == answer


def test_an_audit_without_a_row_is_called_neither_intact_nor_broken(
    config: str, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["audit", "verify", "--config", config]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "There is no chain yet: is this the right database?"


def test_the_audit_is_verified_and_exported(
    config: str, database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["audit", "verify", "--config", config, "--json"]) == 0
    found = last_json(capsys)
    assert (found["sealed"], found["unsealed"], found["intact"]) == (0, 0, True)
    out = tmp_path / "audit.jsonl"
    assert run_command(["audit", "export", "--config", config, "--out", str(out), "--json"]) == 0
    assert last_json(capsys) == {"rows": 0, "written_to": str(out)}
    assert run_command(["audit", "export", "--config", config, "--out", str(out)]) == 2


def test_a_held_database_is_written_through_its_server(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def hold() -> int:
        store = open_store(str(tmp_path / "file.sqlite3"), clock=SystemClock())
        try:
            return await asyncio.to_thread(run_command, ["receive", "A", "1", "--config", config])
        finally:
            await store.close()

    assert asyncio.run(hold()) == 1
    error = capsys.readouterr().err
    assert "is in use by another storebridge" in error
    assert error.endswith("Its console does not answer at 127.0.0.1:9.\n")


def test_no_server_means_the_lock_is_the_answer() -> None:
    server = ServerConfig(console_listen=f"127.0.0.1:{CLOSED_PORT}")
    with pytest.raises(StoreUnavailableError, match="held"):
        ask_server(server, "/api/v1/main/replay", {}, StoreUnavailableError("held"))


@contextmanager
def served(*answers: bytes) -> Iterator[str]:
    """A server that reads a request, gives one of these bytes and hangs up; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                caller, _ = listening.accept()
                with caller:
                    caller.recv(65536)
                    caller.sendall(answer)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        serving.join(10)


HALF = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{"units": 5'


@pytest.mark.parametrize("answer", [b"", b"what is this\r\n", HALF, HALF.replace(b"90", b"11")])
def test_an_answer_that_is_lost_may_mean_that_it_was_done(answer: bytes) -> None:
    with served(answer) as address, pytest.raises(StoreUnavailableError) as lost:
        ask_server(ServerConfig(console_listen=address), "/api/v1/main/receive/A", {}, StoreUnavailableError("held"))
    assert str(lost.value).startswith(f"The server at {address} was asked, and its answer was lost (")
    assert str(lost.value).endswith(
        "): it may have done it. Before you repeat it look whether it did, with storebridge stock, orders show, "
        "exceptions list, campaign or in the console's audit: what is booked twice counts twice."
    )


def test_a_refusal_that_is_cut_short_is_no_lost_answer() -> None:
    cut = b"HTTP/1.1 409 Conflict\r\ncontent-length: 90\r\n\r\n{"
    with served(cut) as address, pytest.raises(RefusedError, match="The server answered 409"):
        ask_server(ServerConfig(console_listen=address), "/api/v1/main/receive/A", {}, StoreUnavailableError("held"))


def test_a_command_whose_server_dies_ends_in_one_line(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def hold() -> int:
        store = open_store(str(tmp_path / "file.sqlite3"), clock=SystemClock())
        try:
            return await asyncio.to_thread(run_command, ["receive", "A", "1", "--config", config])
        finally:
            await store.close()

    with served(b"") as address:
        Path(config).write_text(Path(config).read_text().replace(f"127.0.0.1:{CLOSED_PORT}", address))
        assert asyncio.run(hold()) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"storebridge: The server at {address} was asked, and its answer was lost")
    assert error.count("\n") == 1


class _Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_rows_on_a_terminal_stand_alone_and_progress_is_told_beside_a_file(
    config: str, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    @contextmanager
    def noted(doing: str) -> Iterator[None]:
        told.append(doing)
        yield

    monkeypatch.setattr(desk, "told_while_waiting", noted)
    assert run_command(["audit", "export", "--config", config]) == 0
    monkeypatch.setattr(sys, "stdout", _Screen())
    assert run_command(["audit", "export", "--config", config]) == 0
    assert run_command(["audit", "export", "--config", config, "--out", str(tmp_path / "rows")]) == 0
    assert told == ["Writing rows", "", "Writing rows"]


def answered(answers: dict[str, str]) -> Composed:
    return compose(lambda question: answers.get(question.name, question.default))


def test_init_writes_what_check_can_read() -> None:
    answers = {"shop": 'my"shop.myshopify.com', "intake_url": "https://hooks.example.com"}
    config = parse_config(answered(answers).text, "new")
    assert config.workspaces["main"].connections["shopify"].shop == 'my"shop.myshopify.com'
    assert config.server.intake_url == "https://hooks.example.com"
    assert config.workspaces["main"].connections["wix"].stamp_namespace is None
    config = parse_config(answered({**answers, "stamp_namespace": "@acme/storebridge"}).text, "new")
    assert config.workspaces["main"].connections["wix"].stamp_namespace == "@acme/storebridge"
    with pytest.raises(ConfigurationError, match="'best' is not a policy"):
        answered({"policy": "best"})


async def begin_and_end(config: Config, environ: dict[str, str]) -> None:
    """Build the bridge of a configuration: every connector refuses settings that it cannot work with."""
    transport = AiohttpTransport()
    bridge = build_bridge(config, Environment(transport, environ=environ, inline_store=True))
    await bridge.stop()
    await transport.close()


@pytest.mark.parametrize(
    ("shopify_way", "wix_way", "variables"),
    [
        ("app", "app", ("SHOPIFY_CLIENT_SECRET", "WIX_APP_SECRET", "WIX_WEBHOOK_PUBLIC_KEY")),
        ("token", "key", ("SHOPIFY_ACCESS_TOKEN", "SHOPIFY_CLIENT_SECRET", "WIX_API_KEY")),
        (
            "refresh",
            "key",
            ("SHOPIFY_CLIENT_SECRET", "SHOPIFY_REFRESH_TOKEN", "WIX_API_KEY", "STOREBRIDGE_SECRETS_KEY"),
        ),
    ],
)
def test_init_offers_every_way_into_the_stores_and_names_its_secrets(
    shopify_way: str,
    wix_way: str,
    variables: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {
        "intake_url": "https://hooks.example.com",
        "shop": "mugs.myshopify.com",
        "client_id": "client",
        "site_id": "site",
        "app_id": "app",
        "instance_id": "instance",
        "shopify_way": shopify_way,
        "wix_way": wix_way,
    }
    asked: list[str] = []
    compose(lambda question: asked.append(question.name) or given.get(question.name, question.default))
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{given.get(name, '')}\n" for name in asked)))
    path = tmp_path / "new.toml"
    assert run_command(["init", "--config", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"written": str(path), "secrets": list(variables)}
    text = path.read_text().replace('"storebridge.sqlite3"', '":memory:"')
    config = parse_config(text, str(path))
    environ = {variable: base64.b64encode(b"c" * 32).decode() for variable in variables}
    environ["WIX_WEBHOOK_PUBLIC_KEY"] = public_key_pem()
    asyncio.run(begin_and_end(config, environ))
    assert (config.server.secrets_key is not None) == (shopify_way == "refresh")


def test_init_asks_again_for_a_way_that_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\nhttps://hooks.example.com\n\n\nmugs.myshopify.com\nmagic\n"))
    assert run_command(["init", "--config", str(tmp_path / "new.toml")]) == 2
    told = capsys.readouterr().err
    assert "One of app, token, refresh, please." in told
    assert "nothing was written" in told
    assert not (tmp_path / "new.toml").exists()


def test_init_never_replaces_a_file(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(config).read_text()
    assert run_command(["init", "--config", config]) == 2
    assert "exists: move it away" in capsys.readouterr().err
    assert Path(config).read_text() == before


def test_a_secret_is_sealed_and_only_its_name_is_shown(
    config: str, database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["secrets", "key", "--json"]) == 0
    monkeypatch.setenv("KEY", last_json(capsys)["key"])
    text = Path(config).read_text().replace("[server]", '[server]\nsecrets_key = { env = "KEY" }')
    Path(config).write_text(text)
    monkeypatch.setattr("sys.stdin", _Typed("very secret\n"))
    assert run_command(["secrets", "set", "wix_key", "--config", config]) == 0
    assert run_command(["secrets", "list", "--config", config, "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out.splitlines()[-1]) == {"names": ["wix_key"]}
    assert "very secret" not in captured.out + captured.err
    assert b"very secret" not in database.read_bytes()


class _Typed:
    def __init__(self, text: str) -> None:
        self._text = text

    def isatty(self) -> bool:
        return False

    def readline(self) -> str:
        return self._text


def test_tables_are_aligned() -> None:
    assert as_table(("SKU", "left"), [("A", 5), ("LONG", 12)]) == ["SKU   left", "A        5", "LONG    12"]


def test_on_a_terminal_a_sentence_goes_on_below_its_own_column() -> None:
    told = "  case_1  Somebody changed TEE-109-RUS-S: accept it, or reject it."
    assert folded(told, 40) == [
        "  case_1  Somebody changed",
        "          TEE-109-RUS-S: accept it, or",
        "          reject it.",
    ]
    row = "2026-11-26 23:00  wix  10044  ready  Online store  2 x SNK-041-NAV-42, 3 x LSH-027-OLI-XL"
    assert folded(row, 60) == [
        "2026-11-26 23:00  wix  10044  ready  Online store  2 x",
        "    SNK-041-NAV-42, 3 x LSH-027-OLI-XL",
    ]
    assert folded("A short line.", 40) == ["A short line."]
    assert folded("", 40) == [""]


def test_what_goes_to_another_program_is_not_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    say(["one line that is longer than twenty"])
    assert capsys.readouterr().out == "one line that is longer than twenty\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    say(["one line that is longer than twenty"])
    assert capsys.readouterr().out == "one line that is\nlonger than twenty\n"
    tell("one line that is longer than twenty")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    tell("one line that is longer than twenty")
    assert capsys.readouterr().err == "one line that is longer than twenty\none line that is\nlonger than twenty\n"
