"""The sandbox's schema is a part of Shopify's own, and storebridge asks for nothing that Shopify does not have."""

from __future__ import annotations

import gzip
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache

import pytest
from graphql import (
    GraphQLError,
    GraphQLSchema,
    build_schema,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    is_union_type,
    parse,
    validate,
)
from recordings import FOLDER

from storebridge.connectors import shopify
from storebridge_sandbox.shopify.engine import load_schema

pytestmark = pytest.mark.usefixtures("shared_shopify_data")


@cache
def full_schema() -> GraphQLSchema:
    """Shopify's own, as of 2026-10."""
    text = gzip.decompress((FOLDER / "admin-2026-10.min.graphql.gz").read_bytes()).decode()
    return build_schema(text, assume_valid=True)


def test_everything_in_the_sandbox_schema_is_in_the_vendors() -> None:
    assert set(_parts(load_schema())) - set(_parts(full_schema())) == set()


def test_every_operation_of_the_connectors_is_valid_at_the_vendor() -> None:
    texts = sorted(set(_operations()))
    wrong = {text: found for text in texts if (found := [e.message for e in validate(full_schema(), parse(text))])}
    assert wrong == {}
    assert len(set(texts)) >= 8


def _parts(schema: GraphQLSchema) -> Iterator[str]:
    """Every field with its arguments and types, every input field, enum value and union member, as a line."""
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        if is_object_type(kind) or is_interface_type(kind):
            for key, field in kind.fields.items():
                yield f"{name}.{key}: {field.type}"
                yield from (f"{name}.{key}({arg}: {held.type})" for arg, held in field.args.items())
        elif is_input_object_type(kind):
            yield from (f"{name}.{key}: {field.type}" for key, field in kind.fields.items())
        elif is_enum_type(kind):
            yield from (f"{name}.{value}" for value in kind.values)
        elif is_union_type(kind):
            yield from (f"{name} = {one.name}" for one in kind.types)
        else:
            yield f"scalar {name}"


def _operations() -> Iterator[str]:
    """The GraphQL documents that the connector's modules hold, as they are sent."""
    for found in pkgutil.iter_modules(shopify.__path__, f"{shopify.__name__}."):
        for held in vars(importlib.import_module(found.name)).values():
            for text in (held, getattr(held, "document", None)):
                if isinstance(text, str) and _is_document(text):
                    yield text


def _is_document(text: str) -> bool:
    if not text.lstrip().startswith(("query", "mutation")) or "{" not in text:
        return False
    try:
        parse(text)
    except GraphQLError:
        return False
    return True
