"""What Shopify checks of a text beside what the GraphQL specification asks, and what of that it does not check."""

from __future__ import annotations

import re
from typing import Any

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    IntValueNode,
    StringValueNode,
    ValidationRule,
    get_named_type,
    specified_rules,
    validate,
)

from storebridge_sandbox.shopify.scalars import is_global_id

DEFINES_TYPES = "Query cannot contain schema definitions"
ANSWERS_DIFFER = re.compile(r"Fields '.*' conflict because .*they return conflicting types", re.DOTALL)


class GlobalIdLiterals(ValidationRule):
    """A literal where an id belongs must be a global id (recorded for the empty text)."""

    def enter_int_value(self, node: IntValueNode, *_args: Any) -> None:
        self._look_at(node)

    def enter_string_value(self, node: StringValueNode, *_args: Any) -> None:
        self._look_at(node)

    def _look_at(self, node: StringValueNode | IntValueNode) -> None:
        wanted = self.context.get_input_type()
        if wanted is not None and get_named_type(wanted).name == "ID" and not is_global_id(node.value):
            self.report_error(GraphQLError(f"Invalid global id '{node.value}'", node))


def unfit(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """What is wrong with a text. Fields of different types may answer under one name on types that exclude each
    other: graphql-ruby lets them (recorded), the specification does not."""
    strangers = [node for node in document.definitions if not isinstance(node, ExecutableDefinitionNode)]
    asked = tuple(node for node in document.definitions if isinstance(node, ExecutableDefinitionNode))
    errors = validate(schema, DocumentNode(definitions=asked), rules=(*specified_rules, GlobalIdLiterals))
    errors = [error for error in errors if not ANSWERS_DIFFER.match(error.message)]
    return [*errors, GraphQLError(DEFINES_TYPES, strangers)] if strangers else errors
