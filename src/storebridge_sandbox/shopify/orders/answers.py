"""Orders as the Admin API shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, shows, shows_time
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.money import NOTHING, ZERO, Bag, Money, money_text, total_of
from storebridge_sandbox.shopify.mutations import showing
from storebridge_sandbox.shopify.orders.search import OrderSearch
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.customers_port import Customers
from storebridge_sandbox.shopify.sales.fulfilment_desk import live
from storebridge_sandbox.shopify.sales.fulfilment_status import order_status
from storebridge_sandbox.shopify.sales.return_status import order_return_status
from storebridge_sandbox.shopify.sales.shown import bag_shown, numbered
from storebridge_sandbox.shopify.sales.state import ShopOrder
from storebridge_sandbox.shopify.shop.entity import the_business
from storebridge_sandbox.sleeping import Sleepers

Total = Callable[[ShopOrder], Bag]

SETS: dict[str, Total] = {
    "cartDiscountAmountSet": totals.discounts,
    "currentCartDiscountAmountSet": totals.current_discounts,
    "currentShippingPriceSet": totals.current_shipping,
    "currentSubtotalPriceSet": totals.current_subtotal,
    "currentTotalDiscountsSet": totals.current_discounts,
    "currentTotalPriceSet": totals.current_total,
    "currentTotalTaxSet": totals.current_tax,
    "netPaymentSet": totals.net_payment,
    "originalTotalPriceSet": totals.total_price,
    "subtotalPriceSet": totals.subtotal,
    "totalCapturableSet": totals.capturable,
    "totalDiscountsSet": totals.discounts,
    "totalOutstandingSet": totals.outstanding,
    "totalPriceSet": totals.total_price,
    "totalReceivedSet": totals.received,
    "totalRefundedSet": totals.refunded,
    "totalRefundedShippingSet": totals.refunded_shipping,
    "totalShippingPriceSet": totals.shipping_price,
    "totalTaxSet": totals.tax,
    "totalTipReceivedSet": lambda _order: ZERO,
    "refundDiscrepancySet": lambda order: total_of(one.discrepancy for one in order.shop_refunds()),
}
PLAIN = ("netPayment", "subtotalPrice", "totalCapturable", "totalDiscounts", "totalPrice", "totalReceived",
         "totalRefunded", "totalShippingPrice", "totalTax")  # fmt: skip
"""The older fields that give the shop's amount alone."""


