"""``/ecom/v1/orders`` and ``/ecom/v1/orders-settings``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.orders_state import Orders, WixOrder
from storebridge_sandbox.wix.query import EQUALITY, LISTS, ORDERING, TEXT, Field, Language, Question
from storebridge_sandbox.wix.settings import STORES_APP_ID, Trigger
from storebridge_sandbox.wix.wire import application_error, read_date, validation_error, wix_date

READ = "SCOPE.DC-STORES.READ-ORDERS"
MANAGE = "SCOPE.DC-STORES.MANAGE-ORDERS"
TRIGGERS: tuple[Trigger, ...] = ("ON_ORDER_PLACED", "ON_ORDER_PAID")
HIDDEN_UNLESS_ASKED = ("PENDING", "REJECTED")


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as the search index tells it."""

    order: WixOrder
    shown: dict[str, Any]


def _told(name: str, operators: frozenset[str] = EQUALITY, *, sortable: bool = False) -> Field:
    return Field(lambda row: row.shown.get(name), "text", operators, sortable)


def _date(name: str) -> Field:
    return Field(lambda row: read_date(row.shown[name]), "moment", ORDERING, sortable=True)


LANGUAGE = Language(
    {
        "id": _told("id"),
        "checkoutId": _told("checkoutId"),
        "status": _told("status", sortable=True),
        "paymentStatus": _told("paymentStatus", sortable=True),
        "fulfillmentStatus": _told("fulfillmentStatus", sortable=True),
        "number": _told("number", ORDERING, sortable=True),
        "createdDate": _date("createdDate"),
        "updatedDate": _date("updatedDate"),
        "purchasedDate": _date("purchasedDate"),
        "archived": Field(lambda row: row.shown["archived"], "flag"),
        "imported": Field(lambda row: row.shown["imported"], "flag"),
        "channelInfo.type": Field(lambda row: row.shown["channelInfo"]["type"]),
        "channelInfo.externalOrderId": Field(lambda row: row.shown["channelInfo"].get("externalOrderId")),
        "buyerInfo.email": Field(lambda row: row.shown["buyerInfo"].get("email"), "text", TEXT),
        "buyerInfo.contactId": Field(lambda row: row.shown["buyerInfo"].get("contactId")),
        "lineItems.catalogReference.catalogItemId": Field(
            lambda row: {line["catalogReference"]["catalogItemId"] for line in row.shown["lineItems"]},
            "list",
            LISTS,
        ),
        "lineItems.catalogReference.appId": Field(lambda _row: {STORES_APP_ID}, "list", LISTS),
    },
    tie=lambda row: row.order.number,
    default_limit=100,
    most=100,
    default_sort=(("createdDate", True),),
    name="search",
)


class OrderVerbs(Protocol):
    """What the API may do to orders; the store sends the webhooks that follow."""

    def api_cancel(self, order: WixOrder, call: Call, *, restock: bool, told: dict[str, Any]) -> None: ...

    def settings_changed(self, call: Call) -> None: ...


class OrderAnswers:
    """Answers about orders and their settings."""

    def __init__(self, orders: Orders, verbs: OrderVerbs, opened_at: datetime) -> None:
        self._orders = orders
        self._verbs = verbs
        self._opened_at = opened_at
        self._settings_changed_at = opened_at
        self._create_invoice = False

    def operations(self) -> list[Operation]:
        base = "/ecom/v1/orders"
        return [
            Operation("searchOrders", ("POST",), f"{base}/search", self.search, READ, None, "search"),
            Operation("getOrder", ("GET",), base + "/{id}", self.get, READ, None, "get"),
            Operation("cancelOrder", ("POST",), base + "/{id}/cancel", self.cancel, MANAGE),
            Operation("getOrdersSettings", ("GET",), "/ecom/v1/orders-settings", self.settings, READ),
            Operation("updateOrdersSettings", ("PATCH",), "/ecom/v1/orders-settings", self.update_settings, MANAGE),
        ]

    def search(self, call: Call) -> dict[str, Any]:
        question = LANGUAGE.read(call.part("search"))
        page = LANGUAGE.page(question, self._rows(question, call.read_moment))
        return {"orders": [row.shown for row in page.rows], "metadata": page.metadata()}

    def get(self, call: Call) -> dict[str, Any]:
        """One order, also an INITIALIZED one."""
        order = self._find(call)
        shown = order.shown_as_of(call.get_moment)
        if shown is None:
            raise _missing(order.id)
        return {"order": shown}

    def cancel(self, call: Call) -> dict[str, Any]:
        order = self._find(call)
        if order.status in HIDDEN_UNLESS_ASKED:
            raise application_error(428, f"ORDER_IS_{order.status}", f"The order is {order.status.lower()}")
        restock = call.flag("restockAllItems")
        told = {
            "restockAllItems": restock,
            "sendOrderCanceledEmail": call.flag("sendOrderCanceledEmail"),
            "customMessage": str(call.arguments.get("customMessage") or ""),
        }
        if order.status != "CANCELED":
            self._verbs.api_cancel(order, call, restock=restock, told=told)
        call.wrote = True
        return {"order": order.shown_as_of(None)}

    def settings(self, _call: Call) -> dict[str, Any]:
        return {"ordersSettings": self.settings_payload()}

    def update_settings(self, call: Call) -> dict[str, Any]:
        asked = call.part("ordersSettings")
        trigger = asked.get("inventoryUpdateTrigger", self._orders.trigger)
        if trigger not in TRIGGERS:
            raise validation_error("ordersSettings.inventoryUpdateTrigger", "is unknown", "INVALID_ENUM_VALUE")
        self._orders.trigger = trigger
        self._create_invoice = bool(asked.get("createInvoice", self._create_invoice))
        self._verbs.settings_changed(call)
        call.wrote = True
        return {"ordersSettings": self.settings_payload()}

    def note_change(self, moment: datetime) -> None:
        """The settings changed at this moment."""
        self._settings_changed_at = moment

    def settings_payload(self) -> dict[str, Any]:
        return {
            "inventoryUpdateTrigger": self._orders.trigger,
            "createInvoice": self._create_invoice,
            "createdDate": wix_date(self._opened_at),
            "updatedDate": wix_date(self._settings_changed_at),
        }

    def _rows(self, question: Question, moment: datetime | None) -> Iterator[OrderRow]:
        """What the index shows: INITIALIZED never, PENDING and REJECTED when the filter names a status."""
        by_status = "status" in question.filter
        for order in self._candidates(question):
            shown = order.shown_as_of(moment)
            if shown is None or shown["status"] == "INITIALIZED":
                continue
            if by_status or shown["status"] not in HIDDEN_UNLESS_ASKED:
                yield OrderRow(order, shown)

    def _candidates(self, question: Question) -> list[WixOrder]:
        wanted = question.wanted.get("id")
        if wanted is None:
            return list(self._orders.orders.values())
        found = (self._orders.orders.get(str(one)) for one in dict.fromkeys(wanted))
        return [order for order in found if order is not None]

    def _find(self, call: Call) -> WixOrder:
        order = self._orders.orders.get(call.params["id"])
        if order is None:
            raise _missing(call.params["id"])
        return order


def _missing(order_id: str) -> Exception:
    return application_error(404, "ORDER_NOT_FOUND", f"Order {order_id!r} was not found")
