"""One Shopify shop, as the rest of the product sees it: the port, filled in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

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
    SubscriptionReport,
    Webhooks,
    WriteStyle,
)
from storebridge.connectors.shopify.auth import TokenSource
from storebridge.connectors.shopify.books import ShopifyPaymentsBooks
from storebridge.connectors.shopify.client import ShopifyClient
from storebridge.connectors.shopify.copies import LINES_PER_ORDER, find_copy
from storebridge.connectors.shopify.edit_orders import COMMIT_EDIT, begin_and_stage
from storebridge.connectors.shopify.limits import MOST_PER_COUNTER, CostBudget
from storebridge.connectors.shopify.mark import ShopMark
from storebridge.connectors.shopify.probe import look_at_shop, reach_of_orders, scopes_for_orders
from storebridge.connectors.shopify.read import ITEMS_PER_READ, ORDERS_PER_READ, ShopReader
from storebridge.connectors.shopify.read_sales import SALES_PER_READ, SalesReader
from storebridge.connectors.shopify.settings import ShopifySettings
from storebridge.connectors.shopify.subscriptions import ensure_subscriptions
from storebridge.connectors.shopify.webhooks import ShopifyWebhooks
from storebridge.connectors.shopify.write import (
    OPERATIONS,
    ROWS_PER_WRITE,
    StockAnswer,
    encode_stock_call,
    rows_of,
    rows_of_spoiled_key,
)
from storebridge.connectors.shopify.write_orders import (
    ORDER_OPERATIONS,
    OrderAnswer,
    encode_order_call,
    order_answer_of,
)
from storebridge.connectors.tokens import TokenVault
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ItemId, OrderId
from storebridge.model.order_writes import OrderWrite
from storebridge.model.orders import ChangeCursor, OrderFacts, OrdersPage, PlacedPage
from storebridge.model.sales import Sale
from storebridge.model.stock import LevelsRead

CAPABILITIES = Capabilities(
    write_style=WriteStyle.KEYED,
    levels_per_read=ITEMS_PER_READ,
    rows_per_write=ROWS_PER_WRITE,
    orders_per_read=ORDERS_PER_READ,
    sales_per_read=SALES_PER_READ,
    most_per_counter=MOST_PER_COUNTER,
    lines_per_order=LINES_PER_ORDER,
    can_activate=True,
    one_stale_row_refuses_all=True,
    makes_bundles=True,
)


class ShopifyConnector:
    """Keeps a token and what is known of the cost bucket."""

    kind = "shopify"

    def __init__(self, settings: ShopifySettings, transport: Transport, clock: Clock, vault: TokenVault) -> None:
        settings.check()
        self.name = settings.name
        self.webhooks: Webhooks = ShopifyWebhooks(settings)
        self.checkout_guard: CheckoutGuard | None = None
        budget = CostBudget(clock.monotonic)
        self.budget: Budget = budget
        self._clock = clock
        self._order_scopes = scopes_for_orders(settings)
        tokens = TokenSource(settings, transport, clock, vault)
        self._client = ShopifyClient(settings, transport, clock, budget, tokens)
        self.calls = self._client.calls
        self.drift = self._client.drift
        self.mark: StoreMark | None = ShopMark(self._client)
        self.books: ProviderBooks | None = ShopifyPaymentsBooks(self._client)
        self._reader = ShopReader(self._client, clock)
        self._sales = SalesReader(self._client, settings.name)

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    async def probe(self) -> StoreFacts:
        """Who is this shop, may we write, and do the preconditions hold?"""
        return await look_at_shop(self._client, self._clock, self._order_scopes)

    async def list_locations(self) -> tuple[Location, ...]:
        """Every location, inactive ones too."""
        return await self._reader.list_locations()

    def list_variants(self) -> AsyncIterator[tuple[Variant, ...]]:
        """Every variant, page by page."""
        return self._reader.list_variants()

    async def read_levels(self, items: Sequence[ItemId]) -> LevelsRead:
        """The levels of up to ``levels_per_read`` items at all their locations."""
        if not 0 < len(items) <= ITEMS_PER_READ:
            raise ValueError(f"a read of levels takes 1 to {ITEMS_PER_READ} items, not {len(items)}")
        return await self._reader.read_levels(items)

    def style_of(self, operation: str) -> WriteStyle:  # noqa: ARG002
        """Every stock call of Shopify carries a key."""
        return WriteStyle.KEYED

    def encode_stock_call(self, writes: Sequence[StockWrite], key: str, reference: str) -> EncodedCall:
        """The exact bytes; pure."""
        return encode_stock_call(writes, key, reference)

    async def send_stock_call(self, call: EncodedCall) -> CallAnswer:
        """Send the bytes once (twice when only the token was refused)."""
        try:
            answer = await self._client.exchange(OPERATIONS[call.operation], call.body, StockAnswer)
        except CallTrouble as trouble:
            rows = rows_of_spoiled_key(call, trouble)
            if rows is None:
                raise
            return rows
        return rows_of(call, answer)

    async def orders_changed(self, since: ChangeCursor, page: str | None) -> OrdersPage:
        """Orders whose last change is at or after ``since``, oldest change first."""
        return await self._reader.orders_changed(since, page)

    async def orders_placed(self, since: datetime, until: datetime, page: str | None) -> PlacedPage:
        """Orders placed in a period, the newest first."""
        return await self._reader.orders_placed(since, until, page, SALES_PER_READ)

    async def orders_reach(self) -> timedelta | None:
        """Sixty days, unless the shop granted ``read_all_orders``."""
        return await reach_of_orders(self._client)

    async def read_orders(self, orders: Sequence[OrderId]) -> tuple[OrderFacts, ...]:
        """The orders that exist, of up to ``orders_per_read`` ids."""
        if len(orders) > ORDERS_PER_READ:
            raise ValueError(f"a read of orders takes up to {ORDERS_PER_READ} ids, not {len(orders)}")
        return await self._reader.read_orders(orders)

    async def read_sales(self, orders: Sequence[OrderId]) -> tuple[Sale, ...]:
        """The orders that exist, of up to ``sales_per_read`` ids, whole."""
        if len(orders) > SALES_PER_READ:
            raise ValueError(f"a read of whole orders takes up to {SALES_PER_READ} ids, not {len(orders)}")
        return await self._sales.read_sales(orders)

    def encode_order_call(self, write: OrderWrite, key: str) -> EncodedOrderCall:
        """The exact bytes; pure. Refunds take the key."""
        return encode_order_call(write, key)

    async def send_order_call(self, call: EncodedOrderCall) -> OrderCallAnswer:
        """Send the bytes once (twice when only the token was refused)."""
        body = await begin_and_stage(self._client, call) if call.operation == COMMIT_EDIT.name else call.body
        if isinstance(body, OrderCallAnswer):
            return body
        answer = await self._client.exchange(ORDER_OPERATIONS[call.operation], body, OrderAnswer)
        return order_answer_of(call, answer)

    async def find_copy(self, stamp: str) -> OrderId | None:
        """The order that bears this stamp, as far as the search knows."""
        return await find_copy(self._client, stamp)

    async def ensure_subscriptions(self, address: str, *, mend: bool = True) -> SubscriptionReport:
        """Make every topic that the bridge needs point at ``address``."""
        return await ensure_subscriptions(self._client, address, mend=mend)

    async def close(self) -> None:
        """Nothing is held open here; the transport belongs to who made it."""
