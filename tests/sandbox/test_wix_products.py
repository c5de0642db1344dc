"""Products of a V3 site: created, changed, taken away, found; with their stock, their rules and their events."""

from __future__ import annotations

from typing import Any

import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

PRODUCTS = "/stores/v3/products"
STOCKED = "/stores/v3/products-with-inventory"
BULK = "/stores/v3/bulk/products"
NOTHING = "00000000-0000-4000-8000-000000000000"
MINE = "8c1f6a52-3a2b-4d57-9c11-5d5f9e1c0a77"


def code_of(told: dict[str, Any]) -> str:
    return str(told["details"]["applicationError"]["code"])


def rule_of(told: dict[str, Any]) -> str:
    violation = told["details"]["validationError"]["fieldViolations"][0]
    return str(violation.get("ruleName", violation["violatedRule"]))


def plain(name: str = "Cap", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "productType": "PHYSICAL",
        "physicalProperties": {},
        "variantsInfo": {"variants": [variant("CAP")]},
        **more,
    }


def variant(sku: str | None, *choices: str, amount: str = "20.00", **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"price": {"actualPrice": {"amount": amount}}, **more}
    if sku is not None:
        told["sku"] = sku
    if choices:
        told["choices"] = [
            {"optionChoiceNames": {"optionName": "Size", "choiceName": choice, "renderType": "TEXT_CHOICES"}}
            for choice in choices
        ]
    return told


def sized(*sizes: str) -> dict[str, Any]:
    choices = [{"name": size, "choiceType": "CHOICE_TEXT"} for size in sizes]
    option = {"name": "Size", "optionRenderType": "TEXT_CHOICES", "choicesSettings": {"choices": choices}}
    rows = [variant(f"CAP-{size}", size) for size in sizes]
    return plain(options=[option], variantsInfo={"variants": rows})


async def create(site: Site, product: dict[str, Any]) -> dict[str, Any]:
    status, told = await site.call("POST", PRODUCTS, {"product": product, "fields": ["PLAIN_DESCRIPTION", "URL"]})
    assert status == 200, told
    return dict(told["product"])


