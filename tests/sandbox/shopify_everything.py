"""A pretend Shopify shop in which everything has happened once that its API can tell of."""

from __future__ import annotations

import asyncio
from typing import Any

from shopify_shop import Shop
from test_shopify_order_aftermath import BEGIN, HOLD, RETURN
from test_shopify_orders import create, fulfil, line, paid

CUSTOMER = """mutation($input: CustomerInput!) { customerCreate(input: $input) { customer { id } } }"""
DEFINE = """mutation($definition: MetafieldDefinitionInput!) { metafieldDefinitionCreate(definition: $definition) {
  createdDefinition { id } userErrors { message } } }"""
BEAR = """mutation($rows: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $rows) {
  metafields { id } userErrors { message } } }"""
LISTEN = """mutation($topic: WebhookSubscriptionTopic!, $hook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $hook) {
    webhookSubscription { id } userErrors { message } } }"""
SHOW = """mutation($product: ProductUpdateInput!, $media: [CreateMediaInput!]) {
  productUpdate(product: $product, media: $media) { product { id } userErrors { message } } }"""
GATHER = """mutation($input: CollectionInput!) { collectionCreate(input: $input) {
  collection { id } userErrors { message } } }"""
REFUND = """mutation($input: RefundInput!) { refundCreate(input: $input) @idempotent(key: "one") {
  refund { id } userErrors { message } } }"""
DISCOUNT = """mutation($id: ID!, $line: ID!) { orderEditAddLineItemDiscount(
  id: $id, lineItemId: $line, discount: {percentValue: 10, description: "For you"}) {
    calculatedOrder { id } addedDiscountStagedChange { __typename id description value {
      __typename ... on PricingPercentageValue { percentage } } } userErrors { message } } }"""
STAGE = """mutation { stagedUploadsCreate(input: [{resource: BULK_MUTATION_VARIABLES, filename: "rows",
  mimeType: "text/jsonl", httpMethod: POST}]) { stagedTargets { __typename parameters { __typename name value } } } }"""
SEVERAL = """mutation($id: ID!) { metafieldDefinitionDelete(id: $id) { deletedDefinition {
  __typename key namespace ownerType } userErrors { message } } }"""
FORGET = """mutation($rows: [MetafieldIdentifierInput!]!) { metafieldsDelete(metafields: $rows) {
  deletedMetafields { __typename key namespace ownerId } userErrors { message } } }"""
ROOTS = """{ inventoryProperties { __typename quantityNames { __typename isInUse name } }
  metafieldDefinitionTypes { __typename category name supportsDefinitionMigrations valueType
    supportedValidations { __typename name type } }
  publicApiVersions { __typename displayName handle supported }
  shopifyPaymentsAccount { __typename payoutSchedule { __typename interval } payouts(first: 1) { nodes { __typename
    businessEntity { __typename id address { __typename countryCode } } } } } }"""
MERGE = "mutation($one: ID!, $two: ID!) { customerMerge(customerOneId: $one, customerTwoId: $two) { job { id } } }"
STATE = """query($job: ID!) { customerMergeJobStatus(jobId: $job) { __typename resultingCustomerId status
  customerMergeErrors { __typename message } } }"""
CONSENT = """mutation($input: CustomerSmsMarketingConsentUpdateInput!) {
  customerSmsMarketingConsentUpdate(input: $input) { userErrors { __typename message } } }"""
PRICE = """mutation($id: ID!, $rows: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $id, variants: $rows) { productVariants { id } userErrors { message } } }"""
LEVEL = "query($item: ID!, $place: ID!) { inventoryItem(id: $item) { inventoryLevel(locationId: $place) { id } } }"
PREVIEW = """query($one: ID!, $two: ID!) { customerMergePreview(customerOneId: $one, customerTwoId: $two) {
  __typename defaultFields { __typename discountNodeCount displayName draftOrderCount giftCardCount metafieldCount
    orderCount } } }"""


