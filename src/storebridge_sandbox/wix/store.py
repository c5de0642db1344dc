"""One pretend Wix site, put together: state, API, webhooks, and the verbs of shopper and staff."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, Skipped
from storebridge_sandbox.control import control_routes
from storebridge_sandbox.deliveries import Delivery, Outbox
from storebridge_sandbox.faults import FaultPlan
from storebridge_sandbox.front_door import FrontDoor
from storebridge_sandbox.gate import FaultGate
from storebridge_sandbox.orders import Order, Refused, Sellable, Wish
from storebridge_sandbox.pages.looks import ORCHARD
from storebridge_sandbox.pages.routes import page_routes
from storebridge_sandbox.requests_log import RequestLog
from storebridge_sandbox.stock import Movement, Stock
from storebridge_sandbox.wix import identities
from storebridge_sandbox.wix.access.answers import AccessAnswers
from storebridge_sandbox.wix.access.state import Access
from storebridge_sandbox.wix.announcements import Announcements
from storebridge_sandbox.wix.app import WixApi
from storebridge_sandbox.wix.calls import Operation
from storebridge_sandbox.wix.categories.answers import CategoryAnswers
from storebridge_sandbox.wix.categories.herald import CategoryHerald
from storebridge_sandbox.wix.categories.v1_answers import CollectionAnswersV1
from storebridge_sandbox.wix.checkout.control import CheckoutCalls
from storebridge_sandbox.wix.checkout.flow import CheckoutFlow
from storebridge_sandbox.wix.checkout.guard import Guard, Plugin
from storebridge_sandbox.wix.checkout.state import Channel
from storebridge_sandbox.wix.contacts.herald import ContactHerald
from storebridge_sandbox.wix.contacts.keys import (
    MOST_FIELDS,
    MOST_LABELS,
    KeyAnswers,
    Keys,
    system_fields,
    system_labels,
)
from storebridge_sandbox.wix.contacts.members import MemberAnswers, Members
from storebridge_sandbox.wix.contacts.state import ContactBook
from storebridge_sandbox.wix.contacts.v4_answers import ContactAnswersV4
from storebridge_sandbox.wix.contacts.v5_answers import ContactAnswersV5
from storebridge_sandbox.wix.contacts.v5_parts import ContactPartAnswersV5
from storebridge_sandbox.wix.drafts.commit import DraftCommits
from storebridge_sandbox.wix.drafts.desk import DraftDesk
from storebridge_sandbox.wix.drafts.editing import DraftAnswers
from storebridge_sandbox.wix.fulfilments.answers import FulfilmentAnswers
from storebridge_sandbox.wix.generation import CatalogGeneration
from storebridge_sandbox.wix.identities import Actor, Guids
from storebridge_sandbox.wix.inventory.bulk import InventoryBulkAnswers
from storebridge_sandbox.wix.inventory.by_filter import InventoryByFilterAnswers
from storebridge_sandbox.wix.inventory.items import InventoryAnswers
from storebridge_sandbox.wix.inventory.state import HIGHEST, LOWEST, Change, Inventory, InventoryItem
from storebridge_sandbox.wix.inventory.v1 import InventoryAnswersV1
from storebridge_sandbox.wix.inventory.v1_writes import InventoryWritesV1
from storebridge_sandbox.wix.jobs.answers import JobAnswers
from storebridge_sandbox.wix.jobs.state import Jobs
from storebridge_sandbox.wix.locations.answers import LocationAnswers
from storebridge_sandbox.wix.locations.places import PlaceAnswers
from storebridge_sandbox.wix.locations.state import Locations
from storebridge_sandbox.wix.notices import RETRY_DELAYS_SECONDS, TIMEOUT_SECONDS, Notices
from storebridge_sandbox.wix.orders.activity_answers import ActivityAnswers
from storebridge_sandbox.wix.orders.answers import OrderAnswers
from storebridge_sandbox.wix.orders.book import Orders
from storebridge_sandbox.wix.orders.create import OrderCreation
from storebridge_sandbox.wix.orders.goods import Goods
from storebridge_sandbox.wix.orders.money import Money
from storebridge_sandbox.wix.orders.news import OrderNews
from storebridge_sandbox.wix.orders.office import Office
from storebridge_sandbox.wix.orders.settings_answers import OrdersSettingsAnswers
from storebridge_sandbox.wix.orders.shape import order_payload
from storebridge_sandbox.wix.orders.staff import Staff
from storebridge_sandbox.wix.orders.state import WixOrder
from storebridge_sandbox.wix.payments.answers import TransactionAnswers
from storebridge_sandbox.wix.payments.billing import BillingAnswers
from storebridge_sandbox.wix.payments.chargebacks import ChargebackCalls
from storebridge_sandbox.wix.payments.collector import CollectorAnswers
from storebridge_sandbox.wix.products.answers import ProductAnswers, ProductWrites
from storebridge_sandbox.wix.products.by_filter import ProductsByFilterAnswers
from storebridge_sandbox.wix.products.drafts import Drafting
from storebridge_sandbox.wix.products.fields import VARIANT_SEARCH
from storebridge_sandbox.wix.products.herald import ProductHerald
from storebridge_sandbox.wix.products.v1_reads import ProductReadsV1
from storebridge_sandbox.wix.products.v1_writes import ProductWritesV1
from storebridge_sandbox.wix.products.with_inventory import StockedProductAnswers
from storebridge_sandbox.wix.products.workshop import Workshop
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.shelf.categories import Categories
from storebridge_sandbox.wix.shelf.state import Product, Shelf, Variant
from storebridge_sandbox.wix.signing import public_key_pem
from storebridge_sandbox.wix.window import SiteWindow
from storebridge_sandbox.world import World


class _WebhookAddress(msgspec.Struct, forbid_unknown_fields=True):
    url: str | None
    events: tuple[str, ...] | None = None


class Answers(Protocol):
    """Answers about one resource."""

    def operations(self) -> list[Operation]: ...


class WixStore:
    """The site as its API, its shoppers and its staff see it. Same seed and same calls: same answers."""

    def __init__(self, world: World, *, seed: int, options: WixOptions, faults: FaultPlan) -> None:
        self.world = world
        self.faults = faults
        self.options = options
        self.requests = RequestLog(world.now)
        self._seed = seed
        self._new_id = Guids(random.Random(f"wix-{seed}"))
        self.access = Access(world.now, self._new_id, options.quirks)
        self.webhooks = Outbox(
            world,
            faults,
            timeout_seconds=TIMEOUT_SECONDS,
            retry_delays_seconds=RETRY_DELAYS_SECONDS,
            only_200=True,
            gave_up=self._lost,
        )
        self.notices = self._open_notices(seed)
        self.generation = CatalogGeneration(options.catalog)
        self._told = Announcements(self.notices, self.generation, options.quirks)
        self._open_shop()
        self.api = api = WixApi(
            self._operations(),
            self.access,
            options,
            self.generation,
            world.now,
            world.sleep,
            Guids(random.Random(f"wix-requests-{seed}")),
            random.Random(f"wix-lag-{seed}"),
        )
        self._gate = FaultGate(api, world, api, faults, self.requests)
        window = SiteWindow(self.shelf, self.inventory, self.locations, self.orders.shown, options.currency)
        pages = page_routes(self, window, ORCHARD)
        self.app = FrontDoor([*control_routes(self), *self._own_routes(), *pages], self._gate)

    async def stop(self) -> None:
        """Deliveries and late landings that are under way end here."""
        self._gate.stop()
        self.webhooks.stop()
        await asyncio.sleep(0)

    # -- putting together ----------------------------------------------------------------------------------

    def _open_notices(self, seed: int) -> Notices:
        site = {
            "accountId": self.access.account_id,
            "parentAccountId": self.access.account_id,
            "siteId": self.access.site_id,
        }
        notices = Notices(
            self.webhooks,
            self.world.now,
            Guids(random.Random(f"wix-events-{seed}")),
            self.options.quirks,
            instance_id=self.access.instance_id,
            site=site,
        )
        notices.address = self.options.webhook_url
        events = self.options.webhook_events
        notices.events = None if events is None else frozenset(events)
        return notices

    def _open_shop(self) -> None:
        now, options = self.world.now, self.options
        self.opened_at = now()
        self.locations = Locations(self._new_id, self.opened_at, options.default_location, options.more_locations)
        self.shelf = Shelf(now, self._new_id, currency=options.currency, catalog=options.catalog)
        own_ids = Guids(random.Random(f"wix-categories-{self._seed}"))
        self.categories = Categories(now, own_ids, self.shelf, options.quirks, self.generation)
        self.jobs = Jobs(now, self._new_id)
        self.contacts = ContactBook(now, Guids(random.Random(f"wix-contacts-{self._seed}")))
        self.contacts.herald = ContactHerald(self.notices)
        self.members = Members(now, self._new_id)
        self.labels = Keys(now, system_labels(), MOST_LABELS)
        self.extended_fields = Keys(now, system_fields(), MOST_FIELDS)
        self.stock = Stock(now, self.shelf.sku_of)
        self.inventory = Inventory(self.stock, now, self._new_id, options.quirks, self._told)
        goods = Goods(self.inventory, self.shelf, self.locations.default.id)
        self.orders = Orders(goods, self.stock, now, self._new_id, options, order_payload)
        self.orders.contact_of = self.contacts.of_buyer
        self.money = Money(self.orders)
        self.staff = Staff(self.orders)
        self.news = OrderNews(self.notices, options.quirks)
        self.office = Office(self.orders, self.money, self.staff, self.news)
        self.drafts = DraftDesk(self.office, self.notices, options)
        self.guard = self._open_guard()
        goods.is_guarded = lambda: self.guard.plugin.deployment_uri is not None
        self.checkouts = CheckoutFlow(self.orders, self.news, self.guard, options, self.access.staff)

    def _open_guard(self) -> Guard:
        guard = Guard(
            self.world.ask,
            self.world.now,
            Guids(random.Random(f"wix-guard-{self.access.site_id}")),
            self.options.quirks,
            app_id=self.access.app_id,
            instance_id=self.access.instance_id,
            currency=self.options.currency,
            cut_off=self.faults.partitioned,
        )
        guard.plugin = Plugin(self.options.guard_uri, self.options.guard_in_cart)
        return guard

    def _operations(self) -> list[Operation]:
        quirks, default = self.options.quirks, self.locations.default.id
        items = InventoryAnswers(self.inventory, self.shelf, self.locations, quirks, self.world.now)
        self._products = ProductAnswers(
            self.shelf, self.inventory, self.generation, default, self.categories, may=self._may
        )
        self._herald = ProductHerald(self.notices, self.generation, self._products.status)
        workshop = Workshop(self.shelf, self.inventory, self._herald, self._new_id)
        drafting = Drafting(self.shelf, quirks, self._new_id)
        writes = ProductWrites(self._products, self.shelf, drafting, workshop)
        self._order_settings = OrdersSettingsAnswers(self.office, self.world.now)
        products_v1 = ProductReadsV1(self.shelf, self.inventory, default, self.categories, self._may)
        stock_v1 = InventoryAnswersV1(self.inventory, self.shelf)
        category_herald = CategoryHerald(self.notices, self.generation, self._herald, quirks)
        answers: tuple[Answers, ...] = (
            AccessAnswers(self.access, self.options),
            self._products,
            writes,
            StockedProductAnswers(self._products, writes, drafting, workshop, self.inventory, items, default),
            ProductsByFilterAnswers(self._products, writes, drafting, workshop, self.jobs, self.shelf),
            items,
            InventoryBulkAnswers(self.inventory, items, quirks, default),
            InventoryByFilterAnswers(self.inventory, items, self.jobs, self.shelf, VARIANT_SEARCH),
            JobAnswers(self.jobs),
            LocationAnswers(self.locations),
            PlaceAnswers(self.locations, self.world.now, self._told.location),
            OrderAnswers(self.office),
            OrderCreation(self.office, self.jobs),
            ActivityAnswers(self.office),
            self._order_settings,
            FulfilmentAnswers(self.office),
            TransactionAnswers(self.office),
            BillingAnswers(self.office),
            CollectorAnswers(self.office),
            DraftAnswers(self.drafts),
            DraftCommits(self.drafts),
            products_v1,
            ProductWritesV1(products_v1, self.shelf, self.inventory, workshop, self._herald, self._new_id, default),
            stock_v1,
            InventoryWritesV1(self.inventory, stock_v1, self.notices, quirks),
            CategoryAnswers(self.categories, category_herald),
            CollectionAnswersV1(self.categories, category_herald),
        )
        return [operation for part in (*answers, *self._people()) for operation in part.operations()]

    def _people(self) -> tuple[Answers, ...]:
        quirks, book = self.options.quirks, self.contacts
        newer = ContactAnswersV5(book, self.jobs, quirks)
        return (
            ContactAnswersV4(book, self.labels, self.extended_fields, self.jobs, quirks),
            newer,
            ContactPartAnswersV5(book, newer),
            MemberAnswers(self.members, book, self.notices),
            KeyAnswers(self.labels, "label", book.forget_label),
            KeyAnswers(self.extended_fields, "field", book.forget_field),
        )

    def _may(self, scope: str) -> bool:
        return scope not in self.options.denied_scopes

    def _own_routes(self) -> list[Route]:
        return [
            *CheckoutCalls(self.checkouts, self.guard, self._sellable).routes(),
            *ChargebackCalls(self.office, self.find_order, self.access.staff).routes(),
            Route("/_sandbox/webhook_address", self._set_webhook_address, methods=["PUT"]),
            Route("/_sandbox/tokens/revoke", self._revoke_tokens, methods=["POST"]),
            Route("/_sandbox/app/install", self._install, methods=["POST"]),
            Route("/_sandbox/app/remove", self._remove, methods=["POST"]),
            Route("/_sandbox/catalog/migrate", self._migrate, methods=["POST"]),
        ]

    async def _set_webhook_address(self, request: Request) -> Response:
        """What a person types into the app's dashboard: the address, and which events are ticked."""
        try:
            asked = msgspec.json.decode(await request.body(), type=_WebhookAddress)
        except msgspec.DecodeError as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        self.notices.address = asked.url
        self.notices.events = None if asked.events is None else frozenset(asked.events)
        return JSONResponse({"url": asked.url, "events": asked.events})

    async def _revoke_tokens(self, _request: Request) -> Response:
        self.revoke_tokens()
        return JSONResponse({})

    async def _install(self, _request: Request) -> Response:
        """The owner installs the app (again); the code is for the older grant."""
        code = self.access.install()
        self.notices.installed = True
        body = {"appId": self.access.app_id, "originInstanceId": None}
        self.notices.app_event("AppInstalled", body, self.access.staff)
        return JSONResponse({"instance_id": self.access.instance_id, "code": code})

    async def _remove(self, _request: Request) -> Response:
        """The owner removes the app: no call is let in and no event goes out any more."""
        self.access.remove()
        self.notices.app_event("AppRemoved", {"appId": self.access.app_id}, self.access.staff)
        self.notices.installed = False
        return JSONResponse({})

    def drop_subscriptions(self) -> None:
        """Nobody is told of anything any more, until the app's dashboard names an address again."""
        self.notices.address = None

    def revoke_tokens(self) -> None:
        """Every access token out there stops working."""
        self.access.revoke_tokens()

    async def _migrate(self, _request: Request) -> Response:
        """The vendor moves the site to Catalog V3; a site that is there already stays as it is."""
        if self.generation.now == "v1":
            self.generation.migrate()
            self.shelf.migrate()
        return JSONResponse({"catalog": self.generation.now})

    # -- what the store shows to whoever watches it --------------------------------------------------------

    def goods(self) -> list[str]:
        return [sku for sku, variant in self.shelf.by_sku.items() if sku and variant.sellable.for_sale]

    def truth_levels(self) -> list[dict[str, Any]]:
        return [
            {
                "sku": item.variant.sku,
                "variant_id": item.variant.variant_id,
                "location_id": item.location_id,
                "available": item.quantity,
            }
            for item in self.inventory.tracked_items()
            if item.level.active
        ]

    def all_orders(self) -> Sequence[Order]:
        return self.orders.orders.in_order()

    def orders_since(self, movement: int) -> Iterable[Order]:
        changed = {row[2] for row in self.orders.by_movement.between((movement,), None)}
        return (self.orders.orders.seen(name) for name in self.orders.orders if name in changed)

    def all_movements(self) -> Sequence[Movement]:
        return self.stock.movements

    def find_order(self, order_id: str) -> WixOrder:
        found = self.orders.orders.get(order_id)
        if found is None:
            found = next((order for _, _, order in self.orders.by_name.having(order_id)), None)
        if found is None:
            raise Refused(f"no order {order_id!r}", 404)
        return found

    def credentials(self) -> Mapping[str, str]:
        return {
            "app_id": self.access.app_id,
            "app_secret": self.access.app_secret,
            "instance_id": self.access.instance_id,
            "site_id": self.access.site_id,
            "api_key": self.access.api_key,
            "webhook_public_key": public_key_pem(),
        }

    # -- shopper and staff ---------------------------------------------------------------------------------

    def checkout(self, wishes: Sequence[Wish], customer: dict[str, Any], *, paid: bool) -> Order:
        buyer = identities.visitor(self._new_id())
        chosen = [(self._sellable(wish.sku), wish.quantity) for wish in wishes]
        order = self.orders.place(chosen, customer, buyer, paid=paid, unpaid=self.options.unpaid)
        self.news.placed(order, buyer)
        return order

    async def sell(self, wishes: Sequence[Wish], customer: dict[str, Any], *, paid: bool, channel: Channel) -> Order:
        chosen = [(self._sellable(wish.sku), wish.quantity) for wish in wishes]
        return await self.checkouts.shop(chosen, customer, channel, paid=paid)

    def adjust(self, sku: str, location_id: str | None, *, delta: int | None, to: int | None) -> int:
        place = location_id or self.locations.default.id
        item = self.inventory.at(self._variant(sku), place)
        if item is None:
            raise Refused(f"{sku} is not kept at {place!r}", 404)
        if to is None and not item.tracked:
            raise Refused(f"{sku} is not tracked")
        wanted = to if to is not None else item.quantity + (delta or 0)
        if not LOWEST <= wanted <= HIGHEST:
            raise Refused(f"{wanted} is not between {LOWEST} and {HIGHEST}")
        self.inventory.set(item, wanted, Change("manual", self.access.staff, self._new_id(), "MANUAL"))
        return item.quantity

    def cancel(self, order: Order, *, restock: bool) -> None:
        told = {"restockAllItems": restock, "sendOrderCanceledEmail": False}
        self.office.cancel(self.find_order(order.id), self.access.staff, restock=restock, told=told)

    def fulfil(self, order: Order, wishes: Sequence[Wish], tracking: dict[str, str]) -> str:
        mine = self.find_order(order.id)
        parcel = self.staff.fulfil(mine, wishes, tracking)
        self.news.shipped(mine, self.access.staff, fulfilled=mine.shown["fulfillmentStatus"] == "FULFILLED")
        return parcel.id

    def refund(self, order: Order, wishes: Sequence[Wish], amount: Decimal | None) -> str:
        mine = self.find_order(order.id)
        before = mine.payment_status
        refund = self.money.refund(mine, wishes, amount, self.access.staff)
        self.news.refunded(mine, refund, before, self.access.staff)
        return refund.id

    def pay(self, order: Order) -> None:
        mine = self.find_order(order.id)
        before, status = mine.payment_status, mine.status
        self.money.pay(mine)
        self.news.settled(mine, before, self._buyer(mine), approved=status != "APPROVED")

    def fail(self, order: Order) -> None:
        mine = self.find_order(order.id)
        before = mine.payment_status
        self.money.fail(mine, self._buyer(mine))
        self.news.settled(mine, before, self._buyer(mine), approved=False)

    def edit(self, order: Order, wishes: Sequence[Wish]) -> None:
        mine = self.find_order(order.id)
        chosen = [(self._sellable(wish.sku), wish.quantity) for wish in wishes]
        self.staff.edit(mine, chosen, self.access.staff)
        self.news.committed(mine, {}, self.access.staff)

    def give_back(self, order: Order, wishes: Sequence[Wish]) -> str:
        mine = self.find_order(order.id)
        return_id = self.staff.give_back(mine, wishes, self.access.staff)
        self.news.updated(mine, self.access.staff)
        return return_id

    def load_catalogue(self, catalogue: Catalogue) -> Catalogue:
        skipped: list[Skipped] = list(catalogue.skipped)
        loaded: list[CatalogueProduct] = []
        for source in catalogue.products:
            product = self.shelf.add(source, skipped)
            if product is not None:
                self._stock_up(product, source)
                loaded.append(source)
        return Catalogue(loaded, skipped)

    def _stock_up(self, product: Product, source: CatalogueProduct) -> None:
        opening = {variant.sku: variant.wix_quantity for variant in source.variants}
        items: list[InventoryItem] = []
        for variant in product.variants:
            items.append(self.inventory.open(variant, self.locations.default.id, opening[variant.sku]))
            items.extend(self.inventory.open(variant, place.id, 0) for place in self.locations.all[1:])
        self._herald.product_created(product, self.access.staff)
        for item in items:
            self._told.item_opened(item, self.access.staff)

    def _variant(self, sku: str) -> Variant:
        variant = self.shelf.by_sku.get(sku)
        if variant is None:
            raise Refused(f"no SKU {sku!r}", 404)
        return variant

    def _sellable(self, sku: str) -> Sellable:
        return self._variant(sku).sellable

    def _buyer(self, order: WixOrder) -> Actor:
        return order.buyer or self.access.staff

    def _lost(self, _delivery: Delivery) -> None:
        """After the last retry the vendor forgets the event; the log of attempts is all that remains (W24)."""
        if self.options.quirks.w24_deaf_after_last_retry:
            self.notices.address = None
