"""What a query costs: the rule fitted to recorded answers (Shopify does not publish it).

Scalars, enums, PageInfo and money 0; an object 1 + its children; a connection of n 2 + f(n) * (1 + children of
a node), f(n) = max(1, floor(2 ln n)); a mutation 10 + children of its payload, whose own objects and
userErrors are free. The actual cost is the same with n as the number of nodes returned.
"""

from __future__ import annotations

import math
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    value_from_ast_untyped,
)

FREE_TYPES = frozenset(("PageInfo", "MoneyBag", "MoneyV2"))
FREE_FIELDS = frozenset((("WebhookSubscription", "endpoint"), ("WebhookSubscription", "apiVersion")))
_Dear = tuple[FieldNode, Any]
MUTATION_BASE = 10
SURCHARGES = {"fulfillmentTrackingInfoUpdate": 40, "fulfillmentTrackingInfoUpdateV2": 40, "refundCreate": 10}
"""What single mutations cost beside that, as recorded."""


def page_factor(size: int) -> int:
    return max(1, math.floor(2 * math.log(size))) if size > 0 else 0


class CostRule:
    """Costs of one operation: requested, from the text; actual, from text and answer."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = fragments
        self._dear: dict[tuple[int, str], list[_Dear]] = {}
        self._requested: dict[tuple[int, ...], int] = {}

    def requested(self, variables: dict[str, Any]) -> int:
        """Depends on the sizes of pages alone."""
        sizes = tuple(value for value in variables.values() if type(value) is int)
        cost = self._requested.get(sizes)
        if cost is None:
            cost = self._requested[sizes] = self._total(variables, None)
        return cost

    def actual(self, variables: dict[str, Any], data: dict[str, Any] | None) -> int:
        return self._total(variables, data or {})

    def _total(self, variables: dict[str, Any], data: dict[str, Any] | None) -> int:
        mutation = self._operation.operation is OperationType.MUTATION
        root = self._schema.mutation_type if mutation else self._schema.query_type
        assert root is not None
        total = 0
        for node, _parent in self._fields(self._operation.selection_set, root):
            field = root.fields[node.name.value]
            answer = None if data is None else data.get(_key(node))
            if mutation:
                total += MUTATION_BASE + SURCHARGES.get(node.name.value, 0)
                total += self._payload(node, field, variables, answer, data is None)
            else:
                total += self._field(node, root, variables, answer, data is None)
        return total

    def _payload(
        self, node: FieldNode, field: GraphQLField, variables: dict[str, Any], answer: Any, estimate: bool
    ) -> int:
        if node.selection_set is None or (answer is None and not estimate):
            return 0
        payload = get_named_type(field.type)
        total = 0
        for child, parent in self._fields(node.selection_set, payload):
            if not child.name.value.lower().endswith("usererrors"):
                inner = None if estimate else answer.get(_key(child))
                total += self._field(child, parent, variables, inner, estimate, base=0)
        return total

    def _field(
        self,
        node: FieldNode,
        parent: Any,
        variables: dict[str, Any],
        answer: Any,
        estimate: bool,
        base: int = 1,
    ) -> int:
        kind = _dear_kind(node, parent)
        if kind is None or (answer is None and not estimate):
            return 0
        assert node.selection_set is not None
        if kind.name.endswith("Connection"):
            return self._connection(node, kind, variables, answer, estimate)
        if not estimate and isinstance(answer, list):
            each = [self._children(node.selection_set, kind, variables, one, estimate) for one in answer if one]
            return base + max(each, default=0)
        return base + self._children(node.selection_set, kind, variables, answer, estimate)

    def _children(
        self,
        selection: SelectionSetNode,
        kind: GraphQLNamedType,
        variables: dict[str, Any],
        answer: Any,
        estimate: bool,
    ) -> int:
        """The dearest branch of a union or interface, the sum for an object."""
        costs: dict[str, int] = {}
        for child, parent in self._dear_fields(selection, kind):
            inner = None if estimate or answer is None else answer.get(_key(child))
            costs[parent.name] = costs.get(parent.name, 0) + self._field(child, parent, variables, inner, estimate)
        own = costs.pop(kind.name, 0)
        return own + max(costs.values(), default=0)

    def _connection(self, node: FieldNode, kind: Any, variables: dict[str, Any], answer: Any, estimate: bool) -> int:
        assert node.selection_set is not None
        size = _size(node, variables)
        per_node = [0]
        for child, _parent in self._fields(node.selection_set, kind):
            picked = child.name.value
            inner = None if estimate else (answer or {}).get(_key(child))
            if picked == "nodes":
                size = size if estimate else len(inner or [])
                per_node.append(1 + self._node_cost(child, kind.fields["nodes"], variables, inner, estimate))
            elif picked == "edges" and child.selection_set is not None:
                edge: Any = get_named_type(kind.fields["edges"].type)
                size = size if estimate else len(inner or [])
                for part, _edge in self._fields(child.selection_set, edge):
                    if part.name.value == "node":
                        nodes = None if estimate else [one.get(_key(part)) for one in inner or []]
                        cost = self._node_cost(part, edge.fields["node"], variables, nodes, estimate)
                        per_node.append(1 + cost)
        return 2 + page_factor(size) * max(max(per_node), 1)

    def _node_cost(
        self, node: FieldNode, field: GraphQLField, variables: dict[str, Any], nodes: Any, estimate: bool
    ) -> int:
        kind = get_named_type(field.type)
        if node.selection_set is None or not is_composite_type(kind):
            return 0
        if estimate:
            return self._children(node.selection_set, kind, variables, None, True)
        costs = [self._children(node.selection_set, kind, variables, one, False) for one in nodes[:3] if one]
        return max(costs, default=0)

    def _dear_fields(self, selection: SelectionSetNode, kind: GraphQLNamedType) -> list[_Dear]:
        """The fields of a selection that can cost anything; remembered, because they are asked for every node."""
        known = self._dear.get((id(selection), kind.name))
        if known is None:
            found = [(node, parent) for node, parent in self._fields(selection, kind) if _dear_kind(node, parent)]
            known = self._dear[id(selection), kind.name] = found
        return known

    def _fields(self, selection: SelectionSetNode, parent: Any) -> list[tuple[FieldNode, Any]]:
        """The fields of a selection with the type that each is asked of; introspection is free."""
        found: list[tuple[FieldNode, Any]] = []
        for node in selection.selections:
            if isinstance(node, FieldNode):
                if not node.name.value.startswith("__"):
                    found.append((node, parent))
                continue
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = node.selection_set
            else:
                spread: Any = node
                fragment = self._fragments[spread.name.value]
                condition, inner = fragment.type_condition, fragment.selection_set
            target = self._schema.type_map[condition.name.value] if condition else parent
            found += self._fields(inner, target)
        return found


def _dear_kind(node: FieldNode, parent: Any) -> Any:
    """The type of a field that can cost anything; None for one that is free."""
    kind = get_named_type(parent.fields[node.name.value].type)
    free = is_leaf_type(kind) or kind.name in FREE_TYPES or (parent.name, node.name.value) in FREE_FIELDS
    return None if free else kind


def _key(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _size(node: FieldNode, variables: dict[str, Any]) -> int:
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            value = value_from_ast_untyped(argument.value, variables)
            if isinstance(value, int):
                return value
    return 0
