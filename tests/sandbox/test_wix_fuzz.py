"""Thousands of made-up requests against every address of the Wix store: none may break it, and none may hang.

Requests are made from what the vendor's packages declare, bent here and there, with ids that earlier answers
told, so that many get past the first check. ``STOREBRIDGE_FUZZ_REQUESTS`` sets how many are sent per catalogue
version; a failure names the seed and the request.
"""

from __future__ import annotations

import base64
import copy
import os
import random
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from wix_site import Site, with_site

from storebridge_sandbox.wix.calls import Operation
from storebridge_sandbox.wix.messages import declarations
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import CatalogVersion, WixOptions

REQUESTS = int(os.environ.get("STOREBRIDGE_FUZZ_REQUESTS", "2500"))
LONGEST_SECONDS = 30.0
DEEPEST = 6
ODD: tuple[Any, ...] = (None, True, 0, -1, 1.5, 10**12, "", " ", "x" * 400, "ünï", [], [None], {}, {"$eq": {}}, "1e999")
OPERATORS = ("$eq", "$ne", "$lt", "$gte", "$in", "$nin", "$hasSome", "$hasAll", "$exists", "$isEmpty", "$startsWith")
PATHS = (
    "id",
    "productId",
    "sku",
    "name",
    "quantity",
    "createdDate",
    "updatedDate",
    "product.name",
    "product.variantSku",
    "availabilityStatus",
    "productData.name",
    "info.name.first",
    "primaryInfo.email",
    "numericId",
    "status",
    "number",
    "nowhere",
)
TEXTS = {
    "EMAIL": ("a@example.com", "b@example.com", "not-an-address"),
    "CURRENCY": ("USD", "usd"),
    "COUNTRY": ("US", "DE", "xx"),
    "DECIMAL_VALUE": ("1", "0.5", "12.3456", "-3", "abc"),
    "LANGUAGE": ("en",),
    "LANGUAGE_TAG": ("en-US",),
    "LOCAL_DATE": ("2020-02-29", "2020-02-30"),
    "WEB_URL": ("https://example.com/a.jpg", "example"),
    "PHONE": ("+1 212 555 0123", "no"),
}

PRICE = {"actualPrice": {"amount": "20.00"}, "compareAtPrice": {"amount": "25"}}
SIZES = [{"name": size, "choiceType": "CHOICE_TEXT"} for size in ("S", "M")]
PRODUCT = {
    "name": "Cap",
    "productType": "PHYSICAL",
    "physicalProperties": {},
    "brand": {"name": "Pell"},
    "ribbon": {"name": "New"},
    "options": [{"name": "Size", "optionRenderType": "TEXT_CHOICES", "choicesSettings": {"choices": SIZES}}],
    "variantsInfo": {
        "variants": [
            {
                "price": PRICE,
                "choices": [
                    {
                        "optionChoiceNames": {
                            "optionName": "Size",
                            "choiceName": size,
                            "renderType": "TEXT_CHOICES",
                        }
                    }
                ],
                "inventoryItem": {"quantity": 3, "preorderInfo": {"enabled": True, "limit": 5}},
            }
            for size in ("S", "M")
        ]
    },
}
CONTACT = {
    "name": {"first": "Ada", "last": "L"},
    "emails": {"items": [{"tag": "MAIN", "email": "ada@example.com"}]},
    "phones": {"items": [{"tag": "HOME", "countryCode": "US", "phone": "212 555 0123"}]},
    "addresses": {"items": [{"tag": "HOME", "address": {"city": "Ulm", "country": "DE"}}]},
    "extendedFields": {"items": {}},
}
PRODUCT_V1 = {
    "name": "Cap",
    "productType": "physical",
    "priceData": {"price": 20},
    "manageVariants": True,
    "productOptions": [{"name": "Size", "choices": [{"value": "S", "description": "S"}]}],
    "discount": {"type": "PERCENT", "value": 10},
}
GOOD: dict[str, Any] = {
    "createProduct": {"product": PRODUCT},
    "updateProduct": {"product": PRODUCT},
    "createProductWithInventory": {"product": PRODUCT, "returnEntity": True},
    "updateProductWithInventory": {"product": PRODUCT},
    "bulkCreateProductsWithInventory": {"products": [PRODUCT, PRODUCT]},
    "createContact": {"info": CONTACT, "allowDuplicates": True},
    "updateContact": {"info": CONTACT, "revision": 1, "allowDuplicates": True},
    "createProductV1": {"product": PRODUCT_V1},
    "updateProductV1": {"product": PRODUCT_V1},
    "updateInventoryVariants": {"inventoryItem": {"trackQuantity": True, "variants": [{"quantity": 3}]}},
    "updateProductVariants": {"variants": [{"choices": {"Size": "S"}, "price": 3, "sku": "V"}]},
}
"""Requests that go through as they are; they are sent with parts taken out or bent."""


