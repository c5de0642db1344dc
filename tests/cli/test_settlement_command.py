"""``settlement`` and ``invoice`` on a database with one paid order: words, CSV, JSON, exit statuses."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from builders.databases import HandClock
from builders.money import DAY, make_entry, make_paid_order
from builders.orders import PLACED, SHOPIFY, WIX, eur
from storebridge.cli.main import run_command
from storebridge.clock import SeededIds
from storebridge.model.ids import Workspace
from storebridge.model.orders import ChangeCursor
from storebridge.model.sales import Order
from storebridge.model.settings import GroupTerms, WorkspaceTerms
from storebridge.model.settlement import Books, BooksState
from storebridge.model.stock import Policy
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.reconcile.settlement import settle_days
from storebridge.store.books import save_books, save_entries
from storebridge.store.cursors import advance_cursor
from storebridge.store.database import Tx, open_store

CONFIG = """
[server]
store = "{store}"

[workspaces.main.connections.shopify]
kind = "shopify"
shop = "shop.myshopify.com"

[workspaces.main.connections.wix]
kind = "wix"
"""
MAIN = Workspace("main")
TERMS = WorkspaceTerms(
    workspace=MAIN,
    connections=(SHOPIFY, WIX),
    policy=Policy.MIRROR,
    system_of_record=SHOPIFY,
    groups=(GroupTerms("main", {SHOPIFY: ("*",), WIX: ("*",)}),),
)


async def _fill(path: Path, order: Order) -> None:
    clock = HandClock(PLACED + timedelta(days=3))
    store = open_store(str(path), clock=clock)

    def take_in(tx: Tx) -> None:
        OrderTurn(tx, TERMS, SeededIds(random.Random(1))).read(SHOPIFY, [order], [])
        save_books(tx, MAIN, SHOPIFY, Books(BooksState.READ, "", tx.now, PLACED - timedelta(days=1)))
        save_entries(tx, MAIN, SHOPIFY, [make_entry()])
        for name in TERMS.connections:
            advance_cursor(tx, MAIN, name, "orders", ChangeCursor(tx.now), checked_at=tx.now)

    await store.run(take_in)
    await clock.sleep(600.0)
    assert await settle_days(store, TERMS) == 3
    await store.close()


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "storebridge.toml"
    path.write_text(CONFIG.format(store=tmp_path / "file.sqlite3"))
    return str(path)


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_day_is_told_in_words_json_and_csv(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_fill(tmp_path / "file.sqlite3", make_paid_order()))
    asked = ["settlement", "--config", config, "--day", DAY.isoformat()]
    assert run_command(asked) == 0
    words = capsys.readouterr().out
    assert f"{DAY} (UTC): open; version 1 of " in words
    assert "shopify  #1001  fee      -0.51 EUR  booked" in words

    assert run_command([*asked, "--json"]) == 0
    kept = told(capsys)
    assert (kept["version"], kept["statement"]["figures"][0]["net"]["amount"]) == (1, "9.49")
    assert run_command([*asked, "--version", "1", "--json"]) == 0
    assert told(capsys)["digest"] == kept["digest"]

    assert run_command([*asked, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["kind"], row["amount"], row["currency"], row["order"]) for row in rows] == [
        ("order", "10.00", "EUR", "#1001"),
        ("payment", "10.00", "EUR", "#1001"),
        ("fee", "-0.51", "EUR", "#1001"),
    ]

    assert run_command(["settlement", "list", "--config", config, "--json"]) == 0
    assert [(one["day"], one["version"], one["state"]) for one in told(capsys)["items"]] == [
        ((DAY + timedelta(days=2)).isoformat(), 1, "settled"),
        ((DAY + timedelta(days=1)).isoformat(), 1, "settled"),
        (DAY.isoformat(), 1, "open"),
    ]
    several = ["settlement", "--config", config, "--from", DAY.isoformat(), "--to", DAY.isoformat(), "--json"]
    assert run_command(several) == 0
    assert [one["digest"] for one in told(capsys)["days"]] == [kept["digest"]]


def test_a_difference_is_exit_status_1_and_names_both_figures(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = make_paid_order()
    assert order.charged is not None
    dear = replace(order, charged=replace(order.charged, total=eur("10.01")))
    asyncio.run(_fill(tmp_path / "file.sqlite3", dear))
    assert run_command(["settlement", "--config", config, "--day", DAY.isoformat()]) == 1
    assert "settlement_differs: #1001: 10.00 EUR here, 10.01 EUR there, 0.01 EUR apart" in capsys.readouterr().out
    assert run_command(["invoice", "#1001", "--config", config]) == 1
    assert "DIFFERS: total: 10.00 EUR here, 10.01 EUR in shopify, 0.01 EUR apart." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--day", "soon"], "'soon' is no day: write it as 2026-11-25."),
        (["--day", "2026-01-01", "--from", "2026-01-01"], "Name one day with --day (and --version)"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "the first before the last"),
        (["--from", "2024-01-01", "--to", "2026-01-01"], "Name from one day to 92"),
    ],
)
def test_days_that_are_none_are_refused(
    words: list[str], said: str, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_fill(tmp_path / "file.sqlite3", make_paid_order()))
    assert run_command(["settlement", "--config", config, *words]) == 2
    assert said in capsys.readouterr().err
