"""What Shopify checks of a text beside what the GraphQL specification asks, and what of that it does not check."""

from __future__ import annotations

import re
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    StringValueNode,
    ValidationRule,
    get_named_type,
    specified_rules,
    validate,
)

GLOBAL_ID = re.compile(r"gid://\S+|\d+")
ANSWERS_DIFFER = re.compile(r"Fields '.*' conflict because .*they return conflicting types", re.DOTALL)


class GlobalIdLiterals(ValidationRule):
    """A literal where an id belongs must be a global id, or a number (recorded for the empty text)."""

    def enter_string_value(self, node: StringValueNode, *_args: Any) -> None:
        wanted = self.context.get_input_type()
        if wanted is not None and get_named_type(wanted).name == "ID" and not GLOBAL_ID.fullmatch(node.value):
            self.report_error(GraphQLError(f"Invalid global id '{node.value}'", node))


def unfit(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """What is wrong with a text. Fields of different types may answer under one name on types that exclude each
    other: graphql-ruby lets them (recorded), the specification does not."""
    errors = validate(schema, document, rules=(*specified_rules, GlobalIdLiterals))
    return [error for error in errors if not ANSWERS_DIFFER.match(error.message)]
