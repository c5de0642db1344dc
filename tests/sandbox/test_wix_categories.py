"""Categories of the pretend Wix site (collections on Catalog V1): made, filled, emptied, read, and told of."""

from __future__ import annotations

from typing import Any

import pytest
from wix_site import HOOK, Site, with_site

from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import STORES_APP_ID, WixOptions

CATEGORIES = "/categories/v1/categories"
TREE = {"treeReference": {"appNamespace": "@wix/stores"}}
NOBODY = "00000000-0000-4000-8000-00000000ffff"
ALL = {"id": "00000000-0000-4000-8000-000000000001"}
TELLING = ("category_item_", "CollectionChanged", "product_updated", "ProductChanged")


def id_of(site: Site, sku: str) -> str:
    return site.store.shelf.by_sku[sku].product.id


def item(site: Site, sku: str) -> dict[str, str]:
    return {"catalogItemId": id_of(site, sku), "appId": STORES_APP_ID}


async def made(site: Site, name: str, **more: Any) -> dict[str, Any]:
    status, told = await site.call("POST", CATEGORIES, {"category": {"name": name, **more}, **TREE})
    assert status == 200, told
    return dict(told["category"])


async def put_in(site: Site, category: str, *items: dict[str, str], verb: str = "add-items") -> dict[str, Any]:
    path = f"/categories/v1/bulk/categories/{category}/{verb}"
    return dict((await site.call("POST", path, {"items": items, **TREE}))[1])


async def told_by_products(site: Site) -> dict[str, Any]:
    body = {"fields": ["DIRECT_CATEGORIES_INFO", "ALL_CATEGORIES_INFO"]}
    _, told = await site.call("POST", "/stores/v3/products/query", body)
    names = ("directCategoriesInfo", "allCategoriesInfo")
    return {
        one["name"]: tuple([c["id"] for c in one[name]["categories"]] for name in names) for one in told["products"]
    }


async def listed(site: Site, **more: Any) -> list[tuple[str, int]]:
    _, told = await site.call("POST", f"{CATEGORIES}/query", {**TREE, **more})
    return [(one["name"], one["itemCounter"]) for one in told["categories"]]


def test_a_product_is_in_its_category_and_in_those_above_until_it_is_taken_out() -> None:
    async def play(site: Site) -> None:
        summer = await made(site, "Summer Sale")
        assert (summer["slug"], summer["revision"], summer["itemCounter"]) == ("summer-sale", "1", 0)
        shirts = await made(site, "Shirts", parentCategory={"id": summer["id"]})
        added = await put_in(site, shirts["id"], item(site, "MUG"), {**item(site, "MUG"), "appId": NOBODY})
        assert added["bulkActionMetadata"] == {"totalSuccesses": 1, "totalFailures": 1, "undetailedFailures": 0}
        assert added["results"][0]["itemMetadata"] == {
            "item": item(site, "MUG"),
            "originalIndex": 0,
            "success": True,
        }
        assert added["results"][1]["itemMetadata"]["error"]["code"] == "ITEM_NOT_FOUND"
        every, mine = ALL["id"], [ALL["id"], shirts["id"]]
        products = await told_by_products(site)
        assert products.pop(site.store.shelf.by_sku["MUG"].product.name) == (mine, [*mine, summer["id"]])
        assert set(map(repr, products.values())) == {repr(([every], [every]))}
        assert await listed(site) == [
            ("All Products", len(site.store.shelf.products)),
            ("Summer Sale", 0),
            ("Shirts", 1),
        ]
        gone = await put_in(site, shirts["id"], item(site, "MUG"), verb="remove-items")
        assert gone["bulkActionMetadata"]["totalSuccesses"] == 1
        again = await put_in(site, shirts["id"], item(site, "MUG"), verb="remove-items")
        assert again["results"][0]["itemMetadata"]["error"]["code"] == "ITEM_NOT_IN_CATEGORY"
        assert (await site.call("DELETE", f"{CATEGORIES}/{summer['id']}", TREE))[0] == 200
        assert await listed(site) == [("All Products", len(site.store.shelf.products))]

    with_site(play, WixOptions())