def test_a_product_is_created_as_asked_and_found_by_id_slug_and_handle() -> None:
    async def play(site: Site) -> None:
        asked = plain(handle="cap-1", plainDescription="<p>Warm</p>", brand={"name": "Pell"}, ribbon={"name": "New"})
        made = await create(site, asked)
        _, by_id = await site.call("GET", f"{PRODUCTS}/{made['id']}")
        _, by_slug = await site.call("GET", f"{PRODUCTS}/slug/cap")
        _, found = await site.call("POST", f"{PRODUCTS}/query", {"query": {"filter": {"handle": "cap-1"}}})

        assert (made["slug"], made["revision"], made["plainDescription"]) == ("cap", "1", "<p>Warm</p>")
        assert made["url"]["relativePath"] == "/product-page/cap"
        assert (made["brand"]["name"], made["ribbon"]["name"]) == ("Pell", "New")
        assert made["variantsInfo"]["variants"][0]["price"] == {"actualPrice": {"amount": "20.00"}}
        assert "plainDescription" not in by_id["product"]
        assert by_slug["product"]["id"] == made["id"]
        assert [product["id"] for product in found["products"]] == [made["id"]]
        assert "variantsInfo" not in found["products"][0]
        assert made["inventory"]["availabilityStatus"] == "OUT_OF_STOCK"

    with_site(play)


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"variantsInfo": {"variants": [variant("MUG")]}}, 409, "SKU_ALREADY_EXIST_ERROR"),
        ({"slug": "mug"}, 409, "DUPLICATE_SLUG_ERROR"),
        ({"handle": "mug"}, 409, "DUPLICATE_HANDLE_ERROR"),
        ({"name": "   "}, 400, "ONLY_SPACES_STRING_ERROR"),
        ({"variantsInfo": {"variants": [variant("A"), variant("B")]}}, 428, "INVALID_DEFAULT_VARIANT"),
        ({"options": [{"id": "nowhere"}]}, 404, "CUSTOMIZATION_NOT_EXIST"),
        ({"options": [{"name": "Size"}]}, 400, "PRODUCT_OPTION_NAME_AND_TYPE_REQUIRED"),
        ({"ribbon": {"id": "nowhere"}}, 404, "RIBBON_NOT_FOUND"),
        ({"modifiers": [{"name": "Text"}]}, 400, "MODIFIER_NAME_AND_TYPE_REQUIRED"),
        (
            {
                "variantsInfo": {
                    "variants": [
                        {
                            "price": {
                                "actualPrice": {"amount": "9"},
                                "compareAtPrice": {"amount": "8"},
                            }
                        }
                    ]
                }
            },
            400,
            "COMPARE_AT_PRICE_LOWER_THAN_ACTUAL_PRICE",
        ),
    ],
)
def test_a_product_that_may_not_be_so_is_refused_and_nothing_is_made(
    more: dict[str, Any], status: int, code: str
) -> None:
    async def play(site: Site) -> None:
        before = len(site.store.shelf.products)
        got, told = await site.call("POST", PRODUCTS, {"product": plain(**more)})

        assert (got, code_of(told)) == (status, code)
        assert (len(site.store.shelf.products), "CAP" in site.store.shelf.by_sku) == (before, False)

    with_site(play)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"slug": "no spaces!"}, "INVALID_SLUG_FORMAT"),
        ({"name": "x" * 81}, "MAX_LENGTH"),
        ({"brand": {}}, "BRAND_MISSING_ID"),
        ({"variantsInfo": {"variants": []}}, "MIN_SIZE"),
        ({"variantsInfo": {"variants": [{"sku": "A"}]}}, "REQUIRED_FIELD"),
        ({"variantsInfo": {"variants": [variant("A", amount="1.2345")]}}, "DECIMAL_MAX_SCALE"),
        ({"variantsInfo": {"variants": [variant("A", amount="-1")]}}, "DECIMAL_GTE"),
        (
            {"variantsInfo": {"variants": [variant("A", digitalProperties={})]}},
            "VARIANTS_TYPED_PROPERTIES_ARE_NOT_ALIGNED",
        ),
    ],
)
def test_a_product_out_of_the_declared_limits_breaks_a_rule(more: dict[str, Any], rule: str) -> None:
    async def play(site: Site) -> None:
        status, told = await site.call("POST", PRODUCTS, {"product": plain(**more)})

        assert (status, rule_of(told)) == (400, rule)

    with_site(play)


def test_variants_must_take_one_choice_of_every_option_and_no_two_the_same() -> None:
    async def play(site: Site) -> None:
        lacking, twice, unknown = sized("S", "M"), sized("S", "M"), sized("S")
        lacking["variantsInfo"]["variants"][1].pop("choices")
        twice["variantsInfo"]["variants"][1]["choices"] = twice["variantsInfo"]["variants"][0]["choices"]
        unknown["variantsInfo"]["variants"] = [variant("CAP-L", "L")]
        answers = [await site.call("POST", PRODUCTS, {"product": product}) for product in (lacking, twice, unknown)]

        assert [status for status, _ in answers] == [428, 400, 400]
        assert code_of(answers[0][1]) == "VARIANTS_ARE_NOT_ALIGNED_WITH_PRODUCT"
        told = answers[0][1]["details"]["applicationError"]["data"]["variants"]
        assert told[0]["errorDescription"] == "needs exactly one choice of each of 1 options"
        assert code_of(answers[1][1]) == "DUPLICATE_VARIANT_OPTION_CHOICE"
        assert rule_of(answers[2][1]) == "MISSING_VARIANT_OPTION_CHOICE"

    with_site(play)


