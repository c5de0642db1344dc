"""New orders by the API: created ones, which are like any other, and brought-in ones, which are records only."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.jobs.state import JobItem, Jobs
from storebridge_sandbox.wix.orders.amounts import totals_of
from storebridge_sandbox.wix.orders.office import MANAGE, Office, declared, texts_in
from storebridge_sandbox.wix.orders.reading import (
    FULFILMENT_STATUSES,
    STATUSES,
    guid_in,
    keep_parts,
    moment_in,
    object_in,
    one_of,
    read_lines,
    text_in,
)
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.orders.state import Status, WixOrder
from storebridge_sandbox.wix.wire import validation_error

BASE = "/ecom/v1/orders"
STRATEGIES = frozenset(("DEFAULT", "PAYMENT_RECEIVED", "PAYMENT_METHOD_SAVED"))
HIGHEST_NUMBER = 999_999_999
PAID = ("PAID", "PARTIALLY_REFUNDED", "FULLY_REFUNDED")


class OrderCreation:
    """``POST /ecom/v1/orders`` and ``/import``."""

    def __init__(self, office: Office, jobs: Jobs) -> None:
        self._office = office
        self._jobs = jobs

    def operations(self) -> list[Operation]:
        call = declared("ecom_orders")
        deletion = f"{BASE}/import/bulk-delete-imported-orders"
        counter = f"{BASE}/import/set-order-number-counter"
        return [
            call("createOrder", "POST", BASE, self.create, MANAGE),
            call("importOrder", "POST", f"{BASE}/import", self.bring_in, MANAGE),
            call("bulkDeleteImportedOrders", "POST", deletion, self.delete_imported, MANAGE),
            call("setOrderNumberCounter", "POST", counter, self.set_counter, MANAGE),
        ]

    def create(self, call: Call) -> dict[str, Any]:
        """An order like any other: it lowers stock (W8) and is announced."""
        message, settings = object_in(call.arguments.get("order"), "order"), call.part("settings")
        strategy = one_of(
            settings.get("orderApprovalStrategy", "DEFAULT"), STRATEGIES, "settings.orderApprovalStrategy"
        )
        order = self._read(message, call)
        order.approval = strategy
        order.owner_apps = tuple((settings.get("editableByOwnerApps") or {}).get("appIds") or ())
        order.takes_stock = self._office.orders.quirks.w8_created_orders_take_stock
        order.past_guard = order.takes_stock and self._office.orders.goods.is_guarded()
        order.status = self._status(order, message)
        self._office.orders.enter(order, paid=order.stated_payment in PAID)
        self._office.news.placed(order, call.actor)
        call.wrote = True
        return {"order": order.shown}

    def bring_in(self, call: Call) -> dict[str, Any]:
        """A record of an order from elsewhere, told as it is; the id of an earlier import replaces that one (W9)."""
        message = object_in(call.arguments.get("order"), "order")
        order_id = guid_in(message["id"], "order.id") if message.get("id") else None
        earlier = self._office.orders.orders.get(order_id or "")
        if earlier is not None and not earlier.imported:
            raise refusal("CANNOT_OVERWRITE_NON_IMPORTED_ORDER", f"Order {order_id} was not imported")
        order = self._read(message, call, order_id=order_id, imported=True)
        order.imported = True
        order.takes_stock = self._office.orders.quirks.w9_imports_take_stock and earlier is None
        order.status = self._stated_status(message) or "APPROVED"
        order.cancelled_at = order.created_at if order.status == "CANCELED" else None
        if message.get("fulfillmentStatus") is not None:
            order.stated_fulfilment = one_of(
                message["fulfillmentStatus"], FULFILMENT_STATUSES, "order.fulfillmentStatus"
            )
        if earlier is not None:
            order.serial = earlier.serial
        self._office.orders.enter(order, paid=False)
        self._office.news.imported(order, call.actor)
        call.wrote = True
        return {"order": order.shown}

    def delete_imported(self, call: Call) -> dict[str, Any]:
        """A job that is over at once; ids of other orders are failed items of it and change nothing."""
        ids = [guid_in(order_id, "orderIds") for order_id in texts_in(call, "orderIds", 1000)]
        job = self._jobs.start("bulkDeleteImportedOrders")
        for order_id in ids:
            order = self._office.orders.orders.get(order_id)
            if order is None or not order.imported:
                job.items.append(JobItem(order_id, "ORDER_NOT_FOUND", f"No imported order {order_id!r}"))
                continue
            del self._office.orders.orders[order.id]
            self._office.news.imported_deleted(order, call.actor)
            job.items.append(JobItem(order.id))
        call.wrote = True
        return {"jobId": job.id}

    def set_counter(self, call: Call) -> dict[str, Any]:
        text = str(call.arguments.get("counter"))
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= HIGHEST_NUMBER:
            raise validation_error("counter", f"must be between 1 and {HIGHEST_NUMBER}", "MAX")
        old = self._office.orders.next_number
        if int(text) < old and not call.flag("allowLowerCounter"):
            raise refusal("CANNOT_SET_LOWER_ORDER_NUMBER_COUNTER", f"The counter stands at {old}")
        self._office.orders.next_number = int(text)
        call.wrote = True
        return {"oldCounter": str(old), "newCounter": text}

    def _read(
        self, message: dict[str, Any], call: Call, *, order_id: str | None = None, imported: bool = False
    ) -> WixOrder:
        """Everything is read before anything is numbered, so that a refused call leaves no gap."""
        orders = self._office.orders
        probe = WixOrder("", "", orders.now(), orders.now(), orders.currency, {}, [], "pending")
        lines = read_lines(message, orders.goods, orders.new_id)
        keep_parts(probe, message)
        for name, attribute in (("checkoutId", "checkout_id"), ("purchaseFlowId", "purchase_flow_id")):
            if message.get(name):
                setattr(probe, attribute, guid_in(message[name], f"order.{name}"))
        self._stated_status(message)
        dates = {name: moment_in(message[name], f"order.{name}") for name in DATES if message.get(name)}
        purchased = dates.get("purchasedDate")
        if purchased is not None and purchased > orders.now():
            raise refusal("PURCHASED_DATE_CANNOT_BE_IN_FUTURE", "The purchase lies in the future")
        number = text_in(message["number"], "order.number", 50) if imported and message.get("number") else None
        order = orders.open(lines, orders.customer_of(message), call.actor, order_id=order_id, name=number)
        for name in ("told", "origin", "currency", "sums", "stated_payment"):
            setattr(order, name, getattr(probe, name))
        order.checkout_id = probe.checkout_id or order.checkout_id
        order.purchase_flow_id = probe.purchase_flow_id or order.purchase_flow_id
        order.purchased_at = purchased
        if imported and "createdDate" in dates:
            order.created_at = dates["createdDate"]
        if not imported:
            orders.know_buyer(order)
        return order

    def _status(self, order: WixOrder, message: dict[str, Any]) -> Status:
        """A stated status counts; else the money decides, by the strategy."""
        stated = self._stated_status(message)
        if stated is not None:
            return stated
        free = order.approval == "DEFAULT" and not totals_of(order).total
        if free or order.stated_payment in PAID:
            return "APPROVED"
        return self._office.orders.quirks.w8_unpaid_created_status

    def _stated_status(self, message: dict[str, Any]) -> Status | None:
        if message.get("status") is None:
            return None
        return one_of(message["status"], STATUSES, "order.status")  # type: ignore[return-value]


DATES = ("createdDate", "purchasedDate")
