"""Ids that a recording asks with and does not keep: taken from the answer, else from what was spoken of last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facts_of_recording import GID, Facts, kind_of
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, get_named_type, parse
from recordings import Exchange, Observation


def with_left_out(
    step: Exchange, before: Sequence[Exchange | Observation], facts: Facts, schema: GraphQLSchema
) -> Mapping[str, Any]:
    """The variables of a read, with the ids that it cannot have been asked without."""
    found = {name: _id_of(kind, shown, before, facts) for name, kind, shown in _asked_without(step, schema)}
    return {**step.variables, **{name: one for name, one in found.items() if one}}


def _asked_without(step: Exchange, schema: GraphQLSchema) -> list[tuple[str, str, Any]]:
    """(variable, type, answer) of the root fields whose id is a variable that was not kept."""
    try:
        operations = [one for one in parse(step.query).definitions if isinstance(one, OperationDefinitionNode)]
    except GraphQLError:
        return []
    asked = []
    for node in operations[0].selection_set.selections if len(operations) == 1 else ():
        root = schema.query_type.fields.get(node.name.value) if schema.query_type and node.kind == "field" else None
        for argument in getattr(node, "arguments", None) or ():
            name = argument.value.name.value if argument.value.kind == "variable" else None
            if root is not None and name and argument.name.value == "id" and step.variables.get(name) is None:
                key = node.alias.value if node.alias else node.name.value
                asked.append((name, get_named_type(root.type).name, (step.body.get("data") or {}).get(key)))
    return asked


def _id_of(kind: str, shown: Any, before: Sequence[Exchange | Observation], facts: Facts) -> str | None:
    """The answer's own id, else the last of its kind that was spoken of before."""
    if not isinstance(shown, dict):
        return None
    if isinstance(shown.get("id"), str):
        return str(shown["id"])
    spoken = [found[0] for step in before for found in GID.finditer(f"{getattr(step, 'variables', '')} {step.body}")]
    return next((one for one in reversed(spoken) if kind_of(one) == kind and facts.knows(one)), None)
