"""How a mutation answers: its payload's fields by name, or user errors and nothing done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type

from storebridge_sandbox.shopify.call import Call, Resolver, Resolvers
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.ids import kind_of

Verb = Callable[[dict[str, Any], Call], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class UserError:
    """One entry of ``userErrors``; ``field`` is the path into the arguments, None where Shopify gives none."""

    field: list[str] | None
    message: str
    code: str | None = None


class Refusals(Exception):
    """A mutation does nothing and says why; ``shown`` are payload fields that are filled all the same."""

    def __init__(self, *errors: UserError, **shown: Any) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = list(errors)
        self.shown = shown


def refuse(field: list[str] | None, message: str, code: str | None = None, **shown: Any) -> Refusals:
    """The usual case: one error."""
    return Refusals(UserError(field, message, code), **shown)


def unknown_id(global_id: str) -> Refusal:
    """Some mutations answer an id that leads nowhere at the top level."""
    return Refusal(f"Invalid id: {global_id}", "RESOURCE_NOT_FOUND")


def must_be(global_id: str, kind: str) -> str:
    """Raises the top-level refusal for an id of another kind."""
    if kind_of(global_id) != kind:
        raise unknown_id(global_id)
    return global_id


def mutation_resolvers(schema: GraphQLSchema, verbs: dict[str, Verb]) -> Resolvers:
    """Resolvers of these mutations, of every field of their payloads and of their error types."""
    resolvers: Resolvers = {}
    assert schema.mutation_type is not None
    for name, verb in verbs.items():
        field = schema.mutation_type.fields.get(name)
        if field is None:
            continue
        resolvers[("Mutation", name)] = _answering(verb)
        payload = get_named_type(field.type)
        assert isinstance(payload, GraphQLObjectType)
        for part, definition in payload.fields.items():
            resolvers[(payload.name, part)] = _part(part)
            if part.lower().endswith("errors"):
                resolvers.update(_error_type(get_named_type(definition.type)))
    return resolvers


def _answering(verb: Verb) -> Resolver:
    def resolve(_source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        try:
            return {"userErrors": [], **verb(args, call)}
        except Refusals as refusals:
            return {"userErrors": refusals.errors, **refusals.shown}

    return resolve


def _part(name: str) -> Resolver:
    return lambda payload, _args, _call: payload.get(name)


def _error_type(kind: Any) -> Resolvers:
    return {(kind.name, name): _attribute(name) for name in ("field", "message", "code") if name in kind.fields}


def _attribute(name: str) -> Resolver:
    return lambda error, _args, _call: getattr(error, name)


def showing(kind: str, names: Iterable[str]) -> Resolvers:
    """Fields that are attributes under their own name, camel case against snake case."""
    return {(kind, name): _attribute(_snake(name)) for name in names}


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
