"""Media and collections that a product is written with are kept, or the write is refused: nothing is dropped."""

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


MEDIA = (
    "media(first: 9) { nodes { __typename id alt mediaContentType status mediaErrors { code }"
    " preview { status image { url } }"
    " ... on MediaImage { image { altText url } originalSource { url } }"
    " ... on Video { filename duration sources { url } originalSource { url format mimeType } }"
    " ... on ExternalVideo { host embedUrl originUrl }"
    " ... on Model3d { filename sources { url } originalSource { url format mimeType filesize } } } }"
)
MAKE = CREATE.replace("images(first: 9)", f"{MEDIA.replace('media(', 'shown: media(')} images(first: 9)")
VARIANTS = (
    "mutation($product: ID!, $media: [CreateMediaInput!], $variants: [ProductVariantsBulkInput!]!) {"
    " ROOT(productId: $product, media: $media, variants: $variants) {"
    " productVariants { id image { url } media(first: 2) { nodes { id alt } } }"
    " product { media(first: 9) { nodes { id } } } userErrors { field message code } } }"
)
FILM, PLAYED, MODEL = (
    "https://films.example/turn.mp4",
    "https://youtu.be/dQw4w9WgXcQ",
    "https://models.example/vase.glb",
)


def medium(kind: str, address: str, alt: str | None = None) -> dict[str, Any]:
    return {"originalSource": address, "mediaContentType": kind, **({"alt": alt} if alt else {})}


EVERYTHING = [
    medium("IMAGE", FRONT, "A vase, from the front"),
    medium("VIDEO", FILM, "It turns"),
    medium("EXTERNAL_VIDEO", PLAYED),
    medium("MODEL_3D", MODEL, "All around"),
]


def test_alternative_texts_videos_and_models_are_kept_and_told_as_their_types_have_them() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("products/create")
        made = await written(shop, MAKE, product={"title": "Vase"}, media=EVERYTHING)
        assert made["userErrors"] == []
        image, video, played, model = made["product"]["shown"]["nodes"]
        assert [one["__typename"] for one in (image, video, played, model)] == [
            "MediaImage", "Video", "ExternalVideo", "Model3d"]  # fmt: skip
        assert [one["id"].split("/")[3] for one in (image, video, played, model)] == [
            "MediaImage", "Video", "ExternalVideo", "Model3d"]  # fmt: skip
        assert [one["alt"] for one in (image, video, played, model)] == [
            "A vase, from the front", "It turns", None, "All around"]  # fmt: skip
        assert image["image"] == {"altText": "A vase, from the front", "url": FRONT}
        assert (video["filename"], video["originalSource"]) == (
            "turn.mp4",
            {"url": FILM, "format": "mp4", "mimeType": "video/mp4"},
        )
        assert (played["host"], played["embedUrl"], played["originUrl"]) == (
            "YOUTUBE",
            "https://www.youtube.com/embed/dQw4w9WgXcQ",
            PLAYED,
        )
        assert (model["filename"], model["originalSource"]["mimeType"]) == ("vase.glb", "model/gltf-binary")
        assert made["product"]["mediaCount"] == {"count": 4}
        assert [one["url"] for one in made["product"]["images"]["nodes"]] == [FRONT]
        (told,) = shop.letters("products/create")
        assert [(one["alt"], one["src"]) for one in told["images"]] == [("A vase, from the front", FRONT)]
        assert [(one["media_content_type"], one["alt"]) for one in told["media"]] == [
            (one["mediaContentType"], one.get("alt")) for one in EVERYTHING
        ]

    with_shop(play)


