"""The orders' side of the shop, put together: state, desks, answers and mutations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, shows
from storebridge_sandbox.shopify.customers.answers import customer_payload
from storebridge_sandbox.shopify.engine import load_schema
from storebridge_sandbox.shopify.fulfilments.answers import FulfilmentAnswers
from storebridge_sandbox.shopify.fulfilments.writes import FulfilmentWrites
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.inventory.state import Inventory
from storebridge_sandbox.shopify.metafields.state import Metafields
from storebridge_sandbox.shopify.money import MONEY
from storebridge_sandbox.shopify.mutations import mutation_resolvers
from storebridge_sandbox.shopify.orders.answers import OrderAnswers
from storebridge_sandbox.shopify.orders.edit_writes import EditWrites
from storebridge_sandbox.shopify.orders.intake import OrderIntake
from storebridge_sandbox.shopify.orders.line_answers import LineAnswers
from storebridge_sandbox.shopify.orders.payloads import Payloads
from storebridge_sandbox.shopify.orders.risk import RESOLVERS as RISK
from storebridge_sandbox.shopify.orders.risk import RiskWrites
from storebridge_sandbox.shopify.orders.search import OrderSearch
from storebridge_sandbox.shopify.orders.writes import OrderWrites
from storebridge_sandbox.shopify.payments.answers import PaymentAnswers
from storebridge_sandbox.shopify.payments.state import Payments
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.refunds.answers import RefundAnswers
from storebridge_sandbox.shopify.refunds.writes import RefundWrites
from storebridge_sandbox.shopify.returns.answers import ReturnAnswers
from storebridge_sandbox.shopify.returns.writes import ReturnWrites
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.buyers import Buyers
from storebridge_sandbox.shopify.sales.edits import Edits
from storebridge_sandbox.shopify.sales.fulfilment_desk import FulfilmentDesk
from storebridge_sandbox.shopify.sales.goods import Goods
from storebridge_sandbox.shopify.sales.index import OrderIndex
from storebridge_sandbox.shopify.sales.jobs import Jobs
from storebridge_sandbox.shopify.sales.money_desk import MoneyDesk
from storebridge_sandbox.shopify.sales.news import News, Notice
from storebridge_sandbox.shopify.sales.refund_desk import RefundDesk
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.sales.return_desk import ReturnDesk
from storebridge_sandbox.shopify.sales.state import ShopOrder
from storebridge_sandbox.shopify.shop.state import ShopState, Tokens
from storebridge_sandbox.sleeping import Sleepers
from storebridge_sandbox.stock import Level, Stock
from storebridge_sandbox.world import World


class OrderOffice:
    """``book`` holds the orders, ``index`` what searches see of them, ``jobs`` what is still to be done."""

    def __init__(
        self,
        world: World,
        stock: Stock,
        shelves: Shelves,
        shop: ShopState,
        numbers: Numbers,
        options: ShopifyOptions,
        *,
        seed: int,
        lag_seconds: Callable[[], float],
        level_notice: Callable[[Level], Notice],
        announce: Callable[[list[Notice]], None],
        metafields: Metafields,
    ) -> None:
        self._metafields = metafields
        self._shelves, self._shop, self._numbers = shelves, shop, numbers
        self._options, self._now = options, world.now
        orders: Sleepers[ShopOrder] = Sleepers()
        self.things = Register(orders)
        self.buyers = Buyers(numbers, world.now)
        self.jobs = Jobs(world, seed)
        self._payloads = Payloads(self.buyers)
        self.index = OrderIndex(orders, world.now, lag_seconds)
        self.news = News(stock, self.index, self._word, level_notice, announce)
        self.goods = Goods(stock, options, self._selling_locations)
        self.money = MoneyDesk(numbers, world.now, self.things, self.news)
        self.desk = FulfilmentDesk(
            self.goods, numbers, world.now, options, self.things, self.news, self._default_location
        )
        self.refunds = RefundDesk(self.goods, self.desk, self.money, numbers, world.now, self.things, self.news)
        self._returns = ReturnAnswers(orders, self.things, shop)
        self.book = Orders(
            stock,
            self.goods,
            self.desk,
            self.money,
            self.refunds,
            self.news,
            self.jobs,
            numbers,
            options,
            world.now,
            orders,
            self.things,
            shelves.variants,
            index=self.index,
            buyers=self.buyers,
            currency=shop.currency,
        )
        self.payments = Payments(orders, options, world.now, shop.currency)
        self.edits = Edits(self.book, self.news, numbers, world.now)

    def _word(self, topic: str, thing: Any) -> dict[str, Any]:
        if topic.startswith("customers/"):
            return customer_payload(thing, self.book.orders_of(thing.id))
        return self._payloads.word(topic, thing)

    def find_returnable(self, global_id: str, call: Call) -> Any:
        """``ReturnableFulfillment`` ids stand for parcels."""
        return self._returns.find(global_id, call)

    def find(self, global_id: str, _call: Call) -> Any:
        """What ``node`` finds: orders and all that hangs on them, and jobs."""
        return self.things.get(global_id) or self.jobs.known.get(global_id)

    def resolvers(self, inventory: Inventory, tokens: Tokens) -> Resolvers:
        orders, things, shop = self.book.orders, self.things, self._shop
        self._edit_writes = EditWrites(self.book, self.edits, self._shelves, self._numbers, self.news)
        return {
            **MONEY,
            **self.buyers.resolvers(),
            **OrderAnswers(
                orders, OrderSearch(self.index, self._options), self.buyers, self._metafields.owner_by_value
            ).resolvers(),
            **RISK,
            **LineAnswers(self._shelves, self.money).resolvers(),
            **FulfilmentAnswers(orders, things, shop, self._shelves, tokens).resolvers(),
            **RefundAnswers(things, shop, self.money).resolvers(),
            **self._returns.resolvers(),
            **PaymentAnswers(self.payments).resolvers(),
            **self._edit_writes.resolvers(),
            **mutation_resolvers(load_schema(), self._verbs(inventory)),
            ("QueryRoot", "job"): lambda _s, args, _c: self.jobs.known.get(args["id"]),
            ("Job", "id"): shows("id"),
            ("Job", "done"): shows("done"),
            ("OrderCancelJobResult", "id"): shows("id"),
            ("OrderCancelJobResult", "done"): shows("done"),
            ("OrderCancelJobResult", "errors"): lambda _job, _a, _c: [],
            ("OrderCancelJobResult", "order"): shows("subject"),
            ("OrderCancelJobResult", "status"): lambda job, _a, _c: "SUCCEEDED" if job.done else "STARTED",
        }

    def _verbs(self, inventory: Inventory) -> dict[str, Any]:
        book, news, now = self.book, self.news, self._now
        intake = OrderIntake(
            book,
            self.money,
            self.desk,
            self.buyers,
            self._shelves.variants,
            self._shop.location,
            self._numbers,
            self._options,
            now,
            self._shop.currency,
            self._metafields,
        )
        returns = ReturnDesk(self.goods, self._numbers, now, self._options, self.things, news)
        return {
            **OrderWrites(
                book, intake, self.money, news, self.jobs, self.buyers, self._options, now, self._metafields
            ).verbs(),
            **FulfilmentWrites(book, self.desk, self._shop, self._numbers, news, now, self._options).verbs(),
            **self._edit_writes.verbs(),
            **RiskWrites(book, news).verbs(),
            **RefundWrites(book, self.refunds, self.money, inventory, self._shop, news, now, self._options).verbs(),
            **ReturnWrites(
                book, returns, self.refunds, self._shop, news, now, self._shelves, self._numbers, self._options
            ).verbs(),
        }

    def _selling_locations(self, _item_id: str) -> list[str]:
        return [one.id for one in self._shop.locations if one.active and one.fulfills_online_orders]

    def _default_location(self) -> str:
        return next(iter(self._selling_locations("")), self._shop.locations[0].id)
