"""The drafts of the site, and how they begin: from an order, from given values, or empty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.wix.calls import Call
from storebridge_sandbox.wix.drafts.shape import draft_payload
from storebridge_sandbox.wix.drafts.state import Draft, DraftDiscount, DraftFee, DraftLine, Part
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.notices import Notices
from storebridge_sandbox.wix.orders.amounts import totals_of
from storebridge_sandbox.wix.orders.office import Office
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.orders.state import WixOrder
from storebridge_sandbox.wix.settings import WixOptions

EVENT = "wix.ecom.v1.draft_order"
EDITABLE_CHANNELS = ("WEB", "POS", "BACKOFFICE_MERCHANT", "WIX_APP_STORE")
REFUNDED = ("PARTIALLY_REFUNDED", "FULLY_REFUNDED")


class DraftDesk:
    """All drafts, by id."""

    def __init__(self, office: Office, notices: Notices, options: WixOptions) -> None:
        self.office = office
        self._notices = notices
        self._options = options
        self.drafts: dict[str, Draft] = {}

    @property
    def now(self) -> Callable[[], datetime]:
        return self.office.orders.now

    @property
    def tax_rate(self) -> Decimal:
        return self._options.tax_rate

    @property
    def tax_included(self) -> bool:
        return self._options.tax_included

    def find(self, call: Call, *, open_only: bool = True) -> Draft:
        """The draft that a call is about; raises WixRefusal."""
        wanted = call.params.get("draftOrderId") or call.arguments.get("draftOrderId")
        draft = self.drafts.get(str(wanted))
        if draft is None:
            raise refusal("DRAFT_ORDER_DOES_NOT_EXIST", f"Draft order {wanted!r} was not found")
        if draft.committed and open_only:
            raise refusal("DRAFT_ORDER_ALREADY_COMMITTED", "The draft is committed")
        return draft

    def why_not(self, order: WixOrder) -> list[str]:
        """Why an order cannot be edited; empty when it can."""
        reasons = []
        if order.payment_status in REFUNDED:
            reasons.append("PARTIALLY_OR_FULLY_REFUNDED")
        if order.shown["channelInfo"]["type"] not in EDITABLE_CHANNELS:
            reasons.append("UNSUPPORTED_CHANNEL_TYPE")
        if order.status != "APPROVED":
            reasons.append("ORDER_STATUS_IS_NOT_SUPPORTED")
        if order.currency != self.office.orders.currency:
            reasons.append("ORDER_AND_SITE_CURRENCIES_ARE_INCONSISTENT")
        return reasons

    def of_order(self, order: WixOrder, actor: Actor) -> tuple[Draft, bool]:
        """The draft of an order, and whether it was there already; raises WixRefusal (ORDER_CANNOT_BE_EDITED)."""
        reasons = self.why_not(order)
        if order.owner_apps and actor.identity.get("appId") not in order.owner_apps:
            reasons.append("the order belongs to other apps")
        if reasons:
            raise refusal("ORDER_CANNOT_BE_EDITED", f"The order cannot be edited: {', '.join(reasons)}")
        open_one = next((one for one in self.drafts.values() if one.order_id == order.id and not one.committed), None)
        if open_one is not None:
            return open_one, True
        return self._copy(order, self.begin(actor, order.id)), False

    def begin(self, actor: Actor, order_id: str | None = None) -> Draft:
        """An empty draft; nobody is told of it yet."""
        moment = self.now()
        draft = Draft(self.office.orders.new_id(), order_id, moment, moment, actor, self.office.orders.currency)
        self.drafts[draft.id] = draft
        return draft

    def _copy(self, order: WixOrder, draft: Draft) -> Draft:
        for line in order.wix_lines():
            if line.current_quantity > 0:
                copied = DraftLine(line.id, line.variant, line.current_quantity, line.price, line.full_price)
                copied.quantity_before, copied.price_before = line.current_quantity, line.price
                copied.told = dict(line.told)
                draft.lines.append(copied)
        shown = order.shown
        for attribute, name in (("buyer", "buyerInfo"), ("billing", "billingInfo"), ("recipient", "recipientInfo")):
            setattr(draft, attribute, Part(shown.get(name), shown.get(name)))
        draft.shipping = Part(shown.get("shippingInfo"), shown.get("shippingInfo"))
        draft.discounts = [_original_discount(one) for one in shown["appliedDiscounts"] if one.get("id")]
        for fee in shown["additionalFees"]:
            amount = Decimal(str((fee.get("price") or {}).get("amount", "0")))
            fee_id = str(fee.get("id") or self.office.orders.new_id())
            draft.fees.append(DraftFee(fee_id, amount, applied=True, source="ORIGINAL_ORDER", message=fee))
        draft.tax_exempt = not totals_of(order).tax
        return draft

    def sellable(self, product_id: str, variant_id: str | None) -> Sellable | None:
        return self.office.orders.goods.sellable(product_id, variant_id)

    # -- told ----------------------------------------------------------------------------------------------

    def payload(self, draft: Draft) -> dict[str, Any]:
        return draft_payload(draft, self.tax_rate, tax_included=self.tax_included)

    def calculated(self, draft: Draft) -> dict[str, Any]:
        """The answer of every call about a draft."""
        return {"calculatedDraftOrder": {"draftOrder": self.payload(draft)}}

    def created(self, draft: Draft, call: Call) -> None:
        call.wrote = True
        if self._notices.wants(f"{EVENT}_created"):
            self._notices.created(f"{EVENT}_created", self.payload(draft), call.actor)

    def changed(self, draft: Draft, call: Call) -> dict[str, Any]:
        """The draft has a new date; whoever listens is told; returns the call's answer."""
        draft.updated_at = self.now()
        call.wrote = True
        if self._notices.wants(f"{EVENT}_updated"):
            self._notices.updated(f"{EVENT}_updated", self.payload(draft), call.actor)
        return self.calculated(draft)

    def deleted(self, draft: Draft, call: Call) -> None:
        del self.drafts[draft.id]
        call.wrote = True
        if self._notices.wants(f"{EVENT}_deleted"):
            self._notices.deleted(f"{EVENT}_deleted", self.payload(draft), call.actor)


def _original_discount(message: dict[str, Any]) -> DraftDiscount:
    kinds = ("coupon", "merchantDiscount", "discountRule")
    source: dict[str, Any] = next((message[name] for name in kinds if name in message), {})
    amount = Decimal(str((source.get("amount") or {}).get("amount", "0")))
    kind = cast("Any", message.get("discountType", "GLOBAL"))
    return DraftDiscount(str(message["id"]), kind, amount, applied=True, source="ORIGINAL_ORDER", original=message)
