"""The mutations of returns, with the recorded refusals word for word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify.call import Call
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.money import ZERO, Bag, same, to_cents
from storebridge_sandbox.shopify.mutations import Refusals, UserError, Verb, must_be, refuse
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.returns.reasons import DEFINITIONS, reason_of
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.refund_desk import RefundDesk, RefundPlan, Unit
from storebridge_sandbox.shopify.sales.return_desk import ReturnDesk, returnable
from storebridge_sandbox.shopify.sales.state import (
    ExchangeLine,
    FulfilmentLine,
    Return,
    ReturnLine,
    ReverseDelivery,
    ReverseLine,
    ReverseOrder,
    ShopOrder,
    Transaction,
)
from storebridge_sandbox.shopify.shop.state import ShopState

Given = Mapping[str, Any]
MORE_THAN_ONE = "Cannot dispose items from more than one reverse fulfillment order."
WRONG_STATE = "Return status is invalid."


class ReturnWrites:
    """Every verb gets the arguments and the call, and returns the payload's fields."""

    def __init__(
        self,
        book: Orders,
        desk: ReturnDesk,
        refunds: RefundDesk,
        shop: ShopState,
        news: News,
        now: Callable[[], datetime],
        shelves: Shelves,
        numbers: Numbers,
        options: ShopifyOptions,
    ) -> None:
        self._book = book
        self._desk = desk
        self._refunds = refunds
        self._shop = shop
        self._news = news
        self._now = now
        self._shelves = shelves
        self._numbers = numbers
        self._options = options

    def verbs(self) -> dict[str, Verb]:
        return {
            "returnCreate": self.create,
            "returnRequest": self.request,
            "returnApproveRequest": self.approve,
            "returnDeclineRequest": self.decline,
            "returnProcess": self.process,
            "returnClose": self.close,
            "returnReopen": self.reopen,
            "returnCancel": self.cancel,
            "removeFromReturn": self.remove,
            "reverseFulfillmentOrderDispose": self.dispose,
            "reverseDeliveryCreateWithShipping": self.deliver,
            "reverseDeliveryShippingUpdate": self.track,
        }

    # -- opening -------------------------------------------------------------------------------------------

    def create(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        return self._open(args["returnInput"], "returnInput", approved=True)

    def request(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        return self._open(args["input"], "input", approved=False)

    def _open(self, given: Given, root: str, *, approved: bool) -> dict[str, Any]:
        order = self._book.orders.get(given["orderId"])
        if order is None:
            raise refuse([root, "orderId"], "Order not found.", "NOT_FOUND")
        lines = self._lines(given["returnLineItems"], root, strict=approved)
        exchanges = self._exchanges(given.get("exchangeLineItems") or (), root)
        fee = (given.get("returnShippingFee") or {}).get("amount")
        amount = same(to_cents(Decimal(str(fee["amount"])))) if fee else ZERO
        with self._news.deed():
            made = self._desk.open(order, lines, approved=approved, fee=amount)
            made.exchanges = exchanges
            self._book.touched(order)
        return {"return": made}

    def _exchanges(self, given: Sequence[Given], root: str) -> tuple[ExchangeLine, ...]:
        """What the buyer gets instead; nothing of it is in the order before the return is processed."""
        made = []
        for place, one in enumerate(given):
            path = [root, "exchangeLineItems", str(place)]
            variant = self._shelves.variants.get(one.get("variantId") or "")
            if variant is None:
                raise refuse([*path, "variantId"], "Variant was not found.", "NOT_FOUND")
            if one["quantity"] < 1:
                raise refuse([*path, "quantity"], "Quantity must be greater than 0", "GREATER_THAN")
            made.append(ExchangeLine(self._numbers.new("ExchangeLineItem"), variant, one["quantity"]))
        return tuple(made)

    def _lines(self, given: Sequence[Given], root: str, *, strict: bool) -> list[ReturnLine]:
        if not given:
            raise refuse([root, "returnLineItems"], "Return line items can't be blank", "BLANK")
        checked: list[tuple[FulfilmentLine, Given]] = []
        taken: dict[str, int] = {}
        for place, one in enumerate(given):
            path = [root, "returnLineItems", str(place)]
            sent = self._book.things.get(one["fulfillmentLineItemId"])
            if not isinstance(sent, FulfilmentLine):
                told = "Fulfillment Line Item was not found."
                raise refuse([*path, "fulfillmentLineItemId"], told, "NOT_FOUND")
            taken[sent.id] = taken.get(sent.id, 0) + one["quantity"]
            if one["quantity"] < 1 or taken[sent.id] > returnable(sent):
                raise refuse([*path, "quantity"], "Return line item has an invalid quantity.", "INVALID")
            _check_reason(one, path, strict=strict)
            checked.append((sent, one))
        return [self._line(sent, one) for sent, one in checked]

    def _line(self, sent: FulfilmentLine, given: Given) -> ReturnLine:
        line = self._desk.line(sent, given["quantity"], reason_of(given))
        line.definition_id = given.get("returnReasonDefinitionId")
        line.reason_note = given.get("returnReasonNote") or ""
        line.customer_note = given.get("customerNote")
        fee = given.get("restockingFee")
        line.restocking_fee = Decimal(str(fee["percentage"])) if fee else None
        return line

    # -- deciding ------------------------------------------------------------------------------------------

    def approve(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        returned = self._find(args["input"]["id"], ["input", "id"])
        if returned.status != "REQUESTED":
            told = "Return is not approvable. Only returns with status REQUESTED can be approved."
            raise refuse(["input", "id"], told, "INVALID_STATE")
        with self._news.deed():
            self._desk.approve(returned)
            self._news.add("returns/approve", returned)
            self._book.touched(returned.order)
        return {"return": returned}

    def decline(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["input"]
        returned = self._find(given["id"], ["input", "id"])
        if returned.status == "DECLINED":
            raise refuse(["input", "id"], "The return is already declined.", "INVALID_STATE")
        if returned.status != "REQUESTED":
            told = "Return is not declinable. Only non-refunded returns with status REQUESTED can be declined."
            raise refuse(["input", "id"], told, "INVALID_STATE")
        returned.decline = (given["declineReason"], given.get("declineNote"))
        return self._becomes(returned, "DECLINED", "returns/decline")

    def close(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """Closing what is closed is fine and changes nothing (recorded)."""
        returned = self._find(args["id"], ["id"])
        if returned.status == "CLOSED":
            return {"return": returned}
        if returned.status != "OPEN":
            raise refuse(["id"], WRONG_STATE, "INVALID_STATE")
        return self._becomes(returned, "CLOSED", "returns/close")

    def reopen(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        returned = self._find(args["id"], ["id"])
        if returned.status == "OPEN":
            return {"return": returned}
        if returned.status != "CLOSED":
            raise refuse(["id"], WRONG_STATE, "INVALID_STATE")
        return self._becomes(returned, "OPEN", "returns/reopen")

    def cancel(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        returned = self._find(args["id"], ["id"])
        if returned.status == "CANCELED":
            return {"return": returned}
        busy = any(line.processed or line.refunded for line in returned.lines)
        if returned.status == "DECLINED" or busy:
            raise refuse(["id"], "Return is not cancelable.", "INVALID_STATE")
        return self._becomes(returned, "CANCELED", "returns/cancel")

    def _becomes(self, returned: Return, status: str, topic: str) -> dict[str, Any]:
        with self._news.deed():
            self._desk.becomes(returned, status, topic)
            self._book.touched(returned.order)
        return {"return": returned}

    def remove(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """The whole list is checked before the first unit leaves."""
        returned = self._find(args["returnId"], ["returnId"])
        if returned.status not in ("OPEN", "REQUESTED"):
            raise refuse(["returnId"], WRONG_STATE, "INVALID_STATE")
        checked: list[tuple[ReturnLine, int]] = []
        for place, one in enumerate(args.get("returnLineItems") or ()):
            line = next((line for line in returned.lines if line.id == one["returnLineItemId"]), None)
            path = ["returnLineItems", str(place)]
            if one["quantity"] < 1:
                raise refuse(None, "Quantity must be greater than 0", "GREATER_THAN")
            if line is None:
                raise refuse([*path, "returnLineItemId"], "Return line item was not found.", "NOT_FOUND")
            if one["quantity"] > line.quantity - line.processed:
                raise refuse([*path, "quantity"], "Return line item has an invalid quantity.", "INVALID")
            checked.append((line, one["quantity"]))
        with self._news.deed():
            for line, units in checked:
                self._desk.take_out(returned, line, units)
            self._book.touched(returned.order)
        return {"return": returned}

    # -- processing ----------------------------------------------------------------------------------------

    def process(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """Units are looked at, disposed of where the input says so, and paid back where it says so."""
        given = args["input"]
        returned = self._find(given["returnId"], ["input", "returnId"])
        if returned.status != "OPEN":
            raise refuse(["input", "returnId"], WRONG_STATE, "INVALID_STATE")
        checked = [
            (self._processed(returned, one, ["input", "returnLineItems", str(place)]), one)
            for place, one in enumerate(given.get("returnLineItems") or ())
        ]
        payments = self._payments(returned.order, given.get("financialTransfer") or {})
        swapped = [
            (self._swapped(returned, one, ["input", "exchangeLineItems", str(place)]), one["quantity"])
            for place, one in enumerate(given.get("exchangeLineItems") or ())
        ]
        with self._news.deed():
            for line, one in checked:
                line.processed += one["quantity"]
                for disposition in one.get("dispositions") or ():
                    self._dispose(disposition)
            for exchange, units in swapped:
                self._send_instead(returned.order, exchange, units)
            if payments or (swapped and checked and self._options.exchange_notes_refund):
                self._pay(returned, [(line, one["quantity"]) for line, one in checked], payments, given)
            self._news.add("returns/process", returned)
            self._book.touched(returned.order)
        return {"return": returned}

    def _swapped(self, returned: Return, given: Given, path: list[str]) -> ExchangeLine:
        line = next((one for one in returned.exchanges if one.id == given["id"]), None)
        if line is None or not 0 < given["quantity"] <= line.quantity - line.processed:
            raise refuse([*path, "id"], "Exchange line item was not found.", "NOT_FOUND")
        return line

    def _send_instead(self, order: ShopOrder, exchange: ExchangeLine, units: int) -> None:
        """Replacement goods are a line of the same order, and wait to be shipped like any other."""
        if exchange.line is None:
            exchange.line = self._book.line_of(exchange.variant, 0, same(exchange.variant.price))
            exchange.line.title = exchange.variant.title
            order.lines.append(exchange.line)
        self._book.add_units(order, exchange.line, units, "api")
        exchange.processed += units
        order.edited = True

    def _processed(self, returned: Return, given: Given, path: list[str]) -> ReturnLine:
        line = next((one for one in returned.lines if one.id == given["id"]), None)
        if line is None or line.processed >= line.quantity:
            raise refuse([*path, "id"], "Return line item was not found.", "NOT_FOUND")
        if not 0 < given["quantity"] <= line.quantity - line.processed:
            raise refuse([*path, "quantity"], "Return line item has an invalid quantity.", "INVALID")
        errors = self._disposal_errors(given.get("dispositions") or (), [*path, "dispositions"])
        if errors:
            raise Refusals(*errors)
        return line

    def _payments(self, order: ShopOrder, transfer: Given) -> list[tuple[Transaction, Bag]]:
        refund, payments = transfer.get("issueRefund") or {}, []
        for place, one in enumerate(refund.get("orderTransactions") or ()):
            parent = next((known for known in order.transactions if known.id == one["parentId"]), None)
            if parent is None:
                path = ["input", "financialTransfer", "issueRefund", "orderTransactions", str(place), "parentId"]
                raise refuse(path, "Transaction not found.", "NOT_FOUND")
            payments.append((parent, same(to_cents(Decimal(str(one["transactionAmount"]["amount"]))))))
        amount, net = sum((money.shop for _, money in payments), ZERO.shop), totals.net_payment(order).shop
        if amount > net and not refund.get("allowOverRefunding"):
            told = f"Refund amount ${amount:.2f} is greater than net payment received ${net:.2f}"
            raise refuse(["input", "financialTransfer"], told, "INVALID")
        return payments

    def _pay(self, returned: Return, lines: Sequence[tuple[ReturnLine, int]], payments: Any, given: Given) -> None:
        shipping = given.get("refundShipping") or {}
        left = totals.current_shipping(returned.order)
        back = left if shipping.get("fullRefund") else ZERO
        if shipping.get("shippingRefundAmount"):
            back = same(to_cents(Decimal(str(shipping["shippingRefundAmount"]["amount"]))))
        units = [Unit(line.sent.line, quantity, "NO_RESTOCK", False, None, received=True) for line, quantity in lines]
        refund = self._refunds.carry_out(
            returned.order, RefundPlan(units, back, payments=payments, note=given.get("note")), "api"
        )
        refund.returned = returned
        returned.refunds = (*returned.refunds, refund)
        for line, quantity in lines:
            line.refunded += quantity

    # -- what comes back -----------------------------------------------------------------------------------

    def dispose(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given, nothing = args["dispositionInputs"], {"reverseFulfillmentOrderLineItems": None}
        if not given:
            raise refuse(["dispositionInputs"], "The array cannot be empty.", "BLANK", **nothing)
        for one in given:
            must_be(one["reverseFulfillmentOrderLineItemId"], "ReverseFulfillmentOrderLineItem")
            if one.get("locationId"):
                must_be(one["locationId"], "Location")
        found = [self._book.things.get(one["reverseFulfillmentOrderLineItemId"]) for one in given]
        owners = {line.order.id for line in found if isinstance(line, ReverseLine)}
        if len(owners) != 1 or any(line is None for line in found):
            raise refuse(["dispositionInputs"], MORE_THAN_ONE, "INVALID", **nothing)
        errors = self._disposal_errors(given, ["dispositionInputs"])
        if errors:
            raise Refusals(*errors, **nothing)
        order = found[0].order.returned.order
        with self._news.deed():
            for one in given:
                self._dispose(one)
            self._book.touched(order)
        return {"reverseFulfillmentOrderLineItems": list({id(line): line for line in found}.values())}

    def _disposal_errors(self, given: Sequence[Given], path: list[str]) -> list[UserError]:
        errors: list[UserError] = []
        for place, one in enumerate(given):
            here, line = [*path, str(place)], self._book.things.get(one["reverseFulfillmentOrderLineItemId"])
            if not isinstance(line, ReverseLine):
                errors.append(UserError([*here, "reverseFulfillmentOrderLineItemId"], "must exist", "NOT_FOUND"))
                continue
            if one["dispositionType"] == "RESTOCKED" and line.line.sent.line.is_custom:
                told = "RESTOCKED is an invalid disposition type for a custom line item."
                errors.append(UserError([*here, "dispositionType"], told, "INVALID"))
            if one.get("locationId") and self._shop.location(one["locationId"]) is None:
                errors.append(UserError([*here, "locationId"], "Location not found.", "NOT_FOUND"))
            if not 0 < one["quantity"] <= line.total - line.disposed:
                told = "Cannot dispose of more items than are returned."
                errors.append(UserError([*here, "quantity"], told, "INVALID"))
        return errors

    def _dispose(self, given: Given) -> None:
        line = self._book.things[given["reverseFulfillmentOrderLineItemId"]]
        self._desk.dispose(line, given["dispositionType"], given["quantity"], given.get("locationId"), "api")

    def deliver(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        order = self._book.things.get(must_be(args["reverseFulfillmentOrderId"], "ReverseFulfillmentOrder"))
        for one in args["reverseDeliveryLineItems"]:
            must_be(one["reverseFulfillmentOrderLineItemId"], "ReverseFulfillmentOrderLineItem")
        if not isinstance(order, ReverseOrder):
            raise refuse(["reverseFulfillmentOrderId"], "Reverse fulfillment order was not found.", "NOT_FOUND")
        parts = self._delivered(order, args["reverseDeliveryLineItems"])
        with self._news.deed():
            label = (args.get("labelInput") or {}).get("fileUrl")
            made = self._desk.deliver(order, parts, dict(args.get("trackingInput") or {}), label)
            self._book.touched(order.returned.order)
        return {"reverseDelivery": made}

    def _delivered(self, order: ReverseOrder, given: Sequence[Given]) -> list[tuple[ReverseLine, int]]:
        """Nothing named: everything that is on no parcel yet."""
        left = {line.id: line.total - _on_the_way(line) for line in order.lines}
        if not given:
            return [(line, left[line.id]) for line in order.lines if left[line.id] > 0]
        parts = []
        for place, one in enumerate(given):
            path = ["reverseDeliveryLineItems", str(place)]
            line = next((one_ for one_ in order.lines if one_.id == one["reverseFulfillmentOrderLineItemId"]), None)
            if line is None:
                raise refuse([*path, "reverseFulfillmentOrderLineItemId"], "must exist")
            left[line.id] -= one["quantity"]
            if left[line.id] < 0:
                raise refuse([*path, "quantity"], "cannot deliver more items than are returned")
            parts.append((line, one["quantity"]))
        return parts

    def track(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        delivery = self._book.things.get(must_be(args["reverseDeliveryId"], "ReverseDelivery"))
        if not isinstance(delivery, ReverseDelivery):
            raise refuse(["reverseDeliveryId"], "Reverse delivery was not found.", "NOT_FOUND")
        with self._news.deed():
            delivery.tracking = dict(args.get("trackingInput") or delivery.tracking)
            if args.get("labelInput"):
                delivery.label_url = args["labelInput"]["fileUrl"]
            self._book.touched(delivery.order.returned.order)
        return {"reverseDelivery": delivery}

    def _find(self, global_id: str, field: list[str]) -> Return:
        returned = self._book.things.get(global_id)
        if not isinstance(returned, Return):
            raise refuse(field, "Return not found.", "NOT_FOUND")
        return returned


def _on_the_way(line: ReverseLine) -> int:
    return sum(part.quantity for one in line.order.deliveries for part in one.parts if part.line is line)


def _check_reason(given: Given, path: list[str], *, strict: bool) -> None:
    """A return that staff opens is asked for more than the buyer's request (recorded)."""
    reason, definition = given.get("returnReason"), given.get("returnReasonDefinitionId")
    if not reason and not definition:
        if strict:
            told = "Return line items Either return reason or return reason definition must be provided"
            raise refuse(path, told, "NOT_FOUND")
        raise refuse([*path, "returnReason"], "Return reason can't be blank", "BLANK")
    if definition and definition not in DEFINITIONS:
        raise refuse([*path, "returnReasonDefinitionId"], "Return reason definition was not found.", "NOT_FOUND")
    if strict and reason == "OTHER" and not (given.get("returnReasonNote") or "").strip():
        told = 'Return line items return reason note The note is required when the return reason is "Other"'
        raise refuse([*path, "returnReasonNote"], told, "BLANK")
