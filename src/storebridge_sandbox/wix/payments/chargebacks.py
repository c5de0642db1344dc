"""Control call: the buyer's bank takes the money of an order back, or gives it up again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from storebridge_sandbox.orders import Refused
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.orders.office import Office
from storebridge_sandbox.wix.orders.state import Chargeback, WixOrder


class _Chargeback(msgspec.Struct, forbid_unknown_fields=True):
    amount: Decimal | None = None
    reverse: bool = False


class ChargebackCalls:
    """``/_sandbox/orders/{order_id}/chargeback``."""

    def __init__(self, office: Office, find: Callable[[str], WixOrder], staff: Actor) -> None:
        self._office = office
        self._find = find
        self._staff = staff

    def routes(self) -> list[Route]:
        return [Route("/_sandbox/orders/{order_id}/chargeback", self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        try:
            order = self._find(request.path_params["order_id"])
            asked = msgspec.json.decode(await request.body() or b"{}", type=_Chargeback)
            chargeback = self._reverse(order) if asked.reverse else self._take(order, asked.amount)
        except Refused as refused:
            return _json(refused.status, {"error": refused.error})
        except msgspec.DecodeError as wrong:
            return _json(400, {"error": str(wrong)})
        self._office.orders.touch(order)
        self._office.news.charged_back(order, chargeback, self._staff)
        return _json(200, {"chargeback_id": chargeback.id, "status": chargeback.status})

    def _take(self, order: WixOrder, amount: Decimal | None) -> Chargeback:
        payment = next((payment for payment in order.payments if payment.came_in and not payment.offline), None)
        if payment is None:
            raise Refused(f"order {order.name} has no online payment to take back", 409)
        wanted = payment.amount if amount is None else amount
        if not 0 < wanted <= payment.amount:
            raise Refused(f"{wanted} of {payment.amount} that was paid")
        now = self._office.orders.now()
        chargeback = Chargeback(self._office.orders.new_id(), payment.id, now, now, wanted)
        order.chargebacks.append(chargeback)
        self._office.orders.note(order, "CHARGEBACK_CREATED")
        return chargeback

    def _reverse(self, order: WixOrder) -> Chargeback:
        chargeback = next((one for one in reversed(order.chargebacks) if one.status == "APPROVED"), None)
        if chargeback is None:
            raise Refused(f"order {order.name} has no chargeback", 409)
        chargeback.status, chargeback.updated_at = "REVERSED", self._office.orders.now()
        self._office.orders.note(order, "CHARGEBACK_REVERSED")
        return chargeback


def _json(status: int, content: object) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