async def everything_happened(shop: Shop) -> dict[str, Any]:
    """``ids``: whatever came into being; the rest are answers that no id leads to."""
    people = [await _made(shop, CUSTOMER, input=one) for one in PEOPLE]
    told = [await shop.told(ROOTS), await shop.told(PREVIEW, one=people[0], two=people[1])]
    bought = await _sold(shop, people[0])
    ids = {*people, *bought, *await _described(shop), *await _listening(shop), *await _stood_there(shop)}
    told += [await shop.told(STAGE), *await _edited(shop), *await _forgotten(shop), *await _merged(shop)]
    assert not [one["errors"] for one in told if "errors" in one], told
    return {"ids": ids, "told": told}


PICTURE = {"originalSource": "https://pictures.example/mug.png", "mediaContentType": "IMAGE"}
PEOPLE: list[dict[str, Any]] = [
    {
        "email": "ada@example.com",
        "phone": "+4915100000001",
        "firstName": "Ada",
        "addresses": [{"city": "Kiel", "countryCode": "DE"}],
        "emailMarketingConsent": {"marketingState": "SUBSCRIBED", "marketingOptInLevel": "SINGLE_OPT_IN"},
        "smsMarketingConsent": {"marketingState": "SUBSCRIBED", "marketingOptInLevel": "SINGLE_OPT_IN"},
    },
    {"email": "ben@example.com"},
]


async def _made(shop: Shop, query: str, /, **variables: Any) -> str:
    told = await shop.told(query, **variables)
    payload = next(iter(told["data"].values()))
    assert payload.get("userErrors", []) == [], payload
    return str(next(iter(next(one for one in payload.values() if isinstance(one, dict)).values())))


async def _sold(shop: Shop, buyer: str) -> list[str]:
    """Bought with a discount and shipped; one unit comes back, money too; a part of another order is on hold."""
    order = (await create(shop, "DECREMENT_OBEYING_POLICY", line(shop, "MUG", 2), **WHOLE, customer=_is(buyer)))[
        "order"
    ]
    sent = (await fulfil(shop, order, 2))["fulfillment"]
    part = sent["fulfillmentLineItems"]["nodes"][0]["id"]
    given = {"orderId": order["id"], "returnLineItems": [UNWANTED | {"fulfillmentLineItemId": part}]}
    back = (await shop.told(RETURN, given=given))["data"]["returnCreate"]["return"]
    refund = await _made(shop, REFUND, input={"orderId": order["id"], "note": "sorry", "refundLineItems": [
        {"lineItemId": order["lineItems"]["nodes"][0]["id"], "quantity": 1, "restockType": "NO_RESTOCK"}]})  # fmt: skip
    other = (await create(shop, "DECREMENT_OBEYING_POLICY", line(shop, "SHIRT-S", 2)))["order"]
    held = await shop.told(HOLD, id=other["fulfillmentOrders"]["nodes"][0]["id"], hold={"reason": "OTHER"})
    assert held["data"]["fulfillmentOrderHold"]["userErrors"] == []
    await shop.buy("SHIRT-S", 1)
    await asyncio.sleep(10)
    fos = [one["fulfillmentOrders"]["nodes"][0]["id"] for one in (order, other)]
    lines = [one["id"] for one in order["lineItems"]["nodes"]]
    money = [one["id"] for one in order["transactions"]]
    return [order["id"], other["id"], sent["id"], back["id"], refund, *fos, *lines, *money]


def _is(buyer: str) -> dict[str, Any]:
    return {"toAssociate": {"id": buyer}}


UNWANTED: dict[str, Any] = {"quantity": 1, "returnReason": "UNWANTED"}
WHOLE: dict[str, Any] = {
    "transactions": paid("22.50"),
    "discountCode": {"itemPercentageDiscountCode": {"code": "TENTH", "percentage": 10.0}},
    "shippingLines": [{"title": "Post", "priceSet": {"shopMoney": {"amount": "4.00", "currencyCode": "EUR"}}}],
    "shippingAddress": {"firstName": "Ada", "city": "Kiel", "countryCode": "DE"},
    "customAttributes": [{"key": "gift", "value": "yes"}],
}


