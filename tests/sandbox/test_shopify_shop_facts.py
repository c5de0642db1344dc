"""What older clients ask the pretend Shopify shop and its goods: address, tags in use, lists, prices."""

from __future__ import annotations

from shopify_shop import Shop, with_shop

MAKE = """mutation Make($input: ProductSetInput!) { productSet(input: $input) {
    product { id } userErrors { message } } }"""


def test_the_shop_tells_its_address_its_tags_in_use_and_the_lists_that_moved_to_the_root() -> None:
    async def play(shop: Shop) -> None:
        for title, tags in (("Jug", ["kitchen", "new"]), ("Pan", ["kitchen"])):
            await shop.told(MAKE, input={"title": title, "tags": tags, "vendor": "Acme"})
        told = await shop.told(
            "query Shop { shop { shopAddress { city countryCodeV2 formatted } shopOwnerName shipsToCountries"
            " currencyFormats { moneyFormat } domains { host } productTags(first: 5) { nodes }"
            " productVendors(first: 5) { edges { node } } products(first: 2) { nodes { title } }"
            " locations(first: 5) { nodes { name } } } }"
        )
        assert told["data"]["shop"] == {
            "shopAddress": {
                "city": "Ulm",
                "countryCodeV2": "DE",
                "formatted": ["Larkfield", "Hafenstrasse 1", "89073 Ulm", "Germany"],
            },
            "shopOwnerName": "Olive Owner",
            "shipsToCountries": ["DE"],
            "currencyFormats": {"moneyFormat": "{{amount}}"},
            "domains": [{"host": "larkfield-sandbox.myshopify.com"}],
            "productTags": {"nodes": ["kitchen", "new"]},
            "productVendors": {"edges": [{"node": "Acme"}]},
            "products": {"nodes": [{"title": "Mug"}, {"title": "Shirt"}]},
            "locations": {"nodes": [{"name": "Main warehouse"}, {"name": "Outlet"}]},
        }

    with_shop(play)


def test_a_product_tells_its_price_ranges_and_where_it_is_published_and_a_deletion_names_the_shop() -> None:
    async def play(shop: Shop) -> None:
        sizes = [{"name": one} for one in ("S", "M")]
        variants = [
            {"optionValues": [{"optionName": "Size", "name": one["name"]}], "price": price, "compareAtPrice": before}
            for one, price, before in zip(sizes, ("5.00", "7.50"), (None, "9.00"), strict=True)
        ]
        given = {"title": "Cap", "productOptions": [{"name": "Size", "values": sizes}], "variants": variants}
        product = (await shop.told(MAKE, input=given))["data"]["productSet"]["product"]["id"]
        told = await shop.told(
            "query Cap($id: ID!) { product(id: $id) { publishedOnCurrentPublication resourcePublicationsCount { count }"
            " priceRange { minVariantPrice { amount } maxVariantPrice { amount } }"
            " compareAtPriceRange { minVariantCompareAtPrice { amount } maxVariantCompareAtPrice { amount } } } }",
            id=product,
        )
        assert told["data"]["product"] == {
            "publishedOnCurrentPublication": True,
            "resourcePublicationsCount": {"count": 1},
            "priceRange": {"minVariantPrice": {"amount": "5.0"}, "maxVariantPrice": {"amount": "7.5"}},
            "compareAtPriceRange": {
                "minVariantCompareAtPrice": {"amount": "9.0"},
                "maxVariantCompareAtPrice": {"amount": "9.0"},
            },
        }
        gone = await shop.told(
            "mutation Gone($id: ID!) { productDelete(input: {id: $id}) { shop { name } deletedProductId } }", id=product
        )
        assert gone["data"]["productDelete"] == {"shop": {"name": "Larkfield Shopify"}, "deletedProductId": product}

    with_shop(play)