@dataclass
class Inventor:
    """Makes requests up. ``told`` are values that answers held, by the name of their field.

    A ``wild`` request breaks rules here and there; a tame one keeps to what is declared, to get further in.
    """

    chance: random.Random
    wild: bool = True
    told: dict[str, list[Any]] = field(default_factory=dict)
    revisions: dict[str, Any] = field(default_factory=dict)
    meant: str = ""

    def request(self, operation: Operation) -> tuple[str, str, bytes, bytes]:
        """Method, path, query string and body."""
        self.wild = self.chance.random() < 0.4
        method = self.chance.choice(operation.methods)
        path = self._path(operation)
        payload = self._payload(operation)
        raw = msgspec.json.encode(payload)
        way = self.chance.random()
        if self.wild and way < 0.05:
            return method, path, b"", raw[: len(raw) // 2] + b"\xff"
        if method in ("GET", "DELETE") and way < 0.6:
            return method, path, b".r=" + base64.urlsafe_b64encode(raw).rstrip(b"="), b""
        if method in ("GET", "DELETE"):
            return method, path, urlencode(_flat(payload)).encode(), b""
        return method, path, b"", raw

    def _path(self, operation: Operation) -> str:
        """Parameters are ids of what stands before them, or of anything at all."""
        parts, self.meant = operation.path.split("/"), ""
        for place, part in enumerate(parts):
            if part.startswith("{"):
                noun = parts[place - 1].split("-")[-1].rstrip("s") + "Id"
                pool = self.told.get(part[1:-1]) or self.told.get(noun) or self.told.get("id", [])
                alike = [name for name in self.told if name.lower().endswith(noun.lower())]
                if part == "{id}" and alike:
                    pool = self.told[self.chance.choice(alike)]
                known = self._known("id") if self.chance.random() < 0.1 or not pool else self.chance.choice(pool)
                self.meant = str(known or "nowhere")
                parts[place] = quote(self.meant, safe="")
        return "/".join(parts)

    def learn(self, answer: Any, name: str = "") -> None:
        """Keep what an answer told for later requests."""
        if isinstance(answer, dict):
            if isinstance(answer.get("id"), str):
                self.learn(answer["id"], f"{name.removesuffix('s')}Id")
                self.revisions[answer["id"]] = answer.get("revision")
            for key, held in answer.items():
                self.learn(held, key)
        elif isinstance(answer, list):
            for held in answer[:20]:
                self.learn(held, name)
        elif isinstance(answer, str | int) and not isinstance(answer, bool):
            pool = self.told.setdefault(name, [])
            pool.append(answer)
            if len(pool) > 60:
                pool.pop(self.chance.randrange(len(pool)))

    def _payload(self, operation: Operation) -> Any:
        if self.wild and self.chance.random() < 0.07:
            return {str(self.chance.choice(PATHS)): self.chance.choice(ODD)}
        if operation.name in GOOD and self.chance.random() < 0.7:
            return self._bent(msgspec.json.decode(msgspec.json.encode(GOOD[operation.name])))
        if not operation.takes:
            return {"filter": self._filter(0)}
        package, name = operation.takes.split(":")
        return self._message(package, name, 0)

    def _bent(self, whole: Any) -> Any:
        """The payload with the right revision and up to two parts taken out or replaced."""
        revision = self.revisions.get(self.meant)
        for held in (whole, *whole.values()):
            if isinstance(held, dict) and revision is not None:
                held["revision"] = revision
        for _ in range(self.chance.choice((0, 0, 1, 1, 2))):
            part = whole
            while True:
                keys = list(part) if isinstance(part, dict) else list(range(len(part)))
                if not keys:
                    break
                key = self.chance.choice(keys)
                if not isinstance(part[key], dict | list) or self.chance.random() < 0.25:
                    part[key] = copy.deepcopy(self.chance.choice((*ODD, self._known("id"))))
                    break
                part = part[key]
        return whole

    def _message(self, package: str, name: str, depth: int) -> dict[str, Any]:
        declared = declarations()[package][name]
        told = {}
        taken = {key for group in declared.get("", ()) for key in self.chance.sample(group, len(group) - 1)}
        for key, held in declared.items():
            needed = held.get("required") if key else False
            if key and key not in taken and (needed or self.chance.random() < (0.75 if depth < 3 else 0.4)):
                told[key] = self._field(package, key, held, depth)
        if depth and self.chance.random() < 0.7:
            known = self.meant or self._known(f"{name.removeprefix('V3').removesuffix('WithInventory')}Id")
            told |= {"id": known, "revision": self.revisions.get(known)}
        return told

    def _field(self, package: str, key: str, declared: dict[str, Any], depth: int) -> Any:
        if self.wild and self.chance.random() < 0.05:
            return self.chance.choice(ODD)
        if declared.get("list"):
            most = min(declared.get("maxSize", 3), 3)
            size = self.chance.randint(min(declared.get("minSize", 0), most), most)
            return [self._value(package, key, declared, depth) for _ in range(size)]
        return self._value(package, key, declared, depth)

    def _value(self, package: str, key: str, declared: dict[str, Any], depth: int) -> Any:
        kind = declared["type"]
        if key.lower().endswith("revision") and self.revisions.get(self.meant) is not None:
            return self.revisions[self.meant]
        if kind == "text":
            return self._text(key, declared)
        if kind == "number":
            low, high = int(declared.get("min", 0)), int(declared.get("max", 50))
            inside = (low, min(high, low + self.chance.randint(0, 9)), high)
            return self.chance.choice((*inside, high + 1) if self.wild else inside)
        if kind == "flag":
            return self.chance.random() < 0.5
        if kind == "moment":
            moments = ("2026-11-24T02:16:19.123Z", "2020-01-01", "yesterday")
            return self.chance.choice(moments if self.wild else moments[:2])
        if kind == "map":
            return self._filter(0) if key == "filter" else {"a": self.chance.choice(ODD)}
        if kind == "any":
            return self._filter(0)
        held = declarations()[package][kind]
        if isinstance(held, list):
            return self.chance.choice(held)
        return self._message(package, kind, depth + 1) if depth < DEEPEST else {}

    def _text(self, key: str, declared: dict[str, Any]) -> Any:
        if key in ("filter", "sort"):
            return msgspec.json.encode(self._filter(0)).decode()
        if key in ("fieldName", "fieldPath"):
            return self.chance.choice(PATHS)
        if key == "cursor" and not self.wild:
            return ""
        form = declared.get("format", "")
        if form in TEXTS:
            return self.chance.choice(TEXTS[form] if self.wild else TEXTS[form][:1])
        known = self._known(key)
        fits = len(str(known)) <= declared.get("maxLength", 10**6) and form in ("", "GUID")
        if known is not None and (self.wild or fits) and self.chance.random() < 0.7:
            return str(known)
        if form == "GUID":
            return str(self._known("id") or "00000000-0000-4000-8000-000000000000")
        return self.chance.choice(("Mug", "MUG", "S", "x" * int(min(declared.get("maxLength", 9), 60))))

    def _known(self, key: str) -> Any:
        """A value of this name, or an id of something else."""
        exact = [name for name in self.told if name.lower() == key.lower() and self.chance.random() < 0.9]
        alike = exact or [name for name in self.told if name and key.lower().endswith(name.lower())]
        pool = self.told[self.chance.choice(alike)] if alike else self.told.get("id", [])
        return self.chance.choice(pool) if pool else None

    def _filter(self, depth: int) -> dict[str, Any]:
        if self.wild and depth < 3 and self.chance.random() < 0.2:
            word = self.chance.choice(("$and", "$or", "$not"))
            inner = self._filter(depth + 1)
            return {word: inner if word == "$not" else [inner, self._filter(depth + 1)]}
        if not self.wild:
            return {"id": {"$ne": "nothing"}} if self.chance.random() < 0.5 else {}
        path = self.chance.choice(PATHS)
        value = self.chance.choice((*ODD, "MUG", 5, "2026-11-24T02:16:19.123Z", self._known("id")))
        if self.chance.random() < 0.4:
            return {path: value}
        operator = self.chance.choice(OPERATORS)
        return {path: {operator: [value] if operator in ("$in", "$nin", "$hasSome", "$hasAll") else value}}


def _flat(payload: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(payload, dict):
        return [pair for key, held in payload.items() for pair in _flat(held, f"{path}.{key}" if path else str(key))]
    if isinstance(payload, list):
        return [pair for held in payload for pair in _flat(held, path)]
    text = {True: "true", False: "false", None: ""}.get(payload) if isinstance(payload, bool | None) else str(payload)
    return [(path, text or "")]


@pytest.mark.parametrize(("catalog", "seed"), [("v3", 1), ("v1", 2)])
def test_no_request_breaks_the_store_or_hangs(catalog: CatalogVersion, seed: int) -> None:
    async def play(site: Site) -> None:
        api, access = site.store.api, site.store.access
        headers = [(b"authorization", access.api_key.encode()), (b"wix-site-id", access.site_id.encode())]
        chance = random.Random(seed)
        inventor = Inventor(chance)
        operations = [one for one in api.operations if one.generation in (None, catalog)]
        statuses: dict[int, int] = {}
        reached: set[str] = set()
        await site.buy("MUG", 2)
        for number in range(REQUESTS):
            operation = operations[number % len(operations)] if number < len(operations) else chance.choice(operations)
            method, path, query, body = inventor.request(operation)
            scope = {"method": method, "path": path, "query_string": query, "headers": headers}
            began = time.process_time()
            try:
                answer = api.answer(scope, body)
            except Exception as error:
                raise AssertionError(f"seed {seed}, request {number}: {method} {path} {query!r} {body!r}") from error
            assert time.process_time() - began < LONGEST_SECONDS, f"request {number}: {method} {path} {body!r}"
            assert answer.status < 500, f"request {number}: {method} {path} {body!r}: {answer.body!r}"
            inventor.learn(msgspec.json.decode(answer.body))
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if answer.status == 200:
                reached.add(operation.name)

        assert sum(statuses.values()) == REQUESTS
        assert len(reached) >= len({one.name for one in operations}) // 2, sorted(reached)
        truth = await site.truth()
        assert all(isinstance(level["available"], int) for level in truth["levels"])

    options = WixOptions(catalog=catalog, quirks=WixQuirks(w14_calls_per_minute=None), more_locations=("Depot",))
    with_site(play, options, seed=seed)
