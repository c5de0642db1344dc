"""Lines of orders with their prices, taxes and discounts; shipping lines; transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.shopify.call import Resolvers, shows, shows_time
from storebridge_sandbox.shopify.money import Bag, Money, money_text
from storebridge_sandbox.shopify.mutations import showing
from storebridge_sandbox.shopify.products.state import Shelves
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.fulfilment_status import fulfillable
from storebridge_sandbox.shopify.sales.money_desk import MoneyDesk
from storebridge_sandbox.shopify.sales.shown import bag_shown
from storebridge_sandbox.shopify.sales.state import Discount, ShopLine, ShopOrder, Transaction

LineBag = Callable[[ShopLine], Bag]

LINE_SETS: dict[str, LineBag] = {
    "originalUnitPriceSet": lambda line: line.unit,
    "originalTotalSet": lambda line: line.original,
    "discountedTotalSet": lambda line: line.original,
    "discountedUnitPriceSet": lambda line: line.unit,
    "discountedUnitPriceAfterAllDiscountsSet": lambda line: line.discounted.share(1, line.quantity),
    "priceAfterAllDiscountsBeforeTaxesSet": lambda line: line.discounted,
    "totalDiscountSet": lambda line: line.discount,
    "unfulfilledDiscountedTotalSet": lambda line: line.unit.times(max(0, line.unfulfilled)),
    "unfulfilledOriginalTotalSet": lambda line: line.unit.times(max(0, line.unfulfilled)),
}
LINE_TEXTS = ("originalUnitPrice", "originalTotal", "discountedTotal", "discountedUnitPrice", "totalDiscount",
              "unfulfilledDiscountedTotal", "unfulfilledOriginalTotal")  # fmt: skip


class LineAnswers:
    """What stands in an order, line by line."""

    def __init__(self, shelves: Shelves, money: MoneyDesk) -> None:
        self._shelves = shelves
        self._money = money

    def resolvers(self) -> Resolvers:
        return {**self._line(), **self._shipping(), **TAXES, **DISCOUNTS, **self._transaction()}

    def _line(self) -> Resolvers:
        plain = ("id", "quantity", "title", "sku", "variantTitle", "vendor", "requiresShipping", "taxable")
        return {
            **showing("LineItem", plain),
            ("LineItem", "name"): lambda line, _a, _c: _name(line),
            ("LineItem", "currentQuantity"): shows("current_quantity"),
            ("LineItem", "unfulfilledQuantity"): shows("unfulfilled"),
            ("LineItem", "refundableQuantity"): shows("current_quantity"),
            ("LineItem", "nonFulfillableQuantity"): lambda line, _a, _c: line.quantity - max(0, line.unfulfilled),
            ("LineItem", "fulfillableQuantity"): lambda line, _a, _c: fulfillable(line.order, line),
            ("LineItem", "fulfillmentStatus"): lambda line, _a, _c: line_status(line),
            ("LineItem", "isGiftCard"): shows("gift_card"),
            ("LineItem", "restockable"): lambda line, _a, _c: not line.is_custom and line.variant.tracked,
            ("LineItem", "canRestock"): lambda line, _a, _c: not line.is_custom and line.variant.tracked,
            ("LineItem", "merchantEditable"): lambda line, _a, _c: line.unfulfilled > 0,
            ("LineItem", "customAttributes"): shows("attributes"),
            ("LineItem", "duties"): lambda _l, _a, _c: [],
            ("LineItem", "variant"): lambda line, _a, _c: self._shelves.variants.get(line.variant.variant_id),
            ("LineItem", "product"): self._product,
            ("LineItem", "lineItemGroup"): shows("group"),
            **showing("LineItemGroup", ("id", "title", "quantity", "productId", "variantId", "variantSku")),
            ("LineItemGroup", "customAttributes"): shows("attributes"),
            ("LineItem", "taxLines"): lambda line, args, _c: [(line.order, tax) for tax in line.tax_lines][
                : args.get("first")
            ],
            ("LineItem", "discountAllocations"): _allocations,
            **{("LineItem", name): _bag(bag) for name, bag in LINE_SETS.items()},
            **{("LineItem", name): _text(LINE_SETS[f"{name}Set"]) for name in LINE_TEXTS},
        }

    def _product(self, line: ShopLine, _args: Any, _call: Any) -> Any:
        """A product that is not on the shelves any more is still known by its id."""
        if not line.product_id:
            return None
        return self._shelves.products.get(line.product_id)

    def _shipping(self) -> Resolvers:
        return {
            **showing("ShippingLine", ("id", "title", "code", "source")),
            ("ShippingLine", "custom"): lambda line, _a, _c: line.source is None,
            ("ShippingLine", "isRemoved"): lambda _l, _a, _c: False,
            ("ShippingLine", "price"): lambda line, _a, _c: money_text(line.price.shop),
            ("ShippingLine", "originalPriceSet"): _bag(lambda line: line.price),
            ("ShippingLine", "discountedPriceSet"): _bag(lambda line: line.discounted),
            ("ShippingLine", "currentDiscountedPriceSet"): _bag(lambda line: line.discounted),
            ("ShippingLine", "originalPrice"): lambda line, _a, _c: Money(line.price.shop, line.order.currency),
            ("ShippingLine", "discountedPrice"): lambda line, _a, _c: Money(line.discounted.shop, line.order.currency),
            ("ShippingLine", "taxLines"): lambda line, _a, _c: [(line.order, tax) for tax in line.tax_lines],
            ("ShippingLine", "discountAllocations"): _allocations,
        }

    def _transaction(self) -> Resolvers:
        plain = ("id", "kind", "status", "gateway", "test", "order", "authorizationCode")
        return {
            **showing("OrderTransaction", plain),
            ("OrderTransaction", "createdAt"): shows_time("created_at"),
            ("OrderTransaction", "processedAt"): shows_time("processed_at"),
            ("OrderTransaction", "parentTransaction"): shows("parent"),
            ("OrderTransaction", "amountSet"): lambda one, _a, _c: bag_shown(one.order, one.amount),
            ("OrderTransaction", "amount"): lambda one, _a, _c: money_text(one.amount.shop),
            ("OrderTransaction", "amountV2"): lambda one, _a, _c: Money(one.amount.shop, one.order.currency),
            ("OrderTransaction", "formattedGateway"): lambda one, _a, _c: one.gateway.replace("_", " ").capitalize(),
            ("OrderTransaction", "manualPaymentGateway"): lambda one, _a, _c: one.gateway == "manual",
            ("OrderTransaction", "manuallyCapturable"): lambda one, _a, _c: bool(totals.left_to_capture(one).shop),
            ("OrderTransaction", "multiCapturable"): lambda _o, _a, _c: False,
            ("OrderTransaction", "fees"): lambda _o, _a, _c: [],
            ("OrderTransaction", "maximumRefundableV2"): self._refundable,
            ("OrderTransaction", "totalUnsettledSet"): lambda one, _a, _c: bag_shown(
                one.order, totals.left_to_capture(one)
            ),
        }

    def _refundable(self, one: Transaction, _args: Any, _call: Any) -> Money | None:
        if one.kind not in totals.PAID_KINDS:
            return None
        return Money(self._money.refundable(one).shop, one.order.currency)


def line_status(line: ShopLine) -> str:
    """``fulfillmentStatus`` of a line."""
    if line.fulfilled and line.unfulfilled <= 0:
        return "fulfilled"
    return "partial" if line.fulfilled else "unfulfilled"


def _bag(bag: Callable[[Any], Bag]) -> Any:
    return lambda line, _args, _call: bag_shown(line.order, bag(line))


def _allocations(line: Any, _args: Any, _call: Any) -> list[Any]:
    return [(line.order, one) for one in line.allocations]


def _name(line: ShopLine) -> str:
    return f"{line.title} - {line.variant_title}" if line.variant_title else line.title


def _text(bag: LineBag) -> Any:
    return lambda line, _args, _call: money_text(bag(line).shop)


TAXES: Resolvers = {
    ("TaxLine", "title"): lambda pair, _a, _c: pair[1].title,
    ("TaxLine", "rate"): lambda pair, _a, _c: float(pair[1].rate),
    ("TaxLine", "ratePercentage"): lambda pair, _a, _c: float(pair[1].rate * 100),
    ("TaxLine", "channelLiable"): lambda pair, _a, _c: pair[1].channel_liable,
    ("TaxLine", "price"): lambda pair, _a, _c: money_text(pair[1].price.shop),
    ("TaxLine", "priceSet"): lambda pair, _a, _c: bag_shown(pair[0], pair[1].price),
}


class _Application:
    """A discount with its order: ``DiscountApplication``."""

    def __init__(self, order: ShopOrder, discount: Discount) -> None:
        self.order = order
        self.discount = discount
        self.graphql_type = "DiscountCodeApplication" if discount.kind == "code" else "ManualDiscountApplication"


def _application_fields(kind: str) -> Resolvers:
    return {
        (kind, "index"): lambda one, _a, _c: next(
            (n for n, discount in enumerate(one.order.discounts) if discount is one.discount), 0
        ),
        (kind, "allocationMethod"): lambda one, _a, _c: "EACH" if one.discount.percentage else "ACROSS",
        (kind, "targetSelection"): lambda _one, _a, _c: "ALL",
        (kind, "targetType"): lambda one, _a, _c: "SHIPPING_LINE" if one.discount.on_shipping else "LINE_ITEM",
        (kind, "value"): lambda one, _a, _c: _value(one),
        (kind, "code"): lambda one, _a, _c: one.discount.name,
        (kind, "title"): lambda one, _a, _c: one.discount.name,
        (kind, "description"): lambda one, _a, _c: one.discount.name,
    }


class _Percentage:
    graphql_type = "PricingPercentageValue"

    def __init__(self, percentage: float) -> None:
        self.percentage = percentage


class _Amount(Money):
    """A fixed value where a percentage could stand too."""

    graphql_type = "MoneyV2"


def _value(one: _Application) -> Any:
    return value_shown(one.discount, one.order.currency)


def value_shown(discount: Discount, currency: str) -> Any:
    """``PricingValue``: a percentage or an amount."""
    if discount.percentage:
        return _Percentage(float(discount.value))
    return _Amount(discount.value, currency)


DISCOUNTS: Resolvers = {
    ("DiscountAllocation", "allocatedAmountSet"): lambda pair, _a, _c: bag_shown(pair[0], pair[1].amount),
    ("DiscountAllocation", "allocatedAmount"): lambda pair, _a, _c: Money(pair[1].amount.shop, pair[0].currency),
    ("DiscountAllocation", "discountApplication"): lambda pair, _a, _c: _Application(pair[0], pair[1].discount),
    ("DiscountApplicationConnection", "nodes"): lambda page, _a, _c: [_Application(*pair) for pair in page.nodes],
    ("DiscountApplicationEdge", "node"): lambda edge, _a, _c: _Application(*edge.node),
    **_application_fields("DiscountCodeApplication"),
    **_application_fields("ManualDiscountApplication"),
    ("PricingPercentageValue", "percentage"): lambda value, _a, _c: value.percentage,
}