def test_an_update_needs_the_revision_and_overwrites_arrays_with_the_stock_of_what_is_gone() -> None:
    async def play(site: Site) -> None:
        shirt = next(one for one in site.store.shelf.products.values() if one.name == "Shirt")
        path = f"{PRODUCTS}/{shirt.id}"
        _, told = await site.call("GET", path)
        option = told["product"]["options"][0]
        small = next(row for row in told["product"]["variantsInfo"]["variants"] if row["sku"] == "SHIRT-S")
        whole = {
            "revision": "1",
            "name": "Shirt again",
            "options": [{**option, "choicesSettings": {"choices": option["choicesSettings"]["choices"][:1]}}],
            "variantsInfo": {"variants": [{"id": small["id"], **variant("SHIRT-S", "S", amount="13")}]},
        }
        stale = await site.call("PATCH", path, {"product": {**whole, "revision": "7"}})
        without = await site.call("PATCH", path, {"product": {"name": "X"}})
        lone = await site.call("PATCH", path, {"product": {"revision": "1", "variantsInfo": whole["variantsInfo"]}})
        status, changed = await site.call("PATCH", path, {"product": whole})

        assert (stale[0], without[0], rule_of(without[1])) == (409, 400, "REQUIRED_FIELD")
        assert rule_of(lone[1]) == "MISSING_OPTIONS_ON_UPDATE_VARIANTS"
        assert (status, changed["product"]["revision"], changed["product"]["name"]) == (200, "2", "Shirt again")
        assert changed["product"]["actualPriceRange"]["maxValue"] == {"amount": "13.00"}
        assert await site.levels() == {"MUG": 5, "SHIRT-S": 3, "OLD": 9}
        assert (await site.buy("SHIRT-S", 1))[0] == 201
        assert (await site.buy("SHIRT-M", 1))[0] == 404

    with_site(play)


def test_a_hidden_product_cannot_be_bought_and_a_deleted_one_is_gone_with_its_items() -> None:
    async def play(site: Site) -> None:
        mug = next(one for one in site.store.shelf.products.values() if one.name == "Mug")
        path = f"{PRODUCTS}/{mug.id}"
        await site.call("PATCH", path, {"product": {"revision": "1", "visible": False}})
        hidden = await site.buy("MUG", 1)
        await site.call("DELETE", path)
        again, _ = await site.call("DELETE", path)
        _, items = await site.call(
            "POST", "/stores/v3/inventory-items/query", {"query": {"filter": {"productId": mug.id}}}
        )

        assert (hidden[0], again, items["inventoryItems"]) == (409, 404, [])
        assert "MUG" not in await site.levels()

    with_site(play)


def test_a_product_with_stock_is_sold_at_once_and_stock_is_set_under_its_revision() -> None:
    async def play(site: Site) -> None:
        product = plain(variantsInfo={"variants": [variant("CAP", inventoryItem={"quantity": 4})]})
        _, made = await site.call("POST", STOCKED, {"product": product, "returnEntity": True})
        item = made["inventoryResults"]["results"][0]["item"]
        bought = await site.buy("CAP", 1)
        asked = {"revision": "1", "variantsInfo": {"variants": [variant("CAP")]}}
        results = []
        for revision in ("1", "2"):
            asked["variantsInfo"] = {
                "variants": [variant("CAP", inventoryItem={"id": item["id"], "revision": revision, "quantity": 9})]
            }
            _, told = await site.call("PATCH", f"{STOCKED}/{made['product']['id']}", {"product": asked})
            results.append(told["inventoryResults"]["results"][0]["itemMetadata"]["success"])
            asked["revision"] = told["product"]["revision"]

        assert (item["quantity"], bought[0], results) == (4, 201, [False, True])
        assert (await site.levels())["CAP"] == 9

    with_site(play)


def test_bulk_calls_tell_the_fate_of_each_product() -> None:
    async def play(site: Site) -> None:
        rows = [plain("One", variantsInfo={"variants": [variant("ONE")]}), plain("Two", slug="mug")]
        _, made = await site.call("POST", f"{BULK}/create", {"products": rows, "returnEntity": True})
        one = made["results"][0]["item"]
        masked = [{"product": {"id": one["id"], "revision": "1", "name": "Uno"}}, {"product": {"id": NOTHING}}]
        _, changed = await site.call("POST", f"{BULK}/update", {"products": masked})
        twice = await site.call("POST", f"{BULK}/delete", {"productIds": [one["id"], one["id"]]})
        _, gone = await site.call("POST", f"{BULK}/delete", {"productIds": [one["id"], NOTHING]})

        assert made["results"][1]["itemMetadata"]["error"]["code"] == "DUPLICATE_SLUG_ERROR"
        assert [row["itemMetadata"]["success"] for row in changed["results"]] == [True, False]
        assert (twice[0], rule_of(twice[1])) == (400, "DUPLICATE_PRODUCT_IDS_REQUEST")
        assert gone["bulkActionMetadata"] == {"totalSuccesses": 1, "totalFailures": 1, "undetailedFailures": 0}

    with_site(play)


