"""A text that does not fit the schema is refused in graphql-ruby's words, never in those of the library underneath."""

from __future__ import annotations

from typing import Any

import pytest
from shopify_shop import Shop, with_shop

ADJUST = 'mutation A { inventoryAdjustQuantities(input: %s) @idempotent(key: "k") { userErrors { message } } }'
CASES: list[tuple[str, str, list[str], str]] = [
    (
        'query A { products(first: "x") { nodes { id } } }',
        "Argument 'first' on Field 'products' has an invalid value (\"x\"). Expected type 'Int'.",
        ["query A", "products", "first"],
        "argumentLiteralsIncompatible",
    ),
    (
        "mutation A { tagsAdd(id: null, tags: []) { userErrors { message } } }",
        "Argument 'id' on Field 'tagsAdd' has an invalid value (null). Expected type 'ID!'.",
        ["mutation A", "tagsAdd", "id"],
        "argumentLiteralsIncompatible",
    ),
    (
        ADJUST
        % '{name: "available", reason: "x", changes: [{delta: 1.5, inventoryItemId: "gid://x/1", locationId: "gid://x/1"}]}',
        "Argument 'delta' on InputObject 'InventoryChangeInput' has an invalid value (1.5). Expected type 'Int!'.",
        ["mutation A", "inventoryAdjustQuantities", "input", "changes", "delta"],
        "argumentLiteralsIncompatible",
    ),
    (
        ADJUST % '{name: "available", changes: []}',
        "Argument 'reason' on InputObject 'InventoryAdjustQuantitiesInput' is required. Expected type String!",
        ["mutation A", "inventoryAdjustQuantities", "input", "reason"],
        "missingRequiredInputObjectAttribute",
    ),
    (
        ADJUST % '{name: "available", reason: "x", changes: [], colour: 1}',
        "InputObject 'InventoryAdjustQuantitiesInput' doesn't accept argument 'colour'",
        ["mutation A", "inventoryAdjustQuantities", "input", "colour"],
        "argumentNotAccepted",
    ),
    (
        'mutation A { customerCreate(input: "x") { userErrors { message } } }',
        "Argument 'input' on Field 'customerCreate' has an invalid value (\"x\"). Expected type 'CustomerInput!'.",
        ["mutation A", "customerCreate", "input"],
        "argumentLiteralsIncompatible",
    ),
    (
        "query A { shop { name { x } } }",
        "Selections can't be made on scalars (field 'name' returns String but has selections [\"x\"])",
        ["query A", "shop", "name"],
        "selectionMismatch",
    ),
    (
        "query A { products(first: 1) { nodes } }",
        "Field must have selections (field 'nodes' returns Product but has no selections. "
        "Did you mean 'nodes { ... }'?)",
        ["query A", "products", "nodes"],
        "selectionMismatch",
    ),
    (
        "query A { shop { ...F } }",
        "Fragment F was used, but not defined",
        ["query A", "shop", "... F"],
        "useAndDefineFragment",
    ),
    (
        "query A { shop { name } } fragment F on Shop { id }",
        "Fragment F was defined, but not used",
        ["fragment F"],
        "useAndDefineFragment",
    ),
    (
        "query A { shop { ... on Nope { id } } }",
        "No such type Nope, so it can't be a fragment condition",
        ["query A", "shop", "... on Nope"],
        "undefinedType",
    ),
    (
        "query A { shop { ... on Product { id } } }",
        "Fragment on Product can't be spread inside Shop",
        ["query A", "shop", "... on Product"],
        "cannotSpreadFragment",
    ),
    (
        "query A($x: ID) { product(id: $x) { id } }",
        "Nullability mismatch on variable $x and argument id (ID / ID!)",
        ["query A", "product", "id"],
        "variableMismatch",
    ),
    (
        "query A($x: String) { products(first: $x) { nodes { id } } }",
        "Type mismatch on variable $x and argument first (String / Int)",
        ["query A", "products", "first"],
        "variableMismatch",
    ),
    (
        'query A($x: Int = "a") { products(first: $x) { nodes { id } } }',
        "Default value for $x doesn't match type Int",
        ["query A"],
        "defaultValueInvalidType",
    ),
    (
        "query A { products(first: 1, first: 2) { nodes { id } } }",
        'There can be only one argument named "first"',
        ["query A", "products"],
        "argumentNotUnique",
    ),
    (
        "query A { shop { name @include } }",
        "Directive 'include' is missing required arguments: if",
        ["query A", "shop", "name"],
        "missingRequiredArguments",
    ),
    ("query A { shop { x: name x: id } }", "Field 'x' has a field conflict: name or id?", [], "fieldConflict"),
    (
        "query A { products(first: 1) { nodes { id } } products(first: 2) { nodes { id } } }",
        'Field \'products\' has an argument conflict: {first:"1"} or {first:"2"}?',
        [],
        "fieldConflict",
    ),
]


@pytest.mark.parametrize(
    ("query", "message", "path", "code"), CASES, ids=[f"{case[3]}-{case[0][:40]}" for case in CASES]
)
def test_a_text_that_does_not_fit_is_told_so_in_the_vendors_words(
    query: str, message: str, path: list[str], code: str
) -> None:
    async def play(shop: Shop) -> None:
        errors: list[dict[str, Any]] = (await shop.told(query))["errors"]
        assert [(one["message"], one["path"], one["extensions"]["code"]) for one in errors] == [(message, path, code)]

    with_shop(play)


@pytest.mark.parametrize("before", ["", "{ shop { name } }\n"], ids=["alone", "beside-a-query"])
def test_a_text_that_defines_a_schema_is_refused_once_with_each_place(before: str) -> None:
    async def play(shop: Shop) -> None:
        answer = await shop.told(f"{before}type X {{ a: Nope }}\nextend type Shop {{ b: Int }}")
        first = 2 if before else 1
        assert answer["errors"] == [
            {
                "message": "Query cannot contain schema definitions",
                "locations": [{"line": first, "column": 1}, {"line": first + 1, "column": 1}],
                "path": [],
                "extensions": {"code": "queryContainsSchemaDefinitions"},
            }
        ]
        assert "data" not in answer

    with_shop(play)
