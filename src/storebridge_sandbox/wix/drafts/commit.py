"""Drafts become orders: an edit is committed onto its order, a new draft makes a new one."""

from __future__ import annotations

from typing import Any

from storebridge_sandbox.wix.calls import Call, Operation
from storebridge_sandbox.wix.drafts.desk import DraftDesk
from storebridge_sandbox.wix.drafts.editing import ONE
from storebridge_sandbox.wix.drafts.shape import applied_discount, committed_changes, line_changes
from storebridge_sandbox.wix.drafts.state import Draft, DraftLine, priced
from storebridge_sandbox.wix.orders.office import MANAGE, declared
from storebridge_sandbox.wix.orders.reading import CHANNELS, object_in, one_of, text_in
from storebridge_sandbox.wix.orders.refusals import refusal
from storebridge_sandbox.wix.orders.state import WixLine, WixOrder
from storebridge_sandbox.wix.wire import wix_date

PARTS = (
    ("buyer", "buyerInfo"),
    ("billing", "billingInfo"),
    ("recipient", "recipientInfo"),
    ("shipping", "shippingInfo"),
)


class DraftCommits:
    """Commit and create-order."""

    def __init__(self, desk: DraftDesk) -> None:
        self._desk = desk
        self._office = desk.office

    def operations(self) -> list[Operation]:
        call = declared("ecom_draft-orders")
        return [
            call("commitDraftOrder", "POST", f"{ONE}/commit", self.commit, MANAGE),
            call("createOrderFromDraft", "POST", f"{ONE}/create-order", self.create_order, MANAGE),
        ]

    def commit(self, call: Call) -> dict[str, Any]:
        """Put the edit onto the order. Stock moves for the lines named in ``commitSettings.updateInventory`` alone:
        more is taken without a look at the level, less goes back."""
        draft = self._desk.find(call)
        order = self._checked(draft)
        settings = call.part("commitSettings")
        named = {
            str(object_in(row, "commitSettings").get("lineItemId")) for row in settings.get("updateInventory") or []
        }
        updates = [_update(line) for line in draft.lines if line.id in named and _difference(line)]
        before = order.payment_status
        for line in draft.lines:
            self._apply(order, line, call, moves_stock=line.id in named)
        self._keep_parts(draft, order)
        if settings.get("addActivitiesToOrder") is not False:
            content: dict[str, Any] = {"draftOrderId": draft.id, "changes": line_changes(draft)}
            if call.arguments.get("reason"):
                content["reason"] = text_in(call.arguments["reason"], "reason", 200)
            self._office.orders.note(order, "DRAFT_ORDER_CHANGES_APPLIED", draftOrderChangesApplied=content)
        self._office.staff.recounted(order)
        self._ended(draft, call)
        told = {
            "draftOrderId": draft.id,
            "changes": committed_changes(draft),
            "commitSettings": {"inventoryUpdates": updates},
            "commitDate": wix_date(self._desk.now()),
        }
        self._office.news.committed(order, told, call.actor)
        if order.payment_status != before:
            self._office.news.payment_moved(order, before, call.actor)
        return {"committedDraftOrder": self._desk.payload(draft), "orderAfterCommit": order.shown}

    def create_order(self, call: Call) -> dict[str, Any]:
        """A manual order: approved at once, unpaid, and it takes its stock as any other."""
        draft = self._desk.find(call)
        if draft.order_id is not None or not any(line.quantity for line in draft.lines):
            raise refusal("CREATE_ORDER_FAILED_VALIDATIONS", "The draft edits an order, or has no lines")
        channel = call.part("channelInfo") or {"type": "BACKOFFICE_MERCHANT"}
        one_of(channel.get("type"), CHANNELS, "channelInfo.type")
        made = priced(draft, self._desk.tax_rate, tax_included=self._desk.tax_included)
        message = {name: part.now for attribute, name in PARTS if (part := getattr(draft, attribute)).now is not None}
        order = self._office.orders.open(made.wix_lines(), self._office.orders.customer_of(message), call.actor)
        order.sums, order.origin = made.sums, channel.get("externalOrderId")
        order.told["channelInfo"] = channel
        settings = call.part("createSettings")
        order.owner_apps = tuple((settings.get("editableByOwnerApps") or {}).get("appIds") or ())
        self._keep_parts(draft, order)
        order.status = "APPROVED"
        order.past_guard = self._office.orders.goods.is_guarded()
        self._office.orders.know_buyer(order)
        self._office.orders.enter(order, paid=False)
        self._ended(draft, call)
        self._office.news.placed(order, call.actor)
        return {"committedDraftOrder": self._desk.payload(draft), "createdOrder": order.shown}

    def _checked(self, draft: Draft) -> WixOrder:
        order = self._office.orders.orders.get(draft.order_id or "")
        if order is None:
            raise refusal("DRAFT_ORDER_COMMIT_FAILED_VALIDATIONS", "The draft belongs to no order")
        if not any(line.quantity for line in draft.lines):
            raise refusal("DRAFT_ORDER_COMMIT_FAILED_VALIDATIONS", "An order needs a line")
        if order.status != "APPROVED":
            raise refusal("DRAFT_ORDER_COMMIT_FAILED_VALIDATIONS", f"The order is {order.status}")
        for line in draft.lines:
            held = order.line(line.id)
            if held is not None and line.quantity < held.fulfilled:
                raise refusal("DRAFT_ORDER_COMMIT_FAILED_VALIDATIONS", "Fewer than are already fulfilled")
        return order

    def _apply(self, order: WixOrder, line: DraftLine, call: Call, *, moves_stock: bool) -> None:
        held = order.line(line.id)
        if held is None:
            if not line.quantity:
                return
            held = WixLine(line.id, line.sellable, 0, line.price, told=dict(line.told))
            order.lines.append(held)
        held.price, held.full_price = line.price, line.full_price
        held.told = {**held.told, **line.told}
        staff = self._office.staff
        staff.change_quantity(order, held, line.quantity, call.actor, moves_stock=moves_stock)

    def _keep_parts(self, draft: Draft, order: WixOrder) -> None:
        """Everything else of the draft; what it left alone stays as the order had it."""
        for attribute, name in PARTS:
            part = getattr(draft, attribute)
            if part.state() == "removed":
                order.told.pop(name, None)
            elif part.state() is not None:
                order.told[name] = part.now
        made = priced(draft, self._desk.tax_rate, tax_included=order.sums.tax_included)
        for line in made.wix_lines():
            held = order.line(line.id)
            if held is not None:
                held.tax = line.tax
        order.sums = made.sums
        applied = [applied_discount(one, draft.currency) for one in draft.discounts if one.applied]
        order.told["appliedDiscounts"] = applied
        order.told["additionalFees"] = [fee.message for fee in draft.fees if fee.applied]
        if draft.location is not None:
            order.told["businessLocation"] = draft.location

    def _ended(self, draft: Draft, call: Call) -> None:
        draft.committed = True
        self._desk.changed(draft, call)


def _difference(line: DraftLine) -> int:
    return line.quantity - (line.quantity_before or 0)


def _update(line: DraftLine) -> dict[str, Any]:
    difference = _difference(line)
    kind = "DECREASE" if difference > 0 else "RESTOCK"
    return {"actionType": kind, "lineItemId": line.id, "quantityChange": abs(difference)}
