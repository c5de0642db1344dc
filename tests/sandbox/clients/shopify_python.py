"""A session of Python's ShopifyAPI: shop, locations, goods, stock and an order by its GraphQL client, then the same
by its older REST classes.

Run with the store's address in ``STORE_URL``; what it saw is one JSON object, the last line of stdout.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import shopify
from pyactiveresource.connection import ResourceNotFound

STORE = os.environ["STORE_URL"]
VERSION = "2026-10"
SEEN: dict[str, Any] = {}


def credentials() -> dict[str, str]:
    with urllib.request.urlopen(f"{STORE}/_sandbox/credentials") as answer:
        held: dict[str, str] = json.load(answer)
    return held


def activate(shop: str, token: str) -> None:
    """The client makes its address from the shop's name; ``url`` puts the store's in its place."""
    shopify.Session.setup(protocol="http")
    session = shopify.Session(shop, VERSION, token)
    session.url = urlsplit(STORE).netloc
    shopify.ShopifyResource.activate_session(session)


def ask(query: str, **variables: Any) -> dict[str, Any]:
    answer = json.loads(shopify.GraphQL().execute(query, variables))
    if "errors" in answer:
        raise RuntimeError(json.dumps(answer["errors"]))
    data: dict[str, Any] = answer["data"]
    return data


def signatures(secret: str) -> None:
    """The client's own check of the parameters that the vendor sends an app's browser with."""
    shopify.Session.setup(secret=secret)
    sent = {"shop": "larkfield-sandbox.myshopify.com", "timestamp": str(int(time.time())), "code": "c-1"}
    signed = {**sent, "hmac": shopify.Session.calculate_hmac(sent)}
    SEEN["signed"] = [
        shopify.Session.validate_params(signed),
        shopify.Session.validate_params({**signed, "code": "c-2"}),
    ]


def look_around() -> str:
    told = ask("query Shop { shop { name currencyCode } locations(first: 5) { nodes { id name } } }")
    SEEN["shop"] = [told["shop"]["name"], told["shop"]["currencyCode"]]
    SEEN["locations"] = [place["name"] for place in told["locations"]["nodes"]]
    main: str = told["locations"]["nodes"][0]["id"]
    return main


def make_goods() -> None:
    made = ask(
        """mutation Make($product: ProductCreateInput!) {
          productCreate(product: $product) { product { id title } userErrors { field message } }
        }""",
        product={"title": "Kettle", "tags": ["kitchen"]},
    )["productCreate"]
    SEEN["made"] = [made["product"]["title"], made["userErrors"]]
    changed = ask(
        """mutation Change($product: ProductUpdateInput!) {
          productUpdate(product: $product) { product { title } userErrors { field message } }
        }""",
        product={"id": made["product"]["id"], "title": ""},
    )["productUpdate"]
    SEEN["untitled"] = changed["userErrors"]
    SEEN["titles"] = list(titles())


def titles() -> list[str]:
    """Page by page, as the client's users write it."""
    found: list[str] = []
    after = None
    while True:
        page = ask(
            """query Page($after: String) {
              products(first: 2, after: $after) {
                edges { node { title } }
                pageInfo { hasNextPage endCursor }
              }
            }""",
            after=after,
        )["products"]
        found += [edge["node"]["title"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def count_goods(main: str) -> str:
    found = ask("""query Mug { productVariants(first: 1, query: "sku:MUG") { nodes { id inventoryItem { id } } } }""")[
        "productVariants"
    ]["nodes"][0]
    adjust = """mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
      inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
        inventoryAdjustmentGroup { changes { name delta } }
        userErrors { code field message }
      }
    }"""
    row = {"inventoryItemId": found["inventoryItem"]["id"], "locationId": main, "delta": -2}
    wanted = {"name": "available", "reason": "shrinkage", "changes": [{**row, "changeFromQuantity": 7}]}
    first = ask(adjust, input=wanted, key="adjust-1")["inventoryAdjustQuantities"]
    again = ask(adjust, input=wanted, key="adjust-1")["inventoryAdjustQuantities"]
    late = ask(adjust, input=wanted, key="adjust-2")["inventoryAdjustQuantities"]
    SEEN["adjusted"] = [first["inventoryAdjustmentGroup"]["changes"], again["userErrors"]]
    SEEN["stale"] = [error["code"] for error in late["userErrors"]]
    variant: str = found["id"]
    return variant


def take_order(variant: str) -> None:
    told = ask(
        """mutation Order($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {
          orderCreate(order: $order, options: $options) {
            order { id name displayFinancialStatus totalPriceSet { shopMoney { amount } } }
            userErrors { field message }
          }
        }""",
        order={
            "email": "grace@example.com",
            "currency": "EUR",
            "lineItems": [{"variantId": variant, "quantity": 2, "requiresShipping": True}],
        },
        options={"inventoryBehaviour": "DECREMENT_OBEYING_POLICY"},
    )["orderCreate"]
    SEEN["order"] = [told["order"]["name"], told["order"]["totalPriceSet"]["shopMoney"]["amount"], told["userErrors"]]
    paid = ask(
        """mutation Paid($input: OrderMarkAsPaidInput!) {
          orderMarkAsPaid(input: $input) { order { displayFinancialStatus } userErrors { field message } }
        }""",
        input={"id": told["order"]["id"]},
    )["orderMarkAsPaid"]
    SEEN["paid"] = [told["order"]["displayFinancialStatus"], paid["order"]["displayFinancialStatus"]]


def by_rest(shop_name: str) -> None:
    """The older half of the client: one class a resource."""
    shop = shopify.Shop.current()
    limits = shopify.Limits
    SEEN["rest_shop"] = [shop.name == shop_name, shop.currency, limits.credit_limit(), limits.credit_used() > 0]
    SEEN["rest_locations"] = [place.name for place in shopify.Location.find()]

    first = shopify.Product.find(limit=2)
    SEEN["rest_pages"] = [[one.title for one in page] for page in shopify.PaginatedIterator(first)]
    SEEN["rest_count"] = shopify.Product.count()

    lamp = next(one for one in shopify.Product.find() if one.title == "Lamp")
    place, item = shopify.Location.find()[1].id, lamp.variants[0].inventory_item_id
    SEEN["rest_levels"] = [
        shopify.InventoryLevel.set(place, item, 9).available,
        shopify.InventoryLevel.adjust(place, item, -2).available,
        shopify.InventoryLevel.find(inventory_item_ids=item, location_ids=place)[0].available,
    ]

    order = shopify.Order.find(limit=1)[0]
    SEEN["rest_order"] = [order.name, order.total_price, order.financial_status, order.line_items[0].sku]
    SEEN["rest_orders"] = [shopify.Order.count(), shopify.Order.find(order.id).name, order.email]
    ask(
        "mutation Welcome($input: CustomerInput!) { customerCreate(input: $input) { customer { id } } }",
        input={"firstName": "Grace", "email": "grace@example.com"},
    )
    SEEN["rest_customers"] = [[one.email, one.orders_count] for one in shopify.Customer.find()]
    try:
        shopify.Product.find(1)
    except ResourceNotFound as error:
        SEEN["rest_missing"] = error.code


def write_by_rest() -> None:
    """Active records: attributes, then save."""
    kettle = shopify.Product(
        {"title": "Whistling kettle", "tags": "kitchen", "variants": [{"sku": "KET", "price": "9"}]}
    )
    SEEN["rest_made"] = [kettle.save(), kettle.variants[0].sku, kettle.variants[0].price]
    kettle.title = ""
    SEEN["rest_untitled"] = [kettle.save(), kettle.errors.full_messages()]
    variant = shopify.Variant.find(kettle.variants[0].id)
    variant.price = "11.50"
    SEEN["rest_priced"] = [variant.save(), shopify.Variant.find(variant.id).price]

    line = {"variant_id": variant.id, "quantity": 1}
    order = shopify.Order.create({"line_items": [line], "email": "ada@example.com", "financial_status": "paid"})
    order.note = "ring twice"
    SEEN["rest_ordered"] = [order.total_price, order.financial_status, order.save(), shopify.Order.find(order.id).note]
    order.cancel(reason="customer")
    SEEN["rest_cancelled"] = shopify.Order.find(order.id).cancel_reason

    ada = shopify.Customer.create({"first_name": "Ada", "email": "ada@example.com"})
    ada.tags = "vip"
    SEEN["rest_customer"] = [ada.save(), [one.tags for one in shopify.Customer.search(query="email:ada@example.com")]]
    ada.destroy()
    kettle.destroy()
    SEEN["rest_gone"] = [shopify.Customer.exists(ada.id), shopify.Product.exists(kettle.id)]


def refusals(shop: str) -> None:
    wrong = json.loads(shopify.GraphQL().execute("query Wrong { shop { favouriteColour } }"))
    SEEN["wrong"] = [error["extensions"]["code"] for error in wrong["errors"]]
    activate(shop, "shpat_wrong")
    try:
        shopify.GraphQL().execute("query Shop { shop { name } }")
    except urllib.error.HTTPError as error:
        SEEN["stranger"] = error.code


def main() -> None:
    held = credentials()
    signatures(held["client_secret"])
    activate(held["shop"], held["access_token"])
    where = look_around()
    make_goods()
    take_order(count_goods(where))
    by_rest(SEEN["shop"][0])
    write_by_rest()
    refusals(held["shop"])
    sys.stdout.write(f"{json.dumps(SEEN)}\n")


if __name__ == "__main__":
    main()
