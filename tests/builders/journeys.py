"""Both pretend stores and the bridge on virtual time, with a hand in each: shopper, staff, operator and fate."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from builders.databases import inline_store, migrated_schema
from builders.quiet import until_quiet
from builders.weather import CALM, Weather
from fakes.inline_postgres import InlinePostgres
from storebridge.bootstrap import Bridge, build_bridge
from storebridge.clock import SeededIds
from storebridge.config import Config, ConnectionConfig, SecretRef, ServerConfig, WorkspaceConfig
from storebridge.connectors.http import Request, Transport
from storebridge.connectors.port import CallTrouble
from storebridge.environment import Environment, Pace
from storebridge.flows.queue import Place
from storebridge.model.ids import Workspace
from storebridge.model.sales import Tracking
from storebridge.operations.book_goods import Booked, count_goods, receive_goods
from storebridge.operations.list_orders import list_orders
from storebridge.operations.settle_case import About, Choice, Settled, settle_case
from storebridge.operations.ship_order import OrderMoved, change_parcel, ship_order
from storebridge.operations.show_order import OrderView, show_order
from storebridge.store.cases import StoredCase
from storebridge.store.database import Store, Tx
from storebridge.store.tables import metadata
from storebridge.store.views_lists import list_cases
from storebridge.web.intake.app import build_intake_app
from storebridge_proving.asgi_transport import AsgiPost, AsgiTransport
from storebridge_proving.store_client import CartLine, StoreClient
from storebridge_proving.virtual_time import VirtualClock, run_virtually
from storebridge_sandbox.app import Stores, build_stores
from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, CatalogueVariant
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.world import World

MAIN = Workspace("main")
URLS = {"shopify": "https://shop.sim", "wix": "https://wix.sim"}
INTAKE_URL = "https://hooks.sim"
WIX_HOOKS = f"{INTAKE_URL}/hooks/wix"
PACE = Pace(nap_seconds=30.0, seal_seconds=120.0, sweep_tick_seconds=30.0, janitor_seconds=3600.0)
REAL_PACE = Pace()
"""As in production: leases are renewed before they end, so nothing is mended by a lease that ran out."""
ANN = {"email": "ann@example.org", "phone": "+15550100", "first_name": "Ann", "last_name": "Lee"}
BOTH = {"shopify": 10, "wix": 10}
BASELINE_TRIES = 60
WEATHER: ContextVar[Weather] = ContextVar("weather", default=CALM)
"""In which the next journey is played."""

Levels = Mapping[str, int]
Play = Callable[["Journey"], Coroutine[Any, Any, None]]


@dataclass
class Goods:
    """What a SKU opens with in each store; a store that is not named does not sell it."""

    sku: str
    opening: Levels = field(default_factory=lambda: dict(BOTH))
    tracked: bool = True
    twice_in: str = ""
    """A store that lists it on two products."""


@dataclass
class Journey:
    """One test's world."""

    clock: VirtualClock
    stores: Stores
    shopify: StoreClient
    wix: StoreClient
    network: AsgiTransport
    post: AsgiPost
    config: Config
    secrets: dict[str, str]
    store: Store
    ids: SeededIds
    pace: Pace = PACE
    wrap_store: Callable[[Store], Store] = lambda store: store
    wrap_transport: Callable[[Transport], Transport] = lambda transport: transport
    weather: Weather = CALM
    _told: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The faults that the story itself asked for."""
    _bridge: Bridge | None = None
    _earlier: list[Bridge] = field(default_factory=list)

    # the bridge's life

    @property
    def bridge(self) -> Bridge:
        assert self._bridge is not None
        return self._bridge

    def build(self) -> Bridge:
        """A bridge that is wired but does not run."""
        environment = Environment(
            self.wrap_transport(self.network),
            clock=self.clock,
            ids=self.ids,
            chance=random.Random(7),
            environ=self.secrets,
            inline_store=True,
            wrap_store=self.wrap_store,
            pace=self.pace,
        )
        self._bridge = build_bridge(self.config, environment, store=self.store)
        return self._bridge

    async def start(self) -> None:
        """A process starts: intake up, loops running."""
        bridge = self.build()
        self.post.connect(build_intake_app(bridge))
        await bridge.start()

    async def start_second(self) -> None:
        """Another worker on the same database, which takes the deliveries from now on; the first goes on."""
        self._earlier.append(self.bridge)
        await self.start()

    async def kill(self) -> None:
        """It dies without a word; what the database holds stays."""
        self.post.disconnect()
        await self.bridge.kill()

    async def begin(self, *, sign_off: bool = True, settle: float = 60.0) -> None:
        """Start, agree on the starting point, and let the first writes come through."""
        await self.start()
        if sign_off:
            await self.baseline()
        if self.weather != CALM:
            await self.set_weather(self.weather)
        await self.pass_time(settle)

    async def baseline(self) -> None:
        """A person signs a baseline off, and tries again when a store did not answer: what fails agrees on nothing."""
        for _ in range(BASELINE_TRIES):
            try:
                await self.bridge.baseline(MAIN, sign_off=True, actor="ann")
            except CallTrouble:
                await self.wait(10.0)
            else:
                return
        raise AssertionError(f"{BASELINE_TRIES} baselines in a row had no answer")

    async def pass_time(self, seconds: float) -> None:
        """Time passes; a loop of the bridge that dies meanwhile fails the test. In foul weather it then clears up until
        the bridge is quiet."""
        await self.wait(seconds)
        if self.weather != CALM and self._bridge is not None and seconds:
            await self.set_weather(CALM)
            await until_quiet(self)
            await self.set_weather(self.weather)

    async def wait(self, seconds: float) -> None:
        """So much time passes, and no more, in whatever weather."""
        await self.clock.sleep(seconds)
        if self._bridge is not None:
            error = self._bridge.failed()
            assert error is None, repr(error)

    async def set_weather(self, weather: Weather) -> None:
        """From now on, beside the faults that the story asked for."""
        for client in self.clients:
            await client.set_faults({"profile": weather.profile, **self._told.get(client.name, {})})

    @asynccontextmanager
    async def at_the_admin(self, store: str) -> AsyncIterator[None]:
        """While somebody works in a store's admin, whose deeds are done once, in whatever weather; faults that the
        story asked for stay."""
        client, told = self.client(store), self._told.get(store, {})
        await client.set_faults({"profile": CALM.profile, **told})
        try:
            yield
        finally:
            await client.set_faults({"profile": self.weather.profile, **told})

    # what stores show and do

    @property
    def clients(self) -> tuple[StoreClient, StoreClient]:
        return (self.shopify, self.wix)

    def client(self, name: str) -> StoreClient:
        return self.shopify if name == "shopify" else self.wix

    async def levels(self, sku: str = "A") -> dict[str, int]:
        """What each store shows of a SKU, over all its locations."""
        shown: dict[str, int] = {}
        for client in self.clients:
            for level in (await client.truth())["levels"]:
                if level["sku"] == sku:
                    shown[client.name] = shown.get(client.name, 0) + level["available"]
        return shown

    async def buy(self, store: str, quantity: int = 1, sku: str = "A") -> str:
        return await self.client(store).checkout([CartLine(sku, quantity)], ANN, paid=True)

    async def faults(self, store: str, **settings: Any) -> None:
        """Fate for one store from now on; none to end it."""
        self._told[store] = settings
        await self.client(store).set_faults({"profile": self.weather.profile, **settings})

    async def sandbox(self, store: str, method: str, path: str, body: object = None) -> Any:
        """Any other call under ``/_sandbox/``."""
        raw = b"" if body is None else msgspec.json.encode(body)
        answer = await self.network.send(Request(method, f"{URLS[store]}/_sandbox/{path}", {}, raw, 20.0))
        assert answer.status < 300, answer.body
        return msgspec.json.decode(answer.body) if answer.body else None

    async def stock_writes(self, store: str) -> int:
        """Movements that API calls made in a store's own records."""
        return sum(move["cause"] == "api" for move in (await self.client(store).truth())["movements"])

    async def calls(self, store: str) -> int:
        return len(await self.client(store).requests())

    # what the bridge knows, and what a person does

    async def cases(self, reason: str | None = None, *, state: str | None = "open") -> list[StoredCase]:
        return await self.store.read(
            list_cases,
            MAIN,
            state=state,
            reason=reason,
            sku=None,
            connection=None,
            whose_move=None,
            before=None,
            limit=99,
        )

    async def reasons(self) -> list[str]:
        """The open cases, by reason."""
        return sorted(case.reason for case in await self.cases())

    async def reasons_beside_outages(self) -> list[str]:
        """The same amid a weather, in which a store may have been out of reach for a while just now."""
        return [reason for reason in await self.reasons() if reason != "store_unreachable"]

    async def settle(self, reason: str, choice: Choice, *orders: str, whole: bool = False) -> Settled:
        (case,) = await self.cases(reason)
        terms, about = self.bridge.workspaces[MAIN].terms, About(orders, whole)
        done = await self.store.run(settle_case, terms, self.ids, case.case_id, choice, actor="ann", about=about)
        self.bridge.wake(MAIN, done.wake)
        return done

    async def receive(self, units: int, sku: str = "A") -> Booked:
        terms = self.bridge.workspaces[MAIN].terms
        booked = await self.store.run(receive_goods, terms, self.ids, sku, units, group=None, actor="ann")
        self.bridge.wake(MAIN, booked.wake)
        return booked

    async def count(self, units: int, sku: str = "A") -> Booked:
        terms = self.bridge.workspaces[MAIN].terms
        booked = await self.store.run(count_goods, terms, self.ids, sku, units, group=None, actor="ann")
        self.bridge.wake(MAIN, booked.wake)
        return booked

    # the fulfilment queue

    async def orders_told_by(self, reason: str) -> list[tuple[bool, str]]:
        """Of each open case of this kind: whether it leads to an order that has the name it gives; the name."""
        names = dict(await self.rows("select order_key, name from sales"))
        payloads = [case.payload or {} for case in await self.cases(reason)]
        return [(names.get(told.get("order_key")) == told.get("order"), str(told.get("order"))) for told in payloads]

    async def queue(self) -> dict[str, OrderView]:
        """Every order that the bridge keeps, by the store that sold it; the newest of each store."""
        terms = self.bridge.workspaces[MAIN].terms
        page = await list_orders(self.store, terms, places=tuple(Place))
        views = [await show_order(self.store, terms, order.order_key) for order in reversed(page.items)]
        return {view.order.connection: view for view in views}

    async def ship(self, store: str, number: str = "123", **facts: Any) -> OrderMoved:
        """The warehouse sends a parcel of that store's newest order; everything that is left, unless told."""
        terms, key = self.bridge.workspaces[MAIN].terms, (await self.queue())[store].queued.order_key
        told = {"lines": None, "tracking": Tracking("DHL", number), "actor": "ann", **facts}
        moved = await self.store.run(ship_order, terms, self.ids, key, **told)
        self.bridge.wake(MAIN, moved.wake)
        return moved

    async def withdraw(self, store: str, parcel_key: str) -> OrderMoved:
        """A parcel of that store's newest order did not leave after all."""
        terms, key = self.bridge.workspaces[MAIN].terms, (await self.queue())[store].queued.order_key
        moved = await self.store.run(change_parcel, terms, self.ids, key, parcel_key, actor="ann", cancel=True)
        self.bridge.wake(MAIN, moved.wake)
        return moved

    async def retrack(self, store: str, parcel_key: str, tracking: Tracking) -> OrderMoved:
        """A parcel of that store's newest order gets its number, or another one."""
        terms, key = self.bridge.workspaces[MAIN].terms, (await self.queue())[store].queued.order_key
        moved = await self.store.run(change_parcel, terms, self.ids, key, parcel_key, actor="ann", tracking=tracking)
        self.bridge.wake(MAIN, moved.wake)
        return moved

    async def parcels(self, store: str) -> list[tuple[str, int]]:
        """(tracking number, units) of every parcel, from the store's own records."""
        orders = (await self.sandbox(store, "GET", "truth"))["orders"]
        return [
            (parcel["tracking"].get("number") or "", sum(line["quantity"] for line in parcel["lines"]))
            for order in orders
            for parcel in order["fulfilments"]
        ]

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        def read(tx: Tx) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in tx.conn.exec_driver_sql(sql)]

        return await self.store.read(read)

    async def goods_left(self, sku: str = "A") -> int:
        """P, from the bridge's own books."""
        ((goods,),) = await self.rows(f"select goods from pools where sku = '{sku}'")
        ((moved,),) = await self.rows(
            "select sum(p.level - p.held - p.granted) from positions p join pools on pools.lane = p.lane "
            f"where pools.sku = '{sku}'"
        )
        return int(goods) + int(moved)

    async def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        """A backup of the database: every row of every table."""

        def read(tx: Tx) -> dict[str, list[dict[str, Any]]]:
            return {
                name: [dict(row._mapping) for row in tx.conn.execute(table.select())]
                for name, table in metadata.tables.items()
            }

        return await self.store.read(read)

    async def restore(self, backup: Mapping[str, list[dict[str, Any]]]) -> None:
        """The database is put back to what it was; the stores are not. The bridge must not run."""

        def write(tx: Tx) -> None:
            for name, table in metadata.tables.items():
                tx.conn.execute(table.delete())
                if backup[name]:
                    tx.conn.execute(table.insert(), backup[name])

        await self.store.run(write)

    async def books(self) -> dict[str, Any]:
        """Everything that must stay as it was when something is refused or merely looked at."""
        tables = ("pools", "positions", "draws", "intents", "calls", "ledger", "baselines", "cases")
        counted = {table: (await self.rows(f"select count(*) from {table}"))[0][0] for table in tables}
        counted["goods"] = await self.rows("select pool_id, goods, frozen from pools order by pool_id")
        counted["levels"] = await self.rows(
            "select connection, item_id, location_id, granted, level, held from positions order by 1, 2, 3"
        )
        return counted


