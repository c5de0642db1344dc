"""A carrier is told to each vendor in that vendor's own word, so that both make a link that works."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from builders.orders import make_order, make_parcel
from storebridge.connectors.shopify.write_orders import encode_order_call as to_shopify
from storebridge.connectors.wix.marked_numbers import without_mark
from storebridge.connectors.wix.write_orders import encode_order_call as to_wix
from storebridge.flows.confirm import shows
from storebridge.model.carriers import CARRIERS, LINKS, NAMES, shopify_name
from storebridge.model.ids import OrderId
from storebridge.model.order_writes import ChangeTracking
from storebridge.model.sales import Tracking


def heard_by(company: str, number: str = "123", url: str = "", mark: int = 0) -> tuple[dict[str, str], dict[str, str]]:
    """What Wix and Shopify hear of a parcel's tracking."""
    tracking = Tracking(company, number, url)
    write = ChangeTracking(OrderId("0e8b2e3a-6f2f-4f5c-9d52-3b3f0c1c9a11"), "p1", tracking, True, mark)
    wix: dict[str, Any] = msgspec.json.decode(to_wix(write).body)
    shopify: dict[str, Any] = msgspec.json.decode(to_shopify(write, "key").body)
    return wix["fulfillment"]["trackingInfo"], shopify["variables"]["tracking"]


def told(company: str) -> tuple[str, str]:
    """The names that Wix and Shopify hear."""
    wix, shopify = heard_by(company)
    return wix["shippingProvider"], shopify["company"]


@pytest.mark.parametrize(
    ("company", "heard"),
    [
        ("UPS", ("ups", "UPS")),
        ("fedex", ("fedex", "FedEx")),
        ("Canada Post", ("canadaPost", "Canada Post")),
        ("canadaPost", ("canadaPost", "Canada Post")),
        ("DHL", ("dhl", "DHL")),
        ("DHL Express", ("dhl", "DHL Express")),
        ("Correos de Mallorca", ("Correos de Mallorca", "Correos de Mallorca")),
        (" deutsche post ", ("Deutsche Post", "Deutsche Post")),
        ("ROYAL MAIL", ("Royal Mail", "Royal Mail")),
        ("dhl ecommerce", ("DHL eCommerce", "DHL eCommerce")),
        ("dhl", ("dhl", "DHL Express")),
        ("federal express", ("fedex", "FedEx")),
        ("西濃運輸", ("西濃運輸", "西濃運輸")),
    ],
)
def test_a_carrier_is_named_as_each_vendor_names_it(company: str, heard: tuple[str, str]) -> None:
    assert told(company) == heard


def test_new_tracking_is_proven_whatever_the_store_calls_the_carrier_and_links_to() -> None:
    shown = make_parcel("p1", tracking=(Tracking("ups", "123", "https://www.ups.com/track?tracknum=123"),))
    order = make_order(parcels=(shown,))
    assert shows(order, ChangeTracking(order.order_id, "p1", Tracking("UPS", "123"), True), {})
    assert not shows(order, ChangeTracking(order.order_id, "p1", Tracking("UPS", "124"), True), {})
    other = Tracking("UPS", "123", "https://example.org")
    assert shows(order, ChangeTracking(order.order_id, "p1", other, True), {})
    local = make_order(parcels=(make_parcel("p1", tracking=(Tracking("Our van", "123", "https://van.example"),)),))
    assert shows(local, ChangeTracking(order.order_id, "p1", Tracking("Our van", "123"), True), {})
    elsewhere = Tracking("Our van", "123", "https://example.org")
    assert not shows(local, ChangeTracking(order.order_id, "p1", elsewhere, True), {})


def test_every_name_of_shopifys_list_is_found_in_any_case_and_stands_there_once() -> None:
    assert len(NAMES) == len({name.casefold() for name in NAMES}) == 171
    assert all(shopify_name(name.upper()) == name for name in NAMES if name.upper().casefold() == name.casefold())
    assert all(shopify_name(name) == name for name in NAMES)
    assert {one.shopify for one in CARRIERS} <= set(NAMES)
    assert set(LINKS) <= set(NAMES)


