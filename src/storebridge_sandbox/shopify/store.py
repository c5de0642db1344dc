"""One pretend Shopify shop, put together: state, API, webhooks, and the verbs of shopper and staff."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, CatalogueVariant, Skipped
from storebridge_sandbox.control import control_routes
from storebridge_sandbox.deliveries import Outbox
from storebridge_sandbox.faults import FaultPlan
from storebridge_sandbox.gate import FaultGate
from storebridge_sandbox.orders import Order, OrderBook, Refund, Refused, Wish
from storebridge_sandbox.pages.looks import HARBOUR
from storebridge_sandbox.pages.routes import page_routes
from storebridge_sandbox.requests_log import RequestLog
from storebridge_sandbox.shopify import paging
from storebridge_sandbox.shopify.app import ShopifyApi
from storebridge_sandbox.shopify.bucket import Bucket
from storebridge_sandbox.shopify.call import iso
from storebridge_sandbox.shopify.engine import Engine, load_schema
from storebridge_sandbox.shopify.ids import Numbers, level_gid, number_of
from storebridge_sandbox.shopify.inventory.answers import InventoryAnswers
from storebridge_sandbox.shopify.inventory.state import HIGHEST, LOWEST, Inventory
from storebridge_sandbox.shopify.orders.answers import OrderAnswers
from storebridge_sandbox.shopify.orders.payloads import order_payload, refund_payload
from storebridge_sandbox.shopify.orders.state import OrderIndex
from storebridge_sandbox.shopify.products.answers import ProductAnswers
from storebridge_sandbox.shopify.products.state import Product, Shelves, Variant
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.shop.answers import ShopAnswers
from storebridge_sandbox.shopify.shop.state import Location, ShopState, Tokens
from storebridge_sandbox.shopify.subscriptions.answers import SubscriptionAnswers
from storebridge_sandbox.shopify.subscriptions.state import Subscriptions
from storebridge_sandbox.shopify.window import ShopWindow
from storebridge_sandbox.stock import Level, Movement, Stock
from storebridge_sandbox.world import World

DOMAIN = "larkfield-sandbox.myshopify.com"
WEBHOOK_TIMEOUT_SECONDS = 5.0
KINDS = {"order": "Order", "line": "LineItem", "fulfilment": "Fulfillment", "refund": "Refund", "return": "Return"}


class ShopifyStore:
    """The shop as its API, its shoppers and its staff see it. Same seed and same calls: same answers."""

    def __init__(self, world: World, *, seed: int, options: ShopifyOptions, faults: FaultPlan) -> None:
        self.world = world
        self.faults = faults
        self.options = options
        self.requests = RequestLog(world.now)
        self.numbers = Numbers()
        self.tokens = Tokens(seed, world.now, options)
        self._chance = random.Random(f"shopify-lag-{seed}")
        self._open_shop()
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
        bucket = Bucket(world.now, options.bucket_size, options.restore_rate)
        api = ShopifyApi(self._engine(), self.tokens, bucket, options, world.now)
        self._gate = FaultGate(api, world, api, faults, self.requests)
        window = ShopWindow(self.shelves, self.stock, self.shop, self.orders.shown)
        pages = page_routes(self, window, HARBOUR)
        self.app = Starlette(routes=[*control_routes(self), *self._own_routes(), *pages, Mount("/", app=self._gate)])

    async def stop(self) -> None:
        """Deliveries and late landings that are under way end here."""
        self._gate.stop()
        self.webhooks.stop()
        await asyncio.sleep(0)

    # -- putting together ----------------------------------------------------------------------------------

    def _open_shop(self) -> None:
        now = self.world.now
        self.shop = ShopState(DOMAIN, "Larkfield Shopify", now())
        for name in ("Main warehouse", "Outlet"):
            self.shop.locations.append(Location(self.numbers.new("Location"), name, now(), now()))
        self.shelves = Shelves()
        self.stock = Stock(now, self.shelves.sku_of)
        self.orders = OrderBook(
            self.stock,
            now,
            currency=self.shop.currency,
            new_id=lambda kind: self.numbers.new(KINDS[kind]),
            selling_locations=self._selling_locations,
        )
        self.index = OrderIndex(self.orders, now, lambda: self._chance.uniform(*self.options.search_lag_seconds))
        self.inventory = Inventory(self.stock, self.shelves, self.shop, now, self.options, self._level_changed)

    def _engine(self) -> Engine:
        products = ProductAnswers(self.shelves)
        items = InventoryAnswers(self.stock, self.shelves, self.shop, self.inventory, self.numbers, self._node_moment)
        finders = (
            lambda global_id, _call: products.find(global_id),
            lambda global_id, _call: self.orders.orders.get(global_id),
            items.find_level,
            lambda global_id, _call: self.subscriptions.all.get(global_id),
        )
        return Engine(
            load_schema(),
            {
                **paging.RESOLVERS,
                **ShopAnswers(self.shop, self.tokens, finders).resolvers(),
                **products.resolvers(),
                **items.resolvers(),
                **OrderAnswers(self.orders, self.index, self.shelves).resolvers(),
                **SubscriptionAnswers(self.subscriptions).resolvers(),
            },
        )

    def _own_routes(self) -> list[Route]:
        return [
            Route("/_sandbox/subscriptions", self._drop_subscriptions, methods=["DELETE"]),
            Route("/_sandbox/tokens/revoke", self._revoke_tokens, methods=["POST"]),
        ]

    async def _drop_subscriptions(self, _request: Request) -> Response:
        return JSONResponse({"dropped": self.subscriptions.drop_all()})

    async def _revoke_tokens(self, _request: Request) -> Response:
        self.tokens.revoke_all()
        return JSONResponse({})

    def _selling_locations(self, _item_id: str) -> list[str]:
        return [one.id for one in self.shop.locations if one.active and one.fulfills_online_orders]

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
        return list(self.orders.orders.values())

    def all_movements(self) -> Sequence[Movement]:
        return self.stock.movements

    def find_order(self, order_id: str) -> Order:
        for order in self.orders.orders.values():
            if order_id in (order.id, order.name, str(number_of(order.id))):
                return order
        raise Refused(f"no order {order_id!r}", 404)

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

    def checkout(self, wishes: Sequence[Wish], customer: dict[str, Any], *, paid: bool) -> Order:
        chosen = [(self._variant(wish.sku), wish.quantity) for wish in wishes]
        before = len(self.stock.movements)
        order = self.orders.place(chosen, customer, paid=paid)
        self._tell(order, before, "orders/create")
        return order

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
        before = len(self.stock.movements)
        refund = self.orders.cancel(order, restock=restock)
        self._tell(order, before, "orders/cancelled", refund=refund)

    def fulfil(self, order: Order, wishes: Sequence[Wish], tracking: dict[str, str]) -> str:
        before = len(self.stock.movements)
        parcel = self.orders.fulfil(order, wishes, tracking)
        self._tell(order, before, "orders/updated")
        return parcel.id

    def refund(self, order: Order, wishes: Sequence[Wish], amount: Decimal | None) -> str:
        before = len(self.stock.movements)
        refund = self.orders.refund(order, wishes, amount)
        self._tell(order, before, "orders/updated", refund=refund)
        return refund.id

    def pay(self, order: Order) -> None:
        self.orders.pay(order)
        self._tell(order, len(self.stock.movements), "orders/updated")

    def fail(self, order: Order) -> None:
        before = len(self.stock.movements)
        refund = self.orders.fail(order)
        self._tell(order, before, "orders/cancelled", refund=refund)

    def edit(self, order: Order, wishes: Sequence[Wish]) -> None:
        before = len(self.stock.movements)
        self.orders.edit(order, [(self._variant(wish.sku), wish.quantity) for wish in wishes])
        self._tell(order, before, "orders/updated")

    def give_back(self, order: Order, wishes: Sequence[Wish]) -> str:
        before = len(self.stock.movements)
        return_id = self.orders.give_back(order, wishes)
        self._tell(order, before, "orders/updated")
        return return_id

    def _tell(self, order: Order, before: int, topic: str, *, refund: Refund | None = None) -> None:
        """The webhooks of one action: the order's, the refund's, and one for each level that moved."""
        self.index.note(order)
        notices: dict[str, Mapping[str, Any]] = {topic: order_payload(order)}
        if topic != "orders/updated":
            notices["orders/updated"] = order_payload(order)
        if refund is not None:
            notices["refunds/create"] = refund_payload(order, refund)
        self.subscriptions.announce(notices)
        moved = {(m.item_id, m.location_id): None for m in self.stock.movements[before:]}
        for item_id, location_id in moved:
            level = self.stock.level(item_id, location_id)
            if level is not None:
                self._level_changed(level)

    def _level_changed(self, level: Level) -> None:
        notice = {
            "inventory_item_id": number_of(level.item_id),
            "location_id": number_of(level.location_id),
            "available": level.available,
            "updated_at": iso(level.updated_at),
            "admin_graphql_api_id": level_gid(level.location_id, level.item_id),
        }
        self.subscriptions.announce({"inventory_levels/update": notice})

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
            images=list(source.images),
            created_at=moment,
            updated_at=moment,
        )
        for place, one in enumerate(source.variants, 1):
            product.variants.append(self._make_variant(product, one, place, moment))
        self.shelves.add(product)
        for variant, one in zip(product.variants, source.variants, strict=True):
            self._stock_up(variant, one)
        self.subscriptions.announce({"products/create": _product_payload(product)})
        return product

    def _make_variant(self, product: Product, source: CatalogueVariant, place: int, moment: datetime) -> Variant:
        return Variant(
            item_id=self.numbers.new("InventoryItem"),
            variant_id=self.numbers.new("ProductVariant"),
            product_id=product.id,
            sku=source.sku,
            title=product.title,
            price=source.price,
            tracked=source.tracked,
            continue_selling=source.continue_selling,
            for_sale=product.status == "active",
            product=product,
            options=source.options,
            position=place,
            barcode=source.barcode,
            compare_at_price=source.compare_at_price,
            grams=source.grams,
            created_at=moment,
            updated_at=moment,
        )

    def _stock_up(self, variant: Variant, source: CatalogueVariant) -> None:
        main, outlet = self.shop.locations[:2]
        self.stock.connect(variant.item_id, main.id, available=source.quantity)
        if self.options.connects_second_location:
            self.stock.connect(variant.item_id, outlet.id, available=source.outlet_quantity)

    def _variant(self, sku: str) -> Variant:
        variant = self.shelves.by_sku.get(sku)
        if variant is None:
            raise Refused(f"no SKU {sku!r}", 404)
        return variant


def _product_payload(product: Product) -> dict[str, Any]:
    return {
        "id": number_of(product.id),
        "admin_graphql_api_id": product.id,
        "title": product.title,
        "handle": product.handle,
        "status": product.status,
        "updated_at": iso(product.updated_at),
        "variants": [{"id": number_of(v.variant_id), "sku": v.sku} for v in product.variants],
    }