def travel(
    play: Play,
    *goods: Goods,
    policy: str = "mirror",
    postgres: bool = False,
    shopify: ShopifyOptions | None = None,
    wix: WixOptions | None = None,
    **settings: Any,
) -> None:
    """Play a journey to its end; fails when a loop or a store's app raised anything."""
    if not postgres:
        run_virtually(lambda clock: _run(clock, play, goods, policy, shopify, wix, settings, None))
        return
    with migrated_schema() as url:
        run_virtually(lambda clock: _run(clock, play, goods, policy, shopify, wix, settings, url))


async def _run(
    clock: VirtualClock,
    play: Play,
    goods: tuple[Goods, ...],
    policy: str,
    shopify: ShopifyOptions | None,
    wix: WixOptions | None,
    settings: Mapping[str, Any],
    url: str | None,
) -> None:
    post = AsgiPost(INTAKE_URL)
    weather = WEATHER.get()
    world = World(clock.now, clock.sleep, random.Random(weather.seed), post, asyncio.ensure_future, post.ask)
    stores = build_stores(seed=11, fault_seed=weather.seed, world=world, shopify_options=shopify, wix_options=wix)
    stores.shopify.load_catalogue(_catalogue(goods or (Goods("A"),), "shopify"))
    stores.wix.load_catalogue(_catalogue(goods or (Goods("A"),), "wix"))
    network = AsgiTransport({URLS["shopify"]: stores.shopify.app, URLS["wix"]: stores.wix.app, INTAKE_URL: post.door})
    clients = [StoreClient(name, URLS[name], network) for name in ("shopify", "wix")]
    config, secrets = await _configure(clients, policy, settings)
    await clients[1].set_webhook_address(WIX_HOOKS)
    with nullcontext(InlinePostgres(url, clock=clock)) if url else inline_store(clock) as store:
        ids = SeededIds(random.Random(5))
        journey = Journey(clock, stores, *clients, network, post, config, secrets, store, ids, weather=weather)
        try:
            await play(journey)
            await journey.pass_time(0.0)
        finally:
            post.disconnect()
            for bridge in (*journey._earlier, *filter(None, [journey._bridge])):
                await bridge.kill()
            await stores.stop()
    assert network.errors == []
    assert post.errors == []


