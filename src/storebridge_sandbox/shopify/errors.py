"""GraphQL errors as Shopify's server (graphql-ruby) words them, not as graphql-core does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    print_ast,
    type_from_ast,
)

from storebridge_sandbox.shopify.ruby_words import LITERALS, MISMATCH, place, spot_of, variable_mismatch
from storebridge_sandbox.shopify.scalars import holds_ids, is_global_id
from storebridge_sandbox.shopify.syntax_words import ruby_syntax_message


class Refusal(Exception):
    """A root field fails as a whole: an error at the top level, and null in its place."""

    def __init__(self, message: str, code: str, *, names_variable: bool = False, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.names_variable = names_variable
        self.extensions = extensions

    def as_error(self, node: FieldNode, call: Any) -> dict[str, Any]:
        """The error without its path; with the variable's place too, where Shopify gives it."""
        locations = [place(node)]
        if self.names_variable:
            locations += getattr(call, "input_locations", [])
        error: dict[str, Any] = {"message": self.message, "locations": locations}
        if self.code:
            error["extensions"] = {"code": self.code, **self.extensions}
        return error


def ruby_syntax_error(error: GraphQLError) -> dict[str, Any]:
    """A text that is no GraphQL."""
    message, line, column = ruby_syntax_message(error, error.source.body if error.source else "")
    return {"message": message, "locations": [{"line": line, "column": column}]}


def ruby_validation_error(error: GraphQLError, document: DocumentNode, schema: GraphQLSchema) -> dict[str, Any]:
    """A valid text that does not fit the schema."""
    node = error.nodes[0] if error.nodes else None
    path, field, parent = _where(document, node, schema)
    for pattern, word in _WORDINGS:
        found = re.match(pattern, error.message, re.DOTALL)
        if found:
            worded: dict[str, Any] = word(error, found, path, field, parent)
            return worded
    spot = spot_of(document, node, schema)
    for pattern, say in LITERALS:
        found = re.match(pattern, error.message, re.DOTALL)
        if found:
            return say(error, found, spot)
    found = re.match(MISMATCH, error.message)
    if found and error.nodes:
        return variable_mismatch(error, found, spot, spot_of(document, error.nodes[-1], schema))
    return {"message": error.message, "locations": _places(error), "path": path}


def variable_error(
    error: GraphQLError, definitions: Sequence[VariableDefinitionNode], values: Mapping[str, Any]
) -> dict[str, Any]:
    """A variable whose value does not fit its type; problems are found anew, in graphql-ruby's words."""
    found = re.match(r"Variable '\$(\w+)'", error.message)
    definition = next((one for one in definitions if found and one.variable.name.value == found[1]), None)
    if definition is None:
        return {"message": error.message, "locations": _places(error)}
    name = definition.variable.name.value
    return {
        "message": error.message,
        "locations": [place(definition)],
        "extensions": {"code": "INVALID_VARIABLE", "value": values.get(name)},
        "variable": name,
    }


def wrong_ids(
    definitions: Sequence[VariableDefinitionNode], values: Mapping[str, Any], schema: GraphQLSchema
) -> list[dict[str, Any]]:
    """Variables that fit their types but for ids that are none, which only Shopify looks at."""
    errors = []
    for definition in definitions:
        name = definition.variable.name.value
        kind = type_from_ast(schema, definition.type)
        if holds_ids(kind) and values.get(name) is not None and _problems(values[name], kind, []):
            extensions = {"code": "INVALID_VARIABLE", "value": values[name]}
            errors.append({"locations": [place(definition)], "extensions": extensions, "variable": name})
    return explain_variables(errors, definitions, values, schema)


def explain_variables(
    errors: Sequence[dict[str, Any]],
    definitions: Sequence[VariableDefinitionNode],
    values: Mapping[str, Any],
    schema: GraphQLSchema,
) -> list[dict[str, Any]]:
    """One error for each wrong variable, with all its problems."""
    explained: dict[str, dict[str, Any]] = {}
    for error in errors:
        name = error.pop("variable", "")
        definition = next((one for one in definitions if one.variable.name.value == name), None)
        if definition is None or name in explained:
            explained.setdefault(name or error["message"], error)
            continue
        problems = _problems(values.get(name), type_from_ast(schema, definition.type), [])
        if problems:
            texts = [
                f"{'.'.join(map(str, one['path']))} ({one['explanation']})" if one["path"] else "" for one in problems
            ]
            listed = f" for {', '.join(texts)}" if any(texts) else ""
            shown = print_ast(definition.type)
            error["message"] = f"Variable ${name} of type {shown} was provided invalid value{listed}"
            error["extensions"]["problems"] = problems
        explained[name] = error
    return list(explained.values())


