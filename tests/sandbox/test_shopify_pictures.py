"""Pictures and collections that a product is written with are kept, or the write is refused: nothing is dropped."""

from __future__ import annotations

from typing import Any

from shopify_shop import Shop, with_shop

PICTURES = (
    "product { id featuredMedia { id } mediaCount { count }"
    " media(first: 9) { nodes { id status mediaContentType preview { image { url } }"
    " ... on MediaImage { fileStatus image { url } } } }"
    " images(first: 9) { nodes { url } } collections(first: 9) { nodes { title } } } userErrors { field message }"
)
CREATE = (
    "mutation($product: ProductCreateInput!, $media: [CreateMediaInput!]) {"
    f" productCreate(product: $product, media: $media) {{ {PICTURES} }} }}"
)
UPDATE = (
    "mutation($product: ProductUpdateInput!, $media: [CreateMediaInput!]) {"
    f" productUpdate(product: $product, media: $media) {{ {PICTURES} }} }}"
)
PUT = (
    "mutation($input: ProductSetInput!, $by: ProductSetIdentifiers) {"
    f" productSet(input: $input, identifier: $by) {{ {PICTURES.replace('field message', 'field message code')} }} }}"
)
GATHER = 'mutation { collectionCreate(input: {title: "%s"}) { collection { id } } }'
NOBODY = "gid://shopify/Collection/999"
FRONT, BACK = "https://pictures.example/front.png", "https://pictures.example/back.png"


async def written(shop: Shop, query: str, **variables: Any) -> dict[str, Any]:
    return dict(next(iter((await shop.told(query, **variables))["data"].values())))


def picture(address: str) -> dict[str, str]:
    return {"originalSource": address, "mediaContentType": "IMAGE"}


def urls(answer: dict[str, Any]) -> list[str]:
    assert answer["userErrors"] == []
    shown = [one["url"] for one in answer["product"]["images"]["nodes"]]
    media = answer["product"]["media"]["nodes"]
    assert [one["image"]["url"] for one in media] == [one["preview"]["image"]["url"] for one in media] == shown
    assert {(one["status"], one["fileStatus"], one["mediaContentType"]) for one in media} <= {
        ("READY", "READY", "IMAGE")
    }
    assert answer["product"]["mediaCount"] == {"count": len(shown)}
    return shown


async def gathered(shop: Shop, title: str) -> str:
    told = await shop.told(GATHER % title)
    return str(told["data"]["collectionCreate"]["collection"]["id"])


def test_the_pictures_of_a_new_product_are_kept_and_told() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("products/create")
        made = await written(shop, CREATE, product={"title": "Vase"}, media=[picture(FRONT)])
        assert urls(made) == [FRONT]
        assert made["product"]["featuredMedia"]["id"] == made["product"]["media"]["nodes"][0]["id"]
        changed = await written(shop, UPDATE, product={"id": made["product"]["id"]}, media=[picture(BACK)])
        assert urls(changed) == [FRONT, BACK]
        (told,) = shop.letters("products/create")
        assert [one["src"] for one in told["images"]] == [FRONT]

    with_shop(play)


def test_setting_a_product_sets_its_pictures() -> None:
    async def play(shop: Shop) -> None:
        both = [{"originalSource": FRONT}, {"originalSource": BACK}]
        made = await written(shop, PUT, input={"title": "Vase", "files": both})
        assert urls(made) == [FRONT, BACK]
        by = {"id": made["product"]["id"]}
        kept = [{"id": made["product"]["media"]["nodes"][1]["id"]}]
        assert urls(await written(shop, PUT, by=by, input={"title": "Vase", "files": kept})) == [BACK]
        assert urls(await written(shop, PUT, by=by, input={"title": "Jug"})) == [BACK]
        strange = [{"id": "gid://shopify/MediaImage/1"}]
        refused = await written(shop, PUT, by=by, input={"title": "Pot", "files": strange})
        assert [(one["field"], one["code"]) for one in refused["userErrors"]] == [
            (["input", "files", "0", "id"], "NOT_FOUND")
        ]
        assert urls(await written(shop, PUT, by=by, input={})) == [BACK]

    with_shop(play)


def test_the_picture_of_a_variant_is_one_of_its_product() -> None:
    async def play(shop: Shop) -> None:
        options = [{"name": "Size", "values": [{"name": "S"}]}]
        row = {"optionValues": [{"optionName": "Size", "name": "S"}], "file": {"originalSource": FRONT}}
        made = await written(shop, PUT, input={"title": "Vase", "productOptions": options, "variants": [row]})
        assert urls(made) == [FRONT]

    with_shop(play)


def test_an_address_that_is_none_makes_no_product() -> None:
    async def play(shop: Shop) -> None:
        before = len(shop.store.shelves.products)
        for query, variables in (
            (CREATE, {"product": {"title": "Vase"}, "media": [picture("front.png")]}),
            (PUT, {"input": {"title": "Vase", "files": [{"originalSource": "front.png"}]}}),
        ):
            refused = await written(shop, query, **variables)
            assert refused["product"] is None
            assert [one["message"] for one in refused["userErrors"]] == ["Image URL is invalid"]
        assert len(shop.store.shelves.products) == before

    with_shop(play)


def test_a_product_is_put_into_collections_and_taken_out() -> None:
    async def play(shop: Shop) -> None:
        kitchen, gifts = await gathered(shop, "Kitchen"), await gathered(shop, "Gifts")
        shop.subscribe("collections/update")
        made = await written(shop, CREATE, product={"title": "Vase", "collectionsToJoin": [kitchen]})
        assert made["product"]["collections"]["nodes"] == [{"title": "Kitchen"}]
        given = {"id": made["product"]["id"], "collectionsToJoin": [gifts], "collectionsToLeave": [kitchen]}
        changed = await written(shop, UPDATE, product=given)
        assert changed["product"]["collections"]["nodes"] == [{"title": "Gifts"}]
        put = await written(shop, PUT, by={"id": made["product"]["id"]}, input={"collections": [kitchen]})
        assert put["product"]["collections"]["nodes"] == [{"title": "Kitchen"}]
        assert [one["title"] for one in shop.letters("collections/update")] == [
            "Kitchen", "Kitchen", "Gifts", "Gifts", "Kitchen"]  # fmt: skip

    with_shop(play)


def test_a_collection_that_is_not_there_is_refused_and_nothing_is_done() -> None:
    async def play(shop: Shop) -> None:
        before = len(shop.store.shelves.products)
        made = await written(shop, CREATE, product={"title": "Vase", "collectionsToJoin": [NOBODY]})
        put = await written(shop, PUT, input={"title": "Vase", "collections": [NOBODY]})
        assert made["userErrors"] == [{"field": ["collectionsToJoin"], "message": "Collection does not exist"}]
        assert put["userErrors"] == [
            {"field": ["input", "collections"], "message": "Collection does not exist", "code": "NOT_FOUND"}
        ]
        assert made["product"] is put["product"] is None
        assert len(shop.store.shelves.products) == before

    with_shop(play)