def test_calls_by_filter_change_prices_tags_and_visibility() -> None:
    async def play(site: Site) -> None:
        shirts = {"name": {"$startsWith": "Shirt"}}
        await site.call("POST", f"{BULK}/update-by-filter", {"filter": shirts, "product": {"visible": False}})
        rise = {"actualPrice": {"percentage": 10}, "rounding": "NEAREST_WHOLE_NUMBER"}
        await site.call("POST", f"{BULK}/adjust-variants-by-filter", {"filter": {"sku": "MUG"}, **rise})
        empty = await site.call("POST", f"{BULK}/adjust-variants-by-filter", {"filter": {"sku": "MUG"}})
        shelf = site.store.shelf
        await site.call("POST", f"{BULK}/delete-by-filter", {"filter": {"visible": False}})

        assert shelf.by_sku["MUG"].price == 14
        assert rule_of(empty[1]) == "NO_VARIANT_ADJUSTMENTS_PASSED"
        assert [product.name for product in shelf.products.values()] == ["Mug"]

    with_site(play)


def test_search_sorts_where_query_refuses_to_and_variants_are_found_by_sku() -> None:
    async def play(site: Site) -> None:
        sort = [{"fieldName": "name", "order": "DESC"}]
        refused = await site.call("POST", f"{PRODUCTS}/query", {"query": {"sort": [{"fieldName": "slug"}]}})
        _, told = await site.call("POST", f"{PRODUCTS}/search", {"search": {"sort": sort}})
        _, counted = await site.call("POST", f"{PRODUCTS}/count", {"filter": {}, "returnNonVisibleProducts": True})
        _, shown = await site.call("POST", f"{PRODUCTS}/count", {})
        _, found = await site.call(
            "POST", f"{PRODUCTS}/search-variants", {"search": {"search": {"expression": "shirt-m"}}}
        )

        assert (refused[0], code_of(refused[1])) == (400, "UNSUPPORTED_SORT_FIELD")
        assert [product["name"] for product in told["products"]] == ["Shirt", "Old", "Mug"]
        assert (counted["count"], shown["count"]) == (3, 2)
        assert [row["sku"] for row in found["variants"]] == ["SHIRT-M"]

    with_site(play)


def test_what_needs_a_permission_is_403_without_it() -> None:
    async def play(site: Site) -> None:
        costly = await site.call("POST", f"{PRODUCTS}/query", {"query": {}, "fields": ["MERCHANT_DATA"]})
        hidden = await site.call("POST", f"{PRODUCTS}/count", {"returnNonVisibleProducts": True})
        unknown = await site.call("POST", f"{PRODUCTS}/query", {"query": {}, "fields": ["PRICE"]})

        assert (costly[0], code_of(costly[1])) == (403, "NO_PERMISSION_TO_READ_MERCHANT_DATA")
        assert (hidden[0], code_of(hidden[1])) == (403, "NO_PERMISSION_TO_INCLUDE_NOT_VISIBLE_PRODUCTS")
        assert (unknown[0], rule_of(unknown[1])) == (400, "INVALID_ENUM_VALUE")

    with_site(play, WixOptions(denied_scopes=frozenset({"SCOPE.STORES.PRODUCT_READ_ADMIN"})))


def test_products_come_change_and_go_in_events() -> None:
    async def play(site: Site) -> None:
        made = await create(site, plain())
        await site.call("PATCH", f"{PRODUCTS}/{made['id']}", {"product": {"revision": "1", "name": "Hat"}})
        await site.call("DELETE", f"{PRODUCTS}/{made['id']}")
        events = [event["event"] for event in await site.events()][-3:]

        assert [event["slug"] for event in events] == ["created", "updated", "deleted"]
        assert events[1]["updatedEvent"]["currentEntity"]["name"] == "Hat"
        assert events[1]["updatedEvent"]["modifiedFields"] == {"name": "Hat"}
        assert [event["entityEventSequence"] for event in events] == ["1", "2", "3"]

    with_site(play, WixOptions(webhook_url=HOOK))