def _problems(value: Any, kind: Any, path: list[Any]) -> list[dict[str, Any]]:
    if is_non_null_type(kind):
        if value is None:
            return [{"path": path, "explanation": "Expected value to not be null"}]
        return _problems(value, kind.of_type, path)
    if value is None:
        return []
    if is_list_type(kind):
        items = value if isinstance(value, list) else [value]
        return [found for n, item in enumerate(items) for found in _problems(item, kind.of_type, [*path, n])]
    if is_input_object_type(kind):
        return _object_problems(value, kind, path)
    if is_enum_type(kind):
        if isinstance(value, str) and value in kind.values:
            return []
        expected = ", ".join(kind.values)
        return [{"path": path, "explanation": f"Expected {_shown(value)} to be one of: {expected}"}]
    if kind.name == "ID" and not is_global_id(value):
        told = f"Invalid global id '{value}'"
        return [{"path": path, "explanation": told, "message": told}]
    try:
        kind.coerce_input_value(value)
    except GraphQLError:
        return [{"path": path, "explanation": f"Could not coerce value {_shown(value)} to {kind.name}"}]
    return []


def _shown(value: Any) -> str:
    """A value as graphql-ruby writes it: as JSON."""
    return msgspec.json.encode(value).decode()


def _object_problems(value: Any, kind: Any, path: list[Any]) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        return [{"path": path, "explanation": f"Expected {_shown(value)} to be a key-value object."}]
    problems = [
        {"path": [*path, name], "explanation": f"Field is not defined on {kind.name}"}
        for name in value
        if name not in kind.fields
    ]
    if kind.is_one_of:
        return problems or _one_of_problems(value, kind, path) or _within(value, kind, path)
    for name, field in kind.fields.items():
        if name in value:
            problems += _problems(value[name], field.type, [*path, name])
        elif is_non_null_type(field.type) and not _has_default(field):
            problems.append({"path": [*path, name], "explanation": "Expected value to not be null"})
    return problems


def _one_of_problems(value: dict[str, Any], kind: Any, path: list[Any]) -> list[dict[str, Any]]:
    """Exactly one of the fields is given, and it is not null."""
    told = f"'{kind.name}' requires exactly one argument, but "
    if len(value) != 1:
        return [{"path": path, "explanation": f"{told}{len(value)} were provided."}]
    return [
        {"path": path, "explanation": f"{told}'{name}' was `null`."} for name, held in value.items() if held is None
    ]


def _within(value: dict[str, Any], kind: Any, path: list[Any]) -> list[dict[str, Any]]:
    return [one for name in value for one in _problems(value[name], kind.fields[name].type, [*path, name])]


def _has_default(field: Any) -> bool:
    return getattr(field, "ast_node", None) is not None and field.ast_node.default_value is not None


# -- wordings ----------------------------------------------------------------------------------------------


def _undefined_field(error: Any, found: Any, path: Any, _field: Any, _parent: Any) -> dict[str, Any]:
    message = f"Field '{found[1]}' doesn't exist on type '{found[2]}'"
    return _made(error, message, path, "undefinedField", typeName=found[2], fieldName=found[1])


def _missing_argument(error: Any, found: Any, path: Any, field: Any, _parent: Any) -> dict[str, Any]:
    message = f"Field '{field}' is missing required arguments: {found[2]}"
    extensions = {"className": "Field", "name": field, "arguments": found[2]}
    return _made(error, message, path, "missingRequiredArguments", **extensions)


def _unknown_argument(error: Any, found: Any, path: Any, _field: Any, _parent: Any) -> dict[str, Any]:
    name = found[2].rpartition(".")[2]
    message = f"Field '{name}' doesn't accept argument '{found[1]}'"
    extensions = {"name": name, "typeName": "Field", "argumentName": found[1]}
    return _made(error, message, [*path, found[1]], "argumentNotAccepted", **extensions)


def _unknown_directive(error: Any, found: Any, path: Any, _field: Any, _parent: Any) -> dict[str, Any]:
    message = f"Directive @{found[1]} is not defined"
    return _made(error, message, path, "undefinedDirective", directiveName=found[1])


def _unused_variable(error: Any, found: Any, path: Any, _field: Any, _parent: Any) -> dict[str, Any]:
    message = f"Variable ${found[1]} is declared by {found[2] or 'anonymous query'} but not used"
    return _made(error, message, path, "variableNotUsed", variableName=found[1])


def _undeclared_variable(error: Any, found: Any, path: Any, _field: Any, _parent: Any) -> dict[str, Any]:
    message = f"Variable ${found[1]} is used by {found[2] or 'anonymous query'} but not declared"
    return _made(error, message, path, "variableNotDefined", variableName=found[1])


