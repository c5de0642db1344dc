"""Collections of the pretend Shopify shop: made, filled, emptied, read, and told of."""

from __future__ import annotations

from typing import Any

import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.quirks import ShopifyOptions

TOPICS = ("collections/create", "collections/update", "collections/delete", "products/update")
MAKE = """mutation Make($collection: CollectionCreateInput, $input: CollectionInput) {
  collectionCreate(collection: $collection, input: $input) {
    collection { id title handle productsCount { count } } userErrors { field message } } }"""
CHANGE = """mutation Change($collection: CollectionUpdateInput, $input: CollectionInput) {
  collectionUpdate(collection: $collection, input: $input) {
    collection { title handle products(first: 9) { nodes { title } } } job { id } userErrors { field message } } }"""
ADD = """mutation Add($id: ID!, $products: [ID!]!) { collectionAddProducts(id: $id, productIds: $products) {
    collection { products(first: 9) { nodes { title } } } userErrors { field message } } }"""
ADD_LATER = """mutation Add($id: ID!, $products: [ID!]!) { collectionAddProductsV2(id: $id, productIds: $products) {
    job { done } userErrors { code field message } } }"""
REMOVE = """mutation Remove($id: ID!, $products: [ID!]!) { collectionRemoveProducts(id: $id, productIds: $products) {
    job { done } userErrors { field message } } }"""
DELETE = """mutation Delete($input: CollectionDeleteInput!) { collectionDelete(input: $input) {
    deletedCollectionId shop { name } userErrors { field message } } }"""
OF_PRODUCTS = """query Of($id: ID!) { products(first: 9) { nodes { title inCollection(id: $id)
    variantsInCollectionCount(collectionId: $id) { count } collections(first: 50) { nodes { title handle } } } } }"""


def products_of(shop: Shop) -> dict[str, str]:
    return {product.title: product.id for product in shop.store.shelves.products.values()}


async def made(shop: Shop, title: str, **given: Any) -> str:
    told = await shop.told(MAKE, collection={"title": title, **given})
    assert told["data"]["collectionCreate"]["userErrors"] == []
    return str(told["data"]["collectionCreate"]["collection"]["id"])


def test_a_collection_is_made_filled_and_told_with_its_products_and_by_them() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe(*TOPICS)
        told = await shop.told(MAKE, collection={"title": "Summer Sale"})
        summer = told["data"]["collectionCreate"]["collection"]
        assert summer == {
            "id": "gid://shopify/Collection/480000001",
            "title": "Summer Sale",
            "handle": "summer-sale",
            "productsCount": {"count": 0},
        }
        mug = products_of(shop)["Mug"]
        added = await shop.told(ADD, id=summer["id"], products=[mug])
        assert added["data"]["collectionAddProducts"] == {
            "collection": {"products": {"nodes": [{"title": "Mug"}]}},
            "userErrors": [],
        }
        read = await shop.told(OF_PRODUCTS, id=summer["id"])
        assert read["data"]["products"]["nodes"] == [
            {
                "title": "Mug",
                "inCollection": True,
                "variantsInCollectionCount": {"count": 1},
                "collections": {"nodes": [{"title": "Summer Sale", "handle": "summer-sale"}]},
            },
            {
                "title": "Shirt",
                "inCollection": False,
                "variantsInCollectionCount": {"count": 0},
                "collections": {"nodes": []},
            },
        ]
        roots = await shop.told(
            "query Roots($id: ID!, $product: ID!) { collection(id: $id) { title hasProduct(id: $product) }"
            ' collectionByIdentifier(identifier: {handle: "summer-sale"}) { title }'
            ' collections(first: 5, query: "title:summer*") { nodes { handle } } collectionsCount { count }'
            " node(id: $id) { ... on Collection { handle } } }",
            id=summer["id"],
            product=mug,
        )
        assert roots["data"] == {
            "collection": {"title": "Summer Sale", "hasProduct": True},
            "collectionByIdentifier": {"title": "Summer Sale"},
            "collections": {"nodes": [{"handle": "summer-sale"}]},
            "collectionsCount": {"count": 1},
            "node": {"handle": "summer-sale"},
        }
        await shop.clock.sleep(5)
        assert [one["title"] for one in shop.letters("collections/create")] == ["Summer Sale"]
        assert [one["handle"] for one in shop.letters("collections/update")] == ["summer-sale"]
        assert shop.letters("products/update") == []

    with_shop(play)


def test_products_leave_by_a_job_and_a_deleted_product_or_collection_leaves_nothing_behind() -> None:
    async def play(shop: Shop) -> None:
        names = products_of(shop)
        told = await shop.told(MAKE, input={"title": "All", "products": list(names.values())})
        everything = told["data"]["collectionCreate"]["collection"]
        assert everything["productsCount"] == {"count": 2}
        other = await made(shop, "Other")
        later = await shop.told(ADD_LATER, id=other, products=[names["Mug"], "gid://shopify/Product/1"])
        assert later["data"]["collectionAddProductsV2"] == {"job": {"done": True}, "userErrors": []}
        gone = await shop.told(REMOVE, id=everything["id"], products=[names["Shirt"]])
        assert gone["data"]["collectionRemoveProducts"] == {"job": {"done": True}, "userErrors": []}
        assert [one.title for one in shop.store.collections.holding(names["Mug"])] == ["All", "Other"]
        await shop.told(
            "mutation Gone($input: ProductDeleteInput!) { productDelete(input: $input) { deletedProductId } }",
            input={"id": names["Mug"]},
        )
        assert [one.product_ids for one in shop.store.collections.all.values()] == [[], []]
        shop.subscribe(*TOPICS)
        deleted = await shop.told(DELETE, input={"id": other})
        assert deleted["data"]["collectionDelete"] == {
            "deletedCollectionId": other,
            "shop": {"name": "Larkfield Shopify"},
            "userErrors": [],
        }
        assert list(shop.store.collections.all) == [everything["id"]]
        await shop.clock.sleep(5)
        assert [one["admin_graphql_api_id"] for one in shop.letters("collections/delete")] == [other]

    with_shop(play)