def _catalogue(goods: tuple[Goods, ...], store: str) -> Catalogue:
    products = [_product(one, store, suffix) for one in goods if store in one.opening for suffix in _copies(one, store)]
    return Catalogue(products)


def _copies(goods: Goods, store: str) -> tuple[str, ...]:
    return ("", "-again") if goods.twice_in == store else ("",)


def _product(goods: Goods, store: str, suffix: str) -> CatalogueProduct:
    variant = CatalogueVariant(goods.sku, ("Default Title",), Decimal("19.90"), tracked=goods.tracked)
    variant.quantity = variant.wix_quantity = goods.opening[store]
    handle = f"{goods.sku.lower()}{suffix}"
    return CatalogueProduct(handle, f"Thing {goods.sku}{suffix}", variants=[variant])


async def _configure(
    clients: list[StoreClient], policy: str, settings: Mapping[str, Any]
) -> tuple[Config, dict[str, str]]:
    shopify, wix = [await client.credentials() for client in clients]
    settings = dict(settings)
    taken = {store: {"copies_take_stock": when} for store, when in settings.pop("copies_take", {}).items()}
    secrets = {
        "SHOPIFY_SECRET": shopify["client_secret"],
        "WIX_SECRET": wix["app_secret"],
        "WIX_KEY": wix["webhook_public_key"],
    }
    connections = {
        "shopify": ConnectionConfig(
            kind="shopify",
            api_url=URLS["shopify"],
            shop=shopify["shop"],
            client_id=shopify["client_id"],
            client_secret=SecretRef(env="SHOPIFY_SECRET"),
            **taken.get("shopify", {}),
        ),
        "wix": ConnectionConfig(
            kind="wix",
            api_url=URLS["wix"],
            site_id=wix["site_id"],
            app_id=wix["app_id"],
            app_secret=SecretRef(env="WIX_SECRET"),
            instance_id=wix["instance_id"],
            stamp_namespace=settings.get("stamp_namespace"),
            webhook_public_key=SecretRef(env="WIX_KEY"),
            **taken.get("wix", {}),
        ),
    }
    terms = {
        "connections": {},
        "policy": policy,
        "system_of_record": "shopify",
        "sweep_seconds": 300.0,
        "hot_sweep_seconds": 180.0,
        "order_poll_seconds": 180.0,
        **{name: value for name, value in settings.items() if name != "stamp_namespace"},
    }
    workspace = msgspec.structs.replace(msgspec.convert(terms, WorkspaceConfig), connections=connections)
    return Config({"main": workspace}, ServerConfig(store=":memory:", intake_url=INTAKE_URL)), secrets
