"""What a draft order holds. Sums are made from an order that is built of it and never kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.orders.amounts import line_discounts
from storebridge_sandbox.wix.orders.state import ZERO, Sums, WixLine, WixOrder

Source = Literal["ORIGINAL_ORDER", "AUTOMATIC", "CUSTOM"]
DiscountKind = Literal["GLOBAL", "SPECIFIC_ITEMS", "SHIPPING"]
CENT = Decimal("0.01")


@dataclass(slots=True)
class DraftLine:
    """``quantity_before`` is None for a line that the draft added; a quantity of 0 takes a line out."""

    id: str
    sellable: Sellable
    quantity: int
    price: Decimal
    full_price: Decimal | None = None
    quantity_before: int | None = None
    price_before: Decimal | None = None
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def added(self) -> bool:
        return self.quantity_before is None

    @property
    def changed(self) -> bool:
        return not self.added and (self.quantity != self.quantity_before or self.price != self.price_before)


@dataclass(slots=True)
class DraftDiscount:
    """``line_id`` is set where it applies to one line."""

    id: str
    kind: DiscountKind
    amount: Decimal
    applied: bool
    source: Source
    description: str | None = None
    line_id: str | None = None
    original: dict[str, Any] | None = None


@dataclass(slots=True)
class DraftFee:
    """``message`` is the AdditionalFee as it will stand in the order."""

    id: str
    amount: Decimal
    applied: bool
    source: Source
    message: dict[str, Any]


@dataclass(slots=True)
class Part:
    """Buyer, billing, recipient or shipping: what it was and what it is to be; None where there is none."""

    before: dict[str, Any] | None = None
    now: dict[str, Any] | None = None

    def state(self) -> str | None:
        """``added``, ``removed`` or ``changed``; None where nothing happened."""
        if self.before == self.now:
            return None
        if self.before is None:
            return "added"
        return "removed" if self.now is None else "changed"


@dataclass(slots=True)
class Draft:
    """``order_id`` is the order that it edits; None for a new one."""

    id: str
    order_id: str | None
    created_at: datetime
    updated_at: datetime
    actor: Actor
    currency: str
    lines: list[DraftLine] = field(default_factory=list)
    discounts: list[DraftDiscount] = field(default_factory=list)
    fees: list[DraftFee] = field(default_factory=list)
    shipping: Part = field(default_factory=Part)
    buyer: Part = field(default_factory=Part)
    billing: Part = field(default_factory=Part)
    recipient: Part = field(default_factory=Part)
    location: dict[str, Any] | None = None
    extended_fields: dict[str, Any] = field(default_factory=dict)
    tax_exempt: bool = False
    committed: bool = False

    def line(self, line_id: object) -> DraftLine | None:
        return next((line for line in self.lines if line.id == line_id), None)


def priced(draft: Draft, tax_rate: Decimal, *, tax_included: bool) -> WixOrder:
    """The order that the draft would make: lines that stay, with tax, shipping, applied discounts and fees."""
    lines = [_priced_line(line, draft, tax_rate, tax_included=tax_included) for line in draft.lines if line.quantity]
    order = WixOrder(
        draft.id, "", draft.created_at, draft.updated_at, draft.currency, {}, list(lines), "pending", buyer=draft.actor
    )
    applied = sum((one.amount for one in draft.discounts if one.applied), ZERO)
    order.sums = Sums(
        shipping=shipping_cost(draft.shipping.now),
        tax=sum((line.tax for line in lines), ZERO),
        discount=line_discounts(order) + applied,
        fees=sum((fee.amount for fee in draft.fees if fee.applied), ZERO),
        tax_included=tax_included,
    )
    return order


def _priced_line(line: DraftLine, draft: Draft, rate: Decimal, *, tax_included: bool) -> WixLine:
    made = WixLine(line.id, line.sellable, line.quantity, line.price, full_price=line.full_price, told=dict(line.told))
    worth = line.price * line.quantity
    if not draft.tax_exempt and rate:
        made.tax = (worth - worth / (1 + rate) if tax_included else worth * rate).quantize(CENT)
    return made


def shipping_cost(shipping: dict[str, Any] | None) -> Decimal:
    price = ((shipping or {}).get("cost") or {}).get("price") or {}
    return Decimal(str(price.get("amount") or "0"))


def goods_total(draft: Draft) -> Decimal:
    """What the lines that stay cost."""
    return sum((line.price * line.quantity for line in draft.lines), ZERO)
