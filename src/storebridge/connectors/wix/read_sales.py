"""Questions about whole orders: three calls (orders, money, parcels) for up to a hundred orders.

Nothing within an order has pages: its document holds all lines, and the two lists by ids come whole and take no cursor
(https://dev.wix.com/docs/rest, "List Transactions For Multiple Orders" and "List Fulfillments For Multiple Orders").
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from storebridge.connectors.port import CallTrouble
from storebridge.connectors.wix.client import Operation, WixClient
from storebridge.connectors.wix.copies import id_of_copy
from storebridge.connectors.wix.read import (
    ORDERS_PER_PAGE,
    SEARCH_ORDERS,
    VISIBLE_STATUSES,
    path_segment,
)
from storebridge.connectors.wix.sales_shapes import OrderFulfilments, OrderTransactions, SalesOrder
from storebridge.connectors.wix.translate import Shape, order_of
from storebridge.connectors.wix.translate_sales import sales_order_of
from storebridge.model.ids import ConnectionName, OrderId
from storebridge.model.sales import Sale

LIST_PAYMENTS = Operation("listTransactions", "POST", "/ecom/v1/payments/list-by-ids")
LIST_PARCELS = Operation("listFulfillments", "POST", "/ecom/v1/fulfillments/list-by-ids")


class SalesAnswer(Shape, frozen=True):
    """Orders that a search found."""

    orders: tuple[SalesOrder, ...] = ()


class OneSale(Shape, frozen=True):
    """An order asked for by id."""

    order: SalesOrder | None = None


class PaymentsAnswer(Shape, frozen=True):
    """Money, order by order."""

    order_transactions: tuple[OrderTransactions, ...] = ()


class ParcelsAnswer(Shape, frozen=True):
    """Parcels, order by order."""

    orders_with_fulfillments: tuple[OrderFulfilments, ...] = ()


class SalesReader:
    """Reads whole orders; the same on either catalogue version."""

    def __init__(self, client: WixClient, connection: ConnectionName, our_app_id: str) -> None:
        self._client = client
        self._connection = connection
        self._our_app_id = our_app_id

    async def read_sales(self, orders: Sequence[OrderId], trigger: str) -> tuple[Sale, ...]:
        """The orders that exist, whole. What the search does not show is asked for by id (see ``read.OrderReader``)."""
        if not orders:
            return ()
        found = await self._orders(orders)
        if not found:
            return ()
        asked = {"orderIds": list(found)}
        money, parcels = await asyncio.gather(
            self._client.read(LIST_PAYMENTS, PaymentsAnswer, asked),
            self._client.read(LIST_PARCELS, ParcelsAnswer, asked),
        )
        paid = {one.order_id: one for one in money.order_transactions}
        sent = {one.order_id: one for one in parcels.orders_with_fulfillments}
        return tuple(
            Sale(
                sales_order_of(found[wanted], paid.get(wanted), sent.get(wanted), self._connection, self._our_app_id),
                order_of(found[wanted], trigger),
            )
            for wanted in orders
            if wanted in found
        )

    async def find_copy(self, stamp: str) -> OrderId | None:
        """The order that bears this stamp: by the id that it was given, which is not behind; else by the search, which
        may be (W25)."""
        order = await self._one(id_of_copy(stamp))
        if order is not None:
            return OrderId(order.id)
        search = {"filter": {"channelInfo.externalOrderId": {"$eq": stamp}}, "cursorPaging": {"limit": 1}}
        answer = await self._client.read(SEARCH_ORDERS, SalesAnswer, {"search": search})
        return OrderId(answer.orders[0].id) if answer.orders else None

    async def _orders(self, orders: Sequence[OrderId]) -> dict[str, SalesOrder]:
        search = {
            "filter": {"id": {"$in": list(orders)}, "status": {"$in": list(VISIBLE_STATUSES)}},
            "cursorPaging": {"limit": ORDERS_PER_PAGE},
        }
        answer = await self._client.read(SEARCH_ORDERS, SalesAnswer, {"search": search})
        found = {order.id: order for order in answer.orders}
        for order_id in [wanted for wanted in orders if wanted not in found]:
            order = await self._one(order_id)
            if order is not None:
                found[order.id] = order
        return found

    async def _one(self, order_id: OrderId) -> SalesOrder | None:
        operation = Operation("getOrder", "GET", f"/ecom/v1/orders/{path_segment(order_id)}")
        try:
            answer = await self._client.exchange(operation, b"")
        except CallTrouble as trouble:
            if trouble.status == 404:
                return None
            raise
        return self._client.decode(answer, OneSale, operation).order
