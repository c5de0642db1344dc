"""Every field of the schema that is served can be asked for: none has nothing behind it but an error of the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_required_argument,
)
from shopify_everything import everything_happened
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.engine import load_schema
from storebridge_sandbox.shopify.quirks import ShopifyOptions

FAMILIES = ("Connection", "Edge", "UserError", "UserErrors")
UNBOUNDED = ("Node", "HasMetafields", "LegacyInteroperability", "CommentEventSubject")
HAD_BY_NOBODY = {
    "AdditionalFee", "AppUninstallAppUninstallError", "AutomaticDiscountApplication", "BankAccount",
    "CalculatedAutomaticDiscountApplication", "CalculatedDiscountAllocation", "CalculatedDiscountCodeApplication",
    "CalculatedDraftOrderLineItem", "CalculatedManualDiscountApplication", "CalculatedScriptDiscountApplication",
    "CustomerMergeError", "DepositPercentage", "DomainLocalization", "DraftOrder", "DraftOrderAppliedDiscount",
    "DraftOrderBundleAddedWarning", "DraftOrderDiscountNotAppliedWarning", "DraftOrderLineItem",
    "DraftOrderMarketRegionCountryCodeNotSupportedWarning", "DraftOrderPlatformDiscount",
    "DraftOrderPlatformDiscountAllocation", "Duty", "ExternalVideo", "FileError",
    "FinancialSummaryDiscountAllocation", "FinancialSummaryDiscountApplication",
    "FulfillmentOrderLineItemFinancialSummary", "MediaError", "MediaWarning",
    "MetafieldDefinitionSupportedValidation", "Model3d", "Model3dBoundingBox", "Model3dSource",
    "OrderDisputeSummary", "OrderStagedChangeAddShippingLine", "OrderStagedChangeRemoveDiscount",
    "OrderStagedChangeRemoveShippingLine", "PaymentMandate", "PaymentSchedule", "PaymentTerms",
    "ProductDeleteOperation", "ProductDuplicateOperation", "RefundDuty", "ScriptDiscountApplication", "StaffMember",
    "StaffMemberPrivateData", "SuggestedStoreCreditRefund", "TransactionFee", "TypedAttribute",
    "UnverifiedReturnLineItem", "VaultCreditCard", "VaultPaypalBillingAgreement", "Vector3", "Video", "VideoSource",
}  # fmt: skip
"""What no sandbox shop ever has: where one could stand, the answer is null or an empty list."""
BROKEN = "INTERNAL_SERVER_ERROR"
OPTIONS = ShopifyOptions(bucket_size=0)


def answers(served: frozenset[tuple[str, str]], kind: str, name: str) -> bool:
    families = (one for one in FAMILIES if kind.endswith(one))
    return (kind, name) in served or any((one, name) in served for one in families)


def may_be_left_out(declared: Any) -> bool:
    """Null, an empty list or an empty connection says that there is nothing."""
    if not is_non_null_type(declared):
        return True
    return is_list_type(declared.of_type) or get_named_type(declared).name.endswith("Connection")


def reached(served: frozenset[tuple[str, str]]) -> Iterator[GraphQLObjectType]:
    """The object types that an answer may hold: those that a field with something behind it leads to."""
    schema = load_schema()
    waiting: list[GraphQLNamedType] = [schema.type_map["QueryRoot"], schema.type_map["Mutation"]]
    seen: set[str] = set()
    while waiting:
        kind = waiting.pop()
        if kind.name in seen:
            continue
        seen.add(kind.name)
        if is_abstract_type(kind):
            waiting += schema.get_possible_types(kind) if kind.name not in UNBOUNDED else ()
        elif is_object_type(kind):
            yield kind
            whole = not any(answers(served, kind.name, name) for name in kind.fields)
            waiting += [
                get_named_type(one.type)
                for name, one in kind.fields.items()
                if whole or answers(served, kind.name, name)
            ]


def test_no_field_that_must_have_a_value_is_without_code() -> None:
    async def play(shop: Shop) -> None:
        served = shop.store.served_fields()
        without = [
            f"{kind.name}.{name}"
            for kind in reached(served)
            if any(answers(served, kind.name, one) for one in kind.fields)
            for name, one in kind.fields.items()
            if not may_be_left_out(one.type) and not answers(served, kind.name, name)
        ]
        assert without == []

    with_shop(play)


def test_an_empty_connection_answers_every_field_that_it_must() -> None:
    async def play(shop: Shop) -> None:
        served = shop.store.served_fields()
        kinds = [one for name, one in load_schema().type_map.items() if name.endswith("Connection")]
        without = [
            f"{kind.name}.{name}"
            for kind in kinds
            if isinstance(kind, GraphQLObjectType)
            for name, one in kind.fields.items()
            if not may_be_left_out(one.type) and not answers(served, kind.name, name)
        ]
        assert without == []
        told = await shop.told('{ shop { search(first: 1, query: "mug") { resultsAfterCount edges { cursor } } } }')
        assert told["data"]["shop"]["search"] == {"resultsAfterCount": 0, "edges": []}

    with_shop(play)


def selection(kind: Any, depth: int) -> str:
    """Every field that can be asked without arguments, so deep."""
    if is_leaf_type(kind):
        return ""
    if is_abstract_type(kind):
        kinds = () if kind.name in UNBOUNDED else load_schema().get_possible_types(kind)
        parts = [f"... on {one.name} {selection(one, depth)}" for one in kinds]
    else:
        parts = [part for name, one in kind.fields.items() if (part := _asked(name, one, depth))]
    return f"{{ __typename {' '.join(parts)} }}"


def _asked(name: str, field: Any, depth: int) -> str:
    inner = get_named_type(field.type)
    required = [key for key, one in field.args.items() if is_required_argument(one) and key != "first"]
    if name == "accountOwner" or required or (not is_leaf_type(inner) and not depth):
        return ""
    return f"{name}{'(first: 2)' if 'first' in field.args else ''} {selection(inner, depth - 1)}"


def named_in(answer: Any) -> Iterator[str]:
    if isinstance(answer, dict):
        if "__typename" in answer:
            yield answer["__typename"]
        answer = list(answer.values())
    for one in answer if isinstance(answer, list) else ():
        yield from named_in(one)


def test_whatever_a_shop_holds_can_be_asked_for_whole() -> None:
    async def play(shop: Shop) -> None:
        schema, seen, wrong = load_schema(), set[str](), []
        asked = await everything_happened(shop)
        seen.update(named_in(asked))
        ways = ["shop", "currentAppInstallation", "currentAppInstallation { app", "shopifyPaymentsAccount"]
        for way in [*ways, *(f'node(id: "{one}")' for one in sorted(asked["ids"]))]:
            rest = way.count("{") * "}"
            there = (await shop.told(f"{{ {way} {{ __typename }} {rest} }}"))["data"]
            kind = schema.type_map[list(named_in(there))[-1]]
            assert isinstance(kind, GraphQLObjectType)
            for field, one in kind.fields.items():
                part = _asked(field, one, 2)
                answer = await shop.told(f"{{ {way} {{ ... on {kind.name} {{ {part} }} }} {rest} }}") if part else {}
                assert not part or "data" in answer, answer
                errors = [one for one in answer.get("errors", ()) if one.get("extensions", {}).get("code") == BROKEN]
                wrong += [f"{kind.name}.{field}: {error['message']}" for error in errors]
                seen.update(named_in(answer))
        served = shop.store.served_fields()
        by_name = {
            kind.name
            for kind in reached(served)
            if not any(answers(served, kind.name, one) for one in kind.fields)
            and not all(may_be_left_out(one.type) for one in kind.fields.values())
        }
        assert wrong == []
        assert sorted(by_name - seen) == sorted(HAD_BY_NOBODY)

    with_shop(play, OPTIONS)


def test_an_order_has_no_tip_and_no_rounding_and_an_app_is_not_shown_staff() -> None:
    async def play(shop: Shop) -> None:
        await shop.buy("MUG", 1)
        await asyncio.sleep(5)
        nothing = {"shopMoney": {"amount": "0.0"}}
        told = await shop.told(
            "{ orders(first: 1) { nodes { totalTipReceived { amount currencyCode } totalCashRoundingAdjustment {"
            " paymentSet { shopMoney { amount } } refundSet { shopMoney { amount } } } } } }"
        )
        assert told["data"]["orders"]["nodes"] == [
            {
                "totalTipReceived": {"amount": "0.0", "currencyCode": "EUR"},
                "totalCashRoundingAdjustment": {"paymentSet": nothing, "refundSet": nothing},
            }
        ]
        refused = await shop.told("{ shop { name accountOwner { name } } }")
        assert refused["data"] is None
        assert [one["extensions"]["code"] for one in refused["errors"]] == ["ACCESS_DENIED"]

    with_shop(play)