class OrderAnswers:
    """Reads of orders; their lines, refunds and fulfilments have answers of their own.

    ``by_value`` finds the owner of a unique metafield.
    """

    def __init__(
        self,
        orders: Sleepers[ShopOrder],
        search: OrderSearch,
        customers: Customers,
        by_value: Callable[[str, dict[str, Any]], Any],
    ) -> None:
        self._by_value = by_value
        self._orders = orders
        self._search = search
        self._customers = customers

    def resolvers(self) -> Resolvers:
        return {
            ("QueryRoot", "order"): self._one,
            ("QueryRoot", "orderByIdentifier"): self._by_identifier,
            ("QueryRoot", "orders"): self._search.orders,
            ("QueryRoot", "ordersCount"): self._search.count,
            **self._facts(),
            **self._money(),
            **self._parts(),
            **ADDRESSES,
        }

    def _one(self, _source: Any, args: dict[str, Any], call: Call) -> ShopOrder | None:
        order = self._orders.get(args["id"])
        return order if order is not None and self._search.shows(order, call) else None

    def _facts(self) -> Resolvers:
        plain = ("id", "name", "number", "tags", "note", "email", "phone", "poNumber", "test", "edited", "sourceName",
                 "taxesIncluded", "cancelReason")  # fmt: skip
        times = ("createdAt", "processedAt", "updatedAt", "cancelledAt", "closedAt")
        return {
            **showing("Order", plain),
            **{("Order", name): shows_time(_attribute(name)) for name in times},
            ("Order", "legacyResourceId"): lambda order, _a, _c: str(number_of(order.id)),
            ("Order", "closed"): lambda order, _a, _c: order.closed_at is not None,
            ("Order", "currencyCode"): shows("currency"),
            ("Order", "presentmentCurrencyCode"): shows("presentment_currency"),
            ("Order", "sourceIdentifier"): shows("origin"),
            ("Order", "registeredSourceUrl"): shows("source_url"),
            ("Order", "customAttributes"): shows("attributes"),
            ("Order", "displayFinancialStatus"): lambda order, _a, _c: totals.financial_status(order),
            ("Order", "risk"): lambda order, _a, _c: order,
            ("OrderRiskSummary", "assessments"): lambda _order, _a, _c: [],
            ("OrderRiskSummary", "recommendation"): lambda _order, _a, _c: "NONE",
            ("Order", "displayFulfillmentStatus"): lambda order, _a, _c: order_status(order),
            ("Order", "returnStatus"): lambda order, _a, _c: order_return_status(order),
            ("Order", "cancellation"): lambda order, _a, _c: order if order.cancelled_at else None,
            ("OrderCancellation", "staffNote"): shows("staff_note"),
            ("Order", "confirmationNumber"): lambda order, _a, _c: f"{number_of(order.id):X}"[-9:],
            ("Order", "statusPageUrl"): lambda order, _a, _c: f"https://checkout.invalid/{number_of(order.id)}",
            ("Attribute", "key"): lambda pair, _a, _c: pair[0],
            ("Attribute", "value"): lambda pair, _a, _c: pair[1],
            **{("Order", name): _constant(value) for name, value in CONSTANTS.items()},
            **{("Order", name): _judged(judge) for name, judge in JUDGEMENTS.items()},
        }

    def _money(self) -> Resolvers:
        return {
            **{("Order", name): _bag(total) for name, total in SETS.items()},
            **{("Order", name): _text(SETS[f"{name}Set"]) for name in PLAIN},
            ("Order", "totalTipReceived"): lambda order, _a, _c: Money(NOTHING, order.currency),
            ("Order", "totalCashRoundingAdjustment"): lambda order, _a, _c: {
                name: bag_shown(order, ZERO) for name in ("paymentSet", "refundSet")
            },
            ("Order", "capturable"): lambda order, _a, _c: bool(totals.capturable(order).shop),
            ("Order", "paymentGatewayNames"): lambda order, _a, _c: totals.gateways(order),
        }

    def _parts(self) -> Resolvers:
        return {
            ("Order", "customer"): self._customer,
            ("Order", "merchantBusinessEntity"): the_business(),
            ("Order", "billingAddress"): lambda order, _a, _c: order.billing_address,
            ("Order", "shippingAddress"): lambda order, _a, _c: order.shipping_address,
            ("Order", "displayAddress"): lambda order, _a, _c: order.shipping_address or order.billing_address,
            ("Order", "lineItems"): _lines,
            ("Order", "nonFulfillableLineItems"): lambda _o, args, _c: page_of([], args),
            ("Order", "transactions"): _transactions,
            ("Order", "transactionsCount"): lambda order, _a, _c: len(order.transactions),
            ("Order", "refunds"): lambda order, args, _c: order.refunds[: args.get("first")],
            ("Order", "fulfillments"): lambda order, args, _c: order.fulfilments[: args.get("first")],
            ("Order", "fulfillmentsCount"): lambda order, _a, _c: len(order.fulfilments),
            ("Order", "fulfillmentOrders"): lambda order, args, _c: numbered(order.fulfilment_orders, args),
            ("Order", "returns"): self._search.returns_of,
            ("Order", "shippingLine"): lambda order, _a, _c: next(iter(order.shipping_lines), None),
            ("Order", "shippingLines"): lambda order, args, _c: numbered(order.shipping_lines, args),
            ("Order", "taxLines"): _all_taxes,
            ("Order", "currentTaxLines"): _all_taxes,
            ("Order", "discountCode"): lambda order, _a, _c: next(iter(_codes(order)), None),
            ("Order", "discountCodes"): lambda order, _a, _c: _codes(order),
            ("Order", "discountApplications"): _applications,
        }

    def _by_identifier(self, _source: Any, args: dict[str, Any], _call: Call) -> ShopOrder | None:
        asked = args["identifier"]
        if asked.get("id"):
            return self._orders.get(asked["id"])
        custom = asked.get("customId")
        if not custom:
            return None
        name = f"{custom.get('namespace') or ''}.{custom['key']}"
        found = next((one for one in self._orders.values() if (name, custom["value"]) in one.metafields), None)
        other = None if found else self._by_value("Order", custom)
        return other if isinstance(other, ShopOrder) else found

    def _customer(self, order: ShopOrder, _args: dict[str, Any], _call: Call) -> Any:
        return self._customers.shown(order.customer_id) if order.customer_id else None


CONSTANTS: dict[str, Any] = {
    "additionalFees": (),
    "canNotifyCustomer": True,
    "confirmed": True,
    "currentTotalWeight": "0",
    "customerAcceptsMarketing": False,
    "disputes": (),
    "dutiesIncluded": False,
    "estimatedTaxes": False,
    "hasTimelineComment": False,
    "merchantEditableErrors": (),
    "paymentCollectionDetails": {"additionalPaymentCollectionUrl": None, "vaultedPaymentMethods": []},
    "productNetwork": False,
    "taxExempt": False,
    "totalWeight": "0",
}

