"""Make the sandbox's Shopify schema out of Shopify's own: fewer root fields, no descriptions.

    python scripts/prune_shopify_schema.py SOURCE [--out src/storebridge_sandbox/shopify/schema.graphql]

SOURCE is ``dist/data/admin_2026-10.json.gz`` of the npm package @shopify/dev-mcp (licence ISC), or an SDL file,
gzipped or not. Kept are the root fields listed here and every type that they reach, except the families in
``LEFT_OUT``; a field whose type was left out is left out with it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

from graphql import (
    GraphQLSchema,
    build_client_schema,
    build_schema,
    get_named_type,
    is_interface_type,
    parse,
    print_ast,
    print_schema,
    visit,
)
from graphql.language import REMOVE, DocumentNode, Node, Visitor

QUERIES = """
    app appInstallation currentAppInstallation shop location locations locationByIdentifier locationsCount
    locationsAvailableForDeliveryProfilesConnection publicApiVersions
    product products productByIdentifier productByHandle productsCount productOperation productTags productTypes
    productVendors productVariant productVariants productVariantByIdentifier productVariantsCount
    inventoryItem inventoryItems inventoryLevel inventoryProperties
    order orders ordersCount orderByIdentifier orderEditSession draftOrder draftOrders
    draftOrdersCount
    node nodes job
    webhookSubscription webhookSubscriptions webhookSubscriptionsCount
    fulfillment fulfillmentOrder fulfillmentOrders assignedFulfillmentOrders manualHoldsFulfillmentOrders
    fulfillmentService refund return returnReasonDefinitions returnableFulfillment
    returnableFulfillments reverseDelivery reverseFulfillmentOrder
    customer customers customersCount customerByIdentifier customerMergePreview customerMergeJobStatus
    bulkOperation bulkOperations currentBulkOperation
    metafieldDefinition metafieldDefinitions metafieldDefinitionTypes shopifyPaymentsAccount
    collection collections collectionByHandle collectionByIdentifier collectionsCount
""".split()

MUTATIONS = """
    inventoryActivate inventoryDeactivate inventoryAdjustQuantities inventorySetQuantities
    inventorySetOnHandQuantities inventoryMoveQuantities inventoryItemUpdate inventoryBulkToggleActivation
    webhookSubscriptionCreate webhookSubscriptionUpdate webhookSubscriptionDelete appUninstall
    productCreate productUpdate productDelete productSet productChangeStatus productVariantsBulkCreate
    productVariantsBulkUpdate productVariantsBulkDelete productVariantsBulkReorder productOptionsCreate
    productOptionUpdate productOptionsDelete productOptionsReorder
    productBundleCreate productBundleUpdate productVariantRelationshipBulkUpdate
    orderCreate orderUpdate orderCancel orderClose orderOpen orderDelete orderMarkAsPaid orderCapture
    transactionVoid orderCreateManualPayment orderCustomerSet orderCustomerRemove orderEditBegin
    orderEditAddVariant orderEditAddCustomItem orderEditSetQuantity orderEditCommit
    orderEditAddLineItemDiscount orderEditRemoveDiscount orderEditAddShippingLine
    orderEditUpdateShippingLine orderEditRemoveShippingLine orderRiskAssessmentCreate
    tagsAdd tagsRemove metafieldsSet metafieldsDelete metafieldDefinitionCreate metafieldDefinitionUpdate
    metafieldDefinitionDelete metafieldDefinitionPin metafieldDefinitionUnpin
    refundCreate returnCreate returnRequest returnApproveRequest returnDeclineRequest returnProcess
    returnClose returnReopen returnCancel removeFromReturn
    reverseFulfillmentOrderDispose reverseDeliveryCreateWithShipping reverseDeliveryShippingUpdate
    fulfillmentCreate fulfillmentCreateV2 fulfillmentCancel fulfillmentTrackingInfoUpdate
    fulfillmentTrackingInfoUpdateV2 fulfillmentEventCreate fulfillmentOrderMove fulfillmentOrderHold
    fulfillmentOrderReleaseHold fulfillmentOrderOpen fulfillmentOrderClose fulfillmentOrderCancel
    fulfillmentOrderSplit fulfillmentOrderMerge fulfillmentOrderReschedule fulfillmentOrderReportProgress
    fulfillmentOrderSubmitFulfillmentRequest fulfillmentOrderAcceptFulfillmentRequest
    fulfillmentOrderRejectFulfillmentRequest
    fulfillmentOrderLineItemsPreparedForPickup fulfillmentOrdersReroute fulfillmentOrdersSetFulfillmentDeadline
    fulfillmentServiceCreate fulfillmentServiceUpdate fulfillmentServiceDelete
    customerCreate customerUpdate customerSet customerDelete customerMerge customerAddressCreate
    customerAddressUpdate customerAddressDelete customerUpdateDefaultAddress
    customerEmailMarketingConsentUpdate customerSmsMarketingConsentUpdate
    bulkOperationRunQuery bulkOperationRunMutation bulkOperationCancel stagedUploadsCreate
    locationAdd locationEdit locationActivate locationDeactivate locationDelete
    collectionCreate collectionUpdate collectionDelete collectionAddProducts collectionAddProductsV2
    collectionRemoveProducts
