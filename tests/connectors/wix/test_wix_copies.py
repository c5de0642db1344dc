"""What a copy says to Wix, as a pure function of the order that it repeats."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from builders.orders import make_line, make_order
from storebridge.connectors.wix.copies import copy_of
from storebridge.model.order_writes import CreateCopy
from storebridge.model.sales import Price


@pytest.mark.parametrize(
    ("currency", "each", "discount", "said"),
    [
        ("KWD", "1.235", "0", "1.235"),
        ("KWD", "1.235", "0.100", "1.202"),
        ("EUR", "19.90", "1.00", "19.57"),
        ("JPY", "1235", "100", "1202"),
    ],
)
def test_a_unit_costs_what_the_smallest_coin_of_its_currency_can_say(
    currency: str, each: str, discount: str, said: str
) -> None:
    price, off = Price.of(Decimal(each), currency), Price.of(Decimal(discount), currency)
    order = replace(make_order(make_line(units=3, unit_price=price, discount=off)), currency=currency)
    (line,) = copy_of(CreateCopy(order.order_id, "storebridge:main:shopify:o1", order, (None,)))["lineItems"]
    assert line["price"] == {"amount": said}
    assert line["priceBeforeDiscounts"] == {"amount": each}
