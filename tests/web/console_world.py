"""A bridge that is wired but not started, with tables filled by hand, and a way to ask its applications."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import insert

from builders.orders import eur, make_line, make_order
from storebridge.bootstrap import Bridge, build_bridge
from storebridge.clock import SeededIds
from storebridge.config import parse_config
from storebridge.connectors.http import NotSent, Request, Response
from storebridge.environment import Environment
from storebridge.exceptions_queue.cases import CaseOpening, raise_cases
from storebridge.exceptions_queue.reasons import Reason
from storebridge.model.ids import ConnectionName, LaneKey, Workspace
from storebridge.model.orders import ChangeCursor
from storebridge.model.sales import Payment, PaymentKind, PaymentOutcome
from storebridge.model.settings import WorkspaceTerms
from storebridge.model.stock import Policy
from storebridge.pipeline.order_flow import OrderTurn
from storebridge.store import tables
from storebridge.store.cursors import advance_cursor
from storebridge.store.database import Tx

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TOKEN = "a-long-enough-console-token"
CONFIG = """
[server]
store = ":memory:"
console_listen = "{listen}"
console_token = {{ env = "TOKEN" }}
max_delivery_bytes = 2048

[workspaces.main]
policy = "{policy}"

[workspaces.main.orders]
keep = true

[workspaces.main.connections.shopify]
kind = "shopify"
shop = "shop.myshopify.com"
client_id = "id"
client_secret = {{ env = "SECRET" }}

[workspaces.main.connections.wix]
kind = "wix"
site_id = "site"
api_key = {{ env = "SECRET" }}
"""


class FixedClock:
    """It is always noon; waiting takes no time but lets others run."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class NoNetwork:
    """Nothing is reachable."""

    async def send(self, request: Request) -> Response:
        raise NotSent(request.url)

    async def close(self) -> None:
        """Nothing is open."""


def build_world(
    *, policy: str = "mirror", listen: str = "127.0.0.1:8790", environ: Mapping[str, str] | None = None
) -> Bridge:
    """A wired bridge on an empty database in memory; call it inside a running loop."""
    environment = Environment(
        NoNetwork(),
        clock=FixedClock(),
        environ={"SECRET": "secret", "TOKEN": TOKEN} if environ is None else environ,
        inline_store=True,
    )
    return build_bridge(parse_config(CONFIG.format(policy=policy, listen=listen), "test"), environment)


def fill(tx: Tx, *, wix_level: int = 8) -> None:
    """One SKU of ten units: two were sold in Shopify, and Wix may follow or not; an order, a case, a baseline."""
    rows: list[tuple[Any, dict[str, Any]]] = [
        (
            tables.pools,
            {"pool_id": "p1", "lane": "l1", "sku": "TEE/1", "location_group": "main", "goods": 10, "frozen": False},
        ),
        (
            tables.baselines,
            {"baseline_id": "b1", "made_at": NOW, "report": {}, "state": "signed_off", "actor": "me"},
        ),
        (
            tables.orders,
            {
                "connection": "shopify",
                "order_id": "o1",
                "name": "#1001",
                "created_at": NOW,
                "updated_at": NOW,
                "cancelled": False,
                "read_at": NOW,
            },
        ),
        (
            tables.order_effects,
            {
                "connection": "shopify",
                "order_id": "o1",
                "line_id": "1",
                "item_id": "i",
                "sku": "TEE/1",
                "sold": 2,
                "restocked": 0,
                "at": NOW,
            },
        ),
        (
            tables.ledger,
            {
                "pool_id": "p1",
                "connection": "shopify",
                "item_id": "i",
                "location_id": "loc",
                "kind": "level",
                "units": -2,
                "level_after": 8,
                "at": NOW,
            },
        ),
        (
            tables.spreads,
            {"lane": "l1", "signalled_at": NOW - timedelta(milliseconds=120), "written_at": NOW},
        ),
    ]
    rows += [(tables.connections, _store(name)) for name in ("shopify", "wix")]
    rows += [(tables.variants, _variant(name)) for name in ("shopify", "wix")]
    rows += [(tables.locations, _location(name)) for name in ("shopify", "wix")]
    rows += [
        (tables.positions, _position("shopify", 8, 10)),
        (tables.positions, _position("wix", wix_level, wix_level)),
    ]
    rows += [
        (tables.draws, {"connection": name, "item_id": "i", "location_id": "loc", "pool_id": "p1", "weight": 1})
        for name in ("shopify", "wix")
    ]
    rows += [(tables.signals, _signal(n)) for n in range(3)]
    for table, row in rows:
        tx.conn.execute(insert(table).values(workspace="main", **row))
    for name in ("shopify", "wix"):
        advance_cursor(tx, Workspace("main"), ConnectionName(name), "orders", ChangeCursor(NOW), checked_at=NOW)
    raise_cases(
        tx,
        [
            CaseOpening(
                workspace=Workspace("main"),
                reason=Reason.WRITE_REFUSED,
                subject="wix/i@loc",
                connection=ConnectionName("wix"),
                sku="TEE/1",
                lane=LaneKey("l1"),
                details={"message": "<b>no</b>"},
            )
        ],
    )
    paid = Payment("t1", PaymentKind.SALE, PaymentOutcome.SUCCESS, eur("20.00"), NOW, gateway="cash")
    order = make_order(make_line(units=2, sku="TEE/1"), placed_at=NOW, updated_at=NOW, payments=(paid,))
    terms = WorkspaceTerms(
        workspace=Workspace("main"),
        connections=(order.connection, ConnectionName("wix")),
        policy=Policy.MIRROR,
        system_of_record=order.connection,
        groups=(),
    )
    OrderTurn(tx, terms, SeededIds(random.Random(3))).read(order.connection, [order], [])


