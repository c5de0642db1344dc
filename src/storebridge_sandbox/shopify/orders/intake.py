"""``orderCreate``: an order as an app describes it becomes an order of the shop.

Recorded: shop amounts keep the currency they were given in, an unknown variant makes a custom line, tags are
sorted, no transaction and no financial status leave the payment status null.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.metafields.state import Metafields
from storebridge_sandbox.shopify.money import ZERO, Bag
from storebridge_sandbox.shopify.mutations import Refusals, UserError, refuse
from storebridge_sandbox.shopify.orders.discounts import apply_discount
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.customers_port import Customers
from storebridge_sandbox.shopify.sales.fulfilment_desk import FulfilmentDesk
from storebridge_sandbox.shopify.sales.inputs import address_of, bag_of, clean_tags, moment_of, reach_errors
from storebridge_sandbox.shopify.sales.money_desk import MoneyDesk
from storebridge_sandbox.shopify.sales.state import ShippingLine, ShopLine, ShopOrder, TaxLine

Given = Mapping[str, Any]
PAID = ("PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED")


class OrderIntake:
    """Checks the whole input first; then the order is there, or nothing has happened."""

    def __init__(
        self,
        book: Orders,
        money: MoneyDesk,
        desk: FulfilmentDesk,
        customers: Customers,
        variants: Mapping[str, Sellable],
        locations: Callable[[str], Any],
        numbers: Numbers,
        options: ShopifyOptions,
        now: Callable[[], datetime],
        currency: str,
        metafields: Metafields,
    ) -> None:
        self._book = book
        self._metafields = metafields
        self._money = money
        self._desk = desk
        self._customers = customers
        self._variants = variants
        self._locations = locations
        self._numbers = numbers
        self._options = options
        self._now = now
        self._currency = currency
        self._made_at: deque[datetime] = deque()

    def create(self, given: Given, options: Given) -> ShopOrder:
        """Raises Refusals."""
        behaviour = options.get("inventoryBehaviour") or "BYPASS"
        self._check(given)
        self._check_pace()
        if behaviour == "DECREMENT_OBEYING_POLICY":
            self._check_stock(given["lineItems"])
        order = self._blank(given)
        order.lines = [self._line(one) for one in given["lineItems"]]
        self._price(order, given)
        claim = {"BYPASS": None, "DECREMENT_IGNORING_POLICY": "first_fit"}.get(behaviour, "routed")
        self._book.admit(order, "api", claim)  # type: ignore[arg-type]
        self._metafields.put_all(given.get("metafields") or [], ["order", "metafields"], order.id)
        self._transact(order, given)
        self._send(order, given)
        self._book.touched(order)
        return order

    # -- checks --------------------------------------------------------------------------------------------

    def _check(self, given: Given) -> None:
        errors = list(self._line_errors(given.get("lineItems") or []))
        if given.get("customer") and given.get("customerId"):
            text = "Only one of customer or customer_id can be provided"
            errors.append(UserError(["order", "customerId"], text, "REDUNDANT_CUSTOMER_FIELDS"))
        processed_at = given.get("processedAt")
        if processed_at is not None and moment_of(processed_at) > self._now() + timedelta(minutes=1):
            text = "Processed at must not be in the future"
            errors.append(UserError(["order", "processedAt"], text, "PROCESSED_AT_INVALID"))
        if given.get("fulfillment") and self._locations(given["fulfillment"]["locationId"]) is None:
            errors.append(UserError(["order", "fulfillment", "locationId"], "Location does not exist", "INVALID"))
        errors += reach_errors(given, ["order"], "INVALID")
        errors += self._buyer_errors(given)
        errors += _payment_errors(given.get("transactions") or [])
        errors += self._metafield_errors(given.get("metafields") or [])
        if errors:
            raise Refusals(*errors, order=None)

    def _line_errors(self, lines: Sequence[Given]) -> Any:
        if not lines:
            yield UserError(["order", "lineItems"], "Line items must have at least one line item", "INVALID")
        for place, line in enumerate(lines):
            path = ["order", "lineItems", str(place)]
            if line["quantity"] < 1:
                yield UserError([*path, "quantity"], "Quantity must be greater than 0", "INVALID")
            if not line.get("title") and line.get("variantId") not in self._variants:
                yield UserError([*path, "title"], "Title can't be blank", "INVALID")
            if _is_negative(line.get("priceSet")):
                yield UserError([*path, "priceSet"], "Price must be greater than or equal to 0", "INVALID")

    def _buyer_errors(self, given: Given) -> Any:
        """Of a customer who is named and not there."""
        named = ((given.get("customer") or {}).get("toAssociate") or {}).get("id")
        for customer_id, path in (
            (named, ["customer", "toAssociate", "id"]),
            (given.get("customerId"), ["customerId"]),
        ):
            if customer_id and self._customers.of_order({"toAssociate": {"id": customer_id}}) is None:
                yield UserError(["order", *path], "Customer does not exist", "INVALID")

    def _metafield_errors(self, metafields: Sequence[dict[str, Any]]) -> Any:
        """What the shop's metafields refuse, and a second order with a value of an ``id`` metafield (S15)."""
        for error in self._metafields.check_new("ORDER", metafields, ["order", "metafields"]):
            yield UserError(error["field"], error["message"], "INVALID")
        if not self._options.order_custom_ids_are_unique:
            return
        taken = {pair for order in self._book.orders.values() for pair in order.metafields} if metafields else set()
        for place, one in enumerate(metafields):
            if one.get("type") == "id" and one.get("key") and one.get("value") and _pair(one) in taken:
                yield UserError(["order", "metafields", str(place), "value"], "Value has already been taken", "INVALID")

    def _check_pace(self) -> None:
        """Trial and development stores take five orders a minute (S31)."""
        limit = self._options.orders_per_minute
        if limit is None:
            return
        since = self._now() - timedelta(minutes=1)
        while self._made_at and self._made_at[0] <= since:
            self._made_at.popleft()
        if len(self._made_at) >= limit:
            raise refuse(None, "Too many attempts. Please try again later.", "INVALID", order=None)
        self._made_at.append(self._now())

    def _check_stock(self, lines: Sequence[Given]) -> None:
        """Refused as a whole when a variant that denies is short (measured; S11)."""
        wanted: dict[str, int] = {}
        for line in lines:
            variant = self._variants.get(line.get("variantId") or "")
            if variant is None:
                continue
            wanted[variant.variant_id] = wanted.get(variant.variant_id, 0) + line["quantity"]
            shown = self._book.shown(variant)
            if shown is not None and wanted[variant.variant_id] > shown:
                text = "Line items Unable to reserve inventory"
                raise refuse(["order", "lineItems"], text, self._options.oversell_refusal, order=None)

    # -- the order itself ----------------------------------------------------------------------------------

    def _blank(self, given: Given) -> ShopOrder:
        customer_id, customer = self._customer(given)
        order = self._book.blank(customer)
        order.customer_id = customer_id
        order.currency = given.get("currency") or _currency_in(given) or self._currency
        order.presentment_currency = given.get("presentmentCurrency") or order.currency
        order.name = given.get("name") or order.name
        order.email = given.get("email") or customer.get("email")
        order.phone = given.get("phone")
        order.note, order.po_number = given.get("note"), given.get("poNumber")
        order.tags = clean_tags(given.get("tags") or [])
        order.origin = given.get("sourceIdentifier")
        order.source_name, order.source_url = given.get("sourceName"), given.get("sourceUrl")
        order.test, order.taxes_included = bool(given.get("test")), bool(given.get("taxesIncluded"))
        order.given_status = given.get("financialStatus")
        order.attributes = tuple((one["key"], one["value"]) for one in given.get("customAttributes") or ())
        order.metafields = tuple(_pair(one) for one in given.get("metafields") or ())
        order.billing_address = address_of(given.get("billingAddress"))
        order.shipping_address = address_of(given.get("shippingAddress"))
        if given.get("processedAt"):
            order.processed_at = moment_of(given["processedAt"])
        if given.get("closedAt"):
            order.closed_at = moment_of(given["closedAt"])
        return order

    def _customer(self, given: Given) -> tuple[str | None, dict[str, Any]]:
        asked = given.get("customer") or {}
        if given.get("customerId"):
            asked = {"toAssociate": {"id": given["customerId"]}}
        found = self._customers.of_order(asked) if asked else None
        return (None, {"email": given.get("email")} if given.get("email") else {}) if found is None else found

    def _line(self, given: Given) -> ShopLine:
        variant = self._variants.get(given.get("variantId") or "")
        unit = bag_of(given.get("priceSet"))
        if variant is None:
            price = unit or ZERO
            variant = Sellable("", "", "", given.get("sku") or "", given.get("title") or "", price.shop, tracked=False)
        line = self._book.line_of(variant, given["quantity"], unit)
        line.title = given.get("title") or variant.title
        line.sku = given.get("sku") or line.sku
        line.vendor = given.get("vendor") or line.vendor
        line.variant_title = given.get("variantTitle") or line.variant_title
        line.product_id = given.get("productId") or line.product_id
        line.requires_shipping = bool(given.get("requiresShipping"))
        line.taxable, line.gift_card = given.get("taxable") is not False, bool(given.get("giftCard"))
        line.attributes = tuple((one["name"], one["value"]) for one in given.get("properties") or ())
        line.tax_lines = _tax_lines(given.get("taxLines"), line.original)
        return line

    def _price(self, order: ShopOrder, given: Given) -> None:
        order.shipping_lines = tuple(self._shipping_line(one, order) for one in given.get("shippingLines") or ())
        if given.get("discountCode"):
            apply_discount(order, given["discountCode"])
        order.tax_lines = _tax_lines(given.get("taxLines"), totals.subtotal(order))

    def _shipping_line(self, given: Given, order: ShopOrder) -> ShippingLine:
        price = bag_of(given["priceSet"]) or ZERO
        line = ShippingLine(
            self._numbers.new("ShippingLine"), given["title"], given.get("code"), given.get("source"), price
        )
        line.tax_lines = _tax_lines(given.get("taxLines"), price)
        line.order = order
        return line

    def _transact(self, order: ShopOrder, given: Given) -> None:
        for one in given.get("transactions") or ():
            self._money.add(
                order,
                one.get("kind") or "SALE",
                bag_of(one["amountSet"]) or ZERO,
                one.get("gateway") or "manual",
                status=one.get("status") or "SUCCESS",
                processed_at=moment_of(one["processedAt"]) if one.get("processedAt") else order.processed_at,
                test=bool(one.get("test")),
                authorization_code=one.get("authorizationCode"),
            )
        if not order.transactions and order.given_status == "PAID":
            self._money.sale(order, totals.total_price(order), "manual", order.processed_at)

    def _send(self, order: ShopOrder, given: Given) -> None:
        """The order comes with its parcel: everything was sent, from the location that is named."""
        sent = given.get("fulfillment")
        if not sent and given.get("fulfillmentStatus") != "FULFILLED":
            return
        for fo in list(order.fulfilment_orders):
            if sent and fo.location_id != sent["locationId"]:
                self._desk.move(fo, sent["locationId"], (), "api")
            numbers = [*((sent or {}).get("trackingNumbers") or ()), (sent or {}).get("trackingNumber")]
            trackings = [
                {"number": number, "company": (sent or {}).get("trackingCompany"), "url": None}
                for number in dict.fromkeys(numbers)
                if number
            ]
            picks = [(one, one.remaining) for one in fo.lines]
            self._desk.send(picks, trackings, "api", origin_address=(sent or {}).get("originAddress"))
        self._book.after_sending(order)


def _pair(metafield: Given) -> tuple[str, str]:
    return f"{metafield.get('namespace') or ''}.{metafield['key']}", metafield["value"]


def _tax_lines(given: Sequence[Given] | None, base: Bag) -> tuple[TaxLine, ...]:
    lines = []
    for one in given or ():
        rate = Decimal(str(one["rate"]))
        price = bag_of(one.get("priceSet")) or base.times(rate)
        lines.append(TaxLine(one["title"], rate, price, one.get("channelLiable")))
    return tuple(lines)


def _currency_in(given: Given) -> str | None:
    for line in given.get("lineItems") or ():
        if line.get("priceSet"):
            return str(line["priceSet"]["shopMoney"]["currencyCode"])
    return None


def _is_negative(given: Given | None) -> bool:
    bag = bag_of(given)
    return bag is not None and bag.shop < 0


def _payment_errors(transactions: Sequence[Given]) -> Any:
    for place, one in enumerate(transactions):
        if _is_negative(one.get("amountSet")):
            path = ["order", "transactions", str(place), "amountSet"]
            yield UserError(path, "Amount must be greater than or equal to 0", "INVALID")
