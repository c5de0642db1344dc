"""Questions about whole orders: the document that the fulfilment queue shows and that copies repeat.

Dearer than the label in ``read.py`` (some 300 points a question), so it is asked less urgently and
only where orders are kept in step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec.structs import replace

from storebridge.connectors.shopify.client import Operation, ShopifyClient
from storebridge.connectors.shopify.read import (
    PAGE_INFO,
    MoreAnswer,
    NodesAnswer,
    Portion,
    by_id,
    rest_of,
)
from storebridge.connectors.shopify.sales_shapes import (
    ExchangeNode,
    RefundedShipping,
    ReturnedLine,
    ReturnNode,
    ReverseLine,
    ReverseOrder,
    SalesLine,
    SalesOrder,
    SalesParcel,
    SalesParcelLine,
    SalesRefund,
    SalesRefundLine,
    SalesShipping,
    ShipmentLineNode,
    ShipmentNode,
)
from storebridge.connectors.shopify.translate import Rows
from storebridge.connectors.shopify.translate_sales import sale_of
from storebridge.model.ids import ConnectionName, OrderId
from storebridge.model.sales import Sale

Row = TypeVar("Row")
SALES_PER_READ = 20
MONEY = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
ADDRESS = "{ firstName lastName company address1 address2 city provinceCode zip countryCodeV2 phone }"
TAXES = f"taxLines {{ title rate priceSet {MONEY} }}"
LINE_FIELDS = f"""id title variantTitle sku quantity currentQuantity unfulfilledQuantity requiresShipping isGiftCard
  originalUnitPriceSet {MONEY} discountAllocations {{ allocatedAmountSet {MONEY} }} {TAXES}
  variant {{ id inventoryItem {{ id }} }}"""
SHIPPING_FIELDS = f"title code originalPriceSet {MONEY} discountedPriceSet {MONEY} {TAXES}"
PARCEL_LINE_FIELDS = "quantity lineItem { id }"
SHIPMENT_LINE_FIELDS = "id remainingQuantity lineItem { id }"
SHIPMENT_FIELDS = f"""id status fulfillBy deliveryMethod {{ methodType }}
    assignedLocation {{ location {{ id }} }} fulfillmentHolds {{ reason }}
    lineItems(first: 20) {{ nodes {{ {SHIPMENT_LINE_FIELDS} }} {PAGE_INFO} }}"""
REFUND_LINE_FIELDS = f"""quantity restockType restocked location {{ id }} lineItem {{ id }}
  subtotalSet {MONEY} totalTaxSet {MONEY}"""
REFUNDED_SHIPPING_FIELDS = f"subtotalAmountSet {MONEY} taxAmountSet {MONEY}"
RETURN_LINE_FIELDS = "quantity ... on ReturnLineItem { fulfillmentLineItem { lineItem { id } } }"
EXCHANGE_FIELDS = "processedQuantity lineItems { id }"
REVERSE_LINE_FIELDS = "dispositions { type quantity } fulfillmentLineItem { lineItem { id } }"
REVERSE_FIELDS = f"id lineItems(first: 20) {{ nodes {{ {REVERSE_LINE_FIELDS} }} {PAGE_INFO} }}"
RETURN_FIELDS = f"""id status createdAt
    returnLineItems(first: 20) {{ nodes {{ {RETURN_LINE_FIELDS} }} {PAGE_INFO} }}
    exchangeLineItems(first: 5) {{ nodes {{ {EXCHANGE_FIELDS} }} {PAGE_INFO} }}
    reverseFulfillmentOrders(first: 2) {{ nodes {{ {REVERSE_FIELDS} }} {PAGE_INFO} }}"""
SALES_FIELDS = f"""
  id name createdAt updatedAt processedAt cancelledAt cancelReason closed test note tags email phone
  currencyCode presentmentCurrencyCode taxesIncluded sourceName sourceIdentifier displayFinancialStatus
  customAttributes {{ key value }} discountCodes
  customer {{ id firstName lastName }}
  shippingAddress {ADDRESS} billingAddress {ADDRESS}
  risk {{ assessments {{ riskLevel }} }}
  currentSubtotalPriceSet {MONEY} currentTotalDiscountsSet {MONEY} currentShippingPriceSet {MONEY}
  currentTotalTaxSet {MONEY} currentTotalPriceSet {MONEY} totalRefundedSet {MONEY} totalReceivedSet {MONEY}
  subtotalPriceSet {MONEY} totalTaxSet {MONEY} totalPriceSet {MONEY}
  totalOutstandingSet {MONEY} netPaymentSet {MONEY}
  lineItems(first: 50) {{ nodes {{ {LINE_FIELDS} }} {PAGE_INFO} }}
  shippingLines(first: 5) {{ nodes {{ {SHIPPING_FIELDS} }} {PAGE_INFO} }}
  transactions {{ id kind status gateway manualPaymentGateway createdAt paymentId amountSet {MONEY}
    parentTransaction {{ id }} }}
  fulfillments {{ id status displayStatus createdAt deliveredAt location {{ id }}
    trackingInfo {{ company number url }}
    fulfillmentLineItems(first: 20) {{ nodes {{ {PARCEL_LINE_FIELDS} }} {PAGE_INFO} }} }}
  fulfillmentOrders(first: 10) {{ nodes {{ {SHIPMENT_FIELDS} }} {PAGE_INFO} }}
  refunds {{ id createdAt note totalRefundedSet {MONEY}
    refundShippingLines(first: 5) {{ nodes {{ {REFUNDED_SHIPPING_FIELDS} }} {PAGE_INFO} }}
    refundLineItems(first: 20) {{ nodes {{ {REFUND_LINE_FIELDS} }} {PAGE_INFO} }} }}
  returns(first: 5) {{ nodes {{ {RETURN_FIELDS} }} {PAGE_INFO} }}
