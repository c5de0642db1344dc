"""``/ecom/v1/order-billing``: what can be refunded, refunds, charges, captures and voids."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.orders.amounts import balance_of, totals_of
from storebridge_sandbox.wix.orders.office import MANAGE, READ, Office, declared, texts_in
from storebridge_sandbox.wix.orders.reading import amount_in, guid_in, object_in, quantity_in, text_in
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.orders.state import UNDER_WAY, ZERO, Payment, RefundTransaction, WixOrder
from storebridge_sandbox.wix.orders.transactions import payment_payload, refund_payload, transactions_payload
from storebridge_sandbox.wix.payments.refunding import (
    Asked,
    Worth,
    fee_amount,
    line_worth,
    read_items,
    refunded_fee,
    refunded_shipping,
    remaining,
    why_not,
)
from storebridge_sandbox.wix.wire import money

BASE = "/ecom/v1/order-billing"


class BillingAnswers:
    """Answers about charging and giving back."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> list[Operation]:
        call = declared("ecom_order-billing")
        save = "authorize-charge-with-saved-payment-method"
        return [
            call("getOrderRefundability", "POST", f"{BASE}/get-order-refundability", self.refundability, READ),
            call("calculateRefund", "POST", f"{BASE}/calculate-refund", self.calculate, READ),
            call("refundPayments", "POST", f"{BASE}/refund-payments", self.refund, MANAGE),
            call("chargeOrder", "POST", f"{BASE}/charge-order", self.charge, MANAGE),
            call("authorizeChargeWithSavedPaymentMethod", "POST", f"{BASE}/{save}", self.authorize, MANAGE),
            call("captureAuthorizedPayments", "POST", f"{BASE}/capture-authorized-payments", self.capture, MANAGE),
            call("voidAuthorizedPayments", "POST", f"{BASE}/void-authorized-payments", self.void, MANAGE),
        ]

    # -- giving back ---------------------------------------------------------------------------------------

    def refundability(self, call: Call) -> dict[str, Any]:
        order = self._order(call)
        paid = order.paid
        back, under_way = order.refunded, _under_way(order)
        told: dict[str, Any] = {
            "payments": [_payment_refundability(payment, order) for payment in order.payments],
            "paymentsSummary": {"monetary": _monetary(paid, back, under_way, order.currency)},
            "lineItems": [
                {
                    "lineItemId": line.id,
                    "originalQuantity": line.shown_quantity,
                    "refundedQuantity": line.refunded,
                    "availableRefundQuantity": line.refundable,
                }
                for line in order.shown_lines()
            ],
            "additionalFees": [_fee_refundability(order, str(fee["id"])) for fee in _fees(order)],
        }
        cost = totals_of(order).shipping
        if cost:
            gone = refunded_shipping(order)
            told["shipping"] = _part(cost, gone, order.currency)
        return told

    def calculate(self, call: Call) -> dict[str, Any]:
        order = self._order(call)
        asked = read_items(order, call.part("refundItems"))
        if asked.wrong:
            errors = [{name: row, "error": _details(refused)} for name, row, refused in asked.wrong]
            return {"notAvailable": {"errors": errors}}
        return {"available": True, **_calculated(order, asked)}

    def refund(self, call: Call) -> dict[str, Any]:
        """Everything is checked before anything moves. Not idempotent: a repeat refunds again while money is left."""
        order = self._order(call)
        transactions = self._transactions(order, call)
        asked = read_items(order, call.part("refundItems"))
        if asked.wrong:
            raise asked.wrong[0][2]
        effects = call.part("sideEffects")
        restock = self._restock(order, asked, effects.get("restock") or {})
        reason = call.arguments.get("customerReason")
        if reason is not None:
            text_in(reason, "customerReason", 200)
        before = order.payment_status
        chosen = [(line, units, restock.pop(line.id, 0)) for line, units in asked.lines]
        notes = effects.get("notifications") or {}
        refund = self._office.money.give_money_back(
            order,
            chosen,
            transactions,
            call.actor,
            fees=asked.fees,
            shipping=asked.shipping,
            reason=reason,
            emailed=bool(notes.get("sendCustomerEmail")),
            message=notes.get("customMessage"),
        )
        self._office.news.refunded(order, refund, before, call.actor)
        call.wrote = True
        return {"refund": refund_payload(refund, order), "orderTransactions": transactions_payload(order)}

    def _transactions(self, order: WixOrder, call: Call) -> list[RefundTransaction]:
        made: list[RefundTransaction] = []
        for number, row in enumerate(call.rows("paymentRefunds", 50)):
            payment = order.payment_of(row.get("paymentId"))
            if payment is None:
                raise refusal("PAYMENT_NOT_FOUND", f"The order has no payment {row.get('paymentId')!r}", dict(row))
            reason = why_not(payment, order)
            if reason is not None:
                data = {"paymentId": payment.id, "nonRefundableReason": reason}
                raise refusal("PAYMENT_NOT_REFUNDABLE", f"The payment cannot be refunded: {reason}", data)
            external = bool(row.get("externalRefund"))
            if payment.offline and not external:
                raise refusal("EXTERNAL_REFUND_EXPECTED", "An offline payment is refunded by hand", dict(row))
            left = remaining(payment, order) - sum((one.amount for one in made if one.payment_id == payment.id), ZERO)
            field = f"paymentRefunds[{number}].amount"
            amount = left if row.get("amount") is None else amount_in(row["amount"], field)
            if not 0 < amount <= left:
                raise refusal("INVALID_PAYMENT_REFUND_AMOUNT", f"{amount} of {left} that can be refunded", dict(row))
            made.append(self._transaction(payment, amount, external=external))
        return made

    def _transaction(self, payment: Payment, amount: Decimal, *, external: bool) -> RefundTransaction:
        """The provider is called unless the refund is external (W30)."""
        calls = not external or (self._office.orders.quirks.w30_external_refund_calls_provider and not payment.offline)
        provider_id = self._office.orders.new_id() if calls else None
        return RefundTransaction(payment.id, amount, "SUCCEEDED", external, provider_id)

    def _restock(self, order: WixOrder, asked: Asked, restock: dict[str, Any]) -> dict[str, int]:
        units: dict[str, int] = {}
        for row in restock.get("lineItems") or []:
            row = object_in(row, "sideEffects.restock.lineItems")
            line = order.line(row.get("lineItemId"))
            if line is None:
                raise refusal("LINE_ITEM_NOT_FOUND", f"The order has no line item {row.get('lineItemId')!r}")
            wanted = quantity_in(row.get("quantity"), "sideEffects.restock.lineItems.quantity") + units.get(line.id, 0)
            if wanted > asked.units_of(line.id) or wanted > line.quantity - line.restocked:
                raise refusal("INVALID_LINE_ITEM_RESTOCK_QUANTITY", "More goes back than is refunded", dict(row))
            units[line.id] = wanted
        return {line_id: self._restockable(order, line_id, wanted) for line_id, wanted in units.items()}

    def _restockable(self, order: WixOrder, line_id: str, wanted: int) -> int:
        line = order.line(line_id)
        return 0 if line is None else self._office.orders.goods.restockable(order, line, wanted)

    # -- charging ------------------------------------------------------------------------------------------

    def charge(self, call: Call) -> dict[str, Any]:
        """A test provider that always pays; an ``idempotencyKey`` seen before returns that charge's payments."""
        order = self._open_order(call)
        key = call.arguments.get("idempotencyKey")
        key = None if key is None else guid_in(key, "idempotencyKey")
        earlier = [payment for payment in order.payments if key is not None and payment.correlation_id == key]
        if earlier:
            return self._charged(order, earlier)
        regular = call.part("regularCharge")
        balance = balance_of(order, totals_of(order).total)
        if balance <= 0:
            raise refusal("ORDER_PAID", "The order is paid")
        if not regular.get("paymentIntentId") and not regular.get("delayedCharge"):
            raise refusal("PAYMENT_INTENT_ID_REQUIRED", "A charge needs a payment intent")
        amount = balance if regular.get("amount") is None else amount_in(regular["amount"], "regularCharge.amount")
        if not 0 < amount <= balance:
            raise refusal("INVALID_AMOUNT", f"{amount} of {balance} that is left to pay")
        held = regular.get("delayedCaptureSettings") is not None
        status = "PENDING" if regular.get("delayedCharge") else "AUTHORIZED" if held else "APPROVED"
        details = {"paymentMethod": "CreditCard", "savedPaymentMethod": bool(regular.get("savePaymentMethod"))}
        payment = self._office.orders.add_payment(order, amount, status, details)
        payment.correlation_id = key
        self._office.settle(order, call.actor, [payment.id])
        call.wrote = True
        return self._charged(order, [payment])

    def authorize(self, call: Call) -> dict[str, Any]:
        """Hold money on the buyer's saved payment method."""
        order = self._open_order(call)
        if not any(payment.details.get("savedPaymentMethod") for payment in order.payments):
            raise refusal("NO_SAVED_PAYMENT_METHOD", "The order has no saved payment method")
        balance = balance_of(order, totals_of(order).total)
        if balance <= 0:
            raise refusal("ORDER_PAID", "The order is paid")
        if call.arguments.get("currency") != order.currency:
            raise refusal("INVALID_CURRENCY", f"The order is in {order.currency}")
        amount = amount_in(call.part("amount"), "amount")
        if not 0 < amount <= balance:
            raise refusal("INVALID_AMOUNT", f"{amount} of {balance} that is left to pay")
        payment = self._office.orders.add_payment(order, amount, "AUTHORIZED", {"paymentMethod": "CreditCard"})
        self._office.orders.note(order, "AUTHORIZED_PAYMENT_CREATED")
        self._office.settle(order, call.actor, [payment.id])
        call.wrote = True
        return {"payment": payment_payload(payment, order), "orderTransactions": transactions_payload(order)}

    def capture(self, call: Call) -> dict[str, Any]:
        order = self._order(call)
        rows = [(self._authorized(order, row.get("paymentId")), row) for row in call.rows("payments", 100)]
        amounts = [
            payment.amount if row.get("amount") is None else amount_in(row["amount"], "payments.amount")
            for payment, row in rows
        ]
        for (payment, row), amount in zip(rows, amounts, strict=True):
            if not 0 < amount <= payment.amount:
                raise refusal("INVALID_AMOUNT", f"{amount} of {payment.amount} that is authorized", dict(row))
        for (payment, _), amount in zip(rows, amounts, strict=True):
            payment.amount, payment.status = amount, "APPROVED"
            payment.captured_at = payment.updated_at = self._office.orders.now()
            self._office.orders.note(order, "AUTHORIZED_PAYMENT_CAPTURED")
        self._office.settle(order, call.actor, [payment.id for payment, _ in rows])
        call.wrote = True
        return {"orderTransactions": transactions_payload(order)}

    def void(self, call: Call) -> dict[str, Any]:
        order = self._order(call)
        payments = [self._authorized(order, payment_id) for payment_id in texts_in(call, "paymentIds", 100)]
        for payment in payments:
            payment.status = "VOIDED"
            payment.voided_at = payment.updated_at = self._office.orders.now()
            self._office.orders.note(order, "AUTHORIZED_PAYMENT_VOIDED")
        self._office.settle(order, call.actor, [payment.id for payment in payments])
        call.wrote = True
        return {"orderTransactions": transactions_payload(order)}

    def _authorized(self, order: WixOrder, payment_id: object) -> Payment:
        payment = order.payment_of(payment_id)
        if payment is None:
            raise refusal(
                "PAYMENT_NOT_FOUND", f"The order has no payment {payment_id!r}", {"paymentId": str(payment_id)}
            )
        if payment.voided_at is not None:
            raise refusal("PAYMENT_ALREADY_VOIDED", "The payment was voided", {"paymentId": payment.id})
        if payment.captured_at is not None:
            raise refusal("PAYMENT_ALREADY_CAPTURED", "The payment was captured", {"paymentId": payment.id})
        if payment.status != "AUTHORIZED":
            raise refusal("PAYMENT_NOT_AUTHORIZED", f"The payment is {payment.status}", {"paymentId": payment.id})
        return payment

    def _charged(self, order: WixOrder, payments: list[Payment]) -> dict[str, Any]:
        told = [payment_payload(payment, order) for payment in payments]
        return {"payments": told, "orderTransactions": transactions_payload(order)}

    def _order(self, call: Call) -> WixOrder:
        return self._office.find(guid_in(call.arguments.get("orderId"), "orderId"))

    def _open_order(self, call: Call) -> WixOrder:
        order = self._order(call)
        if order.status in ("CANCELED", "REJECTED"):
            raise refusal("ORDER_CANCELED", f"The order is {order.status}")
        if any(one.status == "APPROVED" for one in order.chargebacks):
            raise refusal("ORDER_HAS_CHARGEBACKS", "A payment of the order was charged back")
        return order


