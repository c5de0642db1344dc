"""What a person is told who types something wrong, or whose database or stores are not there."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

from storebridge.cli.examples import EXAMPLES, commands_below, words_of
from storebridge.cli.main import build_app, run_command
from storebridge.cli.progress import told_while_waiting
from storebridge.clock import SystemClock
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import Workspace
from storebridge.operations.list_cases import CaseFilter, list_cases
from storebridge.store.database import open_store

CONFIG = """
[server]
store = "{store}"
console_listen = "127.0.0.1:9"

[workspaces.main]

[workspaces.main.connections.shopify]
kind = "shopify"
shop = "shop.myshopify.com"
client_id = "id"
client_secret = {{ env = "TOKEN" }}
api_url = "http://127.0.0.1:9"

[workspaces.main.connections.wix]
kind = "wix"
site_id = "site"
api_key = {{ env = "TOKEN" }}
api_url = "http://127.0.0.1:9"
"""
NO_SERVER = "postgresql://keeper:very-secret@127.0.0.1:9/stock"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with storebridge.toml, and we stand in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKEN", "token")
    monkeypatch.delenv("STOREBRIDGE_CONFIG", raising=False)
    monkeypatch.delenv("STOREBRIDGE_STORE", raising=False)
    (tmp_path / "storebridge.toml").write_text(CONFIG.format(store="shop.sqlite3"))
    return tmp_path


@pytest.fixture
def database(folder: Path) -> Path:
    """An empty database of this version."""

    async def make() -> None:
        await open_store("shop.sqlite3", clock=SystemClock()).close()

    asyncio.run(make())
    return folder / "shop.sqlite3"


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    captured = capsys.readouterr()
    assert captured.err.startswith("storebridge: ")
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("storebridge: ").strip()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["receive"], "receive needs SKU. For example: `storebridge receive MUG-BLUE 12`."),
        (["receive", "MUG"], "receive needs QTY. For example:"),
        (["receive", "MUG", "five"], 'Invalid value for QTY: "five" is no whole number. For example:'),
        (["campaign", "start", "--for", "x"], 'Invalid value for --for: "x" is no number. For example:'),
        (["receive", "MUG", "--", "-5", "--group", "a"], "Everything after -- is taken for a value: put --group"),
        (["audit", "--config", "x"], "audit needs one of its commands first: verify, export."),
        (
            ["exceptions", "lst"],
            "exceptions has no command 'lst': did you mean list? Its commands: list, show, retry, edit, release, "
            "resolve. For example: `storebridge exceptions list`.",
        ),
        (["campaign", "strat", "--for", "1"], "campaign has no command 'strat': did you mean start? Its commands:"),
        (["orders", "--json", "shw", "#1"], "orders has no command 'shw': did you mean show? Its commands:"),
        (["settlement", "zzz"], "settlement has no command 'zzz'. Its commands: show, list. For example:"),
        (["audit", "verfy"], 'Unknown command "verfy". Did you mean "verify"?'),
        (["exceptions", "--raeson", "x"], "Unknown option: --raeson. Did you mean --reason?"),
        (["stock", "A", "B"], "stock was given more than it takes: B. For example: `storebridge stock MUG-BLUE`."),
        (["receive", "A", "1", "2", "3"], "receive was given more than it takes: 2 3. For example:"),
        (["orders", "backfill", "cancle"], "orders backfill was given more than it takes: cancle. For example:"),
        (["receive", "MUG", "-5"], "-5 units of MUG cannot be received: give a number from 1 to 1000000."),
        (["count", "MUG", "-1"], "-1 is no shelf count of MUG: give a number from 0"),
        (["campaign", "start", "--for", "0"], "A campaign cannot last 0 hours"),
        (["undo", "--minutes", "-1"], "-1 minutes are no period"),
        (["undo", "--minutes", "5", "--connection", "ebay"], "--connection 'ebay' is no store of this workspace:"),
        (["orders", "--connection", "ebay"], "give shopify or wix."),
        (["orders", "backfill", "--days", "0"], "0 days of orders cannot be read: give 1 to 3650."),
        (["exceptions", "--reason", "write_refuse"], "did you mean write_refused or"),
        (["exceptions", "retry", "--reason", "odd"], "--reason 'odd' is no reason of a case"),
        (["exceptions", "list", "--state", "new"], "--state 'new' is not known: give open, resolved or any."),
        (["exceptions", "resolve", "case_1", "cancel"], "'cancel' is a decision and no case: write --choice cancel."),
        (["orders", "import", "none.csv"], "none.csv cannot be read (No such file or directory)."),
        (["status", "--store", "nowhere/shop.sqlite3"], "There is no database nowhere/shop.sqlite3 yet"),
    ],
)
def test_who_types_something_wrong_is_told_what_to_type(
    words: list[str], sentence: str, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = database.read_bytes()
    assert run_command(words) == (1 if "nowhere" in sentence else 2)
    assert sentence in told(capsys)
    assert database.read_bytes() == before


def test_of_several_cases_none_is_settled_when_one_is_mistyped(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def open_a_case() -> str:
        store = open_store("shop.sqlite3", clock=SystemClock())
        about = CaseOpening(Workspace("main"), Reason.WRITE_REFUSED, "MUG@main", sku="MUG")
        await store.run(raise_cases, [about])
        (case,) = (await list_cases(store, Workspace("main"), CaseFilter())).items
        await store.close()
        return case.case_id

    case_id = asyncio.run(open_a_case())
    before = database.read_bytes()
    assert run_command(["exceptions", "resolve", case_id, "case_none"]) == 1
    assert "There is no case 'case_none' in workspace 'main'" in told(capsys)
    assert database.read_bytes() == before
    assert run_command(["exceptions", "resolve", case_id, case_id, "--json"]) == 0
    assert [one["case_id"] for one in json.loads(capsys.readouterr().out)["settled"]] == [case_id]


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        (["receive", "--json"], 2, "receive needs SKU."),
        (["status", "--config", "none.toml", "--json"], 2, "The configuration none.toml cannot be read"),
        (["stock", "NONE", "--json"], 1, "No SKU 'NONE' is kept in step in workspace 'main'. Capital and small"),
        (["receive", "NONE", "-5", "--json"], 2, "-5 units of NONE cannot be received"),
        (["baseline", "--json"], 1, "did not answer. Look whether the store is"),
    ],
)
def test_a_script_gets_an_error_as_an_object(
    words: list[str], status: int, error: str, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(words) == status
    captured = capsys.readouterr()
    found = json.loads(captured.out.splitlines()[-1])
    assert set(found) == {"error", "exit_status"}
    assert found["exit_status"] == status
    assert error in found["error"]
    assert captured.err == f"storebridge: {found['error']}\n"


def test_a_value_that_reads_like_the_option_asks_for_no_object(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["stock", "--", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "No SKU '--json' is kept in step" in captured.err


@pytest.mark.parametrize(
    "words", [["receive", "A", "1"], ["count", "A", "1"], ["campaign", "start", "--for", "1"], ["status"]]
)
def test_a_mistyped_database_is_not_made(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*words, "--store", "typo.sqlite3"]) == 1
    assert "There is no database typo.sqlite3 yet: run storebridge baseline or serve first." in told(capsys)
    assert [path.name for path in folder.iterdir()] == ["storebridge.toml"]


def test_a_baseline_makes_the_database_but_no_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["baseline", "--store", "new/shop.sqlite3"]) == 2
    assert "The database cannot be new/shop.sqlite3: there is no folder new." in told(capsys)
    assert not (folder / "new").exists()


@pytest.mark.parametrize(
    ("words", "schema", "sentence"),
    [
        (["status"], "9999", "a newer version of storebridge (schema 9999). Use that version, or restore the backup"),
        (["receive", "A", "1"], "9999", "a newer version of storebridge (schema 9999). Use that version, or restore"),
        (["status"], "garbage", "cannot be read (file is not a database): correct server.store or --store"),
        (["receive", "A", "1"], "garbage", "cannot be written (file is not a database): correct server.store"),
        (["status"], "none", "is no database of storebridge"),
    ],
)
def test_a_database_that_is_not_ours_is_refused_unchanged(
    words: list[str], schema: str, sentence: str, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _spoil(database, schema)
    before = database.read_bytes()
    assert run_command(words) == 1
    assert sentence in told(capsys)
    assert database.read_bytes() == before


def test_a_reader_of_an_older_database_is_told_to_start_the_server_once(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _spoil(database, "0012")
    assert run_command(["status"]) == 1
    assert "of an older version of storebridge (schema 0012): back it up, then start storebridge serve" in told(capsys)


def _spoil(database: Path, schema: str) -> None:
    if schema == "garbage":
        database.write_bytes(b"no database at all, and longer than a header of one is: " * 40)
        return
    connection = sqlite3.connect(database)
    if schema == "none":
        connection.execute("drop table alembic_version")
    else:
        connection.execute("update alembic_version set version_num = ?", (schema,))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("words", [["status"], ["receive", "A", "1"]])
def test_a_postgresql_that_is_not_there_is_named_without_its_password(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*words, "--store", NO_SERVER]) == 1
    line = told(capsys)
    assert line.startswith("PostgreSQL cannot be used at keeper@127.0.0.1:9/stock (Connection refused). Start it, or")
    assert "very-secret" not in line


def test_without_the_stores_nothing_is_begun_and_one_line_says_whose_move_it_is(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["baseline", "--sign-off"]) == 1
    line = told(capsys)
    assert line.startswith("Shopify's token address http://127.0.0.1:9/admin/oauth/access_token did not answer.")
    assert line.endswith(
        "Look whether the store is up and this machine is online, then try again. Nothing was changed."
    )
    connection = sqlite3.connect(database)
    assert connection.execute("select count(*) from baselines").fetchone() == (0,)
    connection.close()


def test_every_command_shows_how_it_is_used() -> None:
    commands = set(commands_below(build_app()))
    assert {"audit verify", "orders ship", "receive"} <= commands
    assert commands == set(EXAMPLES)


@pytest.mark.parametrize("example", [words for examples in EXAMPLES.values() for words, _ in examples])
def test_every_example_is_understood(example: str) -> None:
    command, bound, _ = build_app().parse_args(words_of(example), print_error=False, exit_on_error=False)
    assert callable(command)
    assert bound is not None


def test_help_ends_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["receive", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Examples: • storebridge receive MUG-BLUE 12: twelve mugs arrived" in shown


class _Watched(io.StringIO):
    """Notices when something is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def test_who_waits_is_told_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = _Watched()
    monkeypatch.setattr(sys, "stderr", watched)
    with told_while_waiting("Reading every counter", 0.001):
        assert watched.written.wait(20)
    assert watched.getvalue().startswith("Reading every counter … 0 s\n")


def test_who_need_not_wait_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = _Watched()
    monkeypatch.setattr(sys, "stderr", watched)
    with told_while_waiting("Reading every counter", 60.0):
        pass
    with told_while_waiting("", 0.0):
        pass
    assert watched.getvalue() == ""
