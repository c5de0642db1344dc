"""Which REST call writes what: method and path to the verb and the status of its success."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from storebridge_sandbox.shopify.rest.after_sale import AfterSale
from storebridge_sandbox.shopify.rest.goods import RestGoods
from storebridge_sandbox.shopify.rest.levels import RestLevels
from storebridge_sandbox.shopify.rest.people import RestPeople
from storebridge_sandbox.shopify.rest.sales import RestSales

Write = Callable[..., Mapping[str, Any] | None]
"""Takes the numbers in the path, the content and the call's reference."""
MADE, DONE, NOTHING = 201, 200, 204


class RestWrites:
    """``find`` gives status, the numbers in the path, and the verb; None where the path takes no such call."""

    def __init__(
        self, goods: RestGoods, levels: RestLevels, people: RestPeople, sales: RestSales, after: AfterSale
    ) -> None:
        self._routes: dict[tuple[str, str], tuple[int, Write]] = {
            **_of_goods(goods, levels),
            ("POST", "customers"): (MADE, people.create),
            ("PUT", "customers/#"): (DONE, people.update),
            ("DELETE", "customers/#"): (DONE, _by_number(people.delete)),
            ("POST", "orders"): (MADE, sales.create),
            ("PUT", "orders/#"): (DONE, sales.update),
            ("DELETE", "orders/#"): (DONE, _by_number(sales.delete)),
            ("POST", "orders/#/cancel"): (DONE, sales.cancel),
            ("POST", "orders/#/close"): (DONE, sales.close),
            ("POST", "orders/#/open"): (DONE, sales.open),
            ("POST", "orders/#/transactions"): (MADE, after.pay),
            ("POST", "orders/#/refunds"): (MADE, after.refund),
            ("POST", "fulfillments"): (MADE, after.fulfil),
            ("POST", "fulfillments/#/update_tracking"): (DONE, after.track),
            ("POST", "fulfillments/#/cancel"): (DONE, after.call_back),
        }

    def find(self, method: str, parts: list[str]) -> tuple[int, list[int], Write] | None:
        numbers = [int(part) for part in parts if _is_number(part)]
        path = "/".join("#" if _is_number(part) else part for part in parts)
        found = self._routes.get((method, path))
        return None if found is None else (found[0], numbers, found[1])


def _of_goods(goods: RestGoods, levels: RestLevels) -> dict[tuple[str, str], tuple[int, Write]]:
    return {
        ("POST", "products"): (MADE, goods.create),
        ("PUT", "products/#"): (DONE, goods.update),
        ("DELETE", "products/#"): (DONE, _by_number(goods.delete)),
        ("POST", "products/#/variants"): (MADE, goods.add_variant),
        ("PUT", "variants/#"): (DONE, goods.update_variant),
        ("PUT", "products/#/variants/#"): (DONE, _below(goods.update_variant)),
        ("DELETE", "products/#/variants/#"): (DONE, _by_number(goods.delete_variant)),
        ("PUT", "inventory_items/#"): (DONE, goods.update_item),
        ("POST", "inventory_levels/adjust"): (DONE, levels.adjust),
        ("POST", "inventory_levels/set"): (DONE, levels.set),
        ("POST", "inventory_levels/connect"): (MADE, levels.connect),
        ("DELETE", "inventory_levels"): (NOTHING, levels.disconnect),
    }


def _by_number(verb: Callable[..., Mapping[str, Any]]) -> Write:
    """A deletion says everything in its path."""
    return lambda *given: verb(*given[:-2], given[-1])


def _below(verb: Write) -> Write:
    """The same thing named by the way through its owner."""
    return lambda _owner, *given: verb(*given)


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) <= 19
