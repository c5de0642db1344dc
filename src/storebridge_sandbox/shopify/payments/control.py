"""Control calls about Shopify Payments: chargebacks, what is booked late, payouts that a bank sends back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from storebridge_sandbox.orders import Order, Refused
from storebridge_sandbox.shopify.payments.state import GATEWAY, Payments
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.state import Dispute, ShopOrder
from storebridge_sandbox.shopify.sales.totals import PAID_KINDS


class _Chargeback(msgspec.Struct, forbid_unknown_fields=True):
    amount: Decimal | None = None
    reverse: bool = False


class _Booked(msgspec.Struct, forbid_unknown_fields=True):
    booked: bool


class _SentBack(msgspec.Struct, forbid_unknown_fields=True):
    payout_id: str
    again: bool = False


class _Adjusted(msgspec.Struct, forbid_unknown_fields=True):
    orders: dict[str, Decimal]


class PaymentCalls:
    """What a buyer's bank, the merchant's bank and the provider do."""

    def __init__(self, payments: Payments, find: Callable[[str], Order], news: News, now: Callable[[], Any]) -> None:
        self._payments = payments
        self._find = find
        self._news = news
        self._now = now

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/orders/{order_id:path}/chargeback", self.chargeback, methods=["POST"]),
            Route("/_sandbox/orders/{order_id:path}/booked", self.booked, methods=["PUT"]),
            Route("/_sandbox/payouts/sent_back", self.sent_back, methods=["POST"]),
            Route("/_sandbox/payouts/adjusted", self.adjusted, methods=["POST"]),
        ]

    async def chargeback(self, request: Request) -> Response:
        """The buyer's bank takes money back, or gives it up again."""
        try:
            asked = msgspec.json.decode(await request.body() or b"{}", type=_Chargeback)
            order = self._order(request)
            dispute = self._reverse(order) if asked.reverse else self._take(order, asked.amount)
        except Refused as refused:
            return JSONResponse({"error": refused.error}, refused.status)
        except msgspec.DecodeError as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        with self._news.deed():
            self._news.order(order)
        return JSONResponse({"amount": str(dispute.amount), "reversed": dispute.reversed_at is not None})

    async def booked(self, request: Request) -> Response:
        """Whether the provider has booked what an order shows."""
        try:
            asked = msgspec.json.decode(await request.body(), type=_Booked)
            self._order(request).unbooked = not asked.booked
        except Refused as refused:
            return JSONResponse({"error": refused.error}, refused.status)
        except msgspec.DecodeError as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse({"booked": asked.booked})

    async def sent_back(self, request: Request) -> Response:
        """The merchant's bank does not take a payout; or its money is sent again."""
        try:
            asked = msgspec.json.decode(await request.body(), type=_SentBack)
            if asked.again:
                return JSONResponse({"payout_id": self._payments.send_again(asked.payout_id)})
            self._payments.send_back(asked.payout_id)
        except KeyError:
            return JSONResponse({"error": "no payout for which that can be done"}, 409)
        except msgspec.DecodeError as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse({"payout_id": asked.payout_id})

    async def adjusted(self, request: Request) -> Response:
        """The provider settles several orders in one entry of its books."""
        try:
            asked = msgspec.json.decode(await request.body(), type=_Adjusted)
            return JSONResponse({"entry_id": self._payments.adjust(asked.orders)})
        except KeyError as unknown:
            return JSONResponse({"error": f"no order that was paid here: {unknown}"}, 409)
        except (msgspec.DecodeError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)

    def _order(self, request: Request) -> ShopOrder:
        found = self._find(request.path_params["order_id"])
        assert isinstance(found, ShopOrder)
        return found

    def _take(self, order: ShopOrder, amount: Decimal | None) -> Dispute:
        paid = next(
            (
                one
                for one in order.transactions
                if one.kind in PAID_KINDS and one.status == "SUCCESS" and one.gateway == GATEWAY
            ),
            None,
        )
        if paid is None:
            raise Refused(f"order {order.name} has no payment of Shopify Payments to take back", 409)
        wanted = paid.amount.shop if amount is None else amount
        if not 0 < wanted <= paid.amount.shop:
            raise Refused(f"{wanted} of {paid.amount.shop} that was paid")
        dispute = Dispute(order.number * 10 + len(order.disputes), paid.id, wanted, self._now())
        order.disputes.append(dispute)
        return dispute

    def _reverse(self, order: ShopOrder) -> Dispute:
        dispute = next((one for one in reversed(order.disputes) if one.reversed_at is None), None)
        if dispute is None:
            raise Refused(f"order {order.name} has no chargeback", 409)
        dispute.reversed_at = self._now()
        return dispute
