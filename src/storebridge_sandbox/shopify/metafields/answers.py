"""Metafields and definitions as the Admin API shows and changes them."""

from __future__ import annotations

import re
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, refused, shows, shows_time
from storebridge_sandbox.shopify.ids import Numbers, kind_of, number_of
from storebridge_sandbox.shopify.metafields.state import (
    MOST,
    OWNER_TYPES,
    Metafield,
    MetafieldDefinition,
    Metafields,
    name_errors,
)
from storebridge_sandbox.shopify.metafields.values import KNOWN, NEVER_LISTS, category_of, is_type, json_value
from storebridge_sandbox.shopify.paging import Page, page_of

OWNERS = {
    "Product": "id",
    "ProductVariant": "variant_id",
    "Customer": "id",
    "Order": "id",
    "Location": "id",
    "Shop": "id",
}


NAMEABLE = re.compile(r"[A-Za-z0-9_$:-]*")
LONGEST_NAME = 255
ACCESS = {"admin": "PUBLIC_READ_WRITE", "customerAccount": "NONE", "storefront": "NONE"}
VALUE_TYPES = {"boolean": "BOOLEAN", "number_integer": "INTEGER", "json": "JSON_STRING"}
"""The three kinds of values beside plain text, as the oldest definitions told them."""


class MetafieldAnswers:
    """Reads on every owner, and the mutations. ``find`` finds an owner."""

    def __init__(self, metafields: Metafields, numbers: Numbers, find: Any) -> None:
        self._metafields = metafields
        self._numbers = numbers
        self._find = find

    def resolvers(self) -> Resolvers:
        return {
            **{(kind, "metafield"): self._one(attribute) for kind, attribute in OWNERS.items()},
            **{(kind, "metafields"): self._all(attribute) for kind, attribute in OWNERS.items()},
            **self._fields(),
            ("QueryRoot", "metafieldDefinition"): self._definition,
            ("QueryRoot", "metafieldDefinitions"): self._definitions,
            ("QueryRoot", "metafieldDefinitionTypes"): lambda _s, _a, _c: _types(),
            ("Mutation", "metafieldsSet"): self._set,
            ("Mutation", "metafieldsDelete"): self._delete,
            ("Mutation", "metafieldDefinitionCreate"): self._create_definition,
            ("Mutation", "metafieldDefinitionUpdate"): self._update_definition,
            ("Mutation", "metafieldDefinitionDelete"): self._delete_definition,
            ("Mutation", "metafieldDefinitionPin"): self._pin,
            ("Mutation", "metafieldDefinitionUnpin"): self._unpin,
        }

    def _fields(self) -> Resolvers:
        plain = ("id", "namespace", "key", "value")
        defined = ("id", "name", "namespace", "key", "description")
        return {
            **{("Metafield", name): shows(name) for name in plain},
            ("Metafield", "type"): shows("kind"),
            ("Metafield", "sizeInBytes"): lambda one, _a, _c: len(one.value.encode()),
            ("Metafield", "compareDigest"): shows("digest"),
            ("Metafield", "jsonValue"): lambda one, _a, _c: json_value(one.kind, one.value),
            ("Metafield", "legacyResourceId"): lambda one, _a, _c: str(number_of(one.id)),
            ("Metafield", "createdAt"): shows_time("created_at"),
            ("Metafield", "updatedAt"): shows_time("updated_at"),
            ("Metafield", "ownerType"): lambda one, _a, _c: OWNER_TYPES[kind_of(one.owner_id) or ""],
            ("Metafield", "owner"): lambda one, _a, _c: self._find(one.owner_id),
            ("Metafield", "definition"): lambda one, _a, _c: self._definition_of(one),
            **{("MetafieldDefinition", name): shows(name) for name in defined},
            ("MetafieldDefinition", "validations"): lambda one, _a, _c: [
                {"type": one.kind, **rule} for rule in one.validations
            ],
            ("MetafieldDefinition", "ownerType"): shows("owner_type"),
            ("MetafieldDefinition", "type"): lambda one, _a, _c: _type(one.kind),
            ("MetafieldDefinition", "pinnedPosition"): shows("pinned_position"),
            ("MetafieldDefinition", "validationStatus"): lambda _o, _a, _c: "ALL_VALID",
            ("MetafieldDefinition", "metafieldsCount"): lambda one, _a, _c: len(self._values_of(one)),
            ("MetafieldDefinition", "metafields"): lambda one, args, _c: _page(self._values_of(one), args),
            ("MetafieldDefinition", "useAsCollectionCondition"): lambda _o, _a, _c: False,
            ("MetafieldDefinition", "capabilities"): _capabilities,
            ("MetafieldDefinition", "access"): lambda _o, _a, _c: dict(ACCESS),
        }

    def _one(self, attribute: str) -> Any:
        def resolve(owner: Any, args: dict[str, Any], _call: Call) -> Metafield | None:
            return self._metafields.one(getattr(owner, attribute), args.get("namespace"), args["key"])

        return resolve

    def _all(self, attribute: str) -> Any:
        def resolve(owner: Any, args: dict[str, Any], _call: Call) -> Page:
            held = self._metafields.of(getattr(owner, attribute))
            if args.get("namespace"):
                held = [one for one in held if one.namespace == self._metafields.namespace(args["namespace"])]
            if args.get("keys"):
                wanted = set(args["keys"])
                held = [one for one in held if f"{one.namespace}.{one.key}" in wanted or one.key in wanted]
            return _page(held, args)

        return resolve

    # -- values ----------------------------------------------------------------------------------------------------

    def _set(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        rows = args["metafields"]
        if len(rows) > MOST:
            told = f"Exceeded the maximum metafields input limit of {MOST}."
            return {**refused(["metafields"], told, "LESS_THAN_OR_EQUAL_TO"), "metafields": None}
        made, errors = self._metafields.put_all(rows, ["metafields"])
        return {"metafields": made, "userErrors": errors}

    def _delete(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        deleted: list[dict[str, Any] | None] = []
        for place, row in enumerate(args["metafields"]):
            if self._find(row["ownerId"]) is None:
                return refused(["metafields", str(place), "ownerId"], "Owner does not exist.")
            gone = self._metafields.drop(row["ownerId"], row.get("namespace"), row["key"])
            shown = {"ownerId": row["ownerId"], "namespace": row["namespace"], "key": row["key"]}
            deleted.append(shown if gone else None)
        return {"deletedMetafields": deleted, "userErrors": []}

    # -- definitions -----------------------------------------------------------------------------------------------

    def _definition_of(self, one: Metafield) -> MetafieldDefinition | None:
        return self._metafields.definition(OWNER_TYPES[kind_of(one.owner_id) or ""], one.namespace, one.key)

    def _values_of(self, definition: MetafieldDefinition) -> list[Metafield]:
        place = (definition.namespace, definition.key)
        return [
            held[place]
            for owner, held in self._metafields.held.items()
            if place in held and OWNER_TYPES.get(kind_of(owner) or "") == definition.owner_type
        ]

    def _definition(self, _source: Any, args: dict[str, Any], _call: Call) -> MetafieldDefinition | None:
        wanted = args.get("identifier") or {}
        if args.get("id") or wanted.get("id"):
            return self._metafields.definitions.get(args.get("id") or wanted["id"])
        if not wanted.get("ownerType") or not wanted.get("key"):
            return None
        return self._metafields.definition(wanted["ownerType"], wanted.get("namespace"), wanted["key"])

    def _definitions(self, _source: Any, args: dict[str, Any], _call: Call) -> Page:
        found = [
            one
            for one in self._metafields.definitions.values()
            if one.owner_type == args["ownerType"]
            and args.get("key") in (None, one.key)
            and (args.get("namespace") is None or self._metafields.namespace(args["namespace"]) == one.namespace)
        ]
        return page_of([(one.id, number_of(one.id), one) for one in found], args)

    def _create_definition(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["definition"]
        namespace = self._metafields.namespace(given.get("namespace"))
        if self._metafields.definition(given["ownerType"], given.get("namespace"), given["key"]) is not None:
            told = "Key is in use for {} metafields on the '{}' namespace."
            told = told.format(given["ownerType"].capitalize(), namespace)
            return refused(["definition", "key"], told, "TAKEN")
        if not is_type(given["type"]):
            told = f"Type name {given['type']} is not a valid type."
            return refused(["definition", "type"], told, "INCLUSION")
        errors = _definition_errors(given, namespace)
        if errors:
            return {"createdDefinition": None, "userErrors": errors}
        made = MetafieldDefinition(
            self._numbers.new("MetafieldDefinition"),
            given["name"],
            namespace,
            given["key"],
            given["ownerType"],
            given["type"],
            given.get("description"),
            [dict(one) for one in given.get("validations") or []],
            _wants_unique(given) or given["type"] == "id",
        )
        self._metafields.definitions[made.id] = made
        if given.get("pin"):
            made.pinned_position = self._next_pin(made)
        return {"createdDefinition": made, "userErrors": []}

    def _update_definition(self, _source: Any, args: dict[str, Any], _call: Call) -> dict[str, Any]:
        given = args["definition"]
        found = self._metafields.definition(given["ownerType"], given.get("namespace"), given["key"])
        if found is None:
            return refused(["definition"], "Definition not found.", "NOT_FOUND")
        found.name = given.get("name") or found.name
        found.description = given.get("description", found.description)
        if given.get("validations") is not None:
            found.validations = [dict(one) for one in given["validations"]]
        found.unique_values = _wants_unique(given) or found.unique_values
        return {"updatedDefinition": found, "validationJob": None, "userErrors": []}

    def _delete_definition(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        found = self._definition(None, args, call)
        if found is None:
            return refused(["id"], "Definition not found.", "NOT_FOUND")
        if args.get("deleteAllAssociatedMetafields"):
            for one in self._values_of(found):
                self._metafields.drop(one.owner_id, one.namespace, one.key)
        del self._metafields.definitions[found.id]
        deleted = {"ownerType": found.owner_type, "namespace": found.namespace, "key": found.key}
        return {"deletedDefinitionId": found.id, "deletedDefinition": deleted, "userErrors": []}

    def _next_pin(self, one: MetafieldDefinition) -> int:
        held = [d.pinned_position or 0 for d in self._metafields.definitions.values() if d.owner_type == one.owner_type]
        return max(held, default=0) + 1

    def _pin(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        found = self._definition(None, {"id": args.get("definitionId"), **args}, call)
        if found is None:
            return refused(None, "Definition not found.", "NOT_FOUND")
        found.pinned_position = self._next_pin(found)
        return {"pinnedDefinition": found, "userErrors": []}

    def _unpin(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        found = self._definition(None, {"id": args.get("definitionId"), **args}, call)
        if found is None:
            return refused(None, "Definition not found.", "NOT_FOUND")
        found.pinned_position = None
        return {"unpinnedDefinition": found, "userErrors": []}


def _page(held: list[Metafield], args: dict[str, Any]) -> Page:
    return page_of([(one.id, number_of(one.id), one) for one in held], args)


def _type(kind: str) -> dict[str, Any]:
    return {
        "name": kind,
        "category": category_of(kind),
        "supportsDefinitionMigrations": False,
        "supportedValidations": [],
        "valueType": VALUE_TYPES.get(kind, "STRING"),
    }


def _definition_errors(given: dict[str, Any], namespace: str) -> list[dict[str, Any]]:
    """Names that a definition cannot have."""
    errors = name_errors(namespace, given["key"], ["definition"])
    for name, text in (("namespace", namespace), ("key", given["key"])):
        if not NAMEABLE.fullmatch(text):
            told = f"{name.capitalize()} contains one or more invalid characters."
            errors.append({"field": ["definition", name], "message": told, "code": "INVALID_CHARACTER"})
    name = given["name"].strip()
    if not name or len(name) > LONGEST_NAME:
        told = f"Name is too long (maximum is {LONGEST_NAME} characters)" if name else "Name can't be blank"
        code = "TOO_LONG" if name else "BLANK"
        errors.append({"field": ["definition", "name"], "message": told, "code": code})
    return errors


def _types() -> list[dict[str, Any]]:
    return [_type(one) for one in sorted(KNOWN)] + [_type(f"list.{one}") for one in sorted(KNOWN - NEVER_LISTS)]


def _wants_unique(given: dict[str, Any]) -> bool:
    return bool(((given.get("capabilities") or {}).get("uniqueValues") or {}).get("enabled"))


def _capabilities(one: MetafieldDefinition, _args: dict[str, Any], _call: Call) -> dict[str, Any]:
    off = {"enabled": False, "eligible": False, "status": "NOT_FILTERABLE"}
    unique = {"enabled": one.unique_values, "eligible": True}
    others = ("adminFilterable", "smartCollectionCondition", "analyticsQueryable", "cartToOrderCopyable")
    return {"uniqueValues": unique, **dict.fromkeys(others, off)}
