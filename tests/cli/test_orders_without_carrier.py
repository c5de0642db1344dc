"""``orders ready``, ``orders handed-over`` and ``--delivery``: what they print, their exit statuses, what is left."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
import re
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders.databases import HandClock
from builders.orders import PLACED, SHOPIFY, WIX, make_line, make_order, make_shipment
from storebridge.cli.main import run_command
from storebridge.clock import SeededIds
from storebridge.model.catalogue import Location
from storebridge.model.ids import LocationId, OrderId, Workspace
from storebridge.model.sales import Delivery
from storebridge.model.settings import GroupTerms, WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.store.catalogue import save_locations
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
PICKUP = make_order(
    make_line("l1", 2, title="Vase", sku="VASE"),
    minutes=1,
    order_id=OrderId("o2"),
    name="#1002",
    placed_at=PLACED + timedelta(minutes=1),
    shipments=(make_shipment("f2", (("l1", 2),), delivery=Delivery.PICKUP),),
)
SENT = make_order(make_line("l1", 1), shipments=(make_shipment("f1"),))
BROUGHT = make_order(
    make_line("l1", 3, title="Bowl", sku="BOWL"),
    minutes=2,
    connection=WIX,
    order_id=OrderId("w1"),
    name="10001",
    placed_at=PLACED + timedelta(minutes=2),
    delivery=Delivery.LOCAL,
)


async def _fill(path: Path) -> None:
    store = open_store(str(path), clock=HandClock(PLACED + timedelta(hours=1)))

    def take_in(tx: Tx) -> None:
        shop = Location(LocationId("main"), "Shop", is_default=True)
        save_locations(tx, MAIN, SHOPIFY, [shop], {shop.location_id: ("main", 0)})
        turn = OrderTurn(tx, TERMS, SeededIds(random.Random(1)))
        turn.read(SHOPIFY, [SENT, PICKUP], [])
        turn.read(WIX, [BROUGHT], [])

    await store.run(take_in)
    await store.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An order that is sent, one that is collected, one that is brought."""
    path = tmp_path / "file.sqlite3"
    asyncio.run(_fill(path))
    return path