"""
"""Connections begin with a small page and are read on where there is more. Plain arrays have no pages and come whole
where no ``first`` cuts them (S42)."""
READ_SALES = Operation(
    "salesById",
    f"query salesById($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Order {{ {SALES_FIELDS} }} }} }}",
)


def _more(name: str, kind: str, connection: str, fields: str, size: int = 100) -> Operation:
    """A document that pages on through what one thing has many of."""
    return Operation(
        name,
        f"""query {name}($id: ID!, $after: String!) {{ node(id: $id) {{ ... on {kind} {{
  page: {connection}(first: {size}, after: $after) {{ nodes {{ {fields} }} {PAGE_INFO} }} }} }} }}""",
    )


MORE_LINES = _more("moreSalesLines", "Order", "lineItems", LINE_FIELDS)
MORE_SHIPPING = _more("moreSalesShipping", "Order", "shippingLines", SHIPPING_FIELDS)
MORE_PARCEL_LINES = _more("moreParcelLines", "Fulfillment", "fulfillmentLineItems", PARCEL_LINE_FIELDS)
MORE_SHIPMENTS = _more("moreShipments", "Order", "fulfillmentOrders", SHIPMENT_FIELDS, 50)
MORE_SHIPMENT_LINES = _more("moreShipmentLines", "FulfillmentOrder", "lineItems", SHIPMENT_LINE_FIELDS)
MORE_REFUND_LINES = _more("moreSalesRefundLines", "Refund", "refundLineItems", REFUND_LINE_FIELDS)
MORE_REFUNDED_SHIPPING = _more("moreRefundedShipping", "Refund", "refundShippingLines", REFUNDED_SHIPPING_FIELDS)
MORE_RETURNS = _more("moreReturns", "Order", "returns", RETURN_FIELDS, 25)
MORE_RETURN_LINES = _more("moreReturnLines", "Return", "returnLineItems", RETURN_LINE_FIELDS)
MORE_EXCHANGES = _more("moreExchanges", "Return", "exchangeLineItems", EXCHANGE_FIELDS)
MORE_REVERSE = _more("moreReverseOrders", "Return", "reverseFulfillmentOrders", REVERSE_FIELDS, 25)
MORE_REVERSE_LINES = _more("moreReverseLines", "ReverseFulfillmentOrder", "lineItems", REVERSE_LINE_FIELDS)
SALES_QUESTIONS = (
    READ_SALES,
    MORE_LINES,
    MORE_SHIPPING,
    MORE_PARCEL_LINES,
    MORE_SHIPMENTS,
    MORE_SHIPMENT_LINES,
    MORE_REFUND_LINES,
    MORE_REFUNDED_SHIPPING,
    MORE_RETURNS,
    MORE_RETURN_LINES,
    MORE_EXCHANGES,
    MORE_REVERSE,
    MORE_REVERSE_LINES,
)


class SalesReader:
    """Asks for whole orders; a long order costs further questions, one page at a time."""

    def __init__(self, client: ShopifyClient, connection: ConnectionName) -> None:
        self._client = client
        self._connection = connection
        self._portion = Portion(SALES_PER_READ)

    async def read_sales(self, orders: Sequence[OrderId]) -> tuple[Sale, ...]:
        """The orders that exist, whole."""
        found = await by_id(self._client, READ_SALES, orders, NodesAnswer[SalesOrder], self._portion)
        return tuple([sale_of(await self._whole(node), self._connection) for node in found])

    async def _whole(self, node: SalesOrder) -> SalesOrder:
        """The order with all that it has many of, and all that these have many of."""
        key = node.id
        shipments = await self._rest(MORE_SHIPMENTS, key, node.fulfillment_orders, MoreAnswer[ShipmentNode])
        returns = await self._rest(MORE_RETURNS, key, node.returns, MoreAnswer[ReturnNode])
        return replace(
            node,
            line_items=await self._rest(MORE_LINES, key, node.line_items, MoreAnswer[SalesLine]),
            shipping_lines=await self._rest(MORE_SHIPPING, key, node.shipping_lines, MoreAnswer[SalesShipping]),
            fulfillments=tuple([await self._whole_parcel(one) for one in node.fulfillments]),
            fulfillment_orders=Rows(tuple([await self._whole_shipment(one) for one in shipments.nodes])),
            refunds=tuple([await self._whole_refund(one) for one in node.refunds]),
            returns=Rows(tuple([await self._whole_return(one) for one in returns.nodes])),
        )

    async def _whole_parcel(self, parcel: SalesParcel) -> SalesParcel:
        first, more = parcel.fulfillment_line_items, MoreAnswer[SalesParcelLine]
        return replace(parcel, fulfillment_line_items=await self._rest(MORE_PARCEL_LINES, parcel.id, first, more))

    async def _whole_shipment(self, shipment: ShipmentNode) -> ShipmentNode:
        first, more = shipment.line_items, MoreAnswer[ShipmentLineNode]
        return replace(shipment, line_items=await self._rest(MORE_SHIPMENT_LINES, shipment.id, first, more))

    async def _whole_refund(self, refund: SalesRefund) -> SalesRefund:
        first, more = refund.refund_line_items, MoreAnswer[SalesRefundLine]
        shipping, rest = refund.refund_shipping_lines, MoreAnswer[RefundedShipping]
        return replace(
            refund,
            refund_line_items=await self._rest(MORE_REFUND_LINES, refund.id, first, more),
            refund_shipping_lines=await self._rest(MORE_REFUNDED_SHIPPING, refund.id, shipping, rest),
        )

    async def _whole_return(self, node: ReturnNode) -> ReturnNode:
        lines, instead = node.return_line_items, node.exchange_line_items
        reverse = await self._rest(MORE_REVERSE, node.id, node.reverse_fulfillment_orders, MoreAnswer[ReverseOrder])
        return replace(
            node,
            return_line_items=await self._rest(MORE_RETURN_LINES, node.id, lines, MoreAnswer[ReturnedLine]),
            exchange_line_items=await self._rest(MORE_EXCHANGES, node.id, instead, MoreAnswer[ExchangeNode]),
            reverse_fulfillment_orders=Rows(tuple([await self._whole_reverse(one) for one in reverse.nodes])),
        )

    async def _whole_reverse(self, order: ReverseOrder) -> ReverseOrder:
        first, more = order.line_items, MoreAnswer[ReverseLine]
        return replace(order, line_items=await self._rest(MORE_REVERSE_LINES, order.id, first, more))

    async def _rest(
        self, operation: Operation, owner: str, first: Rows[Row], shape: type[MoreAnswer[Row]]
    ) -> Rows[Row]:
        return await rest_of(self._client, operation, owner, first, shape)
