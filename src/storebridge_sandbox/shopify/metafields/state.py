"""Metafields and their definitions, with compare-and-set and unique values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from storebridge_sandbox.shopify.ids import Numbers, kind_of
from storebridge_sandbox.shopify.metafields.values import NUMBERS, Unfit, kept_value, moment_of, type_error

OWNER_TYPES = {
    "Product": "PRODUCT", "ProductVariant": "PRODUCTVARIANT", "Customer": "CUSTOMER", "Order": "ORDER",
    "Location": "LOCATION", "Shop": "SHOP", "DraftOrder": "DRAFTORDER",
}  # fmt: skip
RESERVED = ("shopify_standard", "protected", "shopify-l10n-fields")
MOST = 25


@dataclass(slots=True)
class MetafieldDefinition:
    """What values under a namespace and key must be."""

    graphql_type: ClassVar[str] = "MetafieldDefinition"
    id: str
    name: str
    namespace: str
    key: str
    owner_type: str
    kind: str
    description: str | None = None
    validations: list[dict[str, Any]] = field(default_factory=list)
    unique_values: bool = False
    pinned_position: int | None = None


@dataclass(slots=True)
class Metafield:
    """One value."""

    graphql_type: ClassVar[str] = "Metafield"
    id: str
    owner_id: str
    namespace: str
    key: str
    kind: str
    value: str
    created_at: datetime
    updated_at: datetime

    @property
    def digest(self) -> str:
        """What ``compareDigest`` is compared with."""
        return hashlib.sha256(f"{self.kind}\0{self.value}".encode()).hexdigest()


class Metafields:
    """All of them. ``find`` finds an owner or a referenced thing by its global id."""

    def __init__(
        self, numbers: Numbers, now: Callable[[], datetime], find: Callable[[str], Any], *, app: str, currency: str
    ) -> None:
        self._numbers = numbers
        self._now = now
        self._find = find
        self._currency = currency
        self.app_namespace = f"app--{app}"
        self.held: dict[str, dict[tuple[str, str], Metafield]] = {}
        self.definitions: dict[str, MetafieldDefinition] = {}

    def namespace(self, given: str | None) -> str:
        """``$app:words`` belongs to the app; no namespace at all too."""
        if not given or given == "$app":
            return self.app_namespace
        return f"{self.app_namespace}--{given[5:]}" if given.startswith("$app:") else given

    def _is_of_another_app(self, namespace: str) -> bool:
        own = namespace == self.app_namespace or namespace.startswith(f"{self.app_namespace}--")
        return namespace.startswith("app--") and not own

    def of(self, owner_id: str) -> list[Metafield]:
        return list(self.held.get(owner_id, {}).values())

    def one(self, owner_id: str, namespace: str | None, key: str) -> Metafield | None:
        if namespace is None and "." in key:
            namespace, _dot, key = key.partition(".")
        return self.held.get(owner_id, {}).get((self.namespace(namespace), key))

    def by_id(self, global_id: str) -> Metafield | None:
        return next((one for held in self.held.values() for one in held.values() if one.id == global_id), None)

    def forget(self, owner_id: str) -> None:
        self.held.pop(owner_id, None)

    def definition(self, owner_type: str, namespace: str | None, key: str) -> MetafieldDefinition | None:
        wanted = (owner_type, self.namespace(namespace), key)
        return next((d for d in self.definitions.values() if (d.owner_type, d.namespace, d.key) == wanted), None)

    def owner_by_value(self, owner_kind: str, custom_id: dict[str, Any]) -> Any:
        """The owner of a unique value: ``customId`` of the identifiers."""
        place = (self.namespace(custom_id.get("namespace")), custom_id["key"])
        for owner_id, held in self.held.items():
            one = held.get(place)
            if one is not None and one.value == custom_id["value"] and kind_of(owner_id) == owner_kind:
                return self._find(owner_id)
        return None

    # -- writes ----------------------------------------------------------------------------------------------------

    def put_all(
        self, rows: Sequence[dict[str, Any]], path: list[str], owner_id: str | None = None
    ) -> tuple[list[Metafield], list[dict[str, Any]]]:
        """All or none; ``owner_id`` for rows that stand in an owner's own input."""
        ready: list[tuple[dict[str, Any], str, str]] = []
        errors: list[dict[str, Any]] = []
        for place, row in enumerate(rows):
            kind, value, found = self._check(row, owner_id or row.get("ownerId") or "", [*path, str(place)])
            errors += found
            ready.append((row, kind, value))
        if errors:
            return [], errors
        made = [self._put(row, owner_id or row["ownerId"], kind, value) for row, kind, value in ready]
        return list({one.id: one for one in made}.values()), []

    def _check(self, row: dict[str, Any], owner_id: str, path: list[str]) -> tuple[str, str, list[dict[str, Any]]]:
        owner_type = OWNER_TYPES.get(kind_of(owner_id) or "")
        if owner_type is None or self._find(owner_id) is None:
            return "", "", [_error([*path, "ownerId"], "Owner does not exist.", "INVALID_VALUE")]
        return self._check_row(row, owner_id, owner_type, path)

    def check_new(self, owner_type: str, rows: Sequence[dict[str, Any]], path: list[str]) -> list[dict[str, Any]]:
        """What is wrong with the rows of an owner that is not made yet."""
        checked = (self._check_row(row, "", owner_type, [*path, str(place)]) for place, row in enumerate(rows))
        return [error for _, _, errors in checked for error in errors]

    def _check_row(
        self, row: dict[str, Any], owner_id: str, owner_type: str, path: list[str]
    ) -> tuple[str, str, list[dict[str, Any]]]:
        namespace, key = self.namespace(row.get("namespace")), row.get("key") or ""
        errors = list(name_errors(namespace, key, path))
        definition = self.definition(owner_type, row.get("namespace"), key)
        held = self.one(owner_id, row.get("namespace"), key)
        kind = row.get("type") or (definition.kind if definition else held.kind if held else "")
        if self._is_of_another_app(namespace):
            told = "Access to this namespace and key on Metafields for this resource type is not allowed."
            errors.append(_error([*path, "namespace"], told, "APP_NOT_AUTHORIZED"))
        unknown = type_error(kind)
        if not kind:
            errors.append(_error([*path, "type"], "Type can't be blank", "BLANK"))
        elif unknown:
            errors.append(_error([*path, "type"], unknown, "INCLUSION"))
        elif definition is not None and definition.kind != kind:
            told = f"Type must be consistent with the definition's type: {definition.kind}."
            errors.append(_error([*path, "type"], told, "INVALID_TYPE"))
        if errors:
            return kind, "", errors
        return self._check_value(row, owner_id, path, kind, definition, held)

    def _check_value(
        self,
        row: dict[str, Any],
        owner_id: str,
        path: list[str],
        kind: str,
        definition: MetafieldDefinition | None,
        held: Metafield | None,
    ) -> tuple[str, str, list[dict[str, Any]]]:
        try:
            value = kept_value(kind, row.get("value") or "", lambda one: self._find(one) is not None, self._currency)
            if definition is not None:
                self._check_rules(definition, value, owner_id)
        except Unfit as unfit:
            return kind, "", [_error([*path, "value"], str(unfit), "INVALID_VALUE", unfit.place)]
        stale = _stale(row, kind, value, held)
        return kind, value, [_error(path, *stale)] if stale else []

    def _check_rules(self, definition: MetafieldDefinition, value: str, owner_id: str) -> None:
        rules = {one["name"]: one["value"] for one in definition.validations}
        _check_bounds(definition.kind, value, rules)
        if "regex" in rules and not re.search(rules["regex"], value):
            raise Unfit("Value is not the correct format.")
        if "choices" in rules and value not in json.loads(rules["choices"]):
            choices = ", ".join(json.dumps(one) for one in json.loads(rules["choices"]))
            raise Unfit(f"Value does not exist in provided choices: [{choices}].")
        if definition.unique_values:
            place = (definition.namespace, definition.key)
            for other, held in self.held.items():
                if other != owner_id and place in held and held[place].value == value:
                    raise Unfit("Value has already been assigned to another metafield.")

    def _put(self, row: dict[str, Any], owner_id: str, kind: str, value: str) -> Metafield:
        place = (self.namespace(row.get("namespace")), row["key"])
        held = self.held.setdefault(owner_id, {})
        moment = self._now()
        one = held.get(place)
        if one is None:
            one = held[place] = Metafield(self._numbers.new("Metafield"), owner_id, *place, kind, value, moment, moment)
        elif (one.kind, one.value) != (kind, value):
            one.kind, one.value, one.updated_at = kind, value, moment
        return one

    def drop(self, owner_id: str, namespace: str | None, key: str) -> bool:
        held = self.held.get(owner_id, {})
        return held.pop((self.namespace(namespace), key), None) is not None