@pytest.mark.parametrize(("settable", "handle"), [(True, "mine"), (False, "cap")])
def test_w26_whether_a_handle_can_be_set(settable: bool, handle: str) -> None:
    async def play(site: Site) -> None:
        assert (await create(site, plain(handle="mine")))["handle"] == handle

    with_site(play, WixOptions(quirks=WixQuirks(w26_handle_can_be_set=settable)))


@pytest.mark.parametrize(("unique", "status"), [(True, 409), (False, 200)])
def test_w26_whether_a_handle_is_a_natural_key(unique: bool, status: int) -> None:
    async def play(site: Site) -> None:
        await create(site, plain(handle="mine"))
        second = plain(handle="mine", variantsInfo={"variants": [variant("CAP-2")]})

        assert (await site.call("POST", PRODUCTS, {"product": second}))[0] == status

    with_site(play, WixOptions(quirks=WixQuirks(w26_handle_is_unique=unique)))


@pytest.mark.parametrize("accepted", [True, False])
def test_w27_whether_a_caller_names_variants(accepted: bool) -> None:
    async def play(site: Site) -> None:
        made = await create(site, plain(variantsInfo={"variants": [variant("CAP", id=MINE)]}))
        again = plain(variantsInfo={"variants": [variant("CAP-2", id=MINE)]})
        status, told = await site.call("POST", PRODUCTS, {"product": again})

        assert (made["variantsInfo"]["variants"][0]["id"] == MINE) is accepted
        assert status == (409 if accepted else 200)
        assert not accepted or code_of(told) == "VARIANT_ID_ALREADY_EXISTS"

    with_site(play, WixOptions(quirks=WixQuirks(w27_variant_ids_accepted=accepted)))


def test_media_of_a_product_and_of_its_choices_are_kept_with_their_texts() -> None:
    async def play(site: Site) -> None:
        front = {
            "url": "https://pictures.example/front.png",
            "altText": "A cap, from the front",
            "displayName": "Front",
        }
        film = {"url": "https://films.example/turn.mp4", "altText": "It turns"}
        asked = sized("S", "M")
        asked["media"] = {"itemsInfo": {"items": [front, film, {"id": "8bb438_cap.jpg", "altText": "Its back"}]}}
        asked["options"][0]["choicesSettings"]["choices"][1]["linkedMedia"] = [film]
        made = await create(site, asked)
        path = f"{PRODUCTS}/{made['id']}"
        _, short = await site.call("GET", path)
        _, whole = await site.call("GET", f"{path}?fields=MEDIA_ITEMS_INFO")

        assert short["product"]["media"] == {"main": {**front, "mediaType": "IMAGE"}}
        assert whole["product"]["media"]["itemsInfo"]["items"] == [
            {**front, "mediaType": "IMAGE"},
            {**film, "mediaType": "VIDEO"},
            {
                "id": "8bb438_cap.jpg",
                "altText": "Its back",
                "mediaType": "IMAGE",
                "image": {"id": "8bb438_cap.jpg", "url": "https://static.wixstatic.com/media/8bb438_cap.jpg"},
            },
        ]
        choices = whole["product"]["options"][0]["choicesSettings"]["choices"]
        assert [choice.get("linkedMedia") for choice in choices] == [None, [{**film, "mediaType": "VIDEO"}]]

        change = {"revision": made["revision"], "media": {"itemsInfo": {"items": [film]}}}
        status, changed = await site.call("PATCH", path, {"product": change})
        assert (status, changed["product"]["media"]["main"]["url"]) == (200, film["url"])
        _, again = await site.call("GET", path)
        kept = again["product"]["options"][0]["choicesSettings"]["choices"][1]
        assert kept["linkedMedia"] == [{**film, "mediaType": "VIDEO"}]

    with_site(play)
