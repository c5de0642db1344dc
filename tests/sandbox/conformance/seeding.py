"""Makes the sandbox hold what a recording took for granted: entities that it names and never made.

Everything is made over the sandbox's own API, from what the recording's answers show of the entity.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from facts_of_recording import GID, Facts, kind_of

if TYPE_CHECKING:
    from replay import Names

Ask = Callable[[str, Mapping[str, Any]], Awaitable[tuple[int, dict[str, Any]]]]
PARENTS = {
    "ProductVariant": ("Product",),
    "InventoryItem": ("Product",),
    "ProductOption": ("Product",),
    "InventoryLevel": ("Product",),
    "LineItem": ("Order",),
    "FulfillmentOrder": ("Order",),
    "FulfillmentOrderLineItem": ("Order",),
    "Fulfillment": ("Order",),
    "OrderTransaction": ("Order",),
    "MailingAddress": ("Customer",),
    "Metafield": ("Product", "ProductVariant", "Customer", "Order"),
}
VARIANT_FIELDS = (
    "sku", "barcode", "price", "inventoryPolicy", "compareAtPrice", "taxable", "taxCode", "requiresComponents",
    "showUnitPrice", "unitPriceMeasurement",
)  # fmt: skip
ITEM_FIELDS = (
    "tracked", "sku", "requiresShipping", "countryCodeOfOrigin", "provinceCodeOfOrigin", "harmonizedSystemCode",
)  # fmt: skip
QUANTITIES = ("available", "damaged", "incoming", "quality_control", "reserved", "safety_stock")


class Seeder:
    """Brings entities about, each once, and teaches ``names`` what they are called here."""

    def __init__(self, facts: Facts, names: Names, ask: Ask) -> None:
        self._facts = facts
        self._names = names
        self._ask = ask
        self._tried: set[str] = set()
        self._keys = 0
        self._makers: dict[str, Callable[[str], Awaitable[None]]] = {
            "Product": self._product,
            "Location": self._location,
            "Customer": self._customer,
            "Order": self._order,
            "WebhookSubscription": self._subscription,
        }

    async def bring_about(self, body: Mapping[str, Any], number: int) -> None:
        """Make everything that an answer without request shows."""
        for one in _ids_in(body.get("data")):
            await self._one(one, number)
        await self._levels(body.get("data"))

    async def history(self) -> None:
        """What the shop had sent before the recording began and its lists still show."""
        for one in self._facts.sent_long_ago():
            lines = [self._facts.about(inner) for inner in self._facts.inside(one, "LineItem")]
            given = {"lineItems": [_line_input(inner) for inner in lines] or [_line_input({})]}
            data = await self._told(ORDER_CREATE, order=given)
            order = (data.get("orderCreate") or {}).get("order") or {}
            for ours in (order.get("fulfillmentOrders") or {}).get("nodes") or ():
                self._names.name(one, ours["id"])
                sent = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": ours["id"]}]}
                await self._told(FULFIL, fulfillment=sent)

    async def provide(self, asked: Any, body: Mapping[str, Any], number: int) -> None:
        """Make what a request names, unless a later step makes it; unknown ids stay unknown."""
        for one in _ids_in(asked):
            if self._facts.knows(one) or (kind_of(one) in self._makers and _took_for_granted(one, body)):
                await self._one(one, number)

    async def _one(self, global_id: str, number: int) -> None:
        if global_id in self._names.known or global_id in self._tried:
            return
        made = self._facts.made_by.get(global_id)
        if made is not None and made > number:
            return
        self._tried.add(global_id)
        kind = kind_of(global_id)
        for parent in PARENTS.get(kind, ()):
            holder = self._facts.holder(global_id, parent)
            if holder is not None:
                await self._one(holder, number)
                return
        for older in self._facts.older_orders(global_id) if kind == "Order" else ():
            await self._one(older, number)
        if kind in self._makers:
            await self._makers[kind](global_id)
            await self._metafields(global_id)

    async def _metafields(self, global_id: str) -> None:
        ours = self._names.known.get(global_id)
        shown = self._facts.metafields_of(global_id) if ours else []
        rows = [{key: one[key] for key in ("namespace", "key", "type", "value")} for one in shown]
        if not rows:
            return
        data = await self._told(METAFIELDS_SET, rows=[{"ownerId": ours, **row} for row in rows])
        for theirs, made in zip(shown, (data.get("metafieldsSet") or {}).get("metafields") or (), strict=False):
            self._names.learn(theirs, made)

    async def _told(self, query: str, **variables: Any) -> dict[str, Any]:
        _status, body = await self._ask(query, variables)
        data: dict[str, Any] = body.get("data") or {}
        return data

    # -- products ------------------------------------------------------------------------------------------------

    async def _product(self, global_id: str) -> None:
        shown = self._facts.about(global_id)
        inside = [one for one in self._facts.inside(global_id, "ProductVariant") if one not in self._facts.made_by]
        variants = [self._facts.about(one) for one in inside]
        names = _option_names(shown, variants)
        given: dict[str, Any] = {
            "title": shown.get("title") or "Seeded product",
            "status": shown.get("status") or "ACTIVE",
        }
        for key in ("handle", "vendor", "productType", "tags"):
            if shown.get(key):
                given[key] = shown[key]
        given["productOptions"] = [
            {
                "name": name,
                "values": [{"name": one} for one in dict.fromkeys(_value(v, name) for v in variants or [{}])],
            }
            for name in names
        ]
        given["variants"] = [_variant_input(one, names) for one in variants or [{}]]
        data = await self._told(PRODUCT_SET, input=given)
        made = (data.get("productSet") or {}).get("product") or {}
        self._names.name(global_id, made.get("id", ""))
        rows = (made.get("variants") or {}).get("nodes") or []
        for one, row in zip(variants, rows, strict=False):
            self._names.name(str(one.get("id")), row["id"])
            item = (one.get("inventoryItem") or {}).get("id")
            if item:
                self._names.name(item, row["inventoryItem"]["id"])
        for one in variants:
            await self._levels(one)

    async def _levels(self, shown: Any) -> None:
        """Stock as an answer shows it: an item's levels with their locations and quantities."""
        for item, level in _levels_in(shown):
            place = (level.get("location") or {}).get("id")
            if place is None or not item:
                continue
            await self._one(place, 10**9)
            ours = self._names.known.get(item), self._names.known.get(place)
            quantities = {one["name"]: one["quantity"] for one in level.get("quantities") or () if "name" in one}
            if None not in ours and quantities:
                held = await self._stock(str(ours[0]), str(ours[1]), quantities)
                if isinstance(level.get("id"), str):
                    self._names.name(level["id"], held.get("id", ""))

    async def _stock(self, item: str, place: str, quantities: Mapping[str, int]) -> Mapping[str, Any]:
        """The level, brought to these quantities."""
        self._keys += 1
        await self._told(ACTIVATE, item=item, place=place, key=f"seed-{self._keys}")
        data = await self._told(READ_LEVEL, item=item, place=place, names=list(QUANTITIES))
        level = (data.get("inventoryItem") or {}).get("inventoryLevel") or {}
        held = {one["name"]: one["quantity"] for one in level.get("quantities") or ()}
        for name in QUANTITIES:
            delta = quantities.get(name, held.get(name, 0)) - held.get(name, 0)
            if delta:
                self._keys += 1
                change = {"inventoryItemId": item, "locationId": place, "delta": delta, "changeFromQuantity": None}
                if name != "available":
                    change["ledgerDocumentUri"] = "seed://recording"
                given = {"name": name, "reason": "correction", "changes": [change]}
                await self._told(ADJUST, input=given, key=f"seed-{self._keys}")
        return level

    async def _location(self, global_id: str) -> None:
        shown = self._facts.about(global_id)
        name = shown.get("name") or f"Seeded location {global_id.rpartition('/')[2]}"
        if global_id == self._facts.oldest_location():
            listed = await self._told(LOCATIONS)
            rows = (listed.get("locations") or {}).get("nodes") or [{"id": ""}]
            first = min((one["id"] for one in rows), key=lambda one: (len(one), one))
            await self._told(LOCATION_EDIT, id=first, input={"name": name})
            self._names.name(global_id, first)
            return
        data = await self._told(LOCATION_ADD, input={"name": name, "address": {"countryCode": "CA"}})
        made = (data.get("locationAdd") or {}).get("location") or {}
        if not made:
            listed = await self._told(LOCATIONS)
            rows = (listed.get("locations") or {}).get("nodes") or []
            made = next((one for one in rows if one["name"] == name), {})
        self._names.name(global_id, made.get("id", ""))

    # -- everything else -------------------------------------------------------------------------------------------

    async def _customer(self, global_id: str) -> None:
        shown = self._facts.about(global_id)
        given = {key: shown[key] for key in ("firstName", "lastName", "note", "tags") if shown.get(key)}
        email = shown.get("email") or (shown.get("defaultEmailAddress") or {}).get("emailAddress")
        given["email"] = email or f"seeded-{global_id.rpartition('/')[2]}@example.com"
        data = await self._told(CUSTOMER_CREATE, input=given)
        made = (data.get("customerCreate") or {}).get("customer") or {}
        self._names.name(global_id, made.get("id", ""))

    async def _order(self, global_id: str) -> None:
        shown = self._facts.about(global_id)
        lines = [{**self._ordered(one), **self._facts.about(one)} for one in self._facts.inside(global_id, "LineItem")]
        given: dict[str, Any] = {"lineItems": [_line_input(one) for one in lines] or [_line_input({})]}
        for key in ("email", "note", "tags", "name"):
            if shown.get(key):
                given[key] = shown[key]
        paid = [one for one in self._transactions(global_id, shown) if one.get("kind") in (None, "SALE")]
        if paid:
            given["transactions"] = [_transaction_input(one, shown) for one in paid]
        data = await self._told(ORDER_CREATE, order=given)
        made = (data.get("orderCreate") or {}).get("order") or {}
        self._names.name(global_id, made.get("id", ""))
        for payment, made_one in zip(paid, made.get("transactions") or [], strict=False):
            if payment.get("id"):
                self._names.name(str(payment["id"]), made_one["id"])
        await self._refunds(global_id, shown, made)
        rows = (made.get("lineItems") or {}).get("nodes") or []
        for one, row in zip(lines, rows, strict=False):
            self._names.name(str(one.get("id")), row["id"])
        opened = (made.get("fulfillmentOrders") or {}).get("nodes") or []
        for theirs, ours in zip(self._facts.inside(global_id, "FulfillmentOrder"), opened, strict=False):
            self._names.name(theirs, ours["id"])
            rows = ours["lineItems"]["nodes"]
            for left, right in zip(self._facts.inside(theirs, "FulfillmentOrderLineItem"), rows, strict=False):
                self._names.name(left, right["id"])

        await self._parcels(global_id, opened)

    def _ordered(self, line_id: str) -> dict[str, Any]:
        """How many a line is of, by what is to be sent of it."""
        holder = self._facts.holder(line_id, "FulfillmentOrderLineItem")
        count = self._facts.about(holder).get("totalQuantity") if holder else None
        return {"quantity": count} if count else {}

    async def _parcels(self, global_id: str, opened: list[dict[str, Any]]) -> None:
        """What had been sent before the recording began."""
        sent = [one for one in self._facts.inside(global_id, "Fulfillment") if one not in self._facts.made_by]
        for one, ours in zip(sent, opened, strict=False):
            given: dict[str, Any] = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": ours["id"]}]}
            tracking = next(iter(self._facts.about(one).get("trackingInfo") or ()), None)
            if tracking:
                given["trackingInfo"] = {key: value for key, value in tracking.items() if value}
            data = await self._told(FULFIL, fulfillment=given)
            made = (data.get("fulfillmentCreate") or {}).get("fulfillment") or {}
            self._names.name(one, made.get("id", ""))

    def _transactions(self, global_id: str, shown: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The payments that an order was shown with; one that only its status and its refunds speak of counts too."""
        known = self._facts.inside(global_id, "OrderTransaction")
        listed = [self._facts.about(one) for one in known if one not in self._facts.made_by]
        status = shown.get("displayFinancialStatus")
        if not known and status in ("PAID", "PARTIALLY_REFUNDED", "REFUNDED"):
            return [{"id": self._facts.parent_named_with(global_id)}]
        return listed

    async def _refunds(self, global_id: str, shown: Mapping[str, Any], made: Mapping[str, Any]) -> None:
        """Refunds that an order had before the recording began."""
        for one in shown.get("refunds") or ():
            parent = next(iter(made.get("transactions") or []), None)
            money = ((one.get("totalRefundedSet") or {}).get("shopMoney") or {}).get("amount")
            if parent is None or money is None or self._facts.made_by.get(one.get("id")) is not None:
                continue
            self._keys += 1
            payment = {"amount": money, "gateway": "manual", "kind": "REFUND"}
            payment |= {"orderId": made["id"], "parentId": parent["id"]}
            given = {"orderId": made["id"], "note": one.get("note"), "transactions": [payment]}
            data = await self._told(REFUND_CREATE, input=given, key=f"seed-{self._keys}")
            refund = (data.get("refundCreate") or {}).get("refund") or {}
            if one.get("id"):
                self._names.name(str(one["id"]), refund.get("id", ""))

    async def _subscription(self, global_id: str) -> None:
        shown = self._facts.about(global_id)
        endpoint = shown.get("endpoint") or {}
        uri = (
            shown.get("uri") or shown.get("callbackUrl") or endpoint.get("callbackUrl") or "https://example.com/seeded"
        )
        data = await self._told(SUBSCRIBE, topic=shown.get("topic") or "SHOP_UPDATE", given={"uri": uri})
        made = (data.get("webhookSubscriptionCreate") or {}).get("webhookSubscription") or {}
        self._names.name(global_id, made.get("id", ""))


def _ids_in(value: Any) -> list[str]:
    """Global ids in the order of their mention."""
    return list(dict.fromkeys(found[0] for found in GID.finditer(str(value)) if kind_of(found[0])))


def _went_well(body: Mapping[str, Any]) -> bool:
    if body.get("errors"):
        return False
    roots = (body.get("data") or {}).values()
    return all(root is not None and not (isinstance(root, dict) and root.get("userErrors")) for root in roots)


def _took_for_granted(global_id: str, body: Mapping[str, Any]) -> bool:
    """Whether an answer has nothing to say against an id: all went well, or it complains of another by its number."""
    if _went_well(body):
        return True
    told = json.dumps([body.get("errors"), body.get("data")])
    return "does not exist with ID" in told and global_id.rpartition("/")[2] not in told


def _option_names(shown: Mapping[str, Any], variants: list[dict[str, Any]]) -> list[str]:
    named = [one["name"] for one in shown.get("options") or () if "name" in one]
    for variant in variants:
        named += [one["name"] for one in variant.get("selectedOptions") or ()]
    return list(dict.fromkeys(named)) or ["Title"]


def _value(variant: Mapping[str, Any], name: str) -> str:
    chosen = {one["name"]: one["value"] for one in variant.get("selectedOptions") or ()}
    return str(chosen.get(name) or variant.get("title") or "Default Title")


def _values(variants: list[dict[str, Any]], name: str) -> list[str]:
    return list(dict.fromkeys(_value(one, name) for one in variants))


def _variant_input(shown: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {"optionValues": [{"optionName": name, "name": _value(shown, name)} for name in names]}
    given |= {key: shown[key] for key in VARIANT_FIELDS if shown.get(key) not in (None, "")}
    item = shown.get("inventoryItem") or {}
    given["inventoryItem"] = {key: item[key] for key in ITEM_FIELDS if item.get(key) is not None}
    return given


def _line_input(shown: Mapping[str, Any]) -> dict[str, Any]:
    price = {"shopMoney": {"amount": "10.00", "currencyCode": "CAD"}}
    return {
        "title": shown.get("title") or "Seeded item",
        "quantity": shown.get("quantity") or 1,
        "requiresShipping": True,
        "priceSet": price,
    }


def _transaction_input(shown: Mapping[str, Any], order: Mapping[str, Any]) -> dict[str, Any]:
    """What was paid: as the transaction shows it, else the order's total, else the seeded line."""
    total = (order.get("currentTotalPriceSet") or {}).get("shopMoney")
    money = (shown.get("amountSet") or {}).get("shopMoney") or total or {"amount": "10.00", "currencyCode": "CAD"}
    gateway = shown.get("gateway") or "manual"
    return {"kind": "SALE", "status": "SUCCESS", "gateway": gateway, "amountSet": {"shopMoney": money}}


def _levels_in(value: Any, item: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    """(item id, level) pairs anywhere in an answer."""
    if isinstance(value, list):
        return [pair for one in value for pair in _levels_in(one, item)]
    if not isinstance(value, dict):
        return []
    own = value.get("id")
    if isinstance(own, str) and kind_of(own) == "InventoryItem":
        item = own
    pairs: list[tuple[str, Mapping[str, Any]]] = []
    if isinstance(value.get("quantities"), list) and "location" in value:
        held = (value.get("item") or {}).get("id") or item
        pairs.append((held, value))
    for child in value.values():
        pairs += _levels_in(child, item)
    return pairs


PRODUCT_SET = """mutation Seed($input: ProductSetInput!) { productSet(input: $input, synchronous: true) {
    product { id variants(first: 100) { nodes { id inventoryItem { id } } } } userErrors { field message code } } }"""
METAFIELDS_SET = """mutation Seed($rows: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $rows) {
    metafields { id compareDigest } userErrors { message } } }"""
ACTIVATE = """mutation Seed($item: ID!, $place: ID!, $key: String!) {
    inventoryActivate(inventoryItemId: $item, locationId: $place) @idempotent(key: $key) { userErrors { message } } }"""
READ_LEVEL = """query Seed($item: ID!, $place: ID!, $names: [String!]!) { inventoryItem(id: $item) {
    inventoryLevel(locationId: $place) { id quantities(names: $names) { name quantity } } } }"""
ADJUST = """mutation Seed($input: InventoryAdjustQuantitiesInput!, $key: String!) {
    inventoryAdjustQuantities(input: $input) @idempotent(key: $key) { userErrors { field message code } } }"""
LOCATION_ADD = """mutation Seed($input: LocationAddInput!) { locationAdd(input: $input) {
    location { id name } userErrors { field message code } } }"""
LOCATION_EDIT = """mutation Seed($id: ID!, $input: LocationEditInput!) { locationEdit(id: $id, input: $input) {
    userErrors { message } } }"""
LOCATIONS = "query Seed { locations(first: 50, includeInactive: true) { nodes { id name } } }"
CUSTOMER_CREATE = """mutation Seed($input: CustomerInput!) { customerCreate(input: $input) {
    customer { id } userErrors { field message } } }"""
FULFIL = """mutation Seed($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id } userErrors { message } } }"""
REFUND_CREATE = """mutation Seed($input: RefundInput!, $key: String!) {
    refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { field message } } }"""
ORDER_CREATE = """mutation Seed($order: OrderCreateOrderInput!) { orderCreate(order: $order) { order { id
    transactions { id }
    lineItems(first: 50) { nodes { id } }
    fulfillmentOrders(first: 50) { nodes { id lineItems(first: 50) { nodes { id } } } } }
    userErrors { field message code } } }"""
SUBSCRIBE = """mutation Seed($topic: WebhookSubscriptionTopic!, $given: WebhookSubscriptionInput!) {
    webhookSubscriptionCreate(topic: $topic, webhookSubscription: $given) {
    webhookSubscription { id } userErrors { field message } } }"""
