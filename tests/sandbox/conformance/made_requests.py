"""Request texts for answers that were recorded with their variables only: roots and selection from the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLSchema, get_named_type, is_composite_type


def make_request(schema: GraphQLSchema, variables: Mapping[str, Any], body: Mapping[str, Any]) -> str | None:
    """A text that takes these variables and selects what the answer shows; None where the schema knows no such root."""
    data = body.get("data") or {}
    if len(data) != 1:
        return None
    ((key, answer),) = data.items()
    for kind, word in ((schema.mutation_type, "mutation"), (schema.query_type, "query")):
        if kind is not None and key in kind.fields:
            return _text(word, key, kind.fields[key], variables, answer)
    return None


def _text(word: str, key: str, field: Any, variables: Mapping[str, Any], answer: Any) -> str | None:
    taken = {name: argument for name, argument in field.args.items() if name in variables}
    if len(taken) != len([name for name in variables if name != "idempotencyKey"]):
        return None
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in taken.items())
    passed = ", ".join(f"{name}: ${name}" for name in taken)
    selection = _selection(get_named_type(field.type), answer)
    head = f"{word} Made({declared})" if declared else f"{word} Made"
    return f"{head} {{ {key}{f'({passed})' if passed else ''} {selection} }}"


def _selection(kind: Any, shown: Any) -> str:
    """What an answer shows of a type, without fields that need arguments of their own."""
    if not is_composite_type(kind):
        return ""
    merged: dict[str, Any] = {}
    for one in shown if isinstance(shown, list) else [shown]:
        for name, value in (one or {}).items() if isinstance(one, dict) else ():
            merged[name] = value if merged.get(name) is None else merged[name]
    parts = []
    for name, value in merged.items():
        field = getattr(kind, "fields", {}).get(name)
        if field is not None:
            first = "(first: 50)" if "first" in field.args else ""
            parts.append(f"{name}{first} {_selection(get_named_type(field.type), value)}".strip())
    return "{ " + (" ".join(parts) or "__typename") + " }"
