"""Editing an order: changes are staged on a calculated order, and only committing them changes anything.

So beginning and staging may be repeated freely; the commit is the write. Quantities are absolute and nothing is
restocked; a variant that is added comes at the shop's own price.
"""

from __future__ import annotations

from typing import Any

import msgspec

from storebridge.connectors.port import EncodedOrderCall, OrderCallAnswer, OrderOutcome
from storebridge.connectors.shopify.client import PATH, Answer, Operation, Shape, ShopifyClient
from storebridge.connectors.shopify.errors import UserError, drift
from storebridge.connectors.shopify.translate import LineRef
from storebridge.model.order_writes import AddedLine, EditLines

JOURNAL_BYTES = 64 * 1024
ERRORS = "{ userErrors { field message } }"
BEGIN_EDIT = Operation(
    "orderEditBegin",
    "mutation orderEditBegin($id: ID!) { edit: orderEditBegin(id: $id) {"
    " calculatedOrder { id } userErrors { field message } } }",
)
COMMIT_EDIT = Operation(
    "orderEditCommit",
    "mutation orderEditCommit($id: ID!) { order: orderEditCommit(id: $id, notifyCustomer: false) {"
    " order { id } userErrors { field message } } }",
    writes=True,
)
STAGE = "orderEditStage"


class Begun(Shape, frozen=True):
    """The calculated order, or why there is none."""

    user_errors: tuple[UserError, ...]
    calculated_order: LineRef | None = None


class BegunAnswer(Shape, frozen=True):
    """What is used of the answer."""

    edit: Begun | None = None


class Staged(Shape, frozen=True):
    """Whether one change can be made."""

    user_errors: tuple[UserError, ...]


def encode_edit(write: EditLines) -> EncodedOrderCall:
    """One document that stages every change, for the journal and for sending; pure."""
    variables: dict[str, Any] = {"order": write.order_id}
    declared, steps = ["$id: ID!"], []
    for number, line in enumerate(write.units):
        calculated = line.line_id.replace("/LineItem/", "/CalculatedLineItem/")
        variables |= {f"l{number}": calculated, f"q{number}": line.quantity}
        declared.append(f"$l{number}: ID!, $q{number}: Int!")
        named = f"id: $id, lineItemId: $l{number}, quantity: $q{number}, restock: false"
        steps.append(f"s{number}: orderEditSetQuantity({named}) {ERRORS}")
    for number, added in enumerate(write.added):
        step, types, values = _addition(number, added)
        variables |= values
        declared.append(types)
        steps.append(step)
    document = f"mutation {STAGE}({', '.join(declared)}) {{ {' '.join(steps)} }}"
    body = msgspec.json.encode({"query": document, "variables": variables})
    return EncodedOrderCall(COMMIT_EDIT.name, "POST", PATH, body, key="")


def _addition(n: int, line: AddedLine) -> tuple[str, str, dict[str, Any]]:
    if line.goods is not None:
        values: dict[str, Any] = {f"v{n}": line.goods.variant_id, f"n{n}": line.units}
        named = f"id: $id, variantId: $v{n}, quantity: $n{n}, allowDuplicates: true"
        return f"a{n}: orderEditAddVariant({named}) {ERRORS}", f"$v{n}: ID!, $n{n}: Int!", values
    price = {"amount": f"{line.price.shop.amount:f}", "currencyCode": line.price.shop.currency}
    values = {f"t{n}": line.title or "Item", f"p{n}": price, f"n{n}": line.units}
    kind = f"requiresShipping: {str(line.needs_shipping).lower()}, taxable: {str(line.taxable).lower()}"
    named = f"id: $id, title: $t{n}, price: $p{n}, quantity: $n{n}, {kind}"
    types = f"$t{n}: String!, $p{n}: MoneyInput!, $n{n}: Int!"
    return f"a{n}: orderEditAddCustomItem({named}) {ERRORS}", types, values


async def begin_and_stage(client: ShopifyClient, call: EncodedOrderCall) -> bytes | OrderCallAnswer:
    """The body that commits the staged changes, or Shopify's refusal. Raises CallTrouble: then nothing was changed."""
    content: dict[str, Any] = msgspec.json.decode(call.body)
    order = {"id": content["variables"].pop("order")}
    begun = await client.exchange(BEGIN_EDIT, _body(BEGIN_EDIT, order), BegunAnswer)
    edit = begun.data.edit
    if edit is None:
        raise drift("Shopify's answer to orderEditBegin says nothing", writes=False)
    if edit.user_errors or edit.calculated_order is None:
        return _refused(edit.user_errors, begun)
    content["variables"]["id"] = edit.calculated_order.id
    stage = Operation(STAGE, content["query"])
    staged = await client.exchange(stage, msgspec.json.encode(content), dict[str, Staged | None])
    errors = tuple(error for one in staged.data.values() if one is not None for error in one.user_errors)
    return _refused(errors, staged) if errors else _body(COMMIT_EDIT, {"id": edit.calculated_order.id})


def _body(operation: Operation, variables: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"query": operation.document, "variables": variables})


def _refused(errors: tuple[UserError, ...], answer: Answer[Any]) -> OrderCallAnswer:
    error = errors[0] if errors else UserError(message="the order cannot be edited")
    path = ".".join(error.field or ())
    status, body = answer.response.status, answer.response.body[:JOURNAL_BYTES]
    return OrderCallAnswer(OrderOutcome.REFUSED, error.code or path, error.message, {}, status, body)