class Shell:
    """Somebody at a terminal."""

    def __init__(self, config: str, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._config = config
        self._capsys = capsys
        self.database = database

    def run(self, *words: str) -> tuple[int, list[str]]:
        """The exit status, and the lines on standard output, or on standard error where it failed."""
        status = run_command([*words, "--config", self._config])
        said = self._capsys.readouterr()
        return status, (said.err if status else said.out).splitlines()

    def json(self, *words: str) -> Any:
        status, lines = self.run(*words, "--json")
        assert status == 0
        return json.loads(lines[-1])

    def orders(self, *words: str) -> list[str]:
        return [one["name"] for one in self.json("orders", *words)["items"]]

    def books(self) -> list[str]:
        """Everything that the database holds."""
        connection = sqlite3.connect(self.database)
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    def writes(self) -> list[tuple[str, str]]:
        """What is on its way to a store: its kind, and its state."""
        connection = sqlite3.connect(self.database)
        try:
            return sorted(connection.execute("select kind, state from order_writes"))
        finally:
            connection.close()


@pytest.fixture
def shell(tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    path = tmp_path / "storebridge.toml"
    path.write_text(CONFIG.format(store=database))
    return Shell(str(path), database, capsys)


def test_the_queue_is_told_by_how_goods_get_to_their_buyer(shell: Shell) -> None:
    assert shell.run("orders", "--delivery", "pickup") == (
        0,
        [
            "placed            store    order  place  how        to ship  from  goods",
            "2026-03-02 12:01  shopify  #1002  ready  collected        2  Shop  2 x VASE",
            "",
            "In all: ready 3.",
        ],
    )
    assert shell.orders("--delivery", "local") == ["10001"]
    assert shell.orders("--delivery", "shipping", "--delivery", "local") == ["10001", "#1001"]
    assert shell.orders() == ["10001", "#1002", "#1001"]
    assert shell.run("orders", "--delivery", "none") == (0, ["No orders stand here.", "In all: ready 3."])


def test_a_way_that_does_not_exist_is_refused_with_those_that_do(shell: Shell) -> None:
    status, lines = shell.run("orders", "--delivery", "drone")
    assert status == 2
    assert "drone" in lines[-1]


def test_tables_and_pick_lists_hold_what_is_asked_for_alone(shell: Shell) -> None:
    status, table = shell.run("orders", "export", "--delivery", "local")
    assert status == 0
    rows = list(csv.DictReader(io.StringIO("\n".join(table))))
    assert [(row["order"], row["sku"], row["units"], row["delivery"]) for row in rows] == [
        ("10001", "BOWL", "3", "local")
    ]
    assert shell.run("orders", "pick-list", "--delivery", "pickup") == (
        0,
        ["units  sku   goods  orders", "    2  VASE  Vase        1"],
    )


def test_an_order_is_said_to_be_ready_once_and_its_store_is_to_be_told(shell: Shell) -> None:
    assert shell.run("orders", "ready", "#1002") == (0, ["#1002: 2 units can be collected."])
    assert shell.writes() == [("prepare_for_pickup", "planned")]
    assert shell.run("orders", "ready", "#1002") == (0, ["#1002: was said before."])
    assert shell.writes() == [("prepare_for_pickup", "planned")]
    assert shell.run("orders", "--delivery", "pickup")[1][1].split("  ")[4] == "collected, ready"


def test_goods_are_handed_over_in_parts_and_the_same_name_notes_nothing_twice(shell: Shell) -> None:
    first = ("orders", "handed-over", "#1002", "--line", "VASE=1", "--reference", "desk-7")
    assert shell.run(*first) == (0, ["Noted: 1 unit."])
    assert shell.run(*first) == (0, ["It was noted before; nothing was changed."])
    assert shell.writes() == [("add_parcel", "planned")]
    assert shell.run("orders", "handed-over", "#1002") == (0, ["Noted: 1 unit."])
    assert [one["units_to_ship"] for one in shell.json("orders", "--delivery", "pickup")["items"]] == [0]
    assert shell.run("orders", "handed-over", "#1002")[0] == 1


def test_goods_that_the_merchant_brings_are_handed_over_and_json_says_what_was_noted(shell: Shell) -> None:
    told = shell.json("orders", "handed-over", "10001", "--no-notify")
    assert (told["units"], told["repeated"]) == (3, False)
    assert shell.writes() == [("add_parcel", "planned")]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("ready", "#1001"), "Order #1001 is not collected by its buyer. Nothing was changed."),
        (("ready", "10001"), "Order 10001 is not collected by its buyer. Nothing was changed."),
        (
            ("handed-over", "#1001"),
            "Order #1001 is neither collected nor brought by you: note its parcel (storebridge orders ship). "
            "Nothing was changed.",
        ),
        (("handed-over", "#1002", "--line", "VASE=3"), "Order #1002: 3 of VASE cannot be sent, 2 are left."),
        (("handed-over", "#1002", "--line", "BOWL=1"), "BOWL"),
        (("ready", "#9999"), "No order '#9999' is known"),
        (("handed-over", "#9999"), "No order '#9999' is known"),
    ],
)
def test_what_is_refused_is_one_line_and_changes_nothing(shell: Shell, words: tuple[str, ...], line: str) -> None:
    before = shell.books()
    status, lines = shell.run("orders", *words)
    assert (status, len(lines)) == (1, 1)
    assert line in lines[0]
    assert shell.books() == before


def test_units_that_are_no_number_are_refused_before_anything_is_read(shell: Shell) -> None:
    before = shell.books()
    status, lines = shell.run("orders", "handed-over", "#1002", "--line", "VASE=some")
    assert (status, len(lines)) == (2, 1)
    assert "VASE=some" in lines[0]
    assert shell.books() == before


def test_a_list_that_is_not_shown_whole_says_how_it_goes_on(shell: Shell) -> None:
    _, first = shell.run("orders", "--limit", "2")
    hint = next(line for line in first if line.startswith("There are more: the same with --after '"))
    _, rest = shell.run("orders", "--limit", "2", "--after", hint.split("'")[1])
    assert [name for name in ("#1001", "#1002", "10001") if f"  {name}  " in "\n".join(rest)] == ["#1001"]
    assert not any("There are more" in line for line in rest)


def test_a_column_that_says_nothing_of_any_order_is_left_out(shell: Shell) -> None:
    _, lines = shell.run("orders", "--search", "#1001")
    assert re.split(r"\s{2,}", lines[0]) == ["placed", "store", "order", "place", "to ship", "from", "goods"]
