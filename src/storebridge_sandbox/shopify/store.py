"""One pretend Shopify shop, put together: state, API, webhooks, and the verbs of shopper and staff."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, CatalogueVariant, Skipped
from storebridge_sandbox.control import control_routes
from storebridge_sandbox.deliveries import Outbox
from storebridge_sandbox.faults import FaultPlan
from storebridge_sandbox.front_door import FrontDoor
from storebridge_sandbox.gate import FaultGate
from storebridge_sandbox.orders import Order, Refused, Wish
from storebridge_sandbox.pages.looks import HARBOUR
from storebridge_sandbox.pages.routes import page_routes
from storebridge_sandbox.requests_log import RequestLog
from storebridge_sandbox.shopify import paging
from storebridge_sandbox.shopify.app import ShopifyApi, keys_of
from storebridge_sandbox.shopify.bucket import Bucket
from storebridge_sandbox.shopify.bulk.answers import BulkAnswers
from storebridge_sandbox.shopify.bulk.state import BulkOperation, BulkOperations, finish_payload
from storebridge_sandbox.shopify.call import USER_ERRORS, Call, Resolvers
from storebridge_sandbox.shopify.collections.state import Collections
from storebridge_sandbox.shopify.collections.writes import CollectionDesk
from storebridge_sandbox.shopify.customers.answers import CustomerAnswers, customer_payload
from storebridge_sandbox.shopify.customers.merging import CustomerMerge
from storebridge_sandbox.shopify.customers.writes import CustomerWrites
from storebridge_sandbox.shopify.engine import Engine, load_schema
from storebridge_sandbox.shopify.ids import Numbers, gid, number_of
from storebridge_sandbox.shopify.inventory.answers import InventoryAnswers
from storebridge_sandbox.shopify.inventory.locations import LocationAnswers, location_payload
from storebridge_sandbox.shopify.inventory.state import HIGHEST, LOWEST, Inventory
from storebridge_sandbox.shopify.inventory.writes import InventoryWrites
from storebridge_sandbox.shopify.metafields.answers import MetafieldAnswers
from storebridge_sandbox.shopify.metafields.state import Metafields
from storebridge_sandbox.shopify.mutations import mutation_resolvers
from storebridge_sandbox.shopify.order_office import OrderOffice
from storebridge_sandbox.shopify.payments.control import PaymentCalls
from storebridge_sandbox.shopify.products.answers import ProductAnswers
from storebridge_sandbox.shopify.products.bundling import Bundling
from storebridge_sandbox.shopify.products.loading import pictures_in_file, variant_in_file
from storebridge_sandbox.shopify.products.options import OptionWrites
from storebridge_sandbox.shopify.products.payloads import item_payload, product_payload
from storebridge_sandbox.shopify.products.shown_where import shown_where
from storebridge_sandbox.shopify.products.state import Product, Shelves, Variant
from storebridge_sandbox.shopify.products.variants import VariantWrites
from storebridge_sandbox.shopify.products.writes import ProductWrites
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.rest.api import RestApi
from storebridge_sandbox.shopify.rest.call_bucket import CallBucket
from storebridge_sandbox.shopify.rest.lists import level_row
from storebridge_sandbox.shopify.rest.surface import rest_surface
from storebridge_sandbox.shopify.sales.buyers import Buyer
from storebridge_sandbox.shopify.sales.news import Notice
from storebridge_sandbox.shopify.sales.state import ShopOrder
from storebridge_sandbox.shopify.shop.about import about_shop
from storebridge_sandbox.shopify.shop.answers import Find, ShopAnswers
from storebridge_sandbox.shopify.shop.grants import Grants
from storebridge_sandbox.shopify.shop.scopes import guarded
from storebridge_sandbox.shopify.shop.services import ServiceAnswers
from storebridge_sandbox.shopify.shop.state import Location, ShopState, Tokens
from storebridge_sandbox.shopify.subscriptions.answers import SubscriptionAnswers
from storebridge_sandbox.shopify.subscriptions.state import Subscriptions
from storebridge_sandbox.shopify.tags import TagWrites
from storebridge_sandbox.shopify.versions import schema_of
from storebridge_sandbox.shopify.window import ShopWindow
from storebridge_sandbox.stock import Level, Movement, Stock
from storebridge_sandbox.world import World

APP_NUMBER = "347082227713"
DOMAIN = "larkfield-sandbox.myshopify.com"
WEBHOOK_TIMEOUT_SECONDS = 5.0


class ShopifyStore:
    """The shop as its API, its shoppers and its staff see it. Same seed and same calls: same answers."""

    def __init__(self, world: World, *, seed: int, options: ShopifyOptions, faults: FaultPlan) -> None:
        self.world = world
        self.faults = faults
        self.options = options
        self.requests = RequestLog(world.now)
        self.numbers = Numbers()
        self.tokens = Tokens(seed, world.now, options)
        self._seed = seed
        self._chance = random.Random(f"shopify-lag-{seed}")
        self._open_shop()
        self.grants = Grants(self.tokens, self.shop.domain, world.now, seed)
        self.subscriptions = Subscriptions(
            world.now,
            self.numbers,
            options,
            domain=self.shop.domain,
            secret=self.tokens.client_secret,
            seed=seed,
        )
        self.webhooks = Outbox(
            world,
            faults,
            timeout_seconds=WEBHOOK_TIMEOUT_SECONDS,
            retry_delays_seconds=options.webhook_retry_delays_seconds,
            gave_up=self.subscriptions.gave_up,
            answered=self.subscriptions.answered,
        )
        self.subscriptions.outbox = self.webhooks
        bucket = Bucket(world.now, options.cost_bucket, options.cost_refill)
        self._engines: dict[str, Engine] = {}
        self.bulk = BulkOperations(self.numbers, world.now, options, self._execute, self._bulk_finished)
        self._bulk_answers = BulkAnswers(self.bulk, schema_of, seed)
        self._resolvers = self._all_resolvers()
        if options.granted_scopes is not None:
            self._resolvers = guarded(self._resolvers, options.granted_scopes)
        self.api = ShopifyApi(self._engine_for, self.tokens, bucket, options, world.now, self._rest(), self.grants)
        self._gate = FaultGate(self.api, world, self.api, faults, self.requests)
        window = ShopWindow(self.shelves, self.stock, self.shop, self.orders.shown)
        pages = page_routes(self, window, HARBOUR)
        self.app = FrontDoor([*control_routes(self), *self._own_routes(), *pages], self._gate)

    async def stop(self) -> None:
        """Deliveries and late landings that are under way end here."""
        self._gate.stop()
        self.office.jobs.stop()
        self.webhooks.stop()
        await asyncio.sleep(0)

    # -- putting together ----------------------------------------------------------------------------------

    def _open_shop(self) -> None:
        now = self.world.now
        self.shop = ShopState(DOMAIN, "Larkfield Shopify", now())
        for name in ("Main warehouse", "Outlet"):
            self.shop.locations.append(Location(self.numbers.new("Location"), name, now(), now()))
        self.shelves, self.collections = Shelves(), Collections()
        self.stock = Stock(now, self.shelves.sku_of)
        self.stock.heard_of_connection = self._connection_changed
        self.metafields = Metafields(self.numbers, now, self._find, app=APP_NUMBER, currency=self.shop.currency)
        self.office = OrderOffice(
            self.world,
            self.stock,
            self.shelves,
            self.shop,
            self.numbers,
            self.options,
            seed=self._seed,
            lag_seconds=lambda: self._chance.uniform(*self.options.search_lag_seconds),
            level_notice=_level_notice,
            announce=lambda notices: self.subscriptions.announce(notices),
            metafields=self.metafields,
        )
        self.orders, self.index = self.office.book, self.office.index
        self.inventory = Inventory(self.stock, self.shelves, self.shop, now, self.options, self._level_changed)

    def _variant_writes(self) -> VariantWrites:
        return VariantWrites(
            self.shelves,
            self.stock,
            self.shop,
            self.numbers,
            self.world.now,
            self._product_changed,
            self.inventory.tell,
            self._item_told,
            self._set_metafields,
        )

    def _bundling(self, variants: VariantWrites) -> Bundling:
        return Bundling(
            self.shelves,
            self.stock,
            self.shop,
            self.numbers,
            self.world.now,
            self._product_changed,
            variants,
            self.product_writes,
            self.office.jobs,
            self.options,
        )

    def _rest(self) -> RestApi:
        return rest_surface(
            self.shop,
            self.shelves,
            self.stock,
            self.office,
            self.inventory,
            self._run_by_rest,
            CallBucket(self.world.now, self.options.cost_refill, on=self.options.cost_bucket > 0),
            lambda: self.tokens.scopes,
            denies=self.options.granted_scopes is not None,
        )

    def _run_by_rest(self, text: str, variables: dict[str, Any], ref: str) -> dict[str, Any]:
        return self._carry_out(text, variables, Call(self.world.now(), ref))

    def _engine_for(self, version: str) -> Engine:
        engine = self._engines.get(version)
        if engine is None:
            engine = self._engines[version] = Engine(schema_of(version), self._resolvers)
        return engine

    def _execute(self, text: str, variables: dict[str, Any], version: str) -> dict[str, Any]:
        """One request of a bulk operation, without its limits of pages."""
        with paging.unbounded():
            call = Call(self.world.now(), f"bulk-{self.numbers.new('BulkCall')}", version=version)
            return self._carry_out(text, variables, call)

    def _carry_out(self, text: str, variables: dict[str, Any], call: Call) -> dict[str, Any]:
        """A request that did not come over the GraphQL address."""
        engine = self._engine_for(call.version)
        prepared = engine.prepare(text, None)
        coerced = prepared if isinstance(prepared, list) else engine.coerce(prepared, variables)
        if isinstance(prepared, list) or isinstance(coerced, list):
            return {"data": None, "errors": coerced}
        call.keys = keys_of(prepared, variables)
        answered = engine.run(prepared, coerced, call)
        return {"data": answered.data, **({"errors": answered.errors} if answered.errors else {})}

    def _customer_resolvers(self) -> Resolvers:
        customers = CustomerAnswers(
            self.office.buyers, self.office.book, self.shop.currency, self.metafields.owner_by_value
        )
        self._orders_of = customers.orders_of
        customer_writes = CustomerWrites(
            self.office.buyers,
            customers,
            self.numbers,
            self.world.now,
            self._customer_changed,
            self._set_metafields,
        )
        self.customer_merge = CustomerMerge(
            self.office.buyers,
            customers,
            self.metafields,
            lambda: self.numbers.new("Job"),
            self._customers_merged,
        )
        return {**customers.resolvers(), **customer_writes.resolvers(), **self.customer_merge.resolvers()}

    def _customer_changed(self, buyer: Buyer, topic: str) -> None:
        gone = {"id": number_of(buyer.id), "admin_graphql_api_id": buyer.id}
        shown = gone if topic == "customers/delete" else customer_payload(buyer, self._orders_of(buyer))
        self.subscriptions.announce([(topic, lambda: shown)])

    def _customers_merged(self, kept: Buyer, gone: Buyer, job_id: str) -> None:
        notice = {
            "admin_graphql_api_customer_kept_id": kept.id,
            "admin_graphql_api_customer_deleted_id": gone.id,
            "admin_graphql_api_job_id": job_id,
            "status": "completed",
            "errors": [],
        }
        self.subscriptions.announce([("customers/merge", lambda: notice)])

    def _bulk_finished(self, operation: BulkOperation) -> None:
        self.subscriptions.announce([("bulk_operations/finish", lambda: finish_payload(operation))])

    def _find(self, global_id: str) -> Any:
        """Whatever has this id, as of now."""
        if global_id == self.shop.id:
            return self.shop if self.options.shop_bears_metafields else None
        call = Call(self.world.now(), "find")
        found = (find(global_id, call) for find in self._finders)
        return next((one for one in found if one is not None), None) or self.shop.location(global_id)

    def _all_resolvers(self) -> Resolvers:
        products = ProductAnswers(self.shelves, self.stock, self.shop.currency, self._counted_at)
        items = InventoryAnswers(
            self.stock,
            self.shelves,
            self.shop,
            self._node_moment,
            lists_inactive=self.options.inactive_levels == "listed",
        )
        stock_writes = InventoryWrites(
            items,
            self.inventory,
            self.shelves,
            self.numbers,
            self.world.now,
            self._item_changed,
            tells_after=self.options.tells_quantity_after,
            group_late=timedelta(seconds=self.options.group_late_seconds),
        )
        variants = self._variant_writes()
        shelves, numbers, now = self.shelves, self.numbers, self.world.now
        desk = CollectionDesk(self.collections, shelves, numbers, self.options, self.subscriptions, self.shop, now)
        self.product_writes = ProductWrites(
            self.shelves,
            variants,
            self.numbers,
            self.world.now,
            self._product_changed,
            self._product_gone,
            self._set_metafields,
            self.metafields,
            desk,
        )
        self.bundles = self._bundling(variants)
        options = OptionWrites(self.shelves, variants, self.numbers, self.world.now, self._product_changed)
        self._finders: tuple[Find, ...] = (
            lambda global_id, _call: products.find(global_id),
            self.office.find,
            self.office.find_returnable,
            items.find_level,
            lambda global_id, _call: self.office.buyers.known.get(global_id) or self.collections.all.get(global_id),
            lambda global_id, _call: self.subscriptions.all.get(global_id) or self.bundles.find(global_id),
            self._bulk_answers.find,
            lambda global_id, _call: self.metafields.by_id(global_id) or self.metafields.definitions.get(global_id),
        )
        resolvers: Resolvers = {
            **paging.RESOLVERS,
            **ShopAnswers(self.shop, self.tokens, self._finders, self.options, self.uninstall).resolvers(),
            **LocationAnswers(self.shop, self.stock, items, self.numbers, self._location_changed).resolvers(),
            **ServiceAnswers(self.shop, self.stock, self.numbers, self._location_changed).resolvers(),
            **TagWrites(self._find, self._tagged).resolvers(),
            **MetafieldAnswers(self.metafields, self.numbers, self._find).resolvers(),
            **shown_where(self.shop.domain, self.shop.currency),
            **products.resolvers(),
            **self.product_writes.resolvers(),
            **variants.resolvers(),
            **mutation_resolvers(load_schema(), options.verbs() | self.bundles.verbs()),
            **self.bundles.resolvers(),
            **items.resolvers(),
            **stock_writes.resolvers(),
            **self.office.resolvers(self.inventory, self.tokens),
            **SubscriptionAnswers(self.subscriptions, self.metafields.namespace).resolvers(),
            **self._customer_resolvers(),
            **desk.resolvers(),
            **self._bulk_answers.resolvers(),
            **USER_ERRORS,
        }
        return {**self._about_shop(resolvers), **resolvers}

    def _about_shop(self, resolvers: Resolvers) -> Resolvers:
        orders, customers = self.office.book.orders.values, self.office.buyers.known.values
        return about_shop(resolvers, self.shelves.products.values, orders, customers)

    def served_fields(self) -> frozenset[tuple[str, str]]:
        """(type, field) of everything that is answered."""
        return frozenset(self._resolvers)

    def uninstall(self) -> None:
        """The merchant removes the app: it is told, then its subscriptions and tokens are gone."""
        notice = {"id": 1, "name": self.shop.name, "domain": self.shop.domain, "myshopify_domain": self.shop.domain}
        self.subscriptions.announce([("app/uninstalled", lambda: notice)])
        self.subscriptions.drop_all()
        self.tokens.revoke_all()

    def _location_changed(self, place: Location, topic: str) -> None:
        gone = topic == "locations/delete"
        self.subscriptions.announce([(topic, lambda: {"id": number_of(place.id)} if gone else location_payload(place))])

    def _counted_at(self, now: datetime) -> datetime:
        return now - timedelta(seconds=self.options.total_inventory_lag_seconds)

    def _product_changed(self, product: Product, topic: str) -> None:
        gone = topic == "products/delete"
        self.shelves.rows.product_changed(product)
        shown = {"id": number_of(product.id)} if gone else product_payload(product)
        self.subscriptions.announce([(topic, lambda: shown)])

    def _product_gone(self, product: Product) -> None:
        self.metafields.forget(product.id)
        self.collections.forget(product.id)
        for variant in product.variants:
            self.metafields.forget(variant.variant_id)
            self.stock.forget_item(variant.item_id)
            self._item_told(variant, "inventory_items/delete")

    def _item_told(self, variant: Variant, topic: str) -> None:
        gone = {"id": number_of(variant.item_id)}
        whole = topic != "inventory_items/delete"
        self.subscriptions.announce([(topic, lambda: item_payload(variant) if whole else gone)])

    def _connection_changed(self, level: Level) -> None:
        """A level that is no more says only whose and where it was."""
        topic = "inventory_levels/connect" if level.active else "inventory_levels/disconnect"
        where = ("inventory_item_id", "location_id")
        self.subscriptions.announce(
            [(topic, lambda: {name: told for name, told in level_row(level).items() if level.active or name in where})]
        )

    def _set_metafields(self, owner: Any, rows: list[dict[str, Any]]) -> list[Any]:
        owner_id = owner.variant_id if isinstance(owner, Variant) else owner.id
        return self.metafields.put_all(rows, ["metafields"], owner_id)[1] if rows else []

    def _tagged(self, node: Any) -> None:
        node.updated_at = self.world.now()
        if isinstance(node, Product):
            self._product_changed(node, "products/update")
        elif isinstance(node, Buyer):
            self._customer_changed(node, "customers/update")
        elif isinstance(node, ShopOrder):
            with self.office.news.deed():
                self.office.news.order(node)

    def _item_changed(self, variant: Variant) -> None:
        self.shelves.rows.variant_changed(variant)
        self._item_told(variant, "inventory_items/update")

    def _own_routes(self) -> list[Route]:
        return [
            *self._bulk_answers.routes(),
            *PaymentCalls(self.office.payments, self.find_order, self.office.news, self.world.now).routes(),
            Route("/_sandbox/subscriptions", self._drop_subscriptions, methods=["DELETE"]),
            Route("/_sandbox/tokens/revoke", self._revoke_tokens, methods=["POST"]),
            Route("/_sandbox/session_token", self._session_token, methods=["POST"]),
        ]

    async def _drop_subscriptions(self, _request: Request) -> Response:
        return JSONResponse({"dropped": self.drop_subscriptions()})

    async def _revoke_tokens(self, _request: Request) -> Response:
        self.revoke_tokens()
        return JSONResponse({})

    async def _session_token(self, _request: Request) -> Response:
        return JSONResponse({"session_token": self.grants.session_token()})

    def drop_subscriptions(self) -> int:
        """The vendor drops every webhook subscription; how many there were."""
        return self.subscriptions.drop_all()

    def revoke_tokens(self) -> None:
        """Every access token out there stops working."""
        self.tokens.revoke_all()

    def _node_moment(self, now: datetime) -> datetime | None:
        low, high = self.options.node_reads_lag_seconds
        return now - timedelta(seconds=self._chance.uniform(low, high)) if high else None

    # -- what the store shows to whoever watches it --------------------------------------------------------

    def goods(self) -> list[str]:
        return [sku for sku, variant in self.shelves.by_sku.items() if sku and variant.for_sale]

    def truth_levels(self) -> list[dict[str, Any]]:
        shown = []
        for level in self.stock.all_levels():
            variant = self.shelves.by_item.get(level.item_id)
            if variant is not None and variant.tracked and level.active:
                shown.append(
                    {
                        "sku": variant.sku,
                        "variant_id": variant.variant_id,
                        "location_id": level.location_id,
                        "available": level.available,
                    }
                )
        return shown

    def all_orders(self) -> Sequence[Order]:
        return self.orders.orders.in_order()

    def orders_since(self, movement: int) -> Iterable[Order]:
        changed = {row[2] for row in self.orders.by_movement.between((movement,), None)}
        return (self.orders.orders.seen(name) for name in self.orders.orders if name in changed)

    def all_movements(self) -> Sequence[Movement]:
        return self.stock.movements

    def find_order(self, order_id: str) -> Order:
        for known in (order_id, gid("Order", order_id)):
            if known in self.orders.orders:
                return self.orders.orders[known]
        found: Order | None = next((order for _, _, order in self.orders.by_name.having(order_id)), None)
        if found is None:
            raise Refused(f"no order {order_id!r}", 404)
        return found

    def credentials(self) -> Mapping[str, str]:
        return {
            "shop": self.shop.domain,
            "client_id": self.tokens.client_id,
            "client_secret": self.tokens.client_secret,
            "access_token": self.tokens.permanent,
            "webhook_secret": self.tokens.client_secret,
            "refresh_token": self.tokens.first_refresh_token,
        }

    # -- shopper and staff ---------------------------------------------------------------------------------

    async def sell(self, wishes: Sequence[Wish], customer: dict[str, Any], *, paid: bool, channel: str) -> Order:  # noqa: ARG002 - it sells the same way everywhere
        return self.checkout(wishes, customer, paid=paid)

    def checkout(self, wishes: Sequence[Wish], customer: dict[str, Any], *, paid: bool) -> Order:
        basket = [(self._variant(wish.sku), wish.quantity) for wish in wishes]
        self.orders.check_shown(basket)
        return self.orders.place(self.bundles.unpack(basket), customer, paid=paid)

    def make_bundle(self, sku: str, components: Mapping[str, int]) -> None:
        """Staff make a variant up of others; its stock follows from theirs, and orders name them."""
        parts = {self._variant(part).variant_id: units for part, units in components.items()}
        self.bundles.make(self._variant(sku), parts)

    def adjust(self, sku: str, location_id: str | None, *, delta: int | None, to: int | None) -> int:
        variant = self._variant(sku)
        level = self.stock.level(variant.item_id, location_id or self.shop.locations[0].id)
        if level is None:
            raise Refused(f"{sku} is not stocked at {location_id!r}", 404)
        if not variant.tracked:
            raise Refused(f"{sku} is not tracked")
        wanted = to if to is not None else level.available + (delta or 0)
        if not LOWEST <= wanted <= HIGHEST:
            raise Refused(f"{wanted} is out of range")
        ref = f"edit-{len(self.stock.movements) + 1}"
        if self.stock.move(level, "manual", "staff", ref, available=wanted - level.available):
            self._level_changed(level)
        return level.available

    def cancel(self, order: Order, *, restock: bool) -> None:
        self.orders.cancel(_own(order), restock=restock)

    def fulfil(self, order: Order, wishes: Sequence[Wish], tracking: dict[str, str]) -> str:
        return self.orders.fulfil(_own(order), wishes, tracking).id

    def refund(self, order: Order, wishes: Sequence[Wish], amount: Decimal | None) -> str:
        return self.orders.refund(_own(order), wishes, amount).id

    def pay(self, order: Order) -> None:
        self.orders.pay(_own(order))

    def fail(self, order: Order) -> None:
        self.orders.fail(_own(order))

    def edit(self, order: Order, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            if self._variant(wish.sku).requires_components:
                raise Refused(f"{wish.sku} is a bundle: add its components")
        self.orders.edit(_own(order), [(self._variant(wish.sku), wish.quantity) for wish in wishes])

    def give_back(self, order: Order, wishes: Sequence[Wish]) -> str:
        return self.orders.give_back(_own(order), wishes)

    def _level_changed(self, level: Level) -> None:
        self.subscriptions.announce([_level_notice(level)])

    def load_catalogue(self, catalogue: Catalogue) -> Catalogue:
        skipped: list[Skipped] = list(catalogue.skipped)
        loaded = [source for source in catalogue.products if self._add_product(source)]
        return Catalogue(loaded, skipped)

    def _add_product(self, source: CatalogueProduct) -> Product:
        moment = self.world.now()
        product = Product(
            id=self.numbers.new("Product"),
            handle=source.handle,
            title=source.title,
            body_html=source.body_html,
            vendor=source.vendor,
            product_type=source.product_type,
            tags=source.tags,
            status=source.status,
            option_names=source.option_names,
            media=pictures_in_file(self.numbers, source.images, moment),
            created_at=moment,
            updated_at=moment,
        )
        for place, one in enumerate(source.variants, 1):
            product.variants.append(variant_in_file(self.numbers, product, one, place, moment))
        self.shelves.add(product)
        for variant, one in zip(product.variants, source.variants, strict=True):
            self._stock_up(variant, one)
        self.subscriptions.announce([("products/create", lambda: product_payload(product))])
        return product

    def _stock_up(self, variant: Variant, source: CatalogueVariant) -> None:
        self._item_told(variant, "inventory_items/create")
        main, outlet = self.shop.locations[:2]
        self.stock.connect(variant.item_id, main.id, available=source.quantity)
        if self.options.connects_second_location:
            self.stock.connect(variant.item_id, outlet.id, available=source.outlet_quantity)

    def _variant(self, sku: str) -> Variant:
        variant = self.shelves.by_sku.get(sku)
        if variant is None:
            raise Refused(f"no SKU {sku!r}", 404)
        return variant


def _own(order: Order) -> ShopOrder:
    """The control calls know orders as all stores have them; this store's are its own."""
    assert isinstance(order, ShopOrder)
    return order


def _level_notice(level: Level) -> Notice:
    """``inventory_levels/update``: only the absolute available quantity."""
    return "inventory_levels/update", lambda: level_row(level)
