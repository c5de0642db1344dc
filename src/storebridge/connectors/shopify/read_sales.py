"""Questions about whole orders: the document that the fulfilment queue shows and that copies repeat.

Dearer than the label in ``read.py`` (some 200 points a question), so it is asked less urgently and
only where orders are kept in step.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    ReturnNode,
    SalesLine,
    SalesOrder,
    SalesParcel,
    SalesParcelLine,
    SalesRefund,
    SalesRefundLine,
    ShipmentLineNode,
    ShipmentNode,
)
from storebridge.connectors.shopify.translate import Rows
from storebridge.connectors.shopify.translate_sales import sale_of
from storebridge.model.ids import ConnectionName, OrderId
from storebridge.model.sales import Sale

SALES_PER_READ = 20
MONEY = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
ADDRESS = "{ firstName lastName company address1 address2 city provinceCode zip countryCodeV2 phone }"
TAXES = f"taxLines {{ title rate priceSet {MONEY} }}"
LINE_FIELDS = f"""id title variantTitle sku quantity currentQuantity unfulfilledQuantity requiresShipping isGiftCard
  originalUnitPriceSet {MONEY} discountAllocations {{ allocatedAmountSet {MONEY} }} {TAXES}
  variant {{ id inventoryItem {{ id }} }}"""
PARCEL_LINE_FIELDS = "quantity lineItem { id }"
SHIPMENT_LINE_FIELDS = "id remainingQuantity lineItem { id }"
REFUND_LINE_FIELDS = f"""quantity restockType restocked location {{ id }} lineItem {{ id }}
  subtotalSet {MONEY} totalTaxSet {MONEY}"""
RETURN_FIELDS = """id status createdAt
    returnLineItems(first: 20) { nodes { quantity ... on ReturnLineItem { fulfillmentLineItem { lineItem { id } } } } }
    exchangeLineItems(first: 5) { nodes { processedQuantity lineItems { id } } }
    reverseFulfillmentOrders(first: 2) { nodes { lineItems(first: 20) { nodes {
      dispositions { type quantity } fulfillmentLineItem { lineItem { id } } } } } }"""
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
  shippingLines(first: 5) {{ nodes {{ title code originalPriceSet {MONEY} discountedPriceSet {MONEY} {TAXES} }} }}
  transactions(first: 50) {{ id kind status gateway manualPaymentGateway createdAt paymentId amountSet {MONEY}
    parentTransaction {{ id }} }}
  fulfillments(first: 50) {{ id status displayStatus createdAt deliveredAt location {{ id }}
    trackingInfo(first: 10) {{ company number url }}
    fulfillmentLineItems(first: 20) {{ nodes {{ {PARCEL_LINE_FIELDS} }} {PAGE_INFO} }} }}
  fulfillmentOrders(first: 10) {{ nodes {{ id status fulfillBy assignedLocation {{ location {{ id }} }}
    fulfillmentHolds {{ reason }}
    lineItems(first: 20) {{ nodes {{ {SHIPMENT_LINE_FIELDS} }} {PAGE_INFO} }} }} }}
  refunds(first: 50) {{ id createdAt note totalRefundedSet {MONEY}
    refundShippingLines(first: 5) {{ nodes {{ subtotalAmountSet {MONEY} taxAmountSet {MONEY} }} }}
    refundLineItems(first: 20) {{ nodes {{ {REFUND_LINE_FIELDS} }} {PAGE_INFO} }} }}
  returns(first: 5) {{ nodes {{ {RETURN_FIELDS} }} {PAGE_INFO} }}
"""
READ_SALES = Operation(
    "salesById",
    f"query salesById($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Order {{ {SALES_FIELDS} }} }} }}",
)


def _more(name: str, kind: str, connection: str, fields: str, first: int = 100) -> Operation:
    """A document that pages on through what one thing has many of."""
    return Operation(
        name,
        f"""query {name}($id: ID!, $after: String!) {{ node(id: $id) {{ ... on {kind} {{
  page: {connection}(first: {first}, after: $after) {{ nodes {{ {fields} }} {PAGE_INFO} }} }} }} }}""",
    )


MORE_LINES = _more("moreSalesLines", "Order", "lineItems", LINE_FIELDS)
MORE_PARCEL_LINES = _more("moreParcelLines", "Fulfillment", "fulfillmentLineItems", PARCEL_LINE_FIELDS)
MORE_SHIPMENT_LINES = _more("moreShipmentLines", "FulfillmentOrder", "lineItems", SHIPMENT_LINE_FIELDS)
MORE_REFUND_LINES = _more("moreSalesRefundLines", "Refund", "refundLineItems", REFUND_LINE_FIELDS)
MORE_RETURNS = _more("moreReturns", "Order", "returns", RETURN_FIELDS, first=10)
SALES_QUESTIONS = (READ_SALES, MORE_LINES, MORE_PARCEL_LINES, MORE_SHIPMENT_LINES, MORE_REFUND_LINES, MORE_RETURNS)


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
        lines = await rest_of(self._client, MORE_LINES, node.id, node.line_items, MoreAnswer[SalesLine])
        shipments = [await self._whole_shipment(one) for one in node.fulfillment_orders.nodes]
        return replace(
            node,
            line_items=lines,
            fulfillments=tuple([await self._whole_parcel(one) for one in node.fulfillments]),
            fulfillment_orders=Rows(tuple(shipments)),
            refunds=tuple([await self._whole_refund(one) for one in node.refunds]),
            returns=await rest_of(self._client, MORE_RETURNS, node.id, node.returns, MoreAnswer[ReturnNode]),
        )

    async def _whole_parcel(self, parcel: SalesParcel) -> SalesParcel:
        first, more = parcel.fulfillment_line_items, MoreAnswer[SalesParcelLine]
        lines = await rest_of(self._client, MORE_PARCEL_LINES, parcel.id, first, more)
        return replace(parcel, fulfillment_line_items=lines)

    async def _whole_shipment(self, shipment: ShipmentNode) -> ShipmentNode:
        first, more = shipment.line_items, MoreAnswer[ShipmentLineNode]
        lines = await rest_of(self._client, MORE_SHIPMENT_LINES, shipment.id, first, more)
        return replace(shipment, line_items=lines)

    async def _whole_refund(self, refund: SalesRefund) -> SalesRefund:
        first, more = refund.refund_line_items, MoreAnswer[SalesRefundLine]
        lines = await rest_of(self._client, MORE_REFUND_LINES, refund.id, first, more)
        return replace(refund, refund_line_items=lines)
