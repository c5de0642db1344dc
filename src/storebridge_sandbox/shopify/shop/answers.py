"""The shop, its locations, the app's own installation, and nodes by id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, shows, shows_time
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.ids import kind_of, number_of
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.shop.state import ShopState, Tokens

Find = Callable[[str, Call], Any]
MOST_NODES = 250


class ShopAnswers:
    """Reads about the shop itself; ``finders`` look a global id up, first hit wins."""

    def __init__(self, shop: ShopState, tokens: Tokens, finders: Sequence[Find]) -> None:
        self._shop = shop
        self._tokens = tokens
        self._finders = finders

    def resolvers(self) -> Resolvers:
        return {
            ("QueryRoot", "shop"): lambda _s, _a, _c: self._shop,
            ("Shop", "id"): lambda _s, _a, _c: "gid://shopify/Shop/1",
            ("Shop", "name"): shows("name"),
            ("Shop", "myshopifyDomain"): shows("domain"),
            ("Shop", "currencyCode"): shows("currency"),
            ("Shop", "createdAt"): shows_time("created_at"),
            ("QueryRoot", "locations"): self._locations,
            ("QueryRoot", "location"): lambda _s, args, _c: self._shop.location(args.get("id") or ""),
            ("Location", "id"): shows("id"),
            ("Location", "name"): shows("name"),
            ("Location", "isActive"): shows("active"),
            ("Location", "fulfillsOnlineOrders"): shows("fulfills_online_orders"),
            ("Location", "createdAt"): shows_time("created_at"),
            ("Location", "updatedAt"): shows_time("updated_at"),
            ("QueryRoot", "currentAppInstallation"): lambda _s, _a, _c: self._tokens,
            ("AppInstallation", "id"): lambda _s, _a, _c: "gid://shopify/AppInstallation/1",
            ("AppInstallation", "accessScopes"): shows("scopes"),
            ("AccessScope", "handle"): lambda scope, _a, _c: scope,
            ("AccessScope", "description"): lambda scope, _a, _c: scope.replace("_", " "),
            ("QueryRoot", "node"): lambda _s, args, call: self._find(args["id"], call),
            ("QueryRoot", "nodes"): self._nodes,
        }

    def _locations(self, _source: Any, args: dict[str, Any], _call: Any) -> Page:
        found = [one for one in self._shop.locations if one.active or args.get("includeInactive")]
        rows = [(one.name, number_of(one.id), one) for one in found]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

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
