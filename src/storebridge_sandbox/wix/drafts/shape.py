"""How a draft order reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from storebridge_sandbox.wix.drafts.state import Draft, DraftDiscount, DraftFee, DraftLine, Part, priced
from storebridge_sandbox.wix.orders.amounts import totals_of
from storebridge_sandbox.wix.orders.shape import creator, line_payload, prices_payload
from storebridge_sandbox.wix.orders.state import WixLine, WixOrder
from storebridge_sandbox.wix.wire import money, wix_date

PARTS = (
    ("buyer", "buyerDetails", "buyerInfo"),
    ("billing", "billingDetails", "billingInfo"),
    ("recipient", "recipientInfo", "recipientInfo"),
    ("shipping", "shippingInfo", "shippingInfo"),
)
"""Attribute, field of the draft, and field inside it."""


def draft_payload(draft: Draft, tax_rate: Decimal, *, tax_included: bool) -> dict[str, Any]:
    """The DraftOrder message."""
    order = priced(draft, tax_rate, tax_included=tax_included)
    totals, currency = totals_of(order), draft.currency
    shown: dict[str, Any] = {
        "id": draft.id,
        "lineItems": [_item(line, order) for line in draft.lines],
        "additionalFees": [_fee(fee) for fee in draft.fees],
        "discounts": [discount_details(one, currency) for one in draft.discounts],
        "createdDate": wix_date(draft.created_at),
        "updatedDate": wix_date(draft.updated_at),
        "status": "COMMITTED" if draft.committed else "DRAFT",
        "weightUnit": "KG",
        "currency": currency,
        "priceSummary": prices_payload(totals, currency),
        "taxInfo": {"totalTax": money(totals.tax, currency), "taxExempt": draft.tax_exempt},
        **creator(draft.actor),
    }
    if draft.order_id is not None:
        shown["orderId"] = draft.order_id
    if draft.location is not None:
        shown["businessLocationDetails"] = {"businessLocation": draft.location}
    if draft.extended_fields:
        shown["extendedFields"] = {"namespaces": draft.extended_fields}
    for attribute, outer, inner in PARTS:
        part = _part(getattr(draft, attribute), inner)
        if part is not None:
            shown[outer] = part
    if not shown["lineItems"]:
        del shown["lineItems"]
    return shown


def _part(part: Part, name: str) -> dict[str, Any] | None:
    state = part.state()
    held = part.before if part.now is None else part.now
    if held is None:
        return None
    told: dict[str, Any] = {name: held}
    if state == "changed":
        told["changedDetails"] = {f"{name}BeforeChange": part.before}
    elif state is not None:
        told[state] = True
    return told


def _item(line: DraftLine, order: WixOrder) -> dict[str, Any]:
    priced_line = order.line(line.id)
    if priced_line is None:
        before = line.quantity_before or 1
        gone = WixLine(line.id, line.sellable, before, line.price, full_price=line.full_price, told=dict(line.told))
        return {"removed": True, "lineItem": line_payload(gone, order)}
    told: dict[str, Any] = {"lineItem": line_payload(priced_line, order)}
    if line.added:
        told["added"] = True
    elif line.changed:
        told["changedDetails"] = changed_details(line, order.currency)
    return told


def changed_details(line: DraftLine, currency: str) -> dict[str, Any]:
    """What a changed line was before."""
    told: dict[str, Any] = {}
    if line.quantity != line.quantity_before:
        told["quantityBeforeChange"] = line.quantity_before
    if line.price_before is not None and line.price != line.price_before:
        told["priceBeforeChange"] = money(line.price_before, currency)
    return told


def discount_details(one: DraftDiscount, currency: str) -> dict[str, Any]:
    return {"discount": applied_discount(one, currency), "source": one.source, "applied": one.applied}


def applied_discount(one: DraftDiscount, currency: str) -> dict[str, Any]:
    """The AppliedDiscount message, as it will stand in the order."""
    if one.original is not None:
        return one.original
    merchant: dict[str, Any] = {"amount": money(one.amount, currency)}
    if one.description:
        merchant["description"] = one.description
    told: dict[str, Any] = {"id": one.id, "discountType": one.kind, "merchantDiscount": merchant}
    if one.line_id is not None:
        told["lineItemDiscounts"] = [{"id": one.line_id, "totalDiscount": money(one.amount, currency)}]
    return told


def _fee(fee: DraftFee) -> dict[str, Any]:
    return {"additionalFee": fee.message, "source": fee.source, "applied": fee.applied}


def committed_changes(draft: Draft) -> dict[str, Any]:
    """The CommittedDiffs message of an edit."""
    lines = [_delta(line, draft.currency) for line in draft.lines if line.added or line.changed]
    told: dict[str, Any] = {"lineItems": lines}
    discounts = [one for one in draft.discounts if one.source == "CUSTOM" and one.applied]
    if discounts:
        told["appliedDiscounts"] = [
            {"discountId": one.id, "editedDiscount": applied_discount(one, draft.currency)} for one in discounts
        ]
    fees = [fee for fee in draft.fees if fee.source == "CUSTOM" and fee.applied]
    if fees:
        told["additionalFees"] = [{"additionalFeeId": fee.id, "editedAdditionalFee": fee.message} for fee in fees]
    if draft.shipping.state() == "removed":
        told["shippingInfoRemoved"] = True
    elif draft.shipping.state() is not None:
        told["changedShippingInfo"] = draft.shipping.now
    return told


def line_changes(draft: Draft) -> list[dict[str, Any]]:
    """The OrderChange messages of an edit's lines, as the order's log keeps them."""
    found: list[dict[str, Any]] = []
    for line in draft.lines:
        name = {"original": line.sellable.title or line.sellable.sku or "Item"}
        before = line.quantity_before or 0
        if line.added:
            found.append({"lineItemAdded": {"id": line.id, "name": name, "quantity": line.quantity}})
        elif not line.quantity:
            found.append({"lineItemRemoved": {"id": line.id, "name": name, "quantity": before}})
        elif line.quantity != before:
            quantity: dict[str, Any] = {"originalQuantity": before, "newQuantity": line.quantity}
            quantity["diff"] = abs(line.quantity - before)
            quantity["deltaType"] = "QUANTITY_INCREASED" if line.quantity > before else "QUANTITY_DECREASED"
            found.append({"lineItemChanged": {"id": line.id, "name": name, "quantity": quantity}})
    return found


def _delta(line: DraftLine, currency: str) -> dict[str, Any]:
    if line.added:
        return {"lineItemId": line.id, "lineItemAdded": True}
    if not line.quantity:
        gone = {
            "productName": {"original": line.sellable.title or line.sellable.sku or "Item"},
            "quantity": line.quantity_before,
            "price": money(line.price, currency),
        }
        return {"lineItemId": line.id, "lineItemRemoved": gone}
    return {"lineItemId": line.id, "changedDetails": changed_details(line, currency)}
