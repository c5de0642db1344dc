"""Units that nobody paid are taken off an order by an edit: a draft of the order, changed and committed (W45).

Only the commit changes the order, so beginning and changing may be repeated freely. What was committed stands in the
order's activities, with the reason that names our write; a line that is taken out whole is in the order no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from storebridge.connectors.http import Response
from storebridge.connectors.port import EncodedOrderCall, OrderCallAnswer, OrderOutcome
from storebridge.connectors.wix.client import Operation, WixClient
from storebridge.connectors.wix.read import path_segment
from storebridge.connectors.wix.sales_shapes import DraftChanges, SalesOrder
from storebridge.connectors.wix.translate import Shape
from storebridge.model.order_writes import TakeOff, take_off_named
from storebridge.model.sales import ParcelLine, Price, Refund, RefundLine

DRAFTS = "/ecom/v1/draft-orders"
BEGIN_DRAFT = Operation("createDraftOrder", "POST", DRAFTS)
COMMIT_DRAFT = "commitDraftOrder"
IN_THE_WAY = "ORDER_IS_ALREADY_EDITED"


class Before(Shape, frozen=True):
    """What a line of a draft was."""

    quantity_before_change: int | None = None


class DraftLine(Shape, frozen=True):
    """A line as the draft has it; ``quantity`` of one that is taken out is what it was."""

    id: str = ""
    quantity: int = 0


class DraftItem(Shape, frozen=True):
    """A line of a draft, and whether it is changed."""

    line_item: DraftLine | None = None
    changed_details: Before | None = None
    added: bool | None = None
    removed: bool | None = None


class Draft(Shape, frozen=True):
    """An edit that is not committed."""

    id: str
    line_items: tuple[DraftItem, ...] = ()


class Calculated(Shape, frozen=True):
    """A draft with its sums."""

    draft_order: Draft


class Begun(Shape, frozen=True):
    """The draft of an order; somebody may have begun it before."""

    calculated_draft_order: Calculated
    preexisting_draft_order: bool | None = None


def encode_edit(write: TakeOff) -> EncodedOrderCall:
    """The order and the units to take off, for the journal and for sending; pure."""
    lines = [{"lineItemId": line.line_id, "quantity": line.quantity} for line in write.lines]
    body = {"orderId": path_segment(write.order_id), "takeOff": lines, "reason": write.note}
    return EncodedOrderCall(COMMIT_DRAFT, "POST", DRAFTS, msgspec.json.encode(body), key="")


async def begin_and_change(client: WixClient, call: EncodedOrderCall) -> tuple[Operation, bytes] | OrderCallAnswer:
    """The commit that is left to be sent, or why there is none. Raises CallTrouble: then nothing changed."""
    asked: dict[str, Any] = msgspec.json.decode(call.body)
    off = {line["lineItemId"]: line["quantity"] for line in asked["takeOff"]}
    answer = await client.exchange(BEGIN_DRAFT, msgspec.json.encode({"sourceOrderId": asked["orderId"]}))
    begun = client.decode(answer, Begun, BEGIN_DRAFT)
    draft = begun.calculated_draft_order.draft_order
    wanted = _wanted(draft, off)
    if wanted is None:
        return _refused("LINE_ITEM_DOES_NOT_EXIST", "the order does not hold these units any more", answer)
    if begun.preexisting_draft_order and not _is_ours(draft, wanted):
        return _refused(
            IN_THE_WAY, "somebody is editing this order: their changes have to be applied or dropped", answer
        )
    path = f"{DRAFTS}/{path_segment(draft.id)}"
    changes = [{"lineItemId": line_id, "newQuantity": units} for line_id, units in wanted.items()]
    change = Operation("updateLineItems", "POST", f"{path}/line-items")
    await client.exchange(change, msgspec.json.encode({"lineItemChanges": changes}))
    settings = {"sendNotificationsToBuyer": True, "sendNotificationsToBusiness": False}
    commit = msgspec.json.encode({"commitSettings": settings, "reason": asked["reason"]})
    return Operation(COMMIT_DRAFT, "POST", f"{path}/commit", writes=True), commit


def taken_off_by_us(order: SalesOrder) -> list[Refund]:
    """What edits of ours took off an order, as refunds of no money: they bear the write's name, as those do."""
    found, nothing = [], Price.none(order.currency)
    for one in order.activities:
        changes = one.draft_order_changes_applied
        if changes is None or take_off_named(changes.reason or "") is None:
            continue
        lines = tuple(RefundLine(line.line_id, line.quantity, 0, nothing) for line in _lines_off(changes))
        made = _utc(one.created_date or order.updated_date)
        found.append(Refund(f"edit:{one.id}", made, nothing, lines, note=changes.reason or ""))
    return found


def _lines_off(changes: DraftChanges) -> list[ParcelLine]:
    found = []
    for one in changes.changes:
        changed, removed = one.line_item_changed, one.line_item_removed
        if removed is not None:
            found.append(ParcelLine(removed.id, removed.quantity))
        elif changed is not None and changed.quantity is not None:
            off = changed.quantity.original_quantity - changed.quantity.new_quantity
            found += [ParcelLine(changed.id, off)] if off > 0 else []
    return found


def _wanted(draft: Draft, off: Mapping[str, int]) -> dict[str, int] | None:
    """What each line is to hold then; None where one holds too few."""
    held = {item.line_item.id: _before(item) for item in draft.line_items if item.line_item is not None}
    wanted = {line_id: held.get(line_id, 0) - units for line_id, units in off.items()}
    return None if any(units < 0 for units in wanted.values()) else wanted


def _is_ours(draft: Draft, wanted: Mapping[str, int]) -> bool:
    """Begun by a process of ours that died: nothing of it is changed, or just what is wanted."""
    for item in draft.line_items:
        line_id, now = (item.line_item.id, item.line_item.quantity) if item.line_item else ("", 0)
        touched = item.added or item.removed or item.changed_details is not None
        if touched and (item.added or wanted.get(line_id) != (0 if item.removed else now)):
            return False
    return True


def _before(item: DraftItem) -> int:
    assert item.line_item is not None
    before = item.changed_details.quantity_before_change if item.changed_details is not None else None
    return item.line_item.quantity if before is None else before


def _refused(code: str, message: str, answer: Response) -> OrderCallAnswer:
    return OrderCallAnswer(OrderOutcome.REFUSED, code, message, {}, answer.status, answer.body[: 64 * 1024])


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
