"""Small words that every answer about orders uses: amounts, pages, moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storebridge_sandbox.orders import RefundedLine
from storebridge_sandbox.shopify.call import iso
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.money import Bag, MoneyBag
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.sales.state import ShopOrder


def numbered(things: Sequence[Any], args: dict[str, Any]) -> Page:
    """A page of things in the order of their ids."""
    rows = [(f"{number_of(one.id):020d}", number_of(one.id), one) for one in things]
    return page_of(sorted(rows, key=lambda row: row[1]), args)


def bag_shown(order: ShopOrder, bag: Bag) -> MoneyBag:
    """An amount with the order's currencies."""
    return MoneyBag(bag, order.currency, order.presentment_currency)


def time_text(moment: Any) -> str | None:
    """A moment that may be missing."""
    return None if moment is None else iso(moment)


def restock_type(back: RefundedLine) -> str:
    """How goods came back, if they did."""
    if not back.restock:
        return "NO_RESTOCK"
    return "RETURN" if back.was_fulfilled else "CANCEL"
