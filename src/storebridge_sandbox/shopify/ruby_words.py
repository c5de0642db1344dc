"""graphql-ruby's words for texts that do not fit the schema: literals, input objects, fragments, selections, variables.

Each function gets the library's error, what its pattern found, and where the error stands; it answers with the error
as it goes on the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    BREAK,
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
    Visitor,
    get_named_type,
    print_ast,
    visit,
)


@dataclass(slots=True)
class Spot:
    """Where a node stands: the path in graphql-ruby's form, and the argument that it is inside of.

    ``owner`` is what has that argument, by its kind (``Field``, ``InputObject``, ``Directive``) and name.
    """

    path: list[str]
    owner: tuple[str, str] = ("Field", "")
    owner_node: Node | None = None
    argument: str = ""
    expected: Any = None
    value: Node | None = None
    variable: VariableDefinitionNode | None = None
    """The variable that is being declared, where that is wrong."""


def spot_of(document: DocumentNode, wanted: Node | None, schema: GraphQLSchema) -> Spot:
    """The spot of a node; an empty one where it is not found."""
    spot = Spot([])
    kind: Any = None
    for node in _way_to(document, wanted):
        if isinstance(node, OperationDefinitionNode):
            spot.path = [f"{node.operation.value}{f' {node.name.value}' if node.name else ''}"]
            kind = schema.get_root_type(node.operation)
        elif isinstance(node, FragmentDefinitionNode):
            spot.path, kind = [f"fragment {node.name.value}"], schema.type_map.get(node.type_condition.name.value)
        elif isinstance(node, FieldNode):
            spot.path.append(node.alias.value if node.alias else node.name.value)
            spot.owner, spot.owner_node = ("Field", node.name.value), node
            definition = getattr(kind, "fields", {}).get(node.name.value)
            kind = get_named_type(definition.type) if definition else None
            arguments = definition.args if definition else {}
        elif isinstance(node, InlineFragmentNode) and node.type_condition:
            spot.path.append(f"... on {node.type_condition.name.value}")
            kind = schema.type_map.get(node.type_condition.name.value)
        elif isinstance(node, VariableDefinitionNode):
            spot.variable = node
        elif isinstance(node, DirectiveNode):
            spot.owner, spot.owner_node = ("Directive", node.name.value), node
            arguments = getattr(schema.get_directive(node.name.value), "args", {})
        elif isinstance(node, ArgumentNode):
            _enter(spot, node, arguments)
        elif isinstance(node, ObjectFieldNode):
            held = get_named_type(spot.expected) if spot.expected is not None else None
            spot.owner, spot.owner_node = ("InputObject", getattr(held, "name", "")), spot.value
            _enter(spot, node, getattr(held, "fields", {}))
    return spot


def _enter(spot: Spot, node: ArgumentNode | ObjectFieldNode, known: Any) -> None:
    spot.argument, spot.value = node.name.value, node.value
    spot.path.append(spot.argument)
    definition = known.get(spot.argument)
    spot.expected = definition.type if definition else None


def _way_to(document: DocumentNode, wanted: Node | None) -> Sequence[Node]:
    """The nodes from the document down to this one."""
    way: list[Node] = []

    class Finder(Visitor):
        def enter(self, node: Node, _key: Any, parent: Any, _path: Any, ancestors: list[Any]) -> Any:
            if node is wanted:
                way.extend([one for one in (*ancestors, parent, node) if isinstance(one, Node)])
                return BREAK
            return None

    visit(document, Finder())
    return way


def made(
    nodes: Sequence[Node] | None, message: str, path: Sequence[Any], code: str, **extensions: Any
) -> dict[str, Any]:
    """An error on the wire; it is placed where its first node begins."""
    places = [place(nodes[0])] if nodes else []
    return {"message": message, "locations": places, "path": [*path], "extensions": {"code": code, **extensions}}


def place(node: Any) -> dict[str, int]:
    """Where a node stands in its text."""
    if node.loc is None:
        return {"line": 1, "column": 1}
    token = node.loc.start_token
    return {"line": token.line, "column": token.column}


# -- words ---------------------------------------------------------------------------------------------------


def wrong_literal(error: GraphQLError, _found: Any, spot: Spot) -> dict[str, Any]:
    if spot.variable is not None:
        name, kind = spot.variable.variable.name.value, print_ast(spot.variable.type)
        told = f"Default value for ${name} doesn't match type {kind}"
        extensions = {"variableName": name, "typeName": kind}
        return made([spot.variable], told, spot.path, "defaultValueInvalidType", **extensions)
    kind, name = spot.owner
    told = f"Argument '{spot.argument}' on {kind} '{name}' has an invalid value ({_shown(spot.value)})."
    nodes = [spot.owner_node] if spot.owner_node is not None else error.nodes
    extensions = {"typeName": kind, "argumentName": spot.argument}
    message = f"{told} Expected type '{spot.expected}'."
    return made(nodes, message, spot.path, "argumentLiteralsIncompatible", **extensions)


def _shown(value: Node | None) -> str:
    """A literal in one line: ``{email: 5}``."""
    if isinstance(value, ObjectValueNode):
        return f"{{{', '.join(f'{one.name.value}: {_shown(one.value)}' for one in value.fields)}}}"
    if isinstance(value, ListValueNode):
        return f"[{', '.join(map(_shown, value.values))}]"
    return "" if value is None else print_ast(value)


def missing_in_object(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    kind, name = found[1], found[2]
    held = getattr(get_named_type(spot.expected), "fields", {}).get(name) if spot.expected is not None else None
    expected = str(held.type) if held else ""
    message = f"Argument '{name}' on InputObject '{kind}' is required. Expected type {expected}"
    extensions = {"argumentName": name, "argumentType": expected, "inputObjectType": kind}
    return made(error.nodes, message, [*spot.path, name], "missingRequiredInputObjectAttribute", **extensions)


def unknown_in_object(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f"InputObject '{found[1]}' doesn't accept argument '{found[2]}'"
    extensions = {"name": found[1], "typeName": "InputObject", "argumentName": found[2]}
    path = spot.path if spot.path[-1:] == [found[2]] else [*spot.path, found[2]]
    return made(error.nodes, message, path, "argumentNotAccepted", **extensions)


def selection_on_scalar(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    field, kind = found[1], found[2].strip("[]!")
    inner = getattr(error.nodes[0] if error.nodes else None, "selections", ())
    names = ", ".join(f'"{one.name.value}"' if getattr(one, "name", None) else '"Inline Fragment"' for one in inner)
    message = f"Selections can't be made on scalars (field '{field}' returns {kind} but has selections [{names}])"
    return made(error.nodes, message, spot.path, "selectionMismatch", nodeName=f"field '{field}'", typeName=kind)


def unknown_fragment(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f"Fragment {found[1]} was used, but not defined"
    return made(error.nodes, message, [*spot.path, f"... {found[1]}"], "useAndDefineFragment", fragmentName=found[1])


def unused_fragment(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f"Fragment {found[1]} was defined, but not used"
    return made(error.nodes, message, spot.path, "useAndDefineFragment", fragmentName=found[1])


def endless_fragment(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f"Fragment {found[1]} contains an infinite loop"
    return made(error.nodes, message, spot.path, "infiniteLoop", fragmentName=found[1])


def unknown_type(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    """Of a fragment, or of a variable, which the path tells apart."""
    name = found[1]
    if len(spot.path) == 1 and not spot.path[0].startswith("fragment"):
        declared = f"${spot.variable.variable.name.value}" if spot.variable else ""
        message = f"{name} isn't a defined input type (on {declared})"
        extensions = {"typeName": name, "variableName": declared.lstrip("$")}
        return made(error.nodes, message, spot.path, "variableRequiresValidType", **extensions)
    message = f"No such type {name}, so it can't be a fragment condition"
    return made(error.nodes, message, spot.path, "undefinedType", typeName=name)


def stray_fragment(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f"Fragment on {found[2]} can't be spread inside {found[1]}"
    extensions = {"typeName": found[2], "fragmentName": "unknown", "parentName": found[1]}
    return made(error.nodes, message, spot.path, "cannotSpreadFragment", **extensions)


def variable_mismatch(error: GraphQLError, found: Any, _spot: Spot, use: Spot) -> dict[str, Any]:
    """Of another type, or of the same with a null that is not allowed."""
    name, kind, expected = found[1], found[2], found[3]
    word = "Nullability mismatch" if kind.strip("!") == expected.strip("!") else "Type mismatch"
    message = f"{word} on variable ${name} and argument {use.argument} ({kind} / {expected})"
    extensions = {"variableName": name, "typeName": kind, "argumentName": use.argument, "errorMessage": word}
    nodes = [use.owner_node] if use.owner_node is not None else error.nodes
    return made(nodes, message, use.path, "variableMismatch", **extensions)


def twice_argument(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f'There can be only one argument named "{found[1]}"'
    return made(error.nodes, message, spot.path[:-1] or spot.path, "argumentNotUnique", name=found[1])


def missing_in_directive(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f"Directive '{found[1]}' is missing required arguments: {found[2]}"
    extensions = {"className": "Directive", "name": found[1], "arguments": found[2]}
    return made(error.nodes, message, spot.path, "missingRequiredArguments", **extensions)


def field_conflict(error: GraphQLError, found: Any, _spot: Spot) -> dict[str, Any]:
    """Two fields, or one field with two sets of arguments, under one name."""
    kind, shown = "field", f"{found[2]} or {found[3]}" if found[3] else ""
    if not found[3]:
        nodes = [one for one in error.nodes or () if isinstance(one, FieldNode)]
        kind, shown = "argument", " or ".join(_arguments(one) for one in nodes[:2])
    message = f"Field '{found[1]}' has {'a field' if kind == 'field' else 'an argument'} conflict: {shown}?"
    return made(error.nodes, message, [], "fieldConflict", fieldName=found[1], conflicts=shown)


def _arguments(node: FieldNode) -> str:
    told = [f'{one.name.value}:"{_shown(one.value)}"' for one in node.arguments or ()]
    return f"{{{','.join(told)}}}"


def twice_operation(error: GraphQLError, found: Any, _spot: Spot) -> dict[str, Any]:
    message = f'Operation name "{found[1]}" must be unique'
    return made(error.nodes, message, [], "uniquelyNamedOperations", operationName=found[1])


def twice_variable(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f'There can only be one variable named "{found[1]}"'
    return made(error.nodes, message, spot.path, "variableNotUnique", variableName=found[1])


def no_subscriptions(error: GraphQLError, _found: Any, spot: Spot) -> dict[str, Any]:
    message = "Schema is not configured for subscriptions"
    return made(error.nodes, message, spot.path, "missingSubscriptionConfiguration")


def defines_types(error: GraphQLError, found: Any, _spot: Spot) -> dict[str, Any]:
    """All definitions of a text at once, each with its place."""
    told = made(None, found[0], [], "queryContainsSchemaDefinitions")
    return {**told, "locations": [place(node) for node in error.nodes or ()]}


def one_of_several(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f"OneOf Input Object '{found[1]}' must specify exactly one key."
    return made(error.nodes, message, spot.path, "invalidOneOfInputObject", inputObjectType=found[1])


def null_in_one_of(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    kind, _dot, name = found[1].partition(".")
    path = spot.path if spot.path[-1:] == [name] else [*spot.path, name]
    return made(
        error.nodes, f"Argument '{name}' must be non-null.", path, "invalidOneOfInputObject", inputObjectType=kind
    )


def nullable_in_one_of(error: GraphQLError, found: Any, spot: Spot) -> dict[str, Any]:
    message = f"Variable '{found[1]}' must be non-nullable to be used for OneOf Input Object '{found[2]}'."
    return made(error.nodes, message, spot.path, "invalidOneOfInputObject", inputObjectType=found[2])


LITERALS = (
    (r"OneOf Input Object '(\w+)' must specify exactly one key", one_of_several),
    (r"Within OneOf Input Object type '(\w+)', exactly one field must be specified", one_of_several),
    (r"Field '(\w+\.\w+)' must be non-null", null_in_one_of),
    (r"Variable '\$?(\w+)' must be non-nullable to be used for OneOf Input Object '(\w+)'", nullable_in_one_of),
    (r"Expected value of type '(\w+)' to include required field '(\w+)'", missing_in_object),
    (r"Expected value of type '(\w+)' not to include unknown field '(\w+)'", unknown_in_object),
    (r"(?:Int|Float|Boolean|String|ID|\w+) cannot represent", wrong_literal),
    (r"Value '(\w+)' does not exist in '(\w+)' enum", wrong_literal),
    (r"Expected value of (?:non-null )?type ", wrong_literal),
    (r"Enum '(\w+)' cannot represent", wrong_literal),
    (r"Field '(\w+)' must not have a selection since type '([^']+)'", selection_on_scalar),
    (r"Unknown fragment '(\w+)'", unknown_fragment),
    (r"Fragment '(\w+)' is never used", unused_fragment),
    (r"Cannot spread fragment '(\w+)' within itself", endless_fragment),
    (r"Unknown type '(\w+)'", unknown_type),
    (r"Fragment cannot be spread here as objects of type '(\w+)' can never be of type '(\w+)'", stray_fragment),
    (r"There can be only one argument named '(\w+)'", twice_argument),
    (r"Argument '@(\w+)\((\w+):\)' of type .* is required", missing_in_directive),
    (
        r"Fields '(\w+)' conflict because (?:'(\w+)' and '(\w+)' are different fields|they have differing)",
        field_conflict,
    ),
    (r"There can be only one operation named '(\w+)'", twice_operation),
    (r"There can be only one variable named '\$(\w+)'", twice_variable),
    (r"The subscription operation is not supported", no_subscriptions),
    (r"Query cannot contain schema definitions", defines_types),
)
"""The library's words, and who says them in graphql-ruby's."""
MISMATCH = r"Variable '\$(\w+)' of type '([^']+)' used in position expecting type '([^']+)'"
