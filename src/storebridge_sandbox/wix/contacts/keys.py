"""Labels and extended fields: the keys that contacts may carry, ``/contacts/v4/labels`` and
``/contacts/v4/extended-fields``. Both are found or created by their display name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storebridge_sandbox.wix.calls import Call, Handler, Operation
from storebridge_sandbox.wix.query import ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.wire import WixRefusal, application_error, millis, validation_error, wix_date

READ = "SCOPE.DC-CONTACTS.READ-CONTACTS"
MANAGE = "SCOPE.DC-CONTACTS.MANAGE-CONTACTS"
MOST_LABELS = 2000
MOST_FIELDS = 100

Told = dict[str, Any]


@dataclass(slots=True)
class Key:
    """A label, or an extended field when ``data_type`` is set; ``kind`` is SYSTEM or USER_DEFINED."""

    key: str
    name: str
    kind: str
    created_at: datetime
    updated_at: datetime
    data_type: str = ""

    @property
    def namespace(self) -> str:
        return self.key.partition(".")[0]


class Keys:
    """All keys of one sort, by key."""

    def __init__(self, now: Callable[[], datetime], system: dict[str, tuple[str, str]], most: int) -> None:
        self._now = now
        self._most = most
        moment = now()
        self.keys = {
            key: Key(key, name, "SYSTEM", moment, moment, data_type) for key, (name, data_type) in system.items()
        }

    def find_or_create(self, name: str, data_type: str, quota: str) -> tuple[Key, bool]:
        """The key of exactly this name, and whether it is new; raises WixRefusal when there are too many."""
        for held in self.keys.values():
            if held.name == name:
                return held, False
        if len(self.keys) >= self._most:
            raise application_error(428, quota, f"There are {self._most} already", {"limit": self._most})
        key = self._free_key(name)
        made = self.keys[key] = Key(key, name, "USER_DEFINED", self._now(), self._now(), data_type)
        return made, True

    def rename(self, held: Key, name: str) -> None:
        """The key stays what it was."""
        held.name, held.updated_at = name, self._now()

    def _free_key(self, name: str) -> str:
        stem = "custom." + (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "key")
        key, number = stem, 1
        while key in self.keys:
            number += 1
            key = f"{stem}-{number}"
        return key


def system_labels() -> dict[str, tuple[str, str]]:
    return {"contacts.contacted-me": ("Contacted Me", ""), "contacts.customers": ("Customers", "")}


def system_fields() -> dict[str, tuple[str, str]]:
    return {
        "contacts.displayByFirstName": ("Display by first name", "TEXT"),
        "contacts.displayByLastName": ("Display by last name", "TEXT"),
    }


class KeyAnswers:
    """Answers about one sort of keys. ``word`` is ``label`` or ``field``; ``forget`` takes a key off all contacts."""

    def __init__(self, keys: Keys, word: str, forget: Callable[[str], None]) -> None:
        self._keys = keys
        self._word = word
        self._forget = forget
        self._language = Language(
            {
                "key": Field(lambda key: key.key, "text", TEXT, sortable=True),
                "displayName": Field(lambda key: key.name, "text", TEXT, sortable=True),
                "namespace": Field(lambda key: key.namespace, "text", TEXT, sortable=True),
                "labelType": Field(lambda key: key.kind, sortable=True),
                "fieldType": Field(lambda key: key.kind, sortable=True),
                "dataType": Field(lambda key: key.data_type, sortable=True),
                "createdDate": Field(lambda key: millis(key.created_at), "moment", ORDERING, sortable=True),
                "updatedDate": Field(lambda key: millis(key.updated_at), "moment", ORDERING, sortable=True),
            },
            tie=lambda key: key.key,
            default_limit=50,
            most=1000,
        )

    def operations(self) -> list[Operation]:
        label = self._word == "label"
        base = "/contacts/v4/labels" if label else "/contacts/v4/extended-fields"
        one, noun = base + "/{key}", "Label" if label else "ExtendedField"
        package = "crm_labels" if label else "crm_extended-fields"

        def make(verb: str, method: str, path: str, handler: Handler, *, many: bool = False) -> Operation:
            name, message = f"{verb}{noun}{'s' if many else ''}", verb[0].upper() + verb[1:]
            message = "Update" if message == "Rename" else message
            takes = f"{package}:{message}{noun}{'s' if many else ''}Request"
            scope = READ if verb in ("list", "query", "get") else MANAGE
            return Operation(name, (method,), path, handler, scope, takes=takes)

        return [
            make("list", "GET", base, self.list, many=True),
            make("query", "POST", f"{base}/query", self.query, many=True),
            make("findOrCreate", "POST", base, self.find_or_create),
            make("get", "GET", one, self.get),
            make("rename", "PATCH", one, self.rename),
            make("delete", "DELETE", one, self.delete),
        ]

    def list(self, call: Call) -> Told:
        kind = call.arguments.get("labelType") or call.arguments.get("fieldType")
        namespace, start = call.arguments.get("namespace"), call.arguments.get("startsWith") or ""
        sort = call.part("sort")
        found = (
            key
            for key in self._keys.keys.values()
            if key.name.startswith(start) and kind in (None, key.kind) and namespace in (None, key.namespace)
        )
        return self._page({"paging": call.part("paging"), "sort": [sort] if sort else None}, found, "metadata")

    def query(self, call: Call) -> Told:
        return self._page(call.part("query"), self._keys.keys.values(), "pagingMetadata")

    def find_or_create(self, call: Call) -> Told:
        label = self._word == "label"
        kind = "" if label else call.arguments.get("dataType") or "TEXT"
        quota = "LABELS_QUOTA_REACHED" if label else "FIELDS_QUOTA_EXCEEDED"
        key, new = self._keys.find_or_create(call.arguments["displayName"], kind, quota)
        call.wrote = call.wrote or new
        return {self._word: key_payload(key), "newLabel" if label else "newField": new}

    def get(self, call: Call) -> Told:
        key = key_payload(self._find(call))
        return {self._word: key}

    def rename(self, call: Call) -> Told:
        key = self._find(call)
        name = call.part(self._word).get("displayName")
        if not name:
            raise validation_error(f"{self._word}.displayName", "must not be empty", "REQUIRED_FIELD")
        self._keys.rename(key, name)
        call.wrote = True
        return {self._word: key_payload(key)}

    def delete(self, call: Call) -> Told:
        key = self._find(call)
        if key.kind == "SYSTEM":
            raise application_error(428, "FAILED_PRECONDITION", f"The {self._word} is the system's")
        del self._keys.keys[key.key]
        self._forget(key.key)
        call.wrote = True
        return {}

    def _page(self, query: Told, rows: Iterable[Key], name: str) -> Told:
        question = self._language.read(query)
        page = self._language.page(question, rows)
        metadata = {"count": len(page.rows), "offset": question.offset, "total": page.total, "tooManyToCount": False}
        return {f"{self._word}s": [key_payload(key) for key in page.rows], name: metadata}

    def _find(self, call: Call) -> Key:
        key = self._keys.keys.get(call.params["key"])
        if key is None:
            raise _missing(call.params["key"])
        return key


def _missing(key: str) -> WixRefusal:
    return application_error(404, "NOT_FOUND", f"There is no {key!r}")


def key_payload(key: Key) -> Told:
    """The ContactLabel or the ExtendedField message."""
    told: Told = {
        "namespace": key.namespace,
        "key": key.key,
        "displayName": key.name,
        "createdDate": wix_date(key.created_at),
        "updatedDate": wix_date(key.updated_at),
    }
    if key.data_type:
        return {**told, "dataType": key.data_type, "fieldType": key.kind}
    return {**told, "labelType": key.kind}