def _stale(row: dict[str, Any], kind: str, value: str, held: Metafield | None) -> tuple[str, str] | None:
    """A digest given must be the held one's; null means that there may be none. The same value is never stale."""
    if "compareDigest" not in row:
        return None
    wanted = row["compareDigest"]
    if held is None:
        return None if wanted is None else ("Invalid `compareDigest` value.", "INVALID_COMPARE_DIGEST")
    if (held.kind, held.value) == (kind, value) or wanted == held.digest:
        return None
    told = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
    return told, "STALE_OBJECT"


def _check_bounds(kind: str, value: str, rules: dict[str, str]) -> None:
    if kind == "rating":
        held = json.loads(value)
        if any(str(held[name]) != rules[name] for name in ("scale_min", "scale_max") if name in rules):
            raise Unfit("Value min and max on the rating value must be the same as the min and max on the definition.")
        return
    for name, word, beyond in (("min", "minimum", -1), ("max", "maximum", 1)):
        if name in rules and _compared(kind, value, rules[name]) == beyond:
            raise Unfit(f"Value has a {word} of {_shown(kind, rules[name])}.")


def _compared(kind: str, value: str, bound: str) -> int:
    if kind in NUMBERS or kind in ("date", "date_time"):
        read: Callable[[str], Any] = {"date": date.fromisoformat, "date_time": moment_of}.get(kind, Decimal)
        left, right = read(value), read(bound)
    else:
        left, right = len(value), int(bound)
    return int(left > right) - int(left < right)


def _shown(kind: str, bound: str) -> str:
    return moment_of(bound).strftime("%Y-%m-%d %H:%M:%S %z") if kind == "date_time" else bound


def name_errors(namespace: str, key: str, path: list[str]) -> list[dict[str, Any]]:
    """Namespaces and keys that are too short, too long or the vendor's own."""
    errors = []
    for name, text, low, high in (("namespace", namespace, 3, 255), ("key", key, 2, 64)):
        shown = name.capitalize()
        if len(text) < low:
            errors.append(_error([*path, name], f"{shown} is too short (minimum is {low} characters)", "TOO_SHORT"))
        elif len(text) > high:
            errors.append(_error([*path, name], f"{shown} is too long (maximum is {high} characters)", "TOO_LONG"))
    if namespace in RESERVED:
        errors.append(_error([*path, "namespace"], f"Namespace {namespace} is a reserved namespace", None))
    return errors


def _error(path: list[str], message: str, code: str | None, place: int | None = None) -> dict[str, Any]:
    return {"field": path, "message": message, "code": code, "elementIndex": place}
