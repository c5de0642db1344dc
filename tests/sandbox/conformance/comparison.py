"""What must be equal in a recorded and in a sandbox answer: status, shape, null-ness, errors, userErrors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

NUMBERS = re.compile(
    r"gid://shopify/\w+/[\w-]+(\?[\w=&%]+)?|\d{6,}|[0-9a-f]{32,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
REQUEST_ID = re.compile(r"Request ID: \S+")


def differences(recorded_status: int, recorded: Mapping[str, Any], status: int, answer: Mapping[str, Any]) -> list[str]:
    """Every difference that counts, worded; empty when the answers agree."""
    found: list[str] = []
    if status != recorded_status:
        found.append(f"status {status}, recorded {recorded_status}")
    found += _errors(recorded.get("errors"), answer.get("errors"))
    if "data" in recorded or "data" in answer:
        found += _shape(recorded.get("data"), answer.get("data"), "data")
    return found


def without_numbers(text: str) -> str:
    """A message without what differs from store to store."""
    return REQUEST_ID.sub("Request ID", NUMBERS.sub("<n>", text))


def _errors(recorded: Any, answer: Any) -> Iterator[str]:
    ours, theirs = (sorted(map(_error_key, one)) if isinstance(one, list) else one for one in (answer, recorded))
    if ours != theirs:
        yield f"errors {ours}, recorded {theirs}"


def _error_key(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions") or {}
    problems = [
        (one.get("path"), without_numbers(str(one.get("explanation")))) for one in extensions.get("problems") or []
    ]
    path = [without_numbers(str(part)) for part in error.get("path") or []]
    return repr((extensions.get("code"), without_numbers(str(error.get("message"))), path, problems))


def _shape(recorded: Any, answer: Any, path: str) -> Iterator[str]:
    if (recorded is None) != (answer is None):
        shown = [None if one is None else without_numbers(str(one))[:200] for one in (answer, recorded)]
        yield f"{path}: {shown[0]}, recorded {shown[1]}"
    elif path.rpartition(".")[2].lower().endswith("usererrors"):
        ours, theirs = (sorted(map(_user_error_key, one or [])) for one in (answer, recorded))
        if ours != theirs:
            yield f"{path}: {ours}, recorded {theirs}"
    elif isinstance(recorded, dict) and isinstance(answer, dict):
        if set(recorded) != set(answer):
            yield f"{path}: keys {sorted(set(recorded) ^ set(answer))} differ"
        for key in recorded.keys() & answer.keys():
            yield from _shape(recorded[key], answer[key], f"{path}.{key}")
    elif isinstance(recorded, list) and isinstance(answer, list):
        if bool(recorded) != bool(answer):
            yield f"{path}: {len(answer)} entries, recorded {len(recorded)}"
        for number, (left, right) in enumerate(zip(recorded, answer, strict=False)):
            yield from _shape(left, right, f"{path}.{number}")
    elif type(recorded) is not type(answer) and not (_is_number(recorded) and _is_number(answer)):
        yield f"{path}: {type(answer).__name__}, recorded {type(recorded).__name__}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _user_error_key(error: Mapping[str, Any]) -> str:
    message = without_numbers(str(error.get("message")))
    return repr((error.get("field"), message, error.get("code"), sorted(error)))