""".split()

LEFT_OUT = re.compile(
    r"^(Company|Market|Discount|SubscriptionB|SubscriptionD|SubscriptionL|SubscriptionM|SubscriptionP|"
    r"SubscriptionC|SubscriptionA|SubscriptionS|SellingPlan|OnlineStore|Delivery|"
    r"Metaobject|Translation|Publication|Publishable|Channel|Catalog|PriceList|Cart|AppSubscription|AppRevenue|"
    r"AppPurchase|AppCredit|AppUsage|Comment|Event|HasEvents|Basic.*Event|Article|Blog|Page$|"
    r"PageConnection|Theme|Script|Segment|Abandon|Marketing|Storefront|Dispute|GiftCard|"
    r"Store[Cc]redit|Checkout|Collection|Navig|HasLocali|Locali|TaxonomyC[a-z]*Attr|TaxonomyAttr|"
    r"PaymentTermsT|PaymentC|CustomerPaymentM|CustomerCredit|CustomerPaypal|CustomerShopPay|CustomerJourney|"
    r"CustomerVisit|CustomerMoment|Fraud|Combined|Resource(Pub|Feed|Alert)|"
    r"ProductComp|FilterOption|SavedSearch|InventoryScheduled|Cash|PointOfSale|"
    r"Validation|FulfillmentConstraint|Function|Shop(Alert|App|Bill|Features|Pay$|PayP|Policy|Res)|"
    r"ShopifyProtect|ShopifyFunction|Shopifyql|ShopifyPaymentsD|"
    r"Privacy|Entitle|Access(Scope)?Policy|Contextual|HasPublished|OrderAgreement|Sale[A-Z]|Sales|"
    r"ReturnAgreement|RefundAgreement|OrderEditAgreement|PurchasingEntity|Tax[Aa]pp|"
    r"ProductFeed|ProductPublication|ProductResource|ProductContextual|ProductVariantContextual|Location(Sug|Local))"
)
KEPT = {
    "DeliveryMethod", "DeliveryMethodType", "DeliveryLocalPickupSettings", "DeliveryLocalPickupTime",
    "EventBridge", "SubscriptionContract", "OrderRiskSummary", "OrderRiskAssessment", "OrderRiskRecommendationResult",
    "RiskAssessmentResult",
    "StoreCreditRefundInput", "CashRoundingAdjustment", "ProductCompareAtPriceRange", "PaymentTermsType",
    "DiscountApplication", "DiscountAllocation", "DiscountApplicationAllocationMethod", "DiscountCodeApplication",
    "DiscountApplicationConnection", "DiscountApplicationEdge", "DiscountApplicationLevel",
    "DiscountApplicationTargetSelection", "DiscountApplicationTargetType", "ScriptDiscountApplication",
    "Collection", "CollectionAddProductsPayload", "CollectionAddProductsV2Payload", "CollectionAddProductsV2UserError",
    "CollectionAddProductsV2UserErrorCode", "CollectionConnection", "CollectionCreateInput", "CollectionCreatePayload",
    "CollectionDeleteInput", "CollectionDeletePayload", "CollectionEdge", "CollectionIdentifierInput",
    "CollectionInput", "CollectionRemoveProductsPayload", "CollectionSortKeys", "CollectionSortOrder",
    "CollectionUpdateInput", "CollectionUpdatePayload",
}  # fmt: skip


def read_schema(path: Path) -> GraphQLSchema:
    """A schema from introspection JSON or SDL, either of them gzipped or not."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    if text.lstrip().startswith("{") and '"__schema"' in text[:4000]:
        return build_client_schema(json.loads(text)["data"])
    return build_schema(text, assume_valid=True)


def stays(name: str) -> bool:
    return name in KEPT or not LEFT_OUT.match(name)


class Trim(Visitor):
    """Takes out descriptions, root fields not listed, left-out families and whatever names them."""

    def __init__(self) -> None:
        super().__init__()
        self.root = ""

    def enter_object_type_definition(self, node: Node, *_args: object) -> object:
        self.root = node.name.value if node.name.value in ("QueryRoot", "Mutation") else ""
        return None if stays(node.name.value) else REMOVE

    def enter_interface_type_definition(self, node: Node, *_args: object) -> object:
        self.root = ""
        return None if stays(node.name.value) else REMOVE

    enter_union_type_definition = enter_interface_type_definition
    enter_input_object_type_definition = enter_interface_type_definition
    enter_enum_type_definition = enter_interface_type_definition

    def enter_field_definition(self, node: Node, *_args: object) -> object:
        wanted = {"QueryRoot": QUERIES, "Mutation": MUTATIONS}.get(self.root)
        if wanted is not None and node.name.value not in wanted:
            return REMOVE
        return None if stays(named(node.type)) else REMOVE

    def enter_input_value_definition(self, node: Node, *_args: object) -> object:
        return None if stays(named(node.type)) else REMOVE

    def enter_named_type(self, node: Node, *_args: object) -> object:
        return None if stays(node.name.value) else REMOVE


def named(node: Node) -> str:
    while hasattr(node, "type"):
        node = node.type
    return str(node.name.value)


def reached(schema: GraphQLSchema) -> set[str]:
    """The names of all types that the roots reach, implementations too (except of Node)."""
    seen: set[str] = set()
    waiting = ["QueryRoot", "Mutation"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        kind = schema.type_map[name]
        for field in getattr(kind, "fields", {}).values():
            waiting.append(get_named_type(field.type).name)
            waiting += [get_named_type(arg.type).name for arg in getattr(field, "args", {}).values()]
        waiting += [other.name for other in getattr(kind, "types", ())]
        waiting += [other.name for other in getattr(kind, "interfaces", ())]
        if is_interface_type(kind) and name != "Node":
            waiting += [other.name for other in schema.get_possible_types(kind)]
    return seen


def without_strangers(document: DocumentNode, names: set[str]) -> DocumentNode:
    definitions = [
        node
        for node in document.definitions
        if not hasattr(node, "name") or node.kind == "directive_definition" or node.name.value in names
    ]
    return DocumentNode(definitions=tuple(definitions))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, default=Path("src/storebridge_sandbox/shopify/schema.graphql"))
    chosen = parser.parse_args(arguments)
    document = parse(print_schema(read_schema(chosen.source)), no_location=True)
    without_text = visit(visit(document, NoText()), Trim())
    kept = reached(build_schema(print_ast(without_text), assume_valid=True))
    text = print_ast(without_strangers(without_text, kept)) + "\n"
    build_schema(text)
    chosen.out.write_text(text, encoding="utf-8")
    print(f"{len(kept)} types, {len(text)} characters -> {chosen.out}", file=sys.stderr)
    return 0


class NoText(Visitor):
    """Descriptions and the reasons of deprecations go; that something is deprecated stays."""

    def enter(self, node: Node, *_args: object) -> object:
        if getattr(node, "description", None) is not None:
            return replace(node, description=None)
        return None

    def enter_directive(self, node: Node, *_args: object) -> object:
        if node.name.value == "deprecated":
            return replace(node, arguments=())
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
