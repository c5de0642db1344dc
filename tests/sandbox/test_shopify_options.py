"""Options of products: made, changed, deleted, reordered, and what becomes of the variants and their stock."""

from __future__ import annotations

from typing import Any

from shopify_shop import Shop, with_shop

SHOWN = "product { id options { id name optionValues { id name } } variants(first: 50) { nodes { title position } } }"
MAKE = 'mutation Make { productCreate(product: {title: "Rain jacket"}) { product { id } } }'
CREATE = f"""mutation Create($id: ID!, $options: [OptionCreateInput!]!, $how: ProductOptionCreateVariantStrategy) {{
  productOptionsCreate(productId: $id, options: $options, variantStrategy: $how) {{
    {SHOWN} userErrors {{ field message code }} }} }}"""
UPDATE = f"""mutation Update($id: ID!, $option: OptionUpdateInput!, $add: [OptionValueCreateInput!], $drop: [ID!],
    $rename: [OptionValueUpdateInput!], $how: ProductOptionUpdateVariantStrategy) {{
  productOptionUpdate(productId: $id, option: $option, optionValuesToAdd: $add, optionValuesToDelete: $drop,
    optionValuesToUpdate: $rename, variantStrategy: $how) {{ {SHOWN} userErrors {{ field message code }} }} }}"""
DELETE = f"""mutation Delete($id: ID!, $options: [ID!]!, $how: ProductOptionDeleteStrategy) {{
  productOptionsDelete(productId: $id, options: $options, strategy: $how) {{
    deletedOptionsIds {SHOWN} userErrors {{ field message code }} }} }}"""
REORDER = f"""mutation Reorder($id: ID!, $options: [OptionReorderInput!]!) {{
  productOptionsReorder(productId: $id, options: $options) {{ {SHOWN} userErrors {{ field message code }} }} }}"""
SIZE = {"name": "Size", "values": [{"name": "S"}, {"name": "M"}]}
COLOUR = {"name": "Colour", "values": [{"name": "Red"}, {"name": "Blue"}]}


async def jacket(shop: Shop, *options: dict[str, Any], how: str = "CREATE") -> dict[str, Any]:
    """A product with these options and, unless told otherwise, a variant for each combination."""
    made = (await shop.told(MAKE))["data"]["productCreate"]["product"]
    return await done(shop, CREATE, id=made["id"], options=list(options), how=how)


async def done(shop: Shop, query: str, **variables: Any) -> dict[str, Any]:
    answer = await shop.told(query, **variables)
    (payload,) = answer["data"].values()
    assert payload["userErrors"] == []
    return payload["product"]


async def refusal(shop: Shop, query: str, **variables: Any) -> list[str]:
    (payload,) = (await shop.told(query, **variables))["data"].values()
    return [error["code"] for error in payload["userErrors"]]


def titles(product: dict[str, Any]) -> list[str]:
    rows = product["variants"]["nodes"]
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["title"] for row in rows]


def test_the_one_variant_takes_the_first_value_of_each_new_option() -> None:
    async def play(shop: Shop) -> None:
        product = await jacket(shop, SIZE, COLOUR, how="LEAVE_AS_IS")
        assert [option["name"] for option in product["options"]] == ["Size", "Colour"]
        assert titles(product) == ["S / Red"]

    with_shop(play)


def test_asked_to_it_makes_a_variant_for_each_combination_with_a_level_of_stock() -> None:
    async def play(shop: Shop) -> None:
        product = await jacket(shop, SIZE, COLOUR)
        assert titles(product) == ["S / Red", "S / Blue", "M / Red", "M / Blue"]
        held = shop.store.shelves.products[product["id"]].variants
        assert all(len(shop.store.stock.levels_of(one.item_id)) == 1 for one in held)

    with_shop(play)


def test_an_option_that_is_there_and_a_fourth_one_are_refused_and_change_nothing() -> None:
    async def play(shop: Shop) -> None:
        product = await jacket(shop, SIZE)
        again = await refusal(shop, CREATE, id=product["id"], options=[SIZE])
        more = [{"name": name, "values": [{"name": "x"}]} for name in "ABC"]
        assert again == ["OPTION_ALREADY_EXISTS"]
        assert await refusal(shop, CREATE, id=product["id"], options=more) == ["OPTIONS_OVER_LIMIT"]
        assert len(shop.store.shelves.products[product["id"]].options) == 1

    with_shop(play)


def test_a_renamed_value_shows_in_its_variants_and_one_in_use_goes_only_with_them() -> None:
    async def play(shop: Shop) -> None:
        product = await jacket(shop, SIZE)
        option, small = product["options"][0], product["options"][0]["optionValues"][0]
        given = {"id": product["id"], "option": {"id": option["id"], "name": "Fit"}}
        renamed = await done(shop, UPDATE, **given, rename=[{"id": small["id"], "name": "Small"}])
        assert titles(renamed) == ["Small", "M"]
        assert await refusal(shop, UPDATE, **given, drop=[small["id"]]) == ["OPTION_VALUE_HAS_VARIANTS"]
        left = await done(shop, UPDATE, **given, drop=[small["id"]], add=[{"name": "L"}], how="MANAGE")
        assert titles(left) == ["M", "L"]

    with_shop(play)


def test_an_option_of_many_values_goes_only_by_position_and_the_first_of_each_kind_stays() -> None:
    async def play(shop: Shop) -> None:
        product = await jacket(shop, SIZE, COLOUR)
        given = {"id": product["id"], "options": [product["options"][1]["id"]]}
        assert await refusal(shop, DELETE, **given) == ["CANNOT_DELETE_OPTION_WITH_MULTIPLE_VALUES"]
        assert await refusal(shop, DELETE, **given, how="NON_DESTRUCTIVE") == ["CANNOT_USE_NON_DESTRUCTIVE_STRATEGY"]
        assert titles(await done(shop, DELETE, **given, how="POSITION")) == ["S", "M"]

    with_shop(play)


def test_without_its_last_option_a_product_has_its_default_again() -> None:
    async def play(shop: Shop) -> None:
        product = await jacket(shop, SIZE)
        left = await done(shop, DELETE, id=product["id"], options=[product["options"][0]["id"]], how="POSITION")
        assert (left["options"][0]["name"], titles(left)) == ("Title", ["Default Title"])

    with_shop(play)


def test_variants_follow_the_order_of_options_and_values() -> None:
    async def play(shop: Shop) -> None:
        product = await jacket(shop, SIZE, COLOUR)
        order = [{"name": "Colour", "values": [{"name": "Blue"}, {"name": "Red"}]}, {"name": "Size"}]
        assert await refusal(shop, REORDER, id=product["id"], options=order[:1]) == ["MISSING_OPTION_NAME"]
        shown = await done(shop, REORDER, id=product["id"], options=order)
        assert titles(shown) == ["Blue / S", "Blue / M", "Red / S", "Red / M"]

    with_shop(play)
