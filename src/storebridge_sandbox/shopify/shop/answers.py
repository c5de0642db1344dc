"""The shop, its locations, the app's own installation, and nodes by id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, shows, shows_time
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.ids import kind_of
from storebridge_sandbox.shopify.paging import page_of
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.shop.app_facts import app_facts
from storebridge_sandbox.shopify.shop.scopes import DOCUMENTATION
from storebridge_sandbox.shopify.shop.state import ShopState, Tokens
from storebridge_sandbox.shopify.versions import KNOWN, version_shown

Find = Callable[[str, Call], Any]
MOST_NODES = 250
TELL_THE_SHOP = ("ProductCreate", "ProductDelete", "CustomerDelete")
APP_ID = "gid://shopify/App/347082227713"
PLANS = {"Basic": 100.0, "Advanced": 200.0, "Shopify Plus": 1000.0, "Enterprise": 2000.0}


class ShopAnswers:
    """Reads about the shop itself; ``finders`` look a global id up, first hit wins."""

    def __init__(
        self,
        shop: ShopState,
        tokens: Tokens,
        finders: Sequence[Find],
        options: ShopifyOptions,
        uninstalled: Callable[[], None],
    ) -> None:
        self._options = options
        self._uninstalled = uninstalled
        self._shop = shop
        self._tokens = tokens
        self._finders = finders

    def resolvers(self) -> Resolvers:
        return {
            ("QueryRoot", "shop"): lambda _s, _a, _c: self._shop,
            ("Shop", "id"): shows("id"),
            ("Shop", "name"): shows("name"),
            ("Shop", "myshopifyDomain"): shows("domain"),
            ("Shop", "currencyCode"): shows("currency"),
            ("Shop", "createdAt"): shows_time("created_at"),
            ("Shop", "email"): lambda _s, _a, _c: "owner@larkfield.example",
            ("Shop", "contactEmail"): lambda _s, _a, _c: "owner@larkfield.example",
            ("Shop", "url"): lambda shop, _a, _c: f"https://{shop.domain}",
            ("Shop", "primaryDomain"): _domain,
            ("Shop", "plan"): self._plan,
            ("Shop", "ianaTimezone"): lambda _s, _a, _c: "Europe/Berlin",
            ("Shop", "timezoneAbbreviation"): lambda _s, _a, _c: "CET",
            ("Shop", "timezoneOffset"): lambda _s, _a, _c: "+0100",
            ("Shop", "timezoneOffsetMinutes"): lambda _s, _a, _c: 60,
            ("Shop", "weightUnit"): lambda _s, _a, _c: "KILOGRAMS",
            ("Shop", "unitSystem"): lambda _s, _a, _c: "METRIC_SYSTEM",
            ("Shop", "taxesIncluded"): lambda _s, _a, _c: False,
            ("Shop", "taxShipping"): lambda _s, _a, _c: False,
            ("Shop", "enabledPresentmentCurrencies"): lambda shop, _a, _c: [shop.currency],
            ("Shop", "updatedAt"): shows_time("created_at"),
            **{(f"{one}Payload", "shop"): lambda _p, _a, _c: self._shop for one in TELL_THE_SHOP},
            ("Shop", "accountOwner"): _for_few,
            **app_facts(),
            ("App", "id"): lambda _s, _a, _c: APP_ID,
            ("App", "title"): lambda _s, _a, _c: "storebridge",
            ("App", "handle"): lambda _s, _a, _c: "storebridge",
            ("App", "apiKey"): lambda tokens, _a, _c: tokens.client_id,
            ("AppInstallation", "app"): lambda tokens, _a, _c: tokens,
            ("QueryRoot", "app"): lambda _s, args, _c: self._tokens if args.get("id") in (None, APP_ID) else None,
            ("QueryRoot", "appInstallation"): lambda _s, _a, _c: self._tokens,
            ("QueryRoot", "publicApiVersions"): lambda _s, _a, _c: [version_shown(one) for one in KNOWN],
            ("Mutation", "appUninstall"): self._uninstall,
            ("QueryRoot", "currentAppInstallation"): lambda _s, _a, _c: self._tokens,
            ("AppInstallation", "id"): lambda _s, _a, _c: "gid://shopify/AppInstallation/1",
            ("AppInstallation", "accessScopes"): shows("scopes"),
            ("AccessScope", "handle"): lambda scope, _a, _c: scope,
            ("AccessScope", "description"): lambda scope, _a, _c: scope.replace("_", " "),
            # The pretend shop makes no draft orders, so that it has none is the truth.
            ("QueryRoot", "draftOrder"): lambda _s, _a, _c: None,
            ("QueryRoot", "draftOrders"): lambda _s, args, _c: page_of([], args),
            ("QueryRoot", "draftOrdersCount"): lambda _s, _a, _c: 0,
            ("QueryRoot", "node"): lambda _s, args, call: self._find(args["id"], call),
            ("QueryRoot", "nodes"): self._nodes,
        }

    def _plan(self, _source: Any, _args: dict[str, Any], _call: Call) -> dict[str, Any]:
        name = next((plan for plan, rate in PLANS.items() if rate == self._options.cost_refill), "Basic")
        return {
            "displayName": name,
            "publicDisplayName": name,
            "partnerDevelopment": False,
            "shopifyPlus": name == "Shopify Plus",
        }

    def _uninstall(self, _source: Any, _args: dict[str, Any], _call: Call) -> dict[str, Any]:
        self._uninstalled()
        return {"app": self._tokens, "userErrors": []}

    def _nodes(self, _source: Any, args: dict[str, Any], call: Call) -> list[Any]:
        if len(args["ids"]) > MOST_NODES:
            raise Refusal(f"The input array size of {len(args['ids'])} is greater than 250", "MAX_INPUT_SIZE_EXCEEDED")
        return [self._find(one, call) for one in args["ids"]]

    def _find(self, global_id: str, call: Call) -> Any:
        if kind_of(global_id) is None:
            raise Refusal(f"Invalid global id '{global_id}'", "INVALID_VARIABLE")
        for find in self._finders:
            found = find(global_id, call)
            if found is not None:
                return found
        return self._shop.location(global_id)


def _for_few(_shop: ShopState, _args: dict[str, Any], _call: Call) -> None:
    """Staff is shown to few apps only, and to none with the scopes that this shop grants."""
    access = "`read_users` access scope."
    told = f"Access denied for accountOwner field. Required access: {access}"
    raise Refusal(told, "ACCESS_DENIED", documentation=DOCUMENTATION, requiredAccess=access)


def _domain(shop: ShopState, _args: dict[str, Any], _call: Call) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Domain/1",
        "host": shop.domain,
        "url": f"https://{shop.domain}",
        "sslEnabled": True,
    }