async def _described(shop: Shop) -> list[str]:
    product = shop.store.shelves.by_sku["MUG"].product_id
    shown = await shop.told(SHOW, product={"id": product}, media=[PICTURE])
    assert shown["data"]["productUpdate"]["userErrors"] == []
    named = {"name": "Care", "namespace": "custom", "key": "care", "type": "single_line_text_field"}
    definition = await _made(
        shop, DEFINE, definition={**named, "ownerType": "PRODUCT", "validations": [{"name": "max", "value": "9"}]}
    )
    told = await shop.told(BEAR, rows=[{"ownerId": product, "namespace": "custom", "key": "care", "value": "wash"}])
    metafield = told["data"]["metafieldsSet"]["metafields"][0]["id"]
    collection = await _made(shop, GATHER, input={"title": "Kitchen", "products": [product]})
    return [definition, metafield, collection, product]


async def _listening(shop: Shop) -> list[str]:
    uris = ("https://bridge.test/hooks", "pubsub://project:topic",
            "arn:aws:events:us-east-1::event-source/aws.partner/shopify.com/1/one")  # fmt: skip
    own = {"metafields": [{"namespace": "custom", "key": "care"}]}
    return [
        await _made(shop, LISTEN, topic="PRODUCTS_UPDATE", hook={"uri": uri, **own, "format": "JSON"}) for uri in uris
    ]


async def _stood_there(shop: Shop) -> list[str]:
    variant = shop.store.shelves.by_sku["SHIRT-S"]
    told = await shop.told(LEVEL, item=variant.item_id, place=shop.place(0))
    level = told["data"]["inventoryItem"]["inventoryLevel"]["id"]
    row = {"id": variant.variant_id, "compareAtPrice": "20.00", "unitPriceMeasurement": {"quantityUnit": "KG"}}
    priced = await shop.told(PRICE, id=variant.product_id, rows=[row])
    assert priced["data"]["productVariantsBulkUpdate"]["userErrors"] == []
    return [shop.place(0), variant.variant_id, variant.product_id, variant.item_id, level]


async def _edited(shop: Shop) -> list[dict[str, Any]]:
    order = (await create(shop, "BYPASS", line(shop, "MUG", 1)))["order"]
    session = (await shop.told(BEGIN, id=order["id"]))["data"]["orderEditBegin"]["calculatedOrder"]
    line_id = session["lineItems"]["nodes"][0]["id"]
    return [await shop.told(DISCOUNT, id=session["id"], line=line_id)]


async def _merged(shop: Shop) -> list[dict[str, Any]]:
    cleo, dora = [await _made(shop, CUSTOMER, input={"email": f"{one}@example.com"}) for one in ("cleo", "dora")]
    job = (await shop.told(MERGE, one=cleo, two=dora))["data"]["customerMerge"]["job"]["id"]
    consent = {"customerId": cleo, "smsMarketingConsent": {"marketingState": "SUBSCRIBED"}}
    return [await shop.told(STATE, job=job), await shop.told(CONSENT, input=consent)]


async def _forgotten(shop: Shop) -> list[dict[str, Any]]:
    product = shop.store.shelves.by_sku["SHIRT-S"].product_id
    row = {"ownerId": product, "namespace": "custom", "key": "old"}
    await shop.told(BEAR, rows=[{**row, "value": "x", "type": "single_line_text_field"}])
    named = {"name": "Old", "namespace": "custom", "key": "older", "type": "single_line_text_field"}
    definition = await _made(shop, DEFINE, definition={**named, "ownerType": "PRODUCT"})
    return [await shop.told(FORGET, rows=[row]), await shop.told(SEVERAL, id=definition)]