def test_a_collection_gets_another_name_and_other_products_by_an_update() -> None:
    async def play(shop: Shop) -> None:
        names = products_of(shop)
        summer = await made(shop, "Summer", descriptionHtml="<p>Warm</p>")
        await shop.told(ADD, id=summer, products=[names["Mug"]])
        told = await shop.told(CHANGE, collection={"id": summer, "title": "Autumn"})
        assert told["data"]["collectionUpdate"]["collection"] == {
            "title": "Autumn",
            "handle": "summer",
            "products": {"nodes": [{"title": "Mug"}]},
        }
        told = await shop.told(CHANGE, input={"id": summer, "handle": "fall", "products": [names["Shirt"]]})
        assert told["data"]["collectionUpdate"]["collection"] == {
            "title": "Autumn",
            "handle": "fall",
            "products": {"nodes": [{"title": "Shirt"}]},
        }
        assert shop.store.collections.holding(names["Mug"]) == []

    with_shop(play)


UNKNOWN = "gid://shopify/Collection/1"


@pytest.mark.parametrize(
    ("query", "variables", "name", "error"),
    [
        (MAKE, {"collection": {"title": " "}}, "collectionCreate", (["title"], "Title can't be blank")),
        (
            MAKE,
            {"collection": {"title": "x" * 256}},
            "collectionCreate",
            (["title"], "Title is too long (maximum is 255 characters)"),
        ),
        (
            MAKE,
            {"collection": {"title": "B", "handle": "kept"}},
            "collectionCreate",
            (["handle"], "Handle has already been taken"),
        ),
        (
            MAKE,
            {"input": {"title": "B", "products": ["gid://shopify/Product/1"]}},
            "collectionCreate",
            (["products"], "Product does not exist"),
        ),
        (
            CHANGE,
            {"collection": {"id": UNKNOWN, "title": "B"}},
            "collectionUpdate",
            (["id"], "Collection does not exist"),
        ),
        (DELETE, {"input": {"id": UNKNOWN}}, "collectionDelete", (["id"], "Collection does not exist")),
        (ADD, {"id": UNKNOWN, "products": []}, "collectionAddProducts", (["id"], "Collection does not exist")),
        (REMOVE, {"id": UNKNOWN, "products": []}, "collectionRemoveProducts", (["id"], "Collection does not exist")),
        (
            ADD_LATER,
            {"id": UNKNOWN, "products": []},
            "collectionAddProductsV2",
            (["id"], "Collection does not exist", "COLLECTION_DOES_NOT_EXIST"),
        ),
    ],
)
def test_what_is_refused_changes_nothing(
    query: str, variables: dict[str, Any], name: str, error: tuple[Any, ...]
) -> None:
    async def play(shop: Shop) -> None:
        kept = await made(shop, "Kept")
        await shop.told(ADD, id=kept, products=[products_of(shop)["Mug"]])
        told = await shop.told(query, **variables)
        wanted = dict(zip(("field", "message", "code"), error, strict=False))
        assert told["data"][name]["userErrors"] == [wanted]
        assert {one.title: len(one.product_ids) for one in shop.store.collections.all.values()} == {"Kept": 1}

    with_shop(play)


def test_a_product_is_not_added_twice_and_says_so() -> None:
    async def play(shop: Shop) -> None:
        kept, mug = await made(shop, "Kept"), products_of(shop)["Mug"]
        await shop.told(ADD, id=kept, products=[mug])
        told = await shop.told(ADD, id=kept, products=[mug])
        assert told["data"]["collectionAddProducts"]["userErrors"] == [
            {"field": ["productIds"], "message": "Product is already in the collection"}
        ]
        assert shop.store.collections.all[kept].product_ids == [mug]

    with_shop(play)


@pytest.mark.parametrize(
    ("tells", "collections", "products"), [("collection", 1, []), ("product", 0, ["Mug"]), ("nothing", 0, [])]
)
def test_which_webhook_tells_of_a_product_that_comes_into_a_collection_is_a_switch(
    tells: Any, collections: int, products: list[str]
) -> None:
    async def play(shop: Shop) -> None:
        kept = await made(shop, "Kept")
        shop.subscribe(*TOPICS)
        await shop.told(ADD, id=kept, products=[products_of(shop)["Mug"]])
        await shop.clock.sleep(5)
        assert len(shop.letters("collections/update")) == collections
        assert [one["title"] for one in shop.letters("products/update")] == products

    with_shop(play, ShopifyOptions(membership_tells=tells))
