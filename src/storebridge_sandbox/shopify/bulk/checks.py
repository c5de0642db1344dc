"""What Shopify refuses of a bulk query or mutation before it runs; the wordings are recorded ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
)

from storebridge_sandbox.shopify.errors import ruby_validation_error
from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.syntax_words import ruby_syntax_message
from storebridge_sandbox.shopify.validation import unfit

MOST_CONNECTIONS, DEEPEST, LONGEST_BYTES = 5, 2, 65_535
NOT_IN_BULK = {"bulkOperationRunQuery", "bulkOperationRunMutation", "bulkOperationCancel", "stagedUploadsCreate"}


@dataclass(frozen=True, slots=True)
class _Connection:
    """A connection with its depth below others and what it selects."""

    node: FieldNode
    depth: int
    in_list: bool
    parent_shows_id: bool
    parent_key: str


def query_errors(text: str, schema: GraphQLSchema) -> list[UserError]:
    """Why a bulk query is not taken; empty when it is."""
    if len(text.encode()) > LONGEST_BYTES:
        told = f"Query is too large ({len(text.encode())} bytes; maximum is {LONGEST_BYTES} bytes)"
        return [_query_error(told)]
    try:
        document = parse(text)
    except GraphQLError as error:
        return [_query_error(f"Invalid bulk query: {ruby_syntax_message(error, text)[0]}")]
    operation = _operation(document)
    if operation is None or operation.operation is not OperationType.QUERY:
        return [_query_error("Invalid operation type. Only `query` operations are supported.")]
    found = list(_connections(document, operation, schema))
    faults = [_query_error(told) for told in _query_faults(operation, found)]
    invalid = [] if faults else unfit(schema, document)
    return [_query_error(f"Invalid bulk query: {_worded(invalid[0], document, schema)}")] if invalid else faults


def _query_faults(operation: OperationDefinitionNode, found: list[_Connection]) -> Iterator[str]:
    roots = [one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode)]
    for name in ("node", "nodes"):
        if name in roots:
            yield f"Bulk queries cannot contain a top level `{name}` field."
    if not found:
        yield "Bulk queries must contain at least one connection."
        return
    by_nodes = [one.node.name.value for one in found if "nodes" in _picked(one.node)]
    if by_nodes:
        yield (
            "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: "
            f"'{by_nodes[0]} {{ edges {{ node {{'. Selecting via 'nodes' is not supported. "
            f"Invalid connection fields: {', '.join(repr(one) for one in by_nodes)}."
        )
        return
    if any(one.in_list for one in found):
        yield "Queries that contain a connection field within a list field are not currently supported."
        return
    if len(found) > MOST_CONNECTIONS:
        yield f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
        return
    if any(one.depth > DEEPEST for one in found):
        yield f"Bulk queries cannot contain connections with a nesting depth greater than {DEEPEST}."
        return
    without = list(dict.fromkeys(one.parent_key for one in found if one.depth > 0 and not one.parent_shows_id))
    if without:
        yield (
            "The parent 'node' field for a nested connection must select the 'id' field without an alias and must "
            f"be of 'ID' return type. Connection fields without 'id': {', '.join(without)}."
        )


def mutation_errors(text: str, schema: GraphQLSchema) -> list[UserError]:
    """Why a bulk mutation is not taken; empty when it is."""
    if len(text.encode()) > LONGEST_BYTES:
        told = f"is too large ({len(text.encode())} bytes; maximum is {LONGEST_BYTES} bytes)"
        return [UserError(["query"], told, "INVALID_MUTATION")]
    try:
        document = parse(text)
    except GraphQLError as error:
        told = f"Failed to parse the mutation - {ruby_syntax_message(error, text)[0]}"
        return [UserError(None, told, "INVALID_MUTATION")]
    operation = _operation(document)
    if operation is None or operation.operation is not OperationType.MUTATION:
        told = "Invalid operation type. Only `mutation` operations are supported."
        return [UserError(None, told, "INVALID_MUTATION")]
    roots = [one for one in operation.selection_set.selections if isinstance(one, FieldNode)]
    if len(roots) != 1:
        return [UserError(["mutation"], "You must specify a single top level mutation.")]
    if roots[0].name.value in NOT_IN_BULK or schema.mutation_type is None:
        return [UserError(["mutation"], "You must use an allowed mutation name.")]
    if roots[0].name.value not in schema.mutation_type.fields:
        return [UserError(["mutation"], "You must use an allowed mutation name.")]
    if len(list(_connections(document, operation, schema))) > 1:
        return [UserError(["mutation"], "Bulk mutations cannot contain more than 1 connection.")]
    invalid = unfit(schema, document)
    return [UserError(None, _worded(invalid[0], document, schema), "INVALID_MUTATION")] if invalid else []


def _worded(error: GraphQLError, document: DocumentNode, schema: GraphQLSchema) -> str:
    return str(ruby_validation_error(error, document, schema)["message"])


def _operation(document: DocumentNode) -> OperationDefinitionNode | None:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return operations[0] if len(operations) == 1 else None


def _query_error(message: str) -> UserError:
    return UserError(["query"], message, "INVALID")


def _picked(node: FieldNode) -> set[str]:
    selection = node.selection_set
    return {one.name.value for one in selection.selections if isinstance(one, FieldNode)} if selection else set()


def _connections(
    document: DocumentNode, operation: OperationDefinitionNode, schema: GraphQLSchema
) -> Iterator[_Connection]:
    """Every connection of an operation, outer ones first."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    root: Any = schema.get_root_type(operation.operation)
    yield from _walk(operation.selection_set, root, schema, fragments, 0, False, True, "")


def _walk(
    selection: SelectionSetNode,
    kind: Any,
    schema: GraphQLSchema,
    fragments: dict[str, FragmentDefinitionNode],
    depth: int,
    in_list: bool,
    shows_id: bool,
    key: str,
) -> Iterator[_Connection]:
    for node in selection.selections:
        if not isinstance(node, FieldNode):
            inner: Any = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = inner.type_condition
            within: Any = schema.type_map.get(condition.name.value) if condition else kind
            yield from _walk(inner.selection_set, within, schema, fragments, depth, in_list, shows_id, key)
            continue
        field = getattr(kind, "fields", {}).get(node.name.value)
        if node.selection_set is None:
            continue
        target: Any = get_named_type(field.type) if field is not None else None
        # What the schema does not know is judged by its looks: its shape is refused before its name.
        unknown_connection = field is None and bool(_picked(node) & {"edges", "nodes"})
        if unknown_connection or (target is not None and target.name.endswith("Connection")):
            yield _Connection(node, depth, in_list, shows_id, key)
            yield from _walk(
                node.selection_set, target, schema, fragments, depth + 1, False, _shows_id(node), node.name.value
            )
        else:
            many = field is not None and is_list_type(get_nullable_type(field.type))
            listed = in_list or (many and node.name.value not in ("edges", "nodes"))
            yield from _walk(node.selection_set, target, schema, fragments, depth, listed, shows_id, key)


def _shows_id(node: FieldNode) -> bool:
    """Whether ``edges { node { id } }`` is selected, without an alias."""
    for edge in node.selection_set.selections if node.selection_set else ():
        for part in getattr(getattr(edge, "selection_set", None), "selections", ()):
            for one in getattr(getattr(part, "selection_set", None), "selections", ()):
                if isinstance(one, FieldNode) and one.name.value == "id" and one.alias is None:
                    return True
    return False