def _no_global_id(error: Any, found: Any, path: Any, _field: Any, parent: Any) -> dict[str, Any]:
    argument = [parent[0]] if parent else []
    made = _made(error, f"Invalid global id '{found[1]}'", [*path, *argument], "argumentLiteralsIncompatible")
    made["extensions"]["typeName"] = "CoercionError"
    return made


def _no_selection(error: Any, found: Any, path: Any, field: Any, _parent: Any) -> dict[str, Any]:
    kind = found[2].strip("[]!")
    message = (
        f"Field must have selections (field '{field}' returns {kind} but has no selections. "
        f"Did you mean '{field} {{ ... }}'?)"
    )
    return _made(error, message, path, "selectionMismatch", nodeName=f"field '{field}'", typeName=kind)


def _made(error: GraphQLError, message: str, path: Any, code: str, **extensions: Any) -> dict[str, Any]:
    return {
        "message": message,
        "locations": [place(error.nodes[0])] if error.nodes else _places(error),
        "path": path,
        "extensions": {"code": code, **extensions},
    }


_WORDINGS: tuple[tuple[str, Any], ...] = (
    (r"Cannot query field '(\w+)' on type '(\w+)'", _undefined_field),
    (r"Argument '(\w+\.\w+)\((\w+):\)' of type .* is required", _missing_argument),
    (r"Unknown argument '(\w+)' on field '([\w.]+)'", _unknown_argument),
    (r"Unknown directive '@(\w+)'", _unknown_directive),
    (r"Variable '\$(\w+)' is never used(?: in operation '(\w*)')?", _unused_variable),
    (r"Variable '\$(\w+)' is not defined(?: by operation '(\w*)')?", _undeclared_variable),
    (r"Field '(\w+)' of type '([^']+)' must have a selection", _no_selection),
    (r"Invalid global id '(.*)'", _no_global_id),
)


def _places(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]


def _where(document: DocumentNode, wanted: Any, schema: GraphQLSchema) -> tuple[list[Any], str, tuple[str, str] | None]:
    """The path to a node in Shopify's form, the innermost field's name, and the argument it stands in."""
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            name = f" {definition.name.value}" if definition.name else ""
            start = f"{definition.operation.value}{name}"
            root: Any = schema.get_root_type(definition.operation)
        elif isinstance(definition, FragmentDefinitionNode):
            start = f"fragment {definition.name.value}"
            root = schema.type_map.get(definition.type_condition.name.value)
        else:
            continue
        found = _search(definition, wanted, [start], "", root)
        if found is not None:
            return found
    return [], "", None


def _search(
    node: Any, wanted: Any, path: list[Any], field: str, kind: Any
) -> tuple[list[Any], str, tuple[str, str] | None] | None:
    if node is wanted:
        return path, field, None
    for directive in getattr(node, "directives", None) or ():
        if _inside(directive, wanted):
            return path, field, None
    for variable in getattr(node, "variable_definitions", None) or ():
        if _inside(variable, wanted):
            return path, field, None
    for argument in getattr(node, "arguments", None) or ():
        if _inside(argument, wanted):
            name = argument.name.value
            definition = getattr(kind, "args", {}).get(name)
            return path, field, (name, str(definition.type).rstrip("!") if definition else "")
    selection = getattr(node, "selection_set", None)
    for child in selection.selections if selection else ():
        found = _search_child(child, wanted, path, field, kind)
        if found is not None:
            return found
    return None


def _search_child(
    child: Any, wanted: Any, path: list[Any], field: str, kind: Any
) -> tuple[list[Any], str, tuple[str, str] | None] | None:
    fields = getattr(getattr(kind, "type", kind), "fields", None)
    named = kind
    while hasattr(named, "of_type") or hasattr(named, "type"):
        named = getattr(named, "of_type", None) or named.type
        fields = getattr(named, "fields", None)
    if isinstance(child, FieldNode):
        key = child.alias.value if child.alias else child.name.value
        definition = (fields or {}).get(child.name.value)
        return _search(child, wanted, [*path, key], child.name.value, definition)
    if isinstance(child, InlineFragmentNode) and child.type_condition:
        return _search(child, wanted, [*path, f"... on {child.type_condition.name.value}"], field, kind)
    return _search(child, wanted, path, field, kind)


def _inside(node: Any, wanted: Any) -> bool:
    if node is wanted:
        return True
    for name in getattr(node, "keys", ()):
        inner = getattr(node, name, None)
        for one in inner if isinstance(inner, (list, tuple)) else (inner,):
            if one is not None and hasattr(one, "kind") and _inside(one, wanted):
                return True
    return False