def _payment_refundability(payment: Payment, order: WixOrder) -> dict[str, Any]:
    under_way = sum(
        (
            one.amount
            for refund in order.wix_refunds()
            for one in refund.transactions
            if one.payment_id == payment.id and one.status in UNDER_WAY
        ),
        ZERO,
    )
    back = order.refunded_of(payment) - under_way
    info: dict[str, Any] = {
        "paymentId": payment.id,
        "offlinePayment": payment.offline,
        "monetary": _monetary(payment.came_in, back, under_way, order.currency),
    }
    if payment.details.get("paymentMethod"):
        info["paymentMethod"] = str(payment.details["paymentMethod"])
    reason = why_not(payment, order)
    if reason is not None:
        return {"nonRefundable": {"reason": reason}, "payment": info}
    if payment.offline:
        return {"manuallyRefundable": {"reason": "OFFLINE"}, "payment": info}
    return {"refundable": True, "payment": info}


def _monetary(paid: Decimal, back: Decimal, under_way: Decimal, currency: str) -> dict[str, Any]:
    sums = {"paid": paid, "refunded": back, "refundPending": under_way, "maxRefund": max(ZERO, paid - back - under_way)}
    return {name: money(amount, currency) for name, amount in sums.items()}


def _under_way(order: WixOrder) -> Decimal:
    return sum((refund.amount_in(*UNDER_WAY) for refund in order.wix_refunds()), ZERO)


