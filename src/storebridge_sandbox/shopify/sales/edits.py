"""Order editing: changes are staged on a calculated order, and take effect when they are committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.shopify.ids import Numbers, gid, number_of
from storebridge_sandbox.shopify.money import ZERO, Bag, total_of
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.state import Allocation, Discount, ShippingLine, ShopLine, ShopOrder


@dataclass(slots=True, eq=False)
class StagedLine:
    """A line as it would be: ``line`` is the order's own, None for a new one; ``quantity`` is the wanted one."""

    graphql_type: ClassVar[str] = "CalculatedLineItem"
    id: str
    line: ShopLine | None
    variant: Sellable
    title: str
    unit: Bag
    quantity: int
    before: int
    restock: bool = True
    requires_shipping: bool = True
    taxable: bool = True
    discounts: tuple[Discount, ...] = ()

    @property
    def discounted_unit(self) -> Bag:
        """Less what was staged and what the line had."""
        kept = self.line.discounted.share(1, self.line.quantity) if self.line and self.line.quantity else self.unit
        for one in self.discounts:
            taken = kept.times(one.value / 100) if one.percentage else Bag(one.value, one.value)
            kept = (kept - taken).at_least_nothing()
        return kept


@dataclass(slots=True, eq=False)
class EditSession:
    """``CalculatedOrder``: an order being edited."""

    graphql_type: ClassVar[str] = "CalculatedOrder"
    id: str
    order: ShopOrder
    lines: list[StagedLine]
    shipping: list[ShippingLine] = field(default_factory=list)
    committed: bool = False

    @property
    def subtotal(self) -> Bag:
        return total_of(one.discounted_unit.times(one.quantity) for one in self.lines)

    @property
    def total(self) -> Bag:
        more = total_of(line.price for line in self.shipping)
        kept = totals.current_shipping(self.order) + totals.current_tax(self.order)
        return self.subtotal + kept + more

    def line(self, global_id: str) -> StagedLine | None:
        """By its own id, or by the number of the order's line."""
        number = number_of(global_id)
        return next((one for one in self.lines if number_of(one.id) == number), None)


class Edits:
    """The open sessions. Two of one order may be open; the later commit wins where they meet."""

    def __init__(self, book: Orders, news: News, numbers: Numbers, now: Callable[[], datetime]) -> None:
        self._book = book
        self._news = news
        self._numbers = numbers
        self._now = now
        self.open: dict[str, EditSession] = {}

    def begin(self, order: ShopOrder) -> EditSession:
        lines = [
            StagedLine(
                gid("CalculatedLineItem", number_of(line.id)),
                line,
                line.variant,
                line.title,
                line.unit,
                line.current_quantity,
                line.current_quantity,
            )
            for line in order.shop_lines()
        ]
        session = EditSession(self._numbers.new("CalculatedOrder"), order, lines)
        self.open[session.id] = session
        return session

    def add(self, session: EditSession, variant: Sellable, title: str, unit: Bag, quantity: int) -> StagedLine:
        staged = StagedLine(self._numbers.new("CalculatedLineItem"), None, variant, title, unit, quantity, 0)
        session.lines.append(staged)
        return staged

    def add_shipping(self, session: EditSession, title: str, price: Bag) -> ShippingLine:
        made = ShippingLine(self._numbers.new("ShippingLine"), title, "custom", None, price, order=session.order)
        session.shipping.append(made)
        return made

    def commit(self, session: EditSession, staff_note: str | None) -> ShopOrder:
        """Carry out what was staged; stock moves line by line."""
        order = session.order
        order.last_edit = ()
        for staged in session.lines:
            self._carry_out(order, staged)
        for line in session.shipping:
            self._book.things[line.id] = line
            order.shipping_lines = (*order.shipping_lines, line)
        order.staff_note = staff_note or order.staff_note
        session.committed = True
        del self.open[session.id]
        self._book.was_edited(order)
        return order

    def _carry_out(self, order: ShopOrder, staged: StagedLine) -> None:
        line = staged.line
        if line is None:
            if not staged.quantity:
                return
            line = self._book.line_of(staged.variant, 0, staged.unit)
            line.title = staged.title
            line.requires_shipping, line.taxable = staged.requires_shipping, staged.taxable
            order.lines.append(line)
        more = staged.quantity - line.current_quantity
        if more > 0:
            self._book.add_units(order, line, more, "api")
        elif more < 0:
            self._book.remove_units(order, line, -more, "api", restock=staged.restock)
        for discount in staged.discounts:
            self._discount(order, line, discount)

    def _discount(self, order: ShopOrder, line: ShopLine, discount: Discount) -> None:
        each = discount.value
        limit = line.discounted
        wanted = limit.times(each / 100) if discount.percentage else Bag(each, each).times(line.quantity)
        amount = Bag(min(wanted.shop, limit.shop), min(wanted.presentment, limit.presentment))
        if amount != ZERO:
            line.allocations = (*line.allocations, Allocation(discount, amount))
            order.discounts = (*order.discounts, discount)


def changes_of(session: EditSession) -> list[dict[str, Any]]:
    """``stagedChanges``, in the order of the lines."""
    changes: list[dict[str, Any]] = []
    for one in session.lines:
        delta = one.quantity - one.before
        if one.line is None and one.quantity:
            kind = "OrderStagedChangeAddVariant" if one.variant.variant_id else "OrderStagedChangeAddCustomItem"
            changes.append({"__typename": kind, "staged": one})
        elif one.line is not None and delta:
            kind = "OrderStagedChangeIncrementItem" if delta > 0 else "OrderStagedChangeDecrementItem"
            changes.append({"__typename": kind, "staged": one})
        changes += [
            {"__typename": "OrderStagedChangeAddLineItemDiscount", "staged": one, "discount": d} for d in one.discounts
        ]
    return changes
