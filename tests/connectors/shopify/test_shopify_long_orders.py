"""An order with more of everything than a page holds is read whole, however deep its lists lie."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_named_type,
    graphql_sync,
    is_list_type,
    is_non_null_type,
)
from shopify_answers import TOKEN_PATH, ScriptedWire, answer, connect

from storebridge.connectors.http import Request, Response
from storebridge.model.ids import OrderId
from storebridge.model.sales import Order
from storebridge_sandbox.shopify.engine import load_schema

SCHEMA = load_schema()
MANY, PAGE = 7, 2
"""So many of everything there are, and so few a page shows, whatever is asked."""
WORDS: dict[str, Any] = {
    "amount": "1.00",
    "currencyCode": "EUR",
    "presentmentCurrencyCode": "EUR",
    "countryCodeV2": "FR",
    "displayFinancialStatus": "PAID",
    "riskLevel": "LOW",
    "type": "RESTOCKED",
    "status": "OPEN",
    "cancelledAt": None,
}
OF_KIND: dict[str, Any] = {
    "OrderTransaction.kind": "SALE",
    "OrderTransaction.status": "SUCCESS",
    "Fulfillment.status": "SUCCESS",
}
PLAIN = {"Int": 1, "Boolean": True, "Float": 1.0, "DateTime": "2026-11-24T09:00:00Z"}


def resolve(source: dict[str, Any], info: GraphQLResolveInfo[Any], **args: Any) -> Any:
    """Everything that may be asked of a shop in which there are seven of each."""
    name = info.field_name
    if name in source:
        return source[name]
    if name in ("node", "nodes"):
        found = [_thing(one.split("/")[3], one) for one in args.get("ids", [args.get("id")])]
        return found if name == "nodes" else found[0]
    kind = info.return_type.of_type if is_non_null_type(info.return_type) else info.return_type
    bare = get_named_type(kind)
    if bare.name.endswith("Connection"):
        return _page(bare, args)
    if isinstance(bare, GraphQLObjectType):
        return [_thing(bare.name)] * min(MANY, args.get("first") or MANY) if is_list_type(kind) else _thing(bare.name)
    told = OF_KIND.get(f"{info.parent_type.name}.{name}", WORDS.get(name, PLAIN.get(bare.name, "word")))
    if isinstance(bare, GraphQLEnumType) and told not in bare.values and told is not None:
        told = next(iter(bare.values))
    return [told] if is_list_type(kind) else told


def _thing(kind: str, key: str = "") -> dict[str, Any]:
    return {"__typename": kind, "id": key or f"gid://shopify/{kind}/1"}


def _page(connection: Any, args: dict[str, Any]) -> dict[str, Any]:
    of = get_named_type(connection.fields["nodes"].type).name
    kind = "ReturnLineItem" if of == "ReturnLineItemType" else of
    begin = int(args.get("after") or 0)
    end = min(MANY, begin + min(PAGE, args["first"]))
    return {
        "nodes": [_thing(kind, f"gid://shopify/{kind}/{number + 1}") for number in range(begin, end)],
        "pageInfo": {"hasNextPage": end < MANY, "endCursor": str(end)},
    }


class LongShop(ScriptedWire):
    """Answers every document from a shop with seven of everything."""

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        await asyncio.sleep(0)
        if request.url.endswith(TOKEN_PATH):
            return self._token(request)
        asked = msgspec.json.decode(request.body)
        told = graphql_sync(SCHEMA, asked["query"], {}, variable_values=asked["variables"], field_resolver=resolve)
        assert told.errors is None, told.errors
        return answer({"data": told.data})


def long_order() -> Order:
    async def play() -> Order:
        (sale,) = await connect(LongShop()).read_sales([OrderId("gid://shopify/Order/1")])
        return sale.order

    return asyncio.run(play())


def test_an_order_with_more_of_everything_than_a_page_holds_is_read_whole() -> None:
    order = long_order()
    assert [line.line_id for line in order.lines] == [f"gid://shopify/LineItem/{n + 1}" for n in range(MANY)]
    assert len(order.shipping) == MANY
    assert len(order.payments) == MANY
    assert [len(parcel.lines) for parcel in order.parcels] == [MANY] * MANY
    assert [len(parcel.tracking) for parcel in order.parcels] == [MANY] * MANY
    assert [len(shipment.lines) for shipment in order.shipments] == [MANY] * MANY
    assert len({shipment.shipment_id for shipment in order.shipments}) == MANY
    assert [len(refund.lines) for refund in order.refunds] == [MANY] * MANY
    shipping = [refund.shipping.shop.amount for refund in order.refunds if refund.shipping]
    assert shipping == [Decimal(2 * MANY)] * MANY


def test_returns_beyond_the_first_page_count_with_all_that_came_back_and_all_that_is_sent_instead() -> None:
    order = long_order()
    assert [one.return_id for one in order.returns] == [f"gid://shopify/Return/{n + 1}" for n in range(MANY)]
    assert [len(one.replaced_by) for one in order.returns] == [MANY * MANY] * MANY
    assert [(line.quantity, line.restocked) for one in order.returns for line in one.lines] == [(MANY, MANY**3)] * MANY