@pytest.mark.parametrize(
    ("company", "link"),
    [
        ("royal mail", "https://www.royalmail.com/track-your-item#/tracking-results/AB%201%2F2"),
        ("UPS", None),
        ("Correos de Mallorca", None),
    ],
)
def test_wix_gets_the_link_of_a_carrier_that_it_does_not_know(company: str, link: str | None) -> None:
    wix, shopify = heard_by(company, "AB 1/2")
    assert wix.get("trackingLink") == link
    assert "url" not in shopify, "Shopify makes it by itself"


def test_a_link_that_was_given_is_the_one_that_counts() -> None:
    wix, shopify = heard_by("Royal Mail", "123", "https://example.org/123")
    assert (wix["trackingLink"], shopify["url"]) == ("https://example.org/123", "https://example.org/123")


@pytest.mark.parametrize(
    ("company", "provider", "link"),
    [
        ("UPS", "United Parcel Service", "https://www.ups.com/track?tracknum=AB%201"),
        ("fedex", "Federal Express", "https://www.fedex.com/apps/fedextrack/?action=track&trackingnumber=AB%201"),
        ("usps", "United States Postal Service", "https://tools.usps.com/go/TrackConfirmAction?tLabels=AB%201"),
        ("DHL", "DHL Express", "https://www.dhl.com/en/express/tracking.html?AWB=AB%201"),
        (
            "canadaPost",
            "Canada Post",
            "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor=AB%201",
        ),
        ("Evri", "Evri", "https://www.evri.com/track/parcel/AB%201"),
        ("Bob's Vans", "Bob's Vans", None),
    ],
)
def test_a_number_with_a_mark_comes_with_the_link_of_the_number_and_under_no_word_of_wixs_own(
    company: str, provider: str, link: str | None
) -> None:
    wix, shopify = heard_by(company, "AB 1", mark=2)
    assert (wix["trackingNumber"], wix["shippingProvider"], wix.get("trackingLink")) == ("AB 1 (2)", provider, link)
    assert shopify["number"] == "AB 1", "Shopify takes a number as often as it is told"
    assert provider.casefold() not in {one.wix.casefold() for one in CARRIERS}
    assert told(provider)[0] == told(company)[0], "read back, it is the same carrier"


def test_a_mark_needs_a_number_and_a_link_that_was_given_counts() -> None:
    assert heard_by("UPS", "", mark=2)[0] == {"shippingProvider": "ups"}
    assert heard_by("UPS", "1Z", "https://example.org/1Z", mark=3)[0] == {
        "trackingNumber": "1Z (3)",
        "shippingProvider": "United Parcel Service",
        "trackingLink": "https://example.org/1Z",
    }


@pytest.mark.parametrize(
    ("shown", "number", "mark"),
    [
        ("1Z9 (2)", "1Z9", 2),
        ("1Z9 (12)", "1Z9", 12),
        ("AB (1) 9 (3)", "AB (1) 9", 3),
        ("1Z9", "1Z9", 0),
        ("1Z9 (1)", "1Z9 (1)", 0),
        ("1Z9(2)", "1Z9(2)", 0),
        (" (2)", " (2)", 0),
        ("", "", 0),
    ],
)
def test_what_wix_shows_of_a_number_is_read_without_its_mark(shown: str, number: str, mark: int) -> None:
    assert without_mark(shown) == (number, mark)


def test_a_parcel_without_a_number_has_no_link() -> None:
    wix, _ = heard_by("Royal Mail", "")
    assert "trackingLink" not in wix


def test_wix_knows_the_five_that_its_schema_names() -> None:
    assert {one.wix for one in CARRIERS} == {"fedex", "ups", "usps", "dhl", "canadaPost"}