def test_hidden_categories_are_listed_when_asked_for_and_other_trees_are_refused() -> None:
    async def play(site: Site) -> None:
        hidden = await made(site, "Secret", visible=False)
        assert [name for name, _ in await listed(site)] == ["All Products"]
        assert ("Secret", 0) in await listed(site, returnNonVisibleCategories=True)
        status, told = await site.call("POST", f"{CATEGORIES}/query", {"treeReference": {"appNamespace": "@wix/food"}})
        assert (status, told["details"]["applicationError"]["code"]) == (404, "NAMESPACE_NOT_FOUND_IN_DEV_CENTER")
        assert (await site.call("POST", f"{CATEGORIES}/query", {}))[0] == 400
        one = f"{CATEGORIES}/{hidden['id']}?treeReference.appNamespace=@wix/stores"
        assert (await site.call("GET", one))[1]["category"]["name"] == "Secret"
        assert (await site.call("GET", one.replace(hidden["id"], NOBODY)))[0] == 404
        await made(site, "Open", slug="open")
        taken = {"category": {"slug": "open", "revision": "1"}, **TREE}
        status, told = await site.call("PATCH", f"{CATEGORIES}/{hidden['id']}", taken)
        assert (status, told["details"]["applicationError"]["code"]) == (409, "DUPLICATE_SLUG")

    with_site(play, WixOptions())


@pytest.mark.parametrize("catalog", ["v3", "v1"])
@pytest.mark.parametrize("tells", ["category", "product", "nothing"])
def test_who_comes_and_goes_is_told_by_the_category_the_product_or_nobody(tells: Any, catalog: Any) -> None:
    async def play(site: Site) -> None:
        category = site.store.categories.make("Summer")
        if catalog == "v3":
            await put_in(site, category.id, item(site, "MUG"))
            await put_in(site, category.id, item(site, "MUG"), verb="remove-items")
        else:
            body = {"productIds": [id_of(site, "MUG")]}
            assert (await site.call("POST", f"/stores/v1/collections/{category.id}/productIds", body))[0] == 200
            await site.call("POST", f"/stores/v1/collections/{category.id}/productIds/delete", body)
        names = [event["eventType"].rpartition(".")[2] for event in await site.events()]
        heard = [name for name in names if name.startswith(TELLING)]
        expected = {
            ("category", "v3"): ["category_item_added_to_category", "category_item_removed_from_category"],
            ("category", "v1"): ["CollectionChanged"] * 2,
            ("product", "v3"): ["product_updated"] * 2,
            ("product", "v1"): ["ProductChanged"] * 2,
        }
        assert heard == expected.get((tells, catalog), [])

    quirks = WixQuirks(w43_membership_tells=tells)
    with_site(play, WixOptions(catalog=catalog, webhook_url=HOOK, quirks=quirks))


@pytest.mark.parametrize("is_listed", [True, False])
def test_the_category_of_all_products_has_an_address_of_its_own(is_listed: bool) -> None:
    async def play(site: Site) -> None:
        _, told = await site.call("GET", "/stores/v3/all-products-category")
        assert told == {"categoryId": ALL["id"], "treeReference": {"appNamespace": "@wix/stores"}}
        assert [name for name, _ in await listed(site)] == ["All Products"] * is_listed
        assert {repr(one) for one in (await told_by_products(site)).values()} == {repr(([ALL["id"]] * is_listed,) * 2)}

    with_site(play, WixOptions(quirks=WixQuirks(w44_all_products_is_listed=is_listed)))


def test_collections_of_the_older_catalogue_are_listed_with_that_of_all_products_and_named_by_theirs() -> None:
    async def play(site: Site) -> None:
        status, told = await site.call("POST", "/stores/v1/collections", {"collection": {"name": "Summer Sale"}})
        assert (status, told["collection"]["slug"]) == (200, "summer-sale")
        summer, every = told["collection"]["id"], "00000000-000000-000000-000000000001"
        body = {"productIds": [id_of(site, "MUG")]}
        assert await site.call("POST", f"/stores/v1/collections/{summer}/productIds", body) == (200, {})
        _, told = await site.call("POST", "/stores-reader/v1/products/query", {"query": {}})
        named = {one["id"]: one["collectionIds"] for one in told["products"]}
        assert named.pop(id_of(site, "MUG")) == [every, summer]
        assert set(map(tuple, named.values())) == {(every,)}
        query = {"query": {"paging": {"limit": 100, "offset": 0}}, "includeNumberOfProducts": True}
        _, told = await site.call("POST", "/stores-reader/v1/collections/query", query)
        assert [(one["id"], one["name"], one["numberOfProducts"]) for one in told["collections"]] == [
            (every, "All Products", len(site.store.shelf.products)),
            (summer, "Summer Sale", 1),
        ]
        new = {"collection": {"name": "Autumn", "slug": "autumn"}}
        assert (await site.call("PATCH", f"/stores/v1/collections/{summer}", new))[1]["collection"]["name"] == "Autumn"
        _, told = await site.call("GET", "/stores-reader/v1/collections/slug/autumn")
        assert told["collection"]["id"] == summer
        assert (await site.call("DELETE", f"/stores/v1/collections/{summer}"))[0] == 200
        assert (await site.call("DELETE", f"/stores/v1/collections/{summer}"))[0] == 404

    with_site(play, WixOptions(catalog="v1"))
