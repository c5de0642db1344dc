"""One server of the intake measurement, in a process of its own:
``python -m storebridge_proving.bench.intake_server bridge|bare|grouped STORE``.

Writes its port on a line, serves until standard input ends, then writes how much processor time it took and how many
deliveries its database holds.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from contextlib import closing

import msgspec
import psycopg
from starlette.applications import Starlette

from storebridge.bootstrap import Bridge, build_bridge
from storebridge.config import Config, ConnectionConfig, SecretRef, ServerConfig, WorkspaceConfig
from storebridge.connectors.aiohttp_transport import AiohttpTransport
from storebridge.environment import Environment
from storebridge.web.intake.app import build_intake_app
from storebridge_proving.bench.bare_endpoint import build_bare_app
from storebridge_proving.bench.shopify_payloads import SECRET, SHOP
from storebridge_sandbox.serve import ServedApp

SECRET_VARIABLE = "BENCH_SECRET"
TABLES = {"bridge": "deliveries", "bare": "bare_deliveries", "grouped": "bare_deliveries"}


class ServerDone(msgspec.Struct, frozen=True):
    """Said at the end."""

    processor_seconds: float
    stored: int


def intake_config(store: str) -> Config:
    """One Shopify connection whose deliveries are signed with the measurement's own secret."""
    connection = ConnectionConfig(
        kind="shopify",
        shop=SHOP,
        client_id="bench",
        client_secret=SecretRef(env=SECRET_VARIABLE),
    )
    return Config({"main": WorkspaceConfig({"shopify": connection})}, ServerConfig(store=store))


def count_rows(kind: str, store: str) -> int:
    """What the database says by itself."""
    statement = f"SELECT COUNT(*) FROM {TABLES[kind]}"
    if store.startswith("postgresql://"):
        with psycopg.connect(store) as connection:
            found = connection.execute(statement.encode()).fetchone()
            assert found is not None
            return int(found[0])
    with closing(sqlite3.connect(store)) as file:
        return int(file.execute(statement).fetchone()[0])


async def serve(kind: str, store: str) -> None:
    """Serve one of the two until standard input ends; nothing but the intake runs."""
    transport = AiohttpTransport()
    bridge, app = _build(kind, store, transport)
    served = ServedApp(app, 0)
    print(served.url, flush=True)  # noqa: T201 - the protocol of this process
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await served.stop()
    if bridge is not None:
        await bridge.stop()
    await transport.close()
    done = ServerDone(time.process_time(), count_rows(kind, store))
    print(msgspec.json.encode(done).decode(), flush=True)  # noqa: T201 - as above


def _build(kind: str, store: str, transport: AiohttpTransport) -> tuple[Bridge | None, Starlette]:
    if kind != "bridge":
        return None, build_bare_app(store, grouped=kind == "grouped")
    bridge = build_bridge(intake_config(store), Environment(transport, environ={SECRET_VARIABLE: SECRET}))
    return bridge, build_intake_app(bridge)


def main() -> None:
    kind, store = sys.argv[1:]
    asyncio.run(serve(kind, store))


if __name__ == "__main__":
    main()
