"""Checks requests against what the vendor's packages declare: types, limits, formats, alternatives.

``messages.json`` holds the declarations (see ``scripts/derive_wix_messages.py``). Fields that a caller may not
set are not in it and are ignored, as are unknown ones. All that is wrong is told at once, as the vendor does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import msgspec

from storebridge_sandbox.wix.wire import WixRefusal

Violations = list[dict[str, Any]]
Check = Callable[[Any, str, Violations], None]
Declared = dict[str, Any]

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
FORMATS: dict[str, re.Pattern[str]] = {
    "EMAIL": EMAIL,
    "CURRENCY": re.compile(r"[A-Z]{3}"),
    "COUNTRY": re.compile(r"[A-Z]{2}"),
    "LANGUAGE": re.compile(r"[a-z]{2}"),
    "LANGUAGE_TAG": re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
    "SUBDIVISION": re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}"),
    "PHONE": re.compile(r"\+?[\d\s().#-]{3,50}"),
    "LOCAL_DATE": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "WEB_URL": re.compile(r"(https?|wix)://\S+"),
    "URL_SLUG": re.compile(r"[^\s/?#]+"),
    "COLOR_HEX": re.compile(r"#[0-9A-Fa-f]{3,8}"),
}
MOST_VIOLATIONS = 100


@cache
def declarations() -> dict[str, dict[str, Any]]:
    """Package to message to fields; an enum is the list of its words."""
    raw = files("storebridge_sandbox.wix").joinpath("messages.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, dict[str, Any]])


def check_request(takes: str, payload: dict[str, Any]) -> None:
    """``takes`` is ``package:Message``; raises WixRefusal (400) with every violation."""
    violations: Violations = []
    _message(*takes.split(":"))(payload, "", violations)
    if violations:
        first = violations[0]
        raise WixRefusal(
            400,
            f"{first['field']} {first['description']}",
            {"validationError": {"fieldViolations": violations[:MOST_VIOLATIONS]}},
        )


def unflatten(takes: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Query parameters are text; what is declared as number, flag or list becomes one."""
    package, name = takes.split(":")
    return _typed(package, name, payload)


def _typed(package: str, name: str, payload: dict[str, Any]) -> dict[str, Any]:
    fields = declarations()[package][name]
    return {key: _typed_value(package, fields[key], held) if key in fields else held for key, held in payload.items()}


def _typed_value(package: str, field: Declared, held: Any) -> Any:
    if field.get("list") and not isinstance(held, list):
        held = [held]
    if isinstance(held, list):
        return [_typed_value(package, {**field, "list": False}, one) for one in held]
    if isinstance(held, dict):
        kind = declarations()[package].get(field["type"])
        return _typed(package, field["type"], held) if isinstance(kind, dict) else held
    if field["type"] == "flag" and held in ("true", "false"):
        return held == "true"
    if field["type"] == "number" and re.fullmatch(r"-?\d{1,15}", held):
        return int(held)
    return held


# -- compiled checks ---------------------------------------------------------------------------------------


@cache
def _message(package: str, name: str) -> Check:
    declared = declarations()[package][name]
    groups = [tuple(group) for group in declared.get("", ())]
    required = [key for key, field in declared.items() if key and field.get("required")]
    checks: dict[str, Check] = {}

    def check(value: Any, path: str, violations: Violations) -> None:
        if not isinstance(value, dict):
            _add(violations, path, "must be an object", "FORMAT")
            return
        if not checks:
            checks.update({key: _field(package, field) for key, field in declared.items() if key})
        prefix = f"{path}." if path else ""
        for key in required:
            if value.get(key) is None:
                _add(violations, prefix + key, "must not be empty", "REQUIRED_FIELD")
        for group in groups:
            given = [key for key in group if value.get(key) is not None]
            if len(given) > 1:
                _add(violations, prefix + given[1], f"cannot be given together with {given[0]}", "ONE_OF_ALIGNMENT")
        for key, held in value.items():
            if held is not None and key in checks:
                checks[key](held, prefix + key, violations)

    return check


def _field(package: str, field: Declared) -> Check:
    one = _single(package, field)
    if not field.get("list"):
        return one
    least, most = field.get("minSize", 0), field.get("maxSize")

    def check(value: Any, path: str, violations: Violations) -> None:
        if not isinstance(value, list):
            _add(violations, path, "must be a list", "FORMAT")
            return
        if len(value) < least:
            _add(violations, path, f"must have a size of at least {least}", "MIN_SIZE", least)
        if most is not None and len(value) > most:
            _add(violations, path, f"must have a size less than or equal to {most}", "MAX_SIZE", most)
            return
        for number, item in enumerate(value):
            if item is None:
                _add(violations, f"{path}[{number}]", "must not be empty", "REQUIRED_FIELD")
            else:
                one(item, f"{path}[{number}]", violations)

    return check


