"""The mutations of orders: create, change, cancel, close, pay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify.call import Call
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.metafields.state import Metafields
from storebridge_sandbox.shopify.money import same, to_cents
from storebridge_sandbox.shopify.mutations import Refusals, UserError, Verb, refuse
from storebridge_sandbox.shopify.orders.intake import OrderIntake
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.customers_port import Customers
from storebridge_sandbox.shopify.sales.inputs import address_of, clean_tags, moment_of, reach_errors
from storebridge_sandbox.shopify.sales.jobs import Job, Jobs
from storebridge_sandbox.shopify.sales.money_desk import MoneyDesk
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.state import ShopOrder, Transaction

LONGEST_NOTE = 5000
LONGEST_STAFF_NOTE = 255
PLUS_ONLY = (
    "`write_orders` access scope. Also: The user must have mark_orders_as_paid permission. "
    "The API client must be installed on a Shopify Plus store to use the amount field."
)
SCOPES_PAGE = "https://shopify.dev/api/usage/access-scopes"


class OrderWrites:
    """Every verb gets the arguments and the call, and returns the payload's fields."""

    def __init__(
        self,
        book: Orders,
        intake: OrderIntake,
        money: MoneyDesk,
        news: News,
        jobs: Jobs,
        customers: Customers,
        options: ShopifyOptions,
        now: Callable[[], datetime],
        metafields: Metafields,
    ) -> None:
        self._book = book
        self._metafields = metafields
        self._intake = intake
        self._money = money
        self._news = news
        self._jobs = jobs
        self._customers = customers
        self._options = options
        self._now = now
        jobs.workers["cancel"] = self._carry_out_cancel
        jobs.workers["archive"] = lambda job: book.archive(job.subject)

    def verbs(self) -> dict[str, Verb]:
        return {
            "orderCreate": self.create,
            "orderUpdate": self.update,
            "orderCancel": self.cancel,
            "orderClose": self.close,
            "orderOpen": self.open,
            "orderDelete": self.delete,
            "orderMarkAsPaid": self.mark_as_paid,
            "orderCreateManualPayment": self.manual_payment,
            "orderCapture": self.capture,
            "transactionVoid": self.void,
            "orderCustomerSet": self.set_customer,
            "orderCustomerRemove": self.remove_customer,
        }

    def create(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        with self._news.deed():
            return {"order": self._intake.create(args["order"], args.get("options") or {})}

    def update(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["input"]
        order = self._find(given["id"], ["id"], "Order does not exist")
        unfit = [*reach_errors(given, []), *_note_errors(given)]
        if unfit:
            raise Refusals(*unfit, order=order)
        _made, wrong = self._metafields.put_all(given.get("metafields") or [], ["metafields"], order.id)
        if wrong:
            raise Refusals(*(UserError(one["field"], one["message"]) for one in wrong), order=order)
        with self._news.deed():
            for name, attribute in (
                ("note", "note"),
                ("email", "email"),
                ("phone", "phone"),
                ("poNumber", "po_number"),
            ):
                if name in given:
                    setattr(order, attribute, given[name])
            if "tags" in given:
                order.tags = clean_tags(given["tags"] or [])
            if "customAttributes" in given:
                order.attributes = tuple(
                    (one["key"], one.get("value") or "") for one in given["customAttributes"] or ()
                )
            if given.get("shippingAddress"):
                order.shipping_address = address_of(given["shippingAddress"])
            self._book.touched(order)
        return {"order": order}

    # -- cancelling ----------------------------------------------------------------------------------------

    def cancel(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """Answers with a job; the order is cancelled a moment later."""
        try:
            order = self._cancellable(args)
        except Refusals as refused:
            plain = [UserError(one.field, one.message) for one in refused.errors]
            return {"orderCancelUserErrors": refused.errors, "userErrors": plain}
        method = args.get("refundMethod") or {}
        content = {
            "reason": args["reason"],
            "restock": args["restock"],
            "refund": bool(args.get("refund")) or bool(method),
            "note": args.get("staffNote"),
        }
        job = self._jobs.later(self._options.job_seconds, "cancel", order, content)
        return {"job": job, "jobResult": job, "orderCancelUserErrors": []}

    def _cancellable(self, args: dict[str, Any]) -> ShopOrder:
        if args.get("refund") is not None and args.get("refundMethod") is not None:
            told = "Only one of the arguments `refund` or `refund_method` is allowed."
            raise refuse(["refundMethod"], told, "INVALID")
        if len(args.get("staffNote") or "") > LONGEST_STAFF_NOTE:
            raise refuse(["staffNote"], "Staff note is too long. Maximum length is 255 characters.", "INVALID")
        order = self._book.orders.get(args["orderId"])
        if order is None:
            raise refuse(["orderId"], "Order does not exist", "NOT_FOUND")
        if self._jobs.under_way("cancel", order):
            raise refuse(None, "Cancellation is already in progress")
        if order.cancelled_at is not None:
            raise refuse(["orderId"], "Cannot cancel an order that has already been canceled", "INVALID")
        if totals.received(order).shop and any(line.fulfilled for line in order.lines):
            # Recorded: only orders that were paid for are refused; the same, unpaid, are cancelled.
            if any(one.status in ("REQUESTED", "OPEN", "CLOSED") for one in order.returns):
                raise refuse(["orderId"], "Cannot cancel an order that has returns", "INVALID")
            raise refuse(["orderId"], "Cannot cancel an order that has outstanding fulfillments", "INVALID")
        return order

    def _carry_out_cancel(self, job: Job) -> None:
        order, content = job.subject, job.content
        if order.id not in self._book.orders or order.cancelled_at is not None:
            return
        with self._news.deed():
            self._book.call_off(
                order,
                content["reason"],
                "api",
                restock=content["restock"],
                refund=content["refund"],
                note=content["note"],
            )

    # -- closing and deleting ------------------------------------------------------------------------------

    def close(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        order = self._find(args["input"]["id"], ["id"], "Order does not exist")
        if order.closed_at is None:
            with self._news.deed():
                order.closed_at = self._now()
                self._book.touched(order)
        return {"order": order}

    def open(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        order = self._find(args["input"]["id"], ["id"], "Order does not exist")
        if order.closed_at is not None:
            with self._news.deed():
                order.closed_at = None
                self._book.touched(order)
        return {"order": order}

    def delete(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        order = self._find(args["orderId"], ["orderId"], "Order does not exist", "NOT_FOUND")
        with self._news.deed():
            self._book.delete(order)
        self._metafields.forget(order.id)
        return {"deletedId": order.id}

    # -- money ---------------------------------------------------------------------------------------------

    def mark_as_paid(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        order = self._find(args["input"]["id"], ["id"], "Order does not exist")
        owed = totals.outstanding(order)
        if order.cancelled_at is not None or not (owed.shop or totals.capturable(order).shop):
            raise refuse(["id"], "Order cannot be marked as paid.", order=order)
        with self._news.deed():
            self._money.sale(order, owed, "manual")
            self._book.paid(order)
        return {"order": order}

    def manual_payment(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """Without an amount the whole is paid; an amount is for Plus stores (recorded)."""
        if args.get("amount") is not None:
            told = f"Access denied for orderCreateManualPayment field. Required access: {PLUS_ONLY}"
            raise Refusal(told, "ACCESS_DENIED", documentation=SCOPES_PAGE, requiredAccess=PLUS_ONLY)
        order = self._find(args["id"], ["id"], "Order does not exist", "ORDER_NOT_FOUND")
        owed = totals.outstanding(order)
        if order.cancelled_at is not None or not owed.shop:
            raise refuse(["id"], "Order is not unpaid", order=None)
        moment = moment_of(args["processedAt"]) if args.get("processedAt") else None
        with self._news.deed():
            self._money.sale(order, owed, args.get("paymentMethodName") or "manual", moment)
            self._book.paid(order)
        return {"order": order}

    def capture(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["input"]
        order = self._find(given["id"], ["id"], "Order does not exist")
        parent = next((one for one in order.transactions if one.id == given["parentTransactionId"]), None)
        if parent is None or parent.kind != "AUTHORIZATION":
            raise refuse(["parentTransactionId"], "Parent transaction does not exist", transaction=None)
        amount, left = same(to_cents(Decimal(str(given["amount"])))), totals.left_to_capture(parent)
        if not 0 < amount.shop <= left.shop:
            raise refuse(["amount"], "Amount is greater than the authorized amount", transaction=None)
        with self._news.deed():
            made = self._money.add(order, "CAPTURE", amount, parent.gateway, parent=parent)
            self._book.paid(order)
        return {"transaction": made}

    def void(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        found = self._book.things.get(args["parentTransactionId"])
        parent = found if isinstance(found, Transaction) else None
        if parent is None or parent.kind != "AUTHORIZATION" or not totals.left_to_capture(parent).shop:
            field, told = ["parentTransactionId"], "Parent transaction is not successful"
            code = "TRANSACTION_NOT_FOUND" if parent is None else "AUTH_NOT_VOIDABLE"
            raise refuse(field, told if parent is not None else "Parent transaction not found", code, transaction=None)
        with self._news.deed():
            made = self._money.add(parent.order, "VOID", totals.left_to_capture(parent), parent.gateway, parent=parent)
            self._book.touched(parent.order)
        return {"transaction": made}

    # -- the customer --------------------------------------------------------------------------------------

    def set_customer(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        order = self._find(args["orderId"], ["orderId"], "Order does not exist", "NOT_FOUND")
        found = self._customers.of_order({"toAssociate": {"id": args["customerId"]}})
        if found is None:
            raise refuse(["customerId"], "Customer does not exist", "NOT_FOUND", order=None)
        with self._news.deed():
            order.customer_id, order.customer = found
            self._book.touched(order)
        return {"order": order}

    def remove_customer(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        order = self._find(args["orderId"], ["orderId"], "Order does not exist", "NOT_FOUND")
        with self._news.deed():
            order.customer_id, order.customer = None, {}
            self._book.touched(order)
        return {"order": order}

    def _find(self, order_id: str, field: list[str], message: str, code: str | None = None) -> ShopOrder:
        order = self._book.orders.get(order_id)
        if order is None:
            raise refuse(field, message, code, order=None)
        return order


def _note_errors(given: dict[str, Any]) -> list[UserError]:
    if len(given.get("note") or "") <= LONGEST_NOTE:
        return []
    return [UserError(["note"], f"Note is too long (maximum is {LONGEST_NOTE} characters)")]
