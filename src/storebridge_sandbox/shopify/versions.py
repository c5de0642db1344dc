"""API versions: which are served, what an unserved one falls forward to, and in what the older ones differ.

One schema file, of the newest version, is kept; an older version is that schema with what was removed since put
back. What was added since is not taken out: a client of an older version that does not use it sees no difference.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from graphql import GraphQLSchema, extend_schema, parse

from storebridge_sandbox.shopify.engine import load_schema

NEWEST = "2026-10"
KNOWN = ("2025-01", "2025-04", "2025-07", "2025-10", "2026-01", "2026-04", "2026-07", "2026-10")
FORM = re.compile(r"20\d\d-(01|04|07|10)")

REMOVED_IN = {
    "2026-04": """
        extend input InventoryQuantityInput { compareQuantity: Int }
        extend input InventorySetQuantitiesInput { ignoreCompareQuantity: Boolean = false }
    """,
    "2026-10": """
        extend enum InventorySetQuantitiesUserErrorCode { ITEM_NOT_STOCKED_AT_LOCATION }
        extend enum InventoryAdjustQuantitiesUserErrorCode { ITEM_NOT_STOCKED_AT_LOCATION }
        extend enum InventoryMoveQuantitiesUserErrorCode { ITEM_NOT_STOCKED_AT_LOCATION }
        extend enum InventorySetOnHandQuantitiesUserErrorCode { ITEM_NOT_STOCKED_AT_LOCATION }
    """,
}
"""What each version removed, as an extension that puts it back."""


def served(asked: str, oldest: str) -> str | None:
    """The version that answers: the asked one, the oldest one served where it is older, None where there is none."""
    if asked == "unstable":
        return NEWEST
    if not FORM.fullmatch(asked) or asked > NEWEST:
        return None
    return max(asked, oldest)


def version_shown(version: str) -> dict[str, Any]:
    """``ApiVersion``."""
    latest = version == NEWEST
    name = f"{version} (Latest)" if latest else version
    return {"handle": version, "displayName": name, "supported": version >= "2026-01"}


@cache
def schema_of(version: str) -> GraphQLSchema:
    """The schema as that version has it; made on first use."""
    schema = load_schema()
    if version < "2026-01":
        kept = tuple(one for one in schema.directives if one.name != "idempotent")
        parts: dict[str, Any] = {**schema.to_kwargs(), "directives": kept}
        schema = GraphQLSchema(**parts)
    for removed_in, text in REMOVED_IN.items():
        if version < removed_in:
            schema = extend_schema(schema, parse(text), assume_valid=True)
    return schema


def keys_are_demanded(version: str) -> bool:
    """Whether mutations of stock are refused without ``@idempotent``."""
    return version >= "2026-04"


def unstocked_code(version: str) -> str:
    """How a write to a level that does not exist is told, where it is refused; 2026-10 took its own code away."""
    return "ITEM_NOT_STOCKED_AT_LOCATION" if version < "2026-10" else "INVALID_LOCATION"


def told_from_is_demanded(version: str) -> bool:
    """Whether ``changeFromQuantity`` must be there, null or not."""
    return version >= "2026-04"