def _fees(order: WixOrder) -> list[dict[str, Any]]:
    return [fee for fee in order.told.get("additionalFees") or [] if fee.get("id")]


def _fee_refundability(order: WixOrder, fee_id: str) -> dict[str, Any]:
    return {
        "additionalFeeId": fee_id,
        **_part(fee_amount(order, fee_id) or ZERO, refunded_fee(order, fee_id), order.currency),
    }


def _part(amount: Decimal, back: Decimal, currency: str) -> dict[str, Any]:
    sums = {"amount": amount, "refundedAmount": back, "availableRefundAmount": max(ZERO, amount - back)}
    return {name: money(value, currency) for name, value in sums.items()}


def _details(refused: Any) -> dict[str, Any]:
    return dict(refused.details)


def _calculated(order: WixOrder, asked: Asked) -> dict[str, Any]:
    currency = order.currency
    lines = [(line, units, line_worth(line, order, units)) for line, units in asked.lines]
    of_lines = sum((worth for _, _, worth in lines), Worth())
    fees = {fee_id: Worth(amount) for fee_id, amount in asked.fees.items()}
    of_fees = sum(fees.values(), Worth())
    whole = of_lines + of_fees + Worth(asked.shipping or ZERO)
    items: dict[str, Any] = {
        "lineItems": [
            {"item": {"lineItemId": line.id, "quantity": units}, "summary": worth.payload(currency)}
            for line, units, worth in lines
        ],
        "additionalFees": [
            {
                "additionalFee": {"additionalFeeId": fee_id, "amount": money(worth.total, currency)},
                "summary": worth.payload(currency),
            }
            for fee_id, worth in fees.items()
        ],
    }
    if asked.shipping is not None:
        shipping = Worth(asked.shipping)
        items["shipping"] = {
            "shipping": {"amount": money(asked.shipping, currency)},
            "summary": shipping.payload(currency),
        }
    summary = whole.payload(currency)
    summary["lineItemsSubtotal"] = money(of_lines.subtotal, currency)
    summary["additionalFeesTotal"] = money(of_fees.total, currency)
    return {"summary": summary, "calculatedRefundItems": items}
