"""One Wix site, as the rest of the product sees it: the port, filled in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.http import Transport
from storebridge.connectors.port import (
    Budget,
    CallAnswer,
    CallTrouble,
    Capabilities,
    CheckoutGuard,
    EncodedCall,
    EncodedOrderCall,
    OrderCallAnswer,
    ProviderBooks,
    StockWrite,
    StoreFacts,
    StoreMark,
    Subscription,
    SubscriptionReport,
    Webhooks,
    WriteStyle,
)
from storebridge.connectors.wix.auth import ApiKeyCredentials, AppCredentials, Credentials
from storebridge.connectors.wix.checkout_guard import WixCheckoutGuard
from storebridge.connectors.wix.client import Operation, WixClient
from storebridge.connectors.wix.contacts import with_contact
from storebridge.connectors.wix.copies import LINES_PER_ORDER
from storebridge.connectors.wix.edit_orders import COMMIT_DRAFT, begin_and_change
from storebridge.connectors.wix.errors import CATALOGUE_MISMATCH, RefusedCall
from storebridge.connectors.wix.limits import MOST_PER_COUNTER, CallBudget
from storebridge.connectors.wix.probe import V1, V3, SiteProbe, SiteState
from storebridge.connectors.wix.read import ORDERS_PER_PAGE, CatalogueReader, OrderReader
from storebridge.connectors.wix.read_sales import SalesReader
from storebridge.connectors.wix.read_v1 import CatalogueReaderV1
from storebridge.connectors.wix.settings import WixSettings
from storebridge.connectors.wix.stamps import Stamps
from storebridge.connectors.wix.webhooks import KINDS_OF_TOPICS, NEEDED_TOPICS, WixWebhooks
from storebridge.connectors.wix.write import (
    ROWS_PER_WRITE,
    BulkAnswer,
    encode_stock_call,
    learn_stamps,
    not_writable,
    refuses_stamps,
    rows_of,
    rows_of_refused_call,
)
from storebridge.connectors.wix.write_orders import (
    CREATE_COPY,
    Made,
    encode_order_call,
    order_answer_of,
    refused_order_call,
)
from storebridge.connectors.wix.write_v1 import (
    BLIND_OPERATIONS,
    encode_blind_call,
    rows_of_blind_call,
    rows_of_refused_blind_call,
)
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ItemId, OrderId
from storebridge.model.order_writes import OrderWrite
from storebridge.model.orders import ChangeCursor, OrderFacts, OrdersPage, PlacedPage
from storebridge.model.sales import Sale
from storebridge.model.stock import LevelsRead

ITEMS_PER_READ = 1000
PARALLEL_CALLS = 4
STYLES = {V3: WriteStyle.REVISION, V1: WriteStyle.BLIND}
"""What makes a write to each catalogue safe to repeat; a site without either is not written to."""
Answer = TypeVar("Answer")
SANDBOX_HOOK = Operation("sandboxWebhookAddress", "PUT", "/_sandbox/webhook_address")


class WixConnector:
    """Keeps a token, a call budget, Wix's consistency token and what the site said about itself when it was
    asked.

    The catalogue version and the moment at which orders take stock are asked for once, before the first call
    that depends on them, and again when Wix answers that the catalogue is of the other version.
    """

    kind = "wix"

    def __init__(self, settings: WixSettings, transport: Transport, clock: Clock) -> None:
        settings.check()
        self.name = settings.name
        self.webhooks: Webhooks = WixWebhooks(settings, clock)
        self.mark: StoreMark | None = None
        self.books: ProviderBooks | None = None
        self.checkout_guard: CheckoutGuard | None = WixCheckoutGuard(settings, clock)
        budget = CallBudget(clock.monotonic, calls_per_minute=settings.calls_per_minute)
        self.budget: Budget = budget
        self._settings = settings
        self._transport = transport
        credentials: Credentials
        if settings.uses_app:
            credentials = AppCredentials(settings, transport, clock, budget.charge)
        else:
            credentials = ApiKeyCredentials(settings)
        self._client = WixClient(settings, transport, clock, budget, credentials)
        self.calls = self._client.calls
        self.drift = self._client.drift
        self._stamps = Stamps(settings.stamp_namespace, clock)
        self._probe = SiteProbe(settings, self._client, clock, self._stamps)
        self._orders = OrderReader(self._client)
        self._sales = SalesReader(self._client, settings.name, settings.app_id or "")
        self._v3 = CatalogueReader(self._client, clock, self._stamps)
        self._v1 = CatalogueReaderV1(self._client, clock)
        self._site: SiteState | None = None

    @property
    def capabilities(self) -> Capabilities:
        """A site that has not been asked yet is taken for V3; nothing is sent before it has been."""
        catalogue = V3 if self._site is None else self._site.catalogue
        return Capabilities(
            write_style=STYLES.get(catalogue, WriteStyle.NONE),
            levels_per_read=ITEMS_PER_READ,
            rows_per_write=ROWS_PER_WRITE,
            orders_per_read=ORDERS_PER_PAGE,
            sales_per_read=ORDERS_PER_PAGE,
            most_per_counter=MOST_PER_COUNTER,
            lines_per_order=LINES_PER_ORDER,
            parallel_calls=PARALLEL_CALLS,
            tells_lost_writes=catalogue == V3 and self._stamps.to_write() is not None,
            refunds_with_cancel=False,
            replaces_copies=True,
            sells_from_default_only=True,
        )

    async def probe(self) -> StoreFacts:
        """Who is this site, may we write, and do the preconditions hold? Remembers what it finds."""
        self._site, facts = await self._probe.look()
        return facts

    async def list_locations(self) -> tuple[Location, ...]:
        """The places where this site counts stock; a V1 catalogue has one."""
        return await self._ask_catalogue(lambda reader: reader.list_locations())

    async def list_variants(self) -> AsyncIterator[tuple[Variant, ...]]:
        """Every variant, page by page. Raises CallTrouble when the site migrates between two pages."""
        given = 0
        try:
            async for page in (await self._catalogue()).list_variants():
                given += 1
                yield page
        except CallTrouble as trouble:
            if given or not self._catalogue_moved(trouble):
                raise
            async for page in (await self._catalogue()).list_variants():
                yield page

    async def read_levels(self, items: Sequence[ItemId]) -> LevelsRead:
        """The levels of up to ``levels_per_read`` items at all their locations."""
        if not 0 < len(items) <= ITEMS_PER_READ:
            raise ValueError(f"a read of levels takes 1 to {ITEMS_PER_READ} items, not {len(items)}")
        return await self._ask_catalogue(lambda reader: reader.read_levels(items))

    def encode_stock_call(self, writes: Sequence[StockWrite], key: str, reference: str) -> EncodedCall:  # noqa: ARG002
        """Exact bytes. Wix takes no key and shows no reference anywhere; a stamp is sent where the site keeps it."""
        is_blind = self.capabilities.write_style is WriteStyle.BLIND
        return encode_blind_call(writes) if is_blind else encode_stock_call(writes, self._stamps.to_write())

    def style_of(self, operation: str) -> WriteStyle:
        """A journaled call keeps its style, whatever the site's catalogue is now."""
        return WriteStyle.BLIND if operation in BLIND_OPERATIONS else WriteStyle.REVISION

    async def send_stock_call(self, call: EncodedCall) -> CallAnswer:
        """Send the bytes once (twice when only the token was refused).

        Bytes that were made for the other catalogue are not sent: CallTrouble(RETRY), so that their rows are planned
        anew.
        """
        site = await self._known_site()
        if STYLES.get(site.catalogue) is not self.style_of(call.operation):
            raise not_writable(site.catalogue)
        if self.style_of(call.operation) is WriteStyle.BLIND:
            return await self._send_blindly(call)
        operation = Operation(call.operation, call.method, call.path, writes=True)
        try:
            response = await self._client.exchange(operation, call.body)
        except RefusedCall as refused:
            self._catalogue_moved(refused)
            if refuses_stamps(refused):
                self._stamps.refused(refused.refusal.message)
            rows = rows_of_refused_call(call, refused)
            if rows is None:
                raise
            return rows
        told = self._client.decode(response, BulkAnswer, operation)
        answer = rows_of(call, response, told)
        learn_stamps(self._stamps, call, answer.rows, told)
        return answer

    async def _send_blindly(self, call: EncodedCall) -> CallAnswer:
        operation = Operation(call.operation, call.method, call.path, writes=True)
        try:
            response = await self._client.exchange(operation, call.body)
        except RefusedCall as refused:
            self._catalogue_moved(refused)
            rows = rows_of_refused_blind_call(call, refused)
            if rows is None:
                raise
            return rows
        return rows_of_blind_call(call, response)

    async def orders_changed(self, since: ChangeCursor, page: str | None) -> OrdersPage:
        """Orders whose last change is at or after ``since``, oldest change first."""
        site = await self._known_site()
        return await self._orders.orders_changed(since, page, site.inventory_trigger)

    async def orders_placed(self, since: datetime, until: datetime, page: str | None) -> PlacedPage:
        """Orders placed in a period, the newest first."""
        return await self._orders.orders_placed(since, until, page)

    async def orders_reach(self) -> timedelta | None:
        """Wix shows every order."""
        return None

    async def read_orders(self, orders: Sequence[OrderId]) -> tuple[OrderFacts, ...]:
        """The orders that exist, of up to ``orders_per_read`` ids."""
        if len(orders) > ORDERS_PER_PAGE:
            raise ValueError(f"a read of orders takes up to {ORDERS_PER_PAGE} ids, not {len(orders)}")
        site = await self._known_site()
        return await self._orders.read_orders(orders, site.inventory_trigger)

    async def read_sales(self, orders: Sequence[OrderId]) -> tuple[Sale, ...]:
        """The orders that exist, of up to ``sales_per_read`` ids, whole."""
        if len(orders) > ORDERS_PER_PAGE:
            raise ValueError(f"a read of whole orders takes up to {ORDERS_PER_PAGE} ids, not {len(orders)}")
        site = await self._known_site()
        return await self._sales.read_sales(orders, site.inventory_trigger)

    def encode_order_call(self, write: OrderWrite, key: str) -> EncodedOrderCall:  # noqa: ARG002
        """The exact bytes; pure. Wix takes no key."""
        return encode_order_call(write)

    async def send_order_call(self, call: EncodedOrderCall) -> OrderCallAnswer:
        """Send the bytes once (twice when only the token was refused); an order that is brought in, with its buyer's
        contact."""
        operation = Operation(call.operation, call.method, call.path, writes=True)
        body = await with_contact(self._client, call.body) if call.operation == CREATE_COPY else call.body
        try:
            if call.operation == COMMIT_DRAFT:
                begun = await begin_and_change(self._client, call)
                if isinstance(begun, OrderCallAnswer):
                    return begun
                operation, body = begun
            response = await self._client.exchange(operation, body)
        except RefusedCall as trouble:
            refused = refused_order_call(trouble)
            if refused is None:
                raise
            return refused
        told = self._client.decode(response, Made, operation) if response.body else Made()
        return order_answer_of(response, told)

    async def find_copy(self, stamp: str) -> OrderId | None:
        """The order that bears this stamp."""
        return await self._sales.find_copy(stamp)

    async def ensure_subscriptions(self, address: str, *, mend: bool = True) -> SubscriptionReport:
        """Wix has no call for this: every topic is ticked by a person in the app's dashboard, with this
        address."""
        if self._settings.sandbox and mend:
            return await self._point_sandbox_webhooks(address)
        return SubscriptionReport(present=(), restored=(), manual=NEEDED_TOPICS, kinds=KINDS_OF_TOPICS)

    async def close(self) -> None:
        """Nothing is held open here; the transport belongs to who made it."""

    async def _point_sandbox_webhooks(self, address: str) -> SubscriptionReport:
        """Only against a sandbox: what a person does in the dashboard, done by the sandbox's own call."""
        ticked = {"url": address, "events": NEEDED_TOPICS}
        await self._client.exchange(SANDBOX_HOOK, msgspec.json.encode(ticked))
        present = tuple(Subscription(topic, topic, address) for topic in NEEDED_TOPICS)
        return SubscriptionReport(present=present, restored=())

    async def _known_site(self) -> SiteState:
        if self._site is None:
            self._site = await self._probe.state()
        return self._site

    async def _catalogue(self) -> CatalogueReader | CatalogueReaderV1:
        return self._v3 if (await self._known_site()).catalogue == V3 else self._v1

    async def _ask_catalogue(self, ask: Callable[[CatalogueReader | CatalogueReaderV1], Awaitable[Answer]]) -> Answer:
        """The answer, asked a second time when the catalogue turns out to be of the other version."""
        try:
            return await ask(await self._catalogue())
        except CallTrouble as trouble:
            if not self._catalogue_moved(trouble):
                raise
        return await ask(await self._catalogue())

    def _catalogue_moved(self, trouble: CallTrouble) -> bool:
        if trouble.code != CATALOGUE_MISMATCH:
            return False
        self._site = None
        return True
