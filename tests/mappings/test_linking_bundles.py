"""Which SKUs are ordinary goods, where some store makes things up itself."""

from __future__ import annotations

from storebridge.mappings.link import Links, link_as_kept, link_by_sku
from storebridge.mappings.renamed import Names
from storebridge.model.catalogue import Variant
from storebridge.model.ids import ConnectionName, ItemId, ProductId, VariantId

SHOP, WIX, OUTLET = ConnectionName("shop"), ConnectionName("wix"), ConnectionName("outlet")


def variant(sku: str, item: str = "", **facts: object) -> Variant:
    name = item or sku
    return Variant(VariantId(name), ProductId(name), ItemId(name), sku, "", sku, **facts)  # type: ignore[arg-type]


def made_up(sku: str, **components: int) -> Variant:
    return variant(sku, adjustable=False, components=components)


def ordinary(links: Links) -> list[str]:
    return [one.sku for one in links.linked]


def why(links: Links) -> dict[str, str]:
    return {one.sku: one.why for one in links.troubles}


def test_what_one_store_makes_up_of_unknown_parts_is_no_ordinary_good_of_two_others() -> None:
    catalogues = {
        SHOP: [made_up("GIFT")],
        WIX: [variant("GIFT"), variant("A")],
        OUTLET: [variant("GIFT"), variant("A")],
    }
    links = link_by_sku(catalogues)
    assert ordinary(links) == ["A"]
    assert why(links) == {"GIFT": "shop makes it up itself, and it could not be read of what"}
    assert [one.sku for one in links.unlinked] == ["GIFT"]


def test_the_configuration_tells_what_the_store_does_not() -> None:
    catalogues = {SHOP: [made_up("GIFT"), variant("A")], WIX: [variant("GIFT")], OUTLET: [variant("GIFT")]}
    links = link_by_sku(catalogues, {"GIFT": {"A": 2}})
    assert [(one.sku, sorted(one.variants)) for one in links.bundles] == [("GIFT", ["outlet", "wix"])]
    assert why(links) == {}


def test_a_recipe_told_in_two_ways_makes_no_ordinary_good_either() -> None:
    catalogues = {SHOP: [made_up("GIFT", A=1), variant("A")], WIX: [variant("GIFT")], OUTLET: [variant("GIFT")]}
    links = link_by_sku(catalogues, {"GIFT": {"A": 2}})
    assert ordinary(links) == []
    assert links.bundles == ()
    assert list(why(links)) == ["GIFT"]
    assert "item_not_adjustable" not in {one.obstacle for one in links.unlinked}


def test_a_counter_that_was_a_bundles_is_no_ordinary_good_before_it_was_let_go() -> None:
    catalogues = {SHOP: [variant("GIFT")], WIX: [variant("GIFT")]}
    assert ordinary(link_by_sku(catalogues)) == ["GIFT"]
    assert ordinary(link_by_sku(catalogues, bundles=["GIFT"])) == []


def test_items_and_bundles_are_linked_by_the_names_under_which_they_are_kept() -> None:
    names: Names = {(WIX, ItemId("a")): "A"}
    bundles: Names = {(WIX, ItemId("g")): "GIFT"}
    catalogues = {SHOP: [variant("A")], WIX: [variant("A-NEW", "a"), variant("GIFT-NEW", "g")]}
    kept = link_as_kept(catalogues, {"GIFT": {"A": 2}}, names, bundles)
    assert (ordinary(kept), [one.sku for one in kept.bundles], why(kept)) == (["A"], ["GIFT"], {})
    renamed = link_as_kept(catalogues, {"GIFT-NEW": {"A": 2}}, names, bundles)
    assert [one.sku for one in renamed.bundles] == ["GIFT-NEW"]
