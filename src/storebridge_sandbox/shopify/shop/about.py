"""What the shop tells of itself beside its name: address, formats, tags in use, and lists that stood here before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolver, Resolvers
from storebridge_sandbox.shopify.paging import Page, page_of

MOVED = (
    "products",
    "productVariants",
    "orders",
    "customers",
    "locations",
    "inventoryItems",
    "assignedFulfillmentOrders",
)
"""Lists that the query root has since, and that older clients still ask the shop for."""
MOST_COUNTED = 10_000
ADDRESS = {
    "id": "gid://shopify/ShopAddress/1",
    "name": "Larkfield Shopify",
    "company": "Larkfield",
    "firstName": "Olive",
    "lastName": "Owner",
    "address1": "Hafenstrasse 1",
    "address2": None,
    "city": "Ulm",
    "zip": "89073",
    "country": "Germany",
    "countryCode": "DE",
    "countryCodeV2": "DE",
    "formattedArea": "Ulm, Germany",
    "formatted": ["Larkfield", "Hafenstrasse 1", "89073 Ulm", "Germany"],
    "coordinatesValidated": False,
}
FORMATS = {
    "moneyFormat": "{{amount}}",
    "moneyInEmailsFormat": "{{amount}}",
    "moneyWithCurrencyFormat": "{{amount}} EUR",
    "moneyWithCurrencyInEmailsFormat": "{{amount}} EUR",
}
ACCOUNTS = {
    "customerAccountsVersion": "NEW_CUSTOMER_ACCOUNTS",
    "loginLinksVisibleOnStorefrontAndCheckout": True,
    "loginRequiredAtCheckout": False,
}
FIXED: dict[str, Any] = {
    "shopAddress": ADDRESS,
    "billingAddress": ADDRESS,
    "currencyFormats": FORMATS,
    "shopOwnerName": "Olive Owner",
    "description": None,
    "checkoutApiSupported": True,
    "setupRequired": False,
    "shipsToCountries": ["DE"],
    "countriesInShippingZones": {"countryCodes": ["DE"], "includeRestOfWorld": False},
    "customerAccounts": "OPTIONAL",
    "customerAccountsV2": ACCOUNTS,
    "marketingSmsConsentEnabledAtCheckout": False,
    "transactionalSmsDisabled": False,
    "orderNumberFormatPrefix": "#",
    "orderNumberFormatSuffix": "",
    "paymentSettings": {"supportedDigitalWallets": []},
    "publicationCount": 1,
    "searchFilters": {"productAvailability": []},
    "analyticsToken": "00000000000000000000000000000000",
}


def about_shop(
    resolvers: Resolvers, goods: Callable[[], Iterable[Any]], orders: Callable[[], Iterable[Any]],
    customers: Callable[[], Iterable[Any]],
) -> Resolvers:  # fmt: skip
    """The fields of ``Shop`` that ``resolvers`` do not have yet; lists are answered as at the query root."""
    tags: dict[str, Callable[[], Iterable[str]]] = {
        "productTags": lambda: (tag for one in goods() for tag in one.tags),
        "productTypes": lambda: (one.product_type for one in goods() if one.product_type),
        "productVendors": lambda: (one.vendor for one in goods() if one.vendor),
        "orderTags": lambda: (tag for one in orders() for tag in one.tags),
        "customerTags": lambda: (tag for one in customers() for tag in one.tags),
    }
    return {
        **{("Shop", name): _fixed(value) for name, value in FIXED.items()},
        **{("Shop", name): resolvers[("QueryRoot", name)] for name in MOVED if ("QueryRoot", name) in resolvers},
        **{("Shop", name): _in_use(found) for name, found in tags.items()},
        ("Shop", "limitedPendingOrderCount"): lambda _s, _a, _c: _pending(orders()),
        ("SearchResultConnection", "resultsAfterCount"): lambda _s, _a, _c: 0,
        ("Shop", "storefrontUrl"): lambda shop, _a, _c: f"https://{shop.domain}",
        ("Shop", "richTextEditorUrl"): lambda shop, _a, _c: f"https://{shop.domain}/admin/editor",
        ("Shop", "domains"): lambda shop, args, call: [resolvers[("Shop", "primaryDomain")](shop, args, call)],
    }


def _pending(orders: Iterable[Any]) -> dict[str, Any]:
    count = sum(one.payment == "pending" and one.cancelled_at is None for one in orders)
    return {"count": min(count, MOST_COUNTED), "atMax": count >= MOST_COUNTED}


def _fixed(value: Any) -> Resolver:
    return lambda _shop, _args, _call: value


def _in_use(found: Callable[[], Iterable[str]]) -> Resolver:
    """Words that are in use, each once, in alphabetical order."""

    def resolve(_shop: Any, args: dict[str, Any], _call: Call) -> Page:
        words = sorted(set(found()), key=str.lower)
        return page_of([(word, place, word) for place, word in enumerate(words)], args)

    return resolve
