"""Questions: ids and numbers exactly, every page to its end, nothing cut off."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from shopify_answers import START, ScriptedWire, connect, data, rows, top_error

from storebridge.connectors.http import NoAnswer
from storebridge.connectors.port import CallTrouble, Remedy
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ItemId, LocationId, OrderId, ProductId, VariantId
from storebridge.model.money import Money
from storebridge.model.orders import ChangeCursor, OrderFacts, OrderLineFacts
from storebridge.model.stock import LevelReading, LevelsRead

ITEM = "gid://shopify/InventoryItem/1"
PLACE = "gid://shopify/Location/7"
ORDER = "gid://shopify/Order/1"
UPDATED = "2026-11-24T08:30:00Z"
TOO_DEAR = top_error("MAX_COST_EXCEEDED", "Query cost is 1293, which exceeds the single query max cost limit (1000).")


def level(place: str = PLACE, available: int = 4, *, active: bool = True) -> dict[str, Any]:
    return {
        "isActive": active,
        "updatedAt": UPDATED,
        "location": {"id": place},
        "quantities": [{"name": "available", "quantity": available}],
    }


def item(item_id: str = ITEM, *levels: Any, tracked: bool = True, policy: str = "DENY", **page: Any) -> dict[str, Any]:
    return {
        "id": item_id,
        "tracked": tracked,
        "variant": {"inventoryPolicy": policy},
        "inventoryLevels": rows(*(levels or (level(),)), **page),
    }


def line(number: int, quantity: int, current: int | None = None, sku: str | None = "A") -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "quantity": quantity,
        "currentQuantity": quantity if current is None else current,
        "sku": sku,
        "variant": {"inventoryItem": {"id": ITEM}},
    }


def refund(number: int, *back: tuple[int, int, str], cursor: str | None = None) -> dict[str, Any]:
    lines = [
        {"quantity": quantity, "restockType": kind, "lineItem": {"id": f"gid://shopify/LineItem/{of}"}}
        for of, quantity, kind in back
    ]
    return {"id": f"gid://shopify/Refund/{number}", "refundLineItems": rows(*lines, cursor=cursor)}


def order(*lines: Any, refunds: tuple[Any, ...] = (), cursor: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "id": ORDER,
        "name": "#1001",
        "createdAt": "2026-11-24T08:00:00Z",
        "updatedAt": UPDATED,
        "cancelledAt": None,
        "customAttributes": [],
        "lineItems": rows(*lines, cursor=cursor),
        "refunds": list(refunds),
        **changes,
    }


def facts_of(node: dict[str, Any]) -> OrderFacts:
    wire = ScriptedWire()
    wire.on("ordersById", data(nodes=[node]))
    (found,) = asyncio.run(connect(wire).read_orders([OrderId(ORDER)]))
    return found


def counts(node: dict[str, Any]) -> list[tuple[int, int]]:
    return [(line.sold, line.restocked) for line in facts_of(node).lines]


def test_locations_of_all_pages() -> None:
    wire = ScriptedWire()
    first = {"id": PLACE, "name": "Shop", "isActive": True, "fulfillsOnlineOrders": True}
    second = {"id": "gid://shopify/Location/8", "name": "Old", "isActive": False, "fulfillsOnlineOrders": False}
    wire.on("locations", data(page=rows(first, cursor="c1")), data(page=rows(second)))
    assert asyncio.run(connect(wire).list_locations()) == (
        Location(LocationId(PLACE), "Shop"),
        Location(LocationId("gid://shopify/Location/8"), "Old", active=False, sells_online=False),
    )
    assert wire.variables("locations") == [{"after": None}, {"after": "c1"}]


def test_a_variant_with_all_that_is_needed_to_link_and_watch_it() -> None:
    wire = ScriptedWire()
    node = {
        "id": "gid://shopify/ProductVariant/2",
        "title": "Default Title",
        "sku": " A-1 ",
        "barcode": "",
        "price": "19.90",
        "inventoryPolicy": "CONTINUE",
        "requiresComponents": True,
        "updatedAt": UPDATED,
        "product": {"id": "gid://shopify/Product/3", "title": "Mug", "status": "DRAFT"},
        "inventoryItem": {"id": ITEM, "tracked": False},
    }
    wire.on("productVariants", data(shop={"currencyCode": "EUR"}, page=rows(node)))
    parts = rows(
        {"quantity": 2, "productVariant": {"sku": "MUG "}},
        {"quantity": 1, "productVariant": {"sku": "TEA"}},
        {"quantity": 3, "productVariant": {"sku": "MUG"}},
    )
    wire.on("variantComponents", data(nodes=[{"id": node["id"], "productVariantComponents": parts}]))

    async def listed() -> list[tuple[Variant, ...]]:
        return [page async for page in connect(wire).list_variants()]

    assert asyncio.run(listed()) == [
        (
            Variant(
                variant_id=VariantId("gid://shopify/ProductVariant/2"),
                product_id=ProductId("gid://shopify/Product/3"),
                item_id=ItemId(ITEM),
                product_title="Mug",
                variant_title="",
                sku="A-1",
                price=Money(Decimal("19.90"), "EUR"),
                tracked=False,
                denies_oversell=False,
                adjustable=False,
                components={"MUG": 5, "TEA": 1},
                visible=False,
                updated_at=datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
            ),
        )
    ]


def test_levels_at_all_locations_and_what_is_missing() -> None:
    wire = ScriptedWire()
    other = "gid://shopify/InventoryItem/2"
    wire.on("inventoryLevels", data(nodes=[item(ITEM, level(), level("gid://shopify/Location/8", -2)), None]))
    read = asyncio.run(connect(wire).read_levels([ItemId(ITEM), ItemId(other)]))
    assert read == LevelsRead(
        sent_at=START,
        asked=(ItemId(ITEM), ItemId(other)),
        readings=(
            LevelReading(ItemId(ITEM), LocationId(PLACE), 4, UPDATED),
            LevelReading(ItemId(ITEM), LocationId("gid://shopify/Location/8"), -2, UPDATED),
        ),
        missing=(ItemId(other),),
    )
    assert wire.variables("inventoryLevels") == [{"ids": [ITEM, other]}]


def test_null_is_not_zero() -> None:
    wire = ScriptedWire()
    untracked = item("gid://shopify/InventoryItem/2", tracked=False, policy="CONTINUE")
    wire.on("inventoryLevels", data(nodes=[item(ITEM, level(active=False)), untracked]))
    read = asyncio.run(connect(wire).read_levels([ItemId(ITEM), ItemId("gid://shopify/InventoryItem/2")]))
    assert [(r.available, r.active, r.tracked, r.denies_oversell) for r in read.readings] == [
        (4, False, True, True),  # still booked there, and nobody can buy it
        (None, True, False, False),
    ]


def test_an_item_with_many_locations_is_read_to_its_last_page() -> None:
    wire = ScriptedWire()
    wire.on("inventoryLevels", data(nodes=[item(ITEM, level(), cursor="c1")]))
    wire.on(
        "moreLevels",
        data(node={"page": rows(level("gid://shopify/Location/8"), cursor="c2")}),
        data(node={"page": rows(level("gid://shopify/Location/9"))}),
    )
    read = asyncio.run(connect(wire).read_levels([ItemId(ITEM)]))
    assert [r.location_id for r in read.readings] == [PLACE, "gid://shopify/Location/8", "gid://shopify/Location/9"]
    assert wire.variables("moreLevels") == [{"id": ITEM, "after": "c1"}, {"id": ITEM, "after": "c2"}]


def test_a_question_that_is_too_dear_is_asked_in_parts_from_then_on() -> None:
    wire = ScriptedWire()
    items = [ItemId(f"gid://shopify/InventoryItem/{n}") for n in range(250)]
    wire.on("inventoryLevels", TOO_DEAR, TOO_DEAR, data(nodes=[]))
    connector = connect(wire)
    read = asyncio.run(connector.read_levels(items))
    assert [len(asked["ids"]) for asked in wire.variables("inventoryLevels")] == [250, 125, 62, 62, 62, 62, 2]
    assert read.missing == tuple(items)
    asyncio.run(connector.read_levels(items[:100]))
    assert [len(asked["ids"]) for asked in wire.variables("inventoryLevels")][7:] == [62, 38]


def test_one_thing_that_is_too_dear_alone_is_for_a_person() -> None:
    wire = ScriptedWire()
    wire.on("inventoryLevels", TOO_DEAR)
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connect(wire).read_levels([ItemId(ITEM)]))
    assert (caught.value.remedy, caught.value.code) == (Remedy.STOP, "MAX_COST_EXCEEDED")


def test_a_read_of_levels_has_bounds() -> None:
    with pytest.raises(ValueError, match="takes 1 to 250 items, not 0"):
        asyncio.run(connect(ScriptedWire()).read_levels([]))


def test_a_read_that_was_not_answered_may_be_tried_again() -> None:
    wire = ScriptedWire()
    wire.on("inventoryLevels", NoAnswer("timed out"))
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connect(wire).read_levels([ItemId(ITEM)]))
    assert caught.value.remedy is Remedy.RETRY


def test_orders_changed_since_a_moment() -> None:
    wire = ScriptedWire()
    wire.on("orders", data(page=rows(order(line(1, 2)), cursor="c1")))
    since = ChangeCursor(datetime(2026, 11, 24, 8, 0, 0, 999999, tzinfo=UTC))
    found = asyncio.run(connect(wire).orders_changed(since, "c0"))
    assert wire.variables("orders") == [{"query": "updated_at:>='2026-11-24T08:00:00Z'", "first": 20, "after": "c0"}]
    assert found.next_page == "c1"
    assert found.orders == (
        OrderFacts(
            order_id=OrderId(ORDER),
            name="#1001",
            created_at=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
            updated_at=datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
            cancelled=False,
            lines=(OrderLineFacts("gid://shopify/LineItem/1", ItemId(ITEM), "A", sold=2),),
        ),
    )


def test_a_page_of_orders_that_is_too_dear_is_asked_for_smaller() -> None:
    wire = ScriptedWire()
    wire.on("orders", TOO_DEAR, data(page=rows()))
    asyncio.run(connect(wire).orders_changed(ChangeCursor(START), None))
    assert [asked["first"] for asked in wire.variables("orders")] == [20, 10]


def test_orders_that_do_not_exist_are_left_out() -> None:
    wire = ScriptedWire()
    wire.on("ordersById", data(nodes=[None, order(line(1, 1))]))
    found = asyncio.run(connect(wire).read_orders([OrderId("gid://shopify/Order/9"), OrderId(ORDER)]))
    assert [facts.order_id for facts in found] == [ORDER]
    assert asyncio.run(connect(ScriptedWire()).read_orders([])) == ()


def test_goods_that_came_back() -> None:
    back = refund(1, (1, 2, "CANCEL"), (2, 1, "NO_RESTOCK"), (3, 1, "RETURN"))
    again = refund(2, (1, 1, "RETURN"))
    node = order(line(1, 5, 2), line(2, 1, 0), line(3, 1, 0), line(4, 7), refunds=(back, again))
    assert counts(node) == [(5, 3), (1, 0), (1, 1), (7, 0)]


def test_an_edit_that_takes_units_off_puts_them_back() -> None:
    assert counts(order(line(1, 5, 3))) == [(5, 2)]
    assert counts(order(line(1, 5, 1), refunds=(refund(1, (1, 2, "NO_RESTOCK")),))) == [(5, 2)]


def test_a_cancelled_order_tells_it() -> None:
    node = order(line(1, 2, 0), refunds=(refund(1, (1, 2, "CANCEL")),), cancelledAt=UPDATED)
    facts = facts_of(node)
    assert (facts.cancelled, facts.lines[0].restocked) == (True, 2)


def test_a_line_without_a_variant_moves_no_item() -> None:
    tip = {**line(1, 1, sku=" "), "variant": None}
    assert [(found.item_id, found.sku) for found in facts_of(order(tip)).lines] == [(None, None)]


def test_the_stamp_of_a_copy() -> None:
    stamped = order(customAttributes=[{"key": "gift", "value": "yes"}, {"key": "storebridge-origin", "value": "wix/7"}])
    assert facts_of(stamped).origin == "wix/7"
    assert facts_of(order()).origin is None


def test_an_order_with_many_lines_and_a_refund_with_many_is_read_to_the_end() -> None:
    wire = ScriptedWire()
    wire.on(
        "ordersById",
        data(nodes=[order(line(1, 3, 0), cursor="c1", refunds=(refund(5, (1, 1, "RETURN"), cursor="r1"),))]),
    )
    wire.on("moreOrderLines", data(node={"page": rows(line(2, 4, 2))}))
    rest = refund(5, (1, 2, "RETURN"), (2, 2, "CANCEL"))["refundLineItems"]
    wire.on("moreRefundLines", data(node={"page": rest}))
    (facts,) = asyncio.run(connect(wire).read_orders([OrderId(ORDER)]))
    assert [(found.sold, found.restocked) for found in facts.lines] == [(3, 3), (4, 2)]
    assert wire.variables("moreOrderLines") == [{"id": ORDER, "after": "c1"}]
    assert wire.variables("moreRefundLines") == [{"id": "gid://shopify/Refund/5", "after": "r1"}]


def test_an_answer_of_another_shape_is_drift() -> None:
    wire = ScriptedWire()
    wire.on("inventoryLevels", data(nodes=[{"id": 5}]))
    with pytest.raises(CallTrouble) as caught:
        asyncio.run(connect(wire).read_levels([ItemId(ITEM)]))
    assert (caught.value.remedy, caught.value.code) == (Remedy.RETRY, "SCHEMA_DRIFT")
