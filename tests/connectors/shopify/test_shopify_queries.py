"""What the connector's documents cost at their largest, by the rule fitted to recorded answers; none is left out."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode, parse, validate

import storebridge.connectors.shopify as package
from storebridge.connectors.shopify.client import Operation
from storebridge.connectors.shopify.mark import WRITE_MARK
from storebridge.connectors.shopify.read import ITEMS_PER_READ, ORDERS_PER_READ
from storebridge.connectors.shopify.write import OPERATIONS
from storebridge.connectors.shopify.write_orders import ORDER_OPERATIONS
from storebridge_sandbox.shopify.cost import CostRule
from storebridge_sandbox.shopify.engine import load_schema

MOST_FOR_ONE_QUESTION = 1000
LARGEST = {
    "first": ORDERS_PER_READ,
    "ids": [f"gid://shopify/InventoryItem/{number}" for number in range(ITEMS_PER_READ)],
}
COSTS = {
    "balanceTransactions": 39,
    "findCopy": 8,
    "fulfillmentCancel": 10,
    "fulfillmentCreate": 10,
    "fulfillmentOrderLineItemsPreparedForPickup": 10,
    "fulfillmentTrackingInfoUpdate": 50,
    "inventoryActivate": 10,
    "inventoryAdjustQuantities": 10,
    "inventoryLevels": 19,
    "inventorySetQuantities": 10,
    "locations": 9,
    "mark": 2,
    "metafieldsSet": 10,
    "moreExchanges": 21,
    "moreLevels": 30,
    "moreOrderLines": 30,
    "moreParcelLines": 21,
    "moreRefundLines": 21,
    "moreRefundedShipping": 12,
    "moreReturnLines": 30,
    "moreReturns": 309,
    "moreReverseLines": 39,
    "moreReverseOrders": 141,
    "moreSalesLines": 48,
    "moreSalesRefundLines": 30,
    "moreSalesShipping": 21,
    "moreShipmentLines": 21,
    "moreShipments": 122,
    "orderCancel": 10,
    "orderCreate": 10,
    "orderEditBegin": 10,
    "orderEditCommit": 10,
    "orderMarkAsPaid": 10,
    "orderUpdate": 10,
    "orders": 192,
    "ordersById": 38,
    "ordersPlaced": 7,
    "payouts": 10,
    "productVariants": 135,  # for 250 at once; about 70 where each product is in a few collections
    "refundCreate": 20,
    "salesById": 317,
    "shop": 3,
    "variantComponents": 15,
    "webhookSubscriptionCreate": 10,
    "webhookSubscriptionUpdate": 10,
    "webhookSubscriptions": 11,
}


def every_operation() -> dict[str, Operation]:
    """All operations that stand in any module of the connector."""
    found: dict[str, Operation] = {}
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Operation):
                assert found.setdefault(value.name, value) is value
    return found


def cost_of(operation: Operation, schema: GraphQLSchema) -> int:
    document = parse(operation.document)
    assert validate(schema, document) == []
    (definition,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    return CostRule(schema, definition, fragments).requested(LARGEST)


def test_every_operation_is_looked_at() -> None:
    assert sorted(every_operation()) == sorted(COSTS)


@pytest.mark.parametrize("name", sorted(COSTS))
def test_a_question_costs_what_the_bucket_can_bear(name: str) -> None:
    cost = cost_of(every_operation()[name], load_schema())
    assert cost == COSTS[name]
    assert cost <= MOST_FOR_ONE_QUESTION


def test_every_stock_write_carries_its_key_as_a_variable() -> None:
    stock = [operation for name, operation in every_operation().items() if operation.writes and name in OPERATIONS]
    assert sorted(operation.name for operation in stock) == [
        "inventoryActivate",
        "inventoryAdjustQuantities",
        "inventorySetQuantities",
    ]
    assert all("@idempotent(key: $key)" in operation.document for operation in stock)


def test_a_write_is_of_stock_or_of_an_order_or_the_bridges_own_mark() -> None:
    """Of an order only refunds take a key: none is ever sent again before a read."""
    writes = {name for name, operation in every_operation().items() if operation.writes}
    assert writes == {*OPERATIONS, *ORDER_OPERATIONS, WRITE_MARK.name}
    assert [name for name, one in ORDER_OPERATIONS.items() if "@idempotent" in one.document] == ["refundCreate"]
