"""The mutations of order editing, and calculated orders as the Admin API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.shopify.call import Call, Resolvers, shows
from storebridge_sandbox.shopify.ids import Numbers, gid, number_in, number_of
from storebridge_sandbox.shopify.money import Bag, Money, MoneyBag, same, to_cents
from storebridge_sandbox.shopify.mutations import Verb, refuse, showing
from storebridge_sandbox.shopify.orders.line_answers import value_shown
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.edits import Edits, EditSession, StagedLine, changes_of
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.shown import bag_shown, numbered
from storebridge_sandbox.shopify.sales.state import Discount, ShippingLine

Given = Mapping[str, Any]


class EditWrites:
    """Every verb gets the arguments and the call, and returns the payload's fields."""

    def __init__(self, book: Orders, edits: Edits, shelves: Shelves, numbers: Numbers, news: News) -> None:
        self._book = book
        self._edits = edits
        self._shelves = shelves
        self._numbers = numbers
        self._news = news

    def verbs(self) -> dict[str, Verb]:
        return {
            "orderEditBegin": self.begin,
            "orderEditAddVariant": self.add_variant,
            "orderEditAddCustomItem": self.add_custom_item,
            "orderEditSetQuantity": self.set_quantity,
            "orderEditAddLineItemDiscount": self.add_discount,
            "orderEditRemoveDiscount": self.remove_discount,
            "orderEditAddShippingLine": self.add_shipping_line,
            "orderEditUpdateShippingLine": self.update_shipping_line,
            "orderEditRemoveShippingLine": self.remove_shipping_line,
            "orderEditCommit": self.commit,
        }

    def begin(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        order = self._book.orders.get(args["id"])
        if order is None:
            raise refuse(["id"], "The order does not exist.")
        if order.cancelled_at is not None:
            raise refuse(["id"], "The order cannot be edited.")
        return _shown(self._edits.begin(order))

    def add_variant(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        session = self._session(args["id"])
        variant = self._shelves.variants.get(args["variantId"])
        if variant is None:
            raise refuse(["variantId"], "can't be found")
        if args["quantity"] < 1:
            raise refuse(["quantity"], "must be greater than 0")
        known = any(one.variant is variant and one.quantity for one in session.lines)
        if known and not args.get("allowDuplicates"):
            raise refuse(["variantId"], "The variant is already on the order.")
        staged = self._edits.add(session, variant, variant.title, same(variant.price), args["quantity"])
        return _shown(session, staged)

    def add_custom_item(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        session = self._session(args["id"])
        if not args["title"].strip():
            raise refuse(["title"], "can't be blank")
        if args["quantity"] < 1:
            raise refuse(["quantity"], "must be greater than 0")
        price = to_cents(Decimal(str(args["price"]["amount"])))
        item = Sellable("", "", "", "", args["title"], price, tracked=False)
        staged = self._edits.add(session, item, args["title"], same(price), args["quantity"])
        staged.requires_shipping = args.get("requiresShipping") is not False
        staged.taxable = args.get("taxable") is not False
        return _shown(session, staged)

    def set_quantity(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        session = self._session(args["id"])
        staged = self._line(session, args["lineItemId"])
        if args["quantity"] < (staged.line.fulfilled if staged.line else 0):
            raise refuse(["quantity"], "must be greater than or equal to the fulfilled quantity")
        staged.quantity = args["quantity"]
        staged.restock = bool(args.get("restock"))
        return _shown(session, staged)

    def add_discount(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        session = self._session(args["id"])
        staged, given = self._line(session, args["lineItemId"]), args["discount"]
        fixed, percentage = given.get("fixedValue"), given.get("percentValue")
        if (fixed is None) == (percentage is None):
            raise refuse(["discount"], "Either a fixed value or a percentage must be given")
        if percentage is not None and not 0 < percentage <= 100:
            raise refuse(["discount", "percentValue"], "must be greater than 0 and less than or equal to 100")
        if fixed is not None and Decimal(str(fixed["amount"])) <= 0:
            raise refuse(["discount", "fixedValue"], "must be greater than 0")
        value = Decimal(str(percentage)) if fixed is None else to_cents(Decimal(str(fixed["amount"])))
        discount = Discount(given.get("description") or "", "manual", percentage=fixed is None, value=value)
        discount.id = self._numbers.new("CalculatedDiscountApplication")
        staged.discounts = (*staged.discounts, discount)
        change = {"__typename": "OrderStagedChangeAddLineItemDiscount", "staged": staged, "discount": discount}
        return {**_shown(session, staged), "addedDiscountStagedChange": change}

    def remove_discount(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        session = self._session(args["id"])
        wanted = args["discountApplicationId"]
        holder = next((one for one in session.lines if any(d.id == wanted for d in one.discounts)), None)
        if holder is None:
            raise refuse(["discountApplicationId"], "The discount application was not found", "INVALID")
        holder.discounts = tuple(one for one in holder.discounts if one.id != wanted)
        return _shown(session)

    def add_shipping_line(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        session, given = self._session(args["id"]), args["shippingLine"]
        price = same(to_cents(Decimal(str(given["price"]["amount"]))))
        line = self._edits.add_shipping(session, given["title"], price)
        return {**_shown(session), "calculatedShippingLine": line}

    def update_shipping_line(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        """Only what this session added can be changed."""
        session = self._session(args["id"])
        line, given = self._added_shipping(session, args["shippingLineId"]), args["shippingLine"]
        if given.get("price") is not None:
            line.price = same(to_cents(Decimal(str(given["price"]["amount"]))))
        line.title = given.get("title") or line.title
        return _shown(session)

    def remove_shipping_line(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        session = self._session(args["id"])
        session.shipping.remove(self._added_shipping(session, args["shippingLineId"]))
        return _shown(session)

    def _added_shipping(self, session: EditSession, global_id: str) -> ShippingLine:
        number = number_in(global_id)
        found = next((one for one in session.shipping if number_of(one.id) == number), None)
        if found is None:
            raise refuse(["shippingLineId"], "The shipping line does not exist.", "INVALID")
        return found

    def commit(self, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        session = self._session(args["id"])
        with self._news.deed():
            order = self._edits.commit(session, args.get("staffNote"))
        return {"order": order, "successMessages": ["Order updated"]}

    def _session(self, global_id: str) -> EditSession:
        """A calculated order, or the session with the same number."""
        session = self._edits.open.get(gid("CalculatedOrder", number_in(global_id)))
        if session is None:
            raise refuse(["id"], "The calculated order does not exist.")
        return session

    def _line(self, session: EditSession, global_id: str) -> StagedLine:
        staged = session.line(global_id)
        if staged is None:
            raise refuse(["lineItemId"], "The line item does not exist.")
        return staged

    # -- calculated orders ---------------------------------------------------------------------------------

    def resolvers(self) -> Resolvers:
        order = "CalculatedOrder"
        return {
            ("QueryRoot", "orderEditSession"): lambda _s, args, _c: self._edits.open.get(
                gid(order, number_in(args["id"]))
            ),
            ("OrderEditSession", "id"): lambda one, _a, _c: gid("OrderEditSession", number_of(one.id)),
            (order, "id"): shows("id"),
            (order, "committed"): shows("committed"),
            (order, "originalOrder"): shows("order"),
            (order, "notificationPreviewTitle"): lambda one, _a, _c: f"Order {one.order.name} was updated",
            (order, "lineItems"): lambda one, args, _c: numbered(one.lines, args),
            (order, "addedLineItems"): lambda one, args, _c: numbered(_added(one), args),
            (order, "addedDiscountApplications"): lambda _o, args, _c: page_of([], args),
            (order, "shippingLines"): lambda one, _a, _c: [*one.order.shipping_lines, *one.shipping],
            (order, "stagedChanges"): lambda one, args, _c: _changes(one, args),
            (order, "subtotalLineItemsQuantity"): lambda one, _a, _c: sum(line.quantity for line in one.lines),
            (order, "taxLines"): lambda _o, _a, _c: [],
            (order, "subtotalPriceSet"): lambda one, _a, _c: bag_shown(one.order, one.subtotal),
            (order, "totalPriceSet"): lambda one, _a, _c: bag_shown(one.order, one.total),
            (order, "totalOutstandingSet"): lambda one, _a, _c: bag_shown(one.order, _owed(one)),
            **self._line_fields(),
            **CHANGES,
        }

    def _line_fields(self) -> Resolvers:
        line = "CalculatedLineItem"
        return {
            **showing(line, ("id", "title", "quantity")),
            (line, "sku"): lambda one, _a, _c: one.variant.sku or None,
            (line, "variantTitle"): lambda one, _a, _c: one.line.variant_title if one.line else None,
            (line, "variant"): lambda one, _a, _c: self._shelves.variants.get(one.variant.variant_id),
            (line, "customAttributes"): lambda one, _a, _c: one.line.attributes if one.line else (),
            (line, "calculatedDiscountAllocations"): lambda _o, _a, _c: [],
            (line, "discountAllocations"): lambda _o, _a, _c: [],
            (line, "editableQuantity"): lambda one, _a, _c: _editable(one, one.quantity),
            (line, "editableQuantityBeforeChanges"): lambda one, _a, _c: _editable(one, one.before),
            (line, "hasStagedLineItemDiscount"): lambda one, _a, _c: bool(one.discounts),
            (line, "restockable"): lambda one, _a, _c: one.variant.tracked,
            (line, "restocking"): lambda one, _a, _c: one.quantity < one.before and one.restock,
            (line, "stagedChanges"): lambda _o, _a, _c: [],
            (line, "originalUnitPriceSet"): lambda one, _a, _c: self._bag(one, one.unit),
            (line, "discountedUnitPriceSet"): lambda one, _a, _c: self._bag(one, one.discounted_unit),
            (line, "editableSubtotalSet"): lambda one, _a, _c: self._bag(
                one, one.discounted_unit.times(_editable(one, one.quantity))
            ),
            (line, "uneditableSubtotalSet"): lambda one, _a, _c: self._bag(
                one, one.discounted_unit.times(one.line.fulfilled if one.line else 0)
            ),
        }

    def _bag(self, staged: StagedLine, bag: Bag) -> MoneyBag:
        session = next((one for one in self._edits.open.values() if any(it is staged for it in one.lines)), None)
        order = session.order if session else None
        return MoneyBag(bag, order.currency, order.presentment_currency) if order else MoneyBag(bag, "", "")


def _shown(session: EditSession, staged: StagedLine | None = None) -> dict[str, Any]:
    shown = {"calculatedOrder": session, "orderEditSession": session}
    return shown if staged is None else {**shown, "calculatedLineItem": staged}


def _added(session: EditSession) -> list[StagedLine]:
    return [one for one in session.lines if one.line is None]


def _editable(staged: StagedLine, quantity: int) -> int:
    return quantity - (staged.line.fulfilled if staged.line else 0)


def _owed(session: EditSession) -> Bag:
    from_order = session.order
    paid = sum((one.amount.shop for one in from_order.transactions if one.kind in ("SALE", "CAPTURE")), Decimal(0))
    return (session.total - same(paid)).at_least_nothing()


def _changes(session: EditSession, args: dict[str, Any]) -> Page:
    return page_of([(str(place), place, one) for place, one in enumerate(changes_of(session))], args)


def _delta(change: Given) -> int:
    staged: StagedLine = change["staged"]
    return abs(staged.quantity - staged.before)


CHANGES: Resolvers = {
    ("OrderStagedChangeAddVariant", "quantity"): lambda one, _a, _c: one["staged"].quantity,
    ("OrderStagedChangeAddVariant", "variant"): lambda one, _a, _c: one["staged"].variant,
    ("OrderStagedChangeAddCustomItem", "quantity"): lambda one, _a, _c: one["staged"].quantity,
    ("OrderStagedChangeAddCustomItem", "title"): lambda one, _a, _c: one["staged"].title,
    ("OrderStagedChangeAddCustomItem", "originalUnitPrice"): lambda one, _a, _c: Money(one["staged"].unit.shop, "EUR"),
    ("OrderStagedChangeIncrementItem", "delta"): lambda one, _a, _c: _delta(one),
    ("OrderStagedChangeIncrementItem", "lineItem"): lambda one, _a, _c: one["staged"].line,
    ("OrderStagedChangeDecrementItem", "delta"): lambda one, _a, _c: _delta(one),
    ("OrderStagedChangeDecrementItem", "lineItem"): lambda one, _a, _c: one["staged"].line,
    ("OrderStagedChangeDecrementItem", "restock"): lambda one, _a, _c: one["staged"].restock,
    ("OrderStagedChangeAddLineItemDiscount", "id"): lambda one, _a, _c: one["discount"].id,
    ("OrderStagedChangeAddLineItemDiscount", "value"): lambda one, _a, _c: value_shown(one["discount"], "EUR"),
    ("OrderStagedChangeAddLineItemDiscount", "description"): lambda one, _a, _c: one["discount"].name,
    ("CalculatedShippingLine", "id"): shows("id"),
    ("CalculatedShippingLine", "title"): shows("title"),
    ("CalculatedShippingLine", "price"): lambda line, _a, _c: bag_shown(line.order, line.price),
    ("CalculatedShippingLine", "stagedStatus"): lambda line, _a, _c: (
        "NONE" if any(one is line for one in line.order.shipping_lines) else "ADDED"
    ),
}
