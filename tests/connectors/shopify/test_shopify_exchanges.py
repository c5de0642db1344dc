"""What a buyer gets instead, line by line."""

from __future__ import annotations

from storebridge.connectors.shopify.sales_shapes import ExchangeNode
from storebridge.connectors.shopify.translate import LineRef
from storebridge.connectors.shopify.translate_sales import replaced_by
from storebridge.model.sales import ParcelLine


def test_an_exchange_of_several_lines_names_each_with_its_own_units() -> None:
    bundle = ExchangeNode(processed_quantity=2, line_items=(LineRef(id="mug"), LineRef(id="tea")))
    single = ExchangeNode(processed_quantity=3, line_items=(LineRef(id="cap"),))
    waiting = ExchangeNode(processed_quantity=0, line_items=(LineRef(id="hat"),))
    found = replaced_by((bundle, single, waiting), {"mug": 4, "tea": 2, "cap": 9, "hat": 1})
    assert found == (ParcelLine("mug", 4), ParcelLine("tea", 2), ParcelLine("cap", 3))
