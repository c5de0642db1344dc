"""No list of Shopify's is cut silently: each document that asks for one is read on to its end, or says why not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import (
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_list_type,
    is_non_null_type,
    parse,
    visit,
)
from test_shopify_queries import every_operation

from storebridge_sandbox.shopify.engine import load_schema

ENDS = {
    ("findCopy", "QueryRoot.orders"): "only a copy that bears the stamp counts; where the search shows others first, "
    "the copy is found among all orders that changed since",
    (
        "productVariants",
        "Product.collections",
    ): "the first fifty collections of a product decide, as the operating guide "
    "says: a follow-up for each product would cost more than the listing",
    ("variantComponents", "ProductVariant.productVariantComponents"): "a bundle of more components than a page is told "
    "as a variant that cannot be written, and nothing is written for it",
}
"""Lists whose later pages are not read, each with its reason."""
ROOTS = ("QueryRoot", "ShopifyPaymentsAccount")
"""What a document asks for itself; its reader pages on with ``after``."""


class _Lists(Visitor):
    """Every list that a document asks for: (what it is a field of, its field)."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.connections: list[tuple[str, FieldNode]] = []
        self.arrays: list[tuple[str, FieldNode]] = []

    def enter_field(self, node: FieldNode, *_rest: object) -> None:
        kind, parent = self._types.get_type(), self._types.get_parent_type()
        assert kind is not None
        assert parent is not None
        bare = kind.of_type if is_non_null_type(kind) else kind
        if str(get_named_type(kind)).endswith("Connection"):
            self.connections.append((f"{parent.name}.{node.name.value}", node))
        elif is_list_type(bare):
            self.arrays.append((f"{parent.name}.{node.name.value}", node))


def lists_of(document: str, schema: GraphQLSchema) -> _Lists:
    types = TypeInfo(schema)
    found = _Lists(types)
    visit(parse(document), TypeInfoVisitor(types, found))
    return found


def asked_of(node: FieldNode) -> dict[str, str]:
    return {one.name.value: type(one.value).__name__ for one in node.arguments or ()}


def pages(node: FieldNode) -> bool:
    """Whether a connection tells that there is more, and where it begins."""
    assert node.selection_set is not None
    inner = [one for one in node.selection_set.selections if isinstance(one, FieldNode)]
    told = [one.selection_set for one in inner if one.name.value == "pageInfo" and one.selection_set is not None]
    names = {one.name.value for part in told for one in part.selections if isinstance(one, FieldNode)}
    return {"hasNextPage", "endCursor"} <= names


def read_on(schema: GraphQLSchema) -> set[str]:
    """The connections of single things of which a document of ours asks for a later page."""
    found = set[str]()
    for operation in every_operation().values():
        (asked,) = (one for one in parse(operation.document).definitions if isinstance(one, OperationDefinitionNode))
        takes = {one.variable.name.value for one in asked.variable_definitions or ()}
        if {"id", "after"} <= takes:
            name, node = lists_of(operation.document, schema).connections[0]
            assert asked_of(node)["after"] == "VariableNode"
            found.add(name)
    return found


def cut_short(document: str, schema: GraphQLSchema, *, known: set[str], name: str = "") -> Iterator[str]:
    """The lists of a document of which the end may never be read."""
    found = lists_of(document, schema)
    for what, node in found.connections:
        if (name, what) in ENDS:
            continue
        followed = "after" in asked_of(node) if what.split(".")[0] in ROOTS else what in known
        if not pages(node) or not followed:
            yield what
    yield from (what for what, node in found.arrays if "first" in asked_of(node))


@pytest.mark.parametrize("name", sorted(every_operation()))
def test_every_list_of_a_document_is_read_to_its_end(name: str) -> None:
    schema = load_schema()
    assert list(cut_short(every_operation()[name].document, schema, known=read_on(schema), name=name)) == []


def test_the_reasons_are_of_lists_that_are_there() -> None:
    schema = load_schema()
    asked = {
        (name, what)
        for name, one in every_operation().items()
        for what, _ in lists_of(one.document, schema).connections
    }
    assert set(ENDS) <= asked


@pytest.mark.parametrize(
    ("fields", "cut"),
    [
        ("metafields(first: 5) { nodes { id } }", ["Order.metafields"]),
        ("metafields(first: 5) { nodes { id } pageInfo { hasNextPage endCursor } }", ["Order.metafields"]),
        ("lineItems(first: 5) { nodes { id } }", ["Order.lineItems"]),
        ("lineItems(first: 5) { nodes { id } pageInfo { hasNextPage } }", ["Order.lineItems"]),
        ("lineItems(first: 5) { nodes { id } pageInfo { hasNextPage endCursor } }", []),
        ("refunds(first: 5) { id }", ["Order.refunds"]),
        ("refunds { id }", []),
    ],
)
def test_a_list_that_is_added_without_reading_on_is_found(fields: str, cut: list[str]) -> None:
    schema = load_schema()
    document = f"query added($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Order {{ {fields} }} }} }}"
    assert list(cut_short(document, schema, known=read_on(schema))) == cut