def test_setting_files_finds_out_what_they_are_changes_texts_and_drops_the_rest() -> None:
    async def play(shop: Shop) -> None:
        put = PUT.replace("images(first: 9)", f"{MEDIA.replace('media(', 'shown: media(')} images(first: 9)")
        files = [{"originalSource": one} for one in (FRONT, FILM, PLAYED, MODEL)]
        made = await written(shop, put, input={"title": "Vase", "files": files})
        nodes = made["product"]["shown"]["nodes"]
        assert [one["mediaContentType"] for one in nodes] == ["IMAGE", "VIDEO", "EXTERNAL_VIDEO", "MODEL_3D"]
        kept = [{"id": nodes[1]["id"], "alt": "It turns"}, {"id": nodes[0]["id"]}]
        by = {"id": made["product"]["id"]}
        changed = (await written(shop, put, by=by, input={"files": kept}))["product"]["shown"]["nodes"]
        assert [(one["id"], one["alt"]) for one in changed] == [(nodes[1]["id"], "It turns"), (nodes[0]["id"], None)]

    with_shop(play)


def test_a_variant_shows_one_medium_of_its_product() -> None:
    async def play(shop: Shop) -> None:
        shirt = shop.store.shelves.by_sku["SHIRT-S"]
        row = {"id": shirt.variant_id, "mediaSrc": [BACK]}
        asked = {"product": shirt.product_id, "media": [medium("IMAGE", FRONT), medium("IMAGE", BACK, "Behind")]}
        update = VARIANTS.replace("ROOT", "productVariantsBulkUpdate")
        told = await written(shop, update, **asked, variants=[row])
        assert told["userErrors"] == []
        front, back = (one["id"] for one in told["product"]["media"]["nodes"])
        (shown,) = told["productVariants"]
        assert (shown["image"], shown["media"]["nodes"]) == ({"url": BACK}, [{"id": back, "alt": "Behind"}])
        option = {"optionName": "Size", "name": "XL"}
        create = VARIANTS.replace("ROOT", "productVariantsBulkCreate")
        rows = [{"optionValues": [option], "mediaId": front}]
        (made,) = (await written(shop, create, product=shirt.product_id, variants=rows))["productVariants"]
        assert made["image"] == {"url": FRONT}
        await written(shop, PUT, by={"id": shirt.product_id}, input={"files": [{"id": front}]})
        assert (shirt.picture, shop.store.shelves.variants[made["id"]].picture) == (None, front)

    with_shop(play)


def test_media_that_cannot_be_are_refused_and_nothing_is_written() -> None:
    async def play(shop: Shop) -> None:
        shirt = shop.store.shelves.by_sku["SHIRT-S"]
        update = VARIANTS.replace("ROOT", "productVariantsBulkUpdate")
        for row, field, message, code in (
            ({"mediaId": "gid://shopify/MediaImage/9"}, ["variants", "0", "mediaId"],
             "Media does not exist on the given product", "MUST_BE_FOR_THIS_PRODUCT"),
            ({"mediaSrc": [FRONT, BACK]}, ["variants", "0", "mediaSrc"],
             "Only one media source is allowed for each variant", "INVALID_INPUT"),
            ({"mediaSrc": ["front.png"]}, ["variants", "0", "mediaSrc"], "Image URL is invalid", "INVALID_INPUT"),
            ({"mediaSrc": [FRONT], "mediaId": "gid://shopify/MediaImage/9"}, ["variants", "0"],
             "Only one of mediaId and mediaSrc can be specified", "INVALID_INPUT"),
        ):  # fmt: skip
            rows = [{"id": shirt.variant_id, **row}]
            told = await written(shop, update, product=shirt.product_id, variants=rows)
            assert told["userErrors"] == [{"field": field, "message": message, "code": code}]
        strange = [medium("EXTERNAL_VIDEO", "https://films.example/turn")]
        refused = await written(shop, CREATE, product={"title": "Vase"}, media=strange)
        assert refused["userErrors"] == [
            {"field": ["media", "0", "originalSource"], "message": "External video URL is invalid"}
        ]
        long = await written(shop, CREATE, product={"title": "Vase"}, media=[medium("IMAGE", FRONT, "x" * 513)])
        assert [one["field"] for one in long["userErrors"]] == [["media", "0", "alt"]]
        assert shirt.product.media == []
        assert shirt.picture is None

    with_shop(play)
