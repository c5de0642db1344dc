"""What a page costs: few questions to the database however much it shows, and watching a large shop stays cheap."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from itertools import pairwise
from typing import Any

import pytest
from console_world import NOW, ask, in_world

from builders.orders import make_line, make_order
from storebridge.bootstrap import Bridge
from storebridge.clock import SeededIds
from storebridge.errors import StoreUnavailableError
from storebridge.model.ids import OrderId, Workspace
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.store.database import Tx
from storebridge.store.dialects import sqlite
from storebridge.store.views_sales import find_orders
from storebridge.web.console import live
from storebridge.web.console.app import build_console_app
from storebridge.web.console.render import build_templates

HTML = {"accept": "text/html"}
MAIN = Workspace("main")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that SQLite is given."""
    heard: list[str] = []

    def connect(path: str, read_only: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.set_trace_callback(heard.append)
        return connection

    monkeypatch.setattr(sqlite, "_connect", connect)
    return heard


async def add_orders(bridge: Bridge, count: int) -> None:
    """So many more orders of two mugs."""
    terms = bridge.workspaces[MAIN].terms

    def add(tx: Tx) -> None:
        new = [
            make_order(
                make_line(units=2, sku="TEE/1"),
                order_id=OrderId(f"n{n}"),
                name=f"#9{n:03}",
                placed_at=NOW,
                updated_at=NOW,
            )
            for n in range(count)
        ]
        OrderTurn(tx, terms, SeededIds(random.Random(count))).read(new[0].connection, new, [])

    await bridge.store.run(add)


@pytest.mark.parametrize("path", ["/orders", "/orders/print", "/orders/export.csv", "/settlements/2026-11-24"])
def test_more_orders_on_a_page_are_no_more_questions(path: str, asked: list[str]) -> None:
    async def play(bridge: Bridge) -> None:
        app = build_console_app(bridge)
        counts = []
        for more in (2, 40):
            await add_orders(bridge, more)
            await ask(app, path, headers=HTML)  # statements are prepared
            asked.clear()
            answer = await ask(app, path, headers=HTML)
            assert f"#9{more - 1:03}" in answer.text
            counts.append(len(asked))
        assert counts[0] == counts[1]
        assert counts[0] < 20

    in_world(play)


def test_one_order_is_found_by_an_index_whatever_it_is_called(asked: list[str]) -> None:
    async def play(bridge: Bridge) -> Any:
        await add_orders(bridge, 3)
        asked.clear()

        def find(tx: Tx) -> Any:
            (by_name,) = find_orders(tx, MAIN, ["#9001"])["#9001"]
            assert find_orders(tx, MAIN, ["n1", by_name]) == {"n1": [by_name], by_name: [by_name]}
            (question, *_) = [sql for sql in asked if "sales" in sql]
            return [row[3] for row in tx.conn.exec_driver_sql(f"explain query plan {question}")]

        return await bridge.store.read(find)

    plan = "\n".join(in_world(play))
    for index in ("sales_by_id", "sales_by_name"):
        assert index in plan
    assert "SCAN sales" not in plan


class SlowClock:
    """Every look at it is so many seconds later."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self.at = seconds, 0.0

    def now(self) -> Any:
        return NOW

    def monotonic(self) -> float:
        self.at += self._seconds
        return self.at


@pytest.mark.parametrize(("look_takes", "rests"), [(0.9, 9.0), (0.05, 0.8), (7.5, 10.0)])
def test_who_watches_a_shop_that_takes_long_to_look_at_looks_less_often(
    look_takes: float, rests: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(bridge: Bridge) -> list[float]:
        looks: list[float] = []
        show, clock = live.show_overview, SlowClock(look_takes)

        async def noted(*given: Any) -> Any:
            looks.append(clock.at)
            return await show(*given)

        monkeypatch.setattr(live, "show_overview", noted)
        bridge.environment.clock = clock  # type: ignore[assignment]
        watched = live.LiveOverview(bridge, build_templates())
        for _ in range(60):
            await watched.glance(bridge.workspaces[MAIN].terms)
        return looks

    looks = in_world(play)
    pauses = [later - sooner - look_takes for sooner, later in pairwise(looks)]
    assert len(pauses) >= 2
    assert all(rests <= round(pause, 6) <= rests + 2 * look_takes for pause in pauses)


def test_all_who_watch_at_once_share_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(bridge: Bridge) -> tuple[int, int]:
        looks, show = [0], live.show_overview

        async def noted(*given: Any) -> Any:
            looks[0] += 1
            await asyncio.sleep(0)
            return await show(*given)

        monkeypatch.setattr(live, "show_overview", noted)
        watched = live.LiveOverview(bridge, build_templates())
        terms = bridge.workspaces[MAIN].terms
        watching = [asyncio.create_task(watched.glance(terms)) for _ in range(10)]
        await asyncio.sleep(0)
        watching[0].cancel()  # the first to come goes away again
        seen = await asyncio.gather(*watching, return_exceptions=True)
        return looks[0], len({id(glance) for glance in seen[1:]})

    assert in_world(play) == (1, 1)


def test_a_look_that_failed_is_not_shared_with_who_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(bridge: Bridge) -> int:
        show = live.show_overview

        async def away(*given: Any) -> Any:
            raise StoreUnavailableError("away")

        watched = live.LiveOverview(bridge, build_templates())
        terms = bridge.workspaces[MAIN].terms
        monkeypatch.setattr(live, "show_overview", away)
        with pytest.raises(StoreUnavailableError, match="away"):
            await watched.glance(terms)
        monkeypatch.setattr(live, "show_overview", show)
        return (await watched.glance(terms)).overview.status.traffic.deliveries

    assert in_world(play) == 0
