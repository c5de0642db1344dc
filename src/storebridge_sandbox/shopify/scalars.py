"""Shopify's own scalars: what a value must look like to be one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, get_named_type, is_input_object_type

GLOBAL_ID = re.compile(r"gid://\S+")
NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,2})?")


def strict(schema: GraphQLSchema) -> GraphQLSchema:
    """The schema, whose scalars refuse what they cannot hold; the library lets everything through."""
    for name, fits in FITS.items():
        scalar = schema.type_map.get(name)
        if isinstance(scalar, GraphQLScalarType):
            checked = _checked(name, fits)
            scalar.coerce_input_value = checked
    return schema


@cache
def holds_ids(kind: Any) -> bool:
    """Whether a value of this input type may have an id in it."""
    seen: set[str] = set()
    waiting = [get_named_type(kind)]
    while waiting:
        one = waiting.pop()
        if one.name == "ID":
            return True
        if is_input_object_type(one) and one.name not in seen:
            seen.add(one.name)
            waiting += [get_named_type(held.type) for held in one.fields.values()]
    return False


def is_global_id(value: Any) -> bool:
    """The empty text is recorded, the bare number told by many users: neither is one."""
    return isinstance(value, str) and bool(GLOBAL_ID.fullmatch(value))


def _checked(name: str, fits: Callable[[Any], bool]) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        if not fits(value):
            raise GraphQLError(f"{name} cannot represent value: {value!r}")
        return value

    return parse


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not NUMBER.fullmatch(str(value)):
        return False
    try:
        return Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).year > 1
    except ValueError:
        return False


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value[:10]).year > 1
    except ValueError:
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return not isinstance(value, bool) and str(value).isascii() and str(value).isdecimal() and len(str(value)) <= 20


FITS: dict[str, Callable[[Any], bool]] = {
    "Money": _is_number,
    "Decimal": _is_number,
    "DateTime": _is_moment,
    "Date": _is_day,
    "URL": _is_text,
    "HTML": _is_text,
    "FormattedString": _is_text,
    "UnsignedInt64": _is_whole,
    "ARN": _is_text,
    "Color": _is_text,
}
