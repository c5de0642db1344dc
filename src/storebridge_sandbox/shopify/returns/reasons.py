"""Reasons of returns: the old enum, and the definitions that replace it (the first twenty as recorded)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Definition:
    """``ReturnReasonDefinition``."""

    graphql_type: ClassVar[str] = "ReturnReasonDefinition"
    id: str
    name: str
    handle: str
    reason: str
    deleted: bool = False


_NAMED = (
    ("Unknown", "unknown", "UNKNOWN"),
    ("Changed my mind", "changed-my-mind", "UNWANTED"),
    ("Item not as described", "item-not-as-described", "NOT_AS_DESCRIBED"),
    ("Received the wrong item", "received-the-wrong-item", "WRONG_ITEM"),
    ("Other", "other-reason", "OTHER"),
    ("Damaged or defective", "damaged-or-defective", "DEFECTIVE"),
    ("Too small", "too-small", "SIZE_TOO_SMALL"),
    ("Too big", "too-big", "SIZE_TOO_LARGE"),
    ("Style", "style", "STYLE"),
    ("Color", "color", "COLOR"),
    ("Absorbency", "absorbency", "OTHER"),
    ("Academic level", "academic-level", "OTHER"),
    ("Accuracy", "accuracy", "OTHER"),
    ("Adhesion", "adhesion", "OTHER"),
    ("Adhesive", "adhesive", "OTHER"),
    ("Adhesive strength", "adhesive-strength", "OTHER"),
    ("Adjustability", "adjustability", "OTHER"),
    ("Age range", "age-range", "OTHER"),
    ("Amperage", "amperage", "OTHER"),
    ("Angle", "angle", "OTHER"),
)
DEFINITIONS: Mapping[str, Definition] = {
    f"gid://shopify/ReturnReasonDefinition/{number}": Definition(
        f"gid://shopify/ReturnReasonDefinition/{number}", name, handle, reason
    )
    for number, (name, handle, reason) in enumerate(_NAMED, 1)
}


def reason_of(given: Mapping[str, Any]) -> str:
    """The old enum's value of a line of input."""
    if given.get("returnReason"):
        return str(given["returnReason"])
    definition = DEFINITIONS.get(given.get("returnReasonDefinitionId") or "")
    return definition.reason if definition else "UNKNOWN"