JUDGEMENTS: dict[str, Callable[[ShopOrder], Any]] = {
    "billingAddressMatchesShippingAddress": lambda order: order.billing_address == order.shipping_address,
    "canMarkAsPaid": lambda order: order.cancelled_at is None and bool(totals.outstanding(order).shop),
    "currentSubtotalLineItemsQuantity": lambda order: sum(line.current_quantity for line in order.lines),
    "fulfillable": lambda order: any(fo.remaining for fo in live(order)),
    "fullyPaid": lambda order: not totals.outstanding(order).shop and not totals.capturable(order).shop,
    "merchantEditable": lambda order: order.cancelled_at is None,
    "refundable": lambda order: bool(totals.net_payment(order).shop),
    "requiresShipping": lambda order: any(line.requires_shipping for line in order.shop_lines()),
    "restockable": lambda order: any(line.holds_goods for line in order.shop_lines()),
    "subtotalLineItemsQuantity": lambda order: sum(line.quantity for line in order.lines),
    "unpaid": lambda order: totals.financial_status(order) in (None, "PENDING", "AUTHORIZED", "PARTIALLY_PAID"),
}

_ADDRESS_PARTS = ("address1", "address2", "city", "company", "firstName", "lastName", "phone", "provinceCode", "zip")
ADDRESSES: Resolvers = {
    **{("MailingAddress", name): (lambda key: lambda one, _a, _c: one.get(key))(name) for name in _ADDRESS_PARTS},
    ("MailingAddress", "id"): lambda one, _a, _c: one.get("id") or "gid://shopify/MailingAddress/1?model_name=Address",
    ("MailingAddress", "name"): lambda one, _a, _c: _full_name(one),
    ("MailingAddress", "countryCode"): lambda one, _a, _c: one.get("countryCode"),
    ("MailingAddress", "countryCodeV2"): lambda one, _a, _c: one.get("countryCode"),
    ("MailingAddress", "country"): lambda one, _a, _c: one.get("country") or one.get("countryCode"),
    ("MailingAddress", "province"): lambda one, _a, _c: one.get("province") or one.get("provinceCode"),
    ("MailingAddress", "coordinatesValidated"): lambda _one, _a, _c: False,
    ("MailingAddress", "formatted"): lambda one, _a, _c: [
        one[key] for key in ("address1", "city", "zip") if one.get(key)
    ],
}


def _full_name(address: dict[str, Any]) -> str | None:
    return " ".join(part for part in (address.get("firstName"), address.get("lastName")) if part) or None


def _bag(total: Total) -> Any:
    return lambda order, _args, _call: bag_shown(order, total(order))


def _text(total: Total) -> Any:
    return lambda order, _args, _call: money_text(total(order).shop)


def _constant(value: Any) -> Any:
    return lambda _order, _args, _call: value


def _judged(judge: Callable[[ShopOrder], Any]) -> Any:
    return lambda order, _args, _call: judge(order)


def _attribute(name: str) -> str:
    return {"createdAt": "created_at", "processedAt": "processed_at", "updatedAt": "updated_at",
            "cancelledAt": "cancelled_at", "closedAt": "closed_at"}[name]  # fmt: skip


def _lines(order: ShopOrder, args: dict[str, Any], _call: Any) -> Page:
    rows = [(line.id, number_of(line.id), line) for line in order.lines]
    return page_of(sorted(rows, key=lambda row: row[:2]), args)


def _transactions(order: ShopOrder, args: dict[str, Any], _call: Any) -> list[Any]:
    found = order.transactions
    if args.get("capturable") is not None:
        found = [one for one in found if bool(totals.left_to_capture(one).shop) is args["capturable"]]
    return list(found[: args.get("first")])


def _all_taxes(order: ShopOrder, _args: dict[str, Any], _call: Any) -> list[Any]:
    on_lines = [(order, tax) for line in order.shop_lines() for tax in line.tax_lines]
    on_shipping = [(order, tax) for line in order.shipping_lines for tax in line.tax_lines]
    return [*on_lines, *on_shipping, *((order, tax) for tax in order.tax_lines)]


def _codes(order: ShopOrder) -> list[str]:
    return [one.name for one in order.discounts if one.kind == "code"]


def _applications(order: ShopOrder, args: dict[str, Any], _call: Any) -> Page:
    rows = [(str(place), place, (order, one)) for place, one in enumerate(order.discounts)]
    return page_of(rows, args)