def _single(package: str, field: Declared) -> Check:
    kind = field["type"]
    simple: dict[str, Callable[[Declared], Check]] = {
        "text": _text,
        "number": _number,
        "flag": lambda _field: _flag,
        "moment": lambda _field: _moment,
        "map": lambda _field: _map,
        "any": lambda _field: _anything,
    }
    if kind in simple:
        return simple[kind](field)
    declared = declarations()[package][kind]
    return _one_of(declared) if isinstance(declared, list) else _message(package, kind)


def _text(field: Declared) -> Check:
    least, most = field.get("minLength", 0), field.get("maxLength")
    pattern = FORMATS.get(field.get("format", ""))
    form = field.get("format", "")

    def check(value: Any, path: str, violations: Violations) -> None:
        if not isinstance(value, str):
            _add(violations, path, "must be a text", "FORMAT")
        elif len(value) < least:
            _add(violations, path, f"must have a length of at least {least}", "MIN_LENGTH", least)
        elif most is not None and len(value) > most:
            _add(violations, path, f"must have a length less than or equal to {most}", "MAX_LENGTH", most)
        elif not value:
            return
        elif form == "GUID" and not _is_guid(value):
            _add(violations, path, "is not a valid GUID", "FORMAT")
        elif form == "DECIMAL_VALUE":
            _check_decimal(field, value, path, violations)
        elif pattern is not None and not pattern.fullmatch(value):
            _add(violations, path, f"is not a valid {form}", "FORMAT")

    return check


def _is_guid(value: str) -> bool:
    if len(value) != 36:
        return False
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _check_decimal(field: Declared, value: str, path: str, violations: Violations) -> None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        _add(violations, path, "is not a decimal number", "FORMAT")
        return
    scale, exponent = field.get("maxScale"), number.normalize().as_tuple().exponent
    if scale is not None and isinstance(exponent, int) and -exponent > scale:
        _add(violations, path, f"must have at most {scale} digits after the point", "DECIMAL_MAX_SCALE", scale)
    bounds = {
        "gte": number >= Decimal(str(field.get("gte", number))),
        "lte": number <= Decimal(str(field.get("lte", number))),
        "gt": "gt" not in field or number > Decimal(str(field["gt"])),
        "lt": "lt" not in field or number < Decimal(str(field["lt"])),
    }
    for name, kept in bounds.items():
        if not kept:
            _add(violations, path, f"must be {name} {field[name]}", f"DECIMAL_{name.upper()}", field[name])


def _number(field: Declared) -> Check:
    least, most = field.get("min"), field.get("max")

    def check(value: Any, path: str, violations: Violations) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            _add(violations, path, "must be a number", "FORMAT")
        elif least is not None and value < least:
            _add(violations, path, f"must be greater than or equal to {least}", "MIN", least)
        elif most is not None and value > most:
            _add(violations, path, f"must be less than or equal to {most}", "MAX", most)

    return check


def _one_of(words: list[str]) -> Check:
    known = frozenset(words)

    def check(value: Any, path: str, violations: Violations) -> None:
        if not isinstance(value, str) or value not in known:
            _add(violations, path, f"must be one of {', '.join(words[:20])}", "INVALID_ENUM_VALUE")

    return check


def _flag(value: Any, path: str, violations: Violations) -> None:
    if not isinstance(value, bool):
        _add(violations, path, "must be true or false", "FORMAT")


def _moment(value: Any, path: str, violations: Violations) -> None:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        _add(violations, path, "must be a moment in ISO 8601", "FORMAT")


def _map(value: Any, path: str, violations: Violations) -> None:
    if not isinstance(value, dict):
        _add(violations, path, "must be an object", "FORMAT")


def _anything(_value: Any, _path: str, _violations: Violations) -> None:
    """Declared as anything at all."""


def _add(violations: Violations, path: str, description: str, rule: str, threshold: Any = None) -> None:
    violation: dict[str, Any] = {"field": path or "body", "description": description, "violatedRule": rule}
    if threshold is not None:
        violation["data"] = {"threshold": threshold}
    violations.append(violation)