def _store(name: str) -> dict[str, Any]:
    facts = {"account": f"{name}-account", "name": f"My {name}"}
    return {"connection": name, "kind": name, "health": "ok", "since": NOW, "last_answer_at": NOW, "facts": facts}


def _variant(name: str) -> dict[str, Any]:
    return {
        "connection": name,
        "item_id": "i",
        "variant_id": "v",
        "product_id": "p",
        "title": "Tee <1>",
        "sku": "TEE/1",
        "tracked": True,
        "denies_oversell": True,
        "adjustable": True,
        "listed_at": NOW,
    }


def _location(name: str) -> dict[str, Any]:
    return {
        "connection": name,
        "location_id": "loc",
        "name": "Warehouse",
        "active": True,
        "sells_online": True,
        "is_default": True,
    }


def _position(name: str, level: int, granted: int) -> dict[str, Any]:
    return {
        "connection": name,
        "item_id": "i",
        "location_id": "loc",
        "lane": "l1",
        "granted": granted,
        "level": level,
        "opening": 10,
        "read_at": NOW,
    }


def _signal(n: int) -> dict[str, Any]:
    waiting = n == 2
    return {
        "connection": "shopify",
        "source": "webhook",
        "flow": "stock",
        "entity": "i",
        "delivery_id": f"d/{n}",
        "stage": "normalize" if waiting else "confirm",
        "state": "waiting" if waiting else "confirmed",
        "stored_at": NOW - timedelta(seconds=3),
        "closed_at": None if waiting else NOW,
    }


class Answer:
    """What an application answered."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


async def ask(
    app: Any,
    path: str,
    *,
    method: str = "GET",
    body: bytes | list[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    until: Callable[[bytes], bool] | None = None,
) -> Answer:
    """One request, straight into the application. ``until`` leaves a stream once it is true of what came."""
    path, _, query = path.partition("?")
    sent = {"host": "127.0.0.1:8790", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": _unquoted(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8790),
    }
    chunks = list(body) if isinstance(body, list) else [body]
    answer = Answer(0, {}, b"")
    left = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if chunks:
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")
            if until is not None and until(answer.body):
                left.set()

    await app(scope, receive, send)
    return answer


def _unquoted(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path)


def in_world(play: Callable[[Bridge], Any], **terms: Any) -> Any:
    """Run a coroutine function with a fresh, filled bridge; returns what it returns."""
    wix_level = terms.pop("wix_level", 8)

    async def run() -> Any:
        bridge = build_world(**terms)
        await bridge.store.run(lambda tx: fill(tx, wix_level=wix_level))
        try:
            return await play(bridge)
        finally:
            await bridge.stop()

    return asyncio.run(run())
